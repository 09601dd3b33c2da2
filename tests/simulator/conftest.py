"""A simulation for a test: virtual time, a network in memory, and no error left over at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Protocol

import pytest

from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.tcp import Tcp
from tests.simulator.served import Confirm, Serve, Served


class Simulate(Protocol):
    """`simulate(main)` runs `main(network)` to its end and returns what it returns."""

    def __call__(self, main: Callable[[Network], Awaitable[Any]], tcp: Tcp = ...) -> Any: ...


@pytest.fixture
def simulate() -> Simulate:
    """See `Simulate`."""

    async def awaited(main: Callable[[Network], Awaitable[Any]], network: Network) -> Any:
        return await main(network)

    def run(main: Callable[[Network], Awaitable[Any]], tcp: Tcp = Tcp()) -> Any:  # noqa: B008 - it cannot change
        network = Network(Random(1), tcp)
        loop = VirtualLoop(network)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            result = runner.run(awaited(main, network))
        assert loop.unhandled == []
        return result

    return run


@pytest.fixture
def served(simulate: Simulate) -> Serve:
    """See `Serve`."""

    def run(
        main: Callable[[Served], Awaitable[Any]], *, interval: float = 0.1, confirm: Confirm = "pong"
    ) -> Any:
        async def serving(_: Network) -> Any:
            peer = Served(interval, confirm)
            peer.port = await peer.server.start()
            try:
                return await main(peer)
            finally:
                peer.server.abort()
                await peer.server.stop()

        return simulate(serving)

    return run
