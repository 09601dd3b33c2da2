"""Virtual time and a network in memory: the same scenario, seed and code give the same history."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from chaos.engines import EngineError, Heal, World
from chaos.faults import Fault
from chaos.kinds import Link
from simulator.loop import SimulationError, VirtualLoop
from simulator.network import Direction, Network, Path


class SimEngine:
    """Runs a scenario on a loop of its own. `seed` decides everything that is left to chance in the network."""

    name = "sim"

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """See `Engine`. A deadlock, an overdrawn budget and what cannot be simulated are its errors."""
        network = Network(Random(f"{self._seed}/network"))
        loop = VirtualLoop(network)
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(life(_SimWorld(network)))
        except SimulationError as error:
            raise EngineError(str(error)) from error
        gc.collect()  # an exception that sits in a reference cycle is noticed only when that is collected
        if loop.unhandled:
            raise EngineError(f"an exception that nobody retrieved: {loop.unhandled[0]!r}")


class _SimWorld:
    scale = 1.0

    def __init__(self, network: Network) -> None:
        self._network = network
        self._paths: dict[Link, Path] = {}

    async def open_link(self, link: Link, port: int) -> str:
        outside = self._network.free_port()
        self._paths[link] = self._network.path("127.0.0.1", outside, to=("127.0.0.1", port))
        return f"127.0.0.1:{outside}"

    async def begin(self, fault: Fault) -> Heal:
        assert fault.on is not None, "every network fault names its link"
        path = self._paths[fault.on]
        if fault.kind == "down":
            path.disable()

            async def enable() -> None:
                path.enable()

            return enable
        attributes = {name: value for name, value in fault.attributes.items() if isinstance(value, int)}
        both: tuple[Direction, ...] = ("upstream", "downstream")
        effects = [
            (path.add(fault.kind, direction, attributes, fault.toxicity), direction)
            for direction in (both if fault.direction == "both" else (fault.direction,))
        ]

        async def heal() -> None:
            for effect, direction in effects:
                path.remove(effect, direction)

        return heal
