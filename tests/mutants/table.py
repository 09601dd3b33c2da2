"""The table of who notices what, written for people and read back as the memory of the last run.            pure"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.mutants.listed import Area, Mutant

NOBODY = "nobody"
NOT_ASKED = "not asked yet"
HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class Red:
    """A scenario that was not passed, and the first check of it that says so."""

    scenario: str
    check: str

    def __str__(self) -> str:
        return f"{self.scenario}: {self.check}"


@dataclass(frozen=True, slots=True)
class Failed:
    """A test that failed, whatever its parameters."""

    file: str
    function: str

    @property
    def node(self) -> str:
        """As pytest takes it."""
        return f"{self.file}::{self.function}"

    def __str__(self) -> str:
        path = PurePosixPath(self.file)
        place = path.with_name(path.stem.removeprefix("test_")).relative_to("tests")
        return f"{place}: {self.function.removeprefix('test_').replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Noticed:
    """Who notices a mutant. None: nobody does."""

    scenario: Red | None = None
    test: Failed | None = None

    def __bool__(self) -> bool:
        return self.scenario is not None or self.test is not None


def render(areas: Mapping[Area, list[Mutant]], noticed: Mapping[str, Noticed]) -> str:
    """Markdown: for each area its totals and a row a mutant."""
    return "\n\n".join(
        f"**{area.title}.** {_totals(area, mutants, noticed)}\n\n{_rows(area, mutants, noticed)}"
        for area, mutants in areas.items()
        if mutants
    )


def _totals(area: Area, mutants: list[Mutant], noticed: Mapping[str, Noticed]) -> str:
    known = [noticed[mutant.breaks] for mutant in mutants if mutant.breaks in noticed]
    told = f"Of {len(known)} mutants the tests notice {_share(sum(n.test is not None for n in known), len(known))}"
    if area.by_scenarios:
        told += f", `simtool chaos --engine sim` alone {_share(sum(n.scenario is not None for n in known), len(known))}"
        told += f", one or the other {_share(sum(map(bool, known)), len(known))}"
    unasked = len(mutants) - len(known)
    return f"{told}; {unasked} were {NOT_ASKED}." if unasked else f"{told}."


def _share(some: int, of: int) -> str:
    return f"{some} ({100 * some // of} %)" if of else "0"


def _rows(area: Area, mutants: list[Mutant], noticed: Mapping[str, Noticed]) -> str:
    scenario = " scenario: check |" if area.by_scenarios else ""
    lines = [
        f"| file | mutant |{scenario} test |",
        f"| --- | --- |{' --- |' if area.by_scenarios else ''} --- |",
    ]
    file = ""
    for mutant in mutants:
        shown = "" if mutant.file == file else mutant.file.removesuffix(".py")
        file = mutant.file
        found = noticed.get(mutant.breaks)
        cells = [shown, mutant.breaks]
        if area.by_scenarios:
            cells.append(_cell(found, None if found is None else found.scenario))
        cells.append(_cell(found, None if found is None else found.test))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: Noticed | None, who: Red | Failed | None) -> str:
    if found is None:
        return NOT_ASKED
    return NOBODY if who is None else str(who).replace("|", "\\|")


def read(text: str) -> dict[str, Noticed]:
    """What a table of `render` says, by what each mutant breaks; without those that were not asked about."""
    return {breaks: noticed for breaks, noticed in rows(text) if noticed is not None}


def rows(text: str) -> Iterator[tuple[str, Noticed | None]]:
    """Every row, in order; None: nobody was asked yet."""
    by_scenarios = False
    for line in text.splitlines():
        if line.startswith("| file |"):
            by_scenarios = "scenario" in line
        elif line.startswith("|") and not line.startswith("| ---"):
            _, breaks, *cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            if NOT_ASKED in cells:
                yield breaks, None
            else:
                red = _red(cells[0]) if by_scenarios else None
                yield breaks, Noticed(red, _test(cells[-1]))


def _red(cell: str) -> Red | None:
    scenario, _, check = cell.partition(": ")
    return None if cell == NOBODY else Red(scenario, check)


def _test(cell: str) -> Failed | None:
    place, _, sentence = cell.partition(": ")
    path = PurePosixPath("tests") / place
    function = "test_" + sentence.replace("\\|", "|").replace(" ", "_")
    return None if cell == NOBODY else Failed(str(path.with_name(f"test_{path.name}.py")), function)
