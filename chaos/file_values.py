"""The values of a scenario's or a profile's file, one function a kind. Each raises FileError.                pure

`where` is what stands before a key in an error, as in "client.": the tables in which it stands.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

from chaos.durations import DurationError, parse_duration
from chaos.nearest import unknown_name
from chaos.toml_places import Way, line_of, places

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")


class FileError(ValueError):
    """What is wrong with a file: one line with the key and the remedy, and where it stands."""

    def __init__(self, text: str, *at: str | int) -> None:
        super().__init__(text)
        self.at: Way = at
        """Empty where the text itself says it, as of what is no TOML."""
        self.more: tuple[FileError, ...] = ()
        """What else is wrong."""

    @property
    def each(self) -> "tuple[FileError, ...]":
        """All that is wrong, this first."""
        return (self, *self.more)

    def inside(self, prefix: str, *way: str | int, as_a: "type[FileError] | None" = None) -> "FileError":
        """All of it, of a table that stands there; the prefix says which."""
        first, *others = ((as_a or FileError)(f"{prefix}{each}", *way, *each.at) for each in self.each)
        first.more = tuple(others)
        return first


class RefusedFile(ValueError):
    """A file that cannot be used. Its arguments are lines for the person who wrote it, one for each thing wrong."""

    @property
    def lines(self) -> tuple[str, ...]:
        """One for each thing wrong, with file, line, key and remedy."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        return "\n".join(self.lines)


class Problems:
    """What is wrong with a file, gathered while it is read, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[FileError] = []

    def add(self, error: FileError) -> None:
        """With all that came with it."""
        self._found += error.each

    def gather(self, instead: U, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | U:
        """What `read` makes of the arguments; where that cannot be, `instead`, and the problem is kept."""
        try:
            return read(*args, **kwargs)
        except FileError as error:
            self.add(error)
            return instead

    def within(self, *tables: str) -> bool:
        """Whether something is wrong in one of these tables: then nothing more can be said of them together."""
        return any(error.at[:1] == (table,) for error in self._found for table in tables)

    def raise_any(self) -> None:
        """Raises FileError with all of them, where there are some."""
        if self._found:
            first, *others = self._found
            first.more = tuple(others)
            raise first


def complaints(error: FileError, text: str, file: object) -> list[str]:
    """A line for each thing wrong, in the order of the file, as in `mine.toml: line 7: fault 1: ...`."""
    found: Mapping[Way, int] = {}
    if any(each.at for each in error.each):
        found = places(text)
    told = [(line_of(each.at, found), each) for each in error.each]
    told.sort(key=lambda one: one[0] or 0)
    return list(
        dict.fromkeys(f"{file}: {'' if line is None else f'line {line}: '}{each}" for line, each in told)
    )


def _way(where: str, key: str) -> Way:
    return (*(name for name in where.split(".") if name), key)


def toml_tables(text: str, what: str) -> dict[str, object]:
    """The TOML of a file that should be `what`, as in "a scenario"."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise FileError(f"not {what}: it is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or an integer of thousands of digits
        place = re.fullmatch(
            r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL
        )
        if place is None:
            raise FileError(f"not valid TOML: {error}") from None
        line = place[2] or str(len(text.splitlines()) or 1)
        column = f", column {place[3]}" if place[3] else ""
        raise FileError(f"line {line}{column}: not valid TOML: {place[1].lower()}") from None


def only(table: Mapping[str, object], known: Iterable[str], where: str) -> None:
    """Raises for each key that is none of these."""
    names = list(known)
    problems = Problems()
    for key in table:
        if key not in names:
            text = f"the key {where + key!r} means nothing here: {unknown_name(key, names)}"
            problems.add(FileError(text, *_way(where, key)))
    problems.raise_any()


def subtable(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The table of that name; empty where it is not there."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise FileError(f"{key} is {value!r}: it must be a table that begins with a line [{key}]", key)
    return value


def subtables(table: Mapping[str, object], key: str, one: str) -> list[dict[str, object]]:
    """The tables of that name; none where it is not there."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FileError(f"{key} is not a list of tables: begin each {one} with a line [[{key}]]", key)
    return value


def text(table: Mapping[str, object], key: str, what: str, where: str = "") -> str:
    """A text that says something; it must be there."""
    value = table.get(key)
    if value is None:
        raise FileError(f"the key {where + key!r} is missing: give it {what}", *_way(where, key))
    if not isinstance(value, str) or not value.strip():
        raise wrong(table, key, f"it must be {what}, in quotes", where)
    return value


def positive(table: Mapping[str, object], key: str, where: str) -> float | None:
    """A duration above zero, in seconds; None where the key is not there."""
    if key not in table:
        return None
    try:
        seconds = parse_duration(table[key])
    except DurationError as error:
        raise FileError(f"{where}{key}: {error}", *_way(where, key)) from None
    if seconds == 0:
        raise wrong(table, key, "it must be longer than no time", where)
    return seconds


def switch(table: Mapping[str, object], key: str, where: str) -> bool:
    """False where the key is not there."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise wrong(table, key, "it must be true or false, without quotes", where)
    return value


def one_of(table: Mapping[str, object], key: str, choices: tuple[T, ...], where: str) -> T | None:
    """One of `choices`; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    for choice in choices:
        if value == choice:
            return choice
    raise wrong(table, key, unknown_name(str(value), map(str, choices)), where)


def number(table: Mapping[str, object], key: str, bounds: tuple[float, float], where: str) -> float | None:
    """A number from the first of `bounds` to the second; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    lowest, highest = bounds
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise wrong(table, key, f"it must be a number from {lowest:,} to {highest:,}", where)
    return value


def whole(table: Mapping[str, object], key: str, bounds: tuple[int, int], where: str) -> int | None:
    """A whole number from the first of `bounds` to the second; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    lowest, highest = bounds
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise wrong(table, key, f"it must be a whole number from {lowest:,} to {highest:,}", where)
    return value


def wrong(table: Mapping[str, object], key: str, why: str, where: str) -> FileError:
    """An error that shows the value of the key."""
    return FileError(f"{where}{key} is {table[key]!r}: {why}", *_way(where, key))
