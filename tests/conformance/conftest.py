"""One stage for small experiments, in three worlds: virtual time, real sockets behind Toxiproxy, and the kernel's."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, cast

import pytest

from chaos.engines import Engine, InForce, World, toxiproxy
from chaos.engines.kernel import KernelEngine
from chaos.engines.sim import SimEngine
from chaos.engines.toxiproxy import ToxiproxyEngine
from chaos.faults import Fault, read_fault
from chaos.kernel import faults as kernel
from chaos.kernel.machine import KernelMissing, abilities
from chaos.kernel.namespaces import may_unshare
from chaos.toxiproxy.install import ToxiproxyMissing

SOON = 30.0
"""Seconds after which what must happen is not waited for any longer: many, as a busy machine may take."""
EARLY = 0.001
"""Seconds of the clock's grain."""
FIN = ["eof", "lost"]
"""What an end hears of an orderly end."""
RST = ["ConnectionResetError"]
DESTROYED = ["ConnectionAbortedError"]
"""What a host's application hears of a connection that its kernel took down."""


class End(asyncio.Protocol):
    """One end of a connection: what it got, and how it ended."""

    def __init__(
        self, register: list["End"] | None = None, *, echo: bool = False, keep_open: bool = False
    ) -> None:
        self.got = bytearray()
        self.reads: list[int] = []
        self.endings: list[str] = []
        self.paused = False
        self._register = register
        self._echo, self._keep_open = echo, keep_open
        self._news = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self._register is not None:
            self._register.append(self)

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.reads.append(len(data))
        if self._echo:
            self.transport.write(data)
        self._news.set()

    def eof_received(self) -> bool:
        self.endings.append("eof")
        self._news.set()
        return self._keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.endings.append("lost" if exc is None else type(exc).__name__)
        self._news.set()

    def pause_writing(self) -> None:
        self.paused = True
        self._news.set()

    def resume_writing(self) -> None:
        self.paused = False
        self._news.set()

    async def until(self, condition: Callable[["End"], bool]) -> float:
        """Wait for `condition(self)`; returns the loop's time then."""
        async with asyncio.timeout(SOON):
            while not condition(self):
                self._news.clear()
                await self._news.wait()
        return asyncio.get_running_loop().time()


class Stage:
    """A peer on the loopback behind a link of the world, and clients of it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.servers: list[End] = []
        self.address = ""
        self._open: list[asyncio.BaseTransport] = []
        self._listener: Any = None

    async def listen(self, **options: bool) -> None:
        """Make the peer; `options` are those of its `End`s."""

        self._listener = await asyncio.get_running_loop().create_server(
            lambda: End(self.servers, **options), "127.0.0.1", 0
        )
        await self.lead_to(self._listener.sockets[0].getsockname()[1])

    async def lead_to(self, port: int) -> None:
        """Put the link before whoever listens at `port`."""
        self.address = await self.world.open_link("output", port)

    async def dial(self, **options: bool) -> End:
        """A client, connected to the link."""
        host, port = self.address.split(":")
        transport, client = await asyncio.get_running_loop().create_connection(
            lambda: End(**options), host, int(port)
        )
        self._open.append(transport)
        return client

    async def connect(self, **options: bool) -> tuple[End, End]:
        """A client and its peer, which have met."""
        count = len(self.servers)
        client = await self.dial(**options)
        async with asyncio.timeout(SOON):
            while len(self.servers) == count:  # noqa: ASYNC110 - Toxiproxy accepts before it connects onwards
                await asyncio.sleep(0.002)
        return client, self.servers[-1]

    async def begin(self, kind: str, **attributes: object) -> InForce:
        """A fault on the link, as a scenario writes it."""
        (fault,) = read_fault({"kind": kind, "at": "0s", "on": "output", **attributes})
        if (why := self._why_not(fault)) is not None:
            pytest.skip(why)
        return await self.world.begin(fault)

    def _why_not(self, fault: Fault) -> str | None:
        if self.name == "kernel":
            return kernel.why_not(fault, _kernels())
        return toxiproxy.why_not(fault) if self.name == "toxiproxy" else None

    def cut_by_the_path(self) -> tuple[list[str], list[str]]:
        """What client and peer hear when a path cuts their connection. A proxy closes its own socket on either side; of
        the kernel's the peer's socket is taken down, and the client hears of it."""
        return (RST, DESTROYED) if self.name == "kernel" else (FIN, FIN)

    def close(self) -> None:
        """Nothing stays open. Who is closing may wait for ever to write what is left."""
        for transport in self._open:
            cast(asyncio.Transport, transport).abort()
        for server in self.servers:
            server.transport.abort()
        if self._listener is not None:
            self._listener.close()


Experiment = Callable[[Stage], Awaitable[Any]]


@lru_cache(maxsize=1)
def _kernels() -> frozenset[str]:
    """What this kernel can. Raises `KernelMissing`."""
    if not may_unshare():
        raise KernelMissing("a test process with threads cannot enter a user namespace: run as root")
    return frozenset(abilities())


@pytest.fixture(
    params=[
        "sim",
        pytest.param("toxiproxy", marks=pytest.mark.toxiproxy),
        pytest.param("kernel", marks=pytest.mark.kernel),
    ]
)
def world_name(request: pytest.FixtureRequest) -> str:
    """Each test runs in all of them."""
    name: str = request.param
    return name


@pytest.fixture
def takes(world_name: str) -> Callable[[float], object]:
    """`takes(seconds)` is equal to what lasted so long; a real machine may be late, and none is early."""
    late = {"sim": 0.002, "toxiproxy": 0.2, "kernel": 0.2}[world_name]

    def about(seconds: float) -> object:
        return pytest.approx(seconds + (late - EARLY) / 2, abs=(late + EARLY) / 2)

    return about


def _engine(name: str) -> Engine:
    if name == "sim":
        return SimEngine(seed=1)
    if name == "toxiproxy":
        return ToxiproxyEngine(scale=1)
    _kernels()
    return KernelEngine()


@pytest.fixture
def play(world_name: str) -> Callable[[Experiment], Any]:
    """`play(experiment)` plays it on a stage of the world in question, and returns what it returns."""
    try:
        engine = _engine(world_name)
    except (ToxiproxyMissing, KernelMissing) as error:
        pytest.skip(str(error))

    def run(experiment: Experiment) -> Any:
        results: list[Any] = []

        async def life(world: World) -> None:
            stage = Stage(world, world_name)
            try:
                results.append(await experiment(stage))
            finally:
                stage.close()
                await asyncio.sleep(0.01)

        engine.run(life)
        return results[0]

    return run
