"""The same scenarios for several clients: a row each, and a column a client.                                  pure"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from chaos.judging.verdicts import Verdict
from chaos.reports.figure import figure
from chaos.reports.results import RunResult, tally

NOT_RUN = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a client made of a scenario, over all seeds."""

    verdict: Verdict | None
    """The worst of its runs; None: there was none."""
    text: str
    note: str | None = None
    """Why there was none, or what would mend a fail."""


@dataclass(frozen=True, slots=True)
class Column:
    """One client on one engine."""

    heading: str
    engine: str
    results: Sequence[RunResult]
    left_out: dict[str, str] = field(default_factory=dict)
    """Scenarios that it cannot run, and why."""
    mends: Mapping[str, str] = field(default_factory=dict)
    """By scenario, or by promise, the setting of the client's library with which it would pass, or keep it."""

    def cell(self, scenario: str) -> Cell:
        """The cell in this scenario's row."""
        runs = [result for result in self.results if result.scenario == scenario]
        if not runs:
            return Cell(None, NOT_RUN, self.left_out[scenario])
        worst: Verdict = max((run.verdict for run in runs), key=("pass", "unknown", "fail").index)
        those = [run for run in runs if run.verdict == worst]
        if worst == "pass":
            return Cell(worst, _words(worst, figure(max(those, key=_recovery))))
        share = f"{len(those)}/{len(runs)}" if len(runs) > 1 else ""
        causes = [scenario, *(check.name for check in those[0].troubles() if check.verdict == worst)]
        mend = next((f"{cause}: {self.mends[cause]}" for cause in causes if cause in self.mends), None)
        return Cell(worst, _words(worst, share, figure(those[0])), mend if worst == "fail" else None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it, before it is drawn."""

    scenarios: tuple[str, ...]
    columns: tuple[Column, ...]
    remarks: tuple[str, ...] = ()
    """What else must be known to read it, such as which clients are not in it."""

    def total(self, column: Column) -> tuple[str, ...]:
        """The column's last row: how many of its cells came to each verdict."""
        verdicts = [cell.verdict for name in self.scenarios if (cell := column.cell(name)).verdict]
        return tuple(f"{count} {verdict}" for count, verdict in tally(verdicts))

    def counts(self, column: Column) -> Counter[Verdict]:
        """How many of the column's cells came to each verdict."""
        return Counter(cell.verdict for name in self.scenarios if (cell := column.cell(name)).verdict)

    def engine(self) -> str | None:
        """The one on which all columns were run; None: there are several."""
        engines = {column.engine for column in self.columns}
        return engines.pop() if len(engines) == 1 else None

    def notes(self) -> tuple[str, ...]:
        """The footnotes of cells, each text once, in the order in which a reader meets them."""
        met = (column.cell(name).note for name in self.scenarios for column in self.columns)
        return tuple(dict.fromkeys(note for note in met if note is not None))


def _words(*words: str) -> str:
    return " ".join(filter(None, words))


def _recovery(result: RunResult) -> float:
    recovered: float | None = result.measures["recover_s"]
    return -1.0 if recovered is None else recovered


def short_name(command: str) -> str:
    """A command's heading: its program and what that runs, as in `node relay.mjs`."""
    words = [word for word in shlex.split(command) if not word.startswith("-") and "{" not in word]
    return " ".join(PurePath(word).name for word in words[:2]) or command


def distinct(headings: Sequence[str]) -> list[str]:
    """The same, those that came before with a number behind."""
    return [
        heading if (before := headings[:place].count(heading)) == 0 else f"{heading} ({before + 1})"
        for place, heading in enumerate(headings)
    ]


def seeds_told(numbers: range) -> str:
    """How many runs a cell is made of."""
    if len(numbers) == 1:
        return f"Each cell is one run, of seed {numbers[0]}."
    seeds = f"seeds {numbers[0]} to {numbers[-1]}"
    return f"Each cell is {len(numbers)} runs, of {seeds}; 2/{len(numbers)}: two of them came to that verdict, the worst."
