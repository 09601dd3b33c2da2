"""A chat that keeps each message of its own until the peer has answered a Ping that was sent after it."""

import asyncio
import json
from collections import deque
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


async def chat(url: str) -> None:
    """Talk and listen until cancelled."""
    waiting: deque[str] = deque()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk(waiting))
        async for connection in connect(url, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None):
            listening = tasks.create_task(listen(connection))
            try:
                await deliver(connection, waiting)
            except ConnectionClosed:
                pass
            finally:
                listening.cancel()


async def talk(waiting: deque[str]) -> None:
    number = 0
    while True:
        waiting.append(json.dumps({"id": number, "text": "hello"}))
        number += 1
        await asyncio.sleep(0.1)


async def listen(connection: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            pass


async def deliver(connection: ClientConnection, waiting: deque[str]) -> None:
    while True:
        batch = list(waiting)
        for message in batch:
            await connection.send(message)
        await (await connection.ping())
        for _ in batch:
            waiting.popleft()
        await asyncio.sleep(0.05)
