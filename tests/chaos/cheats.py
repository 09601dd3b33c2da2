"""Clients that no verdict may pass: each would look well to a judge who believes what arrives."""

import asyncio
import json
import random
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from examples.relay import drained, read, write

LOST = (OSError, WebSocketException, TimeoutError)
FRAME = {"timestamp": 0, "landmarks": []}


async def _numbers(output_url: str, begin: int) -> None:
    number = begin
    while True:
        with suppress(*LOST):
            async with connect(output_url) as connection, drained(connection):
                while True:
                    await connection.send(json.dumps({**FRAME, "sequence": number}))
                    number += 1
                    await asyncio.sleep(1 / 30)
        await asyncio.sleep(random.uniform(0.2, 1))


async def never_opens_the_input(_: str, output_url: str) -> None:
    """It invents what it sends."""
    await _numbers(output_url, 0)


async def runs_ahead(input_url: str, output_url: str) -> None:
    """It reads the input, and sends what is going to come."""
    queue: asyncio.Queue[str | bytes] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        first = json.loads(await queue.get())["sequence"]
        tasks.create_task(_numbers(output_url, first + 30))
        while True:
            await queue.get()


async def sends_everything_twice(input_url: str, output_url: str) -> None:
    """Over two connections that are open at once."""
    queues: list[asyncio.Queue[str | bytes]] = [asyncio.Queue(), asyncio.Queue()]

    class Both(asyncio.Queue[str | bytes]):
        async def put(self, item: str | bytes) -> None:
            for queue in queues:
                await queue.put(item)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, Both()))
        for queue in queues:
            tasks.create_task(write(output_url, queue))


async def leaks_connections(input_url: str, output_url: str) -> None:
    """A new one every three seconds, and none is ever closed."""
    queue: asyncio.Queue[str | bytes] = asyncio.Queue()
    kept: list[ClientConnection] = []

    async def sends() -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(*LOST):
                connection = await connect(output_url)
                kept.append(connection)
                until = loop.time() + 3
                while loop.time() < until:
                    await connection.send(await queue.get())
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        tasks.create_task(sends())


async def sends_half_of_each_body(input_url: str, output_url: str) -> None:
    """Of every other frame only a part, which still has its number."""

    class Cut(asyncio.Queue[str | bytes]):
        async def put(self, item: str | bytes) -> None:
            frame = json.loads(item)
            if frame.get("sequence", 0) % 2:
                item = json.dumps({name: value for name, value in frame.items() if name == "sequence"})
            await super().put(item)

    queue = Cut()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        tasks.create_task(write(output_url, queue))


async def sends_nothing(input_url: str, output_url: str) -> None:
    """Both links are open, and that is all."""
    queue: asyncio.Queue[str | bytes] = asyncio.Queue()
    silent: asyncio.Queue[str | bytes] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        tasks.create_task(write(output_url, silent))
        while True:
            await queue.get()


async def hammers(input_url: str, output_url: str) -> None:
    """A new connection for every few messages, without any delay, for ever."""
    queue: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def sends() -> None:
        in_hand: str | bytes | None = None
        while True:
            with suppress(*LOST):
                async with connect(output_url) as connection, drained(connection):
                    for _ in range(10):
                        in_hand = in_hand or await queue.get()
                        await connection.send(in_hand)
                        in_hand = None
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(input_url, queue))
        tasks.create_task(sends())
