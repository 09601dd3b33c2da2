"""How soon a dead output link is given up, and that a slow one is not: over many seeds, on virtual time; exits 0.

    python bench/detection.py

The tracker with its default configuration over a path with a round trip of 100 ms, whose output falls silent, or turns
slow, at a moment that the seed decides. Times are virtual seconds, so a busy machine changes nothing.
"""

from collections.abc import Iterable
from pathlib import Path
from random import Random
from statistics import quantiles

from chaos.faults import Fault, read_fault
from chaos.judging.facts import Facts
from chaos.judging.peer_facts import facts_of
from chaos.runner import Plan, make_history
from chaos.scenario import Scenario, Workload
from tracker.events import Answered

SEEDS = 200
ONE_WAY_MS = 50
SLOW_MS = 1450
"""One direction of a path just below the 3 s that a link may take."""


def facts(seed: int, *faults: Fault) -> Facts:
    """Of one run in which these faults strike a path that has its latency from the start."""
    always = read_fault({"kind": "latency", "at": "0s", "on": "output", "latency": ONE_WAY_MS})
    scenario = Scenario("bench", "-", ("detect",), 22.0, workload=Workload(fps=10), faults=(*always, *faults))
    history = make_history(Plan(scenario, "sim", seed, 1.0, Path()))
    return facts_of(history, scenario.faults)


def moment(seed: int) -> str:
    return f"{Random(seed).randint(8000, 10000)}ms"


def dead(seed: int) -> float:
    fault = read_fault({"kind": "stall", "at": moment(seed), "on": "output"})
    return max(facts(seed, *fault).detections)


def killed_by_slowness(seed: int) -> int:
    fault = read_fault(
        {"kind": "latency", "at": moment(seed), "on": "output", "latency": SLOW_MS - ONE_WAY_MS}
    )
    found = facts(seed, *fault)
    slowest = max(event.rtt for event in found.history.of(Answered))
    assert slowest >= 2 * SLOW_MS / 1000, f"no round trip took longer than {slowest:.2f} s"
    return len(found.false_kills)


def told(took: Iterable[float]) -> str:
    ordered = sorted(took)
    cuts = quantiles(ordered, n=100)
    return f"median {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, at most {ordered[-1]:.2f} s"


def main() -> None:
    print(f"\na dead output link, round trip {2 * ONE_WAY_MS} ms, {SEEDS} seeds: given up after")
    print(f"  {told(map(dead, range(SEEDS)))}")
    print("contract: p99 <= 5 s\n")
    kills = sum(map(killed_by_slowness, range(SEEDS)))
    print(f"a round trip that jumps from {2 * ONE_WAY_MS} ms to {2 * SLOW_MS} ms, {SEEDS} seeds:")
    print(f"  {kills} links given up\ncontract: none below 3 s\n")


if __name__ == "__main__":
    main()
