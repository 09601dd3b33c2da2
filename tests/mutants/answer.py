"""Runs inside a tree that may have a mutant in it, as a process of its own: who notices?

`scenarios NAME...` makes the runs of `simtool chaos NAME... --engine sim`, seed 0, one after the other up to the first that
fails, and prints a line of JSON before and after each. `tests ARGUMENT...` runs pytest with them, and prints one for the
first failure. What cannot be ended from inside, a loop without an await, is ended by a limit on the process's own time.
"""

import json
import logging
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LIMIT = 120
"""Seconds of computing, of this process, that one scenario gets: the longest takes some ten. It counts no waiting, so a
busy machine changes nothing."""
MEMORY = 4 * 2**30
"""Bytes that the process may use. A mutant that keeps everything is told so before the machine is."""


def tell(**fact: object) -> None:
    print(json.dumps(fact), flush=True)  # noqa: T201 - the answer


def scenarios(names: list[str]) -> None:
    from chaos import catalogue  # noqa: PLC0415 - the tree's, and not where tests are asked
    from chaos.runner import DEFAULT_TIME_SCALE, Plan, perform  # noqa: PLC0415 - the same

    logging.disable()
    with TemporaryDirectory(prefix="mutants-") as folder:
        for name in names:
            tell(begun=name)
            spent = resource.getrusage(resource.RUSAGE_SELF)
            resource.setrlimit(
                resource.RLIMIT_CPU,
                (int(spent.ru_utime + spent.ru_stime) + LIMIT, resource.RLIM_INFINITY),
            )
            plan = Plan(catalogue.find(name), "sim", 0, DEFAULT_TIME_SCALE, Path(folder))
            result = perform(plan)
            worst = [check.name for check in result.checks if check.verdict == result.verdict]
            tell(ended=name, verdict=result.verdict, check=worst[0])
            if result.verdict == "fail":
                return


class FirstFailure:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self.node: str | None = None
        self.collected = True

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self.node is None:
            self.node = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.node, self.collected = report.nodeid, False


def tests(arguments: list[str]) -> None:
    import pytest  # noqa: PLC0415 - not where scenarios are asked

    first = FirstFailure()
    code = pytest.main(arguments, plugins=[first])
    tell(failed=first.node, collected=first.collected, code=int(code))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    {"scenarios": scenarios, "tests": tests}[sys.argv[1]](sys.argv[2:])
