"""A copy of the project's tree, in which one mutant at a time takes the place of a file's text."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from tests.mutants.listed import Mutant
from tests.mutants.table import HANGS, Failed, Red

ROOT = Path(__file__).parents[2]
_ELSEWHERE = "not toxiproxy and not kernel"
"""In true time, and not on every machine."""
FAST = f"not commands and not scenarios and not sockets and {_ELSEWHERE}"
GROUPS = (FAST, f"scenarios and {_ELSEWHERE}", f"(commands or sockets) and {_ELSEWHERE}")
"""Tests by their marks, the quick ones first."""
TESTS_LIMIT = 1800.0
"""Seconds for a whole group of tests; each test has its own time-out, which ends the usual hang much earlier."""
SCENARIO_LIMIT = 900.0
"""Seconds in which a scenario must end or use up its computing time, on a machine that is busy with other things."""


class BrokenTree(Exception):
    """The tree cannot be asked; the text is one line that says why."""


class Tree:
    """One copy. It may be asked about one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listing.stdout.split("\0")):
            source, copy = ROOT / name, folder / name
            if source.is_file():  # one that git knows may have been removed a moment ago
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy)

    @contextlib.contextmanager
    def holding(self, mutant: Mutant) -> Iterator[None]:
        """While this lasts the mutant is in the tree. Raises `ListError`."""
        path = self._root / mutant.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(mutant.applied_to(whole), encoding="utf-8")
        # Python tells a compiled file's age in whole seconds: one of the other text may look current.
        compiled = Path(cache_from_source(str(path)))
        compiled.unlink(missing_ok=True)
        try:
            yield
        finally:
            path.write_text(whole, encoding="utf-8")
            compiled.unlink(missing_ok=True)

    def red_scenario(self, names: Sequence[str]) -> Red | None:
        """The first of the scenarios that fails, or else the first that remains unknown."""
        unknown: Red | None = None
        under_way = ""
        for fact in self._ask("scenarios", names, within=SCENARIO_LIMIT * max(1, len(names))):
            if "begun" in fact:
                under_way = fact["begun"]
                continue
            under_way = ""
            if fact["verdict"] == "fail":
                return Red(fact["ended"], fact["check"])
            if fact["verdict"] == "unknown" and unknown is None:
                unknown = Red(fact["ended"], f"{fact['check']} (unknown)")
        return Red(under_way, HANGS) if under_way else unknown

    def failing_test(
        self, what: Sequence[str], *, marked: str | None = None, without: Sequence[Failed] = ()
    ) -> Failed | None:
        """The first test that fails of those that `what` names; raises `BrokenTree` where they cannot be collected."""
        arguments = [
            *("-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", "--hypothesis-seed=0"),
            *(() if marked is None else ("-m", marked)),
            # Its own tests look for every mutant's text, and would notice each.
            "--ignore=tests/mutants",
            *(f"--deselect={test.node}" for test in without),
            *what,
        ]
        facts = list(self._ask("tests", arguments, within=TESTS_LIMIT))
        if not facts:
            raise BrokenTree(f"pytest came to no end within {TESTS_LIMIT:g} s, or was killed")
        failed, code = facts[-1]["failed"], facts[-1]["code"]
        if not facts[-1]["collected"]:
            raise BrokenTree(f"{failed} cannot be imported: a mutant has to change what the code does")
        if failed is None:
            if code not in (0, 5):  # 5: nothing has these marks
                raise BrokenTree(f"pytest ended with {code} and no test that failed")
            return None
        file, _, rest = failed.partition("::")
        return Failed(file, rest.partition("[")[0])

    def _ask(self, what: str, arguments: Sequence[str], *, within: float) -> list[dict[str, Any]]:
        """The lines that `answer` printed, up to its end or to the limit."""
        environment = {**os.environ, "PYTHONPATH": str(self._root)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.answer", what, *arguments],
            cwd=self._root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # so that all it started ends with it
        )
        try:
            told, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            told, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return [json.loads(line) for line in told.splitlines() if line.startswith('{"')]
