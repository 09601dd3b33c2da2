"""Three ways in which the library's own keepalive kills or hangs a connection, and a supervised link does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from simulator.hosts import Host
from simulator.loop import VirtualLoop
from simulator.network import Network, Path
from tracker import events
from tracker.config import Timing
from tracker.link import Link
from tracker.wire import Wire

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]
KEEPALIVE = {"ping_interval": 5, "ping_timeout": 5, "compression": None, "proxy": None}
FRAME = b"x" * 13_000


@asynccontextmanager
async def peer(
    network: Network, handler: Callable[[ServerConnection], Awaitable[None]]
) -> AsyncIterator[Path]:
    """A server of its own behind a path; it has no keepalive, so that only the client's is tested."""
    async with serve(handler, "server", 80, ping_interval=None, compression=None, close_timeout=1):
        yield network.path("proxy", 80, to=("server", 80))


async def echo(connection: ServerConnection) -> None:
    """Like a hub: it does not wait for a member that is slow to read."""
    async for message in connection:
        broadcast([connection], message)


async def swallow(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def stop_reading(connection: ServerConnection) -> None:
    connection.transport.pause_reading()
    await connection.wait_closed()


class Writer:
    """Traffic that writes thirty frames a second, and always reads."""

    urgent = True

    def __init__(self) -> None:
        self.probes = 0

    def next_probe(self) -> int:
        self.probes += 1
        return self.probes

    def answered(self, number: int) -> None:
        pass

    def lost(self) -> int:
        return 0

    async def converse(self, wire: Wire) -> None:
        writer = asyncio.create_task(self._write(wire))
        async for _ in wire.messages():
            pass
        writer.cancel()
        await asyncio.wait([writer])

    async def _write(self, wire: Wire) -> None:
        while await wire.send(FRAME):  # noqa: ASYNC110 - a frame's interval, not a poll
            await asyncio.sleep(1 / 30)


@asynccontextmanager
async def supervised(context: Context | None = None) -> AsyncIterator[list[Any]]:
    """A link of the tracker with its default timing, run in `context`; yields what it reports."""
    seen: list[Any] = []
    link = Link("output", "ws://proxy:80/", Writer(), timing=Timing(), rng=Random(1), report=seen.append)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run(), context=context)
        yield seen
        link.stop()
        await running


def wall() -> Host:
    """The client's machine."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.host("wall")


async def _connected() -> ClientConnection:
    return await connect("ws://proxy:80/", **KEEPALIVE)


def of(seen: list[Any], kind: type) -> list[Any]:
    return [event for event in seen if type(event) is kind]


async def write_without_reading(connection: ClientConnection) -> None:
    while True:
        await connection.send(FRAME)
        await asyncio.sleep(1 / 30)


def sent_code(connection: ClientConnection) -> int | None:
    """With what the library ended its own connection."""
    sent = connection.protocol.close_sent
    return None if sent is None else sent.code


# Unread inbound


def test_a_client_that_does_not_read_its_echo_dies_on_a_perfect_network(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[int | None, float]:
        async with peer(network, echo):
            loop = asyncio.get_running_loop()
            connection = await _connected()
            with pytest.raises(ConnectionClosed):
                await write_without_reading(connection)
            return sent_code(connection), loop.time()

    code, died = simulate(main)
    assert code == 1011
    assert died < 60


def test_a_supervised_link_lives_with_an_echo(simulate: Simulate) -> None:
    async def main(network: Network) -> list[Any]:
        async with peer(network, echo), supervised() as seen:
            await asyncio.sleep(60)
            return list(seen)

    seen = simulate(main)
    assert not of(seen, events.Died)
    assert not of(seen, events.Closed)
    assert len(of(seen, events.Answered)) > 60


# A full write buffer


def test_the_librarys_keepalive_and_close_hang_on_a_full_write_buffer(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[bool, bool, str]:
        async with peer(network, stop_reading):
            connection = await _connected()
            writing = asyncio.create_task(write_without_reading(connection))
            await asyncio.sleep(600)  # a hundred times ping_timeout
            stuck = not writing.done()
            closing = asyncio.create_task(connection.close())
            await asyncio.sleep(600)
            hangs = not closing.done()
            connection.transport.abort()  # nothing else ends it
            results = await asyncio.gather(writing, closing, return_exceptions=True)
            return stuck, hangs, type(results[0]).__name__

    stuck, hangs, error = simulate(main)
    assert stuck
    assert hangs
    assert error.startswith("ConnectionClosed")


def test_a_supervised_link_gives_a_peer_that_does_not_read_up_within_its_bound(simulate: Simulate) -> None:
    async def main(network: Network) -> list[Any]:
        async with peer(network, stop_reading), supervised() as seen:
            await asyncio.sleep(20)
            return list(seen)

    seen = simulate(main)
    connected, died = of(seen, events.Connected)[0], of(seen, events.Died)[0]
    timing = Timing()
    # Nothing was ever answered: three times the floor from the first probe, which comes within an interval.
    assert died.t - connected.t < 3 * timing.probe_floor + timing.probe_interval + 0.5


# A blocked loop


async def _block_with_a_pong_on_its_way(path: Path, host: Host, seconds: float) -> None:
    """A second downstream; then the client stands still while the Pong to the Ping of 10 s is on its way.

    The Pong arrives in the client's kernel meanwhile: the network and the peer go on.
    """
    path.add("latency", "downstream", {"latency": 1000, "jitter": 0})
    await asyncio.sleep(10.5)
    host.block(seconds)


def test_a_blocked_loop_makes_the_library_kill_a_link_whose_pong_has_arrived(simulate: Simulate) -> None:
    async def main(network: Network) -> tuple[int | None, float]:
        async with peer(network, swallow) as path:
            loop, host = asyncio.get_running_loop(), wall()
            connection = await loop.create_task(_connected(), context=host.context())
            reading = loop.create_task(connection.wait_closed(), context=host.context())
            await _block_with_a_pong_on_its_way(path, host, 5.5)
            await asyncio.wait([reading], timeout=20)
            return sent_code(connection), loop.time()

    code, died = simulate(main)
    assert code == 1011
    assert died < 20


def test_a_supervised_link_survives_the_same_blocked_loop(simulate: Simulate) -> None:
    async def main(network: Network) -> list[Any]:
        async with peer(network, swallow) as path, supervised(wall().context()) as seen:
            await _block_with_a_pong_on_its_way(path, wall(), 5.5)
            await asyncio.sleep(20)
            return list(seen)

    seen = simulate(main)
    assert of(seen, events.Lagged)
    assert not of(seen, events.Died)
    assert not of(seen, events.Closed)
