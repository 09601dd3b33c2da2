"""What follows from a record before anything is judged: deliveries, connections, and what struck them.         pure"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain, pairwise
from math import inf

from chaos.faults import Fault
from chaos.history import History
from chaos.judging.evidence import AFTERMATH, Window, same_connections, windows
from chaos.judging.strikes import CLOSES, UNANSWERING, Arrival, Strike
from chaos.kinds import ALL_LINKS
from chaos.timeline.from_events import links_of
from chaos.timeline.observed import Attempt, Connection, LinkRecord
from simulator import events as peer
from tracker import events

ON_TIME = 0.01
"""Seconds by which the two sides may differ about when something happened."""
SHOWN_EVERY = 1.0
"""Seconds without a word of the peer's after which nobody can tell any more that it lives."""
IN_FLIGHT = 5.0
"""Seconds before the stop in which a frame may still be on its way."""


class Facts:
    """Derived from one history; everything is computed once, when first asked for.

    Where the faults do not `excuse`, no connection may be lost for them, whatever their kinds.
    """

    def __init__(self, history: History, faults: Iterable[Fault], *, excuse: bool = True) -> None:
        self.history = history
        self._faults = tuple(faults)
        self._excuse = excuse

    @cached_property
    def accepted(self) -> dict[int, float]:
        """When the outbox took each `seq`."""
        return {event.seq: event.t for event in self.history.of(events.Accepted)}

    @cached_property
    def displaced(self) -> frozenset[int]:
        """What gave way and was announced."""
        return frozenset(event.seq for event in self.history.of(events.Displaced))

    @cached_property
    def deliveries(self) -> tuple[peer.Delivered, ...]:
        """Every arrival at the peer, repeats included."""
        return tuple(self.history.of(peer.Delivered))

    @cached_property
    def delivered(self) -> frozenset[int]:
        """Every `seq` that arrived."""
        return frozenset(event.seq for event in self.deliveries)

    @cached_property
    def missing(self) -> frozenset[int]:
        """Accepted, not displaced, and never seen at the peer."""
        return frozenset(self.accepted) - self.displaced - self.delivered

    @cached_property
    def undelivered(self) -> int | None:
        """How many messages the client says it still held at its end; None if it did not come to say so."""
        stopped = self.history.first(events.Stopped)
        return None if stopped is None else stopped.undelivered

    @cached_property
    def lost(self) -> frozenset[int]:
        """Missing for certain: a later one arrived, or more are missing than the client still held at its end."""
        last = max(self.delivered, default=0)
        overtaken = {seq for seq in self.missing if seq < last}
        tail = sorted(self.missing - overtaken)
        if self.undelivered is None or self.forgets:
            return frozenset(overtaken)
        return frozenset(overtaken) | frozenset(tail[: max(0, len(tail) - self.undelivered)])

    @cached_property
    def declared_left(self) -> frozenset[int]:
        """Missing, but the client was kept from delivering them to its end, and said that it still held so many."""
        open_still = [c for c in self.connections if c.link == "output" and c.closed is None]
        kept = any(
            strike.during.end > self.stopping
            and strike.concerns("output")
            and all(strike.strikes(connection) for connection in open_still)
            for strike in self.strikes
        )
        if not kept or self.undelivered is None or self.forgets:
            return frozenset()
        return self.missing - self.lost

    @cached_property
    def output_pauses(self) -> tuple[tuple[float, float], ...]:
        """When the client had been told to send nothing, from when to when: nobody owes a delivery then."""
        found: list[tuple[float, float]] = []
        since: float | None = None
        for event in self.history.of(events.Controlled):
            if event.kind == "pause_output" and since is None:
                since = event.t
            elif event.kind == "resume_output" and since is not None:
                found.append((since, event.t))
                since = None
        return (*found, (since, inf)) if since is not None else tuple(found)

    @cached_property
    def told_by(self) -> dict[tuple[str, float], int]:
        """Which output was the first to show a touch, by hold and message time in whole milliseconds."""
        found: dict[tuple[str, float], int] = {}
        waiting: list[tuple[str, float]] = []
        for event in self.history.among(events.Touched, events.Accepted):
            if isinstance(event, events.Touched):
                waiting.append((event.hold, float(int(event.time))))
            elif isinstance(event, events.Accepted) and waiting:
                found |= dict.fromkeys(waiting, event.seq)
                waiting.clear()
        return found

    @property
    def forgets(self) -> bool:
        """Whether the client lets go of what it sent: then its own count says nothing of what is on the wire."""
        return self.history.settings.get("confirm") == "none"

    @cached_property
    def largest(self) -> int:
        """Bytes of the largest message that the outbox took."""
        return max((event.size for event in self.history.of(events.Accepted)), default=0)

    @cached_property
    def reordered(self) -> tuple[peer.Delivered, ...]:
        """First deliveries that came after a later number of their stream."""
        newest: dict[str, int] = {}
        late = []
        for event in self.deliveries:
            if event.repeat:
                continue
            if event.seq < newest.get(event.stream, 0):
                late.append(event)
            newest[event.stream] = max(event.seq, newest.get(event.stream, 0))
        return tuple(late)

    @cached_property
    def stopping(self) -> float:
        """When the orderly stop began; the end of the record if there was none."""
        if (stopping := self.history.stopping) is not None:
            return stopping
        return self.history.events[-1].t if self.history.events else 0.0

    @property
    def quit_early(self) -> bool:
        """Whether the client came to its end before anybody had asked for it."""
        asked = self.history.phase("stopping")
        return asked is not None and self.stopping < asked

    @cached_property
    def links(self) -> Mapping[events.LinkName, LinkRecord]:
        """What became of each link up to the orderly stop, by whoever tells of it."""
        return links_of(self.history.events)

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """Of all links, in the order of their ends."""
        found = chain.from_iterable(record.connections for record in self.links.values())
        return tuple(sorted(found, key=lambda each: inf if each.closed is None else each.closed.t))

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """Of all links, in the order of their ends."""
        found = chain.from_iterable(record.attempts for record in self.links.values())
        return tuple(sorted(found, key=lambda each: inf if each.ended is None else each.ended))

    @cached_property
    def waits(self) -> tuple[events.Waiting, ...]:
        """Every delay before an attempt, as the client announced it."""
        return tuple(self.history.of(events.Waiting))

    @cached_property
    def in_force(self) -> tuple[tuple[Fault, Window], ...]:
        """Every fault that began, with the time in which it was in force."""
        found = windows(self.history, self._faults)
        return tuple((self._faults[index], during) for index, during in found.items())

    @cached_property
    def strikes(self) -> tuple[Strike, ...]:
        """Those of them that may end a connection, in the order in which they began."""
        found = [
            Strike(fault, during)
            for fault, during in self.in_force
            if fault.severs and not self._acknowledged_instead(fault, during)
        ]
        return tuple(sorted(found, key=lambda strike: strike.during.begin))

    @property
    def excuses(self) -> tuple[Strike, ...]:
        """Those of them for which a connection may rightly be lost."""
        return self.strikes if self._excuse else ()

    def _acknowledged_instead(self, fault: Fault, during: Window) -> bool:
        """Whether the peer shows in its own words that it lives, which it does not show by Pongs.

        It has words only for what it is sent: where it has confirmed nothing for a while, it showed nothing.
        """
        acks = self.history.settings.get("confirm") == "ack"
        if not acks or fault.kind not in UNANSWERING or fault.on != "output":
            return False
        shown = [event.t for event in self.history.of(events.Confirmed) if event.t in during]
        gaps = pairwise([during.begin, *shown, min(during.end, self.stopping)])
        return max(after - before for before, after in gaps) <= SHOWN_EVERY

    def endings(self, strike: Strike) -> tuple[float, ...]:
        """Seconds from the strike to the end of each connection that it ended."""
        found = []
        for connection in self.connections:
            if connection.closed is None or not strike.strikes(connection):
                continue
            took = connection.closed.t - strike.silent_since(connection)
            if took >= 0 and connection.closed.t <= self._blamed_until(strike, connection.link):
                found.append(took)
        return tuple(found)

    def _blamed_until(self, strike: Strike, link: str) -> float:
        """A while after its end, but not once the link was struck anew."""
        over = self.over(strike)
        anew = (s.during.begin for s in self.strikes if s.concerns(link) and s.during.begin > over)
        return min(over + AFTERMATH, next(anew, inf))

    def over(self, strike: Strike) -> float:
        """When a strike had done all that it does, and the client could have noticed.

        It cuts after its heal what it began to cut; the end of a connection may be told late, by a `slow_close`; and a client
        whose machine stands still notices when that goes on.
        """
        return self.when_awake(strike.over + self.told_late(strike))

    def told_late(self, strike: Strike) -> float:
        """Seconds by which a `slow_close` may keep the end of a connection from the client that this strike has ended."""
        return max(
            (
                fault.lingers
                for fault, during in self.in_force
                if not fault.severs
                and strike.concerns(fault.on or "")
                and during.begin <= strike.over <= during.end
            ),
            default=0.0,
        )

    def when_awake(self, t: float) -> float:
        """`t`, or when the client's machine went on that stood still then."""
        for begin, end in self.standstills:
            if begin <= t < end:
                t = end
        return t

    def due(self, since: float, seconds: float) -> float:
        """When the client has had so many seconds since then: those in which its machine stood still do not count."""
        due, counted = since + seconds, since
        for begin, end in self.standstills:
            if begin <= due and end > counted:
                due += end - max(begin, counted)
                counted = end
        return due

    @cached_property
    def standstills(self) -> tuple[tuple[float, float], ...]:
        """When a fault let the client's machine stand still, in order."""
        return tuple(
            sorted((during.begin, during.end) for fault, during in self.in_force if fault.spec.stands_still)
        )

    @cached_property
    def detections(self) -> tuple[float, ...]:
        """Seconds from each strike to the end of the connection that it ended; the longest where it ended several."""
        return tuple(max(took) for strike in self.strikes if (took := self.endings(strike)))

    def ends(self, strike: Strike, connection: Connection) -> bool:
        """Whether the end of this connection was the strike's doing: it came soon, or for a silence that began there."""
        end = connection.closed
        if strike.breaks(connection):
            return True
        if end is None or not strike.strikes(connection) or end.t < strike.since(connection):
            return False
        silent_since = end.t - connection.silence
        return end.t <= self._blamed_until(strike, connection.link) or silent_since <= self.over(strike)

    @cached_property
    def arrivals(self) -> tuple[Arrival, ...]:
        """Every arrival at the peer, repeats included: any of them shows that the path carries."""
        return tuple(
            Arrival(event.t, event.connection, -inf if event.reply else self.accepted.get(event.seq, event.t))
            for event in self.deliveries
        )

    @cached_property
    def closed_by_peer(self) -> tuple[tuple[float, int], ...]:
        """When the peer began to close which connection, by its own number, as a fault had told it to."""
        return tuple(
            (event.t, event.connection) for event in self.history.of(peer.Misbehaved) if event.kind in CLOSES
        )

    @cached_property
    def peers_numbers(self) -> dict[tuple[str, int], int]:
        """The peer's number of each connection, by its link and the client's own."""
        return {
            (link, ours): theirs
            for link in ALL_LINKS
            for ours, theirs in same_connections(self.history, link).items()
        }

    @cached_property
    def ours(self) -> dict[int, Connection]:
        """The connections by the peer's numbers, as far as both sides told of them."""
        found = {}
        for connection in self.connections:
            theirs = self.peers_numbers.get((connection.link, connection.number))
            if theirs is not None:
                found[theirs] = connection
        return found

    @cached_property
    def false_kills(self) -> tuple[Connection, ...]:
        """Connections that ended although no fault that may end one was in force on that link.

        Those that the peer closed are its own doing, even if its Close frame did not arrive. Another that ended
        without a close frame is not taken at the client's word: where nothing struck the path, nobody else can have
        dropped it.
        """
        return tuple(
            connection
            for connection in self.connections
            if connection.closed is not None
            and connection.closed.by != "peer"
            and not (connection.closed.by == "network" and self._peer_closed(connection))
            and not self._excused(
                connection,
                connection.closed.t,
                # What ends a fault can end the connection too, a moment after the heal.
                AFTERMATH if connection.closed.by == "network" else connection.silence,
            )
        )

    def _peer_closed(self, connection: Connection) -> bool:
        """Whether the peer had begun to close it: the one that it had opened last when the client's came about."""
        opened = [
            event.connection
            for event in self.history.of(peer.Opened)
            if event.link == connection.link and event.t <= connection.opened
        ]
        assert connection.closed is not None, "only what ended is asked about"
        ended = connection.closed.t
        return any(number in opened[-1:] and t <= ended for t, number in self.closed_by_peer)

    def _excused(self, connection: Connection, given_up: float, silence: float) -> bool:
        return any(
            strike.spoils(connection)
            or (
                strike.strikes(connection)
                and strike.during.begin <= given_up
                and max(strike.during.end, self.over(strike)) >= given_up - silence
            )
            for strike in self.excuses
        )

    @cached_property
    def longest_gap(self) -> tuple[float, float] | None:
        """Begin and end of the longest time without an arrival, up to the stop; None if it never was steady.

        It counts from the steady state, or from the start where a fault was in force by then.
        """
        early = [during.begin for fault, during in self.in_force if fault.at == 0]
        begin = min(early) if early else self.history.phase("steady")
        if begin is None or begin >= self.stopping:
            return None
        times = [event.t for event in self.deliveries if begin <= event.t <= self.stopping]
        return max(pairwise([begin, *times, self.stopping]), key=_length)

    @property
    def longest_silence(self) -> float | None:
        """Its length in seconds."""
        return None if self.longest_gap is None else _length(self.longest_gap)


def _length(span: tuple[float, float]) -> float:
    begin, end = span
    return end - begin
