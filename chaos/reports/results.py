"""What is left of a run once it is judged, and what many of them come to.                                 pure"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, get_args

import msgspec

from chaos.judging.verdicts import Check, Verdict

SCHEMA = "simtool.chaos/1"

EXIT_PASS = 0
EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3
EXIT_INTERRUPTED = 130


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `--json` shows what it came to, and not how to find it on this machine."""

    scenario: str
    engine: str
    client: str
    seed: int
    verdict: Verdict
    checks: tuple[Check, ...]
    measures: dict[str, Any]
    record: str
    """The path of its history."""
    output: str | None = None
    """The path of what a program, or a user's own client in Python, wrote; None: it wrote nothing."""
    preset: str | None = None
    """The network that the run lay on; None: an undisturbed one."""
    time_scale: float = 1.0
    """Scenario seconds that passed in one second."""
    again: int = 0
    """How often it was made before, in vain, because of the machine: see `in_doubt`."""
    in_doubt: bool = False
    """Whether nothing but the machine, which stood still or was too slow, may be to blame for what is unknown."""
    command_line: str | None = None
    """What makes exactly this run again; None: nothing here made it."""

    @property
    def place(self) -> str:
        """What was run where."""
        network = "" if self.preset is None else f", preset {self.preset}"
        return f"{self.scenario} on {self.engine}{network}"

    @property
    def title(self) -> str:
        """Which of the runs of one client it is."""
        return f"{self.place}, seed {self.seed}"

    def troubles(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if check.verdict in ("fail", "unknown"))

    def explanation(self) -> str:
        """What did not pass, in lines: expected and observed, and how to make the run again."""
        lines = [
            "\n".join(
                [f"{check.verdict} {check.name}", *(f"  {head:8}  {text}" for head, text in check.told())]
            )
            for check in self.troubles()
        ]
        return "\n".join(lines if self.command_line is None else [*lines, f"command: {self.command_line}"])


def tally(verdicts: Iterable[Verdict]) -> list[tuple[int, Verdict]]:
    """How many of each there are, the passed ones first; of these also that there are none."""
    counts = Counter(verdicts)
    return [
        (counts[verdict], verdict) for verdict in get_args(Verdict) if counts[verdict] or verdict == "pass"
    ]


def document(results: Sequence[RunResult]) -> bytes:
    """The JSON document of `simtool chaos --json`."""
    runs = [msgspec.structs.asdict(result) for result in results]
    for run in runs:
        del (
            run["record"],
            run["output"],
            run["command_line"],
            run["again"],
            run["in_doubt"],
        )  # they say something of this machine
    return msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "runs": runs}), indent=1) + b"\n"


def exit_code(results: Sequence[RunResult]) -> int:
    """0 all pass, 1 something failed, 3 nothing failed but something is unknown, or nothing was run."""
    verdicts = {result.verdict for result in results}
    if "fail" in verdicts:
        return EXIT_FAIL
    return EXIT_UNKNOWN if "unknown" in verdicts or not results else EXIT_PASS
