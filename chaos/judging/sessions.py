"""Resets of the session, judged.                                                                             pure"""

from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.verdicts import Check
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events


def every_reset(facts: Facts, _: Scenario) -> Check | None:
    """Each reset that a healthy input carried is taken, and announced in one output: the next one."""
    history = facts.history
    offered = [event.t for event in history.of(peer.ResetOffered) if event.t < facts.stopping - IN_FLIGHT]
    taken = sum(event.link == "input" for event in history.of(events.SessionReset))
    due = _due(facts)
    told = [event.seq for event in facts.deliveries if event.reset and not event.repeat]
    if not (offered or due or told):
        return None
    expected = f"{len(due)} resets taken, each told once, by the next output"
    disturbed = any(strike.concerns("input") for strike in facts.strikes)
    if taken < len(offered) and not disturbed:
        return Check("every-reset", "fail", expected, f"{len(offered) - taken} of {len(offered)} not taken")
    absent = [seq for seq in due if seq not in told]
    wrong = sorted({seq for seq in told if told.count(seq) > 1 or seq not in due})
    if wrong or not facts.missing.issuperset(absent):
        return Check("every-reset", "fail", expected, f"told by {told}, due in {due}")
    if absent and not facts.declared_left.issuperset(absent):
        return Check("every-reset", "unknown", expected, f"{len(absent)} were still in flight at the end")
    left = f", {len(absent)} left at the end" if absent else ""
    return Check("every-reset", "pass", expected, f"{len(told)} told{left}")


def _due(facts: Facts) -> list[int]:
    """The outputs that must tell of a reset: the first after each. Two in a row are told as one."""
    found = []
    waiting = False
    for event in facts.history.events:
        if isinstance(event, events.SessionReset):
            waiting = True
        elif isinstance(event, events.Accepted) and waiting:
            found.append(event.seq)
            waiting = False
    return found
