"""When the path of outputs was struck and healed, and when it carried again.                                  pure

A delivery over a connection that the fault ends is no recovery: its last bytes arrive after the fault has begun, and what
it held arrives after the heal. Nor is a delivery of what had come in before, where the input was struck.
"""

from bisect import bisect_left
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from chaos.judging.facts import Facts
from chaos.judging.strikes import Arrival, Strike
from chaos.kinds import LINKS, Link
from chaos.timeline.observed import Connection
from chaos.timeline.spans import overlapping

PAUSE = 1.0
"""Seconds without a delivery across a heal that count as a pause, whoever reported what."""


class Disruption(NamedTuple):
    """A time in which some strike was in force: outputs need both links, so strikes that overlap are one disruption."""

    begin: float
    end: float
    """When the path was whole again. What is over at once ends connections and breaks no path: then it is the begin."""
    until: float
    """When the path was struck again, or the orderly stop began."""
    strikes: tuple[Strike, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """Those that it struck."""
        return tuple(link for link in LINKS if any(strike.concerns(link) for strike in self.strikes))


def disruptions(facts: Facts) -> tuple[Disruption, ...]:
    """All of them, in order. What strikes the control link alone keeps no output from its way.

    While the client is told to send nothing, or its machine stands still, it cannot recover: its path is whole again, for it,
    when that is over; and what it has not done before that comes, nobody knows whether it would have done in time.
    """
    strikes = [strike for strike in facts.strikes if any(strike.concerns(link) for link in LINKS)]
    groups = overlapping(strikes, begin=lambda strike: strike.during.begin, end=lambda strike: strike.over)
    begins = [group[0].during.begin for group in groups]
    found = []
    for begin, next_begin, group in zip(begins, [*begins, inf][1:], groups, strict=True):
        end = max(strike.over for strike in group)
        idle = sorted((*facts.output_pauses, *facts.standstills))
        for begins_idle, ends_idle in idle:
            if begins_idle <= end < ends_idle:
                end = ends_idle
        paused_again = min((begins_idle for begins_idle, _ in idle if begins_idle > end), default=inf)
        found.append(Disruption(begin, end, min(next_begin, paused_again, facts.stopping), tuple(group)))
    return tuple(found)


def recovery(facts: Facts, disruption: Disruption) -> float | None:
    """Seconds from the heal to the first delivery that shows that every link which was struck carries again.

    It comes over a connection that was opened after the heal, or that outlived the fault; where the input was struck, it
    tells of a frame that came in over such a one. None: no such delivery before the path was struck again.
    """
    firsts = [_first_over(facts, disruption, link) for link in disruption.links]
    latest = max(firsts, default=inf)
    return None if latest == inf else latest - disruption.end


def recoveries(facts: Facts) -> tuple[float, ...]:
    """Of each disruption that interrupted something and was recovered from."""
    took = [
        recovery(facts, disruption) for disruption in disruptions(facts) if interrupted(facts, disruption)
    ]
    return tuple(seconds for seconds in took if seconds is not None)


def interrupted(facts: Facts, disruption: Disruption) -> bool:
    """Whether it ended a connection, or deliveries paused across its heal."""
    if any(ended_by(facts, disruption, c) for c in facts.connections if c.link in disruption.links):
        return True
    before = bisect_left(facts.arrivals, disruption.end, key=_time)
    last = facts.arrivals[before - 1].t if before else 0.0
    took = recovery(facts, disruption)
    return (disruption.until if took is None else disruption.end + took) - last > PAUSE


def ended_by(facts: Facts, disruption: Disruption, connection: Connection) -> bool:
    """Whether the disruption ended this connection: by itself, by the peer's own hand, or because it was given up for it."""
    number = facts.peers_numbers.get((connection.link, connection.number))
    return any(facts.ends(strike, connection) for strike in disruption.strikes) or number in _closed_by_peer(
        facts, disruption
    )


def _closed_by_peer(facts: Facts, disruption: Disruption) -> frozenset[int]:
    """Connections that the peer began to close: whatever still came over them, they were over."""
    return frozenset(number for t, number in facts.closed_by_peer if disruption.begin <= t < disruption.until)


def _first_over(facts: Facts, disruption: Disruption, link: Link) -> float:
    """When the first delivery came that shows that `link` carries again; infinite: none in time."""
    since = _whole_again(facts, disruption) if link == "input" else -inf
    return next((arrival.t for arrival in _after(facts, disruption) if arrival.made >= since), inf)


def _after(facts: Facts, disruption: Disruption) -> Iterator[Arrival]:
    """What came after the heal, over connections that the disruption did not end."""
    ended: dict[int, bool] = {}
    closed = _closed_by_peer(facts, disruption)
    arrivals = facts.arrivals
    for place in range(bisect_left(arrivals, disruption.end, key=_time), len(arrivals)):
        arrival = arrivals[place]
        if arrival.t >= disruption.until:
            return
        number = arrival.connection
        ours = facts.ours.get(number)
        if number not in ended:
            ended[number] = number in closed or (ours is not None and ended_by(facts, disruption, ours))
        given_up = ours is not None and ours.closed is not None and ours.closed.t < arrival.t
        if not (ended[number] or given_up):
            yield arrival


def _whole_again(facts: Facts, disruption: Disruption) -> float:
    """From when on the input had a connection that the disruption did not end; infinite: it had none in time."""
    inputs = [connection for connection in facts.connections if connection.link == "input"]
    if not inputs:
        return disruption.end  # nobody told of any
    return min(
        (
            max(connection.opened, disruption.end)
            for connection in inputs
            if connection.opened < disruption.until
            and (connection.closed is None or connection.closed.t > disruption.end)
            and not ended_by(facts, disruption, connection)
        ),
        default=inf,
    )


def _time(arrival: Arrival) -> float:
    return arrival.t
