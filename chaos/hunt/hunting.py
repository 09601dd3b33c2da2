"""The search itself: worlds in rounds, what broke in them made small, each thing told once.

A round's draws lean to what the rounds before it met least, and results count in the order of the worlds' numbers, however
many workers made them: the same seed and number of runs give the same findings on any crew.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from chaos.hunt.crew import Crew
from chaos.hunt.drawing import Taste
from chaos.hunt.findings import Finding, with_one_more
from chaos.hunt.reached import Reached
from chaos.hunt.shrinking import MOST_RUNS
from chaos.hunt.trials import Batch, Outcome, Quarry, Small, ToShrink, shrink_world, try_worlds

ROUND = 40
"""Worlds between two looks at what was met."""
BATCH = 4
"""Worlds for a worker at once."""
WAVE = 4
"""Worlds that are shrunk at once. However many workers there are: what the first of them show may explain the others."""
MOST_OF_A_PROMISE = 3
"""Findings of one promise. Who breaks it in three ways is to mend these, and to hunt again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a hunt ends."""

    runs: int | None = None
    """Worlds; None: as many as the time allows."""
    time_is_up: Callable[[], bool] = lambda: False
    most_runs: int = MOST_RUNS
    """Of shrinking one finding."""


@dataclass(slots=True)
class Hunt:
    """What a hunt has come to, while it goes on and afterwards."""

    findings: list[Finding] = field(default_factory=list)
    reached: Reached = field(default_factory=Reached)
    runs: int = 0
    """Worlds that were run."""
    passed_over: int = 0
    """Worlds that were none for such a client."""
    not_steady: int = 0
    """Worlds whose run never became steady, so that nothing was learned; `why_not_steady` says why of the first."""
    why_not_steady: str = ""
    lost: list[int] = field(default_factory=list)
    """Numbers of the worlds over which a worker died, or whose shrinking ended so."""
    shrinking_runs: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    """In how many runs each promise was judged."""
    more: Counter[str] = field(default_factory=Counter)
    """Worlds that broke a promise in yet another way, after `MOST_OF_A_PROMISE` findings of it."""
    not_shrunk: list[tuple[int, str]] = field(default_factory=list)
    """Worlds and promises that they broke, for which no time was left."""
    next_number: int = 0
    interrupted: bool = False


class Hunter:
    """Hunts until a limit is reached. `state` is what it goes on from, and changes meanwhile; `tell` hears of each step."""

    def __init__(
        self,
        quarry: Quarry,
        crew: Crew,
        limits: Limits,
        state: Hunt,
        *,
        tell: Callable[[Hunt], None] = lambda _: None,
    ) -> None:
        self._quarry = quarry
        self._crew = crew
        self._limits = limits
        self._state = state
        self._tell = tell

    def hunt(self) -> Hunt:
        """To its end. A KeyboardInterrupt ends it early, with what there is."""
        state, runs = self._state, self._limits.runs
        end = None if runs is None else state.next_number + runs
        try:
            while not self._limits.time_is_up() and (end is None or state.next_number < end):
                last = state.next_number + ROUND
                self._follow_up(
                    self._round(range(state.next_number, last if end is None else min(last, end)))
                )
        except KeyboardInterrupt:
            state.interrupted = True
        return state

    def _round(self, numbers: range) -> list[Outcome]:
        """Run these worlds; what came of each, in their order."""
        state = self._state
        taste = Taste(state.reached.of("kinds"))
        found: list[Outcome] = []
        died = self._run_all([Batch(self._quarry, chosen, taste) for chosen in _in_batches(numbers)], found)
        # Over which of its worlds a worker died, is seen when each comes alone.
        again = [Batch(self._quarry, (number,), taste) for batch in died for number in batch.numbers]
        state.lost += [number for batch in self._run_all(again, found) for number in batch.numbers]
        state.next_number = numbers.stop
        found.sort(key=lambda outcome: outcome.number)
        for outcome in found:
            state.reached = state.reached.and_one(outcome.places)
            state.judged.update(outcome.judged)
            if not outcome.steady:
                state.not_steady += 1
                state.why_not_steady = state.why_not_steady or outcome.why_not
        return found

    def _run_all(self, batches: list[Batch], found: list[Outcome]) -> list[Batch]:
        """Adds what came of them to `found`; returns those over which a worker died."""
        died = []
        with closing(self._crew.perform(try_worlds, batches)) as results:
            for place, outcomes in results:
                if outcomes is None:
                    died.append(batches[place])
                    continue
                found += outcomes
                self._state.runs += len(outcomes)
                self._state.passed_over += len(batches[place].numbers) - len(outcomes)
                self._tell(self._state)
                if self._limits.time_is_up():
                    break
        return died

    def _follow_up(self, outcomes: list[Outcome]) -> None:
        """Shrink what broke, a few worlds at a time, and let each finding explain what it can of the rest."""
        while outcomes:
            wave, outcomes = self._next_wave(outcomes)
            small: dict[int, list[Small]] = {}
            for place, result in self._crew.perform(shrink_world, wave):
                if result is None:
                    self._state.lost.append(wave[place].number)
                else:
                    small[place] = result
                self._tell(self._state)
            for place in sorted(small):
                for each in small[place]:
                    self._state.shrinking_runs += each.shrunk.runs
                    self._state.findings = with_one_more(self._state.findings, _finding(wave[place], each))
            self._tell(self._state)

    def _next_wave(self, outcomes: list[Outcome]) -> tuple[list[ToShrink], list[Outcome]]:
        """What to shrink now, and what to look at when that is known."""
        state = self._state
        wave: list[ToShrink] = []
        for place, outcome in enumerate(outcomes):
            if len(wave) == WAVE:
                return wave, outcomes[place:]
            new = tuple(each.promise for each in outcome.broken if not self._known(outcome, each.promise))
            if new and self._limits.time_is_up() and state.findings:
                state.not_shrunk += [(outcome.number, promise) for promise in new]
            elif new:
                wave.append(
                    ToShrink(self._quarry, outcome.number, outcome.scenario, new, self._limits.most_runs)
                )
        return wave, []

    def _known(self, outcome: Outcome, promise: str) -> bool:
        """Whether a finding explains it, or there are enough of this promise: then it is counted, and not looked into."""
        state = self._state
        for place, known in enumerate(state.findings):
            if known.explains(promise, outcome.scenario):
                state.findings[place] = replace(known, sightings=known.sightings + 1)
                return True
        if sum(known.promise == promise for known in state.findings) >= MOST_OF_A_PROMISE:
            state.more[promise] += 1
            return True
        return False


def _in_batches(numbers: range) -> Iterator[tuple[int, ...]]:
    for place in range(0, len(numbers), BATCH):
        yield tuple(numbers[place : place + BATCH])


def _finding(work: ToShrink, small: Small) -> Finding:
    shrunk = small.shrunk
    return Finding(
        small.promise,
        small.observed,
        work.number,
        shrunk.scenario,
        len(work.scenario.faults),
        shrunk.runs,
        shrunk.minimal,
    )
