"""A relay on the client that websockets had until version 14: `recv` and `send` in a loop that connects anew."""

import asyncio
import contextlib
import signal
import sys

import websockets

RECONNECT_AFTER = 1.0
Queue = asyncio.Queue[str | bytes]


async def read(url: str, queue: Queue) -> None:
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            async with websockets.connect(url) as websocket:
                while True:
                    await queue.put(await websocket.recv())
        await asyncio.sleep(RECONNECT_AFTER)


async def write(url: str, queue: Queue) -> None:
    in_hand: str | bytes | None = None  # the message that could not be sent
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            async with websockets.connect(url) as websocket:
                reader = asyncio.create_task(drain(websocket))
                try:
                    while True:
                        in_hand = await queue.get() if in_hand is None else in_hand
                        await websocket.send(in_hand)
                        in_hand = None
                finally:
                    reader.cancel()
        await asyncio.sleep(RECONNECT_AFTER)


async def drain(websocket: websockets.WebSocketClientProtocol) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await websocket.recv()


async def main(input_url: str, output_url: str) -> None:
    queue: Queue = asyncio.Queue(1000)
    relay = asyncio.gather(read(input_url, queue), write(output_url, queue))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await relay


asyncio.run(main(*sys.argv[1:]))
