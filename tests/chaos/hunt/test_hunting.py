"""The search itself, over worlds that are run."""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from chaos.hunt.crew import Alone, Crew, processes
from chaos.hunt.hunting import Hunt, Hunter, Limits
from chaos.hunt.trials import Quarry
from chaos.kinds import KINDS

pytestmark = pytest.mark.scenarios

FEW = ("stall", "down", "echo")


def hunted(client: str, crew: Crew, runs: int = 8, seed: int = 0, **limits: Any) -> Hunt:
    quarry = Quarry(client, seed, kinds=FEW)
    return Hunter(quarry, crew, Limits(runs, **limits), Hunt()).hunt()


def signatures(hunt: Hunt) -> list[tuple[object, ...]]:
    return [(finding.signature, finding.number, finding.runs, finding.sightings) for finding in hunt.findings]


class Backwards:
    """Does its work in another order, as workers do whose runs take unequal time."""

    size = 3

    def perform(
        self, work: Callable[[Any], Any], items: Sequence[Any]
    ) -> Generator[tuple[int, Any], None, None]:
        for number in reversed(range(len(items))):
            yield number, work(items[number])


def test_a_tracker_without_its_requeue_is_found_to_lose() -> None:
    hunt = hunted("tests.chaos.ablations:no_requeue", Alone())
    lost = [finding for finding in hunt.findings if finding.promise == "no-loss"]
    assert lost
    assert len(lost[0].scenario.faults) == 1
    assert lost[0].minimal


def test_the_same_seed_finds_the_same_in_whatever_order_workers_answer() -> None:
    one, other = (
        hunted("tests.chaos.ablations:no_requeue", crew, runs=6, most_runs=8)
        for crew in (Alone(), Backwards())
    )
    assert one.findings
    assert signatures(one) == signatures(other)
    assert one.reached == other.reached


def test_of_a_hunt_that_found_nothing_it_is_known_where_it_has_been() -> None:
    hunt = hunted("tracker", Alone(), runs=6)
    assert hunt.findings == []
    assert (hunt.runs, hunt.not_steady) == (6, 0)
    assert hunt.judged["no-loss"] == 6
    assert set(hunt.reached.of("kinds")) <= set(KINDS)


def test_a_hunt_whose_time_is_up_ends_with_what_it_has() -> None:
    answers = iter([False, False, True])
    hunt = hunted("tracker", Alone(), runs=400, time_is_up=lambda: next(answers, True))
    assert 0 < hunt.runs < 400


class Interrupted(Alone):
    """The user has seen enough."""

    def perform(
        self, work: Callable[[Any], Any], items: Sequence[Any]
    ) -> Generator[tuple[int, Any], None, None]:
        yield 0, work(items[0])
        raise KeyboardInterrupt


def test_an_interrupt_ends_it_with_what_there_is() -> None:
    hunt = hunted("tracker", Interrupted(), runs=40)
    assert hunt.interrupted
    assert hunt.runs == 4


def half_of_them_kill(number: int) -> int:
    if number % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 10


def test_a_worker_that_dies_loses_its_work_and_no_other() -> None:
    with processes(2) as crew:
        answers = dict(crew.perform(half_of_them_kill, range(6)))
    assert answers == {0: 0, 1: None, 2: 20, 3: None, 4: 40, 5: None}


class Deadly(Alone):
    """A worker dies over world 5, alone or in company."""

    def perform(
        self, work: Callable[[Any], Any], items: Sequence[Any]
    ) -> Generator[tuple[int, Any], None, None]:
        for number, item in enumerate(items):
            yield number, None if 5 in getattr(item, "numbers", ()) else work(item)


def test_the_world_over_which_a_worker_died_is_named_and_the_others_are_run() -> None:
    hunt = hunted("tracker", Deadly(), runs=8)
    assert hunt.lost == [5]
    assert hunt.runs == 7
