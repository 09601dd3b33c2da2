"""All runs of a command: what the machine spoilt is made again, and what ends it early loses none that was made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaos.reports.results import RunResult, document
from chaos.runner import Plan, WorkerDiedError, perform
from chaos.workers import perform_all
from simulator.atomic import replacing
from tracker.full_disk import is_full

AGAIN_AT_MOST = 2
"""How often a run is made anew whose machine stood still, or was too slow, so that it proves nothing."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of the plans."""

    by_plan: Mapping[int, RunResult]
    """The results, by the numbers of their plans."""
    planned: int
    ended_by: BaseException | None = None
    """What ended it before all were made: an interrupt, a worker that died, a full disk; None: all were."""

    @property
    def results(self) -> list[RunResult]:
        """In the order of the plans."""
        return [self.by_plan[number] for number in sorted(self.by_plan)]

    def write(self, folder: Path) -> None:
        """The results into `folder`, whole or not at all."""
        with replacing(folder / "results.json") as file:
            file.write(document(self.results))

    @property
    def records_are_in(self) -> str:
        """The beginning of the line that names the folder."""
        part = "" if self.ended_by is None else f"{len(self.by_plan)} of {self.planned} runs were made: "
        return f"{part}records in"

    def require_all(self) -> None:
        """Raises what ended it early."""
        if self.ended_by is not None:
            raise self.ended_by


def make_all(
    plans: Sequence[Plan],
    *,
    jobs: int | None,
    done: Callable[[RunResult], None],
    make: Callable[..., object] = perform_all,
) -> Made:
    """Make all of them, `jobs` at a time; `done` hears of each once it is certain. `make` is for tests.

    Those in doubt come again when all others have ended, one at a time, so that nothing of ours keeps them waiting.
    """
    made: dict[int, RunResult] = {}

    def keep(numbers: Sequence[int], again: int) -> Callable[[int, RunResult], None]:
        def hear(place: int, result: RunResult) -> None:
            kept = made[numbers[place]] = msgspec.structs.replace(result, again=again)
            if not kept.in_doubt or again == AGAIN_AT_MOST:
                done(kept)

        return hear

    numbers = list(range(len(plans)))
    try:
        for again in range(AGAIN_AT_MOST + 1):
            chosen = [plans[number] for number in numbers]
            make(chosen, perform, jobs=1 if again else jobs, done=keep(numbers, again))
            numbers = [number for number, result in sorted(made.items()) if result.in_doubt]
            if not numbers:
                break
    except (KeyboardInterrupt, WorkerDiedError) as early:
        return Made(made, len(plans), early)
    except OSError as error:
        if not is_full(error):
            raise
        return Made(made, len(plans), error)
    return Made(made, len(plans))
