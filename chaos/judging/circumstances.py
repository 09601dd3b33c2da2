"""What went on where a check failed: at the peer, in the network, and in the client.                            pure"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from math import inf
from statistics import median

from chaos.history import Attempted, Broke
from chaos.judging.facts import Facts
from chaos.judging.verdicts import Circumstances
from chaos.timeline.observed import Connection
from simulator import events as peer
from simulator.events import PeerLink

MOST_FAULTS = 3
"""As many faults are named."""
RUSH = 1.0
"""Seconds between two attempts, below which they are told."""
RUSHED = 5
"""So many attempts in a row make a rush."""
AROUND = 10.0
"""Seconds before and after the moment in which attempts are counted."""
UNTAKEN = 1.0
"""Seconds for which a client left unread what it was sent, from which on it is told."""
QUIET = 1.0
"""Seconds without a message, from which on a silence is told."""


def circumstances(facts: Facts, at: float) -> Circumstances:
    """What is known about the moment `at`."""
    return Circumstances(at, _peer(facts, at), _fault(facts, at), _client(facts, at))


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s"


# What the peer saw


def _peer(facts: Facts, at: float) -> str:
    links = [link for link in ("input", "output") if facts.history.uses(link)]
    return f"at {_time(at)}: {'; '.join([*(_connection(facts, link, at) for link in links), _last_arrival(facts, at)])}"


def _connection(facts: Facts, link: str, at: float) -> str:
    opened = [event for event in facts.history.of(peer.Opened) if event.link == link and event.t <= at]
    if not opened:
        return f"no connection on {link} yet"
    ends = {event.connection: event for event in facts.history.of(peer.Ended)}
    live = [event for event in opened if event.connection not in ends or ends[event.connection].t > at]
    if len(live) > 1:
        return f"{len(live)} connections on {link}: {', '.join(f'number {event.connection}' for event in live[:4])}"
    if live:
        return f"connection {live[0].connection} on {link}, open since {_time(live[0].t)}"
    last = ends[opened[-1].connection]
    how = "without a close frame" if last.by == "network" else f"by the {last.by} with {last.code}"
    return f"none on {link}: connection {last.connection} had ended at {_time(last.t)} {how}"


def _last_arrival(facts: Facts, at: float) -> str:
    reads = facts.history.role == "receiver"
    what = "frame went out" if reads else "message came"
    times = [event.t for event in facts.history.of(peer.Offered)] if reads else _deliveries(facts)
    place = bisect_right(times, at)
    before = f"the last {what} at {_time(times[place - 1])}" if place else f"no {what} before"
    if place == len(times):
        return f"{before}, and none after"
    since = times[place - 1] if place else 0.0
    return before if times[place] - since < QUIET else f"{before}, the next at {_time(times[place])}"


def _deliveries(facts: Facts) -> list[float]:
    return [event.t for event in facts.deliveries]


# Which fault was in force


def _fault(facts: Facts, at: float) -> str:
    in_force = [str(fault) for fault, during in facts.in_force if at in during]
    if in_force:
        more = f", and {len(in_force) - MOST_FAULTS} more" if len(in_force) > MOST_FAULTS else ""
        return "; ".join(in_force[:MOST_FAULTS]) + more
    over = [(during.end, str(fault)) for fault, during in facts.in_force if during.end <= at]
    if not over:
        return "none so far" if facts.in_force else "none in the whole run"
    end, fault = max(over)
    return f"none; the last was {fault}, over for {_time(at - end)}"


# What the client did, or did not


def _client(facts: Facts, at: float) -> str:
    found = [*_ended(facts, at), *_rush(facts, at), *_unread(facts, at), *_pingless(facts), *_idle(facts, at)]
    return "; ".join(found) or "nothing that explains it shows from outside"


def _ended(facts: Facts, at: float) -> Iterator[str]:
    broke = facts.history.first(Broke, lambda event: event.who == "client")
    if broke is not None and broke.t <= at:
        yield f"it had come to its end at {_time(broke.t)}"


def _rush(facts: Facts, at: float) -> Iterator[str]:
    seen = facts.history.sockets_seen != "none"
    attempts: dict[str, list[float]] = {}
    for event in facts.history.of(Attempted) if seen else facts.history.of(peer.Opened):
        if abs(event.t - at) <= AROUND:
            attempts.setdefault(event.link, []).append(event.t)
    for link, times in attempts.items():
        if len(times) >= RUSHED and (every := median(b - a for a, b in pairwise(times))) < RUSH:
            yield (
                f"{len(times)} attempts on {link} from {_time(times[0])} to {_time(times[-1])}, one every {_brief(every)}"
            )


def _brief(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def _unread(facts: Facts, at: float) -> Iterator[str]:
    """What it left unread on connections that were open then."""
    for connection in _open(facts, at):
        ended = _end_of(facts, connection)
        if ended is not None and ended.untaken >= UNTAKEN:
            yield f"it left unread what it was sent on {connection.link}, for {_time(ended.untaken)} at a stretch"


def _pingless(facts: Facts) -> Iterator[str]:
    """Links on which it never sent a Ping."""
    counted: dict[PeerLink, int] = {}
    for event in facts.history.of(peer.Ended):
        if event.pings is not None:
            counted[event.link] = counted.get(event.link, 0) + event.pings
    without = [link for link, pings in counted.items() if not pings and facts.history.uses(link)]
    if without:
        yield f"it never sent a Ping on {' or '.join(sorted(without))}"


def _idle(facts: Facts, at: float) -> Iterator[str]:
    """How long it sent nothing on, although frames were offered to it, its output was open, and no fault held anything."""
    if not facts.history.sends_on or not any(c.link == "output" for c in _open(facts, at)):
        return
    times = _deliveries(facts)
    place = bisect_right(times, at)
    begin = times[place - 1] if place else 0.0
    end = times[place] if place < len(times) else facts.stopping
    offered = sum(begin < event.t < end for event in facts.history.of(peer.Offered))
    disturbed = any(during.begin < end and during.end > begin for _, during in facts.in_force)
    if end - begin >= QUIET and offered and not disturbed:
        yield f"it sent nothing from {_time(begin)} to {_time(end)}, while {offered} frames were offered"


def _open(facts: Facts, at: float) -> list[Connection]:
    """The peer's connections that were open then."""
    return [
        connection
        for connection in facts.connections
        if connection.opened <= at < (inf if connection.closed is None else connection.closed.t)
    ]


def _end_of(facts: Facts, connection: Connection) -> peer.Ended | None:
    number = facts.peers_numbers.get((connection.link, connection.number), connection.number)
    return facts.history.first(peer.Ended, lambda event: event.connection == number)
