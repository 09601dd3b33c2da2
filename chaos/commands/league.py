"""`simtool league`: clients of many libraries and languages, built here and compared in true time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from chaos.clients.choose import load_client
from chaos.commands import columns, planning
from chaos.commands.contenders import Contender
from chaos.commands.outputs import (
    make_records_folder,
    on_github,
    records_folder,
    require_writable,
    rewritten,
    write_output,
)
from chaos.commands.run_folders import KEPT
from chaos.engines.toxiproxy import ToxiproxyEngine
from chaos.league.building import CannotBuildError, made_ready
from chaos.league.members import League, LeagueError, Member, Player, parse_league
from chaos.league.standings import Standing, as_markdown, show
from chaos.reports import report, results
from chaos.reports.comparison import Comparison, seeds_told
from chaos.text_files import text_of

MARK = "league"
"""The name of the marks between which the table goes."""
TRUE_TIME = 1.0
"""Real clients' own durations are as they are in the field."""


def league(
    names: planning.NamesArgument = None,
    *,
    file: Annotated[Path, typer.Option(help="Who plays.")] = Path("examples/clients/league.toml"),
    client: Annotated[
        list[str] | None, typer.Option(help="A client of the league. May be repeated; all of them without.")
    ] = None,
    builds: Annotated[Path, typer.Option(help="The folder in which the clients are built.")] = Path(
        "build/league"
    ),
    seed: planning.SeedOption = 0,
    seeds: planning.SeedsOption = 1,
    jobs: planning.JobsOption = None,
    json: planning.JsonOption = None,
    into: Annotated[
        str | None, typer.Option(help="Put the tables, as Markdown, between the two marks in this file.")
    ] = None,
    report_folder: planning.ReportOption = None,
    keep_folders: planning.KeepOption = KEPT,
) -> None:
    """Build the clients of a league, and run the same scenarios against each, in true time, through Toxiproxy.

    What this machine cannot build is left out and said. Without scenarios those of the league's file are played.

    Exit codes, of all clients together: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something
    is unknown, or there is no Toxiproxy, 130 interrupted.
    """
    played = _load(file)
    scenarios = planning.chosen_scenarios(names or list(played.scenarios))
    members = played.chosen(client or [])
    if into is not None:
        rewritten(into, "", name=MARK)
    out = report.console(stderr=require_writable({"--json": json, "--into": into}))
    planning.chosen_engines(ToxiproxyEngine.name, None)
    players, left_out = _made_ready(members, builds)
    folder = records_folder(report_folder)
    numbers = range(seed, seed + seeds)
    planned = [
        columns.planned(_contender(player), scenarios, numbers, time_scale=TRUE_TIME, folder=folder)
        for player in players
    ]
    make_records_folder(folder, chosen=report_folder is not None, keep=keep_folders)
    filled, made = columns.fill(planned, jobs)
    standing = [
        Standing(replace(column, mends=player.member.mends), player)
        for column, player in zip(filled, players, strict=True)
    ]
    comparison = Comparison(
        tuple(scenario.name for scenario in scenarios.values()),
        tuple(each.column for each in standing),
        (f"{seeds_told(numbers)} All of them {report.pace(TRUE_TIME)}.", *left_out),
    )
    show(out, comparison, standing)
    out.print(f"{made.records_are_in} {folder}", style="dim")
    made.write(folder)
    done = made.results
    table = as_markdown(comparison, standing)
    write_output("--json", json, results.document(done))
    made.require_all()
    if into is not None:
        write_output("--into", into, rewritten(into, table, name=MARK).encode())
    on_github((), f"### simtool league\n\n{table}\n")
    raise typer.Exit(results.exit_code(done))


def _load(file: Path) -> League:
    """The league in `file`. Raises `LeagueError`, also for a file that cannot be read."""
    return parse_league(text_of(file, "a league's TOML file", LeagueError), file)


def _made_ready(members: Sequence[Member], builds: Path) -> tuple[list[Player], list[str]]:
    """Who can play, and in a line each who cannot, and why; each is told as it is known."""
    players: list[Player] = []
    left_out: list[str] = []
    for member in members:
        try:
            players.append(made_ready(member, builds))
        except CannotBuildError as error:
            left_out.append(f"left out: {member.name}: {error}")
            typer.echo(f"simtool: {left_out[-1]}", err=True)
        else:
            typer.echo(f"simtool: ready: {member.name}, {member.library}", err=True)
    return players, left_out


def _contender(player: Player) -> Contender:
    role = load_client(player.client).role
    return Contender(player.client, player.member.name, ToxiproxyEngine.name, role)
