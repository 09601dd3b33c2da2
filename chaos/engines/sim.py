"""Virtual time and a network in memory: the same scenario, seed and code give the same history."""

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from random import Random
from typing import Any, cast

from chaos.engines import ClientBrokeError, EngineError, InForce, SocketObserver, World, sim_hosts
from chaos.engines.leftovers import without_leftovers
from chaos.engines.watchdog import Watchdog
from chaos.faults import Fault
from chaos.history import Counts, SocketsSeen
from chaos.kinds import Link
from simulator.effects import Effect
from simulator.hosts import Host
from simulator.loop import BUDGET, VirtualLoop
from simulator.names import How, Name
from simulator.network import Direction, Network, Path
from simulator.refusals import SimulationError


class SimEngine:
    """Runs a scenario on a loop of its own, for `budget` seconds of virtual time at most.

    `seed` decides everything that is left to chance in the network, and what a client draws from `random` itself.
    With `schedule`, the order of tasks is drawn from that, see `VirtualLoop`.
    """

    name = "sim"

    def __init__(self, *, seed: int, budget: float = BUDGET, schedule: int | None = None) -> None:
        self._seed = seed
        self._budget = budget
        self._schedule = schedule

    def require_able(self, faults: Iterable[Fault]) -> None:
        """It can do all of them."""

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """See `Engine`. A deadlock, an overdrawn budget and what cannot be simulated are its errors.

        What a client asked for and cannot be simulated comes first, whatever the client made of it. A callback that
        does not return is ended, and its end is the client's.
        """
        with _garbage_of_its_own():
            self._run(life)

    def _run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        network = Network(Random(f"{self._seed}/network"))
        order = None if self._schedule is None else Random(f"{self._schedule}/schedule")
        loop = VirtualLoop(network, budget=self._budget, order=order)
        world = _SimWorld(network, loop)
        before = random.getstate()
        random.seed(f"{self._seed}/client")
        lost: SimulationError | None = None
        try:
            with Watchdog(lambda: loop.progress), asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(without_leftovers(life(world)))
        except SimulationError as error:
            lost = error
        finally:
            random.setstate(before)
        for client in world.clients:
            if client.refused:
                raise EngineError(f"{client.refused[0]}; or run it with --engine toxiproxy") from lost
        if lost is not None:
            raise EngineError(str(lost)) from lost
        gc.collect()  # an exception that sits in a reference cycle is noticed only when that is collected
        for number, client in enumerate(world.clients):
            if client.unhandled:
                raise ClientBrokeError(
                    f"an exception that nobody retrieved: {client.unhandled[0]!r}", number
                ) from client.unhandled[0]
        if loop.unhandled:
            raise EngineError(f"an exception that nobody retrieved: {loop.unhandled[0]!r}")


