"""The list of mutants: what each breaks, where, and by which change of the text.                             pure"""

import tomllib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


class ListError(Exception):
    """An entry of the list that no longer fits the code; the text is one line that names it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file. It is told apart from all others by what it breaks."""

    file: str
    """Relative to the tree's root."""
    breaks: str
    """What is wrong with the mutant, as one plain sentence without a full stop."""
    found: str
    """Stands in the file exactly once."""
    put: str
    """Takes its place."""

    def applied_to(self, text: str) -> str:
        """The mutated text of the file. Raises `ListError`."""
        where = f"{self.file}: the mutant {self.breaks!r}"
        times = text.count(self.found)
        if times != 1:
            raise ListError(
                f"{where} looks for a text that is there {times} times instead of once: {self.found!r};"
                " write the entry anew for the code as it is, or remove it"
            )
        mutated = text.replace(self.found, self.put)
        try:
            compile(mutated, self.file, "exec")
        except SyntaxError as error:
            raise ListError(f"{where} is no Python ({error}): correct what takes the text's place") from None
        return mutated


@dataclass(frozen=True, slots=True)
class Area:
    """Mutants of one part of the project, in one file of the list."""

    title: str
    file: str
    by_scenarios: bool
    """Whether the catalogue is asked too. It judges the tracker; its own judges and its world it takes for granted."""

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """In the order of the list. Raises `ListError`."""
        return tuple(parsed((HERE / self.file).read_text(encoding="utf-8"), self.file))


AREAS = (
    Area("The tracker", "tracker.toml", by_scenarios=True),
    Area("What a verdict depends on", "judging.toml", by_scenarios=False),
    Area("The simulated world", "simulator.toml", by_scenarios=False),
)


def parsed(text: str, name: str) -> Iterator[Mutant]:
    """The mutants of one list: a table a file, and in it what is broken = [what is found, what takes its place]."""
    for file, entries in tomllib.loads(text).items():
        for breaks, change in entries.items():
            match change:
                case [str(found), str(put)] if found != put:
                    yield Mutant(file, breaks, found, put)
                case _:
                    raise ListError(
                        f"{name}: {breaks!r} must be two different texts, [found, put in its place]"
                    )


def all_mutants() -> dict[str, Mutant]:
    """Every mutant of every area, by what it breaks. Raises `ListError`."""
    listed: dict[str, Mutant] = {}
    for area in AREAS:
        for mutant in area.mutants:
            if mutant.breaks in listed:
                raise ListError(f"{area.file}: {mutant.breaks!r} is there twice; say how they differ")
            listed[mutant.breaks] = mutant
    return listed


def by_area(mutants: Container[str]) -> dict[Area, list[Mutant]]:
    """Those of `mutants` that each area lists, in order."""
    return {area: [mutant for mutant in area.mutants if mutant.breaks in mutants] for area in AREAS}
