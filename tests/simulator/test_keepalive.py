"""TCP's keepalive, beside what else looks after a connection."""

import asyncio
import socket
from typing import Any

from simulator.network import Network
from tests.simulator.conftest import Simulate
from tests.simulator.ends import GIVE_UP, TIMED_OUT, Scene, now, option, silence


def test_keepalive_leaves_to_retransmission_what_is_not_acknowledged(simulate: Simulate) -> None:
    async def main(network: Network) -> Any:
        scene = Scene(network)
        client, _ = await scene.connect()
        option(client, socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET)
        for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
            option(client, name, 2)
        silence(scene)
        began = now()
        client.write(b"x")
        await asyncio.sleep(2000)
        return client.log, client.times[0] - began

    log, took = simulate(main)
    assert log == [TIMED_OUT]
    assert took >= GIVE_UP
