"""`single`: a link has one live connection.                                                                       pure"""

from collections.abc import Iterator
from math import inf

from chaos.history import Attempted, SocketClosed
from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator.events import PeerLink

OVERLAP = 1.0
"""Seconds for which the next connection may be there while the one before is being closed."""


def by_sockets(facts: Facts, _: Scenario) -> Check | None:
    """Never are two sockets of a link open for long while nothing is wrong with the link.

    That finds a second connection beside a healthy one, connections that are never closed, and a handshake that came in
    late beside its successor. Under a fault, and for a moment after it, a client may still be closing what it has
    given up.
    """
    if facts.history.sockets_seen == "none":
        return None
    spans = [span for link in ("input", "output") for span in _several(facts, link)]
    expected = f"one connection a link: two for {OVERLAP:g} s at most while nothing is wrong"
    longest = max(spans, key=lambda span: span[2] - span[1], default=None)
    if longest is None or longest[2] - longest[1] <= OVERLAP:
        return Check("single", "pass", expected, "one at a time")
    link, begin, end, most = longest
    observed = f"{most} at once on {link}, for {end - begin:.1f} s from {begin:.1f} s on"
    return decided("single", ok=False, expected=expected, observed=observed, at=begin + OVERLAP)


def _several(facts: Facts, link: PeerLink) -> Iterator[tuple[PeerLink, float, float, int]]:
    """When several sockets were open while the link was healthy: begin, end, and how many at most."""
    disturbed = sorted(
        (during.begin, during.end + AFTERMATH)
        for fault, during in facts.in_force
        if fault.on in (None, link) or fault.spec.where == "client"
    )
    count, most, since = 0, 0, inf
    sockets: list[Attempted | SocketClosed] = facts.history.among(Attempted, SocketClosed)
    for event in sockets:
        if event.t >= facts.stopping:
            break
        if event.link != link:
            continue
        count += 1 if isinstance(event, Attempted) else -1
        if count > 1 and since == inf:
            since, most = event.t, count
        elif count > 1:
            most = max(most, count)
        elif since < inf:
            yield from _healthy(link, since, event.t, most, disturbed)
            since = inf
    if since < inf:
        yield from _healthy(link, since, facts.stopping, most, disturbed)


def _healthy(
    link: PeerLink, begin: float, end: float, most: int, disturbed: list[tuple[float, float]]
) -> Iterator[tuple[PeerLink, float, float, int]]:
    """What is left of a time without those in which the link was disturbed."""
    for struck, healed in disturbed:
        if struck > begin:
            yield link, begin, min(end, struck), most
        begin = max(begin, healed)
        if begin >= end:
            return
    yield link, begin, end, most
