"""The times in which nothing was written, or nothing came: this side stood still, or what it talks to.                 pure"""

from statistics import median

from chaos.timeline.model import Connection, Mark, Silence, Standstill, Timeline
from chaos.traces.wire import DATA, Frame, Response

LONG_PAUSE = 3.0
"""Seconds without any line after which it is asked whether this side stood still; without anything that came, whether the
other side did."""
AT_ONCE = 0.1
"""Seconds within which a burst is read."""
BURST = 3
"""Messages read at once that are a burst."""
FULL = 0.5
"""The share of what usually comes in that time, from which a burst holds what was sent meanwhile: who sends was running."""
WAITED = 1.0
"""Seconds that a Ping or a request waited, from which a silence is more than a pause."""
MOST = 1000


class Pauses:
    """Takes the lines in their order, each before it is taken into the timeline."""

    def __init__(self, made: Timeline, live: dict[int, Connection]) -> None:
        self._made = made
        self._live = live
        self._last: Mark | None = None
        self._open: tuple[Mark, Mark, int, bool] | None = (
            None  # begin, end, Pings due, whether something came until then
        )
        self._burst = 0
        self._overdue_at_end = 0.0
        self._gaps: list[float] = []  # between messages that came, as usual
        self._heard: Mark | None = None
        self._silence: tuple[Mark, Mark, int] | None = None  # begin, end, requests that waited
        self._answered: set[int] = set()
        self._waiting: set[int] = set()

    def look(self, at: Mark, said: object, connection: int | None) -> None:
        """One more line; `connection` is whose it is."""
        last, self._last = self._last, at
        if last is None:
            return
        if self._open is not None and at.t > self._open[1].t + AT_ONCE:
            self._settle()
        if at.t - last.t >= LONG_PAUSE:
            self._settle()
            self._open = last, at, self._due(last, at), self._came_until(last)
            self._overdue_at_end = self._overdue(last, at)
        comes = isinstance(said, Frame) and said.way == "<" and said.opcode in DATA
        if self._open is not None:
            self._burst += comes
        elif comes and len(self._gaps) < 1000:
            heard = self._live.get(connection or 0)
            if heard is not None and heard.received.last is not None:
                self._gaps.append(at.t - heard.received.last.t)
        if isinstance(said, Frame | Response) and said.way == "<" and connection is not None:
            self._hear(at, connection)

    def finish(self) -> None:
        """Nothing comes after."""
        self._settle()
        self._end_of_silence()

    # This side

    def _settle(self) -> None:
        if self._open is None:
            return
        begin, end, due, came_until = self._open
        usual = median(self._gaps) if self._gaps else None
        lasted = end.t - begin.t
        came_at_once = usual is not None and self._burst >= max(BURST, FULL * lasted / max(usual, 0.001))
        # What had stopped coming before, had another reason.
        overdue = self._overdue_at_end
        still = (
            due or overdue or (came_at_once and came_until and usual is not None and lasted > BURST * usual)
        )
        if still and len(self._made.standstills) < MOST:
            burst = self._burst if self._burst >= BURST else 0
            self._made.standstills.append(Standstill(begin, end, burst, due, overdue))
        self._open, self._burst = None, 0

    def _came_until(self, last: Mark) -> bool:
        """Whether the other side was heard as usual until then."""
        if not self._gaps or self._heard is None:
            return False
        return last.t - self._heard.t <= BURST * median(self._gaps) + AT_ONCE

    def _overdue(self, begin: Mark, end: Mark) -> float:
        """Seconds for which a Ping was not given up that should have been while nothing was written."""
        timeout = self._made.ping_timeout
        if timeout is None:
            return 0.0
        worst = 0.0
        for connection in self._live.values():
            oldest = next(iter(connection.pings.waiting.values()), None)
            if connection.opened is None or connection.ended is not None or oldest is None:
                continue
            late = end.t - oldest.t - timeout
            if late > max(1.0, timeout / 4) and oldest.t + timeout >= begin.t:
                worst = max(worst, late)
        return worst

    def _due(self, begin: Mark, end: Mark) -> int:
        """Pings of any open connection that its interval asked for, and that did not leave."""
        interval = self._made.ping_interval
        if interval is None or end.t - begin.t < interval:
            return 0
        due = 0
        for connection in self._live.values():
            pings = connection.pings
            if connection.opened is None or connection.ended is not None or pings.waiting or not pings.sent:
                continue
            since = max(mark.t for mark in (connection.opened, pings.last_sent, pings.last_answer) if mark)
            late = end.t - since - interval
            if late > max(1.0, interval / 4):
                due = max(due, 1 + int(late / interval))
        return due

    # The other side

    def _hear(self, at: Mark, connection: int) -> None:
        before, self._heard = self._heard, at
        if self._silence is not None and at.t > self._silence[1].t + AT_ONCE:
            self._end_of_silence()
        if before is not None and at.t - before.t >= LONG_PAUSE and self._made.side == "client":
            requests = {c.number for c in self._live.values() if _request_waits(c, at)}
            pings = {c.number for c in self._live.values() if _ping_waits(c, at)}
            if requests or pings:
                self._waiting = requests | pings
                self._silence, self._answered = (before, at, len(requests)), set()
        if self._silence is not None and connection in self._waiting:
            self._answered.add(connection)

    def _end_of_silence(self) -> None:
        if self._silence is None:
            return
        begin, end, requests = self._silence
        self._silence = None
        # One connection alone may have a path of its own.
        if len(self._answered) > 1 and self._answered == self._waiting and len(self._made.silences) < MOST:
            self._made.silences.append(Silence(begin, end, tuple(sorted(self._answered)), requests))


def _ping_waits(c: Connection, at: Mark) -> bool:
    oldest = next(iter(c.pings.waiting.values()), None)
    return c.opened is not None and c.ended is None and oldest is not None and at.t - oldest.t >= WAITED


def _request_waits(c: Connection, at: Mark) -> bool:
    waits = c.requested is not None and c.answered is None and c.ended is None
    return waits and c.requested is not None and at.t - c.requested.t >= WAITED
