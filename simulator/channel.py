"""One direction of a path as one connection meets it: what is on its way, when it arrives, and what is lost."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from random import Random
from typing import Protocol

from simulator.effects import FINAL, RATES, Effect
from simulator.hosts import world
from simulator.hurdles import Hurdle, hurdle_for
from simulator.segments import Segment, rest_of
from simulator.tcp import Tcp

LATENCY = 0.0001
"""Seconds of one direction of an undisturbed path: loopback, roughly."""
PIECE = 0.1
"""Seconds: a path of limited rate delivers at least this often."""
APART = 20e-6
"""Seconds at least between two pieces of a slice, so that each is read by itself."""
ROUNDING = 1e-9
"""Seconds: what is due so soon is due now."""
REORDERING = 1.25
"""Round trips until a gap that later packets show is closed: RACK waits for a quarter of one (RFC 8985)."""


class Cut(Protocol):
    """The connection, as its channels see it."""

    @property
    def latency(self) -> float:
        """Of one direction, undisturbed."""

    @property
    def tcp(self) -> Tcp:
        """What the kernels are set to."""

    @property
    def rng(self) -> Random:
        """Where chance comes from."""

    def finish(self) -> bool:
        """The path closes it in good order: FIN to both ends. False if it was over before."""

    def reset(self) -> bool:
        """The path cuts it: RST to both ends. False if it was over before."""

    def changed(self) -> None:
        """An effect began or ended on one of its directions."""


class Receiver(Protocol):
    """Whom a channel leads to, and who hears what became of the segments."""

    @property
    def round_trip(self) -> float:
        """Smoothed, in seconds."""

    @property
    def timeout(self) -> float:
        """Seconds after which its kernel sends again what was not acknowledged."""

    def arrived(self, segment: Segment) -> None:
        """It is there."""

    def swallowed(self, segment: Segment) -> None:
        """It is gone, and the sender's kernel will think that it arrived."""

    def lost(self, segment: Segment) -> None:
        """It is gone, and the sender's kernel will not hear of it."""

    def all_arrived(self) -> None:
        """So much for this moment."""


