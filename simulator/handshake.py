"""TCP's three packets, over a path that may lose them: SYN and its answer are repeated as Linux repeats them.

The caller is connected with the answer. That its own answer, the third packet, has a way to the peer too is taken for
granted: bytes that follow it would make up for it.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context

from simulator.channel import Channel
from simulator.hosts import world
from simulator.tcp import Tcp


class Handshake:
    """One attempt to connect, from the first packet on."""

    def __init__(self, tcp: Tcp, up: Channel, down: Channel, *, refuses: Callable[[], bool]) -> None:
        self._tcp = tcp
        self._up, self._down = up, down
        self._refuses = refuses
        self._loop = world()
        self._outside = Context()
        self._answer: asyncio.Future[tuple[bool, float]] = self._loop.create_future()
        self._answered = False  # by the peer, for the first time
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> float:
        """Returns the round trip. ConnectionRefusedError, TimeoutError and OSError (no route) are Linux's."""
        try:
            for wait in self._tcp.syn_waits():
                if self._up.unreachable:
                    self._up.passes()  # it does not, and that is counted
                    raise OSError(113, "No route to host")
                self._later(self._up.delay, self._reach_peer, self._loop.now)
                if (await asyncio.wait((self._answer,), timeout=wait))[0]:
                    break
            else:
                raise TimeoutError(110, "Connection timed out")
            refused, asked = self._answer.result()
            if refused:
                raise ConnectionRefusedError(111, "Connection refused")
            return self._loop.now - asked  # time stamps tell which of several was answered
        finally:
            self._answer.cancel()
            for timer in self._timers:
                timer.cancel()

    def _reach_peer(self, asked: float) -> None:
        if not self._up.passes():
            return
        refused = self._refuses()
        self._reply(refused, asked)
        if not refused and not self._answered:
            self._answered = True
            for seconds in self._tcp.synack_waits():
                self._later(seconds, self._reply, refused, asked)

    def _reply(self, refused: bool, asked: float) -> None:  # noqa: FBT001 - a callback's argument
        self._later(self._down.delay, self._reach_caller, refused, asked)

    def _reach_caller(self, refused: bool, asked: float) -> None:  # noqa: FBT001 - a callback's argument
        if self._down.passes() and not self._answer.done():
            self._answer.set_result((refused, asked))

    def _later(self, seconds: float, callback: Callable[..., object], *args: object) -> None:
        self._timers.append(self._loop.call_later(seconds, callback, *args, context=self._outside))
