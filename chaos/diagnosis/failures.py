"""What an attempt or a connection ended of, by type. The one place where an exception's words are read.           pure

A trace keeps of an exception what it said; nothing after this file decides by words.
"""

from enum import StrEnum

from chaos.timeline.observed import Attempt, Closed


class AttemptFailure(StrEnum):
    """Why an attempt came to no connection."""

    STATUS = "an HTTP status"
    NOBODY_THERE = "nobody there"
    TIMED_OUT = "timed out"
    BROKEN_OFF = "broken off"


class StreamEnd(StrEnum):
    """How TCP ended, where no close frame came."""

    RESET = "reset"
    ENDED = "ended"


_NOBODY_THERE = (
    "errno 111",
    "refused",
    "connect call failed",
    "errno 61",
    "unreachable",
    "no route",
    "name or service",
)
_TIMED_OUT = ("timed out", "timeouterror")


def failure_of(attempt: Attempt) -> AttemptFailure:
    """Of one that failed. What names neither an absent peer nor a time-out broke off on the way."""
    words = attempt.why.lower()
    if attempt.status is not None:
        return AttemptFailure.STATUS
    if any(mark in words for mark in _NOBODY_THERE):
        return AttemptFailure.NOBODY_THERE
    if any(mark in words for mark in _TIMED_OUT):
        return AttemptFailure.TIMED_OUT
    return AttemptFailure.BROKEN_OFF


def stream_end_of(closed: Closed) -> StreamEnd:
    """Of a connection that the network ended."""
    return StreamEnd.RESET if "reset" in closed.why.lower() else StreamEnd.ENDED
