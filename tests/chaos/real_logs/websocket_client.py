"""Runs of websocket-client: real processes of three of its versions, against servers that do to them what a kind says."""

import asyncio
import http
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.chaos.real_logs.processes import free_port
from tests.chaos.real_logs.stand_ins import accepted

ACTOR = Path(__file__).with_name("websocket_client_actor.py")
STYLES = {"0.59": "stderr", "1.3": "stderr", "1.8": "times", "1.9": "twice"}
"""Of each version, how its trace is written: see the actor."""


async def perform(kind: str, version: str, library: Path, log: Path) -> None:
    """One kind of trouble under one version; the trace is in `log` then."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(library)}
    command = [sys.executable, str(ACTOR), kind, str(port), str(log), STYLES[version]]
    match kind:
        case "ping-timeout":
            async with silent_peer(port):
                await _finished(command, environment)
        case "server-died":
            async with serving(kind, port):
                client = await asyncio.create_subprocess_exec(*command, env=environment)
                await asyncio.sleep(3)
            await asyncio.sleep(2)
            async with serving(kind, port):
                await asyncio.sleep(3)
                client.kill()
                await client.wait()
        case _:
            async with serving(kind, port):
                await _finished(command, environment)


async def _finished(command: list[str], environment: dict[str, str]) -> None:
    client = await asyncio.create_subprocess_exec(*command, env=environment)
    async with asyncio.timeout(30):
        await client.wait()


@asynccontextmanager
async def serving(kind: str, port: int) -> AsyncIterator[Server]:
    """A server that does what the kind says; at the end it is gone at once, as if it had been killed."""

    async def handler(connection: ServerConnection) -> None:
        match kind:
            case "close-with-a-reason":
                await connection.send('{"error":"session limit"}')
                await connection.close(1008, "too many sessions")
            case "stream-ended":
                await connection.send("tick 0")
                await asyncio.sleep(2.3)
                connection.transport.close()
            case _:
                for n in range(100):
                    await connection.send(f"tick {n}")
                    await asyncio.sleep(0.5)

    def answer(connection: ServerConnection, _: Request) -> Response | None:
        match kind:
            case "refused":
                return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")
            case "no-upgrade":
                page = connection.respond(http.HTTPStatus.OK, "<html>welcome</html>")
                del page.headers["Content-Type"]
                page.headers["Content-Type"] = "text/html"
                return page
            case _:
                return None

    async with serve(handler, "127.0.0.1", port, process_request=answer, ping_interval=None) as server:
        yield server
        for connection in server.connections:
            connection.transport.abort()


@asynccontextmanager
async def silent_peer(port: int) -> AsyncIterator[None]:
    """Accepts, says one thing, and answers no Ping."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = await accepted(reader)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n\x81\x06tick 0"
        )
        while await reader.read(4096):
            pass
        writer.close()

    async with await asyncio.start_server(peer, "127.0.0.1", port):
        yield
