"""Beyond the promises: nothing gets lost before the outbox, and the sink never hears nothing for too long.   pure"""

from math import inf

from chaos.judging.evidence import BAD_MESSAGES
from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.limits import on_the_way
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events


def every_frame(facts: Facts, scenario: Scenario) -> Check | None:
    """Nothing gets lost before the outbox either: each frame offered over a healthy input becomes an output.

    A recording may hold frames that nobody can use; a generated climb holds none.
    """
    if facts.history.first(events.Received) is None:
        return None
    unread, idle = passed_over(facts)
    refused = 0 if scenario.workload.recording else good_refused(facts)
    return decided(
        "every-frame",
        ok=unread <= 0 and idle <= 0 and refused <= 0,
        expected="every frame of a healthy input received, and an output accepted for each",
        observed=f"{unread} were not received, {idle} received ones gave no output, {refused} good ones were refused"
        if unread or idle or refused > 0
        else "all of them",
    )


def silence(facts: Facts, scenario: Scenario) -> Check | None:
    """The sink never hears nothing for longer than the scenario allows."""
    limit = scenario.expect.longest_silence
    if limit is None:
        return None
    limit += on_the_way(scenario)
    expected = f"no {limit:g} s without a delivery"
    longest = facts.longest_silence
    if longest is None:
        return Check("silence", "unknown", expected, "the run was never steady")
    return decided(
        "silence",
        ok=longest <= limit,
        expected=expected,
        observed=f"{longest:.2f} s at most",
        at=_middle(facts),
    )


def _middle(facts: Facts) -> float | None:
    """Of the longest silence: a moment at which it surely was silent."""
    return None if facts.longest_gap is None else sum(facts.longest_gap) / 2


def passed_over(facts: Facts) -> tuple[int, int]:
    """Frames that never reached the client over an undisturbed input, and frames that it made no output of.

    What was offered just before the stop is indefinite.
    """
    received = {event.sequence for event in facts.history.of(events.Received)}
    settled = facts.stopping - IN_FLIGHT
    offered = [event.sequence for event in facts.history.of(peer.Offered) if event.t < settled]
    undisturbed = not any(strike.concerns("input") for strike in facts.strikes)
    unread = sum(sequence not in received for sequence in offered) if undisturbed else 0
    taken = _frames_for_output(facts)
    # Of the refused, those that were frames: the bad messages beside them never counted as received.
    given_up = sum(e.link == "input" and e.reason == "stopping" for e in facts.history.of(events.Rejected))
    refused = max(0, good_refused(facts)) + given_up
    never_accepted = len(facts.displaced - facts.accepted.keys())
    replies = sum(1 for _ in facts.history.of(events.Controlled))
    replies += sum(event.answered is True for event in facts.history.of(events.Rejected))
    return unread, taken - refused - never_accepted - (len(facts.accepted) - replies)


def _frames_for_output(facts: Facts) -> int:
    """Frames received while outputs were not paused, up to the one for which a full outbox had no room at the end."""
    frames, paused = 0, False
    stop = facts.history.first(events.Stopping)
    last = max(facts.accepted.values(), default=inf)
    full = last if stop is not None and stop.cause == "outbox-full" else inf
    for event in facts.history.among(events.Received, events.Controlled):
        if event.t > full:
            break
        if isinstance(event, events.Controlled) and event.kind in ("pause_output", "resume_output"):
            paused = event.kind == "pause_output"
        elif isinstance(event, events.Received):
            frames += not paused
    return frames


def good_refused(facts: Facts) -> int:
    """Frames that the client refused, beyond the bad messages that the peer sent; below 0: some never came."""
    refused = sum(e.link == "input" and e.reason != "stopping" for e in facts.history.of(events.Rejected))
    bad = sum(e.link == "input" and e.kind in BAD_MESSAGES for e in facts.history.of(peer.Misbehaved))
    controls = sum(event.link == "input" for event in facts.history.of(peer.ControlOffered))
    return refused - bad - controls
