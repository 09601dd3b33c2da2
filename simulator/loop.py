"""An asyncio event loop whose clock is virtual and whose network is in memory.

It keeps asyncio's order (callbacks first come first served, then timers by deadline) and, instead of waiting for the
next timer, moves the clock there. An hour of keepalive takes a fraction of a second, and nothing outside can change
the order of anything.

    loop = VirtualLoop(Network(random.Random(1)))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())

What cannot be simulated is refused with an error that says so: threads, executors, subprocesses, signals, files and
real sockets, whether the loop is asked for them or not. When nothing is scheduled any more and `main` has not ended, that is a deadlock; when callbacks follow each
other for ever and no time passes, a livelock: both are errors that name the tasks. An exception that nobody retrieves
is kept in `unhandled`, for whoever runs the simulation to fail it.
"""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextvars import Context, copy_context
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, TypeVar, cast

from simulator.calls import Call
from simulator.clocks import watch_clocks
from simulator.hosts import Host, host_of, to_blame
from simulator.network import Listener, Network
from simulator.refusals import Refusing, SimulationError, refuse, refused, watch
from simulator.tls import behind_tls, connect_over_tls

P = TypeVar("P", bound=asyncio.BaseProtocol)
R = TypeVar("R")

BUDGET = 7 * 24 * 3600.0
"""Seconds of virtual time after which a run has lost its way."""
AT_ONE_INSTANT = 500_000
"""Callbacks at one instant of virtual time after which a run goes round in a circle."""
ROUNDING = 1e-9
"""Seconds: a timer is due when it is at most this far ahead, so that two ways to reckon one instant agree."""
ASYNCIO = Path(asyncio.__file__).parent
TIMERS_ALLOWED = 128
"""Timers, cancelled ones included, before these are looked for."""


