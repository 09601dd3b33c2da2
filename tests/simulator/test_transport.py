"""One end of a connection, as its protocol sees it."""

import asyncio
from typing import Any

from simulator.network import Network
from simulator.tcp import Tcp
from tests.simulator.conftest import Simulate
from tests.simulator.ends import CLEAN, FIXED, TCP, Scene, settle


def test_a_paused_writer_goes_on_at_the_low_water_mark(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        scene.add("bandwidth", rate=10)
        client.write(b"x" * (TCP.send_buffer + 70_000))
        seen = []
        for _ in range(2):  # 28 kB go out after 2.8 s, and as many again after 5.6 s
            await asyncio.sleep(2.9)
            seen.append((client.transport.get_write_buffer_size(), list(client.log)))
        return seen

    paused, resumed = ("pause", None), ("resume", None)
    assert simulate(main, FIXED) == [(42_000, [paused]), (14_000, [paused, resumed])]


def test_one_read_is_of_256_kib_at_most(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, server = await Scene(network).connect()
        server.transport.pause_reading()
        client.write(b"x" * 600_000)
        await settle()
        server.transport.resume_reading()
        await settle()
        return server.sizes

    assert simulate(main, Tcp(send_buffer=10**6, receive_buffer=10**6)) == [262_144, 262_144, 75_712]


def test_the_end_is_told_after_the_call_that_brought_it(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        client, _ = await Scene(network).connect()
        client.transport.abort()
        inside = list(client.log)
        await settle()
        return inside, client.log

    assert simulate(main) == ([], [CLEAN])
