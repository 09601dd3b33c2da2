"""Where the number of a message stands, by which it is told from others.                                     pure"""

import json
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import msgspec

LARGEST = 2**63 - 1
"""What is above it is no number that anybody counted up to."""


class Identity(Protocol):
    """Finds the number of a message in its body."""

    def number_in(self, body: bytes) -> int | None:
        """None where there is none. Never raises."""


@dataclass(frozen=True)
class ByPath:
    """At a place in the JSON of the body, as in `data.sequence`, or `0.id` for the first of a list.

    A whole number, or a text of digits.
    """

    path: str

    def number_in(self, body: bytes) -> int | None:
        """See `Identity`."""
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        for step in self._steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return as_number(value)

    @cached_property
    def _steps(self) -> list[str]:
        return self.path.split(".")

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class ByPattern:
    """By a regular expression, whose first group has the digits. The body is read as Latin-1, so that it may be binary."""

    pattern: str

    def number_in(self, body: bytes) -> int | None:
        """See `Identity`."""
        found = compiled(self.pattern).search(body.decode("latin-1"))
        return None if found is None else as_number(found[1])

    def __str__(self) -> str:
        return f"/{self.pattern}/"


compiled = lru_cache(maxsize=64)(re.compile)


def as_number(value: object) -> int | None:
    """A whole number from 0 to `LARGEST`, or a text of its digits, as an int; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(LARGEST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= LARGEST else None


def read_identity(written: str) -> ByPath | ByPattern | None:
    """From a path, a regular expression between slashes, or `none`. ValueError: neither; the text says what is wrong."""
    if written == "none":
        return None
    if len(written) > 1 and written.startswith("/") and written.endswith("/"):
        pattern = written[1:-1]
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"{written!r} is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(
                f"{written!r} has {groups} groups: put one pair of brackets around the digits, as in /id=(\\d+)/"
            )
        return ByPattern(pattern)
    if not written or not all(written.split(".")):
        raise ValueError(
            f"{written!r} is no place in a message: write a path such as data.sequence, a regular expression between"
            " slashes such as /id=(\\d+)/, or none"
        )
    return ByPath(written)


def paths_with(body: bytes) -> list[tuple[str, int]]:
    """Every place in the JSON of a body that has a number, and the number, the shortest path first; none in any other body."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found: list[tuple[str, int]] = []

    def look(value: object, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, inside in value.items():
                look(inside, (*path, key))
        elif isinstance(value, list):
            for place, inside in enumerate(value):
                look(inside, (*path, str(place)))
        elif path and (number := as_number(value)) is not None:
            found.append((".".join(path), number))

    look(value, ())
    return sorted(found, key=lambda entry: len(entry[0]))
