"""Who notices a mutant: first whoever did so the last time, then the likeliest, then everybody."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Self

from chaos import catalogue
from tests.mutants.listed import Mutant
from tests.mutants.table import Failed, Noticed, Red
from tests.mutants.tree import FAST, GROUPS, ROOT, BrokenTree, Tree


class Whole:
    """A tree without a mutant. A scenario or test that is red here too has noticed nothing."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="mutants-whole-")
        self._tree = Tree(Path(self._folder.name))
        self._lock = Lock()
        self._green: dict[str | Failed, bool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def require_green(self, memory: Iterable[Noticed]) -> None:
        """Raises `BrokenTree` if one who is remembered is red: what it says about a mutant then counts for nothing."""
        known = list(memory)
        names = {one.scenario.scenario for one in known if one.scenario is not None}
        scenarios = [name for name in catalogue.names() if name in names]
        tests = sorted({one.test for one in known if one.test is not None and _is_there(one.test)}, key=str)
        with self._lock:
            red = self._tree.red_scenario(scenarios)
            if red is not None:
                raise BrokenTree(f"without a mutant, too, a scenario is red, {red}: mend it first")
            failed = self._tree.failing_test([test.node for test in tests]) if tests else None
            if failed is not None:
                raise BrokenTree(f"without a mutant, too, a test fails, {failed.node}: mend it first")
            self._green |= dict.fromkeys((*scenarios, *tests), True)

    def is_green(self, what: str | Failed) -> bool:
        """Whether the scenario of that name, or the test, passes here."""
        with self._lock:
            if what not in self._green:
                self._green[what] = (
                    self._tree.red_scenario([what]) is None
                    if isinstance(what, str)
                    else self._tree.failing_test([what.node]) is None
                )
            return self._green[what]


class Search:
    """Asks about mutants; `memory` is what was known before."""

    def __init__(self, memory: Mapping[str, Noticed], whole: Whole, *, afresh: bool) -> None:
        """With `afresh`, who did not notice a mutant the last time is asked about it again."""
        self._memory = memory
        self._whole = whole
        self._afresh = afresh
        self._times: Counter[str] = Counter()
        self._times_by_file: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def learn(self, mutant: Mutant, noticed: Noticed) -> None:
        """Who has noticed one mutant of a file is likely to notice another."""
        if noticed.scenario is not None:
            self._times[noticed.scenario.scenario] += 1
            self._times_by_file[mutant.file][noticed.scenario.scenario] += 1

    def ask(self, mutant: Mutant, tree: Tree, *, by_scenarios: bool) -> Noticed:
        """Who notices `mutant`. Raises `ListError` and `BrokenTree`."""
        with tree.holding(mutant):
            known = self._memory.get(mutant.breaks)
            scenario = self._scenario(tree, mutant, known) if by_scenarios else None
            return Noticed(scenario, self._test(tree, mutant, known, scenario))

    def _scenario(self, tree: Tree, mutant: Mutant, known: Noticed | None) -> Red | None:
        if known is not None and not self._afresh and (known.scenario is None and known.test is not None):
            return None
        names = self._from_likely_to_slow(mutant)
        if known is not None and known.scenario is not None and known.scenario.scenario in names:
            if (red := tree.red_scenario([known.scenario.scenario])) is not None:
                return red
            names.remove(known.scenario.scenario)
        while (red := tree.red_scenario(names)) is not None:
            if self._whole.is_green(red.scenario):
                return red
            names.remove(red.scenario)
        return None

    def _from_likely_to_slow(self, mutant: Mutant) -> list[str]:
        here = self._times_by_file[mutant.file]
        # Sorting keeps the catalogue's order where there is no other.
        return sorted(catalogue.names(), key=lambda name: (name in SLOW, -here[name], -self._times[name]))

    def _test(self, tree: Tree, mutant: Mutant, known: Noticed | None, scenario: Red | None) -> Failed | None:
        if known is not None and not self._afresh and (known.test is None and scenario is not None):
            return None
        if known is not None and known.test is not None and _is_there(known.test):
            failed = tree.failing_test([known.test.node])
            if failed is not None:
                return failed
        innocent: list[Failed] = []  # of what fails in any tree
        for places, marked in _from_near_to_far(mutant.file):
            while (failed := tree.failing_test(places, marked=marked, without=innocent)) is not None:
                if self._whole.is_green(failed):
                    return failed
                innocent.append(failed)
        return None


SLOW = ("reconnect-herd", "long-outage")
"""Scenarios that take several times as long as any other."""


def _is_there(test: Failed) -> bool:
    """It may have been renamed since, or removed."""
    path = ROOT / test.file
    return path.is_file() and f"def {test.function}(" in path.read_text(encoding="utf-8")


def _from_near_to_far(file: str) -> Iterator[tuple[list[str], str]]:
    """Where to look for a test of `file`, and by which marks: its own tests, its folder's, its package's, all."""
    path = PurePosixPath(file)
    own = PurePosixPath("tests") / path.with_name(f"test_{path.name}")
    near = [place for place in (own, *own.parents[:-2]) if (ROOT / place).exists()]
    seen: list[str] = []
    for place in near:
        yield [str(place), *(f"--ignore={path}" for path in seen)], FAST
        seen.append(str(place))
    for group in (FAST, *GROUPS[1:]):
        yield ["tests", *(f"--ignore={path}" for path in seen if group == FAST)], group
