"""The keys of a file's tables as data: what each is for, what it may be, and how it is read.                   pure

Reading, `simtool explain` and docs/scenarios.md share these; there is no second list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from chaos.durations import DurationError, format_duration, parse_duration
from chaos.file_values import FileError, Problems, number, one_of, only, positive, switch, text, whole, wrong
from chaos.nearest import unknown_name

Table = Mapping[str, object]


class Sort(Protocol):
    """What the value of a key may be."""

    @property
    def said(self) -> str:
        """In a few words, with unit and bounds."""
        ...

    def read(self, table: Table, key: str, where: str) -> Any:
        """The value that is there. Raises FileError."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    about: str
    sort: Sort
    default: str = "-"
    """In words; `-` where it is simply not there."""
    required: str = ""
    """What to do where it is missing; empty: it may be."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Read into seconds, not more than `longest`, which is seconds too."""

    longest: float | None = None

    @property
    def said(self) -> str:
        most = "" if self.longest is None else f", at most {format_duration(self.longest)}"
        return f"a duration above 0{most}"

    def read(self, table: Table, key: str, where: str) -> float | None:
        seconds = positive(table, key, where)
        if seconds is not None and self.longest is not None and seconds > self.longest:
            raise FileError(
                f"{where}{key} is {table[key]!r}: it must be at most {format_duration(self.longest)}", key
            )
        return seconds


@dataclass(frozen=True, slots=True)
class Moment:
    """Read into seconds since the begin."""

    said = "a time, 0 or later"

    def read(self, table: Table, key: str, where: str) -> float:
        try:
            return parse_duration(table[key])
        except DurationError as error:
            raise FileError(f"{where}{key}: {error}", *where.split(".")[:-1], key) from None


@dataclass(frozen=True, slots=True)
class Durations:
    """A list of them, read into seconds."""

    example: str

    @property
    def said(self) -> str:
        return f"a list of times, as in {self.example}"

    def read(self, table: Table, key: str, where: str) -> tuple[float, ...]:
        value = table[key]
        if not isinstance(value, list):
            raise wrong(table, key, f"it must be {self.said}", where)
        try:
            return tuple(sorted(parse_duration(entry) for entry in value))
        except DurationError as error:
            raise FileError(f"{where}{key}: {error}", *where.split(".")[:-1], key) from None


@dataclass(frozen=True, slots=True)
class Number:
    lowest: float
    highest: float
    unit: str = ""

    @property
    def said(self) -> str:
        return f"a number from {self.lowest:g} to {self.highest:g} {self.unit}".rstrip()

    def read(self, table: Table, key: str, where: str) -> float | None:
        value = number(table, key, (self.lowest, self.highest), where)
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Above0:
    """Any number that is."""

    unit: str

    @property
    def said(self) -> str:
        return f"a number of {self.unit} above 0"

    def read(self, table: Table, key: str, where: str) -> float:
        value = table[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
            raise wrong(table, key, f"it must be {self.said}", where)
        return float(value)


@dataclass(frozen=True, slots=True)
class Whole:
    lowest: int
    highest: int
    unit: str = ""

    @property
    def said(self) -> str:
        return f"a whole number from {self.lowest:,} to {self.highest:,} {self.unit}".rstrip()

    def read(self, table: Table, key: str, where: str) -> int | None:
        return whole(table, key, (self.lowest, self.highest), where)


@dataclass(frozen=True, slots=True)
class Switch:
    said = "true or false"

    def read(self, table: Table, key: str, where: str) -> bool:
        return switch(table, key, where)


@dataclass(frozen=True, slots=True)
class OneOf:
    choices: tuple[str, ...]

    @property
    def said(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def read(self, table: Table, key: str, where: str) -> str | None:
        return one_of(table, key, self.choices, where)


@dataclass(frozen=True, slots=True)
class Words:
    """A text that is not empty."""

    said: str

    def read(self, table: Table, key: str, where: str) -> str:
        return text(table, key, self.said, where)


@dataclass(frozen=True, slots=True)
class Names:
    """A list of some of these, none twice."""

    what: str
    choices: tuple[str, ...]
    remedy: str

    @property
    def said(self) -> str:
        return f"a list of one or more {self.what}s"

    def read(self, table: Table, key: str, where: str) -> tuple[str, ...]:
        value = table[key]
        if not isinstance(value, list) or not value:
            raise wrong(table, key, self.remedy, where)
        problems = Problems()
        for position, name in enumerate(value):
            way = (*where.split(".")[:-1], key)
            if name not in self.choices:
                near = unknown_name(str(name), self.choices)
                problems.add(FileError(f"{where}{key} has {name!r}, which is no {self.what}: {near}", *way))
            elif name in value[:position]:
                problems.add(FileError(f"{where}{key} has {name!r} twice: name each {self.what} once", *way))
        problems.raise_any()
        return tuple(value)


def read_keys(
    table: Table, keys: Iterable[Key], where: str, problems: Problems, *, besides: Iterable[str] = ()
) -> dict[str, Any]:
    """The values that are there and right, by key; what is wrong is gathered. `besides` are keys that others read."""
    keys = tuple(keys)
    problems.gather(None, only, table, [*(key.name for key in keys), *besides], where)
    found = {}
    for key in keys:
        if key.name in table:
            value = problems.gather(None, key.sort.read, table, key.name, where)
            if value is not None:
                found[key.name] = value
        elif key.required:
            way = (*where.split(".")[:-1], key.name)
            problems.add(FileError(f"the key {where + key.name!r} is missing: {key.required}", *way))
    return found
