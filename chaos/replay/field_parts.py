"""A field trace judged in parts, so that the longest takes no more memory than a short one.                    pure"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.history import HistoryEvent
from chaos.judging.verdicts import Check, Judgement, worst
from tracker import events

MOST = 200_000
"""Events of a part, half an hour at 30 fps: it ends with the next moment in which nothing waits for a confirm."""
AT_MOST = 2 * MOST
"""Events of a part without any such moment."""
SUMMED = ("delivered", "repeated", "displaced", "lost")
GREATEST = ("detect_s", "longest_silence_s")


@dataclass(frozen=True, slots=True)
class Part:
    """Events that follow one another, after those of the connections that were open when they began."""

    events: tuple[HistoryEvent, ...]
    carried: int = 0
    """How many of them are an earlier part's."""


def parts(found: Iterable[HistoryEvent], *, most: int = MOST) -> Iterator[Part]:
    """All of a trace, at least one part."""
    held: list[HistoryEvent] = []
    opened: dict[str, events.Connected] = {}
    carried = left = 0
    for event in found:
        held.append(event)
        if isinstance(event, events.Connected):
            opened[event.link] = event
        elif isinstance(event, events.Closed):
            opened.pop(event.link, None)
        left = _left(left, event)
        if len(held) >= most and (not left or len(held) >= AT_MOST):
            yield Part(tuple(held), carried)
            held = list(opened.values())
            carried = len(held)
    yield Part(tuple(held), carried)


def _left(left: int, event: HistoryEvent) -> int:
    if isinstance(event, events.Accepted):
        return left + 1
    if isinstance(event, events.Confirmed):
        return event.left
    return max(0, left - 1) if isinstance(event, events.Displaced) else left


def merged(judged: Sequence[Judgement]) -> Judgement:
    """One verdict for all parts: each promise as in the worst of them, and in how many it was so."""
    if len(judged) == 1:
        return judged[0]
    by_name: dict[str, list[Check]] = {}
    for judgement in judged:
        for check in judgement.checks:
            by_name.setdefault(check.name, []).append(check)
    checks = tuple(_worst(found) for found in by_name.values())
    return Judgement.of(checks)


def _worst(found: Sequence[Check]) -> Check:
    verdict = worst(check.verdict for check in found)
    alike = [check for check in found if check.verdict == verdict]
    first = alike[0]
    told = f"{first.observed} (in {len(alike)} of {len(found)} parts of the trace; this is the first)"
    return Check(first.name, verdict, first.expected, told)


def merged_measures(of_parts: Sequence[dict[str, Any]], *, carried: int) -> dict[str, Any]:
    """The figures of all parts; `carried` connections were counted in more than one."""
    total = dict(of_parts[-1])
    for names, together in ((SUMMED, sum), (GREATEST, max)):
        for name in names:
            known = [measures[name] for measures in of_parts if measures[name] is not None]
            total[name] = together(known) if known else None
    total["connections"] = sum(measures["connections"] for measures in of_parts) - carried
    return total
