"""A relay on aiohttp, which does not reconnect by itself: the usual loop around `ws_connect`, with a heartbeat."""

import asyncio
from random import Random

import aiohttp

from chaos.clients import Assignment
from chaos.clients.relay import Relay

HEARTBEAT = 20.0
"""Seconds between two Pings; a Pong must come within half of that."""
LEAST_DELAY, MOST_DELAY = 1.0, 3.0
"""Seconds between two attempts, drawn anew each time."""
WAITING = 1000
"""Messages between the two links."""


class AiohttpRelay(Relay):
    """See `Client`. It reads what comes back, and keeps the message in hand until it could be sent."""

    name = "aiohttp"
    real_sockets_only = "aiohttp makes its sockets itself"

    async def relay(self, assignment: Assignment) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        rng = Random(f"{assignment.seed}/aiohttp")
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(session, assignment, queue, rng))
            tasks.create_task(_write(session, assignment, queue, rng))


async def _read(
    session: aiohttp.ClientSession, assignment: Assignment, queue: asyncio.Queue[str], rng: Random
) -> None:
    while True:
        try:
            async with session.ws_connect(
                assignment.input_url, heartbeat=HEARTBEAT / assignment.scale
            ) as connection:
                async for message in connection:
                    if message.type == aiohttp.WSMsgType.TEXT:
                        await queue.put(message.data)
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(rng.uniform(LEAST_DELAY, MOST_DELAY) / assignment.scale)


async def _write(
    session: aiohttp.ClientSession, assignment: Assignment, queue: asyncio.Queue[str], rng: Random
) -> None:
    in_hand: str | None = None
    while True:
        try:
            async with (
                session.ws_connect(
                    assignment.output_url, heartbeat=HEARTBEAT / assignment.scale
                ) as connection,
                asyncio.TaskGroup() as tasks,
            ):
                # Pongs are noticed only while somebody reads.
                reader = tasks.create_task(_drain(connection))
                try:
                    while not connection.closed:
                        in_hand = await queue.get() if in_hand is None else in_hand
                        await connection.send_str(in_hand)
                        in_hand = None
                except (aiohttp.ClientError, OSError):
                    pass
                reader.cancel()
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(rng.uniform(LEAST_DELAY, MOST_DELAY) / assignment.scale)


async def _drain(connection: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in connection:
        pass
