"""Makes the logs of `tests/chaos/data/real` anew: real processes of three versions of the library, and real faults.

Takes a minute, and wants pip and its index for the versions that are not installed.
"""

import asyncio
import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.real_logs.kinds import DATA, KINDS, VERSIONS

ACTOR = Path(__file__).with_name("actor.py")
IDLE = 5.0
"""Seconds after which the proxy of this script cuts what nothing goes over."""
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Run:
    """One kind of trouble under one version."""

    def __init__(self, kind: str, version: str, library: Path, folder: Path) -> None:
        self.kind, self.version = kind, version
        self.port = free_port()
        self._environment = {**os.environ, "PYTHONPATH": str(library)}
        self._folder = folder

    def log(self, side: str) -> Path:
        return self._folder / f"{self.kind}-{self.version}-{side}.log"

    @asynccontextmanager
    async def process(self, side: str, port: int | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ACTOR),
            side,
            self.kind,
            str(port or self.port),
            str(self.log(side)),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            if side == "server":
                assert process.stdout is not None
                await process.stdout.readline()
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def client(self, port: int | None = None) -> None:
        async with self.process("client", port) as process:
            async with asyncio.timeout(60):
                await process.wait()


# What stands in for a peer or for something on the way


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


# What is done


async def perform(run: Run) -> None:
    match run.kind:
        case "wrong-pongs":
            async with answering_with_other_pongs() as port:
                await run.client(port)
        case "no-upgrade":
            async with web_server() as port:
                await run.client(port)
        case "idle-timeout":
            async with run.process("server"), idle_proxy(run.port) as port:
                await run.client(port)
        case "health-check":
            async with run.process("server"):
                for _ in range(3):
                    _, writer = await asyncio.open_connection("127.0.0.1", run.port)
                    writer.close()
                    await asyncio.sleep(2)
        case "server-frozen":
            async with run.process("server") as server, run.process("client") as client:
                await asyncio.sleep(3.3)
                server.send_signal(signal.SIGSTOP)
                async with asyncio.timeout(60):
                    await client.wait()
        case "client-frozen":
            async with run.process("server"), run.process("client") as client:
                await asyncio.sleep(6.2)
                client.send_signal(signal.SIGSTOP)
                await asyncio.sleep(6)
                client.send_signal(signal.SIGCONT)
                await asyncio.sleep(3)
        case "server-died":
            async with run.process("client") as client:
                async with run.process("server"):
                    await asyncio.sleep(4)
                await asyncio.sleep(4)
                async with run.process("server"):
                    await asyncio.sleep(4)
                    client.kill()
        case _:
            async with run.process("server"):
                await run.client()


def install(version: str, folder: Path) -> Path:
    """The library alone, in a folder of its own."""
    target = folder / version
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--target", str(target), f"websockets=={version}.*"], check=True)
    return target


def without_places(log: bytes, scratch: str) -> bytes:
    """Tracebacks name files; where those lie on this machine is nobody's business."""
    library = Path(asyncio.__file__).parents[2]
    for place, stand_in in ((scratch, ""), (str(ACTOR.parent), "/app"), (str(library), "/usr/lib")):
        log = log.replace(place.encode(), stand_in.encode())
    return log


async def main() -> None:
    wanted = sys.argv[1:]
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        libraries = {version: install(version, folder) for version in VERSIONS}
        for kind, sides in KINDS.items():
            if wanted and kind not in wanted:
                continue
            runs = [Run(kind, version, library, folder) for version, library in libraries.items()]
            await asyncio.gather(*(perform(run) for run in runs))
            for run in runs:
                for side in sides:
                    target = DATA / run.log(side).name
                    target.write_bytes(without_places(run.log(side).read_bytes(), scratch))
            sys.stdout.write(f"{kind}\n")


asyncio.run(main())
