"""Which runs are made again, and what is left of those that were made when something ends all of it."""

from collections.abc import Callable, Iterable, Sequence
from errno import ENOENT, ENOSPC
from pathlib import Path

import pytest

from chaos.commands.making import AGAIN_AT_MOST, Made, make_all
from chaos.judging.verdicts import Verdict
from chaos.reports.results import RunResult
from chaos.runner import Plan, WorkerDiedError
from tests.chaos.histories import scenario

Hear = Callable[[int, RunResult], None]


def plans(*seeds: int) -> list[Plan]:
    return [Plan(scenario(), "toxiproxy", seed, 10.0, Path()) for seed in seeds]


def result(seed: int, verdict: Verdict = "pass", *, in_doubt: bool = False) -> RunResult:
    measures = {"wall_s": 1.0}
    return RunResult(
        scenario="steady", engine="toxiproxy", client="tracker", seed=seed, verdict=verdict, checks=(),
        measures=measures, record="", in_doubt=in_doubt,
    )  # fmt: skip


class Machine:
    """Makes runs: those of the given seeds are in doubt so often."""

    def __init__(self, doubts: dict[int, int], stops: BaseException | None = None) -> None:
        self.doubts = dict(doubts)
        self.stops = stops
        self.asked: list[tuple[list[int], int | None]] = []

    def __call__(self, chosen: Sequence[Plan], _: object, *, jobs: int | None, done: Hear) -> None:
        self.asked.append(([plan.seed for plan in chosen], jobs))
        for place, plan in reversed(list(enumerate(chosen))):  # they end in another order
            left = self.doubts.get(plan.seed, 0)
            self.doubts[plan.seed] = left - 1
            done(place, result(plan.seed, "unknown" if left > 0 else "pass", in_doubt=left > 0))
            if self.stops is not None and plan.seed == 1:
                raise self.stops


def made(machine: Machine, seeds: Iterable[int] = (0, 1, 2)) -> tuple[Made, list[int]]:
    told: list[int] = []
    return make_all(plans(*seeds), jobs=4, done=lambda r: told.append(r.seed), make=machine), told


def test_what_the_machine_spoilt_is_made_again_when_all_others_have_ended_one_at_a_time() -> None:
    machine = Machine({0: 1, 2: 2})
    all_made, told = made(machine)
    assert machine.asked == [([0, 1, 2], 4), ([0, 2], 1), ([2], 1)]
    assert [(r.seed, r.verdict, r.again) for r in all_made.results] == [
        (0, "pass", 1),
        (1, "pass", 0),
        (2, "pass", 2),
    ]
    assert told == [1, 0, 2]  # each once, when it is certain
    all_made.require_all()


def test_it_is_unknown_where_the_machine_never_comes_to_rest() -> None:
    machine = Machine({1: 99})
    all_made, told = made(machine)
    assert len(machine.asked) == AGAIN_AT_MOST + 1
    assert all_made.results[1].verdict == "unknown"
    assert told.count(1) == 1


@pytest.mark.parametrize(
    "stops", [KeyboardInterrupt(), WorkerDiedError("it is gone"), OSError(ENOSPC, "No space left on device")]
)
def test_what_ends_it_early_loses_nothing_that_was_made(stops: BaseException, tmp_path: Path) -> None:
    stopped, _ = made(Machine({}, stops))
    assert [r.seed for r in stopped.results] == [1, 2]
    assert stopped.records_are_in == "2 of 3 runs were made: records in"
    stopped.write(tmp_path)
    assert (tmp_path / "results.json").stat().st_size
    with pytest.raises(type(stops)):
        stopped.require_all()


def test_another_error_of_the_system_is_nobodys_result() -> None:
    with pytest.raises(FileNotFoundError):
        made(Machine({}, OSError(ENOENT, "No such file")))
