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
"""

from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol

from simulator.calls import Call

_HOST: "ContextVar[Host | None]" = ContextVar("host", default=None)


class World(Protocol):
    """The loop, as its hosts see it."""

    def time(self) -> float:
        """Virtual seconds."""

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        """As every loop has it."""

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
        now = self._loop.time()
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

    @property
    def blocked_for(self) -> float:
        """Seconds for which it has stood still so far, all together."""
        return self._stood + (self._loop.time() - self._since if self.blocked else 0.0)

    def _go_on(self) -> None:
        self._alarm = None
        self._stood = self.blocked_for
        self.blocked = False
        waited = [*self._ready, *self._sockets.values(), *self._timers]
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
