"""Literal results of runs."""

import msgspec

from chaos.judging.verdicts import Check, Verdict
from chaos.reports.results import RunResult

RUN = RunResult(
    scenario="half-open-output",
    engine="toxiproxy",
    client="tracker",
    seed=7,
    verdict="pass",
    checks=(Check("valid-run", "pass", "a healthy start", "steady"),),
    measures={
        "lost": 1,
        "repeated": 22,
        "reordered": 3,
        "detect_s": 3.804,
        "recover_s": None,
        "longest_silence_s": 23.5,
        "false_kills": 0,
        "wall_s": 6.25,
    },
    record="runs/now/half-open-output.toxiproxy.7.jsonl",
    command_line="simtool chaos half-open-output --engine toxiproxy --seed 7",
)


def run(verdict: Verdict = "pass", *checks: Check, **changes: object) -> RunResult:
    """`RUN`, but for this."""
    return msgspec.structs.replace(RUN, verdict=verdict, checks=(*RUN.checks, *checks), **changes)


def failed(name: str, observed: str, **changes: object) -> RunResult:
    """A run in which one check failed."""
    return run("fail", Check(name, "fail", "what was promised", observed), **changes)


def unknown(name: str, observed: str, **changes: object) -> RunResult:
    """A run in which one check had nothing to judge by."""
    return run("unknown", Check(name, "unknown", "something to judge", observed), **changes)


def measured(**measures: object) -> dict[str, object]:
    """The measures of `RUN`, but for these."""
    return {**RUN.measures, **measures}
