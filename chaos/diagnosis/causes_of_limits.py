"""A limit on the way: the same silence before each end, or the same age at each.                           pure"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from chaos.diagnosis.causes import Cause, Confidence, Finding
from chaos.diagnosis.endings import GOING, WITHOUT_CLOSE_FRAME, End, Ending
from chaos.traces.wire import Unshown

ALIKE = 0.6
"""Seconds by which two silences may differ and be one time-out's; of long ones `ALIKE_SHARE`."""
ALIKE_SHARE = 0.02
SHORTEST_LIMIT = 4.0
"""Seconds. No proxy's time-out is shorter, and anything may end soon."""
USUAL_LIMITS = (30.0, 55.0, 60.0, 90.0, 100.0, 120.0, 180.0, 300.0, 350.0, 600.0, 900.0, 3600.0)
"""Seconds. Time-outs that proxies and load balancers have by default: a single silence of one is a hint."""


def limits(endings: Sequence[Ending]) -> Iterator[Finding]:
    """The same silence before each end, or the same age at each."""
    ended = [e for e in endings if e.at is not None and _cut_off(e) and not e.connection.ambiguous]
    if not ended:
        return
    quiet = [e for e in ended if e.connection.last_frame is not None and _silence(e) >= SHORTEST_LIMIT]
    alike, usual = _most_alike(quiet, [_silence(e) for e in quiet])
    pinged = any(e.connection.pings.sent for e in alike)
    if _moments(alike) >= (3 if pinged else 2) and len(alike) >= 0.75 * len(ended):
        seen: Confidence = "possible" if any(e.what is End.NOT_SHOWN for e in alike) else "likely"
        yield _limit(Cause.IDLE_TIMEOUT, seen, alike, usual, len(ended))
        return
    if len(ended) == 1 and quiet and not pinged and _is_usual(usual):
        yield _limit(Cause.IDLE_TIMEOUT, "possible", quiet, usual, 1)
        return
    aged = [e for e in ended if (e.age or 0.0) >= 2 * SHORTEST_LIMIT]
    alike, usual = _most_alike(aged, [e.age or 0.0 for e in aged])
    if _moments(alike) >= 2 and len(alike) >= 0.75 * len(ended):
        sure: Confidence = "likely" if len(alike) >= 3 else "possible"
        yield _limit(Cause.AGE_LIMIT, sure, alike, usual, len(ended))


def _moments(endings: Sequence[Ending]) -> int:
    """At how many different times they ended: what ends in one moment has one cause, whatever its age."""
    times = sorted(ending.mark.t for ending in endings)
    return sum(b - a > ALIKE for a, b in pairwise(times)) + bool(times)


def _cut_off(ending: Ending) -> bool:
    over = ending.connection.over
    if ending.what is End.NOT_SHOWN and over is not None:
        return over[1].why is Unshown.NO_CONTROL_FRAMES  # a Ping may have gone over it that is not shown
    return ending.what in WITHOUT_CLOSE_FRAME or (ending.what is End.PEER_CLOSE and ending.code in GOING)


def _silence(ending: Ending) -> float:
    last = ending.connection.last_frame
    close = ending.connection.close_received
    if close is not None and last is not None and last.line >= close.at.line:
        marks = [m for m in (ending.connection.last_data, ending.connection.pings.last_answer) if m]
        last = max(marks, key=lambda mark: mark.line, default=None)
    if last is None or ending.at is None:
        return 0.0
    return ending.at.t - last.t


def _most_alike(endings: Sequence[Ending], values: Sequence[float]) -> tuple[list[Ending], float]:
    if not values:
        return [], 0.0
    usual = median(values)
    near = max(ALIKE, ALIKE_SHARE * usual)
    return [e for e, value in zip(endings, values, strict=True) if abs(value - usual) <= near], usual


def _is_usual(seconds: float) -> bool:
    return any(abs(seconds - usual) <= ALIKE for usual in USUAL_LIMITS)


def _limit(cause: Cause, sure: Confidence, alike: Sequence[Ending], seconds: float, of: int) -> Finding:
    at = alike[0].at
    assert at is not None, "only what ended is compared"
    return Finding(cause, sure, at, tuple(alike), seconds=seconds, count=len(alike), of=of)
