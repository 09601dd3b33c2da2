"""A league's table: who, in which language, with which library, and how many scenarios each came through."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from chaos.judging.verdicts import Verdict
from chaos.league.members import Player
from chaos.reports import comparison_report, fitting, markdown
from chaos.reports.comparison import Column, Comparison
from chaos.reports.fitting import show_fitting
from chaos.reports.report import COLOURS

HEADING = ("client", "language", "library", "pass", "fail", "unknown")
DISPENSABLE = {"language": 1, "library": 2}
"""Columns that a narrow terminal goes without, this one first."""
COUNTED: tuple[Verdict, ...] = ("pass", "fail", "unknown")


@dataclass(frozen=True, slots=True)
class Standing:
    """What came of a client."""

    column: Column
    player: Player


def as_markdown(comparison: Comparison, standings: Sequence[Standing]) -> str:
    """For GitHub: the best first, and underneath it what each made of each scenario."""
    rows = [
        list(map(markdown.escaped, _row(comparison, each))) for each in _best_first(comparison, standings)
    ]
    runs_on = ", ".join(dict.fromkeys(each.player.runs_on for each in standings))
    table = markdown.table(HEADING, rows)
    return f"{table}\n{markdown.escaped(f'On {runs_on}.')}\n\n{comparison_report.as_markdown(comparison)}"


def show(to: Console, comparison: Comparison, standings: Sequence[Standing]) -> None:
    """For a terminal, which is too narrow for a column a client: the best first, and what each did not pass."""
    ordered = _best_first(comparison, standings)
    rows = [[Text(cell) for cell in _row(comparison, each)] for each in ordered]
    show_fitting(
        to,
        [
            fitting.Column(name, tuple(row[place] for row in rows), name in COUNTED, DISPENSABLE.get(name, 0))
            for place, name in enumerate(HEADING)
        ],
    )
    for each in ordered:
        cells = {name: each.column.cell(name) for name in comparison.scenarios}
        for verdict in ("fail", "unknown"):
            those = [
                f"{name} {cell.text.removeprefix(f'{verdict} ')}"
                for name, cell in cells.items()
                if cell.verdict == verdict
            ]
            if those:
                to.print(
                    Text.assemble((f"{each.column.heading}: {verdict}: ", COLOURS[verdict]), "; ".join(those))
                )
    for line in (comparison_report.LEGEND, *comparison.remarks):
        to.print(Text(line), style="dim")


def _best_first(comparison: Comparison, standings: Sequence[Standing]) -> list[Standing]:
    return sorted(standings, key=lambda each: (-comparison.counts(each.column)["pass"], each.column.heading))


def _row(comparison: Comparison, standing: Standing) -> tuple[str, ...]:
    member = standing.player.member
    counts = comparison.counts(standing.column)
    return (member.name, member.language.name, member.library, *(str(counts[verdict]) for verdict in COUNTED))
