"""TCP's keepalive, as one end of a connection asks for it: is anybody still there?"""

import asyncio
from contextvars import Context

from simulator.hosts import world
from simulator.stream import Stream
from simulator.transport import SimTransport


class Keepalive:
    """Probes a connection that says nothing, and ends it with ETIMEDOUT when so many probes go unanswered.

    Off until the end's socket is told otherwise (SO_KEEPALIVE). As on Linux, it waits while bytes are unacknowledged:
    their retransmission finds out as well.
    """

    def __init__(self, end: SimTransport, out: Stream, into: Stream) -> None:
        self._end = end
        self._out, self._into = out, into
        self._loop = world()
        self._outside = Context()
        self._timer: asyncio.TimerHandle | None = None
        self._probed = 0  # in vain so far
        self._last_probe = 0.0

    def option_changed(self) -> None:
        """The socket was told something: look at once."""
        self.stop()
        if self._end.socket.keepalive is not None:
            self._look()

    def stop(self) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        options = self._end.socket.keepalive
        if options is None or self._end.gone:
            return
        idle, interval, count = options
        if self._end.asleep:
            self._again(interval)
            return
        now = self._loop.now
        heard = max(self._out.heard, self._into.last_arrival)
        if heard > self._last_probe:
            self._probed = 0
        if self._out.unanswered:
            self._again(idle)
        elif not self._probed and now < heard + idle - 1e-9:
            self._again(heard + idle - now)
        elif self._spent(now - heard, count):
            self._end.failed(TimeoutError(110, "Connection timed out"))
        else:
            self._probed += 1
            self._last_probe = now
            self._out.probe()
            self._again(interval)

    def _spent(self, silence: float, count: int) -> bool:
        patience = self._end.socket.user_timeout
        if patience:
            return self._probed > 0 and silence >= patience
        return self._probed >= count

    def _again(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look, context=self._outside)
