"""`simtool chaos`: scenarios against one client, judged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos.clients.choose import BUILT_IN, COMMAND, DEFAULT, load_client
from chaos.commands import planning, speaking
from chaos.commands.making import Made, make_all
from chaos.commands.outputs import (
    make_records_folder,
    on_github,
    records_folder,
    require_writable,
    write_output,
)
from chaos.commands.run_folders import KEPT
from chaos.commands.shard import shard
from chaos.commands.usage import UsageError
from chaos.engines.kernel import KernelEngine
from chaos.engines.sim import SimEngine
from chaos.made_twice import Twice, perform_twice
from chaos.presets import PRESETS
from chaos.reports import github, report, results, results_table
from chaos.reports.junit import junit_xml
from chaos.reports.results import EXIT_FAIL, EXIT_PASS, RunResult
from chaos.runner import Plan
from chaos.workers import perform_all


def chaos(
    names: planning.NamesArgument = None,
    *,
    engine: Annotated[
        str,
        typer.Option(
            help="auto: sim, and toxiproxy where it is found. sim, toxiproxy, kernel: just this. all: these three."
        ),
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
    profile: speaking.ProfileOption = None,
    kind: speaking.KindOption = None,
    identity: speaking.IdentityOption = None,
    poses: speaking.PosesOption = False,
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"The network that all of it lies on: {', '.join(PRESETS)}; else the scenario's own."
        ),
    ] = None,
    seed: planning.SeedOption = 0,
    seeds: planning.SeedsOption = 1,
    jobs: planning.JobsOption = None,
    time_scale: planning.TimeScaleOption = None,
    scales_itself: planning.ScalesItselfOption = False,
    json: planning.JsonOption = None,
    junit: planning.JunitOption = None,
    part: Annotated[
        str | None,
        typer.Option("--shard", help="Make one part of the runs: 2/3 is the second of three parts."),
    ] = None,
    check_determinism: Annotated[
        bool,
        typer.Option(
            "--check-determinism",
            help="Run each twice on sim, in two processes, and name the first event that differs.",
        ),
    ] = False,
    report_folder: planning.ReportOption = None,
    keep_folders: planning.KeepOption = KEPT,
    trace: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the client's own traces: the tracker's flight recorder, or the DEBUG log of"
            " another on websockets. For simtool replay."
        ),
    ] = None,
) -> None:
    """Run scenarios against a client and judge its promises.

    Exit codes: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something is unknown or a
    needed part is absent, 4 the disk is full, 130 interrupted.
    """
    named = named_client(client, command)
    speech = speaking.chosen_speech(profile, kind=kind, identity=identity, poses=poses)
    loaded = load_client(named)
    only = loaded.real_sockets_only
    speech = speaking.spoken_with(loaded, speech)
    planning.require_time_scale(time_scale)
    if scales_itself and command is None:
        raise UsageError("--scales-itself is said of a --command: name one")
    if engine == KernelEngine.name and time_scale is not None:
        raise UsageError("--time-scale is for toxiproxy: the kernel engine runs in true time")
    asked_for, not_for_it = planning.for_client(planning.chosen_scenarios(names or []), loaded.role, speech)
    scenarios = planning.on_network(asked_for, preset)
    if check_determinism and engine not in ("auto", "sim"):
        raise UsageError(f"--engine is {engine}: --check-determinism is for sim; real sockets have no seed")
    asked = "sim" if check_determinism else engine
    engines = planning.chosen_engines(asked, only)
    to_stdout = require_writable({"--json": json, "--junit": junit})
    folder = records_folder(report_folder)
    every_plan = planning.make_plans(
        scenarios,
        engines,
        range(seed, seed + seeds),
        client=named,
        time_scale=time_scale,
        folder=folder,
        speech=speech,
        scales_itself=scales_itself or (command is not None and speaking.said_to_scale(speech)),
    )
    plans = [replace(plan, traces=trace) for plan in shard(every_plan, part)]
    planning.say_what_says_nothing(not_for_it)
    planning.say_what_is_left_out(scenarios.values(), engines, asked)
    if check_determinism:  # compared in memory, without records
        raise typer.Exit(_check_determinism(plans, jobs))
    make_records_folder(folder, chosen=report_folder is not None, keep=keep_folders)
    if trace is not None:
        make_records_folder(trace, chosen=True)
    with report.Watching(report.console(stderr=True), len(plans)) as watching:
        made = make_all(plans, jobs=jobs, done=watching.done)
    done = made.results
    _tell(report.console(stderr=to_stdout), made, folder)
    made.write(folder)
    write_output("--json", json, results.document(done))
    write_output("--junit", junit, junit_xml(done))
    made.require_all()
    on_github(github.annotations(done), github.summary(done))
    raise typer.Exit(results.exit_code(done))


def named_client(client: str, command: str | None) -> str:
    """How the client is named in a plan. Raises `UsageError`."""
    if command is None:
        return client
    if client != DEFAULT:
        raise UsageError("--client and --command are two clients: name one of them")
    return f"{COMMAND}{command}"


def _pace(done: Sequence[RunResult]) -> str:
    """How fast time went for it on real sockets; nothing where it met none."""
    scales = {run.time_scale for run in done if run.engine != SimEngine.name}
    return "".join(f", {report.pace(scale)}" for scale in sorted(scales))


def _check_determinism(plans: Sequence[Plan], jobs: int | None) -> int:
    out = report.console(stderr=False)
    differing = 0

    def tell(_: int, twice: Twice) -> None:
        nonlocal differing
        differing += twice.difference is not None
        outcome = (
            f"equal    {twice.digest[:16]}" if twice.difference is None else f"differs  {twice.difference}"
        )
        out.print(f"{twice.scenario:20} seed {twice.seed:<4} {outcome}", markup=False, soft_wrap=True)

    perform_all(plans, perform_twice, jobs=jobs, done=tell)
    out.print(f"{len(plans)} runs made twice, {differing} differ")
    return EXIT_FAIL if differing else EXIT_PASS


def _tell(out: Console, made: Made, folder: Path) -> None:
    done = made.results
    if done and done[0].client != DEFAULT:
        out.print(f"client {done[0].client}{_pace(done)}", markup=False, soft_wrap=True)
    if (preset := results_table.common_preset(done)) is not None:
        out.print(f"preset {preset}", markup=False)
    results_table.show_results(out, done)
    results_table.explain(out, done)
    out.print(report.summary(done))
    out.print(f"{made.records_are_in} {folder}", style="dim")
