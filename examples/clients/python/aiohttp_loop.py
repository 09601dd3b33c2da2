"""A relay on aiohttp, which does not reconnect by itself: a loop around `ws_connect`, with the library's heartbeat."""

import asyncio
import contextlib
import signal
import sys

import aiohttp

HEARTBEAT = 30.0
RECONNECT_AFTER = 1.0
Queue = asyncio.Queue[str]


async def read(session: aiohttp.ClientSession, url: str, queue: Queue) -> None:
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with session.ws_connect(url, heartbeat=HEARTBEAT) as websocket:
                async for message in websocket:
                    if message.type == aiohttp.WSMsgType.TEXT:
                        await queue.put(message.data)
        await asyncio.sleep(RECONNECT_AFTER)


async def write(session: aiohttp.ClientSession, url: str, queue: Queue) -> None:
    in_hand: list[str] = []  # the message that could not be sent
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with session.ws_connect(url, heartbeat=HEARTBEAT) as websocket:
                sender = asyncio.create_task(send(websocket, queue, in_hand))
                async for _ in websocket:
                    pass
                sender.cancel()
        await asyncio.sleep(RECONNECT_AFTER)


async def send(websocket: aiohttp.ClientWebSocketResponse, queue: Queue, in_hand: list[str]) -> None:
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while True:
            if not in_hand:
                in_hand.append(await queue.get())
            await websocket.send_str(in_hand[0])
            in_hand.clear()


async def main(input_url: str, output_url: str) -> None:
    queue: Queue = asyncio.Queue(1000)
    async with aiohttp.ClientSession() as session:
        relay = asyncio.gather(read(session, input_url, queue), write(session, output_url, queue))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await relay


asyncio.run(main(*sys.argv[1:]))
