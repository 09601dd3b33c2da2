"""`simtool`: the laboratory on the command line."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from chaos import catalogue, replay_command, report, results, serving, trace_commands
from chaos.clients import ClientError
from chaos.clients.choose import BUILT_IN, COMMAND, DEFAULT, load_client
from chaos.durations import format_duration
from chaos.life import CannotRunError, require_runnable
from chaos.pose_replay import CannotReplayError
from chaos.results import EXIT_INTERRUPTED, EXIT_PASS, EXIT_UNKNOWN, EXIT_USAGE, RunResult
from chaos.runner import Plan, Twice, perform, perform_all, perform_twice
from chaos.scenario import Scenario, ScenarioError
from chaos.toxiproxy_install import ToxiproxyMissing, cache_path, find_server, install
from chaos.trace_files import TraceError
from tracker.console import run_command

ENGINES = ("auto", "sim", "toxiproxy", "all")

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
toxiproxy_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The Toxiproxy server that scenarios run through."
)
app.add_typer(toxiproxy_app, name="toxiproxy")
app.command("check")(trace_commands.check)
app.command("replay")(replay_command.replay_command)


class UsageError(Exception):
    """A command line that cannot be carried out; the text is one line for whoever typed it."""


def main() -> None:
    """The console script."""
    # What ends a CI job ends us as Ctrl-C does: with our workers, and with the servers that they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    usage = (
        UsageError,
        ScenarioError,
        CannotRunError,
        ClientError,
        CannotReplayError,
        serving.CannotServeError,
        TraceError,
    )
    run_command(
        app,
        "simtool",
        mistakes={**dict.fromkeys(usage, EXIT_USAGE), ToxiproxyMissing: EXIT_UNKNOWN},
        interrupted=EXIT_INTERRUPTED,
    )


@app.callback()
def _about() -> None:
    """What does a WebSocket client do when the network misbehaves? A mock pose server, faults, checks, reports."""


@app.command("list")
def list_scenarios() -> None:
    """The catalogue, a line each."""
    scenarios = catalogue.everything()
    width = max(len(scenario.name) for scenario in scenarios)
    for scenario in scenarios:
        typer.echo(f"{scenario.name:{width}}  {format_duration(scenario.duration):>4}  {scenario.about}")


@app.command()
def chaos(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE]...", help="Scenarios; all of the catalogue without."),
    ] = None,
    *,
    engine: Annotated[
        str, typer.Option(help="auto: sim, and toxiproxy where it is found. sim, toxiproxy, all: just these.")
    ] = "auto",
    client: Annotated[
        str,
        typer.Option(
            help=f"What is under test: {', '.join(BUILT_IN)}, or module:attr, an async function of two URLs."
        ),
    ] = DEFAULT,
    command: Annotated[
        str | None,
        typer.Option(help='A program under test, as in "node client.js {input} {output}"; on real sockets.'),
    ] = None,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from the first on.")] = 1,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs side by side. [one a core]")] = None,
    time_scale: Annotated[
        float, typer.Option(help="On real sockets, scenario seconds that pass in one second (0.1 to 20).")
    ] = 10.0,
    json: Annotated[str | None, typer.Option(help="Write the results to this file; - is stdout.")] = None,
    check_determinism: Annotated[
        bool,
        typer.Option(
            "--check-determinism", help="Run each twice on sim and name the first event that differs."
        ),
    ] = False,
    report_folder: Annotated[
        Path | None,
        typer.Option("--report", help="Where the records go. [runs/<time>, and runs/latest leads there]"),
    ] = None,
) -> None:
    """Run scenarios against a client and judge its promises.

    Exit codes: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something is unknown or a
    needed part is absent, 130 interrupted.
    """
    named = _client(client, command)
    only = load_client(named).real_sockets_only
    if not 0.1 <= time_scale <= 20:
        raise UsageError(
            f"--time-scale is {time_scale:g}: take 0.1 to 20; above that, this machine's own delays would be judged"
        )
    scenarios = _scenarios(names or [])
    numbers = range(seed, seed + seeds)
    jobs = jobs or os.cpu_count() or 1
    engines = _engines("sim" if check_determinism else engine, only)
    if check_determinism:
        raise typer.Exit(
            _check_determinism(
                [Plan(s, "sim", n, 1.0, Path(), named) for s in scenarios for n in numbers], jobs
            )
        )
    if json not in (None, "-"):
        _require_writable(Path(json))
    folder = _folder(report_folder)
    _say_what_is_only_simulated(scenarios, engines)
    plans = [
        Plan(s, name, n, time_scale, folder, named)
        for s in scenarios
        for n in numbers
        for name in engines
        if name == "sim" or s.sim_only is None
    ]
    with report.Watching(report.console(stderr=True), len(plans)) as watching:
        done = perform_all(plans, perform, jobs=jobs, done=watching.done)
    _tell(done, json, folder)
    raise typer.Exit(results.exit_code(done))


def _scenarios(names: list[str]) -> list[Scenario]:
    """Each scenario once, in the order asked for; the whole catalogue where none is."""
    found: dict[str, Scenario] = {}
    for scenario in [catalogue.find(name) for name in names] or catalogue.everything():
        require_runnable(scenario)
        if found.setdefault(scenario.name, scenario) != scenario:
            raise UsageError(f"two different scenarios are named {scenario.name!r}: rename one of the files")
    return list(found.values())


def _client(client: str, command: str | None) -> str:
    """How the client is named in a plan."""
    if command is None:
        return client
    if client != DEFAULT:
        raise UsageError("--client and --command are two clients: name one of them")
    return f"{COMMAND}{command}"


def _engines(asked: str, real_sockets_only: str | None) -> list[str]:
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
    there = "TOXIPROXY_URL" in os.environ or find_server(os.environ) is not None
    if not there:
        hint = "get it with `simtool toxiproxy install`, or name one in TOXIPROXY_SERVER"
        if asked != "auto":
            raise ToxiproxyMissing(f"--engine {asked} needs toxiproxy-server, and none was found: {hint}")
        typer.echo(
            f"simtool: left out: the runs on real sockets; no toxiproxy-server was found: {hint}", err=True
        )
        return ["sim"]
    return ["toxiproxy"] if asked == "toxiproxy" else ["sim", "toxiproxy"]


def _say_what_is_only_simulated(scenarios: list[Scenario], engines: list[str]) -> None:
    if "toxiproxy" in engines:
        for scenario in scenarios:
            if scenario.sim_only is not None:
                typer.echo(
                    f"simtool: left out: {scenario.name} on real sockets: {scenario.sim_only}", err=True
                )


def _check_determinism(plans: list[Plan], jobs: int) -> int:
    out = report.console(stderr=False)
    differing = 0

    def tell(twice: Twice) -> None:
        nonlocal differing
        differing += twice.difference is not None
        outcome = (
            f"equal    {twice.digest[:16]}" if twice.difference is None else f"differs  {twice.difference}"
        )
        out.print(f"{twice.scenario:20} seed {twice.seed:<4} {outcome}", markup=False, soft_wrap=True)

    perform_all(plans, perform_twice, jobs=jobs, done=tell)
    out.print(f"{len(plans)} runs made twice, {differing} differ")
    return results.EXIT_FAIL if differing else EXIT_PASS


def _require_writable(file: Path) -> None:
    """Said before the runs are made, not after."""
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageError(
            f"cannot write --json {file}: choose a file in a folder that exists and can be written to"
        )


def _folder(chosen: Path | None) -> Path:
    try:
        if chosen is not None:
            chosen.mkdir(parents=True, exist_ok=True)
            return chosen
        runs = Path("runs")
        # The wall clock names the folder; nothing inside depends on it.
        folder = runs / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        number = 2
        while folder.exists():
            folder = folder.with_name(f"{folder.name.partition('Z')[0]}Z-{number}")
            number += 1
        folder.mkdir(parents=True)
        pointer = runs / f".latest-{os.getpid()}"
        pointer.symlink_to(folder.name)
        pointer.replace(runs / "latest")
    except OSError as error:
        raise UsageError(
            f"cannot write records to {error.filename}: {error.strerror}: name a folder with --report"
        ) from None
    return folder


def _tell(done: Sequence[RunResult], json: str | None, folder: Path) -> None:
    document = results.document(done)
    (folder / "results.json").write_bytes(document)
    out = report.console(stderr=json == "-")
    if done and done[0].client != DEFAULT:
        out.print(f"client {done[0].client}", markup=False, soft_wrap=True)
    out.print(report.table(done))
    report.explain(out, done)
    out.print(report.summary(done))
    out.print(f"records in {folder}", style="dim")
    if json == "-":
        sys.stdout.buffer.write(document)
    elif json is not None:
        try:
            Path(json).write_bytes(document)
        except OSError as error:
            raise UsageError(f"cannot write --json {json}: {error.strerror}: choose another file") from None


@app.command()
def serve(
    *,
    feed: Annotated[
        str, typer.Option(help="generated, or a recording: .jsonl, .jsonl.gz, .jsons.")
    ] = "generated",
    fps: Annotated[float, typer.Option(help="Frames per second of the generated feed.")] = 30.0,
    speed: Annotated[float, typer.Option(help="Play a recording this many times as fast.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Play a recording again and again.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend missing and unordered timestamps.")] = False,
    behaviour: Annotated[
        list[str] | None,
        typer.Option(help="ack: confirm what was processed. echo: send everything back. May be repeated."),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="Which climb is generated.")] = 0,
    files: Annotated[
        Path | None,
        typer.Option(help="Write the generated climb's wall.svg, calibration.json and route.json here."),
    ] = None,
) -> None:
    """A mock pose server: poses at /ws/pose/, a sink for session state at /ws/holds/.

    Each touch that arrives is a line on stdout; the rest is said on stderr, totals at the end.
    """
    plan = serving.ServePlan(
        feed=feed,
        fps=fps,
        speed=speed,
        loop=loop,
        repair=repair,
        behaviours=tuple(behaviour or ()),
        host=host,
        port=port,
        seed=seed,
        files=files,
    )
    asyncio.run(serving.serve(plan))


@toxiproxy_app.command("install")
def toxiproxy_install() -> None:
    """Build the pinned toxiproxy-server with Go and keep it for all checkouts of this user."""
    destination = cache_path(os.environ)
    if destination is None:
        raise UsageError("no place for the server: set HOME or XDG_CACHE_HOME")
    typer.echo(install(destination, os.environ))


@toxiproxy_app.command("path")
def toxiproxy_path() -> None:
    """Where the toxiproxy-server is that scenarios run through."""
    server = find_server(os.environ)
    if server is None:
        raise ToxiproxyMissing("no toxiproxy-server found: get it with `simtool toxiproxy install`")
    typer.echo(server)
    raise typer.Exit(EXIT_PASS)
