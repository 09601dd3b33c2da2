"""Durations as people write them, "250ms", "60s", "2m", "1h", to and from seconds.                          pure"""

import re
from decimal import Decimal

LONGEST = 1_000_000_000
"""Seconds, some thirty years. Longer is a slip of the pen."""

NUDGE = 1e-9
"""Seconds: a half that a float holds from below is rounded up all the same."""

_UNITS = {"h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}
_WRITTEN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")


class DurationError(ValueError):
    """Not a duration; the text says what was read and how to write one."""


def parse_duration(value: object) -> float:
    """Seconds, from "1.5s" (units ms, s, m, h) or from a plain number of seconds; from 0 to `LONGEST`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _in_range(value, value)
    if not isinstance(value, str):
        raise DurationError(
            f'{value!r} is no duration: write a number of seconds, or text such as "250ms" or "60s"'
        )
    written = _WRITTEN.fullmatch(value)
    if written is None:
        raise DurationError(
            f'{value!r} is no duration: write a number and a unit, as in "250ms", "60s", "2m" or "1h"'
        )
    number, unit = written.groups()
    # Decimal, so that "0.1ms" is the float nearest to 0.0001 and what format_duration wrote reads back exactly.
    return _in_range(Decimal(number) * _UNITS[unit], value)


def format_duration(seconds: float) -> str:
    """The form of "2h", "90s", "1.5s", "250ms" that a person would choose; it reads back as exactly `seconds`.

    The largest unit that needs no fraction is taken, else seconds, or milliseconds below one second.
    """
    exact = Decimal(repr(_in_range(seconds, seconds)))
    if exact == 0:
        return "0s"
    for unit in ("h", "m", "s"):
        if exact % _UNITS[unit] == 0:
            return f"{_plain(exact / _UNITS[unit])}{unit}"
    return f"{_plain(exact)}s" if exact >= 1 else f"{_plain(exact * 1000)}ms"


def _in_range(seconds: float | Decimal, written: object) -> float:
    if not 0 <= seconds <= LONGEST:  # NaN is not in it either
        raise DurationError(f"{written!r} is no duration: it must be from 0 to {LONGEST} seconds")
    return float(seconds)


def _plain(number: Decimal) -> str:
    """Without exponent, and without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(seconds: float) -> str:
    """A time since the begin, as in 9.5 s, 4:05.2 or 1:02:03."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{int(rest):02}" if hours else f"{minutes}:{rest:04.1f}"


def seconds_of(seconds: float) -> str:
    """A duration for a person; what is below a clock's grain is only known to be."""
    if seconds >= 120:
        return clock(seconds) + (" h" if seconds >= 3600 else " min")
    if seconds >= 1:
        return f"{seconds + NUDGE:.1f} s"
    if seconds < 0.001:
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
