"""What a log tells, for a person: one sentence, then the story, the lines around the trouble, and what is unknown."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chaos.diagnosis.telling import Row, Told, ToldFinding
from chaos.durations import clock

DAY = 86_400.0
TONES = {"certain": "green", "likely": "yellow", "possible": "yellow"}


def log_report(out: Console, told: Told, *, name: str, epoch: float | None) -> None:
    """All of it; `epoch` is the wall clock's time at the log's first line, None where the log has no dates."""
    heading(out, name)
    out.print(Text(f"{told.headline}."))
    for place, finding in enumerate(told.findings):
        _finding(out, finding, first=place == 0)
    if told.story:
        heading(out, "The story")
        _rows(out, told.story, told, epoch, lines=False)
    if told.table:
        heading(out, "The lines around it" if told.counted_in == "line" else "What is around it")
        _rows(out, told.table, told, epoch, lines=True)
    if told.figures:
        heading(out, "In figures")
        shown = _plain()
        shown.add_column(style="dim", no_wrap=True)
        shown.add_column(overflow="fold")
        for what, text in told.figures:
            shown.add_row(Text(what), Text(text))
        out.print(shown)
    for text in told.unknown:
        out.print(Text(f"not known: {text}", style="yellow"))


def told_as_json(told: Told) -> dict[str, Any]:
    """The same for a program."""
    return {
        "headline": told.headline,
        "findings": [
            {"cause": f.cause.value, "confidence": f.confidence, "text": f.text, "remedy": f.remedy}
            for f in told.findings
        ],
        "story": [{"t": round(row.at.t, 3), "line": row.at.line, "text": row.text} for row in told.story],
        "unknown": list(told.unknown),
        "figures": dict(told.figures),
    }


def _finding(out: Console, finding: ToldFinding, *, first: bool) -> None:
    if not first:
        out.print(Text(f"also: {finding.text}"))
    sure = Text(finding.confidence, style=TONES[finding.confidence])
    remedy = Text(f"; remedy: {finding.remedy}" if finding.remedy else "", style="dim")
    out.print(Padding(Text.assemble(sure, remedy), (0, 0, 0, 2)))


def _rows(out: Console, rows: tuple[Row, ...], told: Told, epoch: float | None, *, lines: bool) -> None:
    shown = _plain()
    if lines:
        shown.add_column(justify="right", no_wrap=True, style="dim")
    dated = bool(rows) and rows[-1].at.t - rows[0].at.t > DAY
    if told.timed:
        shown.add_column(justify="right", no_wrap=True)
        if epoch is not None:
            shown.add_column(no_wrap=True, style="dim")
    shown.add_column(overflow="fold")
    for row in rows:
        cells = [Text(f"{told.counted_in} {row.at.line}")] if lines else []
        if told.timed:
            cells.append(Text(f"+{clock(row.at.t)}"))
            if epoch is not None:
                cells.append(Text(_wall_clock(epoch + row.at.t, dated=dated)))
        shown.add_row(*cells, Text(row.text, style="red" if row.bad else ""))
    out.print(shown)


def _wall_clock(epoch: float, *, dated: bool) -> str:
    try:
        moment = datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return "no date"
    return f"{moment:%m-%d %H:%M:%S}" if dated else f"{moment:%H:%M:%S}"


def heading(out: Console, text: str) -> None:
    """Above a part of a report."""
    out.print()
    out.print(Text(text, style="bold"))


def _plain() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
