"""`simtool hunt`: random fault sequences against a client, until one breaks a promise; then the smallest that does."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from chaos.clients.choose import BUILT_IN, DEFAULT, load_client
from chaos.commands import hunt_telling, planning, speaking
from chaos.commands.chaos import named_client
from chaos.commands.outputs import make_records_folder, records_folder, require_writable, write_output
from chaos.commands.run_folders import KEPT
from chaos.commands.usage import UsageError
from chaos.durations import DurationError, parse_duration
from chaos.engines import toxiproxy
from chaos.faults import some_fault
from chaos.hunt.confirming import confirmed
from chaos.hunt.crew import Alone, Crew, cluster, processes
from chaos.hunt.hunting import Hunt, Hunter, Limits
from chaos.hunt.keeping import document, keep, restored, write_state
from chaos.hunt.reached import all_places
from chaos.hunt.shrinking import MOST_RUNS
from chaos.hunt.trials import Quarry, try_world
from chaos.kinds import KINDS
from chaos.nearest import unknown_name
from chaos.reports import report
from chaos.reports.results import EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS, EXIT_UNKNOWN
from chaos.runner import default_time_scale
from chaos.scenario import Scenario, Workload
from chaos.workloads import CannotRunError

BUDGET = "60s"
HEALTHY = Scenario("healthy", "Nothing goes wrong.", ("no-loss",), 10.0, Workload("lean", 10.0))
"""What a client must be able to run before anything is done to it."""
WAITING = 4
"""Runs at once for each core on real sockets, where they wait most of the time."""
REAL_RUNS = 12
"""Of shrinking one finding on real sockets, where a run takes as long as it says."""


def hunt(
    *,
    client: Annotated[
        str,
        typer.Option(
            help=f"What is hunted: {', '.join(BUILT_IN)}, or module:attr, an async function of two URLs."
        ),
    ] = DEFAULT,
    command: Annotated[
        str | None,
        typer.Option(
            help='A program, as in "node client.js {input} {output}"; on real sockets, in true time.'
        ),
    ] = None,
    profile: speaking.ProfileOption = None,
    kind: speaking.KindOption = None,
    identity: speaking.IdentityOption = None,
    poses: speaking.PosesOption = False,
    budget: Annotated[
        str | None, typer.Option(help=f"For how long to search, as in 10m; {BUDGET} without --runs.")
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, help="How many worlds to run: the same ones for the same seed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What all worlds are drawn from.")] = 0,
    jobs: planning.JobsOption = None,
    cluster_address: Annotated[
        str | None,
        typer.Option("--cluster", help="A Dask scheduler whose workers do it, as in tcp://127.0.0.1:8786."),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Only faults of this kind. May be repeated.")
    ] = None,
    schedules: Annotated[
        bool,
        typer.Option("--schedules", help="In every other world, draw the order of the client's tasks too."),
    ] = False,
    corpus: Annotated[
        Path | None,
        typer.Option(help="A folder that keeps the search's state: the next one goes on from there."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Where the findings' scenarios go; the records' folder without.")
    ] = None,
    json: planning.JsonOption = None,
    report_folder: planning.ReportOption = None,
    keep_folders: planning.KeepOption = KEPT,
) -> None:
    """Draw random worlds, run the client in them, and shrink each that breaks a promise to the smallest that does.

    Exit codes: 0 nothing was found, 1 something was, 2 wrong use, 3 nothing was found and nothing was learned, 4 the
    disk is full, 130 interrupted.
    """
    named = named_client(client, command)
    loaded = load_client(named)
    speech = speaking.spoken_with(
        loaded, speaking.chosen_speech(profile, kind=kind, identity=identity, poses=poses)
    )
    seconds = _budget(budget, runs)
    kinds = _kinds(fault or [])
    engine = "sim"
    if loaded.real_sockets_only is not None:
        planning.chosen_engines("toxiproxy", None)
        engine = "toxiproxy"
        kinds = tuple(each for each in kinds if toxiproxy.why_not(some_fault(each)) is None)
    quarry = Quarry(
        named,
        seed,
        speech,
        kinds,
        schedules=schedules,
        engine=engine,
        time_scale=default_time_scale(named, scales_itself=False),
    )
    out = report.console(stderr=require_writable({"--json": json}))
    for folder, option in ((export, "--export"), (corpus, "--corpus")):
        _require_folder(folder, option)
    state = Hunt() if corpus is None else restored(corpus, quarry)
    known = len(state.findings)
    _require_able(quarry)
    place = export or records_folder(report_folder)
    if export is None:
        make_records_folder(place, chosen=report_folder is not None, keep=keep_folders)
    began = time.monotonic()

    def time_is_up() -> bool:
        return seconds is not None and time.monotonic() - began >= seconds

    limits = Limits(runs, time_is_up, MOST_RUNS if engine == "sim" else REAL_RUNS)
    everything = all_places(kinds)
    with (
        _crew(jobs, cluster_address, engine) as crew,
        hunt_telling.Watching(report.console(stderr=True), seconds, runs, len(everything)) as watching,
    ):
        Hunter(quarry, crew, limits, state, tell=watching.tell).hunt()
    took = time.monotonic() - began
    kept = keep(state.findings, place, quarry)
    real = [] if state.interrupted else confirmed(kept, quarry, place)
    if corpus is not None:
        write_state(corpus, state, quarry)
    hunt_telling.show(out, state, kept, real, took=took, places=everything)
    if not export:
        write_state(place, state, quarry)
    write_output(
        "--json", json, msgspec.json.format(msgspec.json.encode(document(state, quarry)), indent=1) + b"\n"
    )
    raise typer.Exit(_exit_code(state, known))


def _exit_code(state: Hunt, known: int) -> int:
    if state.interrupted:
        return EXIT_INTERRUPTED
    if state.findings[known:] or state.not_shrunk:
        return EXIT_FAIL
    learned = any(promise != "valid-run" for promise in state.judged)
    return EXIT_PASS if learned and state.runs > state.not_steady and not state.lost else EXIT_UNKNOWN


def _budget(budget: str | None, runs: int | None) -> float | None:
    """Seconds; None where the number of runs is the limit."""
    if budget is None and runs is not None:
        return None
    try:
        seconds = parse_duration(BUDGET if budget is None else budget)
    except DurationError as error:
        raise UsageError(f"--budget: {error}") from None
    if seconds == 0:
        raise UsageError(f"--budget is {budget!r}, no time: give it some, as in --budget {BUDGET}")
    return seconds


def _kinds(asked: list[str]) -> tuple[str, ...]:
    for each in asked:
        if each not in KINDS:
            raise UsageError(f"--fault is {each!r}, which is no kind of fault: {unknown_name(each, KINDS)}")
    return tuple(each for each in KINDS if not asked or each in asked)


def _require_folder(folder: Path | None, option: str) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {option} {folder}: {error.strerror}: name another folder") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {option} {folder}: choose a folder that can be written to")


def _require_able(quarry: Quarry) -> None:
    """Raises `CannotRunError` for a client that does nothing even where nothing goes wrong."""
    outcome = try_world(quarry, 0, HEALTHY)
    if outcome is None or not outcome.steady:
        why = "such a client cannot be put into it" if outcome is None else outcome.why_not
        raise CannotRunError(f"{quarry.client} cannot be hunted: in a healthy world, {why}")


@contextmanager
def _crew(jobs: int | None, address: str | None, engine: str) -> Iterator[Crew]:
    """Who makes the runs. Raises `CrewError`."""
    if address is not None:
        if jobs is not None:
            raise UsageError(
                "--jobs and --cluster: the cluster has as many workers as it has; leave one of them out"
            )
        with cluster(address) as crew:
            yield crew
        return
    with on_this_machine(jobs or (os.cpu_count() or 1) * (1 if engine == "sim" else WAITING)) as crew:
        yield crew


@contextmanager
def on_this_machine(jobs: int | None) -> Iterator[Crew]:
    """So many processes; one for each core where nobody says how many."""
    size = jobs or os.cpu_count() or 1
    if size == 1:
        yield Alone()
        return
    with processes(size) as crew:
        yield crew
