"""The relay that the library `websockets` suggests: `async for connection in connect(...)` on either side.

It reads what comes back, keeps the message in hand until it could be sent, and lets back-pressure through. The
iterator starts its back-off anew after any connect, also one that is closed at once.
"""

import asyncio
from collections.abc import AsyncIterable, Generator
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
UNREAD = 16
"""Messages that may wait unread before the library stops reading: its default."""
WAITING = 1000
"""Messages between the two links."""


class WebsocketsIterator(Relay):
    """See `Client`."""

    name = "websockets-iterator"

    def __init__(
        self,
        ping_interval: float = PING,
        ping_timeout: float = PING,
        close_timeout: float = CLOSE,
        *,
        reads: bool = True,
        unread: int = UNREAD,
    ) -> None:
        """`reads`: whether it reads what comes back on the output; a client that does not is a common mistake.

        `unread`: how many messages wait before the library stops reading; 32 in its older client.
        """
        self._timing = ping_interval, ping_timeout, close_timeout
        self._unread = unread
        self._reads = reads
        if not reads:
            self.name = "websockets-iterator that never reads its output"

    async def relay(self, assignment: Assignment) -> None:
        queue: asyncio.Queue[Data] = asyncio.Queue(WAITING)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(self.connections(assignment.input_url, assignment), queue))
            output = self.connections(assignment.output_url, assignment)
            tasks.create_task(_write(output, queue, reads=self._reads))

    def connections(self, url: str, assignment: Assignment) -> AsyncIterable[ClientConnection]:
        """One after another, for ever: the library decides how long it waits before the next."""
        return self.connect(url, assignment)

    def connect(self, url: str, assignment: Assignment) -> connect:
        """Which way it connects: to be iterated over, or awaited once."""
        ping_interval, ping_timeout, close_timeout = self._timing
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
            ping_interval=ping_interval / assignment.scale,
            ping_timeout=ping_timeout / assignment.scale,
            open_timeout=OPEN / assignment.scale,
            close_timeout=close_timeout / assignment.scale,
            max_queue=self._unread,
            reconnect_delays=delays,
            proxy=None,
        )


async def _read(connections: AsyncIterable[ClientConnection], queue: asyncio.Queue[Data]) -> None:
    async for connection in connections:
        with suppress(ConnectionClosed):
            async for message in connection:
                await queue.put(message)


async def _write(
    connections: AsyncIterable[ClientConnection], queue: asyncio.Queue[Data], *, reads: bool
) -> None:
    in_hand: Data | None = None
    async for connection in connections:
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_drain(connection)) if reads else None
            with suppress(ConnectionClosed):
                while True:
                    in_hand = await queue.get() if in_hand is None else in_hand
                    await connection.send(in_hand)
                    in_hand = None
            if reader is not None:
                reader.cancel()


async def _drain(connection: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            pass
