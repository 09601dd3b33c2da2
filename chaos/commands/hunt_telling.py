"""A hunt for a person: progress while it lasts, then what was found, and what was never reached."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from chaos.hunt.confirming import OnRealSockets
from chaos.hunt.hunting import Hunt
from chaos.hunt.keeping import Kept
from chaos.hunt.reached import ABOUT, Place
from chaos.reports.fitting import Column, indented, show_fitting
from chaos.reports.report import COLOURS

EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""
NEVER = 8
"""Places that a line names."""


class Watching:
    """Progress on stderr: a bar on a terminal, now and then a line elsewhere."""

    def __init__(self, to: Console, seconds: float | None, runs: int | None, places: int) -> None:
        self._to = to
        self._seconds, self._runs, self._places = seconds, runs, places
        self._began = self._told = time.monotonic()
        self._before: int | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            *([] if seconds is None else [TimeRemainingColumn()]),
            console=to,
            transient=True,
            disable=not to.is_terminal,
        )
        self._task = self._progress.add_task("drawing worlds", total=seconds or runs)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, hunt: Hunt) -> None:
        """How far it has come."""
        now = time.monotonic()
        if self._before is None:
            self._before = hunt.runs
        elapsed = now - self._began
        made = hunt.runs + hunt.shrinking_runs - self._before
        rate = made / elapsed if elapsed else 0.0
        reached = len(hunt.reached.times)
        what = (
            f"{hunt.runs} worlds, {rate:.1f} runs a second, {_some(len(hunt.findings), 'finding')},"
            f" {reached} of {self._places} places"
        )
        self._progress.update(
            self._task, description=what, completed=elapsed if self._seconds is not None else hunt.runs
        )
        if not self._to.is_terminal and now - self._told >= EVERY:
            self._told = now
            self._to.print(f"[{elapsed:.0f} s] {what}", markup=False)


def show(
    to: Console,
    hunt: Hunt,
    kept: Sequence[Kept],
    real: Sequence[OnRealSockets],
    *,
    took: float,
    places: Sequence[Place],
) -> None:
    """All of it; the last line is the sum."""
    for place, each in enumerate(kept):
        _finding(to, each, real[place] if real else None)
    _reached(to, hunt, places)
    for line in _left(hunt):
        to.print(Text(line), soft_wrap=True)
    made = hunt.runs + hunt.shrinking_runs
    rate = f", {made / took:.1f} a second" if took else ""
    colour = COLOURS["fail" if hunt.findings else "pass"]
    to.print(
        Text.assemble(
            f"{_some(hunt.runs, 'world')}, {_some(made, 'run')} in {took:.0f} s{rate}: ",
            (_some(len(hunt.findings), "finding") if hunt.findings else "nothing found", colour),
        )
    )


def _finding(to: Console, kept: Kept, real: OnRealSockets | None) -> None:
    finding = kept.finding
    minimal = "no part can be left out" if finding.minimal else "smaller ones may do it too"
    faults = _some(len(finding.scenario.faults), "fault")
    to.print(
        Text.assemble(
            (finding.promise, COLOURS["fail"]),
            f"  {_some(finding.sightings, 'world')}; the smallest: {faults} of {finding.faults_before},"
            f" after {_some(finding.runs, 'run')}, {minimal}",
        )
    )
    lines = [("observed", finding.observed)]
    lines += [("fault", str(fault)) for fault in finding.scenario.faults]
    if real is not None:
        lines.append(("on real sockets too", f"{real.answer}{f': {real.why}' if real.why else ''}"))
    width = max(len(head) for head, _ in lines)
    for head, text in lines:
        indented(to, Text(f"  {head:{width}}  ", style="dim"), Text(text), width + 4)
    to.print(Text(f"  {kept.command}"), soft_wrap=True)
    to.print()


def _reached(to: Console, hunt: Hunt, places: Sequence[Place]) -> None:
    rows = hunt.reached.summary(places)
    show_fitting(
        to,
        [
            Column("reached", tuple(Text(ABOUT[family]) for family, *_ in rows)),
            Column("places", tuple(Text(f"{there} of {known}") for _, there, known, *_ in rows), right=True),
            Column("the rarest", tuple(Text(rarest) for *_, rarest, _ in rows), needed=1),
        ],
    )
    for family, _, _, _, never in rows:
        if never:
            shown = ", ".join(never[:NEVER])
            more = f", and {len(never) - NEVER} more" if len(never) > NEVER else ""
            head = f"never, of the {family}: "
            indented(to, Text(head, style="dim"), Text(shown + more), 4)
    judged = ", ".join(
        f"{promise} {count}" for promise, count in sorted(hunt.judged.items()) if promise != "valid-run"
    )
    indented(to, Text("runs in which a promise was judged: ", style="dim"), Text(judged or "none"), 4)


def _left(hunt: Hunt) -> list[str]:
    """What there is to say of what is in no finding."""
    lines = [
        f"{promise}: {_some(count, 'more world')} broke it in other ways; mend what is above, and hunt again"
        for promise, count in sorted(hunt.more.items())
    ]
    if hunt.not_shrunk:
        worlds = ", ".join(f"{promise} in world {number}" for number, promise in hunt.not_shrunk[:NEVER])
        lines.append(f"no time was left to shrink {_some(len(hunt.not_shrunk), 'broken promise')}: {worlds}")
    if hunt.lost:
        lines.append(
            f"a worker died over {_some(len(hunt.lost), 'world')}: {', '.join(map(str, hunt.lost[:NEVER]))}"
        )
    if hunt.passed_over:
        lines.append(
            f"{_some(hunt.passed_over, 'world')} passed over, which such a client cannot be put into"
        )
    if hunt.not_steady:
        lines.append(f"{_some(hunt.not_steady, 'run')} showed nothing: {hunt.why_not_steady}")
    if hunt.interrupted:
        lines.append("interrupted: this is what there is")
    if not hunt.runs:
        lines.append("not one world was run: give it more time with --budget")
    return lines


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
