"""The DEBUG log of a client made with the `websockets` library, read as a tracker's events.                  pure

The log names frames, states and time-outs, but neither links nor, as a rule, connections. Which endpoint is the
output is decided by what is sent there, in a survey of the whole log before it is read. Lines of several
connections under one logger are told apart by what only one of them can be meant by: a Pong by its payload, a
Ping by whose turn it is, a message that comes back by its having been sent.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from chaos.log_lines import DAY, LogLine, read_line
from chaos.log_survey import Survey
from chaos.problems import Problems
from tracker import events
from tracker.events import AnyEvent, LinkName

REPORT_EVERY = 1.0
"""Seconds between two `Carried` of a connection."""

_REMEMBERED = 4096  # messages sent, by which one that comes back is known
_FIELD = re.compile(r'"(timestamp|sequence)": ?(\d+)')
_EXCEPTION = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception|Closed|Timeout)): (.+)$")


def read_log(surveyed: Survey, texts: Iterable[tuple[int, str]], problems: Problems) -> Iterator[AnyEvent]:
    """The log as events, times in seconds from its first line; what cannot be mapped is counted in `problems`."""
    reader = _Reader(surveyed, problems)
    for number, text in texts:
        line = read_line(text)
        if line is not None:
            yield from reader.read(line, number)
        elif mishap := _EXCEPTION.match(text):
            yield from reader.explain(f"{mishap[1]}: {mishap[2]}")
        elif text.strip():
            problems.add("{n} lines are not the library's")
    yield from reader.ended()


@dataclass(slots=True, eq=False)
class _Connection:
    name: str
    began: float
    number: int = 0  # of its link, once it is open
    link: LinkName = "output"
    endpoint: str | None = None
    status: int | None = None
    opened: float | None = None
    pinged: float = 0.0  # when the latest Ping left, or the connection opened
    turn: int = 0  # of these, which in order
    pings: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)
    heard: float = 0.0
    close: tuple[int, events.Ender, str] | None = None
    closing: bool = False
    reported: float = 0.0
    received: int = 0
    sent: int = 0
    messages: int = 0
    unasked: int = 0


class _Reader:
    """Follows the connections of one log, line by line."""

    def __init__(self, surveyed: Survey, problems: Problems) -> None:
        self._links = surveyed.links()
        self._timed = True
        self._problems = problems
        self._live: list[_Connection] = []
        self._count: Counter[LinkName] = Counter()
        self._failures: Counter[LinkName] = Counter()
        self._probes: Counter[LinkName] = Counter()
        self._seq = self._turns = 0
        self._sent: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._zero: float | None = None
        self._now = 0.0
        self._days = 0.0
        self._refused: LinkName | None = None
        self._waits: float | None = None  # announced, and not told yet: in old versions a traceback says why
        self._exception = ""  # the last that a traceback in the log ended with

    def read(self, line: LogLine, number: int) -> Iterator[AnyEvent]:
        yield from self._say_waiting("")
        self._tick(line, number)
        for connection in self._live:
            if connection.opened is not None and self._now - connection.reported >= REPORT_EVERY:
                yield self._carried(connection)
        m = line.message
        if m["to"]:
            yield from self._state(line)
        elif m["opcode"]:
            yield from self._frame(line)
        elif m["request"]:
            yield from self._request(line)
        elif m["status"]:
            yield from self._response(line)
        elif m["delay"]:
            self._waits = float(m["delay"])
            if m["why"]:
                yield from self._say_waiting(m["why"])
        elif m["timeout"]:
            yield from self._timed_out(line)
        elif (m["eof"] and m["way"] == "<") or (m["failing"] and m["code"] == "1006"):
            self._over(line, 1006, "network", "stream ended without a close frame")

    def explain(self, exception: str) -> Iterator[AnyEvent]:
        """A traceback in the log ended with this."""
        if self._waits is None:
            self._exception = exception
        yield from self._say_waiting(exception)

    def ended(self) -> Iterator[AnyEvent]:
        """The log is over."""
        yield from self._say_waiting("")
        if not self._timed:
            self._problems.add("the log has no times: the order of what happened is known, and no duration")
        for connection in self._live:
            if connection.opened is not None:
                yield self._carried(connection)

    def _tick(self, line: LogLine, number: int) -> None:
        if line.moment is None:
            self._timed = False
            return
        if self._zero is None:
            self._zero = line.moment
        now = line.moment - self._zero + self._days
        if not line.dated and now < self._now - DAY / 2:
            self._days += DAY  # past midnight
            now += DAY
        if now < self._now - 0.001:
            self._problems.add(
                "{n} times go back: the clock was set, or the log is not in order", f"line {number}"
            )
        self._now = max(round(now, 6), self._now)

    # Connections

    def _mine(self, line: LogLine) -> list[_Connection]:
        return [c for c in self._live if c.name == line.name]

    def _pending(self, line: LogLine, *, asked: bool = True, answered: bool = False) -> _Connection | None:
        """The connection in its handshake that has come so far; several come on in the order in which they began."""
        return next(
            (
                c
                for c in self._mine(line)
                if c.opened is None
                and (c.endpoint is not None) == asked
                and (c.status is not None) == answered
            ),
            None,
        )

    def _in_handshake(self, line: LogLine) -> _Connection | None:
        return next((c for c in self._mine(line) if c.opened is None), None)

    def _the(self, line: LogLine, *likely: Callable[[_Connection], bool]) -> _Connection:
        """The open connection that a line is of: the one of its name, or the first that is likely, in this order."""
        candidates = [c for c in self._mine(line) if c.opened is not None]
        if not candidates:
            self._problems.add("the log begins in the middle of a connection")
            sent = line.message["opcode"] in ("TEXT", "BINARY") and line.message["way"] == ">"
            known = set(self._links.values())
            link: LinkName = (
                next(iter(known)) if len(known) == 1 else "output" if sent or not known else "input"
            )
            return self._begin(line, link=link, opened=self._now)
        if len(candidates) == 1:
            return candidates[0]
        for condition in likely:
            fitting = [c for c in candidates if condition(c)]
            if len(fitting) == 1:
                return fitting[0]
            candidates = fitting or candidates
        self._problems.add(
            "{n} lines could be of more than one connection; taken as of the one longest silent"
        )
        return min(candidates, key=lambda c: c.heard)

    def _begin(self, line: LogLine, *, link: LinkName = "output", opened: float | None = None) -> _Connection:
        begun = _Connection(line.name, self._now, link=link, opened=opened)
        begun.reported = begun.heard = begun.pinged = self._now
        if opened is not None:
            self._count[link] += 1
            begun.number = self._count[link]
            begun.turn = self._next_turn()
        self._live.append(begun)
        return begun

    def _next_turn(self) -> int:
        self._turns += 1
        return self._turns

    # Lines

    def _state(self, line: LogLine) -> Iterator[AnyEvent]:
        match line.message["to"]:
            case "CONNECTING":
                self._begin(line)
            case "OPEN":
                pending = self._pending(line, answered=True) or self._in_handshake(line) or self._begin(line)
                self._count[pending.link] += 1
                self._failures[pending.link] = 0
                pending.number = self._count[pending.link]
                pending.turn = self._next_turn()
                pending.opened = pending.pinged = pending.reported = pending.heard = self._now
                yield events.Connected(
                    t=self._now,
                    link=pending.link,
                    connection=pending.number,
                    took=round(self._now - pending.began, 6),
                )
            case "CLOSING":
                self._the(line, lambda c: c.close is not None, lambda c: not c.closing).closing = True
            case "CLOSED":
                yield from self._closed(line)

    def _request(self, line: LogLine) -> Iterator[AnyEvent]:
        pending = self._pending(line, asked=False) or self._begin(line)
        pending.endpoint = line.message["path"]
        pending.link = self._links.get(pending.endpoint, "output")
        yield events.Connecting(t=pending.began, link=pending.link, attempt=self._failures[pending.link] + 1)

    def _response(self, line: LogLine) -> Iterator[AnyEvent]:
        pending = self._pending(line)
        if pending is None:
            return
        pending.status = int(line.message["status"])
        if pending.status != 101:
            yield from self._refuse(pending.link, f"HTTP {pending.status}", pending.status)

    def _refuse(self, link: LinkName, why: str, status: int | None = None) -> Iterator[AnyEvent]:
        self._failures[link] += 1
        self._refused = link
        yield events.Refused(t=self._now, link=link, why=why, status=status)

    def _say_waiting(self, why: str) -> Iterator[AnyEvent]:
        delay, self._waits = self._waits, None
        if delay is None:
            return
        link: LinkName
        if self._refused is not None and (not why or "HTTP" in why):
            link = self._refused
        else:  # an attempt that came to no connection left no other line
            up = {c.link for c in self._live}
            known = list(dict.fromkeys(self._links.values())) or ["output"]
            link = next((name for name in known if name not in up), known[0])
            yield events.Connecting(t=self._now, link=link, attempt=self._failures[link] + 1)
            yield from self._refuse(link, why)
        self._refused = None
        yield events.Waiting(t=self._now, link=link, delay=delay)

    def _timed_out(self, line: LogLine) -> Iterator[AnyEvent]:
        if "pong" not in line.message["timeout"]:
            return
        first = min((c.turn for c in self._mine(line) if c.pings), default=0)
        connection = self._the(line, lambda c: bool(c.pings), lambda c: c.turn == first)
        connection.close = (1011, "tracker", "keepalive ping timeout")
        silence = round(self._now - min(connection.heard, connection.pinged), 6)
        yield events.Died(
            t=self._now,
            link=connection.link,
            connection=connection.number,
            cause="keepalive ping timeout",
            silence=silence,
        )

    def _over(self, line: LogLine, code: int, by: events.Ender, why: str) -> None:
        if self._in_handshake(line) is not None and not any(c.opened is not None for c in self._mine(line)):
            return  # an attempt: its refusal is said already, or will be
        connection = self._the(line, lambda c: c.closing, lambda c: c.close is None)
        connection.close = connection.close or (code, by, why)

    def _closed(self, line: LogLine) -> Iterator[AnyEvent]:
        mine = self._mine(line)
        pending = self._in_handshake(line)
        ending = [c for c in mine if c.close is not None or c.closing]
        if pending is not None and not ending:
            self._live.remove(pending)
            if pending.status in (None, 101):
                yield from self._refuse(pending.link, self._exception or "closed during the handshake")
            self._exception = ""
            return
        connection = self._the(line, lambda c: c.close is not None, lambda c: c.closing)
        code, by, why = connection.close or (1006, "network", "closed without a close frame")
        if by == "network" and self._exception:
            why = self._exception
        self._exception = ""
        self._live.remove(connection)
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

    def _frame(self, line: LogLine) -> Iterator[AnyEvent]:
        opcode, sends = line.message["opcode"], line.message["way"] == ">"
        if opcode == "PING" and sends:
            yield from self._ping(line)
        elif opcode == "PONG" and not sends:
            yield from self._pong(line)
        elif opcode == "CLOSE":
            self._close(line)
        elif opcode in ("TEXT", "BINARY", "CONT"):
            yield from self._message_sent(line) if sends else self._message(line)
        else:  # the peer's Ping and our answer
            self._count_bytes(self._the(line, lambda c: c.close is None), line)

    def _count_bytes(self, connection: _Connection, line: LogLine) -> None:
        size = line.size + 2
        if line.message["way"] == ">":
            connection.sent += size
        else:
            connection.received += size
            connection.heard = self._now

    def _message_sent(self, line: LogLine) -> Iterator[AnyEvent]:
        connection = self._the(line, lambda c: c.link == "output", lambda c: not c.closing)
        self._count_bytes(connection, line)
        self._sent[line.data, line.size] = None
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        if connection.link == "output" and line.message["opcode"] != "CONT":
            self._seq += 1
            yield events.Sent(t=self._now, seq=self._seq, connection=connection.number)

    def _message(self, line: LogLine) -> Iterator[AnyEvent]:
        comes_back = (line.data, line.size) in self._sent
        at: LinkName = "output" if comes_back else "input"
        connection = self._the(line, lambda c: c.link == at, lambda c: not c.closing)
        self._count_bytes(connection, line)
        if line.message["opcode"] == "CONT":
            return
        connection.messages += 1
        if connection.link == "output":
            connection.unasked += 1
        elif connection.link == "input":
            fields = {name: int(value) for name, value in _FIELD.findall(line.data)}
            yield events.Received(
                t=self._now, timestamp=float(fields.get("timestamp", 0)), sequence=fields.get("sequence")
            )

    def _ping(self, line: LogLine) -> Iterator[AnyEvent]:
        # A keepalive waits for its answer before it pings again, and pings in turn: the one whose turn it is.
        due = min((c.turn for c in self._mine(line) if c.turn and not c.pings), default=0)
        connection = self._the(line, lambda c: not c.pings, lambda c: c.turn == due)
        self._count_bytes(connection, line)
        self._probes[connection.link] += 1
        number = self._probes[connection.link]
        connection.pings[line.data] = (number, self._now)
        connection.pinged = self._now
        connection.turn = self._next_turn()
        yield events.Probed(t=self._now, link=connection.link, number=number)

    def _pong(self, line: LogLine) -> Iterator[AnyEvent]:
        connection = next((c for c in self._mine(line) if line.data in c.pings), None)
        if connection is None:
            self._problems.add("{n} Pongs answer no Ping in the log")
            return
        self._count_bytes(connection, line)
        number, left = connection.pings[line.data]
        while connection.pings:  # a Pong answers all Pings before its own too
            data, _ = connection.pings.popitem(last=False)
            if data == line.data:
                break
        yield events.Answered(
            t=self._now, link=connection.link, number=number, rtt=round(self._now - left, 6)
        )

    def _close(self, line: LogLine) -> None:
        found = re.match(r"(\d{4})(?: \([^)]*\))? ?(.*)", line.data)
        code, why = (int(found[1]), found[2]) if found else (1005, "")
        by: events.Ender = "tracker" if line.message["way"] == ">" else "peer"
        connection = self._the(
            line,
            lambda c: c.closing or c.close is not None,
            lambda c: c.close is not None and c.close[0] == code,
        )
        if connection.close is None or connection.close[0] == 1006:
            connection.close = (code, by, why)
