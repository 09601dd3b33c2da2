"""The results of runs for a person: a row for each scenario, and underneath what did not pass and why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from chaos.judging.hints import HINTS, usual_cause
from chaos.judging.verdicts import Check, Verdict, worst
from chaos.reports.fitting import Column, indented, show_fitting
from chaos.reports.report import COLOURS
from chaos.reports.results import RunResult

MOST_SEEDS = 12
"""Seeds that a line names."""


@dataclass(frozen=True, slots=True)
class Row:
    """The runs of one scenario on one engine and one network: one for each seed."""

    runs: tuple[RunResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst."""
        return worst(run.verdict for run in self.runs)

    @property
    def passed(self) -> str:
        """How many of them, as in 18 of 20."""
        return f"{sum(run.verdict == 'pass' for run in self.runs)} of {len(self.runs)}"

    def most(self, measure: str) -> Any:
        """The highest figure of the runs; None: no run has one."""
        return max((value for run in self.runs if (value := run.measures[measure]) is not None), default=None)

    def alike(self) -> list[tuple[RunResult, ...]]:
        """The runs that did not pass, those together that have the same verdict for the same checks."""
        found: dict[object, list[RunResult]] = {}
        for run in self.runs:
            if run.verdict != "pass":
                found.setdefault((run.verdict, *(check.name for check in run.troubles())), []).append(run)
        return [tuple(runs) for runs in found.values()]


def rows(results: Iterable[RunResult]) -> list[Row]:
    """The results by scenario, engine and network, in the order in which these come first."""
    found: dict[tuple[object, ...], list[RunResult]] = {}
    for result in results:
        key = result.scenario, result.engine, result.preset, result.client
        found.setdefault(key, []).append(result)
    return [Row(tuple(runs)) for runs in found.values()]


def columns(results: Sequence[RunResult]) -> list[Column]:
    """Of the table. Times are scenario seconds. Of several seeds each figure is the highest."""
    found = rows(results)

    def column(heading: str, of: Callable[[Row], str], *, right: bool = False, needed: int = 0) -> Column:
        return Column(heading, tuple(Text(of(row)) for row in found), right, needed)

    presets = {result.preset for result in results}
    verdicts = tuple(Text(row.verdict, style=COLOURS[row.verdict]) for row in found)
    return [
        column("scenario", lambda row: row.runs[0].scenario),
        column("engine", lambda row: row.runs[0].engine),
        *([column("preset", lambda row: row.runs[0].preset or "-")] if len(presets) > 1 else []),
        Column("verdict", verdicts),
        *(
            [column("passed", lambda row: row.passed, right=True)]
            if any(len(row.runs) > 1 for row in found)
            else []
        ),
        column("lost", lambda row: _count(row.most("lost")), right=True, needed=6),
        column("repeated", lambda row: _count(row.most("repeated")), right=True, needed=2),
        column("reordered", lambda row: _count(row.most("reordered")), right=True, needed=1),
        column("detected", lambda row: _seconds(row.most("detect_s")), right=True, needed=4),
        column("recovered", lambda row: _seconds(row.most("recover_s")), right=True, needed=5),
        column("longest silence", lambda row: _seconds(row.most("longest_silence_s")), right=True, needed=3),
    ]


def show_results(to: Console, results: Sequence[RunResult]) -> None:
    """The table, and a line that names the columns for which there was no room."""
    show_fitting(to, columns(results))


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def common_preset(results: Sequence[RunResult]) -> str | None:
    """The network on which all of these runs lay; None if they lay on none, or on several."""
    presets = {result.preset for result in results}
    return presets.pop() if len(presets) == 1 else None


def explain(to: Console, results: Sequence[RunResult]) -> None:
    """Underneath the table: what did not pass and why, its record and its command; and what had to be made anew."""
    for result in results:
        if result.again:
            to.print(
                Text(f"made {result.again + 1} times: {result.title}: this machine was too busy for it"),
                style="dim",
            )
    for row in rows(results):
        for alike in row.alike():
            _explain_alike(to, row, alike)


def _explain_alike(to: Console, row: Row, alike: Sequence[RunResult]) -> None:
    first = alike[0]
    to.print(Text.assemble((first.verdict, COLOURS[first.verdict]), f"  {_which(row, alike)}"))
    for check in first.troubles():
        to.print(Text(f"  {check.name}"), style=COLOURS[check.verdict])
        for head, text in check.told():
            _line(to, head, text)
        _hint(to, check)
    for what, where in (
        ("output", first.output),
        ("record", first.record),
        ("command", first.command_line),
    ):
        if where is not None:  # to be copied whole
            to.print(Text(f"    {what:8}  {where}"), style="dim", soft_wrap=True)


def _which(row: Row, alike: Sequence[RunResult]) -> str:
    """The one run, or the seeds of several of which the first is told."""
    first = alike[0]
    if len(alike) == 1:
        return first.title
    seeds = [str(run.seed) for run in alike]
    more = "" if len(seeds) <= MOST_SEEDS else " ..."
    told = f"{', '.join(seeds[:MOST_SEEDS])}{more}"
    return f"{first.place}, {len(seeds)} of {len(row.runs)} seeds: {told}; the first of them:"


def _hint(to: Console, check: Check) -> None:
    cause = usual_cause(check)
    if cause:
        _line(to, "usually", cause, style="dim")
        _line(to, "read on", f"simtool explain {check.name}; {HINTS[check.name].read}", style="dim")


def _line(to: Console, head: str, text: str, *, style: str = "") -> None:
    indented(to, Text(f"    {head:8}  ", style=style), Text(text, style=style), 14)