class Channel:
    """See the module. Its timers belong to no host and go on when both ends are blocked."""

    def __init__(self, connection: Cut) -> None:
        self._connection = connection
        self._latency = connection.latency
        self._loop = world()
        self._outside = Context()  # of every host
        self._stream: Receiver  # from the end of the handshake on
        self._open = False
        self._way: deque[Segment] = deque()
        self.effects: list[Effect] = []
        self.silent = False
        """Nothing passes at present."""
        self._final: tuple[Effect, ...] = ()
        self._lossy: tuple[Effect, ...] = ()
        self._hurdles: dict[Effect, Hurdle] = {}
        self._passed: dict[Effect, int] = {}  # for limit_data
        self._timer: asyncio.TimerHandle | None = None
        self._idle: dict[Effect, asyncio.TimerHandle] = {}  # of each `timeout`
        self._born_under: set[Effect] = set()
        self._doomed = False  # a `reset_peer` has seen traffic
        self._last_arrival = 0.0

    def lead_to(self, stream: Receiver) -> None:
        """The handshake is over: from now on bytes may enter."""
        self._stream = stream
        self._open = True
        for effect in self.effects:
            self._await_traffic(effect)

    # What the streams do

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._way

    @property
    def delay(self) -> float:
        """Seconds that something small takes now: an acknowledgement, a packet of a handshake."""
        if not self.effects:
            return self._latency
        seconds = self._connection.latency
        for effect in self.effects:
            if effect.kind == "latency":
                seconds += effect.attributes["latency"] / 1000
            elif effect.kind == "bufferbloat":
                seconds += self.waiting / (effect.attributes["rate"] * 1000)
        return seconds

    @property
    def waiting(self) -> int:
        """Bytes that are on their way."""
        return sum(len(segment.data) for segment in self._way)

    def enter(self, segment: Segment) -> None:
        """Send a segment behind those that are on their way."""
        if not self._open:
            return
        if self.effects:
            for hurdle in self._hurdles.values():
                if not hurdle.admits(segment):
                    return
            self._count(segment)
            if self._lossy and self._loses(segment):
                return
        self._way.append(segment)
        if self._timer is None:  # else it is set for what is before this
            head = self._way[0]
            due = self._due() if self.effects else head.entered + self._latency
            self._timer = self._loop.call_at(due, self._arrive, context=self._outside)

    def passes(self) -> bool:
        """Whether a packet of a handshake that is due now arrives; if not, it is lost, and counted."""
        for effect in self.effects:
            if effect.silent or (effect.kind == "loss" and self._draw(effect)):
                effect.unanswered += 1
                return False
        return True

    @property
    def unreachable(self) -> bool:
        """Whether a router says that there is no way (ICMP host unreachable)."""
        return any(effect.kind == "unreachable" for effect in self.effects)

    def close(self) -> None:
        """Nothing passes any more."""
        self._open = False
        self._way.clear()
        self._stop_timer()
        for idle in self._idle.values():
            idle.cancel()
        self._idle.clear()
        for hurdle in self._hurdles.values():
            hurdle.stop()

    # What hurdles and hops do

    def lose(self, segment: Segment) -> None:
        """The segment is gone, and the sender's kernel does not hear of it."""
        self._stream.lost(segment)

    def fall_silent(self) -> None:
        """From now on nothing passes, whatever heals."""
        self.strike(Effect("stall"))  # which nobody relieves

    # What the path does

    def strike(self, effect: Effect, *, at_birth: bool = False, hurdle: Hurdle | None = None) -> bool:
        """An effect comes into force, or is so when the connection opens; whether it hits is drawn here, and returned.

        `hurdle`: what it is to this connection, where that is more than one channel's affair.
        """
        if effect.toxicity < 1 and self._connection.rng.random() >= effect.toxicity:
            return False
        self.effects.append(effect)
        hurdle = hurdle or hurdle_for(effect, self)
        if hurdle is not None:
            self._hurdles[effect] = hurdle
        if at_birth:
            self._born_under.add(effect)
        for segment in self._way:
            self._count(segment)
        self._reconsider()
        self._await_traffic(effect)
        return True

    def relieve(self, effect: Effect) -> None:
        """An effect ends: what it delayed goes on; a connection whose bytes it dropped ends."""
        if effect not in self.effects:
            return
        self.effects.remove(effect)
        self._passed.pop(effect, None)
        if effect.kind in ("timeout", "blackhole"):
            effect.ends += self._connection.finish()
        hurdle = self._hurdles.pop(effect, None)
        if hurdle is not None:
            hurdle.end()
        self._reconsider()

    def _reconsider(self) -> None:
        self.silent = any(effect.silent for effect in self.effects)
        self._final = tuple(effect for effect in self.effects if effect.kind in FINAL)
        self._lossy = tuple(e for e in self.effects if e.kind == "loss" and not e.silent)
        self._schedule()
        self._connection.changed()

    def _count(self, segment: Segment, *, lost: bool = False) -> None:
        """What the effects in force do to it; each counts it once, however often it is sent."""
        for effect in self.effects:
            # Of the others the final ones count what they drop, a slicer as it cuts, a loss what it loses.
            counts = effect.silent if lost else effect.kind in ("latency", "bandwidth")
            if counts:
                segment.count_for(effect)

    # Packets that are lost

    def _draw(self, effect: Effect) -> bool:
        return self._connection.rng.random() * 100 < effect.attributes["percent"]

    def _loses(self, segment: Segment) -> bool:
        """Draw which packets are lost, and delay the segment until they are there. True: it never will be."""
        now = self._loop.now
        for earlier in self._way:
            if (
                earlier.awaits_follower
            ):  # this one shows that there is a gap, and the packet is sent again at once
                earlier.entered = min(earlier.entered, now + REORDERING * self._stream.round_trip)
        size = self._connection.tcp.segment
        packets = max(1, math.ceil(len(segment.data) / size))
        for effect in self._lossy:
            lost = [self._draw(effect) for _ in range(packets)]
            if not any(lost):
                continue
            effect.bytes += min(len(segment.data), sum(lost) * size)
            effect.ends += segment.mark == "fin"
            if segment.mark in ("rst", "probe"):
                return True
            segment.again = True
            segment.awaits_follower = lost[-1]
            segment.entered += self._repair(effect, shown=not lost[-1])
        self._schedule()
        return False

    def _repair(self, effect: Effect, *, shown: bool) -> float:
        """Seconds until a lost packet has been sent again, as often as it takes.

        A round trip each time where later packets show the gap, else an RTO, which doubles.
        """
        wait = REORDERING * self._stream.round_trip if shown else self._stream.timeout
        seconds = wait
        while self._draw(effect):
            wait *= 1 if shown else 2
            seconds += wait
        return seconds

    # When it arrives

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._stop_timer()
        if self._way:
            self._timer = self._loop.call_at(self._due(), self._arrive, context=self._outside)

    def _due(self) -> float:
        """When the head of the way arrives, as things stand. It may say so more than once."""
        head = self._way[0]
        due = head.entered + self._connection.latency
        if not self.effects:
            return due
        rates = []
        for effect in self.effects:
            if effect.kind == "latency":
                due += self._lateness(head, effect) / 1000
            elif effect.kind in RATES and head.data:
                rates.append(effect.attributes["rate"] * 1000)
            elif effect.kind == "slicer" and head.data:
                head = self._slice(effect)
                due = max(due, self._last_arrival + max(APART, effect.attributes["delay"] / 1e6))
            elif effect.kind == "slow_close" and head.mark in ("fin", "rst"):
                due = max(due, self._last_arrival) + effect.attributes["delay"] / 1000
        due = max(due, self._last_arrival)
        if rates:
            head = self._split(max(1, int(min(rates) * PIECE)))
            due += len(head.data) / min(rates)
        return due

    def _lateness(self, head: Segment, effect: Effect) -> float:
        """Milliseconds that a latency adds, which are never negative."""
        latency, jitter = effect.attributes["latency"], effect.attributes.get("jitter", 0)
        if not jitter:
            return latency
        if head.chance is None:
            head.chance = self._connection.rng.uniform(-1, 1)
        return max(0.0, latency + jitter * head.chance)

    def _slice(self, effect: Effect) -> Segment:
        head = self._way[0]
        if not head.sliced:
            variation = effect.attributes["size_variation"]
            size = effect.attributes["average_size"] + self._connection.rng.randint(-variation, variation)
            whole = len(head.data)
            head = self._split(max(1, size))
            head.sliced = True
            if len(head.data) < whole:
                head.cut = self._way[1].cut = True
            if head.cut:  # else it was small enough as it was
                effect.bytes += len(head.data)
        return head

    def _split(self, size: int) -> Segment:
        """Let at most `size` bytes stand at the head of the way."""
        head = self._way[0]
        if len(head.data) > size:
            self._way.insert(1, rest_of(head, size))
        return head

    def _arrive(self) -> None:
        """Hand over all that is due, and let the receiver look once."""
        self._timer = None
        now = self._loop.now
        while (
            self._way
            and (self._due() if self.effects else self._way[0].entered + self._latency) <= now + ROUNDING
        ):
            segment = self._way.popleft()
            self._last_arrival = now
            if self.effects:
                self._pass(segment)
            elif self._doomed and segment.mark != "probe":  # by a fault that has healed since
                self._stream.swallowed(segment)
            else:
                self._stream.arrived(segment)
        if self._way:
            self._schedule()
        self._stream.all_arrived()

    def _pass(self, segment: Segment) -> None:
        if self.silent:
            self._count(segment, lost=True)
            self._stream.lost(segment)
            return
        if self._doomed and segment.mark != "probe":
            self._stream.swallowed(segment)
            return
        for effect in () if segment.mark == "probe" else self._final:
            if effect.kind == "timeout":
                self._stream.swallowed(segment)
                effect.bytes += len(segment.data)
                self._await_traffic(effect)
                return
            if effect.kind == "half_close":
                if segment.mark == "rst":
                    continue
                self._stream.swallowed(segment)
                effect.bytes += len(segment.data)
                return
            if effect.kind == "reset_peer":
                self._stream.swallowed(segment)
                self._doom(effect)
                return
            if segment.data and not self._within_limit(effect, segment):
                return
        if segment.mark in ("fin", "rst"):
            for effect in self.effects:
                effect.ends += effect.kind == "slow_close"
        self._stream.arrived(segment)

    def _later(self, seconds: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, callback, *args, context=self._outside)

    def _await_traffic(self, effect: Effect) -> None:
        """A `timeout` closes the connection after so long without any."""
        if effect.kind != "timeout" or not effect.attributes.get("timeout") or not self._open:
            return
        if effect in self._idle:
            self._idle[effect].cancel()
        self._idle[effect] = self._later(effect.attributes["timeout"] / 1000, self._time_out, effect)

    def _time_out(self, effect: Effect) -> None:
        effect.ends += self._connection.finish()

    def _doom(self, effect: Effect) -> None:
        """A `reset_peer` has seen traffic: the cut comes once, no heal prevents it, and nothing arrives until then.

        Not even when it has healed meanwhile: what it took is gone, and a stream has no gaps.
        """
        if not self._doomed:
            self._doomed = True
            self._later(effect.attributes["timeout"] / 1000, self._cut_by, effect)

    def _cut_by(self, effect: Effect) -> None:
        # Toxiproxy prepares the sockets of a connection for RST when it opens, and only then.
        young = effect in self._born_under
        effect.ends += self._connection.reset() if young else self._connection.finish()

    def _within_limit(self, effect: Effect, segment: Segment) -> bool:
        passed = self._passed.get(effect, 0)
        left = effect.attributes["bytes"] - passed
        self._passed[effect] = passed + len(segment.data)
        if len(segment.data) < left:
            return True
        if left > 0:
            self._stream.arrived(replace(segment, data=segment.data[:left]))
        effect.ends += self._connection.finish()
        return False
