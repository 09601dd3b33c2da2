"""The relay that the library `websockets` suggests: `async for connection in connect(...)` on either side.

It reads what comes back, keeps the message in hand until it could be sent, and lets back-pressure through. The
iterator starts its back-off anew after any connect, also one that is closed at once.
"""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from random import Random

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import BACKOFF_INITIAL_DELAY, backoff
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data

from chaos.clients import Assignment
from chaos.clients.relay import Relay

PING, OPEN, CLOSE = 20.0, 10.0, 10.0
"""Seconds: the library's defaults, which have to be given where the run is faster than the clock."""
WAITING = 1000
"""Messages between the two links."""


class WebsocketsIterator(Relay):
    """See `Client`."""

    name = "websockets-iterator"

    async def relay(self, assignment: Assignment) -> None:
        queue: asyncio.Queue[Data] = asyncio.Queue(WAITING)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(assignment, queue))
            tasks.create_task(_write(assignment, queue))


def _connect(url: str, assignment: Assignment) -> connect:
    rng = Random(f"{assignment.seed}/{url}")

    def delays() -> Generator[float]:
        """The library's, but for its first, which it draws from a generator of its own."""
        after_the_first = backoff()
        next(after_the_first)
        yield rng.random() * BACKOFF_INITIAL_DELAY / assignment.scale
        for delay in after_the_first:
            yield delay / assignment.scale

    return connect(
        url,
        ping_interval=PING / assignment.scale,
        ping_timeout=PING / assignment.scale,
        open_timeout=OPEN / assignment.scale,
        close_timeout=CLOSE / assignment.scale,
        reconnect_delays=delays,
        proxy=None,
    )


async def _read(assignment: Assignment, queue: asyncio.Queue[Data]) -> None:
    async for connection in _connect(assignment.input_url, assignment):
        with suppress(ConnectionClosed):
            async for message in connection:
                await queue.put(message)


async def _write(assignment: Assignment, queue: asyncio.Queue[Data]) -> None:
    in_hand: Data | None = None
    async for connection in _connect(assignment.output_url, assignment):
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_drain(connection))
            with suppress(ConnectionClosed):
                while True:
                    in_hand = await queue.get() if in_hand is None else in_hand
                    await connection.send(in_hand)
                    in_hand = None
            reader.cancel()


async def _drain(connection: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            pass
