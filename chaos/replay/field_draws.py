"""The back-offs that were drawn in the field, drawn again: chance is no difference between field and replay."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from random import Random

from chaos.timeline.observed import Observed
from tracker.config import Timing


def ceiling_of(attempt: int, timing: Timing) -> float:
    """The longest delay that the back-off before attempt `attempt` could have drawn."""
    return min(timing.reconnect_cap, timing.reconnect_delay * 2.0 ** min(max(attempt - 1, 0), 60))


def shares(seen: Observed, timing: Timing) -> dict[str, tuple[float, ...]]:
    """For each link, where in its range from 0 to the ceiling each delay fell, from 0 to 1, in order."""
    return {
        name: tuple(min(1.0, draw.delay / ceiling_of(draw.attempt, timing)) for draw in record.draws)
        for name, record in seen.links.items()
    }


def ceilings(seen: Observed, timing: Timing) -> dict[tuple[str, float], float]:
    """By link and time, the most that each back-off could have lasted."""
    return {
        (name, draw.t): ceiling_of(draw.attempt, timing)
        for name, record in seen.links.items()
        for draw in record.draws
    }


class FieldDraws(Random):
    """A tracker's generator whose back-offs fall where those of the field fell, for as long as there are any.

    A share of the range is kept, not a number of seconds, so that another configuration draws from its own range.
    """

    def __init__(self, seed: str, drawn: Mapping[str, Iterable[float]]) -> None:
        super().__init__(seed)
        self._drawn = {link: deque(shares) for link, shares in drawn.items()}

    def uniform(self, a: float, b: float) -> float:
        """See `Random.uniform`; what a link's task asks for is a back-off."""
        task = asyncio.current_task()
        # A link's keeper is the one task that draws, and it bears the link's name.
        drawn = self._drawn.get(task.get_name().removesuffix(" link")) if task is not None else None
        return a + (b - a) * drawn.popleft() if drawn else super().uniform(a, b)
