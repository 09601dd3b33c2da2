"""From what was asked for to the runs to be made, and from a run back to what asks for it."""

import shlex
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.commands.planning import chosen_engines, chosen_scenarios, make_plans
from chaos.commands.shard import shard
from chaos.commands.usage import UsageError
from chaos.runner import Plan

MINE = 'name = "{name}"\nabout = "-"\nstresses = ["no-loss"]\nduration = "9s"\n'


def plans(*names: str, client: str = "tracker", time_scale: float | None = 10.0) -> list[Plan]:
    return make_plans(
        chosen_scenarios(names),
        ["sim", "toxiproxy"],
        range(3, 5),
        client=client,
        time_scale=time_scale,
        folder=Path("runs"),
    )


def test_without_a_name_it_is_the_whole_catalogue_in_its_order() -> None:
    assert tuple(chosen_scenarios([])) == catalogue.names()


def test_an_empty_address_names_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.commands.planning.find_server", lambda _: None)
    monkeypatch.setenv("TOXIPROXY_URL", "")
    assert chosen_engines("auto", None) == ["sim"]


def test_a_scenario_asked_for_twice_is_run_once() -> None:
    assert list(chosen_scenarios(["reset", "steady", "reset"])) == ["reset", "steady"]


def test_two_different_scenarios_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    mine = tmp_path / "reset.toml"
    mine.write_text(MINE.format(name="reset"))
    with pytest.raises(UsageError, match="two different scenarios are named 'reset'"):
        chosen_scenarios(["reset", str(mine)])


def test_every_scenario_runs_with_every_seed_on_every_engine_that_can_run_it() -> None:
    made = [(plan.scenario.name, plan.seed, plan.engine) for plan in plans("steady", "blocked-loop")]
    assert made == [
        ("steady", 3, "sim"),
        ("steady", 3, "toxiproxy"),
        ("steady", 4, "sim"),
        ("steady", 4, "toxiproxy"),
        ("blocked-loop", 3, "sim"),
        ("blocked-loop", 4, "sim"),
    ]


def test_the_shards_of_the_catalogue_are_the_catalogue() -> None:
    everything = plans()
    shared = [plan for number in (1, 2, 3) for plan in shard(everything, f"{number}/3")]
    assert len(shared) == len(everything)
    assert {plan.record for plan in shared} == {plan.record for plan in everything}


# The command line of a run


def command_line(*, scale: float = 10.0, client: str = "tracker", name: str = "reset", place: int = 0) -> str:
    return plans(name, client=client, time_scale=scale)[place].command_line


def test_a_command_line_names_the_scenario_the_engine_and_the_seed() -> None:
    assert command_line() == "simtool chaos reset --engine sim --seed 3"
    assert command_line(place=3) == "simtool chaos reset --engine toxiproxy --seed 4"


def test_a_file_stays_the_file_that_it_was(tmp_path: Path) -> None:
    mine = tmp_path / "my own" / "mine.toml"
    mine.parent.mkdir()
    mine.write_text(MINE.format(name="mine"))
    words = shlex.split(command_line(name=str(mine)))
    assert words[:3] == ["simtool", "chaos", str(mine)]


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("incident-after", ["--client", "incident-after"]),
        ("my.module:relay", ["--client", "my.module:relay"]),
        ("$ node 'my relay.mjs' {input} $HOME", ["--command", "node 'my relay.mjs' {input} $HOME"]),
    ],
)
def test_a_client_is_quoted_so_that_a_shell_hands_it_on_as_it_is(client: str, words: list[str]) -> None:
    assert shlex.split(command_line(client=client))[5:7] == words


def test_the_time_scale_is_named_where_it_matters_and_is_not_the_default() -> None:
    assert command_line(scale=2.5, place=1).endswith("--seed 3 --time-scale 2.5")
    assert "--time-scale" not in command_line(scale=2.5)  # virtual time has none
    assert "--time-scale" not in command_line(place=1)
    assert command_line(place=1, client="$ true").endswith("--time-scale 10")
    assert "--time-scale" not in command_line(place=1, client="$ true", scale=1.0)


@pytest.mark.parametrize(
    ("client", "scale"),
    [("tracker", 10.0), ("incident-after", 10.0), ("examples.relay:relay", 1.0), ("$ true", 1.0)],
)
def test_a_client_whose_own_durations_nobody_scales_runs_in_true_time(client: str, scale: float) -> None:
    assert {plan.time_scale for plan in plans("steady", client=client, time_scale=None)} == {scale}


def test_a_program_that_is_said_to_scale_itself_runs_as_fast_as_the_tracker() -> None:
    (plan,) = make_plans(
        chosen_scenarios(["steady"]),
        ["toxiproxy"],
        [0],
        client="$ true",
        time_scale=None,
        folder=Path("runs"),
        scales_itself=True,
    )
    assert plan.time_scale == 10.0
    assert plan.command_line.endswith("--seed 0 --scales-itself")
