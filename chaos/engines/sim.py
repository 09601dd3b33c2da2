"""Virtual time and a network in memory: the same scenario, seed and code give the same history."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from random import Random
from typing import Any

from chaos.engines import ClientBrokeError, EngineError, InForce, World
from chaos.faults import Fault
from chaos.history import Counts
from chaos.kinds import Link
from simulator.hosts import Host
from simulator.loop import SimulationError, VirtualLoop
from simulator.network import Direction, Network, Path


class SimEngine:
    """Runs a scenario on a loop of its own. `seed` decides everything that is left to chance in the network."""

    name = "sim"

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def require_able(self, faults: Iterable[Fault]) -> None:
        """It can do all of them."""

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """See `Engine`. A deadlock, an overdrawn budget and what cannot be simulated are its errors."""
        network = Network(Random(f"{self._seed}/network"))
        loop = VirtualLoop(network)
        client = loop.host("client")
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(life(_SimWorld(network, client)))
        except SimulationError as error:
            raise EngineError(str(error)) from error
        gc.collect()  # an exception that sits in a reference cycle is noticed only when that is collected
        if client.unhandled:
            raise ClientBrokeError(f"an exception that nobody retrieved: {client.unhandled[0]!r}")
        if loop.unhandled:
            raise EngineError(f"an exception that nobody retrieved: {loop.unhandled[0]!r}")


class _SimWorld:
    scale = 1.0

    def __init__(self, network: Network, client: Host) -> None:
        self._network = network
        self._client = client
        self._paths: dict[Link, Path] = {}

    async def open_link(self, link: Link, port: int) -> str:
        outside = self._network.free_port()
        self._paths[link] = self._network.path("127.0.0.1", outside, to=("127.0.0.1", port))
        return f"127.0.0.1:{outside}"

    def client_context(self) -> Context | None:
        return self._client.context()

    def on_standstill(self, notice: Callable[[float], None]) -> None:
        """Virtual time passes for a busy machine as for an idle one."""

    async def begin(self, fault: Fault) -> InForce:
        if fault.kind == "block_loop":
            assert fault.duration is not None, "the vocabulary demands it"
            return _block(self._client, fault.duration)
        assert fault.on is not None, "every network fault names its link"
        path = self._paths[fault.on]
        return _down(path) if fault.kind == "down" else _effects(path, fault)


def _block(host: Host, seconds: float) -> InForce:
    held, stood = host.held, host.blocked_for
    host.block(seconds)
    healed: Counts | None = None  # fixed then: a later block is another fault's doing

    def count() -> Counts:
        return healed or Counts(callbacks=host.held - held, stood=host.blocked_for - stood)

    async def heal() -> None:
        nonlocal healed
        healed = count()  # it goes on by itself

    return InForce(heal, count)


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


def _effects(path: Path, fault: Fault) -> InForce:
    attributes = {name: value for name, value in fault.attributes.items() if isinstance(value, int)}
    both: tuple[Direction, ...] = ("upstream", "downstream")
    effects = [
        (path.add(fault.kind, direction, attributes, fault.toxicity), direction)
        for direction in (both if fault.direction == "both" else (fault.direction,))
    ]

    async def heal() -> None:
        for effect, direction in effects:
            path.remove(effect, direction)

    def count() -> Counts:
        return Counts(
            bytes=sum(effect.bytes for effect, _ in effects), ends=sum(effect.ends for effect, _ in effects)
        )

    return InForce(heal, count)
