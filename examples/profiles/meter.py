"""A meter that keeps its readings until the peer has answered a Ping that was sent after them."""

import asyncio
import json
from collections import deque

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def measure(url: str) -> None:
    """Send readings until cancelled."""
    kept: deque[str] = deque()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read_the_dial(kept))
        async for connection in connect(
            url,
            additional_headers={"X-Meter": "cellar"},
            ping_interval=1,
            ping_timeout=3,
            close_timeout=1,
            proxy=None,
        ):
            try:
                while True:
                    batch = list(kept)
                    for reading in batch:
                        await connection.send(reading)
                    await (await connection.ping())
                    for _ in batch:
                        kept.popleft()
                    await asyncio.sleep(0.05)
            except ConnectionClosed:
                pass


async def read_the_dial(kept: deque[str]) -> None:
    number = 1
    while True:
        kept.append(json.dumps({"reading": {"number": number, "watts": 230}}))
        number += 1
        await asyncio.sleep(0.2)
