"""What is left of a run once it is judged, and what many of them come to.                                 pure"""

from collections.abc import Sequence
from typing import Any

import msgspec

from chaos.verdicts import Check, Verdict

SCHEMA = "simtool.chaos/1"

EXIT_PASS = 0
EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3
EXIT_INTERRUPTED = 130


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `--json` shows all of it but the last two."""

    scenario: str
    engine: str
    client: str
    seed: int
    verdict: Verdict
    checks: tuple[Check, ...]
    measures: dict[str, Any]
    record: str
    """The path of its history."""
    again: int = 0
    """How often it was made before, in vain: the machine had stood still, and what failed may have been its doing."""

    def troubles(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if check.verdict != "pass")


def document(results: Sequence[RunResult]) -> bytes:
    """The JSON document of `simtool chaos --json`."""
    runs = [msgspec.structs.asdict(result) for result in results]
    for run in runs:
        del run["record"], run["again"]  # they say something of this machine
    return msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "runs": runs}), indent=1) + b"\n"


def exit_code(results: Sequence[RunResult]) -> int:
    """0 all pass, 1 something failed, 3 nothing failed but something is unknown, or nothing was run."""
    verdicts = {result.verdict for result in results}
    if "fail" in verdicts:
        return EXIT_FAIL
    return EXIT_UNKNOWN if "unknown" in verdicts or not results else EXIT_PASS
