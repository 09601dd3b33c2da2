"""A relay to put under test: every message of the input is sent on to the output, in order.

    simtool chaos reset echo-backlog --client examples.relay:relay

It reconnects with jitter, reads what the output sends back, and tries a message again that could not be sent. What it
had handed to a connection that then broke, it loses: nothing here knows whether a message arrived. `simtool chaos
reset` shows it; the tracker's outbox is the remedy.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

WAITING = 1000


async def relay(input_url: str, output_url: str) -> None:
    """Until it is cancelled."""
    queue: asyncio.Queue[str | bytes] = asyncio.Queue(WAITING)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        tasks.create_task(write(output_url, queue))


async def read(url: str, queue: asyncio.Queue[str | bytes]) -> None:
    async for connection in connections(url):
        with suppress(ConnectionClosed):
            async for message in connection:
                await queue.put(message)


async def write(url: str, queue: asyncio.Queue[str | bytes]) -> None:
    in_hand: str | bytes | None = None
    async for connection in connections(url):
        async with drained(connection):
            with suppress(ConnectionClosed):
                while True:
                    in_hand = in_hand or await queue.get()
                    await connection.send(in_hand)
                    in_hand = None


async def connections(url: str) -> AsyncIterator[ClientConnection]:
    """One connection after another. The delay grows also where each connect succeeds and the connection is short."""
    loop = asyncio.get_running_loop()
    delay = 0.5
    while True:
        began = loop.time()
        with suppress(OSError, WebSocketException):
            async with connect(url) as connection:
                yield connection
        delay = 0.5 if loop.time() - began > 10 else min(2 * delay, 8)
        await asyncio.sleep(random.uniform(0, delay))


@asynccontextmanager
async def drained(connection: ClientConnection) -> AsyncIterator[None]:
    """Meanwhile everything is read, or the library would stop noticing Pongs."""

    async def read_all() -> None:
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass

    reader = asyncio.create_task(read_all())
    try:
        yield
    finally:
        reader.cancel()
