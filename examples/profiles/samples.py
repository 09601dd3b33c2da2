"""A relay of binary samples: what cannot be sent at once is of no use later."""

import asyncio

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


async def relay(input_url: str, output_url: str) -> None:
    """Relay until cancelled."""
    out: set[ClientConnection] = set()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, out))
        tasks.create_task(keep_connected(output_url, out))


async def read(url: str, out: set[ClientConnection]) -> None:
    async for connection in connect(url, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None):
        try:
            async for sample in connection:
                for sink in tuple(out):
                    try:
                        await sink.send(sample)
                    except ConnectionClosed:
                        out.discard(sink)
        except ConnectionClosed:
            pass


async def keep_connected(url: str, out: set[ClientConnection]) -> None:
    async for connection in connect(url, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None):
        out.add(connection)
        try:
            async for _ in connection:
                pass
        except ConnectionClosed:
            pass
        finally:
            out.discard(connection)
