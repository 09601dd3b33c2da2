"""The smallest world that still breaks a promise, by oracles that need no run."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.hunt.drawing import draw
from chaos.hunt.fair import unfair
from chaos.hunt.shrinking import shrink, without_a_part
from chaos.kinds import KINDS
from chaos.scenario import ClientOverrides, Scenario
from tests.chaos.histories import fault

BIG = replace(
    draw("big"),
    faults=(
        fault("stall", 7.31, 3.17, "input"),
        fault("reset_peer", 9.43, 2.22, "output", direction="upstream", timeout=1234),
        fault("echo", 11.0, 2.0),
        fault("down", 14.0, 6.5, "input"),
        fault("blackhole", 21.0, 2.0, "output", toxicity=0.5),
    ),
    client=ClientOverrides(outbox={"messages": 30, "window_messages": 16}),
    duration=70.0,
)


def kinds(*wanted: str) -> Callable[[Scenario], bool]:
    """A client that breaks whenever all of these are there."""
    return lambda scenario: set(wanted) <= {fault.kind for fault in scenario.faults}


def test_what_one_fault_breaks_is_left_with_that_fault_alone() -> None:
    shrunk = shrink(BIG, kinds("echo"))
    assert [fault.kind for fault in shrunk.scenario.faults] == ["echo"]
    assert shrunk.minimal
    assert shrunk.runs <= 100


def test_what_takes_two_faults_is_left_with_both() -> None:
    shrunk = shrink(BIG, kinds("echo", "down"))
    assert sorted(fault.kind for fault in shrunk.scenario.faults) == ["down", "echo"]


def test_what_takes_no_fault_at_all_is_left_with_none() -> None:
    shrunk = shrink(BIG, lambda _: True)
    assert shrunk.scenario.faults == ()
    assert shrunk.scenario.client == ClientOverrides()
    assert shrunk.scenario.duration < 30


def test_a_setting_that_is_needed_stays_and_the_others_go() -> None:
    shrunk = shrink(BIG, lambda scenario: "messages" in scenario.client.outbox)
    assert shrunk.scenario.client.outbox == {"messages": 30}


def test_a_kind_that_does_not_matter_becomes_the_simplest() -> None:
    shrunk = shrink(BIG, lambda scenario: any(fault.on == "output" for fault in scenario.faults))
    assert [fault.kind for fault in shrunk.scenario.faults] == ["down"]


def test_times_become_short_and_round() -> None:
    shrunk = shrink(BIG, kinds("reset_peer"))
    (left,) = shrunk.scenario.faults
    assert (left.at, left.duration) == (4.0, 0.1)
    assert (left.direction, left.toxicity, left.attributes["timeout"]) == ("both", 1.0, 0)


def test_a_duration_that_is_needed_is_kept_to_the_second() -> None:
    def long_stall(scenario: Scenario) -> bool:
        return any(fault.kind == "stall" and (fault.duration or 0) >= 3.1 for fault in scenario.faults)

    (left,) = shrink(BIG, long_stall).scenario.faults
    assert left.duration == 4.0


def test_a_run_that_must_be_long_stays_long() -> None:
    shrunk = shrink(BIG, lambda scenario: scenario.duration >= 50)
    assert shrunk.scenario.faults == ()
    assert shrunk.scenario.duration >= 50


def test_with_few_runs_it_says_that_it_may_not_be_the_smallest() -> None:
    shrunk = shrink(BIG, kinds("echo", "down"), most_runs=3)
    assert shrunk.runs == 3
    assert not shrunk.minimal
    assert kinds("echo", "down")(shrunk.scenario)


def test_the_same_world_is_not_run_twice() -> None:
    asked: list[Scenario] = []

    def breaks(scenario: Scenario) -> bool:
        asked.append(scenario)
        return kinds("echo")(scenario)

    shrink(BIG, breaks)
    kept = [scenario for scenario in asked if not kinds("echo")(scenario)]
    assert all(kept.count(scenario) == 1 for scenario in kept)


@pytest.mark.parametrize("number", range(20))
def test_nothing_unfair_is_tried(number: int) -> None:
    def breaks(scenario: Scenario) -> bool:
        assert unfair(scenario) is None
        return bool(scenario.faults)

    shrink(draw(f"fair/{number}"), breaks)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sets(st.sampled_from(sorted(KINDS)), min_size=1, max_size=2))
def test_what_is_told_as_minimal_breaks_and_without_any_part_does_not(seed: int, wanted: set[str]) -> None:
    world = draw(f"minimal/{seed}")
    breaks = kinds(*wanted)
    if not breaks(world):
        return
    shrunk = shrink(world, breaks)
    assert breaks(shrunk.scenario)
    if shrunk.minimal:
        assert not any(breaks(each) and unfair(each) is None for each in without_a_part(shrunk.scenario))


def test_each_fault_control_reset_and_setting_is_a_part() -> None:
    left_out = {len(each.faults) for each in without_a_part(BIG)}
    assert left_out == {4, 5}
    outboxes = [dict(each.client.outbox) for each in without_a_part(BIG) if each.client != BIG.client]
    assert {"messages": 30} in outboxes
    assert {"window_messages": 16} in outboxes
