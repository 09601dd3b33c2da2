"""How often like lines are said: the first at once, then the newest with the number of the others.         pure

Lines are alike that agree in kind and content. The first begins a quiet period of 10 s; what comes within it is
withheld and counted. If there was anything, the newest of it is said when the period ends, with the count, and the next
period is twice as long, up to ten minutes. A period in which nothing came forgets that there was such a line.

Somebody who can make each line different makes `MOST_CONTENTS` of a kind at a time; all others of that kind are
counted as one content of their own.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

FIRST_PERIOD = 10.0
"""Seconds."""
LONGEST_PERIOD = 600.0
MOST_CONTENTS = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Withheld(Generic[T]):
    """What was not said in a quiet period that is over: the newest line, and how many there were with it."""

    newest: T
    count: int
    seconds: float
    """Since the last such line."""
    various: bool
    """They differ from one another in content."""


@dataclass(slots=True)
class _Silence(Generic[T]):
    since: float
    period: float
    newest: T | None = None
    count: int = 0

    @property
    def until(self) -> float:
        return self.since + self.period


_VARIOUS = "various"


class Quiet(Generic[T]):
    """Decides which lines are said. Moments are seconds of one clock."""

    def __init__(self) -> None:
        self._silences: dict[str, dict[Hashable, _Silence[T]]] = {}
        self._next_end = float("inf")

    def offer(self, now: float, kind: str, content: Hashable, line: T) -> bool:
        """Whether `line` is to be said now; if not, it is counted."""
        silences = self._silences.setdefault(kind, {})
        key: Hashable = (content,)
        if key not in silences and (_VARIOUS in silences or len(silences) >= MOST_CONTENTS):
            key = _VARIOUS
        silence = silences.get(key)
        if silence is None:
            silences[key] = _Silence(now, FIRST_PERIOD)
            self._next_end = min(self._next_end, now + FIRST_PERIOD)
            return key is not _VARIOUS or self._withhold(silences[key], line)
        return self._withhold(silence, line)

    def _withhold(self, silence: _Silence[T], line: T) -> bool:
        silence.newest = line
        silence.count += 1
        return False

    def overdue(self, now: float) -> list[Withheld[T]]:
        """What was withheld in quiet periods that are over, and is to be said now."""
        if now < self._next_end:
            return []
        said = []
        for silences in self._silences.values():
            for key, silence in tuple(silences.items()):
                if now < silence.until:
                    continue
                if silence.newest is None:
                    del silences[key]
                    continue
                said.append(_told(silence, now, various=key is _VARIOUS))
                silences[key] = _Silence(now, min(2 * silence.period, LONGEST_PERIOD))
        self._silences = {kind: silences for kind, silences in self._silences.items() if silences}
        self._next_end = min(
            (silence.until for silences in self._silences.values() for silence in silences.values()),
            default=float("inf"),
        )
        return said

    def rest(self, now: float) -> list[Withheld[T]]:
        """All that is withheld, at the end of everything."""
        said = [
            _told(silence, now, various=key is _VARIOUS)
            for silences in self._silences.values()
            for key, silence in silences.items()
            if silence.newest is not None
        ]
        self._silences.clear()
        self._next_end = float("inf")
        return said


def _told(silence: _Silence[T], now: float, *, various: bool) -> Withheld[T]:
    assert silence.newest is not None, "only a silence in which something was withheld is told"
    return Withheld(silence.newest, silence.count, now - silence.since, various)
