"""A tracker as a process, and the endpoints that it meets, for tests and for the operator's day."""

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from simulator.climber import Climb

BIN = Path(sys.executable).parent
HANGS = 60.0
"""Seconds after which a process is not waited for any longer."""


class Process:
    """A tracker that runs, and what it says, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def says(self, pattern: str) -> re.Match[str]:
        """The first line in which `pattern` is found, said already or to come."""
        for line in self.said:
            if found := re.search(pattern, line):
                return found
        assert self.process.stderr is not None
        async with asyncio.timeout(HANGS):
            while raw := await self.process.stderr.readline():
                self.said.append(raw.decode().rstrip())
                if found := re.search(pattern, self.said[-1]):
                    return found
        raise AssertionError(f"{pattern!r} was never said, only: {self.said}")

    async def ends(self) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(HANGS):
            _, rest = await self.process.communicate()
        self.said += rest.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode

    async def stops(self) -> int:
        """Ask for an orderly stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ends()


@asynccontextmanager
async def started(*words: object, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """`tracker run` with these options, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(BIN / "tracker", "run", *map(str, words)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        limit=2**20,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def page(port: int, path: str) -> tuple[int, str]:
    """Status and body of a page of a tracker at this port; 0 where nobody answers."""

    def fetch() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    return await asyncio.to_thread(fetch)


class Endpoints:
    """The camera's, the display's and the commander's endpoint of a wall, at one port."""

    def __init__(self, climb: Climb, *, fps: float) -> None:
        self._climb = climb
        self._frames = count()
        self._fps = fps
        self.outputs: list[dict[str, Any]] = []
        """What the display has read."""
        self.news = asyncio.Condition()
        self.reads = asyncio.Event()
        """Whether the display reads what comes."""
        self.reads.set()
        self.refuses: HTTPStatus | None = None
        self.token: str | None = None
        """What the display wants to be shown, if anything."""
        self.orders: asyncio.Queue[str] = asyncio.Queue()
        self.port = 0
        self._server: Server | None = None

    @asynccontextmanager
    async def open(self, *, tls: ssl.SSLContext | None = None) -> AsyncIterator["Endpoints"]:
        async with serve(
            self._converse,
            "127.0.0.1",
            0,
            ssl=tls,
            process_request=self._admit,
            close_timeout=0.2,
            ping_interval=None,
            compression=None,
            max_queue=2,
        ) as server:
            self._server = server
            self.port = next(iter(server.sockets)).getsockname()[1]
            self.scheme = "ws" if tls is None else "wss"
            try:
                yield self
            finally:
                for connection in server.connections:
                    connection.transport.abort()

    def url(self, name: str, *, credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}localhost:{self.port}/{name}"

    @property
    def urls(self) -> list[str]:
        return ["--input-websocket-url", self.url("in"), "--output-websocket-url", self.url("out")]

    def drop(self) -> None:
        """End all connections without a word."""
        assert self._server is not None, "only an open endpoint has connections"
        for connection in self._server.connections:
            connection.transport.abort()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuses is not None:
            return connection.respond(self.refuses, "no\n")
        shown = request.headers.get("Authorization")
        if self.token is not None and request.path.startswith("/out") and shown != f"Bearer {self.token}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no\n")
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path.partition("?")[0]
        part = {"/in": self._film, "/out": self._show, "/control": self._command}[path]
        playing = asyncio.create_task(self._until_closed(part, connection))
        await connection.wait_closed()
        playing.cancel()  # it may wait for something that does not come any more
        await asyncio.wait([playing])

    async def _until_closed(
        self, part: Callable[[ServerConnection], Awaitable[None]], connection: ServerConnection
    ) -> None:
        with contextlib.suppress(ConnectionClosed):
            await part(connection)

    async def _film(self, connection: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in self._frames:  # a climber goes on while nobody looks, and here waits for who looks
            await connection.send(self._climb.frame(number), text=True)
            due += 1 / self._fps
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _show(self, connection: ServerConnection) -> None:
        while True:
            await self.reads.wait()
            self.outputs.append(json.loads(await connection.recv()))
            async with self.news:
                self.news.notify_all()

    async def _command(self, connection: ServerConnection) -> None:
        while True:
            await connection.send(await self.orders.get())

    async def shown(self, wanted: Any, *, since: int = 0) -> dict[str, Any]:
        """The first output from number `since` on of which `wanted(output)` holds, read already or to come."""
        number = since
        async with asyncio.timeout(HANGS):
            while True:
                while number < len(self.outputs):
                    if wanted(self.outputs[number]):
                        return self.outputs[number]
                    number += 1
                async with self.news:
                    await self.news.wait()


def touched(output: dict[str, Any]) -> dict[str, str]:
    """The touched holds of an output, with their times."""
    holds = output.get("session", {}).get("holds", [])
    return {hold["id"]: hold["time"] for hold in holds if hold["status"] == "touched"}
