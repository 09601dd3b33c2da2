"""Causes read off the words of an exception: the one place where that is done.                                   pure

A tracker reports typed causes. Traces written before it did, and logs, hold only what an exception said.
"""

from tracker.events import RefusalCause, StreamEnd

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


def refusal_cause_by_words(why: str, status: int | None) -> RefusalCause:
    """Of an attempt that failed. What names neither an absent peer nor a time-out broke off on the way."""
    words = why.lower()
    if status is not None:
        return RefusalCause.STATUS
    if any(mark in words for mark in _NOBODY_THERE):
        return RefusalCause.NOBODY_THERE
    if any(mark in words for mark in _TIMED_OUT):
        return RefusalCause.TIMED_OUT
    return RefusalCause.BROKEN_OFF


def stream_end_by_words(why: str) -> StreamEnd:
    """Of a connection that the network ended."""
    return StreamEnd.RESET if "reset" in why.lower() else StreamEnd.ENDED
