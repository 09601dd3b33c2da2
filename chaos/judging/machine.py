"""What is the doing of the machine that all of a run is made on: it stood still, or was too slow.                  pure"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chaos.faults import Fault
from chaos.history import History, StoodStill
from chaos.judging.evidence import Window, evidence, windows
from chaos.judging.verdicts import HOST_PAUSED, HOST_SLOW, Check
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

TIMED = frozenset(
    {"detect", "no-false-kill", "recover", "polite", "clean-stop", "silence", "spread", "probes"}
)
"""Checks that a pause of the machine can turn red. What was lost, reordered or changed was so on any machine."""
FOLLOWING = "every-frame"
"""The check that a connection which the machine ended turns red too: what was on its way then is not received."""
KEPT_UP = 0.9
"""The share of the frames offered that a client which keeps up has taken by the end of a burst."""


def in_doubt(checks: Iterable[Check], history: History, scenario: Scenario) -> Iterator[Check]:
    """The checks. What was too late, or looked dead, on a machine that stood still says nothing about the client."""
    checks = list(checks)
    doubtful = False
    excused = _excused(checks) if history.first(StoodStill) is not None else frozenset()
    for check in checks:
        wrongly = check.verdict == "fail" and check.name in excused
        judged = replace(check, verdict="unknown") if wrongly else check
        doubtful |= judged.verdict == "unknown"
        yield judged
    if doubtful:
        yield from (check for check in (paused(history), too_slow(history, scenario)) if check is not None)


def _excused(checks: Iterable[Check]) -> frozenset[str]:
    """The checks that a pause may have turned red."""
    ended = any(check.name == "no-false-kill" and check.verdict == "fail" for check in checks)
    return TIMED | {FOLLOWING} if ended else TIMED


def paused(history: History) -> Check | None:
    """That the machine stood still; None where it did not."""
    stood = list(history.of(StoodStill))
    if not stood:
        return None
    longest = max(stood, key=lambda event: event.seconds)
    return Check(
        HOST_PAUSED,
        "unknown",
        "a machine that runs the laboratory without a pause",
        f"it stood still for {longest.seconds:.1f} s of scenario time, up to {longest.t:.1f} s"
        f"{f', and {len(stood) - 1} times more' if len(stood) > 1 else ''}",
    )


def too_slow(history: History, scenario: Scenario) -> Check | None:
    """That the peer could not offer what a burst asks for, although the client took what there was; None where it could."""
    if history.engine == "sim" or scenario.workload.clients > 1:
        return None  # virtual time waits; and of several clients it is not told who took which frame
    faults = scenario.paced.faults
    for index, during in windows(history, faults).items():
        fault = faults[index]
        if fault.kind != "burst" or evidence(history, fault, during) is not None:
            continue
        offered = sum(event.t in during for event in history.of(peer.Offered))
        if _taken(history, during) >= KEPT_UP * offered:
            return _slow(fault, offered / (during.end - during.begin))
    return None


def _slow(fault: Fault, rate: float) -> Check:
    return Check(
        HOST_SLOW,
        "unknown",
        f"a machine fast enough for {fault}",
        f"this machine could not make the burst: {rate:.0f} frames a second went out",
    )


def _taken(history: History, during: Window) -> int:
    """Frames that the client is known to have taken meanwhile."""
    if history.role == "tracker":
        return sum(event.t in during for event in history.of(events.Received))
    return sum(event.t in during for event in history.of(peer.Delivered))
