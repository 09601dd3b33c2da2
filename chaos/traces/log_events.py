"""A client's log as the events that the tracker would have reported: what a replay is made of.                       pure

Only a replay needs them. What happened is told from the log's own entries.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chaos.traces.log_survey import Survey
from chaos.traces.wire import (
    NO_STATUS,
    Entry,
    Eof,
    Failing,
    Frame,
    Keepalive,
    KeepaliveSays,
    Notice,
    NoticeKind,
    OtherLine,
    Over,
    Request,
    Response,
    StateChange,
)
from tracker import events
from tracker.events import AnyEvent, Ender, LinkName

REPORT_EVERY = 1.0
"""Seconds between two `Carried` of a connection."""

_REMEMBERED = 4096  # messages sent, by which one that comes back is known
_FIELD = re.compile(r'"(timestamp|sequence)": ?(\d+)')
_NO_CONNECTION = (
    NoticeKind.UNREACHABLE,
    NoticeKind.TIMED_OUT,
    NoticeKind.NO_NAME,
    NoticeKind.BAD_CERTIFICATE,
    NoticeKind.REJECTED,
)


@dataclass(slots=True, eq=False)
class _Connection:
    began: float
    link: LinkName
    path: str = ""
    number: int = 0  # of its link, once it is open
    status: int | None = None
    opened: bool = False
    pings: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)
    heard: float = 0.0
    pinged: float = 0.0
    close: tuple[int, Ender, str] | None = None
    error: str = ""
    reported: float = 0.0
    received: int = 0
    sent: int = 0
    messages: int = 0
    unasked: int = 0


def as_events(surveyed: Survey, entries: Iterable[Entry]) -> Iterator[AnyEvent]:
    """The events, times in seconds from the log's first line."""
    maker = _Maker(surveyed)
    for entry in entries:
        yield from maker.take(entry)
    yield from maker.finish()


