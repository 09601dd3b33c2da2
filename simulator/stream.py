"""One direction of one connection: what is on its way, when it arrives, and what the path does to it."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from simulator.transport import SimTransport

LATENCY = 0.0001
"""Seconds of one direction of an undisturbed path: loopback, roughly."""
WINDOW = 1024 * 1024
"""Bytes that a direction takes before its sender has to keep them: the kernels' buffers together."""
GIVE_UP = 924.6
"""Seconds without an acknowledgement after which TCP tells its sender: Linux's default, tcp_retries2 = 15."""
PIECE = 0.1
"""Seconds: a path of limited rate delivers at least this often."""
APART = 20e-6
"""Seconds at least between two pieces of a slice, so that each is read by itself."""
ROUNDING = 1e-9
"""Seconds: what is due so soon is due now."""

Mark = Literal["data", "fin", "rst"]
DROPPING = ("timeout", "blackhole")
FINAL = (*DROPPING, "reset_peer", "limit_data")
"""Kinds that decide about what arrives; the others only about when."""


@dataclass(eq=False, slots=True)
class Effect:
    """One fault on one direction of a path, in force until it is removed."""

    kind: str
    attributes: Mapping[str, int]
    toxicity: float
    bytes: int = 0
    """Bytes that it held, delayed, cut in pieces or dropped; each counts once."""
    ends: int = 0
    """Connections that it ended, or whose end it delayed; each counts once."""

    @property
    def touched(self) -> int:
        """Its evidence: 0 means that it did nothing."""
        return self.bytes + self.ends


@dataclass(slots=True)
class Segment:
    """Something on its way: bytes, or an end of the stream."""

    data: bytes
    entered: float
    mark: Mark = "data"
    chance: float | None = None
    """-1..1, drawn once: how much of the jitter it gets."""
    sliced: bool = False
    """A slicer has seen it; `cut`: and made it of something larger."""
    cut: bool = False


class Cut(Protocol):
    """The connection, as its streams see it."""

    @property
    def latency(self) -> float:
        """Of one direction, undisturbed."""

    @property
    def rng(self) -> Random:
        """Where chance comes from."""

    def finish(self) -> bool:
        """The path closes it in good order: FIN to both ends. False if it was over before."""

    def reset(self) -> bool:
        """The path cuts it: RST to both ends. False if it was over before."""

    def perish(self) -> None:
        """One end has learnt of a reset: nothing more will pass, either way."""

    def forget_if_over(self) -> None:
        """Something ended."""


