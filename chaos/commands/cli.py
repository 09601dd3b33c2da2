"""`simtool`: the laboratory on the command line."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from chaos import catalogue
from chaos.certificates import CertificateMissing
from chaos.clients import ClientError
from chaos.commands import serving
from chaos.commands.beginning import new
from chaos.commands.chaos import chaos
from chaos.commands.check import check
from chaos.commands.compare import compare
from chaos.commands.explaining import explain
from chaos.commands.hunt import hunt
from chaos.commands.league import league
from chaos.commands.replay import replay
from chaos.commands.trying import try_client
from chaos.commands.usage import UsageError
from chaos.durations import format_duration
from chaos.hunt.crew import CrewError
from chaos.kernel.machine import KernelMissing
from chaos.league.members import LeagueError
from chaos.presets import PRESETS
from chaos.profile_reading import ProfileError
from chaos.replay.cases import CannotReplayError
from chaos.reports import report
from chaos.reports.fitting import listed
from chaos.reports.results import EXIT_INTERRUPTED, EXIT_PASS, EXIT_UNKNOWN, EXIT_USAGE
from chaos.runner import WorkerDiedError
from chaos.scenario import ScenarioError
from chaos.toxiproxy.install import ToxiproxyMissing, cache_path, find_server, install
from chaos.traces.files import TraceError
from chaos.workloads import CannotRunError
from simulator.pose_sender import CannotSendError
from tracker.console import new_app, run_command

app = new_app(
    "simtool",
    "What does a WebSocket client do when the network misbehaves? A mock pose server, faults, checks, reports.",
)
toxiproxy_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The Toxiproxy server that scenarios run through."
)
app.add_typer(toxiproxy_app, name="toxiproxy")
app.command("try")(try_client)
app.command()(chaos)
app.command()(compare)
app.command()(league)
app.command()(hunt)
app.command()(check)
app.command()(replay)
app.command()(explain)
app.command()(new)


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
        CannotSendError,
        serving.CannotServeError,
        TraceError,
        ProfileError,
        LeagueError,
        CrewError,
    )
    run_command(
        app,
        "simtool",
        mistakes={
            **dict.fromkeys(usage, EXIT_USAGE),
            **dict.fromkeys(
                (ToxiproxyMissing, KernelMissing, CertificateMissing, WorkerDiedError), EXIT_UNKNOWN
            ),
        },
        interrupted=EXIT_INTERRUPTED,
    )


@app.command("list")
def list_scenarios() -> None:
    """The catalogue, a line each, and the networks that a run can lie on."""
    out = report.console(stderr=False)
    scenarios = catalogue.everything()
    width = max(len(scenario.name) for scenario in scenarios)
    for scenario in scenarios:
        head = f"{scenario.name:{width}}  {format_duration(scenario.duration):>4}  "
        listed(out, head, scenario.about)
    out.print("\nNetworks, for --preset:")
    for name, preset in PRESETS.items():
        head = f"{name:{width}}        "
        listed(out, head, preset.about)


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
