"""The machines of a simulation. One can stand still while the rest of the world goes on.

A task belongs to the host in whose context it was made, and so does everything that it starts, because tasks, timers
and callbacks inherit the context. What was made in no host's context is the laboratory's own, and is never blocked.

    client = loop.host("client")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_client(), context=client.context())
        client.block(6)

A blocked host is a process whose event loop does not come round, say in a long computation. Its kernel works on: bytes
arrive in its sockets until the window is full, and what its sockets had taken is sent. Then it runs again and finds,
in asyncio's order, the callbacks that were ready, its sockets, and the timers that are overdue.

A suspended host's kernel stands still as well, and where its monotonic clock stops meanwhile, no timer is overdue
afterwards. Its wall clock goes on, and can be set.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol, cast

from simulator.calls import Call

EPOCH = 1_767_225_600.0
"""What every wall clock says at the begin of a simulation: 2026-01-01T00:00:00Z."""

_HOST: "ContextVar[Host | None]" = ContextVar("host", default=None)


class World(Protocol):
    """The loop, as its hosts see it."""

    now: float
    """Virtual seconds, by no host's clock."""

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        """As every loop has it; `when` is by the clock of the host that the context belongs to."""

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        """As every loop has it."""

    def create_future(self) -> "asyncio.Future[Any]":
        """As every loop has it."""

    def clock_stops(self) -> None:
        """A host's clock is behind from now on."""

    def wind(self, host: "Host") -> None:
        """A host's clock goes on: its timers are due so much later."""

    def put_off(self, timer: Call, when: float) -> None:
        """A timer is due at another moment of the world's."""

    def stand_still(self) -> None:
        """One more host is blocked: what is ready and belongs to it has to wait."""

    def go_on(self, waited: Iterable[Call]) -> None:
        """A host is blocked no longer; this is what waited."""


