"""The mock peer's messages to one connection after another."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from simulator import events
from simulator.content import checksum
from simulator.dialect import Dialect
from simulator.events import PeerObserver
from simulator.feeds import RESET, Feed
from simulator.peer_connection import PeerConnection


class Source:
    """Sends what its feed has, once a connection has begun as the dialect says.

    With `contents`, an offer has a checksum of what was offered.
    """

    def __init__(self, feed: Feed, dialect: Dialect, report: PeerObserver, *, contents: bool = False) -> None:
        self._feed = feed
        self._dialect = dialect
        self._report = report
        self._contents = contents

    async def serve(self, connection: PeerConnection, reading: Coroutine[Any, Any, None]) -> None:
        """Send, as long as `reading` from the same connection lasts."""
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send(connection))
            await reading
            sender.cancel()

    async def _send(self, connection: PeerConnection) -> None:
        opening = self._dialect.opening
        with contextlib.suppress(ConnectionClosed):
            if opening.greeting is not None:
                await connection.send(opening.greeting)
            if opening.subscription is not None:
                await connection.subscribed.wait()
                if opening.answer is not None:
                    await connection.send(opening.answer)
            await self._send_frames(connection)

    async def _send_frames(self, connection: PeerConnection) -> None:
        every = self._feed.confirm_every
        last = -1
        async for number, data in self._feed.frames():
            if connection.state is State.OPEN:  # it writes at once; what it waits for afterwards is room
                self._offers(number, data, connection)
            await connection.send(data, text=not self._dialect.binary)
            if number is not None:
                last = number
                if every is not None and number % every == 0:
                    await self._confirm_up_to(number, connection)
        await self._confirm_up_to(last, connection)

    def _offers(self, number: int | None, data: bytes, connection: PeerConnection) -> None:
        now = connection.loop.time()
        if number is not None:
            content = checksum(data) if self._contents else 0
            self._report(
                events.Offered(t=now, sequence=number, connection=connection.number, content=content)
            )
        elif data == RESET:
            self._report(events.ResetOffered(t=now, connection=connection.number))

    async def _confirm_up_to(self, number: int, connection: PeerConnection) -> None:
        def confirmed(pong: "asyncio.Future[float]") -> None:
            if not pong.cancelled() and pong.exception() is None:
                self._feed.confirmed(number)

        asyncio.ensure_future(await connection.ping()).add_done_callback(confirmed)
