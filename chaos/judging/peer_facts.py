"""A client that reports nothing, by what the peer saw of it.                                                 pure

A frame that was offered is an output to come, a handshake is a connection, the end of one is its end. Where the peer
cannot know, nothing is said: a frame that may never have reached the client is not counted, and when a client gave up
a link over which nothing came, shows only if the peer saw its end.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from math import inf
from types import MappingProxyType

from chaos.faults import Fault
from chaos.history import Attempted, History, SocketClosed
from chaos.judging.evidence import AFTERMATH, windows
from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.strikes import UNANSWERING, Arrival, Strike
from chaos.timeline.from_peer import observe_as_peer
from chaos.timeline.observed import Closed, Connection, LinkRecord
from simulator import events as peer
from tracker import events

LAST_MOMENTS = 1.0
"""Seconds before the end of a connection, or around a fault, in which a frame may be lost on its way."""

UNANSWERED = 5.0
"""Seconds after a peer that muted its Pongs, in which a client may still give up for a Ping that was never answered:
as long as `detect` grants."""

MOST_COUNTED = 1_000_000
"""Numbers that a client may go through in a run; who goes through more does not count its messages."""

_LOSES_NOTHING = frozenset({"latency", "slicer"})
"""Kinds of faults that hand on all that they take, and hold nothing for as long as `IN_FLIGHT`."""
_PROPER_ANSWERS = MappingProxyType({1007: "not-utf8", 1009: "too-large"})
"""Close codes (RFC 6455, sections 8.1 and 7.4.1) and the kind of bad message that each answers."""


def facts_of(history: History, faults: Iterable[Fault], *, excuse: bool = True) -> Facts:
    """What follows from a record, whoever it is about; see `Facts`."""
    kind = Facts if history.role == "tracker" else PeerFacts
    return kind(history, faults, excuse=excuse)


class PeerFacts(Facts):
    """See `Facts`."""

    @cached_property
    def links(self) -> Mapping[events.LinkName, LinkRecord]:
        """See `Facts`."""
        return observe_as_peer(self.history.events).links

    @cached_property
    def accepted(self) -> dict[int, float]:
        """When each frame was offered that surely reached the client, and that it sends on."""
        if not self.history.sends_on:
            return {}
        reached = _reached_the_client(self.history, self._faults)
        return {
            event.sequence: event.t for event in self.history.of(peer.Offered) if event.sequence in reached
        }

    @cached_property
    def lost(self) -> frozenset[int]:
        """See `Facts`; of a client that counts its messages itself, the numbers between the first and the last that never
        came. None of them where it does not count by one.
        """
        if self.history.numbering != "own":
            return super().lost
        if not self.counts_by_one:
            return frozenset()
        return frozenset(range(min(self.delivered), max(self.delivered))) - self.delivered

    @cached_property
    def counts_by_one(self) -> bool:
        """Whether the numbers that came are so near to each other that those between them may be missed."""
        return bool(self.delivered) and max(self.delivered) - min(self.delivered) < MOST_COUNTED

    @cached_property
    def false_kills(self) -> tuple[Connection, ...]:
        """Connections that the client ended, or that ended without a close frame, although nothing had struck.

        A client may rightly end both of its links for one that was struck, and the peer may see it a moment later. It
        may also end one over which it was sent what RFC 6455 has no place for.
        """
        return tuple(
            connection
            for connection in self.connections
            if connection.closed is not None
            and connection.closed.by != "peer"
            and not self._excused_end(min(self.let_go(connection), connection.closed.t))
            and not any(strike.spoils(connection) for strike in self.excuses)
            and not self._asked_for(connection.link, connection.closed)
        )

    def _excused_end(self, t: float) -> bool:
        return any(
            strike.during.begin <= t <= strike.during.end + _excuses_for(strike) for strike in self.excuses
        )

    def let_go(self, connection: Connection) -> float:
        """When the client closed the connection's socket, which the peer may learn long after; infinite: nobody saw that."""
        closings = self._own_closings.get(connection.link, [])
        place = bisect_left(closings, connection.opened)
        return closings[place] if place < len(closings) else inf

    @cached_property
    def _own_closings(self) -> dict[str, list[float]]:
        """When the client closed a socket by itself, by link."""
        found: dict[str, list[float]] = {}
        for event in self.history.of(SocketClosed):
            if event.by == "client":
                found.setdefault(event.link, []).append(event.t)
        return found

    def _asked_for(self, link: str, closed: Closed) -> bool:
        """Whether bad messages of a kind were sent to which this code is the answer that the RFC demands, or allows."""
        kind = _PROPER_ANSWERS.get(closed.code)
        return self._excuse and any(
            fault.on == link
            and (
                kind in fault.bad_messages
                if fault.kind == "garbage"
                else fault.kind == "huge" and kind == "too-large"
            )
            and during.begin <= closed.t <= during.end + AFTERMATH
            for fault, during in self.in_force
        )

    def given_up_after(self, strike: Strike, connection: Connection) -> float | None:
        """Seconds from the strike to the moment at which the client gave the connection up; None: it did not.

        As the network saw it: the client closed its socket, or began to connect anew. Where nobody saw its sockets, as far
        as the peer did: the connection's end, or the next one. It need not see what there was: where nothing comes
        through, neither does. What shows from the moment on at which the heal was due, was held until then.
        """
        since = strike.silent_since(connection)
        due = inf if strike.fault.duration is None else strike.during.begin + strike.fault.duration
        until = min(due, strike.during.end, self.stopping)
        if self.history.sockets_seen != "none":
            seen = self._seen_of_sockets(connection.link)
        else:
            end = connection.closed
            # Such a fault ends nothing by itself, so an end without a close frame is the client's, too.
            own_end = [end.t] if end is not None and end.by != "peer" else []
            seen = [*own_end, *(other.opened for other in self.connections if other.link == connection.link)]
        return min((t - since for t in seen if since < t < until), default=None)

    def _seen_of_sockets(self, link: str) -> list[float]:
        """When the client ended a connection of this link by itself, or began a new one."""
        attempts = (event.t for event in self.history.of(Attempted) if event.link == link)
        return [*self._own_closings.get(link, []), *attempts]

    def outlived(self, strike: Strike, connection: Connection) -> bool:
        """Whether something came over the connection after the fault: then it had not been given up."""
        after = strike.during.end + AFTERMATH
        return any(n == connection.number and t > after for t, n in self._arrivals)

    @cached_property
    def detections(self) -> tuple[float, ...]:
        """As far as the peer saw them, of the connections that a strike did not end by itself."""
        found = []
        for strike in self.strikes:
            took = [
                seconds
                for connection in filter(strike.strikes, self.connections)
                if connection.closed is not None
                and connection.closed.by == "client"
                and (seconds := self.given_up_after(strike, connection)) is not None
            ]
            found += [max(took)] if took else []
        return tuple(found)

    @cached_property
    def _arrivals(self) -> list[tuple[float, int]]:
        """When something arrived, and over which connection: frames, for a client that only reads."""
        if self.history.role == "receiver":
            return [(event.t, event.connection) for event in self.history.of(peer.Offered)]
        return [(event.t, event.connection) for event in self.deliveries]

    @cached_property
    def arrivals(self) -> tuple[Arrival, ...]:
        """See `Facts`. Without what a connection still held that had been given up: it ends as soon as that has arrived."""
        ends = {event.connection: event.t for event in self.history.of(peer.Ended)}
        offered: dict[int, float] = {}
        found = []
        for event in self.history.events:
            if isinstance(event, peer.Offered):
                if self.history.sends_on:
                    offered[event.sequence] = event.t
                if self.history.role == "receiver":
                    found.append(Arrival(event.t, event.connection, event.t))
            elif isinstance(event, peer.Delivered) and self.history.role != "receiver":
                found.append(Arrival(event.t, event.connection, offered.get(event.seq, event.t)))
        return tuple(
            arrival for arrival in found if ends.get(arrival.connection, inf) - arrival.t > AFTERMATH
        )

    @cached_property
    def longest_gap(self) -> tuple[float, float] | None:
        """See `Facts`; a client that only reads is silent where no frame could be offered to it."""
        begin = self.history.phase("steady")
        if begin is None or begin >= self.stopping:
            return None
        times = [t for t, _ in self._arrivals if begin <= t <= self.stopping]
        return max(pairwise([begin, *times, self.stopping]), key=lambda gap: gap[1] - gap[0])


def _excuses_for(strike: Strike) -> float:
    """How long after its end."""
    return UNANSWERED if strike.fault.kind in UNANSWERING else AFTERMATH


def _reached_the_client(history: History, faults: tuple[Fault, ...]) -> frozenset[int]:
    """Frames that the client must have got: offered over a healthy input that stayed open, and not just before the end."""
    stopping = history.stopping
    if stopping is None:
        stopping = history.events[-1].t if history.events else 0.0
    disturbed = [
        (during.begin - LAST_MOMENTS, during.end + LAST_MOMENTS)
        for index, during in windows(history, faults).items()
        if faults[index].spec.where != "client"
        and faults[index].on in (None, history.feed_link)
        and faults[index].kind not in _LOSES_NOTHING
    ]
    ends = {event.connection: event.t for event in history.of(peer.Ended)}
    return frozenset(
        event.sequence
        for event in history.of(peer.Offered)
        if event.t < stopping - IN_FLIGHT
        and event.t < ends.get(event.connection, inf) - LAST_MOMENTS
        and not any(begin <= event.t <= end for begin, end in disturbed)
    )
