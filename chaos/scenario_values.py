"""The values of a scenario's file, one function a kind. Each raises ScenarioError.                          pure

`where` is what stands before a key in an error, as in "client.".
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from chaos.durations import DurationError, parse_duration
from chaos.nearest import unknown_name
from chaos.scenario import ScenarioError

T = TypeVar("T")


def only(table: Mapping[str, object], known: Iterable[str], where: str) -> None:
    names = list(known)
    for key in table:
        if key not in names:
            raise ScenarioError(f"the key {where + key!r} means nothing here: {unknown_name(key, names)}")


def subtable(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ScenarioError(f"{key} is {value!r}: it must be a table that begins with a line [{key}]")
    return value


def subtables(table: Mapping[str, object], key: str, one: str) -> list[dict[str, object]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ScenarioError(f"{key} is not a list of tables: begin each {one} with a line [[{key}]]")
    return value


def text(table: Mapping[str, object], key: str, what: str, where: str = "") -> str:
    value = table.get(key)
    if value is None:
        raise ScenarioError(f"the key {where + key!r} is missing: give it {what}")
    if not isinstance(value, str) or not value.strip():
        raise ScenarioError(f"{where}{key} is {value!r}: it must be {what}, in quotes")
    return value


def positive(table: Mapping[str, object], key: str, where: str) -> float | None:
    """A duration above zero; None where the key is not there."""
    if key not in table:
        return None
    try:
        seconds = parse_duration(table[key])
    except DurationError as error:
        raise ScenarioError(f"{where}{key}: {error}") from None
    if seconds == 0:
        raise ScenarioError(f"{where}{key} is {table[key]!r}: it must be longer than no time")
    return seconds


def switch(table: Mapping[str, object], key: str, where: str) -> bool:
    """False where the key is not there."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ScenarioError(f"{where}{key} is {value!r}: it must be true or false, without quotes")
    return value


def one_of(table: Mapping[str, object], key: str, choices: tuple[T, ...], where: str) -> T | None:
    """One of `choices`; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    for choice in choices:
        if value == choice:
            return choice
    raise ScenarioError(f"{where}{key} is {value!r}: {unknown_name(str(value), map(str, choices))}")
