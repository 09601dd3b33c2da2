"""`recover`: the first delivery after the path heals comes within one back-off delay plus a handshake.           pure

A client that had begun something when the path healed must first bring it to an end, and has the time for it that it had
before: what is left of noticing that the link is silent, and of a handshake that hangs. TCP too finds out late that a path
is whole again, for it tries ever more rarely.
"""

from dataclasses import replace
from math import inf

from chaos.faults import Fault
from chaos.judging.disruptions import Disruption, disruptions, ended_by, interrupted, recovery
from chaos.judging.facts import Facts
from chaos.judging.limits import detection_limit, on_the_way
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.strikes import WAITED_FOR
from chaos.judging.verdicts import Check
from chaos.kinds import LINKS, Link
from chaos.scenario import Scenario
from chaos.timeline.observed import Connection

LONGEST_BACKOFF = 60.0
"""Seconds that a well-behaved client may wait before an attempt, where nobody set it a limit."""
HANDSHAKE = 1.0
"""Seconds that a handshake over a healed path may take, beyond the back-off that was announced."""


def by_reports(facts: Facts, scenario: Scenario) -> Check | None:
    """Of each disruption that interrupted something and healed before the stop."""
    healed = [disruption for disruption in disruptions(facts) if disruption.end < facts.stopping]
    judged = [disruption for disruption in healed if interrupted(facts, disruption)]
    if not judged:
        return None
    worst: tuple[float, float] | None = None
    longest = 0.0
    for disruption in judged:
        took = recovery(facts, disruption)
        limit = _limit(
            facts, scenario, disruption, disruption.until if took is None else disruption.end + took
        )
        longest = max(longest, limit)
        what = "; ".join(str(strike.fault) for strike in disruption.strikes)
        if took is not None and took > limit:
            if (slowed := _slowed(facts, disruption, took)) is not None:
                why = f"{took:.2f} s after {what}; but what is sent waits on the way: {slowed}"
                return Check("recover", "unknown", _expected(limit), why)
            return Check("recover", "fail", _expected(limit), f"{took:.2f} s after {what}", disruption.end)
        if took is None and disruption.until - disruption.end >= limit:
            return Check("recover", "fail", _expected(limit), f"no delivery after {what}", disruption.end)
        if took is not None and (worst is None or took > worst[0]):
            worst = took, limit
    if worst is None:
        never = "no delivery yet, and the path did not stay healed for so long"
        return Check("recover", "unknown", _expected(longest), never)
    return Check("recover", "pass", _expected(worst[1]), f"{worst[0]:.2f} s at most")


def _slowed(facts: Facts, disruption: Disruption, took: float) -> Fault | None:
    """A fault so mild that it excuses no lost connection, under which a handshake takes longer all the same."""
    back = disruption.end + took
    return next(
        (
            fault
            for fault, during in facts.in_force
            if fault.spec.severs
            and not fault.severs
            and (fault.on in disruption.links or fault.on is None)
            and during.begin < back
            and during.end > disruption.end
        ),
        None,
    )


def by_peer(facts: PeerFacts, scenario: Scenario) -> Check | None:
    """Nobody announced a delay: the limit is the scenario's, or the longest back-off that a client may have.

    Where the run is over before that, nothing can be known of a client that was not back by then.
    """
    if scenario.expect.recover_within is None:
        expect = replace(scenario.expect, recover_within=LONGEST_BACKOFF + HANDSHAKE)
        scenario = replace(scenario, expect=expect)
    return by_reports(facts, scenario)


def _expected(limit: float) -> str:
    return f"a delivery within {limit:.2f} s of healing"


def _limit(facts: Facts, scenario: Scenario, disruption: Disruption, back: float) -> float:
    """Seconds from the heal in which the first delivery is due: the scenario's word, or what the promise comes to."""
    limit = scenario.expect.recover_within
    if limit is None:
        # A link that an earlier disruption had ended, and that is not back yet, is waited for as well.
        links = [link for link in LINKS if link in disruption.links or _away(facts, link, disruption.end)]
        limit = HANDSHAKE + max(
            _before_the_handshake(facts, scenario, disruption, link, back) for link in links
        )
    return limit + on_the_way(scenario)


def _away(facts: Facts, link: Link, t: float) -> bool:
    """Whether it had a connection before, and has none at that moment."""
    ends = [
        inf if connection.closed is None else connection.closed.t
        for connection in facts.connections
        if connection.link == link and connection.opened <= t
    ]
    return bool(ends) and max(ends) <= t


def _before_the_handshake(
    facts: Facts, scenario: Scenario, disruption: Disruption, link: Link, back: float
) -> float:
    """What was in progress on `link` at the heal, and the one delay that ran then or came next, before it was `back`."""
    connections = [connection for connection in facts.connections if connection.link == link]
    noticing = [_noticing(facts, scenario, disruption, connection) for connection in connections]
    rest = max([0.0, *noticing, *_hanging(facts, disruption, link)])
    heal = disruption.end
    delays = (
        event.delay
        for event in facts.waits
        if event.link == link and event.t + event.delay >= heal and event.t < back
    )
    return rest + next(delays, 0.0)


def _noticing(facts: Facts, scenario: Scenario, disruption: Disruption, connection: Connection) -> float:
    """Seconds after the heal in which a connection that had fallen silent may still be waited for; 0 for any other.

    One that is given up may be given up as late as `detect` allows. One that lasts carries again when TCP tries the next
    time: after a pause as long as all before it together, so within as long again as the disruption lasted. A client that
    has seen a sign of that may wait for it too, and give up then. One whose end is told late is over late.
    """
    heal, end = disruption.end, connection.closed
    if connection.opened >= heal or (end is not None and end.t <= heal):
        return 0.0
    given_up = end is not None and ended_by(facts, disruption, connection)
    rest = 0.0
    for strike in disruption.strikes:
        if end is not None and given_up:
            rest = max(rest, min(end.t - heal, facts.told_late(strike)))
        if strike.fault.kind in WAITED_FOR and strike.strikes(connection):
            since = strike.silent_since(connection)
            lasted = heal - since
            took = end.t - heal if end is not None and given_up else lasted
            rest = max(rest, min(max(since + detection_limit(scenario) - heal, lasted), took))
    return rest


def _hanging(facts: Facts, disruption: Disruption, link: Link) -> list[float]:
    """Seconds after the heal for which each handshake went on that hung then, as far as the client's own limit allows."""
    patience = facts.history.settings.get("timing", {}).get("open_timeout", inf)
    heal = disruption.end
    return [
        max(0.0, min(ended, each.began + patience) - heal)
        for each in facts.attempts
        if each.link == link
        and each.began < heal < (ended := facts.stopping if each.ended is None else each.ended)
    ]
