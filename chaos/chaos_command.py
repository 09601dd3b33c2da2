"""`simtool chaos`: scenarios against one client, judged."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chaos import planning, report, results
from chaos.clients.choose import BUILT_IN, COMMAND, DEFAULT, load_client
from chaos.outputs import records_folder, require_writable, write_output
from chaos.results import EXIT_FAIL, EXIT_PASS, RunResult
from chaos.runner import Plan, Twice, perform, perform_all, perform_twice
from chaos.usage import UsageError


def chaos(
    names: planning.NamesArgument = None,
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
    seed: planning.SeedOption = 0,
    seeds: planning.SeedsOption = 1,
    jobs: planning.JobsOption = None,
    time_scale: planning.TimeScaleOption = 10.0,
    json: planning.JsonOption = None,
    check_determinism: Annotated[
        bool,
        typer.Option(
            "--check-determinism", help="Run each twice on sim and name the first event that differs."
        ),
    ] = False,
    report_folder: planning.ReportOption = None,
) -> None:
    """Run scenarios against a client and judge its promises.

    Exit codes: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something is unknown or a
    needed part is absent, 130 interrupted.
    """
    named = _client(client, command)
    only = load_client(named).real_sockets_only
    planning.require_time_scale(time_scale)
    scenarios = planning.chosen_scenarios(names or [])
    engines = planning.chosen_engines("sim" if check_determinism else engine, only)
    require_writable("--json", json)
    jobs = jobs or os.cpu_count() or 1
    # What is made twice is compared in memory, and leaves no records.
    folder = Path() if check_determinism else records_folder(report_folder)
    planning.say_what_is_only_simulated(scenarios, engines)
    plans = planning.make_plans(
        scenarios, engines, range(seed, seed + seeds), client=named, time_scale=time_scale, folder=folder
    )
    if check_determinism:
        raise typer.Exit(_check_determinism(plans, jobs))
    with report.Watching(report.console(stderr=True), len(plans)) as watching:
        done = perform_all(plans, perform, jobs=jobs, done=watching.done)
    _tell(done, json, folder)
    raise typer.Exit(results.exit_code(done))


def _client(client: str, command: str | None) -> str:
    """How the client is named in a plan."""
    if command is None:
        return client
    if client != DEFAULT:
        raise UsageError("--client and --command are two clients: name one of them")
    return f"{COMMAND}{command}"


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
    return EXIT_FAIL if differing else EXIT_PASS


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
    write_output("--json", json, document)
