"""A message's timestamp, by whatever its sender counts, as epoch milliseconds.                              pure

The one reading of time, for the tracker and the laboratory alike. A number's size says what it counts, and the steps
from one message to the next must agree: what counts milliseconds from a machine's start is, after eleven days, as large
as epoch seconds are, and steps by 33 where seconds step by 0.033.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, which is as far as ISO 8601 goes."""
LARGEST_NUMBER = 4_102_444_800 * 10**9
"""Nanoseconds up to the year 2100; no larger timestamp is understood."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = 946_684_800, 4_102_444_800  # the years 2000 to 2099
_MILLISECONDS_FROM = 1e11  # 1973; less is three years since some start
_SHORTEST_MS, _LONGEST_MS = 0.5, 10_000
"""Between two frames of one climb."""
_DOUBTS = 5
"""So many steps in a row that no camera makes, and none before that one makes: the reading is wrong."""

_REMEDY = (
    "send epoch milliseconds, seconds, microseconds or nanoseconds, ISO 8601, or milliseconds since the start"
)


class UnclearTime(ValueError):
    """A timestamp that is none, or of which nobody can say what it counts; the text says why, and what to send.

    `reason` is a short stable word, fit for a counter's key.
    """

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(f"{why}: {_REMEDY}")


class Counting(Enum):
    """What a timestamp counts."""

    SECONDS = "epoch seconds"
    MILLISECONDS = "epoch milliseconds"
    MICROSECONDS = "epoch microseconds"
    NANOSECONDS = "epoch nanoseconds"
    ISO = "ISO 8601"
    SINCE_START = "milliseconds since a start"


_PER_MS = {
    Counting.SECONDS: 0.001,
    Counting.MILLISECONDS: 1,
    Counting.MICROSECONDS: 1_000,
    Counting.NANOSECONDS: 1_000_000,
    Counting.SINCE_START: 1,
}


class Clock:
    """Reads the timestamps of one sender, in the order in which they come.

    `say` is told, once for each, what they count. A reading by size alone is doubted as long as no step fits it, and
    after five steps that do not, messages are refused until one does.
    """

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._said: set[Counting] = set()
        self._certain: set[Counting] = set()
        self._usual = False
        self._long_running = False  # since a start so long ago that the numbers look like epoch seconds
        self._last: tuple[Counting, float] | None = None
        self._doubts = 0

    def look_ahead(self, values: Iterable[object]) -> None:
        """Settle what the timestamps count by the first of a recording, so that none of these is read otherwise."""
        trial = Clock()
        for value in values:
            try:
                trial.read(value)
            except UnclearTime:
                continue
        self._long_running = trial._long_running
        self._doubts = trial._doubts
        self._certain = trial._certain

    def read(self, value: object) -> float:
        """The timestamp in epoch milliseconds; a whole number of them unless its sender counts parts of one.

        Milliseconds since a start stay as they are. Raises `UnclearTime`.
        """
        if type(value) is int and self._usual and _MILLISECONDS_FROM <= value <= LAST_MS:
            return value  # by far the most, and nothing is left to find out
        counting = self._counting(value)
        ms = _from_iso(str(value)) if counting is Counting.ISO else _from_number(value, counting)
        if not 0 <= ms <= LAST_MS:
            raise UnclearTime(
                "out-of-range", f"the timestamp {_shown(value)} is no time between 1970 and 9999"
            )
        self._compare(counting, ms)
        if self._doubts >= _DOUBTS:
            if counting is not Counting.SECONDS:
                raise UnclearTime(
                    "unclear-time",
                    f"the timestamp {_shown(value)} could be {counting.value}, but steps as no camera's does: {_REMEDY}",
                )
            self._long_running, self._doubts = True, 0
            return self.read(value)
        if counting not in self._said:
            self._said.add(counting)
            self._say(_told(value, counting, ms))
        self._usual = Counting.MILLISECONDS in self._certain
        return ms

    def _counting(self, value: object) -> Counting:
        if isinstance(value, str):
            return Counting.ISO
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UnclearTime("wrong-type", f"the timestamp {_shown(value)} is neither a number nor a text")
        if _SECONDS[0] <= value < _SECONDS[1]:
            return Counting.SINCE_START if self._goes_on(value) else Counting.SECONDS
        if 0 <= value < _MILLISECONDS_FROM:
            return Counting.SINCE_START
        if _MILLISECONDS_FROM <= value <= LAST_MS:
            return Counting.MILLISECONDS
        for counting in (Counting.MICROSECONDS, Counting.NANOSECONDS):
            if _SECONDS[0] <= value / _PER_MS[counting] / 1000 < _SECONDS[1]:
                return counting
        raise UnclearTime("out-of-range", f"the timestamp {_shown(value)} is no time by any count")

    def _goes_on(self, value: float) -> bool:
        """Whether a number as large as epoch seconds follows what counts milliseconds since a start."""
        if self._last is None or self._last[0] is not Counting.SINCE_START:
            return self._long_running
        return self._long_running or abs(value - self._last[1]) <= _LONGEST_MS

    def _compare(self, counting: Counting, ms: float) -> None:
        """Doubt the reading, or be certain of it, by the step from the message before."""
        before, self._last = self._last, (counting, ms)
        if before is None or before[0] is not counting or counting in self._certain:
            self._doubts = self._doubts if counting not in self._certain else 0
            return
        step = ms - before[1]
        if _SHORTEST_MS <= step <= _LONGEST_MS:
            self._certain.add(counting)
            self._doubts = 0
        elif step > 0:
            self._doubts += 1


def _from_number(value: object, counting: Counting) -> float:
    assert isinstance(value, int | float), "its size was looked at"
    if counting in (Counting.MILLISECONDS, Counting.SINCE_START):
        return value
    return round(value * 1000) if counting is Counting.SECONDS else round(value / _PER_MS[counting])


def _from_iso(text: str) -> int:
    try:
        if "-" not in text:
            raise ValueError  # noqa: TRY301 - eight digits are a date to Python, and to nobody else
        moment = datetime.fromisoformat(text)
        # Not .timestamp(): a float of seconds is too coarse for some microseconds.
        return round(
            ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) / timedelta(milliseconds=1)
        )
    except (ValueError, OverflowError):
        raise UnclearTime("wrong-type", f"the timestamp {_shown(text)} is no time in ISO 8601") from None


def _told(value: object, counting: Counting, ms: float) -> str:
    if counting is Counting.SINCE_START:
        return f"timestamps are {counting.value} ({_shown(value)}): dates begin with 1970-01-01"
    without_offset = counting is Counting.ISO and not _has_offset(str(value))
    moment = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    zone = ", without an offset: UTC" if without_offset else ""
    return f"timestamps are {counting.value}{zone} ({_shown(value)} is {moment})"


def _has_offset(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "of many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
