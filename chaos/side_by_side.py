"""Which runs begin next: as many side by side as the machine bears.                                          pure

A run on virtual time takes a whole core. One on real sockets mostly waits, and takes about a third of a core; more than
that many would keep each other waiting, and a client would be blamed for it.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple


class Limits(NamedTuple):
    """How many runs there may be at once: of either sort, and in all."""

    virtual: float
    real: float
    total: float = inf


def limits(cores: int, jobs: int | None, *, virtual: bool, real: bool, true_time: bool = False) -> Limits:
    """For runs of these sorts, on so many cores; those on real sockets in true time mostly wait. `jobs` is what a user asked for in all, whatever the sorts."""
    if jobs is not None:
        return Limits(jobs if virtual else 0, jobs if real else 0, jobs)
    if not real:
        return Limits(cores, 0)
    # Three on real sockets take a core; where there are simulations too, they get the other half of the machine.
    most_real = limits_of_waiting(cores, None).real if true_time else max(1, 3 * cores // 2)
    return Limits(max(1, cores // 2) if virtual else 0, most_real)


def limits_of_waiting(cores: int, jobs: int | None) -> Limits:
    """For runs in true time, with none of another sort on real sockets beside them: one takes some 7 % of a core."""
    return Limits(0, 4 * cores if jobs is None else jobs)


class Run(NamedTuple):
    """What decides when a run begins."""

    number: int
    virtual: bool
    lasts: float
    """Scenario seconds."""


class Waiting:
    """Runs that have not begun. The longest of a sort begins first, so that none is left alone at the end."""

    def __init__(self, runs: Iterable[Run], most: Limits) -> None:
        self._most = most
        waiting = sorted(runs, key=lambda run: run.lasts)
        self._waiting: dict[bool, list[Run]] = {
            virtual: [run for run in waiting if run.virtual is virtual] for virtual in (False, True)
        }
        self._under_way: dict[int, Run] = {}

    def begin(self) -> Sequence[int]:
        """The numbers of those that may begin now, and from now on count as under way."""
        begun = []
        for virtual, most in ((False, self._most.real), (True, self._most.virtual)):
            waiting = self._waiting[virtual]
            while waiting and len(self._under_way) < self._most.total and self._count(virtual) < most:
                run = waiting.pop()
                self._under_way[run.number] = run
                begun.append(run.number)
        return begun

    def ended(self, number: int) -> None:
        """That one is no longer under way."""
        del self._under_way[number]

    def _count(self, virtual: bool) -> int:  # noqa: FBT001 - it is the sort
        return sum(run.virtual is virtual for run in self._under_way.values())
