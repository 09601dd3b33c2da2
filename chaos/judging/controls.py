"""Controls, judged: each is obeyed once, answered once and in its place, and no other than those.            pure"""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType

from chaos.judging.carried import surely_came
from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator import events as peer
from simulator.controls import REFUSED, RULES_REPLIES
from tracker import events

REPLIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pause_output": ("output_paused",),
        "resume_output": ("output_resumed",),
        "update_parameters": RULES_REPLIES,
        "get_status": ("status_response",),
        "stop": ("stop_acknowledged",),
    }
)
"""What may answer which control. A reset has no answer: it is told by the next output, and judged as the input's are."""
GOES_ON_WITHIN = 1.0
"""Seconds after a resume in which a frame that comes must bring an output."""


def controls(facts: Facts, scenario: Scenario) -> Check | None:
    """What a healthy control link carried is obeyed and answered, in order; what the input carried is not.

    While outputs are paused none but replies come, afterwards they go on, and a rule that was asked for is in force.
    """
    offered = list(facts.history.of(peer.ControlOffered))
    if not offered:
        if not scenario.controls:
            return None
        return Check("controls", "unknown", "controls that reach the client", "none was sent to it")
    obeyed = [event.kind for event in facts.history.of(events.Controlled)]
    told = sorted(
        {e.seq: e.reply for e in facts.deliveries if e.reply not in ("", REFUSED) and not e.repeat}.items(),
    )
    expected = f"{len(obeyed)} controls obeyed, each answered once and in its place"
    wrong = (
        _not_as_offered(facts, offered, obeyed)
        or _not_as_obeyed(obeyed, [reply for _, reply in told], open_end=bool(facts.missing))
        or _not_paused(facts, told)
        or _not_in_force(facts, offered)
    )
    if wrong:
        return Check("controls", "fail", expected, wrong)
    unanswered = len(obeyed) - len(told)
    if unanswered > len(facts.declared_left):
        return Check("controls", "unknown", expected, f"{unanswered} replies were still in flight at the end")
    left = f", {unanswered} replies left at the end" if unanswered else ""
    ignored = sum(event.link == "input" for event in offered)
    aside = f", {ignored} on the input left alone" if ignored else ""
    return decided("controls", ok=True, expected=expected, observed=f"{len(told)} answered{left}{aside}")


def _not_as_offered(facts: Facts, offered: list[peer.ControlOffered], obeyed: list[str]) -> str | None:
    """What was obeyed is what the control link carried, in that order; only what a fault may have lost is left out."""
    waiting = list(obeyed)
    for event in offered:
        if event.link != "control" or event.kind not in REPLIES:
            continue
        if waiting and waiting[0] == event.kind:
            del waiting[0]
        elif surely_came(facts, event.t, event.link, event.connection):
            return f"{event.kind}, sent at {event.t:.1f} s, was not obeyed, or not in its turn"
    return f"{waiting[0]} was obeyed, and was not sent over the control link" if waiting else None


def _not_as_obeyed(obeyed: list[str], told: list[str], *, open_end: bool) -> str | None:
    """Replies come in the order of what was obeyed; the last may be missing where outputs are, too."""
    due = [REPLIES[kind] for kind in obeyed]
    for answer, reply in zip(due, told, strict=False):
        if reply not in answer:
            return f"{reply} came where {' or '.join(answer)} was due"
    if len(told) > len(due):
        return f"{told[len(due)]} came, and nobody had asked"
    if len(told) < len(due) and not open_end:
        return f"{' or '.join(due[len(told)])} never came"
    return None


def _not_paused(facts: Facts, told: list[tuple[int, str]]) -> str | None:
    """No state of the session between the reply to a pause and the reply to a resume; and one soon after that."""
    states = sorted(event.seq for event in facts.deliveries if not event.reply)
    paused: int | None = None
    for seq, reply in told:
        if reply == "output_paused" and paused is None:
            paused = seq
        elif reply == "output_resumed" and paused is not None:
            between = [state for state in states if paused < state < seq]
            if between:
                return f"{len(between)} outputs came during a pause, the first is seq {between[0]}"
            paused = None
            resumed = facts.accepted.get(seq, inf)
            paused_again = (begin for begin, _ in facts.output_pauses if begin > resumed)
            until = min(resumed + GOES_ON_WITHIN, next(paused_again, inf))
            came = any(resumed <= event.t < until for event in facts.history.of(events.Received))
            if (
                came
                and until < facts.stopping - IN_FLIGHT
                and not any(resumed <= facts.accepted.get(state, inf) <= until for state in states)
            ):
                return f"no output within {GOES_ON_WITHIN:g} s of output_resumed, seq {seq}"
    if paused is not None and (late := [state for state in states if state > paused]):
        return f"{len(late)} outputs came during a pause, the first is seq {late[0]}"
    return None


def _not_in_force(facts: Facts, offered: list[peer.ControlOffered]) -> str | None:
    """Each reply to `update_parameters` tells the rules that were asked for, and leaves the others as they were."""
    asked = [e for e in offered if e.link == "control" and e.kind == "update_parameters"]
    answers = list(facts.history.of(peer.Parameters))
    if len(answers) != len(asked):
        return None  # one was lost with its connection: nobody can say which of them an answer answers
    before: peer.Parameters | None = None
    for want, have in zip(asked, answers, strict=True):
        for name in ("proximity_threshold", "touch_duration"):
            due = getattr(want, name)
            if due is None:
                due = getattr(before, name, None)
            if due is not None and getattr(have, name) != due:
                return f"{name} is {getattr(have, name)} after update_parameters asked for {due}"
        before = have
    return None
