"""The time of each line of a log, as seconds from its first: over midnight, and where a clock was set back.           pure"""

from chaos.traces.log_times import DAY, Time
from chaos.traces.problems import Problems

_BACK = 0.001  # seconds by which a time may go back, and be rounding


class LogClock:
    """Goes on from line to line; what has no time is as of the line before."""

    def __init__(self, problems: Problems) -> None:
        self.now = 0.0
        self._problems = problems
        self._zero: float | None = None
        self._days = 0.0
        self._timed = self._untimed = 0

    def tick(self, time: Time | None, number: int) -> None:
        """Line `number` has this time."""
        if time is None:
            self._untimed += 1
            return
        self._timed += 1
        if self._zero is None:
            self._zero = time.moment
        now = time.moment - self._zero + self._days
        if not time.dated and now < self.now - DAY / 2:
            self._days += DAY  # past midnight
            now += DAY
        if now < self.now - _BACK:
            self._problems.add(
                "{n} times go back: the clock was set, or the log is not in order", f"line {number}"
            )
        self.now = max(round(now, 6), self.now)

    def finish(self, *, absurd: bool) -> None:
        """Say what was wrong with the times."""
        if self._untimed and not self._timed:
            self._problems.add("the log has no times: the order of what happened is known, and no duration")
        if absurd:
            self._problems.add("its dates cannot be true: only the time between them is used")
