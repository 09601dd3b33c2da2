"""A comparison for a person: on a terminal, and in Markdown."""

from textwrap import wrap

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.reports import markdown
from chaos.reports.comparison import Cell, Column, Comparison
from chaos.reports.report import COLOURS

LEGEND = (
    "After pass: the longest time from the heal of a fault to the next delivery, in scenario seconds; after fail: slow,"
    " if that took too long; a code, with which a healthy connection was ended; lost, never delivered; late, out of"
    " order; deaf, on a silent connection for so long; silent, nothing sent for so long; attempts,"
    " connections in 10 s; more, attempts after a refusal for good; at once, attempts of"
    " several clients within 0.1 s; or the promise that was broken."
)
GAP = 2
"""Characters between two columns."""
LEAST_ROOM = 8
"""Characters that a column has, however narrow the terminal."""


def show(to: Console, comparison: Comparison) -> None:
    """The table, and underneath it what must be known to read it."""
    to.print(_table(comparison, to.width))
    for number, note in enumerate(comparison.notes(), 1):
        to.print(Text(f"[{number}] {note}"), style="dim")
    for line in _below(comparison):
        to.print(Text(line), style="dim")


def _table(comparison: Comparison, width: int) -> Table:
    shown = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, GAP - 1, 0, 0),
        show_edge=False,
        show_footer=True,
        header_style="bold",
    )
    shown.add_column("scenario", no_wrap=True)
    names = max((len(name) for name in comparison.scenarios), default=0)
    room = max(LEAST_ROOM, (width - names) // max(1, len(comparison.columns)) - GAP)
    for column in comparison.columns:
        heading = wrap(_heading(column, comparison), room)  # at hyphens too, where rich would break words
        total = comparison.total(column)
        between = " " if len(" ".join(total)) <= room else "\n"
        shown.add_column(Text("\n".join(heading)), footer=Text(between.join(total)), max_width=room)
    notes = comparison.notes()
    for name in comparison.scenarios:
        cells = (column.cell(name) for column in comparison.columns)
        shown.add_row(Text(name), *(_text(cell, notes, room) for cell in cells))
    return shown


def _heading(column: Column, comparison: Comparison) -> str:
    apart = column.engine != "sim" and comparison.engine() is None
    return f"{column.heading} ({column.engine})" if apart else column.heading


def _below(comparison: Comparison) -> tuple[str, ...]:
    engine = comparison.engine()
    where = () if engine in (None, "sim") else (f"All runs are on the engine {engine}.",)
    return (LEGEND, *where, *comparison.remarks)


def _text(cell: Cell, notes: tuple[str, ...], room: int) -> Text:
    text = cell.text if cell.note is None else f"{cell.text} [{notes.index(cell.note) + 1}]"
    if len(text) > room:  # the figure on a line of its own, and not its unit
        text = text.replace(" ", "\n", 1)
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
