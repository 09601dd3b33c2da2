"""From a command line to the runs to be made."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import typer

from chaos import catalogue
from chaos.adaptation import NotForThisClient, adapted, not_judged, profile_for
from chaos.commands.usage import UsageError
from chaos.engines import toxiproxy
from chaos.history import Role
from chaos.kernel import faults as kernel_faults
from chaos.kernel import machine
from chaos.kernel.machine import KernelMissing
from chaos.runner import TRUE_TIME, Plan, Speech, default_time_scale
from chaos.scenario import Scenario, UnsuitablePreset, on_preset
from chaos.toxiproxy.install import ToxiproxyMissing, find_server
from chaos.workloads import require_runnable

ENGINES = ("auto", "sim", "toxiproxy", "kernel", "all")

_abilities = lru_cache(maxsize=1)(machine.abilities)  # the kernel stays the same while we run

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
    float | None,
    typer.Option(
        "--time-scale",
        help="Through Toxiproxy, scenario seconds that pass in one second (0.1 to 20). 10 without; 1 for a client that"
        " does not scale itself.",
    ),
]
ScalesItselfOption = Annotated[
    bool,
    typer.Option(
        "--scales-itself", help="The --command divides its own delays and time-outs by SIMTOOL_TIME_SCALE."
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
KeepOption = Annotated[
    int,
    typer.Option(
        "--keep", min=1, help="How many folders stay in runs/, the newest; --report's is left alone."
    ),
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
    """The engines to run on. `auto` takes what is there and says what is not; to name one is to insist.

    Raises `UsageError`, `ToxiproxyMissing`, `KernelMissing`.
    """
    if asked not in ENGINES:
        raise UsageError(f"--engine is {asked!r}: choose one of {', '.join(ENGINES)}")
    if asked == "kernel":
        _abilities()
        return ["kernel"]
    if real_sockets_only is not None:
        if asked in ("sim", "all"):
            raise UsageError(
                f"the client cannot run on virtual time: {real_sockets_only}: use --engine toxiproxy, or kernel"
            )
        asked = "toxiproxy"
    if asked == "sim":
        return ["sim"]
    if not toxiproxy_is_there():
        hint = "get it with `simtool toxiproxy install`, or name one in TOXIPROXY_SERVER"
        if asked != "auto":
            raise ToxiproxyMissing(f"--engine {asked} needs toxiproxy-server, and none was found: {hint}")
        _say(f"the runs through Toxiproxy; no toxiproxy-server was found: {hint}")
        return ["sim"]
    if asked == "toxiproxy":
        return ["toxiproxy"]
    return ["sim", "toxiproxy", *(_kernel_if_it_can() if asked == "all" else [])]


def _kernel_if_it_can() -> list[str]:
    try:
        _abilities()
    except KernelMissing as error:
        _say(f"the kernel engine: {error}")
        return []
    return ["kernel"]


def _say(what: str) -> None:
    typer.echo(f"simtool: left out: {what}", err=True)


def toxiproxy_is_there() -> bool:
    """Whether there is a server to run through. Raises `ToxiproxyMissing` where the one that was named is not."""
    return bool(os.environ.get("TOXIPROXY_URL")) or find_server(os.environ) is not None


def why_left_out(scenario: Scenario, engine: str) -> str | None:
    """Why the scenario cannot be run on this engine of this machine; None: it can."""
    if engine == "sim" or scenario.sim_only is not None:
        return None if engine == "sim" else scenario.sim_only
    network = scenario.network
    faults = (*scenario.faults, *(() if network is None else network.faults(scenario.duration, 0)))
    reasons = (
        kernel_faults.why_not(fault, _abilities()) if engine == "kernel" else toxiproxy.why_not(fault)
        for fault in faults
    )
    return next((why for why in reasons if why is not None), None)


def say_what_is_left_out(scenarios: Iterable[Scenario], engines: Sequence[str], asked: str) -> None:
    """A line for each reason, with the scenarios and the engines that it concerns; `asked` is what named the engines."""
    if asked == "auto":
        _say("the kernel engine, whose runs take as long as they say: --engine all has it")
    left_out: dict[str, dict[str, list[str]]] = {}
    for scenario in scenarios:
        for engine in engines:
            if (why := why_left_out(scenario, engine)) is not None:
                left_out.setdefault(why, {}).setdefault(scenario.name, []).append(engine)
    for why, found in left_out.items():
        on = dict.fromkeys(engine for concerned in found.values() for engine in concerned)
        _say(f"{', '.join(found)} on {' and '.join(on)}: {why}")


def require_time_scale(time_scale: float | None) -> None:
    """Raises `UsageError` where one that was asked for would not tell much."""
    if time_scale is not None and not 0.1 <= time_scale <= 20:
        raise UsageError(
            f"--time-scale is {time_scale:g}: take 0.1 to 20; above that, this machine's own delays would be judged"
        )


def for_client(
    scenarios: Mapping[str, Scenario], role: Role, speech: Speech | None
) -> tuple[dict[str, Scenario], dict[str, str]]:
    """The scenarios as they are run against such a client, and of those that are left out the names and why."""
    if role == "tracker":
        return dict(scenarios), {}
    profile = profile_for(role, None if speech is None else speech.profile)
    if speech is not None and (unjudged := not_judged(profile)):
        typer.echo(f"simtool: not judged: {'; '.join(unjudged)}", err=True)
    found: dict[str, Scenario] = {}
    left_out: dict[str, str] = {}
    for asked, scenario in scenarios.items():
        try:
            found[asked] = adapted(scenario, profile)
        except NotForThisClient as why:
            left_out[scenario.name] = str(why)
    return found, left_out


def say_what_says_nothing(left_out: Mapping[str, str]) -> None:
    """A line for each reason for which scenarios are left out for a client."""
    together: dict[str, list[str]] = {}
    for name, why in left_out.items():
        together.setdefault(why, []).append(name)
    for why, names in together.items():
        _say(f"{', '.join(names)}: {why}")


def make_plans(
    scenarios: Mapping[str, Scenario],
    engines: Sequence[str],
    seeds: Sequence[int],
    *,
    client: str,
    time_scale: float | None,
    folder: Path,
    speech: Speech | None = None,
    scales_itself: bool = False,
) -> list[Plan]:
    """Every scenario with every seed on every engine that can run it; the scenarios by how they were asked for.

    Without a time scale the client decides about it. Raises `ClientError`.
    """
    if time_scale is None:
        time_scale = default_time_scale(client, scales_itself=scales_itself)
    scales = {"kernel": TRUE_TIME}
    return [
        Plan(
            scenario,
            engine,
            seed,
            scales.get(engine, time_scale),
            folder,
            client,
            asked,
            scales_itself=scales_itself,
            speech=speech,
        )
        for asked, scenario in scenarios.items()
        for seed in seeds
        for engine in engines
        if why_left_out(scenario, engine) is None
    ]
