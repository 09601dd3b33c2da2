"""Ten round trips: a scenario through Toxiproxy, the tracker's own trace of it, and the trace replayed on virtual time.

As a program it makes all ten and prints the table of docs/replay.md.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos import catalogue
from chaos.replay.alignment import Row
from chaos.replay.cases import Wanted, understand
from chaos.replay.same_findings import FindingRow
from chaos.runner import Plan, perform
from chaos.scenario import ClientOverrides
from chaos.traces.reading import open_trace
from chaos.workers import perform_all

TEN: Mapping[str, frozenset[str]] = {
    "latency-ramp": frozenset({"latency"}),
    "slow-link": frozenset({"bandwidth"}),
    "half-open-output": frozenset({"stall"}),
    "half-open-input": frozenset({"timeout"}),
    "one-way-upstream": frozenset({"timeout", "garbage"}),
    "reset": frozenset({"reset_peer"}),
    "flapping": frozenset({"down"}),
    "silent-pong": frozenset({"mute_pong"}),
    "server-restart": frozenset({"restart"}),
    "handshake-503": frozenset({"close", "refuse"}),
}
"""Scenarios of different kinds, each with what has to be found in its trace."""

SCALE = 2.0
"""Scenario seconds in one of the clock: what this machine does of its own accord counts a fifth of what it usually does."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What came of one."""

    scenario: str
    run: str
    """The verdict of the run that was traced."""
    verdict: str
    """Of the replay."""
    kinds: frozenset[str]
    """Of the faults that were inferred."""
    rows: tuple[Row, ...]
    findings: tuple[FindingRow, ...]
    """What explains the field, and what explains the replay."""

    @property
    def farthest(self) -> float:
        """Seconds between an event and its match, at most."""
        return max((abs(row.difference) for row in self.rows if row.difference is not None), default=0.0)

    def __str__(self) -> str:
        done = ", ".join(dict.fromkeys(fault.kind for fault in catalogue.find(self.scenario).faults))
        again = sum(row.matched for row in self.rows)
        counted = sum(row.counts for row in self.rows)
        findings = [row for row in self.findings if row.counts]
        explained = sum(row.matched for row in findings)
        return (
            f"| {self.scenario} | {done} | {', '.join(sorted(self.kinds))} | {again} of {counted}"
            f" | {self.farthest:.2f} s | {explained} of {len(findings)} | {self.verdict} |"
        )


def round_trip(plan: Plan) -> RoundTrip:
    """Run it with a trace, and replay the trace."""
    run = perform(plan)
    assert plan.trace is not None, "a round trip needs a trace"
    opened = open_trace(plan.trace.with_name(f"{plan.trace.name}.trace"))
    case = understand(opened, plan.folder)
    done, _ = Wanted(None, ClientOverrides(), "sim", seed=0, time_scale=1.0).play(case, minimised=False)
    return RoundTrip(
        plan.scenario.name,
        run.verdict,
        done.comparison.verdict,
        frozenset(fault.kind for fault, _ in case.made.faults),
        done.comparison.rows,
        done.comparison.findings or (),
    )


def planned(name: str, folder: Path) -> Plan:
    return Plan(catalogue.find(name), "toxiproxy", 0, SCALE, folder, traces=folder)


def main() -> None:
    with TemporaryDirectory() as folder:
        plans = [planned(name, Path(folder)) for name in TEN]
        trips = perform_all(plans, round_trip, jobs=2, done=lambda *_: None)
    head = (
        "| scenario | faults | inferred | link events again | farthest in time | findings again | verdict |",
        "|---" * 7 + "|",
    )
    sys.stdout.write("\n".join([*head, *map(str, trips), ""]))
    sys.exit(any(trip.verdict != "reproduced" for trip in trips))


if __name__ == "__main__":
    main()
