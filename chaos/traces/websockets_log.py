"""The DEBUG log of a client made with the `websockets` library, read as a tracker's events.                  pure

The log names frames, states and time-outs, but neither links nor, as a rule, connections. Which endpoint is the
output is decided by what is sent there, in a survey of the whole log before it is read; which connection a line
is of, in `chaos/traces/log_connections.py`.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator

from chaos.traces.log_connections import Connection, Connections
from chaos.traces.log_lines import DAY, LogLine, read_line
from chaos.traces.log_survey import Survey
from chaos.traces.problems import Problems
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


class _Reader:
    """Follows the connections of one log, line by line."""

    def __init__(self, surveyed: Survey, problems: Problems) -> None:
        self._links = surveyed.links()
        self._marked = surveyed.marks_keepalive
        self._timed = True
        self._problems = problems
        self._all = Connections(surveyed.link_of, problems)
        self._failures: Counter[LinkName] = Counter()
        self._probes: Counter[LinkName] = Counter()
        self._seq = 0
        self._sent: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._zero: float | None = None
        self._ping: LogLine | None = None  # whose, is said by whether the keepalive's own line follows
        self._announced = False  # old versions say so before the Ping
        self._days = 0.0
        self._refused: LinkName | None = None
        self._waits: float | None = None  # announced, and not told yet: in old versions a traceback says why
        self._exception = ""  # the last that a traceback in the log ended with

    @property
    def _now(self) -> float:
        return self._all.now

    def read(self, line: LogLine, number: int) -> Iterator[AnyEvent]:
        yield from self._say_waiting("")
        if self._ping is not None:
            yield from self._pinged(self._ping, kept_alive=line.keepalive == "sent" or not self._marked)
            self._ping = None
        self._tick(line, number)
        for connection in self._all.live:
            if connection.opened is not None and self._now - connection.reported >= REPORT_EVERY:
                yield self._carried(connection)
        yield from self._told(line)

    def _told(self, line: LogLine) -> Iterator[AnyEvent]:
        m = line.message
        if m["to"]:
            yield from self._state(line)
        elif m["opcode"]:
            yield from self._frame(line)
        elif m["keepalive"]:
            self._announced = line.keepalive == "sending"
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
        if self._ping is not None:
            yield from self._pinged(self._ping, kept_alive=not self._marked)
        if not self._timed:
            self._problems.add("the log has no times: the order of what happened is known, and no duration")
        for connection in self._all.live:
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
        self._all.now = max(round(now, 6), self._now)

    # Lines

    def _state(self, line: LogLine) -> Iterator[AnyEvent]:
        match line.message["to"]:
            case "CONNECTING":
                self._all.begin(line)
            case "OPEN":
                pending = (
                    self._all.in_handshake(line, asked=True, answered=True)
                    or self._all.in_handshake(line)
                    or self._all.begin(line)
                )
                self._failures[pending.link] = 0
                self._all.open(pending)
                yield events.Connected(
                    t=self._now,
                    link=pending.link,
                    connection=pending.number,
                    took=round(self._now - pending.began, 6),
                )
            case "CLOSING":
                self._all.the(line, lambda c: c.close is not None, lambda c: not c.closing).closing = True
            case "CLOSED":
                yield from self._closed(line)

    def _request(self, line: LogLine) -> Iterator[AnyEvent]:
        pending = self._all.in_handshake(line, asked=False, answered=False) or self._all.begin(line)
        pending.endpoint = line.message["path"]
        pending.link = self._links.get(pending.endpoint, "output")
        yield events.Connecting(t=pending.began, link=pending.link, attempt=self._failures[pending.link] + 1)

    def _response(self, line: LogLine) -> Iterator[AnyEvent]:
        pending = self._all.in_handshake(line, asked=True, answered=False)
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
            up = {c.link for c in self._all.live}
            known = list(dict.fromkeys(self._links.values())) or ["output"]
            link = next((name for name in known if name not in up), known[0])
            yield events.Connecting(t=self._now, link=link, attempt=self._failures[link] + 1)
            yield from self._refuse(link, why)
        self._refused = None
        yield events.Waiting(t=self._now, link=link, delay=delay)

    def _timed_out(self, line: LogLine) -> Iterator[AnyEvent]:
        if "pong" not in line.message["timeout"]:
            return
        connection = self._all.timed_out(line)
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
        if self._all.in_handshake(line) is not None and not any(
            c.opened is not None for c in self._all.of_name(line)
        ):
            return  # an attempt: its refusal is said already, or will be
        connection = self._all.the(line, lambda c: c.closing, lambda c: c.close is None)
        connection.close = connection.close or (code, by, why)

    def _closed(self, line: LogLine) -> Iterator[AnyEvent]:
        mine = self._all.of_name(line)
        pending = self._all.in_handshake(line)
        ending = [c for c in mine if c.close is not None or c.closing]
        if pending is not None and not ending:
            self._all.live.remove(pending)
            if pending.status in (None, 101):
                yield from self._refuse(pending.link, self._exception or "closed during the handshake")
            self._exception = ""
            return
        connection = self._all.the(
            line, lambda c: c.said and c.told, lambda c: c.close is not None, lambda c: c.closing
        )
        code, by, why = connection.close or (1006, "network", "closed without a close frame")
        if by == "network" and self._exception:
            why = self._exception
        self._exception = ""
        self._all.live.remove(connection)
        self._refused = None
        yield self._carried(connection)
        yield events.Closed(
            t=self._now, link=connection.link, connection=connection.number, code=code, by=by, why=why
        )

    def _carried(self, c: Connection) -> events.Carried:
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
            if self._announced:
                yield from self._pinged(line, kept_alive=True)
                self._announced = False
            else:
                self._ping = line
        elif opcode == "PONG" and not sends:
            yield from self._pong(line)
        elif opcode == "CLOSE":
            self._close(line)
        elif opcode in ("TEXT", "BINARY", "CONT"):
            yield from self._message_sent(line) if sends else self._message(line)
        else:  # the peer's Ping and our answer
            self._count_bytes(self._all.the(line, lambda c: c.close is None), line)

    def _count_bytes(self, connection: Connection, line: LogLine) -> None:
        size = line.size + 2
        if line.message["way"] == ">":
            connection.sent += size
        else:
            connection.received += size
            connection.heard = self._now

    def _message_sent(self, line: LogLine) -> Iterator[AnyEvent]:
        connection = self._all.the(line, lambda c: c.link == "output", lambda c: not c.closing)
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
        connection = self._all.the(line, lambda c: c.link == at, lambda c: not c.closing)
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

    def _pinged(self, line: LogLine, *, kept_alive: bool) -> Iterator[AnyEvent]:
        if kept_alive:
            connection = self._all.keepalive_of(line)
            connection.kept_alive.add(line.data)
            self._all.pinged(connection)
        else:  # the program around the library pings too
            connection = self._all.the(line, lambda c: c.link == "output", lambda c: not c.closing)
        self._count_bytes(connection, line)
        self._probes[connection.link] += 1
        number = self._probes[connection.link]
        connection.pings[line.data] = (number, self._now)
        yield events.Probed(t=self._now, link=connection.link, number=number)

    def _pong(self, line: LogLine) -> Iterator[AnyEvent]:
        connection = next((c for c in self._all.of_name(line) if line.data in c.pings), None)
        if connection is None:
            self._problems.add("{n} Pongs answer no Ping in the log")
            return
        self._count_bytes(connection, line)
        number, left = connection.pings[line.data]
        while connection.pings:  # a Pong answers all Pings before its own too
            data, _ = connection.pings.popitem(last=False)
            connection.kept_alive.discard(data)
            if data == line.data:
                break
        yield events.Answered(
            t=self._now, link=connection.link, number=number, rtt=round(self._now - left, 6)
        )

    def _close(self, line: LogLine) -> None:
        found = re.match(r"(\d{4})(?: \([^)]*\))? ?(.*)", line.data)
        code, why = (int(found[1]), found[2]) if found else (1005, "")
        if line.message["way"] == ">":
            # After the peer's Close, or after a time-out, ours is due; else it comes of the blue.
            connection = self._all.the(
                line, lambda c: not c.said, lambda c: c.close is not None, lambda c: c.closing
            )
            connection.said = True
            by: events.Ender = "tracker"
        else:
            # What is not read, because its messages pile up, takes in no Close either.
            newest = max((c.heard for c in self._all.of_name(line)), default=0.0)
            connection = self._all.the(
                line, lambda c: not c.told, lambda c: c.said, lambda c: c.closing, lambda c: c.heard == newest
            )
            connection.told = True
            by = "peer"
        if connection.close is None or connection.close[0] == 1006:
            connection.close = (code, by, why)
