"""For each profile in examples/profiles a client that speaks the same, and does one thing wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

Talk = Callable[[ClientConnection], Awaitable[None]]


async def _lasting(url: str, talk: Talk, **how: object) -> None:
    async for connection in connect(url, ping_interval=1, ping_timeout=3, close_timeout=1, proxy=None, **how):
        with suppress(ConnectionClosed):
            await talk(connection)


async def _listen(connection: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            pass


async def chat_that_keeps_nothing(url: str) -> None:
    """What it says while the connection breaks is gone."""
    number = 0

    async def talk(connection: ClientConnection) -> None:
        nonlocal number
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_listen(connection))
            with suppress(ConnectionClosed):
                while True:
                    number += 1
                    await connection.send(json.dumps({"id": number}))
                    await asyncio.sleep(0.1)

    await _lasting(url, talk)


async def ticker_that_subscribes_once(url: str) -> None:
    """On its first connection only."""
    subscribed = False

    async def talk(connection: ClientConnection) -> None:
        nonlocal subscribed
        if not subscribed:
            await connection.send('{"type": "subscribe"}')
            subscribed = True
        async for _ in connection:
            pass

    await _lasting(url, talk, additional_headers={"Authorization": "Bearer s3cret"})


async def meter_that_says_all_twice(url: str) -> None:
    """Over the same connection."""
    kept: list[str] = []

    async def talk(connection: ClientConnection) -> None:
        while True:
            for reading in [*kept]:
                await connection.send(reading)
                await connection.send(reading)
            kept.clear()
            await asyncio.sleep(0.1)

    async def read_the_dial() -> None:
        number = 1
        while True:
            kept.append(json.dumps({"reading": {"number": number}}))
            number += 1
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read_the_dial())
        await _lasting(url, talk, additional_headers={"X-Meter": "cellar"})


async def versioned_that_comes_back_with_the_old_version(input_url: str, output_url: str) -> None:
    """It offers `relay.v1` alone once it has been connected."""
    kept: asyncio.Queue[object] = asyncio.Queue()

    async def link(url: str, talk: Talk) -> None:
        offers = [Subprotocol("relay.v2"), Subprotocol("relay.v1")]
        while True:
            with suppress(ConnectionClosed, InvalidHandshake, OSError):
                async with connect(url, subprotocols=offers, ping_interval=None, proxy=None) as connection:
                    offers = [Subprotocol("relay.v1")]
                    await talk(connection)
            await asyncio.sleep(1)

    async def read(connection: ClientConnection) -> None:
        async for message in connection:
            await kept.put(message)

    async def write(connection: ClientConnection) -> None:
        while True:
            await connection.send(await kept.get())  # type: ignore[arg-type]

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(link(input_url, read))
        tasks.create_task(link(output_url, write))


async def samples_that_never_reconnect(input_url: str, output_url: str) -> None:
    """It waits for better times in silence."""
    with suppress(ConnectionClosed):
        async with (
            connect(input_url, ping_interval=None, proxy=None) as source,
            connect(output_url, ping_interval=None, proxy=None) as sink,
        ):
            async for sample in source:
                await sink.send(sample)
    await asyncio.Event().wait()