class _Maker:
    def __init__(self, surveyed: Survey) -> None:
        self._links = surveyed.links()
        self._all: dict[int, _Connection] = {}
        self._counts: Counter[LinkName] = Counter()
        self._failures: Counter[LinkName] = Counter()
        self._probes: Counter[LinkName] = Counter()
        self._seq = 0
        self._newest = 0
        self._now = 0.0
        self._sent: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._refused: LinkName | None = None
        self._waits: float | None = None  # announced, and not told yet: in old versions a traceback says why

    def take(self, entry: Entry) -> Iterator[AnyEvent]:
        said = entry.said
        if isinstance(said, Notice):
            yield from self._notice(entry, said)
            return
        if isinstance(said, OtherLine):
            return
        if self._waits is not None:
            yield from self._say_waiting(None)
        self._now = entry.t
        for connection in self._all.values():
            if connection.opened and self._now - connection.reported >= REPORT_EVERY:
                yield self._carried(connection)
        if entry.connection is None:
            return
        known = self._all.get(entry.connection)
        if known is None and entry.connection > self._newest:
            self._newest = entry.connection
            known = self._all[entry.connection] = _Connection(self._now, entry.link)
        if known is not None:  # else it is over, and this comes late
            yield from self._told(entry, known)

    def _told(self, entry: Entry, connection: _Connection) -> Iterator[AnyEvent]:
        said = entry.said
        match said:
            case StateChange(to="OPEN"):
                yield from self._open(connection)
            case StateChange(to="CLOSED"):
                yield from self._closed(entry, connection)
            case Request():
                connection.path = said.path
                connection.link = self._links.get(said.path, "output")
                attempt = self._failures[connection.link] + 1
                yield events.Connecting(t=connection.began, link=connection.link, attempt=attempt)
            case Response():
                connection.status = said.status
                if said.status != 101:
                    yield self._refuse(connection.link, f"HTTP {said.status}", said.status)
            case Frame():
                yield from self._frame(connection, said)
            case KeepaliveSays(what=Keepalive.GAVE_UP):
                connection.close = (1011, "tracker", "keepalive ping timeout")
                silence = round(self._now - min(connection.heard, connection.pinged), 6)
                yield events.Died(
                    t=self._now,
                    link=connection.link,
                    connection=connection.number,
                    cause="keepalive ping timeout",
                    silence=silence,
                )
            case Eof(way="<") | Failing(code=1006) if connection.opened:
                connection.close = connection.close or (1006, "network", "stream ended without a close frame")
            case Failing(code=None) if connection.opened:
                connection.close = connection.close or (1006, "tracker", said.reason)
            case Over() if connection.opened:
                connection.close = connection.close or (1006, "network", "over; how it ended is not shown")
                yield from self._closed(entry, connection)
            case _:
                pass

    def finish(self) -> Iterator[AnyEvent]:
        yield from self._say_waiting(None)
        for connection in self._all.values():
            if connection.opened:
                yield self._carried(connection)

    # Attempts

    def _notice(self, entry: Entry, said: Notice) -> Iterator[AnyEvent]:
        self._now = entry.t
        if said.delay is not None:
            yield from self._say_waiting(None)
            self._waits = said.delay
            if said.kind is not NoticeKind.RETRYING:
                yield from self._say_waiting(said)
        elif self._waits is not None:
            yield from self._say_waiting(said)
        elif entry.connection in self._all:
            connection = self._all[entry.connection]
            connection.error = connection.error or said.text
        elif said.kind in _NO_CONNECTION and said.kind is not NoticeKind.REJECTED:
            yield from self._attempt(said)

    def _attempt(self, said: Notice | None) -> Iterator[AnyEvent]:
        """One that came to no connection, and left no other line."""
        up = {c.link for c in self._all.values()}
        known = list(dict.fromkeys(self._links.values())) or ["output"]
        link: LinkName = next((name for name in known if name not in up), known[0])
        yield events.Connecting(t=self._now, link=link, attempt=self._failures[link] + 1)
        yield self._refuse(link, said.text if said else "")

    def _refuse(self, link: LinkName, why: str, status: int | None = None) -> events.Refused:
        self._failures[link] += 1
        self._refused = link
        return events.Refused(t=self._now, link=link, why=why, status=status)

    def _say_waiting(self, said: Notice | None) -> Iterator[AnyEvent]:
        delay, self._waits = self._waits, None
        if delay is None:
            return
        if self._refused is None or (said is not None and said.kind is not NoticeKind.REJECTED):
            yield from self._attempt(said)
        link, self._refused = self._refused, None
        yield events.Waiting(t=self._now, link=link or "output", delay=delay)

    def _open(self, connection: _Connection) -> Iterator[AnyEvent]:
        if connection.opened:
            return
        self._counts[connection.link] += 1
        self._failures[connection.link] = 0
        connection.number = self._counts[connection.link]
        connection.opened = True
        connection.heard = connection.pinged = connection.reported = self._now
        if connection.path or self._now > connection.began:
            took = round(self._now - connection.began, 6)
            yield events.Connected(t=self._now, link=connection.link, connection=connection.number, took=took)

    def _closed(self, entry: Entry, connection: _Connection) -> Iterator[AnyEvent]:
        assert entry.connection is not None, "it is of one"
        del self._all[entry.connection]
        if not connection.opened:
            if connection.status in (None, 101):
                yield self._refuse(connection.link, connection.error or "closed during the handshake")
            return
        code, by, why = connection.close or (1006, "network", "closed without a close frame")
        if by == "network" and connection.error:
            why = connection.error
        self._refused = None
        yield self._carried(connection)
        yield events.Closed(
            t=self._now, link=connection.link, connection=connection.number, code=code, by=by, why=why
        )

    def _carried(self, c: _Connection) -> events.Carried:
        report = events.Carried(
            t=self._now,
            link=c.link,
            connection=c.number,
            received=c.received,
            sent=c.sent,
            messages=c.messages,
            unasked=c.unasked,
        )
        c.received = c.sent = c.messages = c.unasked = 0
        c.reported = self._now
        return report

    # Frames

    def _frame(self, c: _Connection, said: Frame) -> Iterator[AnyEvent]:
        if not c.opened:
            yield from self._open(c)
        comes = said.way == "<"
        if comes and said.opcode != "CLOSE":
            c.heard = self._now
        if said.opcode != "CLOSE":
            c.received += (said.size + 2) * comes
            c.sent += (said.size + 2) * (not comes)
        match said.opcode:
            case "PING" if not comes:
                yield self._pinged(c, said)
            case "PONG" if comes and said.data in c.pings:
                yield self._pong(c, said)
            case "CLOSE":
                if c.close is None or c.close[0] == 1006:
                    c.close = (said.code or NO_STATUS, "peer" if comes else "tracker", said.reason)
            case "TEXT" | "BINARY":
                yield from self._message(c, said) if comes else self._message_sent(c, said)
            case _:
                pass

    def _pinged(self, c: _Connection, said: Frame) -> events.Probed:
        self._probes[c.link] += 1
        number = self._probes[c.link]
        c.pings[said.data] = (number, self._now)
        c.pinged = self._now
        return events.Probed(t=self._now, link=c.link, number=number)

    def _pong(self, c: _Connection, said: Frame) -> events.Answered:
        number, left = c.pings[said.data]
        while c.pings:  # a Pong answers all Pings before its own too
            data, _ = c.pings.popitem(last=False)
            if data == said.data:
                break
        return events.Answered(t=self._now, link=c.link, number=number, rtt=round(self._now - left, 6))

    def _message_sent(self, c: _Connection, said: Frame) -> Iterator[AnyEvent]:
        self._sent[said.data, said.size] = None
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        if c.link == "output":
            self._seq += 1
            yield events.Sent(t=self._now, seq=self._seq, connection=c.number)

    def _message(self, c: _Connection, said: Frame) -> Iterator[AnyEvent]:
        c.messages += 1
        if c.link == "output":
            # What a stranger's feed sends is asked for; what a climb's output brings, or what comes back, is not.
            c.unasked += is_of_a_climb(c.path) or (said.data, said.size) in self._sent
        elif c.link == "input":
            fields = {name: int(value) for name, value in _FIELD.findall(said.data)}
            yield events.Received(
                t=self._now, timestamp=float(fields.get("timestamp", 0)), sequence=fields.get("sequence")
            )


def is_of_a_climb(path: str) -> bool:
    """Whether an endpoint is one of a climbing wall's."""
    return "/ws/" in path
