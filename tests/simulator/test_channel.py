"""What one direction of a path does to what is on its way."""

import asyncio

import pytest

from simulator.channel import LATENCY
from simulator.network import Network
from tests.simulator.conftest import Simulate
from tests.simulator.ends import Draws, Scene, now


def test_what_is_on_its_way_keeps_its_jitter_when_the_path_changes(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        network.rng = Draws(0)  # the least jitter, and the most for whatever is drawn later
        scene = Scene(network)
        client, server = await scene.connect()
        scene.add("latency", latency=100, jitter=50)
        began = now()
        client.write(b"x")
        await asyncio.sleep(0.02)
        scene.add("slow_close", delay=1)  # which does nothing to bytes
        await asyncio.sleep(1)
        return server.times[0] - began

    assert simulate(main) == pytest.approx(0.05 + LATENCY)
