"""A timeline made of the entries of a log, in one pass and bounded memory.                                          pure"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from chaos.timeline.model import Answer, CloseFrame, Connection, Mark, Pings, Timeline, Traffic
from chaos.timeline.pauses import Pauses
from chaos.traces.log_notices import outcome, read_notice
from chaos.traces.log_survey import Survey
from chaos.traces.wire import (
    DATA,
    NO_STATUS,
    Body,
    Entry,
    Eof,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    Mishap,
    Notice,
    NoticeKind,
    Over,
    Request,
    Response,
    StateChange,
    StrayPong,
    TcpEnding,
    TcpLost,
)

MOST_CONNECTIONS = 50_000
"""That are kept one by one; those that come after are counted."""
MOST_NOTICES = 20_000
MOST_TRIPS = 200_000
MOST_WAITING = 100
KEPT_HEADERS = ("location", "retry-after", "server", "content-type", "host", "user-agent", "via", "cf-ray")
LATE = 10.0
"""Seconds after its CLOSED in which something may still be said of a connection."""


def timeline(surveyed: Survey, entries: Iterable[Entry]) -> Timeline:
    """All that the entries tell."""
    builder = TimelineBuilder(surveyed)
    for entry in entries:
        builder.take(entry)
    return builder.finish()


class TimelineBuilder:
    """Makes a timeline of the entries that it is given, for who reads a log for something else as well."""

    def __init__(self, surveyed: Survey) -> None:
        self._made = Timeline(
            surveyed.side,
            surveyed.side_known,
            surveyed.writer,
            surveyed.library,
            clocked=surveyed.timed,
            shows_received=surveyed.shows_received,
            grain=surveyed.grain,
            lines=surveyed.lines,
            ping_interval=surveyed.ping_interval,
            ping_timeout=surveyed.ping_timeout,
        )
        self._live: dict[int, Connection] = {}
        self._redirects: dict[str, str] = {}
        self._closed: deque[Connection] = deque()
        self._first: Mark | None = None
        self._pauses = Pauses(self._made, self._live)

    def take(self, entry: Entry) -> None:
        """One more, in the log's order."""
        at = Mark(entry.t, entry.line)
        if self._first is None:
            self._first = self._made.began = at
        said = entry.said
        self._pauses.look(at, said, entry.connection)
        self._made.ended = at
        if entry.connection is None:
            if isinstance(said, Notice):
                self._notice(at, said)
            return
        connection = self._connection(entry, at)
        if connection is None:
            return
        connection.ambiguous += not entry.sure
        _TAKE[type(said)](self, connection, at, said)

    def finish(self) -> Timeline:
        """The timeline; nothing comes after."""
        self._pauses.finish()
        made = self._made
        made.timed = made.ended.t > made.began.t
        return made

    def _connection(self, entry: Entry, at: Mark) -> Connection | None:
        number = entry.connection
        assert number is not None, "the caller looked"
        found = self._live.get(number)
        if found is None:
            if len(self._made.connections) >= MOST_CONNECTIONS:
                if isinstance(entry.said, Request):
                    self._made.more[entry.said.path] += 1
                return None
            found = self._live[number] = Connection(number, entry.side, at, at)
            self._made.connections.append(found)
        if found.closed is None:
            found.last = at
        return found

    # What is said of no connection

    def _notice(self, at: Mark, said: Notice) -> None:
        notices = self._made.notices
        if said.chained and notices:
            begin, before = notices[-1]
            notices[-1] = begin, outcome(before, said)
        elif len(self._made.notices) < MOST_NOTICES:
            self._made.notices.append((at, said))
        else:
            self._made.more_notices += 1

    def explain(self, connection: Connection, _at: Mark, said: Notice) -> None:
        """A traceback in the log, of a connection."""
        before = connection.error
        if before is not None and said.chained:
            connection.error = outcome(before, said)
        elif before is None or (
            before.kind in (NoticeKind.ENDED, NoticeKind.ERROR) and said.kind is not NoticeKind.ENDED
        ):
            connection.error = said

    # What is said of one

    def state(self, connection: Connection, at: Mark, said: StateChange) -> None:
        match said.to:
            case "CONNECTING":
                connection.began = at
            case "OPEN":
                connection.opened = at
            case "CLOSING":
                connection.closing = connection.closing or at
            case "CLOSED":
                if connection.closed is None:
                    connection.closed = at
                    self._closed.append(connection)
                self._forget(at)

    def _forget(self, now: Mark) -> None:
        """What still comes of a closed connection comes soon."""
        while self._closed and (closed := self._closed[0].closed) and now.t - closed.t > LATE:
            self._live.pop(self._closed.popleft().number, None)

    def request(self, connection: Connection, at: Mark, said: Request) -> None:
        connection.requested, connection.path = at, said.path
        connection.link = self._redirects.get(said.path, said.path)

    def response(self, connection: Connection, at: Mark, said: Response) -> None:
        connection.answered = Answer(at, said.status, said.phrase)

    def header(self, connection: Connection, _at: Mark, said: HeaderLine) -> None:
        of_request = (said.way == ">") == (connection.side == "client")
        headers = connection.request_headers if of_request else connection.response_headers
        if said.name in KEPT_HEADERS:
            headers[said.name] = said.value
        answered = connection.answered
        if said.name == "location" and answered is not None and 300 <= answered.status < 400:
            self._redirects[urlsplit(said.value).path or "/"] = connection.link

    def body(self, connection: Connection, _at: Mark, said: Body) -> None:
        connection.body = connection.body or said.text

    def frame(self, connection: Connection, at: Mark, said: Frame) -> None:
        comes = said.way == "<"
        if comes:
            connection.heard = at
        elif said.opcode != "CLOSE":
            connection.said = at
        if said.opcode in DATA:
            _count(connection.received if comes else connection.sent, at, said)
        elif said.opcode == "CLOSE":
            close = CloseFrame(at, said.code or NO_STATUS, said.reason)
            if comes:
                connection.close_received = connection.close_received or close
            else:
                connection.close_sent = connection.close_sent or close
        elif said.opcode == "PING":
            if comes:
                connection.peer_pings += 1
            else:
                self._ping(connection.pings, at, said.data)
        elif comes:
            self._pong(connection.pings, at, said.data)

    def _ping(self, pings: Pings, at: Mark, data: str) -> None:
        pings.sent += 1
        pings.last_sent = at
        if not pings.waiting:
            pings.stray = 0
        if len(pings.waiting) < MOST_WAITING:
            pings.waiting[data] = at

    def _pong(self, pings: Pings, at: Mark, data: str) -> None:
        asked = pings.waiting.get(data)
        if asked is None:
            pings.stray += 1
            return
        pings.answered += 1
        pings.last_answer = at
        trip = round(at.t - asked.t, 6)
        pings.total += trip
        pings.best = trip if pings.best is None else min(pings.best, trip)
        if pings.worst is None or trip > pings.worst:
            pings.worst, pings.worst_at = trip, asked
        if len(self._made.trips) < MOST_TRIPS:
            self._made.trips.append(trip)
        while pings.waiting:  # a Pong answers every earlier Ping too
            earlier, _ = pings.waiting.popitem(last=False)
            if earlier == data:
                break

    def keepalive(self, connection: Connection, at: Mark, said: KeepaliveSays) -> None:
        if said.what is Keepalive.GAVE_UP and connection.gave_up is None:
            connection.gave_up, connection.gave_up_code = at, said.code

    def nothing(self, _connection: Connection, _at: Mark, _said: object) -> None:
        pass  # other lines say the same: the frame itself, or the traceback that follows

    def failing(self, connection: Connection, at: Mark, said: Failing) -> None:
        connection.failing = connection.failing or (at, said.code, said.reason)

    def over(self, connection: Connection, at: Mark, said: Over) -> None:
        connection.over = connection.over or (at, said)

    def eof(self, connection: Connection, at: Mark, said: Eof) -> None:
        if said.way == "<":
            connection.end_of_stream = connection.end_of_stream or at

    def tcp(self, connection: Connection, at: Mark, said: TcpEnding) -> None:
        if said.how == "timed out":
            connection.tcp_wait = connection.tcp_wait or at

    def lost(self, connection: Connection, _at: Mark, said: TcpLost) -> None:
        if said.error and connection.error is None:
            connection.error = read_notice(said.error) or Notice(NoticeKind.ERROR, said.error)

    def handshake(self, connection: Connection, at: Mark, _said: HandshakeFailed) -> None:
        connection.handshake_failed = connection.handshake_failed or at


def _count(traffic: Traffic, at: Mark, said: Frame) -> None:
    traffic.messages += said.opcode != "CONT"
    traffic.size += said.size
    traffic.last = at
    if said.opcode == "TEXT":
        traffic.words = said.data


_TAKE: dict[type, Callable[..., Any]] = {
    StateChange: TimelineBuilder.state,
    Request: TimelineBuilder.request,
    Response: TimelineBuilder.response,
    HeaderLine: TimelineBuilder.header,
    Body: TimelineBuilder.body,
    Frame: TimelineBuilder.frame,
    KeepaliveSays: TimelineBuilder.keepalive,
    StrayPong: TimelineBuilder.nothing,
    Failing: TimelineBuilder.failing,
    Eof: TimelineBuilder.eof,
    TcpEnding: TimelineBuilder.tcp,
    TcpLost: TimelineBuilder.lost,
    Over: TimelineBuilder.over,
    HandshakeFailed: TimelineBuilder.handshake,
    Mishap: TimelineBuilder.nothing,
    Notice: TimelineBuilder.explain,
}
