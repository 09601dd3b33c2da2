"""A relay on httpx-ws, which does not reconnect by itself: a loop around `aconnect_ws`, with the Pings it sends."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

import httpx
from httpx_ws import AsyncWebSocketSession, HTTPXWSException, aconnect_ws
from wsproto.utilities import LocalProtocolError

RECONNECT_AFTER = 1.0
Messages = asyncio.Queue[str]


async def keep_connected(url: str, take: Callable[[str], None], messages: Messages | None) -> None:
    in_hand: list[str] = []  # the message that could not be sent
    while True:
        try:
            async with aconnect_ws(url) as session, asyncio.TaskGroup() as tasks:
                tasks.create_task(read(session, take))
                if messages is not None:
                    tasks.create_task(write(session, messages, in_hand))
        except* (HTTPXWSException, httpx.HTTPError, LocalProtocolError) as errors:
            print(url, *errors.exceptions, file=sys.stderr, flush=True)
        await asyncio.sleep(RECONNECT_AFTER)


async def read(session: AsyncWebSocketSession, take: Callable[[str], None]) -> None:
    while True:
        take(await session.receive_text())


async def write(session: AsyncWebSocketSession, messages: Messages, in_hand: list[str]) -> None:
    while True:
        if not in_hand:
            in_hand.append(await messages.get())
        await session.send_text(in_hand[0])
        in_hand.clear()


async def main(input_url: str, output_url: str) -> None:
    messages: Messages = asyncio.Queue()
    relay = asyncio.gather(
        keep_connected(input_url, messages.put_nowait, None),
        keep_connected(output_url, lambda _: None, messages),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await relay


asyncio.run(main(*sys.argv[1:]))
