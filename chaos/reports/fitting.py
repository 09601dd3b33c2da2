"""Text and tables that stay readable at any width: nothing is cut, and no heading is broken inside a word."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

GAP = 2
"""Characters between two columns."""
LEAST_ROOM = 20
"""Characters that a wrapped text has, however narrow the terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column before it is drawn; headings and cells may have several lines."""

    heading: str
    cells: tuple[Text, ...]
    right: bool = False
    needed: int = 0
    """Where there is no room for all, the columns with the lowest number go first; 0: it stays whatever happens."""

    @property
    def width(self) -> int:
        """Characters of its longest line."""
        lines = [
            *self.heading.splitlines(),
            *(line for cell in self.cells for line in cell.plain.splitlines()),
        ]
        return max(map(len, lines), default=0)


def total_width(columns: Sequence[Column]) -> int:
    """Characters that they take side by side."""
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def fitting(columns: Iterable[Column], width: int) -> tuple[list[Column], list[Column]]:
    """Those for which there is room, and those that were left out, in their order."""
    kept = list(columns)
    dispensable = sorted((column for column in kept if column.needed), key=lambda column: column.needed)
    left_out: list[Column] = []
    while total_width(kept) > width and dispensable:
        left_out.append(dispensable.pop(0))
        kept.remove(left_out[-1])
    return kept, left_out


def in_parts(first: Column, others: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """All columns in as few tables as the width takes, each of which begins with the first column."""
    part = [first]
    for column in others:
        if len(part) > 1 and total_width([*part, column]) > width:
            yield part
            part = [first]
        part.append(column)
    yield part


def drawn(columns: Sequence[Column]) -> Table:
    """The table."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.heading),
            justify="right" if column.right else "left",
            min_width=column.width,
            overflow="fold",
            vertical="top",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return table


def room_of(to: Console, *, needed: int) -> int:
    """Characters a line that a table may take: what a terminal has; elsewhere as many as it needs."""
    return to.width if to.is_terminal else max(to.width, needed)


def show(to: Console, table: RenderableType, *, width: int) -> None:
    """Print the table whole, also where it is wider than a text would be."""
    before, to.width = to.width, max(to.width, width)
    try:
        to.print(table)
    finally:
        to.width = before


def show_fitting(to: Console, columns: Sequence[Column]) -> None:
    """One table, and a line that names the columns for which there was no room."""
    width = room_of(to, needed=total_width(columns))
    kept, left_out = fitting(columns, width)
    show(to, drawn(kept), width=width)
    if left_out:
        names = ", ".join(column.heading for column in columns if column in left_out)
        to.print(Text(f"no room at this width for: {names}"), style="dim")


def indented(to: Console, head: Text, text: Text, indent: int) -> None:
    """The text behind its head, wrapped at the console's width, the later lines under the first."""
    for number, line in enumerate(text.wrap(to, max(LEAST_ROOM, to.width - indent))):
        to.print((head if number == 0 else Text(" " * indent)) + line, soft_wrap=True)


def listed(to: Console, head: str, text: str) -> None:
    """One entry of a list: wrapped under itself on a terminal, and one line elsewhere, for other programs."""
    if to.is_terminal:
        indented(to, Text(head), Text(text), len(head))
    else:
        to.print(Text(f"{head}{text}"), soft_wrap=True)