@contextmanager
def _garbage_of_its_own() -> Iterator[None]:
    """Meanwhile the collector looks only at what is made meanwhile: all that a process has takes as long as a short run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _SimWorld:
    scale = 1.0
    sockets_seen: SocketsSeen = "all"

    def __init__(self, network: Network, loop: VirtualLoop) -> None:
        self.clients: list[Host] = []
        """Their machines."""
        self._network = network
        self._loop = loop
        self._paths: dict[Link, Path] = {}
        self._names: dict[Link, Name] = {}
        self._observer: SocketObserver | None = None

    async def open_link(self, link: Link, port: int, *, named: bool = False) -> str:
        outside = self._network.free_port()
        path = self._paths[link] = self._network.path("127.0.0.1", outside, to=("127.0.0.1", port))
        if self._observer is not None:
            path.watcher = _Watcher(self._observer, link, self.clients)
        if not named:
            return f"127.0.0.1:{outside}"
        name = f"{link}.test"  # a top-level domain that is never given to anybody (RFC 6761)
        self._names[link] = self._network.name(name, ("127.0.0.1", outside))
        return f"{name}:{outside}"

    def watch_sockets(self, observer: SocketObserver) -> None:
        self._observer = observer

    def client_context(self, number: int) -> Context | None:
        host = self._loop.host(f"client-{number}" if number else "client")
        self.clients.append(host)
        return host.context()

    @property
    def now(self) -> float:
        return self._loop.now

    @property
    def clients_behind(self) -> float:
        """All of them are struck at once, so one tells of all."""
        return self.clients[0].behind if self.clients else 0.0

    def on_standstill(self, notice: Callable[[float], None]) -> None:
        """Virtual time passes for a busy machine as for an idle one."""

    async def begin(self, fault: Fault) -> InForce:
        if fault.spec.where == "client":
            return sim_hosts.begin(fault, self.clients, self._paths.values())
        return self._begin_on_the_network(fault)

    def _begin_on_the_network(self, fault: Fault) -> InForce:
        assert fault.on is not None, "every network fault names its link"
        path = self._paths[fault.on]
        match fault.kind:
            case "down":
                return _down(path)
            case "idle_cut":
                return self._idle_cut(path, fault)
            case "dns":
                return _misled(self._names[fault.on], fault)
            case "half_close":
                return self._in_force([path.half_close(way, fault.toxicity) for way in _ways(fault)])
            case "rst_after_rebind":
                return self._in_force([path.rebind()])
            case _:
                return self._effects(path, fault)

    def _idle_cut(self, path: Path, fault: Fault) -> InForce:
        hop = path.cut_idle(fault.number("after"), silently=fault.choice("how") == "silent")
        return self._in_force([hop], lambda: path.forget_hop(hop))

    def _effects(self, path: Path, fault: Fault) -> InForce:
        attributes = {name: value for name, value in fault.attributes.items() if isinstance(value, int)}
        effects = [
            (path.add(fault.kind, direction, attributes, fault.toxicity), direction)
            for direction in _ways(fault)
        ]

        def end() -> None:
            for effect, direction in effects:
                path.remove(effect, direction)

        return self._in_force([effect for effect, _ in effects], end)

    def _in_force(self, effects: Sequence[Effect], end: Callable[[], None] = lambda: None) -> InForce:
        began = self._loop.now

        async def heal() -> None:
            end()

        def count() -> Counts:
            # Of several clients it is not told whose connection fell silent.
            silenced = [at for effect in effects for at in effect.silenced] if len(self.clients) == 1 else []
            return Counts(
                bytes=sum(effect.bytes for effect in effects),
                ends=sum(effect.ends for effect in effects),
                unanswered=sum(effect.unanswered for effect in effects),
                silenced=tuple(sorted(at - began for at in silenced)),
                watched=sum(effect.watched for effect in effects),
                idle=max(effect.idle for effect in effects),
            )

        return InForce(heal, count)


class _Watcher:
    """Tells an observer what happens on the path of one link."""

    def __init__(self, observer: SocketObserver, link: Link, clients: Sequence[Host]) -> None:
        self._observer = observer
        self._link = link
        self._clients = clients

    def attempted(self, host: Host | None) -> None:
        if host is not None:
            self._observer.attempted(self._link, self._clients.index(host))

    def closed(self, host: Host | None, *, by_client: bool) -> None:
        if host is not None:
            self._observer.closed(self._link, self._clients.index(host), by_client=by_client)


def _down(path: Path) -> InForce:
    before = path.refused
    ends = path.disable()
    healed: Counts | None = None  # fixed then: the path may be taken down again

    def count() -> Counts:
        return healed or Counts(ends=ends, refused=path.refused - before)

    async def heal() -> None:
        nonlocal healed
        healed = count()
        path.enable()

    return InForce(heal, count)


def _misled(name: Name, fault: Fault) -> InForce:
    trouble = name.begin(cast(How, fault.choice("how")), fault.number("delay") / 1000)

    async def heal() -> None:
        name.end(trouble)

    return InForce(heal, lambda: Counts(lookups=trouble.lookups))


def _ways(fault: Fault) -> tuple[Direction, ...]:
    return ("upstream", "downstream") if fault.direction == "both" else (fault.direction,)
