"""`simtool compare`: the same scenarios for several clients, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos.clients.choose import BUILT_IN, COMMAND
from chaos.commands import planning, speaking
from chaos.commands.contenders import Contender, chosen_contenders
from chaos.commands.marked import replaced
from chaos.commands.outputs import (
    make_records_folder,
    on_github,
    records_folder,
    require_writable,
    write_output,
)
from chaos.commands.usage import UsageError
from chaos.reports import report, results
from chaos.reports.comparison import Column, Comparison
from chaos.reports.comparison_report import as_markdown, show
from chaos.reports.junit import junit_xml
from chaos.reports.results import RunResult
from chaos.runner import Plan, perform, perform_all
from chaos.scenario import Scenario


def compare(
    names: planning.NamesArgument = None,
    *,
    client: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A column: {', '.join(BUILT_IN)}, or module:attr. May be repeated; all of these names without."
        ),
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Option(help='A program as a column, as in "node client.js {input} {output}". May be repeated.'),
    ] = None,
    profile: speaking.ProfileOption = None,
    kind: speaking.KindOption = None,
    identity: speaking.IdentityOption = None,
    poses: speaking.PosesOption = False,
    engine: Annotated[
        str,
        typer.Option(
            help="auto: sim, and toxiproxy for who needs real sockets. sim, toxiproxy, kernel: just this."
        ),
    ] = "auto",
    seed: planning.SeedOption = 0,
    seeds: planning.SeedsOption = 1,
    jobs: planning.JobsOption = None,
    time_scale: planning.TimeScaleOption = None,
    scales_itself: planning.ScalesItselfOption = False,
    json: planning.JsonOption = None,
    junit: planning.JunitOption = None,
    markdown: Annotated[
        str | None, typer.Option(help="Write the table to this file as Markdown; - is stdout.")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(help="Put the table, as Markdown, between the two marks in this file."),
    ] = None,
    report_folder: planning.ReportOption = None,
) -> None:
    """Run the same scenarios against several clients: a table with a column each.

    Exit codes, of all clients together: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something
    is unknown, or a client that was asked for needs a part that is absent, 130 interrupted.
    """
    planning.require_time_scale(time_scale)
    if scales_itself and not command:
        raise UsageError("--scales-itself is said of a --command: name one")
    scenarios = planning.chosen_scenarios(names or [])
    speech = speaking.chosen_speech(profile, kind=kind, identity=identity, poses=poses)
    contenders, left_out = chosen_contenders(client or [], command or [], engine, speech)
    if into is not None:
        _rewritten(into, "")
    outputs = {"--json": json, "--junit": junit, "--markdown": markdown, "--into": into}
    out = report.console(stderr=require_writable(outputs))
    for line in left_out:
        typer.echo(f"simtool: {line}", err=True)
    folder = records_folder(report_folder)
    numbers = range(seed, seed + seeds)
    columns: dict[Contender, list[Plan]] = {}
    not_run: dict[Contender, dict[str, str]] = {}
    for contender in contenders:
        suitable, not_for_it = planning.for_client(scenarios, contender.role, contender.speech)
        columns[contender] = planning.make_plans(
            suitable,
            [contender.engine],
            numbers,
            client=contender.client,
            time_scale=time_scale,
            folder=folder,
            speech=contender.speech,
            scales_itself=contender.client.startswith(COMMAND)
            and (scales_itself or speaking.said_to_scale(contender.speech)),
        )
        not_run[contender] = not_for_it | {
            scenario.name: why
            for scenario in suitable.values()
            if (why := planning.why_left_out(scenario, contender.engine)) is not None
        }
    plans = [plan for column in columns.values() for plan in column]
    make_records_folder(folder, chosen=report_folder is not None)
    with report.Watching(report.console(stderr=True), len(plans), with_client=True) as watching:
        done = perform_all(plans, perform, jobs=jobs, done=watching.done)
    comparison = _compared(scenarios.values(), columns, not_run, done, [_seeds(numbers), *left_out])
    _tell(out, comparison, done, folder)
    table = as_markdown(comparison)
    write_output("--json", json, results.document(done))
    write_output("--junit", junit, junit_xml(done))
    write_output("--markdown", markdown, table.encode())
    if into is not None:
        write_output("--into", into, _rewritten(into, table).encode())
    on_github((), f"### simtool compare\n\n{table}\n")
    raise typer.Exit(results.exit_code(done))


def _compared(
    scenarios: Iterable[Scenario],
    columns: Mapping[Contender, Sequence[Plan]],
    not_run: Mapping[Contender, Mapping[str, str]],
    done: Sequence[RunResult],
    remarks: Sequence[str],
) -> Comparison:
    """The results, which are in the order of all plans, in their columns."""
    in_order = iter(done)
    filled = [
        Column(
            contender.heading,
            contender.engine,
            list(islice(in_order, len(plans))),
            {name: f"{name}: {why}" for name, why in not_run[contender].items()},
        )
        for contender, plans in columns.items()
    ]
    commands = [
        f"{contender.heading}: {contender.client.removeprefix(COMMAND)}, {report.pace(plans[0].time_scale)}"
        for contender, plans in columns.items()
        if contender.client.startswith(COMMAND) and plans
    ]
    return Comparison(tuple(s.name for s in scenarios), tuple(filled), (*commands, *remarks))


def _seeds(numbers: range) -> str:
    if len(numbers) == 1:
        return f"Each cell is one run, of seed {numbers[0]}."
    seeds = f"seeds {numbers[0]} to {numbers[-1]}"
    return f"Each cell is {len(numbers)} runs, of {seeds}; 2/{len(numbers)}: two of them came to that verdict, the worst."


def _tell(out: Console, comparison: Comparison, done: Sequence[RunResult], folder: Path) -> None:
    (folder / "results.json").write_bytes(results.document(done))
    show(out, comparison)
    out.print(f"records in {folder}", style="dim")


def _rewritten(file: str, table: str) -> str:
    """The text of `file` with the table between its marks. Raises `UsageError`."""
    try:
        return replaced(Path(file).read_text(encoding="utf-8"), table, file, name="compare")
    except OSError as error:
        why = error.strerror
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    raise UsageError(f"cannot read --into {file}: {why}: name a file with the two marks")
