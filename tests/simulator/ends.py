"""Two ends of a simulated connection that write down what happens to them, for the tests of the network."""

import asyncio
import socket
from random import Random
from typing import Any

import pytest

from simulator.channel import LATENCY
from simulator.network import Direction, Network, Path
from simulator.tcp import Tcp
from simulator.transport import SimTransport

TCP = Tcp()
FIXED = Tcp(send_buffer_limit=TCP.send_buffer, receive_buffer_limit=TCP.receive_buffer)
"""Kernels whose buffers do not grow."""
BUFFERS = TCP.send_buffer + TCP.receive_buffer
"""Bytes that both kernels together take from a writer whose peer does not read."""
GIVE_UP = TCP.patience(TCP.retries, TCP.rto_max)
RTO = TCP.rto_min + 2 * LATENCY
BOTH: tuple[Direction, Direction] = ("upstream", "downstream")
FIN: tuple[str, object] = ("eof", None)
RESET: tuple[str, object] = ("lost", "ConnectionResetError")
BROKEN_PIPE: tuple[str, object] = ("lost", "BrokenPipeError")
TIMED_OUT: tuple[str, object] = ("lost", "TimeoutError")
CLEAN: tuple[str, object] = ("lost", None)


class End(asyncio.Protocol):
    """One end that writes down what happens to it, and checks that nothing happens inside another's call."""

    depth = 0

    def __init__(self, *, keep_open: bool = False) -> None:
        self.log: list[tuple[str, Any]] = []
        self.times: list[float] = []
        self.got = bytearray()
        self.sizes: list[int] = []
        self.keep_open = keep_open
        self.transport: SimTransport

    def _note(self, what: str, value: object = None) -> None:
        assert End.depth == 0, f"{what} came from inside a call of an end"
        self.log.append((what, value))
        self.times.append(asyncio.get_running_loop().time())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, SimTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._note("data")
        self.got += data
        self.sizes.append(len(data))

    def eof_received(self) -> bool:
        self._note("eof")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self._note("lost", None if exc is None else type(exc).__name__)

    def pause_writing(self) -> None:
        self.log.append(("pause", None))

    def resume_writing(self) -> None:
        self._note("resume")

    def write(self, data: bytes) -> None:
        End.depth += 1
        try:
            self.transport.write(data)
        finally:
            End.depth -= 1

    @property
    def endings(self) -> list[tuple[str, object]]:
        return [entry for entry in self.log if entry[0] in ("eof", "lost")]


class Scene:
    """A path to a listener, and connections over it."""

    def __init__(self, network: Network, *, keep_open: bool = False) -> None:
        self.network = network
        self.servers: list[End] = []
        self.keep_open = keep_open
        self.listener = network.listen(self._accept, "server", 80)
        self.path: Path = network.path("proxy", 80, to=("server", 80))

    def _accept(self) -> End:
        self.servers.append(End(keep_open=self.keep_open))
        return self.servers[-1]

    async def connect(self) -> tuple[End, End]:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: End(keep_open=self.keep_open), "proxy", 80)
        return client, self.servers[-1]

    def add(
        self, kind: str, direction: Direction = "upstream", toxicity: float = 1.0, **attributes: int
    ) -> Any:
        return self.path.add(kind, direction, attributes, toxicity)


def silence(scene: Scene, *directions: Direction, kind: str = "stall") -> list[tuple[Any, Direction]]:
    return [(scene.add(kind, direction), direction) for direction in directions or BOTH]


def heal(scene: Scene, effects: list[tuple[Any, Direction]]) -> None:
    for effect, direction in effects:
        scene.path.remove(effect, direction)


def option(end: End, name: int, value: int, level: int = socket.IPPROTO_TCP) -> None:
    end.transport.get_extra_info("socket").setsockopt(level, name, value)


def tries_in_vain(end: End) -> int:
    """As TCP_INFO tells it."""
    info = end.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)
    return int(info[2])


class Draws(Random):
    """Chance that says what it is told to say, and after that never strikes."""

    def __init__(self, *draws: float) -> None:
        super().__init__(1)
        self._draws = list(draws)

    def random(self) -> float:
        return self._draws.pop(0) if self._draws else 0.999


def at_once(seconds: float) -> object:
    """So long, and the few round trips that a recovery takes."""
    return pytest.approx(seconds, abs=0.03)


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Long enough for everything that is under way on an undisturbed path."""
    await asyncio.sleep(10 * LATENCY)


async def fill(end: End) -> None:
    """Write, in pieces that a send buffer takes, as much as both kernels keep for a peer that does not read."""
    left = BUFFERS
    while left:
        piece = min(left, TCP.send_buffer, end.transport._out.room())
        end.write(b"x" * piece)
        left -= piece
        await settle()
