"""`clean-stop`: the stop flushes within a deadline, says goodbye, and its accounts are right.                    pure"""

from math import inf

from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.limits import on_the_way
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

STOP_GRACE = 1.0
"""Seconds that an orderly stop may take beyond what it waits for."""
ROUND_TRIPS = 3
"""Of a healthy stop: the inputs are closed, the last probe is answered, the output is closed."""


def by_reports(facts: Facts, scenario: Scenario) -> Check | None:
    """Where the connection is healthy, all is flushed in about a round trip, and it is closed with 1001.

    Where there was no connection to flush over, or a fault in force, the client's deadline holds, and it says what is left;
    no more can be asked. What it says must add up, and what is left must have had its time.
    """
    history = facts.history
    stopping, stopped = history.first(events.Stopping), history.first(events.Stopped)
    if stopping is None:
        return None
    if stopped is None:
        return Check("clean-stop", "fail", "an orderly end", "the client never came to an end", stopping.t)
    took = stopped.t - stopping.t
    ends = [e for e in history.of(events.Closed) if e.t >= stopping.t and e.link == "output"]
    codes = [e.code for e in ends]
    who = "".join(f" by {e.by}" for e in ends if e.by != "tracker")
    observed = f"close codes {codes}{who}, {stopped.undelivered} undelivered, {took:.2f} s"
    deadline = _deadline(facts)
    if _connected(facts, "output") and not _struck(facts, "output", stopping.t, stopped.t):
        limit = min(deadline, _healthy(facts, scenario, stopping.t, stopped.t))
        expected = f"flushed, closed with 1001, nothing undelivered{_within(limit)}"
        ok = codes == [1001] and not who and not stopped.undelivered
    else:
        limit, ok = deadline, True
        expected = f"an end{_within(limit)} that says what is left: no healthy connection to flush over"
    if not ok or took > limit:
        return Check("clean-stop", "fail", expected, observed, stopping.t)
    if (wrong := _miscounted(facts, stopping, stopped)) is not None:
        return Check("clean-stop", "fail", expected, f"{observed}; {wrong}", stopping.t)
    if (wrong := _too_early(facts, stopped, took)) is not None:
        return Check("clean-stop", "fail", expected, f"{observed}; {wrong}", stopping.t)
    return Check("clean-stop", "pass", expected, observed)


def by_peer(facts: PeerFacts, _: Scenario) -> Check | None:
    """At the stop each connection is ended with a close frame, where nothing was in the way.

    Whatever its code: the run's end is a cancellation or a signal, and libraries have codes of their own for those.
    """
    open_then = {connection.number for connection in facts.connections if connection.closed is None}
    if facts.history.phase("stopping") is None or not open_then:
        return None
    if any(during.end >= facts.stopping for _, during in facts.in_force):
        return None
    ends = [event for event in facts.history.of(peer.Ended) if event.connection in open_then]
    farewells = sum(event.by == "client" for event in ends)
    seen = ", ".join(f"{event.code} by the {event.by} on {event.link}" for event in ends)
    return decided(
        "clean-stop",
        ok=farewells == len(open_then),
        expected=f"all {len(open_then)} connections ended by the client with a close frame",
        observed=seen or "no end of any",
        at=facts.stopping,
    )


def _within(limit: float) -> str:
    return "" if limit == inf else f" within {limit:.2f} s"


def _deadline(facts: Facts) -> float:
    timing = facts.history.settings.get("timing", {})
    return float(timing.get("flush_timeout", inf) + timing.get("close_timeout", inf) + STOP_GRACE)


def _healthy(facts: Facts, scenario: Scenario, stopping: float, stopped: float) -> float:
    """Seconds for a stop that nothing is in the way of; infinite where something was, on whichever link, or had just been."""
    timing = facts.history.settings.get("timing", {})
    # A link that has no connection has none to say goodbye over.
    links = {connection.link for connection in facts.connections if connection.closed is None}
    if "barrier_interval" not in timing:
        return inf
    if any(_struck(facts, link, stopping - IN_FLIGHT, stopped) for link in links):
        return inf
    trips = [e.rtt for e in facts.history.of(events.Answered) if stopping - IN_FLIGHT <= e.t <= stopped]
    if not trips:
        return inf
    return float(timing["barrier_interval"]) + ROUND_TRIPS * max(trips) + STOP_GRACE + on_the_way(scenario)


def _connected(facts: Facts, link: str) -> bool:
    return any(c.link == link and c.closed is None for c in facts.connections)


def _struck(facts: Facts, link: str, begin: float, end: float) -> bool:
    """Whether any fault of the link, or of all of them, was in force in this time."""
    return any(
        fault.on in (None, link) and during.begin <= end and during.end > begin
        for fault, during in facts.in_force
    )


def _miscounted(facts: Facts, stopping: events.Stopping, stopped: events.Stopped) -> str | None:
    """Where what the client says it still held is not what it had accepted and neither displaced nor let go."""
    if facts.history.phase("stopping") is None:
        return None  # a trace may begin in the middle
    for event, says in ((stopping, stopping.left), (stopped, stopped.undelivered)):
        held = _held_at(facts, event)
        if held != says:
            return f"it says that it held {says} at {event.t:.1f} s, and its own account comes to {held}"
    absent = len(facts.missing)
    if absent > stopped.undelivered and not facts.forgets:
        return f"{absent} never arrived, and it says that it left {stopped.undelivered}"
    return None


def _too_early(facts: Facts, stopped: events.Stopped, took: float) -> str | None:
    """Whatever is left, the client must have had no time more for it, or a refusal for good in its way."""
    timeout = facts.history.settings.get("timing", {}).get("flush_timeout")
    refused = any(event.fatal and event.link == "output" for event in facts.history.of(events.Refused))
    if not stopped.undelivered or timeout is None or refused or took >= 0.99 * timeout:
        return None
    return f"it left them after {took:.2f} s, and had {timeout:g} s"


def _held_at(facts: Facts, moment: events.Event) -> int:
    """How many messages the outbox held when this event was reported, by the client's own account."""
    held: set[int] = set()
    count = 0
    kinds = (events.Accepted, events.Displaced, events.Confirmed, events.Sent, type(moment))
    for event in facts.history.among(*kinds):
        if event is moment:
            break
        if isinstance(event, events.Accepted):
            held.add(event.seq)
            count += 1
        elif isinstance(event, events.Displaced):
            count -= event.seq in held
        elif isinstance(event, events.Confirmed):
            count -= event.count
        elif isinstance(event, events.Sent) and facts.forgets:
            count -= 1
    return count
