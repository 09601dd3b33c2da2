"""Results for a person: the table, what went wrong underneath it, progress while it is being made."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from chaos.reports.results import RunResult, tally

COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}
PLAIN_WIDTH = 110
"""Characters a line where the output is no terminal."""


def console(*, stderr: bool) -> Console:
    """A console that wraps at the terminal's width, and is plain and wide elsewhere. NO_COLOR is honoured."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


def table(results: Sequence[RunResult]) -> Table:
    """One row a run. Times are scenario seconds. A preset that all runs share is `common_preset`'s to tell."""
    with_seed = len({result.seed for result in results}) > 1
    with_preset = len({result.preset for result in results}) > 1
    # Two spaces between columns: with the longest names it then fits PLAIN_WIDTH.
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    shown.add_column("scenario", no_wrap=True)
    shown.add_column("engine", no_wrap=True)
    if with_preset:
        shown.add_column("preset", no_wrap=True)
    if with_seed:
        shown.add_column("seed", justify="right")
    shown.add_column("verdict", no_wrap=True)
    for heading in ("lost", "repeated", "reordered", "detected", "recovered", "longest silence"):
        shown.add_column(heading, justify="right")
    for result in results:
        m = result.measures
        shown.add_row(
            Text(result.scenario),  # as Text, so that no bracket is taken for markup
            Text(result.engine),
            *([result.preset or "-"] if with_preset else []),
            *([str(result.seed)] if with_seed else []),
            Text(result.verdict, style=COLOURS[result.verdict]),
            _count(m["lost"]),
            _count(m["repeated"]),
            _count(m["reordered"]),
            _seconds(m["detect_s"]),
            _seconds(m["recover_s"]),
            _seconds(m["longest_silence_s"]),
        )
    return shown


def common_preset(results: Sequence[RunResult]) -> str | None:
    """The network on which all of these runs lay; None if they lay on none, or on several."""
    presets = {result.preset for result in results}
    return presets.pop() if len(presets) == 1 else None


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def explain(to: Console, results: Sequence[RunResult]) -> None:
    """Underneath the table: what did not pass and why, its record and its command; and what had to be made anew."""
    for result in results:
        if result.again:
            to.print(
                Text(f"made {result.again + 1} times: {result.title}: the machine had stood still"),
                style="dim",
            )
        if result.verdict == "pass":
            continue
        to.print(
            Text.assemble(
                (result.verdict, COLOURS[result.verdict]),
                f"  {result.title}",
            )
        )
        for check in result.troubles():
            to.print(Text(f"  {check.name}"), style=COLOURS[check.verdict])
            to.print(Text(f"    expected  {check.expected}"))
            to.print(Text(f"    observed  {check.observed}"))
        for what, where in (
            ("output", result.output),
            ("record", result.record),
            ("command", result.command_line),
        ):
            if where is not None:  # to be copied whole
                to.print(Text(f"    {what:8}  {where}"), style="dim", soft_wrap=True)


def summary(results: Sequence[RunResult]) -> Text:
    """The last line."""
    parts: list[Any] = []
    for count, verdict in tally(result.verdict for result in results):
        parts += [(f"{count} {verdict}", COLOURS[verdict]), ", "]
    return Text.assemble(*parts[:-1])


class Watching:
    """Progress on stderr: a bar on a terminal, a line a run elsewhere.

    Where it is known in how many seconds all will have been made, also how many minutes are left.
    """

    def __init__(
        self, to: Console, total: int, *, with_client: bool = False, expected: float | None = None
    ) -> None:
        self._to = to
        self._expected = expected
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=to,
            transient=True,
            disable=not to.is_terminal,
        )
        self._task = self._progress.add_task("scenarios", total=total)
        self._total = total
        self._with_client = with_client
        self._ended = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def done(self, result: RunResult) -> None:
        """One more run has ended."""
        self._ended += 1
        what = f"{result.scenario}, {result.client}" if self._with_client else result.scenario
        seconds = result.measures["wall_s"]
        left = self._left()
        self._progress.update(self._task, advance=1, description=escape(what + left))
        if not self._to.is_terminal:
            self._to.print(
                f"[{self._ended}/{self._total}] {result.verdict:7} {what} ({seconds:.1f} s{left})",
                markup=False,
            )

    def _left(self) -> str:
        if self._expected is None:
            return ""
        # Where runs had to be made anew it takes longer than was expected: what has not ended is still to come.
        by_the_clock = self._expected - (time.monotonic() - self._began)
        by_the_runs = self._expected * (1 - self._ended / self._total)
        minutes = round(max(by_the_clock, by_the_runs) / 60)
        return f", some {minutes} min left" if minutes else ""


def pace(time_scale: float) -> str:
    """A time scale in words."""
    return "in true time" if time_scale == 1 else f"{time_scale:g} scenario seconds a second"