class _NumberedTask(asyncio.Task[R]):
    """Its place in a set depends on when it was made, and not on where it lies in memory: a task group cancels its tasks
    in the order of a set.
    """

    number: int

    def __new__(cls, *_: Any, loop: "VirtualLoop", **__: Any) -> "_NumberedTask[Any]":
        task = super().__new__(cls)
        task.number = next(loop.task_numbers)  # before `__init__`, which puts it into a set
        return task

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop, Refusing):
    """The loop. `time()` starts at 0 and is in virtual seconds."""

    # asyncio's own, which the type stubs do not know
    _closed: bool
    _stopping: bool

    def __init__(
        self,
        network: Network,
        *,
        budget: float = BUDGET,
        at_one_instant: int = AT_ONE_INSTANT,
        order: Random | None = None,
    ) -> None:
        """With `order`, tasks that are ready in one turn run in an order drawn from it; all other callbacks keep theirs,
        which asyncio promises. A program that counts on the order of its tasks then shows it.
        """
        super().__init__()
        self.network = network
        self.unhandled: list[BaseException] = []
        """Exceptions that nobody retrieved, in order."""
        self.task_numbers = count()
        """Of the tasks to be made."""
        self.now = 0.0
        """The world's clock, whoever asks: the network's and the laboratory's."""
        self._budget = budget
        self._order = order
        self._at_one_instant = at_one_instant
        self._run_at_this_instant = 0
        self._thread = threading.get_ident()
        self._hosts: dict[str, Host] = {}
        self._standing = 0  # how many hosts are blocked
        self._clocks_differ = False  # some host's clock is behind the world's
        self._ready: deque[Call] = deque()
        self._turn: deque[Call] = deque()  # what is left of the present turn
        self._timers: list[tuple[float, int, Call]] = []  # a heap; of one instant, the first made comes first
        self._timers_made = 0
        self._timers_allowed = TIMERS_ALLOWED
        self.set_exception_handler(self._note_unhandled)
        watch()
        watch_clocks()

    def time(self) -> float:
        """Of the host that asks; the world's, where its clock never stopped."""
        if self._clocks_differ and (host := host_of()) is not None:
            return host.monotonic()
        return self.now

    def _move_clock(self, now: float) -> None:
        if now > self._budget:
            raise SimulationError(
                f"virtual time passed its budget of {self._budget:g} s: something repeats for ever, or the budget is"
                " too small for this run"
            )
        self.now = now
        self._run_at_this_instant = 0

    def note_refusal(self, refusal: SimulationError) -> None:
        host = host_of()
        if host is not None:
            host.refused.append(refusal)

    @property
    def progress(self) -> tuple[float, int, int]:
        """Another whenever a callback has returned."""
        return self.now, self._run_at_this_instant, len(self._turn)

    def _note_unhandled(self, _: asyncio.AbstractEventLoop, report: dict[str, Any]) -> None:
        error = report.get("exception")
        error = error if error is not None else SimulationError(report["message"])
        self.unhandled.append(error)
        host = to_blame(report)
        if host is not None:
            host.unhandled.append(error)

    # Hosts

    def host(self, name: str) -> Host:
        """The host of that name, made when it is first asked for."""
        if name not in self._hosts:
            self._hosts[name] = Host(name, self)
        return self._hosts[name]

    def stand_still(self) -> None:
        """One more host is blocked: what is ready and belongs to it has to wait."""
        self._standing += 1
        self._set_aside(self._turn)
        self._set_aside(self._ready)

    def go_on(self, waited: Iterable[Call]) -> None:
        """A host is blocked no longer; this is what waited."""
        self._standing -= 1
        self._ready.extend(waited)

    def clock_stops(self) -> None:
        """A host's clock is behind from now on."""
        self._clocks_differ = True

    def wind(self, host: Host) -> None:
        """A host's clock goes on: its timers are due so much later."""
        self._timers[:] = [
            (
                timer.at + host.behind if timer.at is not None and host_of(timer.context) is host else when,
                number,
                timer,
            )
            for when, number, timer in self._timers
        ]
        heapify(self._timers)

    def put_off(self, timer: Call, when: float) -> None:
        """A timer is due at another moment of the world's."""
        self._timers_made += 1
        entry = when, self._timers_made, timer
        heappush(self._timers, entry)

    @staticmethod
    def _set_aside(queue: deque[Call]) -> None:
        """Leave in `queue` what belongs to no blocked host, in its order."""
        for _ in range(len(queue)):
            call = queue.popleft()
            host = host_of(call.context)
            if host is not None and host.blocked:
                host.keep(call)
            else:
                queue.append(call)

    def create_task(
        self,
        coro: Generator[Any, None, R] | Coroutine[Any, Any, R],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[R]:
        if self.get_task_factory() is None and not self.is_closed():
            task: asyncio.Task[R] = _NumberedTask(coro, loop=self, name=name, context=context)
        else:
            task = super().create_task(coro, name=name, context=context)
        task.host = host_of(context)  # type: ignore[attr-defined]  # see `to_blame`
        return task

    # Callbacks and timers

    def call_soon(  # type: ignore[override]  # looser about the arguments' types
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        call = Call(callback, args, copy_context() if context is None else context)  # an empty one is false
        self._ready.append(call)
        return call

    def call_soon_threadsafe(  # type: ignore[override]  # looser about the arguments' types
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        # To wake a loop that waits in its selector. This one never does.
        if threading.get_ident() != self._thread:
            raise SimulationError(
                "another thread called into the simulation: threads run in real time; keep them out"
            )
        return self.call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]  # looser about the arguments' types
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = Call(callback, args, copy_context() if context is None else context, when)
        if self._clocks_differ and (host := host_of(timer.context)) is not None:
            when += host.behind
        self._timers_made += 1
        heappush(self._timers, (when, self._timers_made, timer))
        if len(self._timers) > self._timers_allowed:
            self._forget_cancelled()
        return timer

    def call_later(  # type: ignore[override]  # looser about the arguments' types
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        now = self.now
        if self._clocks_differ and (host := host_of(context)) is not None:
            now = host.monotonic()
        return self.call_at(now + delay, callback, *args, context=context)

    def _forget_cancelled(self) -> None:
        """Before the heap grows to twice what it needed."""
        self._timers[:] = [entry for entry in self._timers if not entry[2].cancelled()]
        heapify(self._timers)
        self._timers_allowed = max(TIMERS_ALLOWED, 2 * len(self._timers))

    def _run_once(self) -> None:
        """One turn: run what is ready and what falls due. What these make ready is for the next turn."""
        ready = self._ready
        if self._turn:  # the last turn was ended by what is no Exception
            ready.extendleft(reversed(self._turn))
            self._turn.clear()
        self._await_timers(ready)
        if self._standing:
            self._set_aside(ready)
        if self._order is not None and len(ready) > 1:
            _shuffle_tasks(ready, self._order)
        self._run_at_this_instant += len(ready)
        if self._run_at_this_instant > self._at_one_instant:
            self._run_at_this_instant = 0  # whoever tidies up after the error gets a chance of their own
            raise SimulationError(_livelock(self.now, ready))
        self._ready, self._turn = self._turn, ready
        while ready:
            call = ready.popleft()
            if call.callback is not None:
                try:
                    call.context.run(call.callback, *call.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 - as asyncio does
                    self.call_exception_handler(
                        {"message": f"Exception in {call}", "exception": error, "handle": call}
                    )

    def _await_timers(self, ready: deque[Call]) -> None:
        """Append the timers that are due; if nothing else is ready, time passes until one is."""
        timers = self._timers
        due = self.now + ROUNDING
        while timers:
            when, _, timer = timers[0]
            if timer.callback is not None:
                if when > due:
                    if ready or self._stopping:
                        return
                    self._move_clock(when)
                    due = when + ROUNDING
                elif when > self.now:
                    # Due by rounding: the clock must show it, or who waits for this moment would wait anew for ever.
                    self.now = when
                if self._clocks_differ and (host := host_of(timer.context)) is not None and not host.blocked:
                    host.show(timer.when())
                ready.append(timer)
            heappop(timers)
        if not ready and not self._stopping:
            raise SimulationError(_deadlock(self))

    def close(self) -> None:
        super().close()
        self._turn.clear()
        self._timers.clear()

    # The network

    async def create_connection(
        self,
        protocol_factory: Callable[[], P],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, P]:
        """Connect over the in-memory network: its round trip, its refusals, its time-outs. TLS is asyncio's own."""
        if options.get("sock") is not None:
            refuse("ready-made sockets", "connect to a host and port of the simulation's network")
        if host is None or port is None:
            refuse("a connection to nowhere", "give host and port")
        stagger = options.get("happy_eyeballs_delay")
        if ssl is not None and ssl is not False:
            name = options.get("server_hostname") or host
            return await connect_over_tls(
                self.network, protocol_factory, ssl, name, (host, port), stagger=stagger
            )
        return await self.network.connect(protocol_factory, host, port, stagger=stagger)

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
        if options.get("sock") is not None or not start_serving:
            refuse("ready-made sockets and servers that do not serve", "listen on a host and port")
        factory = protocol_factory if ssl is None else behind_tls(protocol_factory, ssl)
        return self.network.listen(factory, host or "127.0.0.1", port or 0)

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """The addresses of a name that the network knows; any other is its own address."""
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in await self.network.look_up(host)
        ]

    # What belongs to the real world

    run_in_executor: Any = refused("an executor", "await something instead: a thread runs in real time")
    add_signal_handler: Any = refused("signals", "stop what runs here by calling it")
    remove_signal_handler: Any = add_signal_handler
    add_reader: Any = refused("files and real sockets", "use the simulation's network")
    add_writer: Any = add_reader
    remove_reader: Any = add_reader
    remove_writer: Any = add_reader
    sock_connect: Any = add_reader
    sock_accept: Any = add_reader
    sock_recv: Any = add_reader
    sock_recv_into: Any = add_reader
    sock_recvfrom: Any = add_reader
    sock_recvfrom_into: Any = add_reader
    sock_sendall: Any = add_reader
    sock_sendto: Any = add_reader
    sock_sendfile: Any = add_reader
    sendfile: Any = add_reader
    connect_read_pipe: Any = add_reader
    connect_write_pipe: Any = add_reader
    connect_accepted_socket: Any = add_reader
    start_tls: Any = refused("TLS", "connect without it")
    subprocess_exec: Any = refused("subprocesses", "use the engine on real sockets for programs")
    subprocess_shell: Any = subprocess_exec
    create_datagram_endpoint: Any = refused("datagrams", "this network carries TCP only")
    create_unix_connection: Any = refused("unix sockets", "connect to a host and port")
    create_unix_server: Any = refused("unix sockets", "listen on a host and port")


def _shuffle_tasks(ready: deque[Call], order: Random) -> None:
    """The steps of tasks change places among each other."""
    places = [
        place
        for place, call in enumerate(ready)
        if isinstance(getattr(call.callback, "__self__", None), asyncio.Task)
    ]
    steps = [ready[place] for place in places]
    order.shuffle(steps)
    for place, step in zip(places, steps, strict=True):
        ready[place] = step


def _where(task: asyncio.Task[Any]) -> str:
    """The innermost place at which it waits that is not asyncio's own."""
    found: FrameType | None = None
    waits: object = task.get_coro()
    while (frame := getattr(waits, "cr_frame", None)) is not None:
        if found is None or Path(frame.f_code.co_filename).parent != ASYNCIO:
            found = frame
        waits = getattr(waits, "cr_await", None)
    where = "?" if found is None else f"{found.f_code.co_qualname} line {found.f_lineno}"
    return f"{task.get_name()} in {where}"


def _deadlock(loop: VirtualLoop) -> str:
    tasks = asyncio.all_tasks(cast(asyncio.AbstractEventLoop, loop))
    waiting = [_where(task) for task in sorted(tasks, key=lambda task: task.get_name())]
    return f"deadlock at {loop.time():g} s: nothing is scheduled, and these wait: {'; '.join(waiting) or 'nobody'}"


def _livelock(now: float, ready: Iterable[Call]) -> str:
    running = []
    for call in ready:
        task = getattr(call.callback, "__self__", None)
        running.append(_where(task) if isinstance(task, asyncio.Task) else str(call))
    names = list(dict.fromkeys(running))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (
        f"livelock at {now:g} s: callbacks follow each other for ever and no time passes;"
        f" next come {'; '.join(names[:10])}{more}: let one of them sleep, or wait for an event"
    )
