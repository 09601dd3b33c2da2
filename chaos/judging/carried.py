"""What the peer wrote to each connection, and what of it the client took.                                     pure

A connection keeps the order: what was taken over it is the beginning of what was written to it. So what was written before
something that was taken surely came, and what was written behind something that never came did not come either.
"""

from math import inf
from typing import NamedTuple, TypeAlias

from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import IN_FLIGHT, Facts
from simulator import events as peer
from tracker import events

Item: TypeAlias = int | str
"""What one message was: a frame's number, or a control's type."""
RESET = "reset_holds"
NO_CONNECTION = 0
"""In place of a connection's number: what was taken before there was any."""


class Written(NamedTuple):
    """One message that the peer wrote to a connection."""

    t: float
    link: str
    connection: int
    item: Item


def written(facts: Facts) -> dict[int, list[Written]]:
    """By the peer's number of the connection. Controls on the input are left out: there they are no controls."""
    found: dict[int, list[Written]] = {}
    for event in facts.history.among(peer.Offered, peer.ResetOffered, peer.ControlOffered):
        if isinstance(event, peer.Offered):
            one = Written(event.t, "input", event.connection, event.sequence)
        elif isinstance(event, peer.ResetOffered):
            one = Written(event.t, "input", event.connection, RESET)
        elif isinstance(event, peer.ControlOffered) and event.link == "control":
            one = Written(event.t, "control", event.connection, event.kind)
        else:
            continue
        found.setdefault(one.connection, []).append(one)
    return found


def taken(facts: Facts) -> dict[int, list[Item]]:
    """By the peer's number of the connection; connections whose number nobody knows are left out."""
    found: dict[int, list[Item]] = {}
    current: dict[str, int | None] = {}
    kinds = (events.Connected, events.Received, events.Controlled, events.SessionReset)
    for event in facts.history.among(*kinds):
        if isinstance(event, events.Connected):
            number = facts.peers_numbers.get((event.link, event.connection))
            current[event.link] = number
            if number is not None:
                found.setdefault(number, [])
            continue
        item: Item | None
        if isinstance(event, events.Received):
            link, item = "input", event.sequence
        elif isinstance(event, events.Controlled):
            link, item = "control", event.kind
        elif isinstance(event, events.SessionReset):
            link, item = event.link, RESET
        else:
            continue
        number = current.get(link, NO_CONNECTION)
        if item is not None and number is not None:
            found.setdefault(number, []).append(item)
    return found


def surely_came(facts: Facts, t: float, link: str, connection: int) -> bool:
    """Whether nothing can have kept from the client what was written at `t`: no fault, no end of its connection or the run."""
    ends = {event.connection: event.t for event in facts.history.of(peer.Ended)}
    disturbed = any(
        strike.concerns(link) and strike.during.begin - AFTERMATH <= t <= strike.during.end
        for strike in facts.strikes
    )
    lasted = ends.get(connection, inf) > t + AFTERMATH
    return t < facts.stopping - IN_FLIGHT and lasted and not disturbed
