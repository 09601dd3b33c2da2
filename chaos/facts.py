"""What follows from a record before anything is judged: deliveries, outages, and the figures of the table.  pure"""

from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from chaos.evidence import Window, window
from chaos.faults import Fault
from chaos.history import History
from simulator import events as peer
from tracker import events


class Strike(NamedTuple):
    """A fault that may end connections, while it was in force."""

    fault: Fault
    during: Window

    def concerns(self, link: str) -> bool:
        """Whether it strikes this link; what names no link strikes both."""
        return self.fault.on is None or self.fault.on == link


class Facts:
    """Derived from one history; everything is computed once, when first asked for."""

    def __init__(self, history: History, faults: Iterable[Fault]) -> None:
        self.history = history
        self._faults = tuple(faults)

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
        if self.undelivered is not None:
            return frozenset(overtaken) | frozenset(tail[: max(0, len(tail) - self.undelivered)])
        return frozenset(overtaken)

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
        stop = self.history.first(events.Stopping)
        if stop is not None:
            return stop.t
        return self.history.events[-1].t if self.history.events else 0.0

    @cached_property
    def closed(self) -> tuple[events.Closed, ...]:
        """Connections that ended before the orderly stop."""
        return tuple(event for event in self.history.of(events.Closed) if event.t < self.stopping)

    @cached_property
    def strikes(self) -> tuple[Strike, ...]:
        """Every fault that may end a connection, with the time in which it was in force."""
        found = []
        for index, fault in enumerate(self._faults):
            during = window(self.history, index, fault)
            if fault.spec.severs and during is not None:
                found.append(Strike(fault, during))
        return tuple(found)

    def given_up(self, strike: Strike) -> float | None:
        """When a connection on the struck link first ended at the strike or after it; None if none did."""
        for event in self.closed:
            if event.t >= strike.during.begin and strike.concerns(event.link):
                return event.t
        return None

    def recovery(self, strike: Strike) -> float | None:
        """Seconds from the heal to the next delivery, 0 if deliveries never paused; None if none came."""
        after = [event.t for event in self.deliveries if event.t >= strike.during.end]
        return after[0] - strike.during.end if after else None

    @cached_property
    def detections(self) -> tuple[float, ...]:
        """Seconds from each strike to the end of the connection that it struck."""
        found = []
        for strike in self.strikes:
            at = self.given_up(strike)
            if at is not None and at <= strike.during.end + 1.0:
                found.append(at - strike.during.begin)
        return tuple(found)

    @cached_property
    def recoveries(self) -> tuple[float, ...]:
        """Seconds from the heal of each strike to the next delivery."""
        return tuple(r for strike in self.strikes if (r := self.recovery(strike)) is not None)

    @cached_property
    def false_kills(self) -> tuple[events.Closed, ...]:
        """Connections that the client gave up although no fault that may end one was in force on that link."""
        died = {(e.link, e.connection): e.silence for e in self.history.of(events.Died)}
        return tuple(
            event
            for event in self.closed
            if event.by == "tracker"
            and not self._excused(event, died.get((event.link, event.connection), 0.0))
        )

    def _excused(self, event: events.Closed, silence: float) -> bool:
        return any(
            strike.concerns(event.link)
            and strike.during.begin <= event.t
            and strike.during.end >= event.t - silence
            for strike in self.strikes
        )

    @cached_property
    def longest_silence(self) -> float | None:
        """The longest time between two arrivals, from the steady state to the stop; None with fewer than two."""
        begin = self.history.phase("steady")
        if begin is None:
            return None
        times = [event.t for event in self.deliveries if begin <= event.t <= self.stopping]
        return max((b - a for a, b in pairwise([*times, self.stopping])), default=None) if times else None

    def measures(self) -> dict[str, Any]:
        """The figures of one run, as the report and its JSON show them. Seconds are scenario seconds."""

        def rounded(seconds: float | None) -> float | None:
            return None if seconds is None else round(seconds, 3)

        return {
            "offered": sum(1 for _ in self.history.of(peer.Offered)),
            "accepted": len(self.accepted),
            "delivered": len(self.delivered),
            "lost": len(self.lost),
            "repeated": sum(event.repeat for event in self.deliveries),
            "reordered": len(self.reordered),
            "displaced": len(self.displaced),
            "connections": sum(1 for _ in self.history.of(events.Connected)),
            "detect_s": rounded(max(self.detections, default=None)),
            "recover_s": rounded(max(self.recoveries, default=None)),
            "longest_silence_s": rounded(self.longest_silence),
            "false_kills": len(self.false_kills),
        }
