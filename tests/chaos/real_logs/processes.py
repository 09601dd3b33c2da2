"""One kind of trouble under one version of the library: its processes, and where their logs lie."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ACTOR = Path(__file__).with_name("actor.py")
EXAMPLES = Path(__file__).parents[3] / "examples"
SIMTOOL = Path(sys.executable).with_name("simtool")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Run:
    """One kind of trouble under one version."""

    def __init__(self, kind: str, version: str, library: Path, folder: Path) -> None:
        self.kind, self.version = kind, version
        self.port = free_port()
        self._environment = {**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{EXAMPLES}"}
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

    @asynccontextmanager
    async def pose_server(self, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The mock server of this repository."""
        process = await asyncio.create_subprocess_exec(
            *(str(SIMTOOL), "serve", "--port", str(self.port), "--fps", "5", *options),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        while b"sink" not in (line := await process.stderr.readline()):
            assert line, "simtool serve ended"
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def client(self, port: int | None = None) -> None:
        async with self.process("client", port) as process:
            async with asyncio.timeout(60):
                await process.wait()
