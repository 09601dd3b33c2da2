"""All promises, each with its judges: by a client's own reports, by what its peer saw, by a trace alone.      pure

A check says `pass`, `fail` or `unknown`; nothing observed is `unknown`, never `pass`. None means that there is nothing to
which the promise applies, or that it cannot be known from that side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.adaptation import BY_NUMBER
from chaos.history import History
from chaos.judging import (
    bounded,
    clean_stop,
    dedup_safe,
    detect,
    in_order,
    intact,
    no_false_kill,
    no_loss,
    polite,
    recover,
    same_climb,
    single,
    survives_input,
)
from chaos.judging.facts import Facts
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check
from chaos.scenario import NO_SCENARIO, Scenario


def _never(*_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Judges:
    """Of one promise, one for each side from which it is seen."""

    by_reports: Callable[[Facts, Scenario], Check | None]
    by_peer: Callable[[PeerFacts, Scenario], Check | None]
    by_trace: Callable[[Facts], Check | None] = _never


CHECKS: Mapping[str, Judges] = {
    "no-loss": Judges(no_loss.by_reports, no_loss.by_peer, no_loss.by_trace),
    "in-order": Judges(in_order.by_arrivals, in_order.by_arrivals, in_order.by_trace),
    "intact": Judges(_never, intact.by_peer),
    "dedup-safe": Judges(dedup_safe.by_reports, dedup_safe.by_peer, dedup_safe.by_trace),
    "bounded": Judges(bounded.by_reports, _never, lambda facts: bounded.by_reports(facts, NO_SCENARIO)),
    "detect": Judges(detect.by_reports, detect.by_peer, detect.by_trace),
    "no-false-kill": Judges(no_false_kill.by_ends, no_false_kill.by_ends, no_false_kill.by_trace),
    "single": Judges(single.by_sockets, single.by_sockets),
    "recover": Judges(recover.by_reports, recover.by_peer),
    "polite": Judges(polite.by_reports, polite.by_peer, polite.by_trace),
    "clean-stop": Judges(
        clean_stop.by_reports, clean_stop.by_peer, lambda facts: clean_stop.by_reports(facts, NO_SCENARIO)
    ),
    "same-climb": Judges(same_climb.same_climb, same_climb.same_climb),
    "survives-input": Judges(
        survives_input.by_reports,
        survives_input.by_peer,
        lambda facts: survives_input.by_reports(facts, NO_SCENARIO),
    ),
}

_INSIDE = frozenset({"bounded", "same-climb"})


def seen_from_outside(history: History) -> frozenset[str]:
    """The promises that can be judged of a client that reports nothing: not what its buffers hold and what it makes of a
    pose, nor by number what has none.
    """
    numbered = history.role != "receiver" and history.numbering != "none"
    unnumbered = frozenset() if numbered else frozenset(BY_NUMBER)
    return frozenset(CHECKS) - _INSIDE - unnumbered - (frozenset() if history.sends_on else {"intact"})
