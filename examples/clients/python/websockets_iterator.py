"""A relay on websockets: `async for connection in connect(...)` reconnects, with a growing delay, by itself."""

import asyncio
import contextlib
import signal
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data


async def read(url: str, queue: asyncio.Queue[Data]) -> None:
    async for connection in connect(url):
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                await queue.put(message)


async def write(url: str, queue: asyncio.Queue[Data]) -> None:
    in_hand: Data | None = None  # the message that could not be sent
    async for connection in connect(url):
        reader = asyncio.create_task(drain(connection))
        with contextlib.suppress(ConnectionClosed):
            while True:
                in_hand = await queue.get() if in_hand is None else in_hand
                await connection.send(in_hand)
                in_hand = None
        reader.cancel()


async def drain(connection: ClientConnection) -> None:
    """What comes back is read, or the library would stop reading Pongs as well."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in connection:
            pass


async def main(input_url: str, output_url: str) -> None:
    queue: asyncio.Queue[Data] = asyncio.Queue(1000)
    relay = asyncio.gather(read(input_url, queue), write(output_url, queue))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await relay


asyncio.run(main(*sys.argv[1:]))
