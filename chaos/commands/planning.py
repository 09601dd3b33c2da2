"""From a command line to the runs to be made."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from chaos import catalogue
from chaos.commands.usage import UsageError
from chaos.life import require_runnable
from chaos.runner import Plan
from chaos.scenario import Scenario, UnsuitablePreset, on_preset
from chaos.toxiproxy.install import ToxiproxyMissing, find_server

ENGINES = ("auto", "sim", "toxiproxy", "all")

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME|FILE]...", help="Scenarios; all of the catalogue without."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="The first seed.")]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, from the first on.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Runs side by side; as many as the machine bears without.")
]
TimeScaleOption = Annotated[
    float,
    typer.Option(
        "--time-scale", help="On real sockets, scenario seconds that pass in one second (0.1 to 20)."
    ),
]
JsonOption = Annotated[
    str | None, typer.Option("--json", help="Write the results to this file; - is stdout.")
]
JunitOption = Annotated[
    str | None, typer.Option("--junit", help="Write the results to this file as JUnit XML; - is stdout.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", help="Where the records go; without, runs/<time>, and runs/latest leads there."),
]


def chosen_scenarios(names: Sequence[str]) -> dict[str, Scenario]:
    """Each scenario once, by how it was asked for and in that order; the whole catalogue where none is.

    Raises `ScenarioError`, `UsageError`.
    """
    found: dict[str, tuple[str, Scenario]] = {}
    for asked in names or catalogue.names():
        scenario = catalogue.find(asked)
        require_runnable(scenario)
        if found.setdefault(scenario.name, (asked, scenario))[1] != scenario:
            raise UsageError(f"two different scenarios are named {scenario.name!r}: rename one of the files")
    return dict(found.values())


def on_network(scenarios: Mapping[str, Scenario], preset: str | None) -> dict[str, Scenario]:
    """Those that go with the preset, on it; it is said of the others why they do not. Raises `ScenarioError`."""
    if preset is None:
        return dict(scenarios)
    found = {}
    for asked, scenario in scenarios.items():
        try:
            found[asked] = on_preset(scenario, preset)
        except UnsuitablePreset as error:
            typer.echo(f"simtool: left out: {error}", err=True)
    return found


def chosen_engines(asked: str, real_sockets_only: str | None) -> list[str]:
    """The engines to run on. `auto` takes what is there and says what is not; to ask for Toxiproxy is to insist."""
    if asked not in ENGINES:
        raise UsageError(f"--engine is {asked!r}: choose one of {', '.join(ENGINES)}")
    if real_sockets_only is not None:
        if asked in ("sim", "all"):
            raise UsageError(
                f"the client cannot run on virtual time: {real_sockets_only}: use --engine toxiproxy"
            )
        asked = "toxiproxy"
    if asked == "sim":
        return ["sim"]
    if not toxiproxy_is_there():
        hint = "get it with `simtool toxiproxy install`, or name one in TOXIPROXY_SERVER"
        if asked != "auto":
            raise ToxiproxyMissing(f"--engine {asked} needs toxiproxy-server, and none was found: {hint}")
        typer.echo(
            f"simtool: left out: the runs on real sockets; no toxiproxy-server was found: {hint}", err=True
        )
        return ["sim"]
    return ["toxiproxy"] if asked == "toxiproxy" else ["sim", "toxiproxy"]


def toxiproxy_is_there() -> bool:
    """Whether there is a server to run through. Raises `ToxiproxyMissing` where the one that was named is not."""
    return bool(os.environ.get("TOXIPROXY_URL")) or find_server(os.environ) is not None


def say_what_is_only_simulated(scenarios: Iterable[Scenario], engines: Sequence[str]) -> None:
    if "toxiproxy" in engines:
        for scenario in scenarios:
            if scenario.sim_only is not None:
                typer.echo(
                    f"simtool: left out: {scenario.name} on real sockets: {scenario.sim_only}", err=True
                )


def require_time_scale(time_scale: float) -> None:
    """Raises `UsageError` where it would not tell much."""
    if not 0.1 <= time_scale <= 20:
        raise UsageError(
            f"--time-scale is {time_scale:g}: take 0.1 to 20; above that, this machine's own delays would be judged"
        )


def make_plans(
    scenarios: Mapping[str, Scenario],
    engines: Sequence[str],
    seeds: Sequence[int],
    *,
    client: str,
    time_scale: float,
    folder: Path,
) -> list[Plan]:
    """Every scenario with every seed on every engine that can run it; the scenarios by how they were asked for."""
    return [
        Plan(scenario, engine, seed, time_scale, folder, client, asked)
        for asked, scenario in scenarios.items()
        for seed in seeds
        for engine in engines
        if engine == "sim" or scenario.sim_only is None
    ]
