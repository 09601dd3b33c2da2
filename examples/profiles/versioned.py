"""A relay that offers the subprotocol `relay.v2`, and sends again what no Pong has confirmed."""

import asyncio
from collections import deque

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data, Subprotocol

SPOKEN = [Subprotocol("relay.v2"), Subprotocol("relay.v1")]


async def relay(input_url: str, output_url: str) -> None:
    """Relay until cancelled."""
    kept: deque[Data] = deque()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, kept))
        tasks.create_task(write(output_url, kept))


async def read(url: str, kept: deque[Data]) -> None:
    async for connection in connect(
        url, subprotocols=SPOKEN, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None
    ):
        try:
            async for message in connection:
                kept.append(message)
        except ConnectionClosed:
            pass


async def write(url: str, kept: deque[Data]) -> None:
    async for connection in connect(
        url, subprotocols=SPOKEN, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None
    ):
        try:
            while True:
                batch = list(kept)
                for message in batch:
                    await connection.send(message)
                await (await connection.ping())
                for _ in batch:
                    kept.popleft()
                await asyncio.sleep(0.02)
        except ConnectionClosed:
            pass
