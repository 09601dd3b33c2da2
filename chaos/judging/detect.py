"""`detect`: a dead link is given up within the bound.   pure"""

from math import inf

from chaos.judging.evidence import evidence
from chaos.judging.facts import Facts
from chaos.judging.limits import DETECT_WITHIN, detection_limit
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from chaos.timeline.observed import Connection
from tracker import events

_SLACK = 0.5
"""Seconds by which a verdict may be late: the watch looks at a heartbeat."""
COUNTED_EVERY = 2.0
"""Seconds after which a client has certainly told of the bytes that had come before."""


def by_reports(facts: Facts, scenario: Scenario) -> Check | None:
    """A connection that falls silent is given up within the bound, and one on which only the answers fail to come within
    the client's own ceiling: while bytes arrive it is not dead, whatever goes the other way. What the scenario says of it
    comes first.

    A link that was down anyway had nothing to detect, and neither had a connection that ended by itself, nor one
    that was healed before the bound. A toxicity below 1 may have spared it.
    """
    silent = detection_limit(scenario)
    took, late = [], []
    longest = silent
    for strike in facts.strikes:
        if not strike.silences or strike.fault.toxicity < 1:
            continue
        lasts_until = min(strike.during.end, facts.stopping)
        for connection in filter(strike.strikes, facts.connections):
            since = strike.silent_since(connection)
            limit = silent
            if scenario.expect.detect_within is None and _lives(facts, connection, since, lasts_until):
                limit = max(silent, _ceiling(facts))
            longest = max(longest, limit)
            due = facts.due(since, limit)
            ended = inf if connection.closed is None else connection.closed.t
            if since <= ended <= due:
                if connection.closed is not None and connection.closed.by == "client":
                    took.append(ended - since)
            elif ended > since and lasts_until >= due:
                late.append((strike, due))
    expected = f"a silent link given up within {longest:g} s"
    if late:
        strike, due = late[0]
        if all(evidence(facts.history, s.fault, s.during) is None for s, _ in late):
            return Check("detect", "unknown", expected, f"nothing fell silent: {strike.fault}")
        return Check("detect", "fail", expected, f"not in time: {strike.fault}", due)
    if not took:
        return None
    return Check("detect", "pass", expected, f"given up after {max(took):.2f} s at most")


def _ceiling(facts: Facts) -> float:
    """Seconds for which a client bears a link on which something comes, and nothing is answered."""
    timing = facts.history.settings.get("timing", {})
    return float(timing.get("probe_ceiling", DETECT_WITHIN)) + 2 * float(timing.get("probe_interval", 0.0))


def _lives(facts: Facts, connection: Connection, since: float, until: float) -> bool:
    """Whether bytes still came over it when it should have been silent: what comes every second counts what came before."""
    return any(
        event.received and since + COUNTED_EVERY < event.t <= until
        for event in facts.history.of(events.Carried)
        if event.link == connection.link and event.connection == connection.number
    )


def by_peer(facts: PeerFacts, scenario: Scenario) -> Check | None:
    """A connection that falls silent is given up within the bound: its socket is closed, or the next attempt begins.

    What the healing of the fault does is nobody's detection. Where the client's sockets are not seen, it is as far as the
    peer can see it: one that goes on after a longer silence was never given up. A handshake into a silent network has no answer yet: to
    the client it is no connection, and how long one may take, nobody promised.
    """
    limit = detection_limit(scenario)
    expected = f"a silent link given up within {limit:g} s"
    took: list[float] = []
    late: list[tuple[float, float]] = []  # for how long it was kept, and when it was due to be given up
    for strike in facts.strikes:
        if not strike.silences or strike.fault.toxicity < 1:
            continue
        silent_until = min(strike.during.end, facts.stopping)
        for connection in filter(strike.strikes, facts.connections):
            ended = None if connection.closed is None else connection.closed.t
            since = strike.silent_since(connection)
            if strike.fault.spec.where == "network" and connection.opened > strike.during.begin:
                continue
            due = facts.due(since, limit)
            if silent_until < due or (ended is not None and ended <= since):
                continue
            seconds = facts.given_up_after(strike, connection)
            if seconds is not None:
                if since + seconds <= due:
                    took.append(seconds)
                else:
                    late.append((seconds, due))
            elif facts.history.sockets_seen != "none" or facts.outlived(strike, connection):
                late.append((silent_until - since, due))
    if late:
        longest, due = max(late)
        return Check("detect", "fail", expected, f"still there after {longest:.2f} s of silence", due)
    if not took:
        return None
    return Check("detect", "pass", expected, f"given up, or connected anew, after {max(took):.2f} s at most")


def by_trace(facts: Facts) -> Check | None:
    """A silent link is given up within the configured bound."""
    history = facts.history
    died = list(history.of(events.Died))
    if not died:
        return None
    timing = history.settings.get("timing", {})
    limit = max(timing.get("probe_ceiling", DETECT_WITHIN), timing.get("write_timeout", 0.0))
    worst = max(died, key=lambda event: event.silence)
    return decided(
        "detect",
        ok=worst.silence <= limit + _SLACK,
        expected=f"a silent link given up within {limit:g} s",
        observed=f"after {worst.silence:.2f} s at most, on {worst.link} at {worst.t:.1f} s: {worst.cause}",
    )
