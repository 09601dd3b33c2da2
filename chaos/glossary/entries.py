"""What the glossary says of one word.                                                                         pure"""

from dataclasses import dataclass
from typing import Literal

Sort = Literal["promise", "check", "fault", "scenario", "network", "key", "profile", "cause", "engine"]
PLURALS: dict[Sort, str] = {
    "promise": "Promises",
    "check": "Other checks",
    "fault": "Kinds of fault",
    "scenario": "Scenarios",
    "network": "Networks",
    "engine": "Engines",
    "key": "Keys of a scenario's file",
    "profile": "Keys of a client's profile",
    "cause": "Causes that a replay names",
}
"""What each sort is called in the table of all, in its order."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a word, under a short heading; the lines of some are a list."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One word."""

    name: str
    sort: Sort
    says: str
    """What it is, in a sentence."""
    facts: tuple[Fact, ...] = ()


def listed(heading: str, *lines: str) -> tuple[Fact, ...]:
    """The fact, where there is something to say."""
    found = tuple(line for line in lines if line)
    return (Fact(heading, found),) if found else ()
