"""`simtool compare`: the same scenarios for several clients, side by side."""

from collections.abc import Sequence
from typing import Annotated

import typer

from chaos.clients.choose import BUILT_IN, COMMAND
from chaos.commands import columns, planning, speaking
from chaos.commands.contenders import chosen_contenders
from chaos.commands.outputs import (
    make_records_folder,
    on_github,
    records_folder,
    require_writable,
    rewritten,
    write_output,
)
from chaos.commands.run_folders import KEPT
from chaos.commands.usage import UsageError
from chaos.reports import report, results
from chaos.reports.comparison import Comparison, seeds_told
from chaos.reports.comparison_report import as_markdown, show
from chaos.reports.junit import junit_xml


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
    keep_folders: planning.KeepOption = KEPT,
) -> None:
    """Run the same scenarios against several clients: a table with a column each.

    Exit codes, of all clients together: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something
    is unknown, or a client that was asked for needs a part that is absent, 4 the disk is full,
    130 interrupted.
    """
    planning.require_time_scale(time_scale)
    if scales_itself and not command:
        raise UsageError("--scales-itself is said of a --command: name one")
    scenarios = planning.chosen_scenarios(names or [])
    speech = speaking.chosen_speech(profile, kind=kind, identity=identity, poses=poses)
    contenders, left_out = chosen_contenders(client or [], command or [], engine, speech)
    if into is not None:
        rewritten(into, "", name="compare")
    outputs = {"--json": json, "--junit": junit, "--markdown": markdown, "--into": into}
    out = report.console(stderr=require_writable(outputs))
    for line in left_out:
        typer.echo(f"simtool: {line}", err=True)
    folder = records_folder(report_folder)
    numbers = range(seed, seed + seeds)
    planned_columns = [
        columns.planned(
            contender, scenarios, numbers, time_scale=time_scale, folder=folder, scales_itself=scales_itself
        )
        for contender in contenders
    ]
    make_records_folder(folder, chosen=report_folder is not None, keep=keep_folders)
    filled, made = columns.fill(planned_columns, jobs)
    remarks = (*_commands(planned_columns), seeds_told(numbers), *left_out)
    comparison = Comparison(tuple(s.name for s in scenarios.values()), tuple(filled), remarks)
    show(out, comparison)
    out.print(f"{made.records_are_in} {folder}", style="dim")
    made.write(folder)
    done = made.results
    table = as_markdown(comparison)
    write_output("--json", json, results.document(done))
    write_output("--junit", junit, junit_xml(done))
    made.require_all()
    write_output("--markdown", markdown, table.encode())
    if into is not None:
        write_output("--into", into, rewritten(into, table, name="compare").encode())
    on_github((), f"### simtool compare\n\n{table}\n")
    raise typer.Exit(results.exit_code(done))


def _commands(planned_columns: Sequence[columns.PlannedColumn]) -> list[str]:
    return [
        f"{column.contender.heading}: {column.contender.client.removeprefix(COMMAND)},"
        f" {report.pace(column.plans[0].time_scale)}"
        for column in planned_columns
        if column.contender.client.startswith(COMMAND) and column.plans
    ]
