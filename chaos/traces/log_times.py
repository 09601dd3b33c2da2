"""The time in the prefix of a log's line, in whatever form a logging format writes it.                              pure"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

DAY = 86_400.0
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
"""No log is older: a date before it is that of a clock which nobody had set."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

_DATE_TIME = re.compile(
    r"(?<!\d)(\d{4})[-/.](\d\d)[-/.](\d\d)[ T_]+(\d\d):(\d\d):(\d\d)(?:[.,:](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d\b)?"
)
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})([./-])(\d{1,2}|[A-Z][a-z]{2})\2(\d{4})[ :,T]+(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"(?: ?([AP]M))?(?: ([+-]\d{4}))?"
)
_TIME = re.compile(r"(?<![\d:])(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?([AP]M))?(?!\d)")
_EPOCH = re.compile(r"(?<![\d.,])(\d{9,10})(?:[.,](\d{1,9}))?(?![\d.])")
_EPOCH_SMALL = re.compile(
    r"(?<![\d.,])([12]\d{12}(?:\d{3}|\d{6})?)(?:\.\d+)?(?![\d.])"
)  # milli-, micro-, nanoseconds
_SINCE_START = re.compile(
    r"\[ *(\d{1,9}\.\d{3,9})\]"
)  # of the machine or the program; only the first in a line
_LEADING = 100  # characters
_BEGINS_WITH_TIME = re.compile(
    r"[^\w\[]{0,4}(?:(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL|TRACE)\b[\s:|,/-]*)?(?:\d|\[|[A-Z][a-z]{2} +\d)"
)
"""A time may stand behind a mark or a level."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Time(NamedTuple):
    """A moment, and where in the text it stood."""

    moment: float
    """Seconds: since 1970 where there is a date, else of the day."""
    dated: bool
    begin: int
    end: int
    absurd: bool = False
    """A date that no log can have: only what passes between two of them means something."""


def find_time(text: str) -> Time | None:
    """The first time in a prefix."""
    if found := _DATE_TIME.search(text):
        return _year_first(found)
    if found := _DAY_FIRST.search(text):
        day, month = found[1], found[3]
        if month.isdecimal() and (found[2] == "/" or int(month) > 12):
            day, month = month, day  # as in 11/23/2026
        elif not month.isdecimal():
            known = month.lower() in _MONTHS
            month = str(_MONTHS.index(month.lower()) + 1) if known else "0"
        hour = str(_hour(int(found[5]), found[9]))
        return _dated(found, (found[4], month, day, hour, found[6], found[7]), found[8], found[10])
    if found := _TIME.search(text):
        hours = _hour(int(found[1]), found[5])
        seconds = hours * 3600 + int(found[2]) * 60 + int(found[3]) + _fraction(found[4])
        return Time(seconds, False, found.start(), found.end())
    if (found := _EPOCH_SMALL.search(text)) and (whole := number_as_time(int(found[1]))) is not None:
        return whole._replace(begin=found.start(), end=found.end())
    if (found := _EPOCH.search(text)) and EARLIEST <= int(found[1]) < LATEST:
        return Time(int(found[1]) + _fraction(found[2]), True, found.start(), found.end())
    found = _SINCE_START.match(text)
    return Time(float(found[1]), False, found.start(), found.end()) if found else None


def leading_time(text: str) -> Time | None:
    """The time of a line that is not the library's, if it begins with one."""
    return find_time(text[:_LEADING]) if _BEGINS_WITH_TIME.match(text) else None


def number_as_time(value: float) -> Time | None:
    """A number in a field named like a time: seconds, milli-, micro- or nanoseconds since 1970."""
    for unit in (1.0, 1e3, 1e6, 1e9):
        if EARLIEST <= value / unit < LATEST:
            return Time(value / unit, True, 0, 0)
    return None


def _dated(found: re.Match[str], parts: tuple[str, ...], fraction: str | None, zone: str | None) -> Time:
    """Of year, month, day, hour, minute and second."""
    whole = _since_1970(parts)
    begin, end = found.start(), found.end()
    if whole is None:  # a day that no calendar has: the time of the day is still one
        seconds = int(parts[3]) * 3600 + int(parts[4]) * 60 + int(parts[5]) + _fraction(fraction)
        return Time(seconds, False, begin, end, absurd=True)
    absurd = not EARLIEST <= whole < LATEST
    return Time(whole - _offset(zone) + _fraction(fraction), True, begin, end, absurd)


def _year_first(found: re.Match[str]) -> Time:
    begin, end = found.span()
    whole = _whole_seconds(found.string[begin : found.end(6)])
    if whole is not None and found[8] is None:  # as nearly all are
        return Time(whole + _fraction(found[7]), True, begin, end, whole < EARLIEST)
    return _dated(found, found.group(1, 2, 3, 4, 5, 6), found[7], found[8])


@lru_cache(maxsize=64)
def _whole_seconds(text: str) -> float | None:
    """Since 1970, of `2026-05-11 06:30:00`; None: no log is so new, or no calendar has the day."""
    whole = _since_1970((text[:4], text[5:7], text[8:10], text[-8:-6], text[-5:-3], text[-2:]))
    return None if whole is None or whole >= LATEST else whole


def _since_1970(parts: tuple[str, ...]) -> float | None:
    year, month, day, hour, minute, second = map(int, parts)
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half == "PM" else 0)


def _fraction(digits: str | None) -> float:
    return float(f"0.{digits}") if digits else 0.0
