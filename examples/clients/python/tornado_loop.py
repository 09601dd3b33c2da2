"""A relay on tornado: `websocket_connect` with its own Pings, `read_message` until it is None, and a loop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

from tornado.httpclient import HTTPError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

PING_INTERVAL = 10.0
RECONNECT_AFTER = 1.0
Messages = asyncio.Queue[str | bytes]


async def keep_connected(url: str, take: Callable[[str | bytes], None], messages: Messages | None) -> None:
    in_hand: list[str | bytes] = []  # the message that could not be sent
    while True:
        with contextlib.suppress(HTTPError, OSError):
            connection = await websocket_connect(url, ping_interval=PING_INTERVAL)
            sender = asyncio.create_task(send(connection, messages, in_hand)) if messages else None
            try:
                while (message := await connection.read_message()) is not None:
                    take(message)
            finally:
                if sender is not None:
                    sender.cancel()
                connection.close(1000)
        await asyncio.sleep(RECONNECT_AFTER)


async def send(connection: WebSocketClientConnection, messages: Messages, in_hand: list[str | bytes]) -> None:
    with contextlib.suppress(WebSocketClosedError):
        while True:
            if not in_hand:
                in_hand.append(await messages.get())
            await connection.write_message(in_hand[0], binary=isinstance(in_hand[0], bytes))
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
    await asyncio.sleep(0.5)  # the goodbyes are on their way


asyncio.run(main(*sys.argv[1:]))
