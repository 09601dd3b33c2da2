"""A log as a table: rows of RFC 4180 and its dialects, whose cells may hold line breaks.                            pure"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";", "|")

_SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE)  # spreadsheets write it above a table
_NAME = re.compile(r"[\w@.][\w@. /()-]{0,60}")
_MILLISECONDS = re.compile(r"\d{3}")
_SECONDS_LAST = re.compile(r".*\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Table:
    """What the first line says of the others."""

    columns: tuple[str, ...]
    """Their names, in lower case."""
    delimiter: str


def delimiter_line(text: str) -> str | None:
    """The delimiter that a line above the table names; None: it is no such line."""
    found = _SEPARATOR_LINE.fullmatch(text.strip())
    return found[1] if found else None


def table_of(first: str, *, delimiter: str | None = None) -> Table | None:
    """The table whose columns a line names; None: it names none."""
    mark = delimiter or max(DELIMITERS, key=first.count)
    names = tuple(name.strip().lower() for name in _cells(first, mark))
    if len(names) < 2 or not all(_NAME.fullmatch(name) for name in names):
        return None
    return Table(names, mark)


def rows(
    table: Table, texts: Iterable[tuple[int, str]], *, message: str
) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Each row with the number of its first line, by column; a line that is no row as it stands.

    A `message` that nobody quoted may hold delimiters, and a time without quotes a comma before its milliseconds.
    A quote that nothing ends costs no more than a cell's limit in the csv module: its lines are read one by one.
    """
    taken: list[tuple[int, str]] = []

    def lines() -> Iterator[str]:
        for number, text in texts:
            taken.append((number, text))
            yield f"{text}\n"

    reader = csv.reader(lines(), delimiter=table.delimiter)
    while True:
        taken.clear()
        try:
            cells = next(reader, None)
        except csv.Error:
            for number, text in taken:
                yield number, _row(table, _cells(text, table.delimiter), message) or text
            continue
        if cells is None:
            return
        number, text = taken[0]
        row = _row(table, cells, message)
        if row is not None:
            yield number, row
        elif len(taken) == 1:
            yield number, text
        else:
            yield from ((number, text) for number, text in taken)


def _row(table: Table, cells: list[str], message: str) -> dict[str, str] | None:
    """None where cells are missing, as in a line of a traceback below the row."""
    columns = table.columns
    if len(cells) > len(columns):
        for place, cell in enumerate(cells[1:], 1):
            if _MILLISECONDS.fullmatch(cell) and _SECONDS_LAST.fullmatch(cells[place - 1]):
                cells = [*cells[: place - 1], f"{cells[place - 1]},{cell}", *cells[place + 1 :]]
                break
    more = len(cells) - len(columns)
    if more < 0:
        return None
    at = columns.index(message)
    whole = table.delimiter.join(cells[at : at + more + 1])
    return dict(zip(columns, [*cells[:at], whole, *cells[at + more + 1 :]], strict=True))


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
