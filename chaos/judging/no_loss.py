"""`no-loss`: what the outbox accepted reaches the peer's endpoint.   pure"""

from itertools import islice
from math import inf

from chaos.history import History
from chaos.judging import fire_and_forget
from chaos.judging.attempts import refused_for_good
from chaos.judging.facts import ON_TIME, Facts
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided, some
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events


def by_reports(facts: Facts, _: Scenario) -> Check | None:
    """Accepted and not displaced means delivered; what a client still held at its end is indefinite.

    It is none of the promise's where a fault kept the client from delivering it to its end, and the client says so.
    """
    if not facts.accepted:
        return None
    if facts.forgets:
        return fire_and_forget.no_loss(facts)
    displaced = len(facts.displaced & facts.accepted.keys())
    expected = (
        f"all {len(facts.accepted) - displaced} accepted and not displaced outputs at the peer's endpoint"
    )
    streams = {event.stream for event in facts.deliveries}
    if len(streams) > 1:  # a number alone then says nothing
        return Check("no-loss", "unknown", expected, f"deliveries of {len(streams)} streams in one run")
    early = premature(facts)
    if facts.lost or early:
        wrong = f"{len(facts.lost)} lost: seq {some(sorted(facts.lost))}"
        if not facts.lost:
            wrong = f"{len(early)} taken for confirmed before they had arrived: seq {some(early)}"
        first = min(facts.lost or early)
        return Check("no-loss", "fail", expected, wrong, facts.accepted.get(first))
    left = len(facts.declared_left)
    if len(facts.missing) > left:
        return Check("no-loss", "unknown", expected, f"{len(facts.missing)} were still in flight at the end")
    held = f", {left} left at the end, as it says" if left else ""
    return Check(
        "no-loss", "pass", expected, f"{len(facts.delivered)} delivered, {displaced} displaced{held}"
    )


def by_peer(facts: PeerFacts, scenario: Scenario) -> Check | None:
    """What surely reached the client is sent on, sooner or later; what had not come by then may still be in flight.

    After a refusal of the output for good nothing is owed any more.
    """
    if facts.history.numbering == "own":
        return _without_gaps(facts)
    if not facts.accepted:
        return None
    expected = f"all {len(facts.accepted)} frames that surely reached the client sent on to the sink"
    if facts.lost:
        first = min(facts.lost)
        return Check(
            "no-loss",
            "fail",
            expected,
            f"{len(facts.lost)} lost, the first is {first}",
            facts.accepted.get(first),
        )
    moot = ""
    if facts.missing:
        if not _refused_for_good(facts.history, scenario):
            left = f"{len(facts.missing)} were still in flight at the end"
            return Check("no-loss", "unknown", expected, left)
        moot = f", and {len(facts.missing)} had nowhere to go once the output was refused for good"
    return Check("no-loss", "pass", expected, f"{len(facts.delivered)} arrived{moot}")


def _refused_for_good(history: History, scenario: Scenario) -> bool:
    """Whether the peer turned the client away from the output with a status that no other attempt will change."""
    refused = any(e.kind == "refuse" and e.link == "output" for e in history.of(peer.Misbehaved))
    return refused and "output" in refused_for_good(scenario)


def _without_gaps(facts: PeerFacts) -> Check | None:
    """Of a client that counts its messages itself: each number between the first and the last that came."""
    if not facts.delivered:
        return None
    first, last = min(facts.delivered), max(facts.delivered)
    expected = f"every number from {first} to {last} of the client's own at the peer's endpoint"
    if not facts.counts_by_one:
        why = f"it does not count its messages by one: {len(facts.delivered)} numbers came"
        return Check("no-loss", "unknown", expected, why)
    return decided(
        "no-loss",
        ok=not facts.lost,
        expected=expected,
        observed=f"{len(facts.lost)} lost, the first is {min(facts.lost)}"
        if facts.lost
        else f"{len(facts.delivered)} arrived",
    )


def by_trace(facts: Facts) -> Check | None:
    """What was confirmed had arrived; what was still held at the end is indefinite."""
    history = facts.history
    if history.first(events.Accepted) is None:
        return None
    expected = "all accepted and not displaced outputs confirmed by the peer"
    if history.settings.get("confirm") == "none":
        return Check("no-loss", "unknown", expected, "nothing is confirmed with --confirm none")
    left = held_at_the_end(history)
    confirmed = sum(event.count for event in history.of(events.Confirmed))
    if left:
        return Check(
            "no-loss", "unknown", expected, f"{confirmed} confirmed, {left} not yet when the trace ends"
        )
    return Check("no-loss", "pass", expected, f"{confirmed} confirmed, as the client tells it")


def held_at_the_end(history: History) -> int:
    """How many outputs were accepted and neither confirmed nor displaced when the trace ends."""
    left = 0
    for event in history.events:
        if isinstance(event, events.Accepted):
            left += 1
        elif isinstance(event, events.Displaced):
            left -= 1
        elif isinstance(event, events.Confirmed):
            left = event.left
        elif isinstance(event, events.Stopped):
            left = event.undelivered
    return max(0, left)


def premature(facts: Facts) -> tuple[int, ...]:
    """Messages that the client took for confirmed before they had arrived, or that never did.

    Confirms come in the order of `seq`.
    """
    held: dict[int, None] = {}
    arrived: dict[int, float] = {}
    for arrival in facts.deliveries:
        arrived.setdefault(arrival.seq, arrival.t)
    found = []
    for event in facts.history.among(events.Accepted, events.Displaced, events.Confirmed):
        if isinstance(event, events.Accepted):
            held[event.seq] = None
        elif isinstance(event, events.Displaced):
            held.pop(event.seq, None)
        elif isinstance(event, events.Confirmed):
            for seq in list(islice(held, event.count)):
                del held[seq]
                if arrived.get(seq, inf) > event.t + ON_TIME:
                    found.append(seq)
    return tuple(found)
