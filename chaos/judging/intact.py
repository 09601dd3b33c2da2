"""`intact`: what a client sends on is what was offered to it before, as it came.                                    pure"""

from chaos.judging.facts import ON_TIME
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, some
from chaos.scenario import Scenario
from simulator import events as peer


def by_peer(facts: PeerFacts, _: Scenario) -> Check | None:
    """Each frame that arrived had been offered before, and it says what was offered, however it is spelt.

    Who changes every body does so on purpose: those are then not judged, and that is said.
    """
    if not facts.history.sends_on or not facts.deliveries:
        return None
    expected = "frames that had been offered before, as they were"
    invented = _invented(facts)
    if invented:
        first = invented[0]
        return Check(
            "intact",
            "fail",
            expected,
            f"{len(invented)} had not been offered when they arrived: the first is {first.seq}, at {first.t:.1f} s",
            first.t,
        )
    contents: dict[int, set[int]] = {}
    for event in facts.history.of(peer.Offered):
        if event.content:
            contents.setdefault(event.sequence, set()).add(event.content)
    known = [event for event in facts.deliveries if event.seq in contents and event.content]
    wrong = [event for event in known if event.content not in contents[event.seq]]
    changed = [event.seq for event in wrong]
    if not known or len(changed) == len(known):
        why = "the client changes every body" if known else "nobody took down what was offered"
        return Check("intact", "note", expected, f"each had been offered; bodies not judged: {why}")
    if changed:
        return Check(
            "intact",
            "fail",
            expected,
            f"{len(changed)} of {len(known)} bodies were changed: {some(changed)}",
            wrong[0].t,
        )
    return Check("intact", "pass", expected, f"{len(known)} as they came")


def _invented(facts: PeerFacts) -> list[peer.Delivered]:
    """What arrived before anything of its number had been offered, or without."""
    first: dict[int, float] = {}
    for event in facts.history.of(peer.Offered):
        first.setdefault(event.sequence, event.t)
    return [event for event in facts.deliveries if first.get(event.seq, event.t + 1) > event.t + ON_TIME]
