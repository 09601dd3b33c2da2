"""What a connection carries, counted from one report to the next.                                            pure"""

from tracker.events import Carried, LinkName


class Meter:
    """Counts for one connection. Times are seconds of the loop's clock, sizes are bytes since it opened."""

    def __init__(self, link: LinkName, connection: int) -> None:
        self._link = link
        self._connection = connection
        self.messages = 0
        """Messages read."""
        self.unasked = 0
        """Those of them that nobody asked for."""
        self._held = 0.0
        self._held_since: float | None = None
        self._reported = (0, 0, 0, 0)
        self._reported_held = 0.0

    def hold(self, now: float) -> None:
        """From now on the connection is not read, on purpose."""
        self._held_since = now

    def resume(self, now: float) -> None:
        """It is read again."""
        if self._held_since is not None:
            self._held += now - self._held_since
            self._held_since = None

    def report(self, now: float, *, received: int, flushed: int, buffered: int) -> Carried:
        """All since the report before. `flushed` may fall short of an earlier one: that counts as nothing."""
        totals = (received, max(flushed, self._reported[1]), self.messages, self.unasked)
        held = self._held + (0.0 if self._held_since is None else now - self._held_since)
        before, held_before = self._reported, self._reported_held
        self._reported, self._reported_held = totals, held
        return Carried(
            t=now,
            link=self._link,
            connection=self._connection,
            received=totals[0] - before[0],
            sent=totals[1] - before[1],
            buffered=buffered,
            messages=totals[2] - before[2],
            unasked=totals[3] - before[3],
            held=held - held_before,
        )
