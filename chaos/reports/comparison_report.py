"""A comparison for a person: on a terminal, and in Markdown."""

from rich.console import Console
from rich.text import Text

from chaos.reports import fitting, markdown
from chaos.reports.comparison import Cell, Column, Comparison
from chaos.reports.fitting import drawn, in_parts, room_of, total_width
from chaos.reports.fitting import show as display
from chaos.reports.report import COLOURS

LEGEND = (
    "After pass: the longest time from the heal of a fault to the next delivery, in scenario seconds; after fail: slow,"
    " if that took too long; a code, with which a healthy connection was ended; lost, never delivered; late, out of"
    " order; deaf, on a silent connection for so long; silent, nothing sent for so long; attempts,"
    " connections in 10 s; more, attempts after a refusal for good; at once, attempts of"
    " several clients within 0.1 s; or the promise that was broken."
)


def show(to: Console, comparison: Comparison) -> None:
    """The table, and underneath it what must be known to read it."""
    first, *others = _columns(comparison)
    width = room_of(to, needed=total_width([first, *others]))
    for part in in_parts(first, others, width):
        display(to, drawn(part), width=width)
    for number, note in enumerate(comparison.notes(), 1):
        to.print(Text(f"[{number}] {note}"), style="dim")
    for line in _below(comparison):
        to.print(Text(line), style="dim")


def _columns(comparison: Comparison) -> list[fitting.Column]:
    """That of the names first; below the rows is a line of room, and how many cells came to each verdict."""
    notes = comparison.notes()
    names = [Text(name) for name in comparison.scenarios]
    shown = [fitting.Column("scenario", (*names, Text(""), Text("")))]
    for column in comparison.columns:
        heading = _heading(column, comparison)
        cells = [_text(column.cell(name), notes) for name in comparison.scenarios]
        total = comparison.total(column)
        widest = max(len(heading), *(len(cell.plain) for cell in cells), 0)
        between = " " if len(" ".join(total)) <= widest else "\n"
        shown.append(fitting.Column(heading, (*cells, Text(""), Text(between.join(total)))))
    return shown


def _heading(column: Column, comparison: Comparison) -> str:
    apart = column.engine != "sim" and comparison.engine() is None
    return f"{column.heading} ({column.engine})" if apart else column.heading


def _below(comparison: Comparison) -> tuple[str, ...]:
    engine = comparison.engine()
    where = () if engine in (None, "sim") else (f"All runs are on the engine {engine}.",)
    return (LEGEND, *where, *comparison.remarks)


def _text(cell: Cell, notes: tuple[str, ...]) -> Text:
    text = cell.text if cell.note is None else f"{cell.text} [{notes.index(cell.note) + 1}]"
    return Text(text, style="" if cell.verdict is None else COLOURS[cell.verdict])


def as_markdown(comparison: Comparison) -> str:
    """A table for GitHub, with its footnotes underneath."""
    notes = comparison.notes()

    def marked(cell: Cell) -> str:
        text = markdown.escaped(cell.text)
        shown = f"**{text}**" if cell.verdict == "fail" else text
        return shown if cell.note is None else f"{shown} <sup>{notes.index(cell.note) + 1}</sup>"

    rows = [
        [markdown.escaped(name), *(marked(column.cell(name)) for column in comparison.columns)]
        for name in comparison.scenarios
    ]
    totals = ["", *(" ".join(comparison.total(column)) for column in comparison.columns)]
    heading = ["scenario", *(markdown.escaped(_heading(column, comparison)) for column in comparison.columns)]
    footnotes = [f"<sup>{number}</sup> {markdown.escaped(note)}" for number, note in enumerate(notes, 1)]
    below = [*footnotes, *map(markdown.escaped, _below(comparison))]
    return markdown.table(heading, [*rows, totals]) + "\n" + "<br>\n".join(below) + "\n"
