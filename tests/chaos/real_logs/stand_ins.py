"""What stands in for a peer, or for something on the way, where the library itself would not do such a thing."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.real_logs.processes import free_port

IDLE = 5.0
"""Seconds after which the proxy cuts what nothing goes over."""
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@asynccontextmanager
async def idle_proxy(to: int) -> AsyncIterator[int]:
    """Cuts a connection over which nothing went for `IDLE` seconds, as proxies do after 60."""

    async def relayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to)
        latest = [asyncio.get_running_loop().time()]

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                latest[0] = asyncio.get_running_loop().time()
                sink.write(data)

        pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))]
        while not any(task.done() for task in pumps):
            left = latest[0] + IDLE - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(pumps, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in pumps:
            task.cancel()
        for end in (writer, back):
            end.close()

    port = free_port()
    async with await asyncio.start_server(relayed, "127.0.0.1", port):
        yield port


async def accepted(reader: asyncio.StreamReader) -> bytes:
    """What answers the handshake's key."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = next(
        line.partition(b": ")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


@asynccontextmanager
async def answering_with_other_pongs() -> AsyncIterator[int]:
    """A peer whose Pongs carry nothing of their Pings."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = await accepted(reader)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n"
        )
        while data := await reader.read(4096):
            if data[0] & 0x0F == 9:
                writer.write(b"\x8a\x02ok")
            elif data[0] & 0x0F == 8:
                break
        writer.close()

    port = free_port()
    async with await asyncio.start_server(peer, "127.0.0.1", port):
        yield port


async def client_with_other_pongs(port: int) -> None:
    """Connects, and answers each Ping with a Pong of its own, until the server has enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    while data := await reader.read(4096):
        if b"\x89\x04" in data:
            writer.write(b"\x8a\x82\0\0\0\0ok")
        if data[0] & 0x0F == 8:
            break
    writer.close()


async def client_that_is_cut(port: int) -> None:
    """Connects, and ends its stream without a close frame."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2.3)
    writer.close()
    await asyncio.sleep(0.5)


@asynccontextmanager
async def web_server() -> AsyncIterator[int]:
    """Shows its page whatever it is asked."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<html>welcome</html>"
        writer.write(
            b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(page, "127.0.0.1", port):
        yield port
