"""A record judged: what it needs to prove anything, then every promise.                                     pure

Nothing observed is `unknown`, never `pass`: a fault without a trace makes the run unknown, and so does a promise
that the scenario stresses and the record holds nothing about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from chaos.evidence import Window, evidence, misbehaviour
from chaos.facts import Facts
from chaos.faults import Fault
from chaos.history import Broke, History
from chaos.promises import PROMISE_CHECKS, every_frame, silence
from chaos.scenario import Scenario
from chaos.verdicts import Check, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """All checks of one run, and the verdict that follows: the worst of them."""

    verdict: Verdict
    checks: tuple[Check, ...]


def judge(history: History, scenario: Scenario) -> Judgement:
    """Every promise that applies to the record; none where the record is not one of a whole run."""
    start = lived(history)
    if start.verdict == "unknown":
        return Judgement("unknown", (start,))
    facts = Facts(history, scenario.faults)
    checks = [start, *traces(facts, scenario)]
    for name, promise in PROMISE_CHECKS.items():
        check = promise(facts, scenario)
        if check is None and name in scenario.stresses:
            check = Check(
                name, "unknown", "something to judge", "nothing in the record is about this promise"
            )
        if check is not None:
            checks.append(check)
    checks += [check for beyond in (every_frame, silence) if (check := beyond(facts, scenario)) is not None]
    verdicts = {check.verdict for check in checks}
    worst: Verdict = "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
    return Judgement(worst, tuple(checks))


# What a record needs before it can prove anything


def lived(history: History) -> Check:
    """It was steady before the faults, and neither the client nor the laboratory broke."""
    expected = "a healthy start, and a client and a laboratory that last to the end"
    broke = history.first(Broke)
    if broke is not None:
        verdict: Verdict = "fail" if broke.who == "client" else "unknown"
        return Check("lived", verdict, expected, f"the {broke.who} failed: {broke.what}")
    steady = history.phase("steady")
    if steady is None:
        return Check("lived", "unknown", expected, "no output arrived before the first fault was due")
    return Check("lived", "pass", expected, f"steady after {steady:.1f} s")


def traces(facts: Facts, scenario: Scenario) -> Iterator[Check]:
    """Every fault, and every standing misbehaviour of the peer, visibly did something."""
    history = facts.history
    found: dict[str, str | None] = {}
    if scenario.peer.echo:
        found["echo all along"] = misbehaviour(history, Fault("echo", 0.0, None, "output"), Window(0.0, inf))
    found |= {str(fault): None for fault in scenario.faults}
    found |= {str(fault): evidence(history, fault, during) for fault, during in facts.in_force}
    if not found:
        return
    without = [what for what, trace in found.items() if trace is None]
    yield Check(
        "evidence",
        "unknown" if without else "pass",
        "every fault leaves a trace in the record",
        f"none of: {'; '.join(without)}" if without else "; ".join(f"{w}: {t}" for w, t in found.items()),
    )