class Host:
    """One machine. `VirtualLoop.host` makes it."""

    def __init__(self, name: str, loop: World) -> None:
        self.name = name
        self.blocked = False
        """Nothing of it runs at present."""
        self.suspended = False
        """Neither does its kernel."""
        self.ahead = 0.0
        """Seconds by which its wall clock was set forward; negative: back."""
        self.wall_looks = 0
        """How often it has looked at its wall clock."""
        self.held = 0
        """Callbacks that had to wait so far."""
        self.unhandled: list[BaseException] = []
        """What nobody retrieved of its tasks' and callbacks' exceptions; `VirtualLoop.unhandled` has them too."""
        self.refused: list[Exception] = []
        """What it asked for and the simulation has not, in order, whatever became of the refusals."""
        self._loop = loop
        self._stood = 0.0
        self._since = 0.0
        self._until = 0.0
        self._alarm: Call | None = None
        self._suspended_until = self._stopped_until = 0.0
        self._stopped_since: float | None = None
        self._behind = self._shown = 0.0
        self._ready: list[Call] = []
        self._sockets: dict[Callable[[], None], Call] = {}
        self._timers: list[Call] = []

    def __repr__(self) -> str:
        return f"<Host {self.name}{' blocked' if self.blocked else ''}>"

    def context(self) -> Context:
        """A context for one task: it and all that it starts run on this host."""
        context = copy_context()
        context.run(_HOST.set, self)
        return context

    def block(self, seconds: float) -> None:
        """From now on nothing of this host runs for so many seconds; of two blocks at a time the later end counts.

        Called from this host itself, the callback that is running goes on to its end, in no time.
        """
        if not seconds > 0:
            raise ValueError(f"host {self.name} cannot be blocked for {seconds!r} s: give a number above 0")
        now = self._loop.now
        if self.blocked and now + seconds <= self._until:
            return
        if not self.blocked:
            self._since = now
        if self._alarm is not None:
            self._alarm.cancel()
        self._until = now + seconds
        # The clock that ends it is not the host's own.
        self._alarm = self._loop.call_at(self._until, self._go_on, context=Context())
        if not self.blocked:
            self.blocked = True
            self._loop.stand_still()

    def suspend(self, seconds: float, *, clock_stops: bool) -> None:
        """From now on the whole machine stands still for so many seconds; of two suspends at a time the later end counts.

        Its monotonic clock stops as long as one of them says so.
        """
        until = self._loop.now + seconds
        self._loop.call_at(until, self._wake, context=Context())  # before what ends the block
        self.block(seconds)
        self.suspended = True
        self._suspended_until = max(self._suspended_until, until)
        if clock_stops:
            if self._stopped_since is None:
                self._stopped_since = self._loop.now
                self._loop.clock_stops()
            self._stopped_until = max(self._stopped_until, until)

    def _wake(self) -> None:
        now = self._loop.now
        if self._stopped_since is not None and now >= self._stopped_until:
            self._behind += now - self._stopped_since
            self._stopped_since = None
            self._loop.wind(self)
        if now >= self._suspended_until:
            self.suspended = False

    # Its clocks

    @property
    def behind(self) -> float:
        """Seconds by which its monotonic clock is behind the world's."""
        return self._behind + (0.0 if self._stopped_since is None else self._loop.now - self._stopped_since)

    def monotonic(self) -> float:
        """Its monotonic clock, which is its event loop's."""
        return max(self._loop.now - self.behind, self._shown)

    def show(self, moment: float) -> None:
        """Something is due at this moment of its monotonic clock, which must say so, whatever the rounding."""
        self._shown = max(self._shown, moment)

    def since_boot(self) -> float:
        """The clock that no suspend stops (Linux: CLOCK_BOOTTIME)."""
        return self._loop.now

    def wall(self) -> float:
        """Its wall clock, in seconds since 1970."""
        self.wall_looks += 1
        return EPOCH + self._loop.now + self.ahead

    @property
    def blocked_for(self) -> float:
        """Seconds for which it has stood still so far, all together."""
        return self._stood + (self._loop.now - self._since if self.blocked else 0.0)

    def _go_on(self) -> None:
        self._alarm = None
        self._stood = self.blocked_for
        self.blocked = False
        waited = [*self._ready, *self._sockets.values()]
        for timer in self._timers:
            if timer.callback is None:
                continue
            if timer.when() > self.monotonic():  # its clock had stopped
                self._loop.put_off(timer, timer.when() + self.behind)
            else:
                waited.append(timer)
        for kept in (self._ready, self._sockets, self._timers):
            kept.clear()
        self._loop.go_on(waited)

    # For the loop and the network

    def keep(self, call: Call) -> None:
        """Its turn has come, and it has to wait."""
        self.held += 1
        (self._ready if call.at is None else self._timers).append(call)

    def keep_socket(self, look: Callable[[], None], context: Context) -> None:
        """Something happened at a socket, which `look` will see; one look sees all."""
        if look not in self._sockets:
            self.held += 1
            self._sockets[look] = Call(look, (), context)


def world() -> World:
    """The running loop, for what belongs to no host: the network and the kernels."""
    return cast(World, asyncio.get_running_loop())


def host_of(context: Context | None = None) -> Host | None:
    """Whose context this is (the current one, by default); None: the laboratory's own."""
    return _HOST.get() if context is None else context.get(_HOST)


def to_blame(report: dict[str, Any]) -> Host | None:
    """Where that happened which asyncio reports to an exception handler; None: in the laboratory, as far as is known."""
    handle = report.get("handle")
    if handle is not None:
        assert isinstance(handle, Call), "VirtualLoop makes no other"
        return host_of(handle.context)
    for key in ("task", "future", "transport"):
        host = getattr(report.get(key), "host", None)
        if host is not None:
            assert isinstance(host, Host), (
                "VirtualLoop.create_task and SimTransport give nothing else this name"
            )
            return host
    return None
