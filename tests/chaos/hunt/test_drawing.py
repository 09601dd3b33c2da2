"""Random worlds: fair, valid, and the same for the same seed."""

from dataclasses import replace
from pathlib import Path

from chaos.hunt.drawing import MOST_FAULTS, NAME, Taste, draw
from chaos.hunt.fair import unfair
from chaos.kinds import KINDS
from chaos.scenario_reading import parse
from chaos.scenario_writing import write

WORLDS = [draw(f"test/{number}") for number in range(400)]


def test_a_seed_draws_the_same_world_each_time_and_another_seed_another() -> None:
    assert draw("a") == draw("a")
    assert draw("a") != draw("b")


def test_each_world_is_fair_and_its_file_says_all_of_it() -> None:
    for world in WORLDS:
        assert unfair(world) is None
        assert parse(write(world), Path(f"{NAME}.toml")) == world


def test_most_worlds_have_a_fault_and_none_too_many() -> None:
    with_some = [world for world in WORLDS if world.faults]
    assert len(with_some) > 0.9 * len(WORLDS)
    assert max(len(world.faults) for world in WORLDS) == MOST_FAULTS


def test_every_kind_comes_up_but_few_in_one_world() -> None:
    assert {fault.kind for world in WORLDS for fault in world.faults} == set(KINDS)
    assert max(len({fault.kind for fault in world.faults}) for world in WORLDS) <= 5


def test_only_the_kinds_that_were_asked_for_are_drawn() -> None:
    for number in range(50):
        assert {fault.kind for fault in draw(f"{number}", kinds=("down", "echo")).faults} <= {"down", "echo"}


def test_what_was_met_often_is_drawn_less() -> None:
    often = Taste({kind: 10_000 for kind in KINDS if kind != "down"})
    with_it, without = (
        sum(fault.kind == "down" for number in range(100) for fault in draw(f"{number}", taste).faults)
        for taste in (often, Taste({}))
    )
    assert with_it > 5 * without


def test_settings_workloads_resets_and_controls_are_drawn_too() -> None:
    assert {world.client.overflow for world in WORLDS} == {None, "block"}
    assert {world.client.confirm for world in WORLDS} == {None, "ack"}
    assert {name for world in WORLDS for name in world.client.outbox} >= {"messages", "window_messages"}
    assert any(world.workload.reset_at for world in WORLDS)
    assert any(world.controls for world in WORLDS)
    assert len({world.workload.fps for world in WORLDS}) == 3


def test_a_world_lasts_no_longer_than_its_faults_and_the_quiet_after_them() -> None:
    for world in filter(lambda world: world.faults, WORLDS):
        shorter = replace(world, duration=world.duration - 3)
        assert unfair(shorter) is not None
