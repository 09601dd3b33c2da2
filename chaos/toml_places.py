"""On which line of a TOML file each key stands; the standard library's reader does not tell.                 pure"""

import tomllib
from collections.abc import Iterator, Mapping

Way = tuple[str | int, ...]
"""From the top of a file to one of its values: names of keys, and numbers in lists of tables, from 0."""
LONGEST = 200
"""Lines of one value. Where one is longer, what follows has no place."""


def places(text: str) -> Mapping[Way, int]:
    """The line, from 1 on, of each table and each key. `text` is valid TOML."""
    found: dict[Way, int] = {}
    header: Way = ()
    tables: dict[Way, int] = {}  # of each list of tables, how many have begun
    for line, statement, is_header in _statements(text):
        if is_header:
            header = _header(statement, tables)
            found[header] = line
        else:
            for way in _ways(statement):
                found.setdefault((*header, *way), line)
    return found


def line_of(way: Way, found: Mapping[Way, int]) -> int | None:
    """That of the value, or else of the table in which it should stand; None: it should stand at the top."""
    return next((found[way[:n]] for n in range(len(way), 0, -1) if way[:n] in found), None)


def _statements(text: str) -> Iterator[tuple[int, dict[str, object], bool]]:
    """Each header and each key with its value, read for itself: a value ends where what was read so far is whole."""
    lines = text.split("\n")
    begin = 0
    while begin < len(lines):
        first = lines[begin].strip()
        end = begin + 1
        if first and not first.startswith("#"):
            statement = _read(lines[begin:end])
            while statement is None and end < len(lines) and end - begin < LONGEST:
                end += 1
                statement = _read(lines[begin:end])
            if statement is None:
                return
            yield begin + 1, statement, first.startswith("[")
        begin = end


def _read(lines: list[str]) -> dict[str, object] | None:
    try:
        return tomllib.loads("".join(f"{line}\n" for line in lines))
    except (ValueError, RecursionError):
        return None


def _header(statement: Mapping[str, object], tables: dict[Way, int]) -> Way:
    """The table that begins; within a list of tables it is the last one so far."""
    way: Way = ()
    inside: object = statement
    while isinstance(inside, dict) and inside:
        ((name, inside),) = inside.items()
        way = (*way, name)
        if isinstance(inside, list):
            tables[way] = tables.get(way, 0) + 1
            inside = None
        if way in tables:
            way = (*way, tables[way] - 1)
    return way


def _ways(value: object) -> Iterator[Way]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in inner:
        yield (key,)
        for way in _ways(inside):
            yield (key, *way)
