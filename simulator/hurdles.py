"""What stands in the way of a connection and looks at each segment as it is sent.

A hurdle is one effect as one connection meets it, on one of its ways, or, where it is a hop that counts idle time, on both.
What it lets pass goes on to the rest of the channel; of anything else it has disposed.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from types import MappingProxyType
from typing import Protocol

from simulator.effects import Effect
from simulator.hosts import world
from simulator.segments import Segment, rest_of


class Hurdle(Protocol):
    """See the module."""

    def admits(self, segment: Segment) -> bool:
        """A segment is sent: whether it goes on its way. If not, it has been disposed of."""

    def end(self) -> None:
        """The fault is over."""

    def stop(self) -> None:
        """The connection is over."""


class Lane(Protocol):
    """A channel, as its hurdles see it."""

    @property
    def waiting(self) -> int:
        """Bytes that are on their way."""

    def lose(self, segment: Segment) -> None:
        """The segment is gone, and the sender's kernel does not hear of it."""


class Hop(Protocol):
    """A connection, as a hop that keeps an account of it sees it."""

    def finish(self) -> bool:
        """FIN to both ends. False if it was over before."""

    def reset(self) -> bool:
        """RST to both ends. False if it was over before."""

    def fall_silent(self) -> None:
        """From now on nothing passes, either way."""


class _OnOneWay:
    """A hurdle without timers."""

    def __init__(self, effect: Effect, lane: Lane) -> None:
        self._effect = effect
        self._lane = lane

    def end(self) -> None:
        """Nothing is left of it: TCP brings what it lost."""

    def stop(self) -> None:
        """Nothing is left of it."""


class TooLarge(_OnOneWay):
    """`cut_after`: what is larger than so many bytes is lost, as often as it is sent; what is smaller passes.

    That is a path whose packets may be no larger, with a router before it that does not say so (RFC 2923, section 2.1).
    What passes behind a lost segment has to wait at the receiver, because TCP keeps the order.
    """

    _struck = False

    def admits(self, segment: Segment) -> bool:
        if len(segment.data) <= self._effect.attributes["bytes"]:
            return True
        if not self._struck:
            self._struck = True
            self._effect.silenced.append(world().now)
        segment.count_for(self._effect)
        self._lane.lose(segment)
        return False


class Burst(_OnOneWay):
    """`rto`: everything is lost until TCP has sent the oldest again so often in vain; then everything passes.

    One burst for each connection. Each try comes after twice the time (RFC 6298, section 5.5), so with 3 losses the silence
    is of three RTOs, of once, twice and four times as long. Acknowledgements and probes pass.
    """

    _lost = 0
    _over = False

    def admits(self, segment: Segment) -> bool:
        if self._over or segment.mark not in ("data", "fin"):
            return True
        if segment.again:
            if self._lost >= self._effect.attributes["losses"]:
                self._over = True
                return True
            self._lost += 1
        else:
            self._lost = max(self._lost, 1)
        segment.count_for(self._effect)
        self._lane.lose(segment)
        return False


class Queue(_OnOneWay):
    """`bufferbloat`: so many bytes may wait in front of the narrow place; what finds no room is lost (tail drop).

    How fast they leave it, and how long an acknowledgement waits behind them, the channel knows.
    """

    def admits(self, segment: Segment) -> bool:
        waiting = self._lane.waiting
        if not segment.data or not waiting:
            return True
        segment.count_for(self._effect)
        room = self._effect.attributes["buffer"] * 1000 - waiting
        if len(segment.data) <= room:
            return True
        if room > 0:
            self._lane.lose(rest_of(segment, room))
            return True
        self._lane.lose(segment)
        return False


class Idle:
    """`idle_cut`: a hop that ends, or forgets, a connection over which nothing was sent, either way, for so long.

    The time counts from the begin of the fault, of the connection, or of the last segment, a probe of TCP's keepalive
    included. When the fault ends, a connection that was forgotten gets RST: the hop does not know it.
    """

    def __init__(self, effect: Effect, hop: Hop, *, silently: bool) -> None:
        self._effect = effect
        self._hop = hop
        self._silently = silently
        self._patience = effect.attributes["after"] / 1000
        self._loop = world()
        self._outside = Context()
        self._heard = self._loop.now
        self._timer: asyncio.TimerHandle | None = None
        self._forgotten = False

    def begin(self) -> None:
        """The connection is there, and its idle time counts from now."""
        self._effect.watched += 1
        self._heard = self._loop.now
        self._await()

    def admits(self, segment: Segment) -> bool:
        del segment
        self._effect.idle = max(self._effect.idle, self._loop.now - self._heard)
        self._heard = self._loop.now
        return True

    def _await(self) -> None:
        self._timer = self._loop.call_at(self._heard + self._patience, self._look, context=self._outside)

    def _look(self) -> None:
        self._timer = None
        if self._loop.now < self._heard + self._patience - 1e-9:
            self._await()
            return
        self._effect.idle = max(self._effect.idle, self._patience)
        if self._silently:
            self._forgotten = True
            self._effect.silenced.append(self._loop.now)
            self._hop.fall_silent()
        else:
            self._effect.ends += self._hop.finish()

    def end(self) -> None:
        self.stop()
        if self._forgotten:
            self._forgotten = False
            self._effect.ends += self._hop.reset()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Orphan:
    """`rst_after_rebind`: the address that this connection's client had is not its own any more.

    Its next packet is answered by RST, because nobody knows a connection from its new address.
    """

    def __init__(self, refuse: Callable[[], None]) -> None:
        self._refuse = refuse

    def admits(self, segment: Segment) -> bool:
        if segment.mark != "rst":
            self._refuse()
        return False

    def end(self) -> None:
        """The old address never comes back."""

    def stop(self) -> None:
        """Nothing is left of it."""


_ON_ONE_WAY: Mapping[str, Callable[[Effect, Lane], Hurdle]] = MappingProxyType(
    {"cut_after": TooLarge, "rto": Burst, "bufferbloat": Queue}
)


def hurdle_for(effect: Effect, lane: Lane) -> Hurdle | None:
    """The hurdle that an effect is for a channel; None: it is none."""
    make = _ON_ONE_WAY.get(effect.kind)
    return None if make is None else make(effect, lane)
