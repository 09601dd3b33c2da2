"""The values of a scenario's or a profile's file, one function a kind. Each raises FileError.                pure

`where` is what stands before a key in an error, as in "client.".
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from chaos.durations import DurationError, parse_duration
from chaos.nearest import unknown_name

T = TypeVar("T")


class FileError(ValueError):
    """A file that cannot be used; the text is one line with the key or line, and the remedy."""


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
    names = list(known)
    for key in table:
        if key not in names:
            raise FileError(f"the key {where + key!r} means nothing here: {unknown_name(key, names)}")


def subtable(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise FileError(f"{key} is {value!r}: it must be a table that begins with a line [{key}]")
    return value


def subtables(table: Mapping[str, object], key: str, one: str) -> list[dict[str, object]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FileError(f"{key} is not a list of tables: begin each {one} with a line [[{key}]]")
    return value


def text(table: Mapping[str, object], key: str, what: str, where: str = "") -> str:
    value = table.get(key)
    if value is None:
        raise FileError(f"the key {where + key!r} is missing: give it {what}")
    if not isinstance(value, str) or not value.strip():
        raise FileError(f"{where}{key} is {value!r}: it must be {what}, in quotes")
    return value


def positive(table: Mapping[str, object], key: str, where: str) -> float | None:
    """A duration above zero; None where the key is not there."""
    if key not in table:
        return None
    try:
        seconds = parse_duration(table[key])
    except DurationError as error:
        raise FileError(f"{where}{key}: {error}") from None
    if seconds == 0:
        raise FileError(f"{where}{key} is {table[key]!r}: it must be longer than no time")
    return seconds


def switch(table: Mapping[str, object], key: str, where: str) -> bool:
    """False where the key is not there."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise FileError(f"{where}{key} is {value!r}: it must be true or false, without quotes")
    return value


def one_of(table: Mapping[str, object], key: str, choices: tuple[T, ...], where: str) -> T | None:
    """One of `choices`; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    for choice in choices:
        if value == choice:
            return choice
    raise FileError(f"{where}{key} is {value!r}: {unknown_name(str(value), map(str, choices))}")


def number(table: Mapping[str, object], key: str, bounds: tuple[float, float], where: str) -> float | None:
    """A number from the first of `bounds` to the second; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    lowest, highest = bounds
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise FileError(f"{where}{key} is {value!r}: it must be a number from {lowest:,} to {highest:,}")
    return value
