"""An asyncio event loop whose clock is virtual and whose network is in memory.

It is asyncio's own loop (`BaseEventLoop`: callbacks in order, then timers) with a selector that, instead of waiting
for the next timer, moves the clock there. An hour of keepalive takes a fraction of a second, and nothing outside can
change the order of anything.

    loop = VirtualLoop(Network(random.Random(1)))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())

What cannot be simulated is refused with an error that says so: threads, executors, subprocesses, signals, files and
real sockets. When nothing is scheduled any more and `main` has not ended, that is a deadlock, and an error that lists
the waiting tasks. An exception that nobody retrieves fails the run.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

from simulator.network import Listener, Network
from simulator.transport import SimTransport

P = TypeVar("P", bound=asyncio.BaseProtocol)

BUDGET = 7 * 24 * 3600.0
"""Seconds of virtual time after which a run has lost its way."""


class SimulationError(RuntimeError):
    """The simulation cannot go on; the text says what asked for what, and what to do."""


def _refuse(what: str, remedy: str) -> NoReturn:
    raise SimulationError(f"the simulation has no place for {what}: {remedy}")


def _refused(what: str, remedy: str) -> Callable[..., NoReturn]:
    """A method of the loop that cannot be had here."""

    def refuse(*_: object, **__: object) -> NoReturn:
        _refuse(what, remedy)

    return refuse


class _Clock:
    """Stands where a selector would: it never waits."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise SimulationError(_deadlock(self._loop))
        if timeout > 0:
            self._loop.advance(timeout)
        return []

    def close(self) -> None:
        """Nothing is open."""


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop. `time()` starts at 0 and is in virtual seconds."""

    def __init__(self, network: Network, *, budget: float = BUDGET) -> None:
        super().__init__()
        self.network = network
        self._now = 0.0
        self._budget = budget
        self._thread = threading.get_ident()
        self._selector = _Clock(self)
        # A timer is due when it is at most this far ahead, or rounding could leave the clock just before it.
        self._clock_resolution = 1e-9
        self.unhandled: list[BaseException] = []
        """Exceptions that nobody retrieved, in order."""
        self.set_exception_handler(self._note_unhandled)

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass without running anything: the loop's own selector does, and a blocked loop."""
        self._now += seconds
        if self._now > self._budget:
            raise SimulationError(
                f"virtual time passed its budget of {self._budget:g} s: something repeats for ever, or the budget is"
                " too small for this run"
            )

    def _note_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.unhandled.append(error if error is not None else SimulationError(context["message"]))

    # What BaseEventLoop asks of a loop

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none: the network schedules callbacks like everybody else."""

    def _write_to_self(self) -> None:
        # Only `call_soon_threadsafe` comes here, to wake a loop that waits in its selector. This one never does.
        if threading.get_ident() != self._thread:
            raise SimulationError(
                "another thread called into the simulation: threads run in real time; keep them out"
            )

    # The network

    async def create_connection(
        self,
        protocol_factory: Callable[[], P],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        **options: Any,
    ) -> tuple[SimTransport, P]:
        """Connect over the in-memory network: its round trip, its refusals, its time-outs."""
        if ssl is not None or options.get("sock") is not None:
            _refuse("TLS and ready-made sockets", "connect to a host and port of the simulation's network")
        if host is None or port is None:
            _refuse("a connection to nowhere", "give host and port")
        return await self.network.connect(protocol_factory, host, port)

    async def create_server(  # type: ignore[override]  # of its many keywords, those that make sense here
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        start_serving: bool = True,
        **options: Any,
    ) -> Listener:
        """Listen on the in-memory network; port 0 takes a free one. OSError where the port is taken."""
        if ssl is not None or options.get("sock") is not None or not start_serving:
            _refuse("TLS, ready-made sockets and servers that do not serve", "listen on a host and port")
        return self.network.listen(protocol_factory, host or "127.0.0.1", port or 0)

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """Every name is its own address."""
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]

    # What belongs to the real world

    run_in_executor: Any = _refused("an executor", "await something instead: a thread runs in real time")
    add_signal_handler: Any = _refused("signals", "stop what runs here by calling it")
    add_reader: Any = _refused("files and real sockets", "use the simulation's network")
    add_writer: Any = add_reader
    sock_connect: Any = add_reader
    sock_accept: Any = add_reader
    sock_recv: Any = add_reader
    sock_sendall: Any = add_reader
    connect_read_pipe: Any = add_reader
    connect_write_pipe: Any = add_reader
    connect_accepted_socket: Any = add_reader
    start_tls: Any = _refused("TLS", "connect without it")
    subprocess_exec: Any = _refused("subprocesses", "use the engine on real sockets for programs")
    subprocess_shell: Any = subprocess_exec
    create_datagram_endpoint: Any = _refused("datagrams", "this network carries TCP only")
    create_unix_connection: Any = _refused("unix sockets", "connect to a host and port")
    create_unix_server: Any = _refused("unix sockets", "listen on a host and port")


def _deadlock(loop: VirtualLoop) -> str:
    waiting = []
    for task in sorted(
        asyncio.all_tasks(cast(asyncio.AbstractEventLoop, loop)), key=lambda task: task.get_name()
    ):
        stack = task.get_stack(limit=1)
        where = f"{stack[-1].f_code.co_qualname} line {stack[-1].f_lineno}" if stack else "?"
        waiting.append(f"{task.get_name()} in {where}")
    return f"deadlock at {loop.time():g} s: nothing is scheduled, and these wait: {'; '.join(waiting) or 'nobody'}"