class Stream:
    """See the module. What is on the way, or unread at the receiver, occupies the window.

    It is the kernels' and the network's work, so its timers belong to no host and go on when both ends are blocked.
    """

    def __init__(self, connection: Cut, sender: SimTransport, receiver: SimTransport) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._outside = Context()  # of every host
        self._sender = sender
        self._receiver = receiver
        self._way: deque[Segment] = deque()
        self._occupied = 0
        self._effects: list[Effect] = []
        self._stalled = False
        self._final: tuple[Effect, ...] = ()
        self._passed: dict[Effect, int] = {}  # for limit_data
        self._timer: asyncio.TimerHandle | None = None
        self._idle: dict[Effect, asyncio.TimerHandle] = {}  # of each `timeout`
        self._born_under: set[Effect] = set()
        self._doomed = False  # a `reset_peer` has seen traffic
        self._last_arrival = 0.0
        self._stuck_since: float | None = None
        self._pumping = False
        self._finished = False  # FIN has arrived
        self._dead = False  # nothing passes any more, not even RST

    # What the ends do

    @property
    def room(self) -> int:
        # A dead stream takes all, only to answer it: what its receiver never reads must not keep the sender waiting.
        return WINDOW if self._dead else WINDOW - self._occupied

    def carry(self, data: bytes) -> None:
        if self._dead:
            # The path has closed this connection; its socket answers as any closed one.
            self._later(2 * self._connection.latency, self._tell, self._sender, "rst")
            return
        self._occupied += len(data)
        for effect in self._effects:
            if effect.kind not in FINAL:
                self._count(effect, len(data))
        self._enter(Segment(data, self._loop.time()))

    def carry_fin(self) -> None:
        if not self._dead:
            self._enter(Segment(b"", self._loop.time(), "fin"))

    def carry_rst(self) -> None:
        """It overtakes the data, which is lost, but no stall holds it up less than them."""
        if self._dead or (self._way and self._way[-1].mark == "rst"):
            return
        self._way.clear()
        self._stop_timer()
        self._enter(Segment(b"", self._loop.time(), "rst"))

    def release(self, size: int) -> None:
        self._occupied -= size
        # Through the loop, because this runs inside a callback of the receiver.
        if not self._pumping and self._sender.waits_to_send:
            self._pumping = True
            self._loop.call_soon(self._pump, context=self._outside)

    def _pump(self) -> None:
        self._pumping = False
        self._sender.on_host(self._sender.pump)

    def _later(self, seconds: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, callback, *args, context=self._outside)

    def left(self) -> None:
        self._connection.forget_if_over()

    @property
    def silent(self) -> bool:
        """Whether nothing will ever arrive again."""
        return self._dead or (self._sender.gone and not self._way)

    # What the path does

    def strike(self, effect: Effect, *, at_birth: bool = False) -> None:
        """An effect comes into force, or is so when the connection opens; whether it hits is drawn here."""
        if effect.toxicity < 1 and self._connection.rng.random() >= effect.toxicity:
            return
        self._effects.append(effect)
        if at_birth:
            self._born_under.add(effect)
        if effect.kind not in FINAL:
            for segment in self._way:
                self._count(effect, len(segment.data))
        self._reconsider()
        if effect.kind == "timeout":
            self._await_traffic(effect)

    def relieve(self, effect: Effect) -> None:
        """An effect ends: what it held goes on; a connection whose bytes it dropped ends."""
        if effect not in self._effects:
            return
        self._effects.remove(effect)
        self._passed.pop(effect, None)
        if effect.kind in DROPPING:
            effect.ends += self._connection.finish()
        else:
            self._reconsider()

    def cut(self, *, fin: bool) -> None:
        """The path closes its two sockets: what is on the way is lost, and the receiver is told.

        It is told after the plain latency, whatever holds up the others: these sockets are on its own side.
        """
        latency = self._connection.latency
        told = self._finished and fin
        self.perish()
        if not told:
            self._later(latency, self._tell, self._receiver, "fin" if fin else "rst")
        if self._sender.waits_to_send:  # into a closed socket
            self._later(latency, self._sender.on_host, self._sender.pump)

    def perish(self) -> None:
        """Nothing passes any more."""
        self._dead = True
        self._clear()
        for idle in self._idle.values():
            idle.cancel()
        self._idle.clear()

    def _clear(self) -> None:
        self._occupied -= sum(len(segment.data) for segment in self._way)
        self._way.clear()
        self._stop_timer()

    @staticmethod
    def _count(effect: Effect, size: int) -> None:
        if effect.kind not in ("slow_close", "slicer"):  # the one minds no bytes, the other counts as it cuts
            effect.bytes += size

    @staticmethod
    def _tell(end: SimTransport, mark: Mark) -> None:
        if mark == "fin":
            end.arrived_fin()
        else:
            end.arrived_rst()
        end.on_host(end.read_ready)

    # When it arrives

    def _enter(self, segment: Segment) -> None:
        self._way.append(segment)
        if len(self._way) == 1:
            self._schedule()

    def _reconsider(self) -> None:
        self._stalled = any(effect.kind == "stall" for effect in self._effects)
        self._final = tuple(effect for effect in self._effects if effect.kind in FINAL)
        self._schedule()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._stop_timer()
        if not self._way or not self._stalled:
            self._stuck_since = None
        if not self._way:
            return
        if self._stalled:
            # Nothing is acknowledged any more; in the end the sender's kernel gives up.
            if self._stuck_since is None:
                self._stuck_since = self._loop.time()
            self._timer = self._loop.call_at(
                self._stuck_since + GIVE_UP, self._give_up, context=self._outside
            )
        else:
            self._timer = self._loop.call_at(self._due(), self._arrive, context=self._outside)

    def _due(self) -> float:
        """When the head of the way arrives, as things stand. It may say so more than once."""
        head = self._way[0]
        due = head.entered + self._connection.latency
        if not self._effects:
            return due
        rates = []
        for effect in self._effects:
            if effect.kind == "latency":
                due += self._lateness(head, effect) / 1000
            elif effect.kind == "bandwidth" and head.data:
                rates.append(effect.attributes["rate"] * 1000)
            elif effect.kind == "slicer" and head.data:
                head = self._slice(effect)
                due = max(due, self._last_arrival + max(APART, effect.attributes["delay"] / 1e6))
            elif effect.kind == "slow_close" and not head.data:
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
            rest = Segment(head.data[size:], head.entered, chance=head.chance)
            head.data = head.data[:size]
            self._way.insert(1, rest)
        return head

    def _give_up(self) -> None:
        self._clear()
        self._sender.failed(TimeoutError(110, "Connection timed out"))
        self._connection.forget_if_over()  # the sender may be long gone, and what was given up its farewell

    # What arrives

    def _arrive(self) -> None:
        """Hand over all that is due, and let the receiver read once."""
        self._timer = None
        now = self._loop.time()
        while self._way and self._due() <= now + ROUNDING:
            segment = self._way.popleft()
            self._last_arrival = now
            self._pass(segment)
        self._schedule()
        self._receiver.on_host(self._receiver.read_ready)
        if self._receiver.gone or self._sender.gone:
            self._connection.forget_if_over()

    def _pass(self, segment: Segment) -> None:
        for effect in self._final:
            if effect.kind in DROPPING:
                self._swallow(segment)
                effect.bytes += len(segment.data)
                self._await_traffic(effect)
                return
            if effect.kind == "reset_peer":
                self._swallow(segment)
                self._doom(effect)
                return
            if segment.data and not self._within_limit(effect, segment):
                return
        if segment.mark == "data":
            self._receiver.arrived(segment.data)
        elif segment.mark == "fin":
            self._note_slow_close()
            self._finished = True
            self._receiver.arrived_fin()
        else:
            self._note_slow_close()
            self._receiver.arrived_rst()
            self._connection.perish()

    def _note_slow_close(self) -> None:
        for effect in self._effects:
            if effect.kind == "slow_close":
                effect.ends += 1

    def _swallow(self, segment: Segment) -> None:
        """It is gone, and nobody is told; the sender's kernel thinks that it arrived."""
        if segment.data:
            self.release(len(segment.data))

    def _await_traffic(self, effect: Effect) -> None:
        """A `timeout` closes the connection after so long without any."""
        seconds = effect.attributes.get("timeout", 0) / 1000
        if effect.kind != "timeout" or not seconds or self._dead:
            return
        if effect in self._idle:
            self._idle[effect].cancel()
        self._idle[effect] = self._later(seconds, self._time_out, effect)

    def _time_out(self, effect: Effect) -> None:
        effect.ends += self._connection.finish()

    def _doom(self, effect: Effect) -> None:
        """A `reset_peer` has seen traffic: the cut comes once, and no heal prevents it."""
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
            self._receiver.arrived(segment.data[:left])
        effect.ends += self._connection.finish()
        return False
