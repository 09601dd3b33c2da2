"""How long a refusal asks the client to stay away: the header `Retry-After` (RFC 9110, section 10.2.3).     pure"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_asked(retry_after: str, date: str) -> float | None:
    """Seconds from now; 0 for a date that is over; None where the header says nothing that can be understood.

    A date is counted from the answer's own `Date`, so by the server's clock: nobody knows how far ours is from it. Without
    one, or with one that is none, it says nothing. Never raises.
    """
    asked = retry_after.strip()
    if asked.isascii() and asked.isdecimal():
        return float(asked)
    until, now = _time(asked), _time(date)
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _time(date: str) -> datetime | None:
    """Of any of the three forms of an HTTP date (section 5.6.7); all of them are in UTC."""
    try:
        time = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
