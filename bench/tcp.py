"""The simulated TCP beside this machine's kernel: the same probes on both, in one run; always exits 0.

    make tcp

The kernel's side is a client, a router that drops silently, and a server in network namespaces; it needs Linux and root,
or a system where anybody may make user namespaces, and is left out with the reason where it has neither. The namespaces
end with this process, however it ends. All probes run at once, each with a path of its own: some 40 s.
"""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from namespaces import PORT, SERVER, Triple, Unavailable, be_allowed
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from simulator.loop import VirtualLoop
from simulator.network import Direction, Network
from simulator.tcp import Tcp
from tracker import events
from tracker.config import Timing
from tracker.link import Link, Wire

MESSAGE = b"x" * 6000
INTERVAL = 1 / 30
"""Seconds between messages, as a tracker sends them."""
CLOSE_ENOUGH = 0.25
QUICK = Tcp(retries=5, syn_retries=2)
"""Both kernels are set to this where they would take minutes."""
QUICKLY: Mapping[str, int] = {"tcp_retries2": 5, "tcp_syn_retries": 2}

Figures = dict[str, float]
Converse = Callable[[ServerConnection], Awaitable[None]]


class World(Protocol):
    """Two hosts and a path between them that can fall silent."""

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol]) -> None: ...

    def serve(self, converse: Converse) -> AbstractAsyncContextManager[object]: ...

    @property
    def url(self) -> str: ...

    async def connect(self, factory: Callable[[], "End"]) -> "End": ...

    def silence(self, *, up: bool = True, down: bool = True) -> None: ...

    def heal(self) -> None: ...


class Simulated:
    """On virtual time."""

    url = "ws://proxy:80"

    def __init__(self, network: Network) -> None:
        self._path = network.path("proxy", 80, to=("server", 80))
        self._effects: list[tuple[Any, Direction]] = []

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        await asyncio.get_running_loop().create_server(factory, "server", 80)

    def serve(self, converse: Converse) -> AbstractAsyncContextManager[object]:
        return serve(converse, "server", 80, ping_interval=None)

    async def connect(self, factory: Callable[[], "End"]) -> "End":
        return (await asyncio.get_running_loop().create_connection(factory, "proxy", 80))[1]

    def silence(self, *, up: bool = True, down: bool = True) -> None:
        directions: tuple[tuple[bool, Direction], ...] = ((up, "upstream"), (down, "downstream"))
        self._effects += [(self._path.add("stall", way, {}), way) for wanted, way in directions if wanted]

    def heal(self) -> None:
        while self._effects:
            self._path.remove(*self._effects.pop())


class Kernel:
    """Between network namespaces of this machine."""

    url = f"ws://{SERVER}:{PORT}"

    def __init__(self, hosts: Triple) -> None:
        self._hosts = hosts

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        await asyncio.get_running_loop().create_server(factory, sock=self._hosts.listening())

    def serve(self, converse: Converse) -> AbstractAsyncContextManager[object]:
        return serve(converse, sock=self._hosts.listening(), ping_interval=None)

    async def connect(self, factory: Callable[[], "End"]) -> "End":
        return (await asyncio.get_running_loop().create_connection(factory, SERVER, PORT))[1]

    def silence(self, *, up: bool = True, down: bool = True) -> None:
        self._hosts.silence(up=up, down=down)

    def heal(self) -> None:
        self._hosts.heal()


class End(asyncio.Protocol):
    """One end of a connection: when something came, when it was paused, and how it ended."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.got = 0
        self.paused: float | None = None
        self.ended: tuple[float, Exception | None] | None = None
        self.transport: Any = None
        self.over = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.times.append(now())
        self.got += len(data)

    def pause_writing(self) -> None:
        self.paused = now()

    def resume_writing(self) -> None:
        self.paused = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = now(), exc
        self.over.set()

    async def say(self, seconds: float) -> int:
        """Thirty messages a second, until paused; returns how many bytes the kernel took."""
        until, written = now() + seconds, 0
        while now() < until and self.paused is None and self.ended is None:
            self.transport.write(MESSAGE)
            written += len(MESSAGE)
            await asyncio.sleep(INTERVAL)
        return written - int(self.transport.get_write_buffer_size())


def now() -> float:
    return asyncio.get_running_loop().time()


async def met(world: World) -> tuple[End, End]:
    """A client and its peer, after a second of messages."""
    servers: list[End] = []

    def accept() -> End:
        servers.append(End())
        return servers[-1]

    await world.listen(accept)
    client = await world.connect(End)
    await client.say(1.0)
    await asyncio.sleep(0.1)
    return client, servers[0]


# The probes


async def pause_in_a_partition(world: World) -> Figures:
    client, _ = await met(world)
    world.silence()
    began = now()
    taken = await client.say(30)
    assert client.paused is not None, "the writer was never paused"
    return {"seconds": client.paused - began, "kB": taken / 1000}


def silence_after(outage: float) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        client, server = await met(world)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.say(outage + 0.1))
            await asyncio.sleep(0.1)
            world.silence()
            await asyncio.sleep(outage)
            heard, last = len(server.times), server.times[-1]
            world.heal()
            while len(server.times) == heard:  # noqa: ASYNC110 - what is watched tells nobody
                await asyncio.sleep(0.005)
        return {"seconds": server.times[heard] - last}

    return probe


async def connect_into_a_partition(world: World) -> Figures:
    await world.listen(End)
    world.silence()
    asyncio.get_running_loop().call_later(2, world.heal)
    began = now()
    await world.connect(End)
    return {"seconds": now() - began}


async def connect_in_vain(world: World) -> Figures:
    await world.listen(End)
    world.silence()
    began = now()
    with contextlib.suppress(TimeoutError):
        await world.connect(End)
    return {"seconds": now() - began}


def give_up(user_timeout: int | None = None) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        client, _ = await met(world)
        if user_timeout is not None:
            options = client.transport.get_extra_info("socket")
            options.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout)
        world.silence()
        began = now()
        client.transport.write(b"x")
        await client.over.wait()
        assert client.ended is not None
        assert isinstance(client.ended[1], TimeoutError), client.ended
        return {"seconds": client.ended[0] - began}

    return probe


async def bytes_then_reset(world: World) -> Figures:
    client, server = await met(world)
    client.transport.pause_reading()
    server.transport.write(b"unread")
    await asyncio.sleep(0.1)
    before = server.got
    client.transport.write(b"x" * 500)
    client.transport.abort()  # with unread bytes, so that it is a reset
    await server.over.wait()
    assert server.ended is not None
    assert isinstance(server.ended[1], ConnectionResetError), server.ended
    return {"bytes": float(server.got - before)}


async def peer_that_does_not_read(world: World) -> Figures:
    client, server = await met(world)
    server.transport.pause_reading()
    return {"kB": await client.say(30) / 1000}


class Sending:
    """A tracker's output: it sends and reads."""

    urgent = True

    def __init__(self) -> None:
        self._probes = 0

    def next_probe(self) -> int:
        self._probes += 1
        return self._probes

    def answered(self, number: int) -> None: ...

    def lost(self) -> int:
        return 0

    async def converse(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send(wire))
            async for _ in wire.messages():
                pass
            sending.cancel()

    async def _send(self, wire: Wire) -> None:
        while await wire.send(MESSAGE):  # noqa: ASYNC110 - a message's interval, not a poll
            await asyncio.sleep(INTERVAL)


async def talk(connection: ServerConnection) -> None:
    """The peer reads, and says something four times a second."""

    async def say() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send("hello")
                await asyncio.sleep(0.25)

    async with asyncio.TaskGroup() as tasks:
        saying = tasks.create_task(say())
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass
        saying.cancel()


@contextlib.asynccontextmanager
async def output_link(world: World) -> AsyncIterator[asyncio.Queue[Any]]:
    """The tracker's own, with its default timing; yields what it reports."""
    reports: asyncio.Queue[Any] = asyncio.Queue()
    async with world.serve(talk):
        link = Link(
            "output",
            world.url,
            Sending(),
            timing=Timing(),
            rng=random.Random(1),
            report=reports.put_nowait,
        )
        running = asyncio.create_task(link.run())
        try:
            yield reports
        finally:
            link.stop()
            await running
            world.heal()


def detection(*, up: bool, down: bool) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        async with output_link(world) as reports:
            await asyncio.sleep(3)
            world.silence(up=up, down=down)
            began = now()
            while type(await reports.get()) is not events.Died:
                pass
            return {"seconds": now() - began}

    return probe


Probe = Callable[[World], Awaitable[Figures]]
ROWS: tuple[tuple[str, Probe, bool], ...] = (
    ("a writer into silence (30 messages of 6 kB a second) is paused", pause_in_a_partition, False),
    *(
        (f"an outage of {outage:g} s is a silence of", silence_after(outage), False)
        for outage in (0.5, 1.6, 3.2, 20)
    ),
    ("a connect into a partition of 2 s takes", connect_into_a_partition, False),
    ("a connect into a lasting one is given up after", connect_in_vain, True),
    ("the tracker gives up an output that is silent upstream after", detection(up=True, down=False), False),
    ("... downstream", detection(up=False, down=True), False),
    ("... both ways", detection(up=True, down=True), False),
    ("ETIMEDOUT with TCP_USER_TIMEOUT 5 s comes after", give_up(5000), False),
    ("ETIMEDOUT without comes after", give_up(), True),
    ("500 bytes, then a reset: read before ECONNRESET", bytes_then_reset, False),
    ("a peer that does not read: taken until the writer is paused", peer_that_does_not_read, False),
)
"""What is asked, the probe, and whether both sides are set to few retries for it."""


def on_virtual_time(probe: Probe, tcp: Tcp) -> Figures:
    network = Network(random.Random(1), tcp)
    loop = VirtualLoop(network)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(_only(probe, Simulated(network)))


async def _only(probe: Probe, world: World) -> Figures:
    return await probe(world)


def on_the_kernel(probe: Probe, settings: Mapping[str, int]) -> Figures:
    """In a thread of its own, which belongs to the client's namespace then."""
    hosts = Triple(settings)
    try:
        return asyncio.run(_only(probe, Kernel(hosts)))
    finally:
        hosts.close()


def kernel_figures() -> list[Figures | str]:
    """Of each row; where there is none, why."""
    try:
        be_allowed()
    except Unavailable as error:
        return [str(error)] * len(ROWS)
    with ThreadPoolExecutor(len(ROWS)) as threads:
        asked = [threads.submit(on_the_kernel, probe, QUICKLY if quick else {}) for _, probe, quick in ROWS]
    found: list[Figures | str] = []
    for future in asked:
        try:
            found.append(future.result())
        except Unavailable as error:
            found.append(str(error))
    return found


def verdict(kernel: float, virtual: float) -> str:
    ratio = virtual / kernel
    return f"{ratio:5.2f}  {'within 25 %' if abs(ratio - 1) <= CLOSE_ENOUGH else 'differs'}"


def main() -> None:
    control = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    print(f"\nkernel: {os.uname().sysname} {os.uname().release}, {control.read_text().strip()}")
    print(f"\n{'':76}{'kernel':>9}{'virtual':>9}  ratio")
    for (name, probe, quick), measured in zip(ROWS, kernel_figures(), strict=True):
        for unit, virtual in on_virtual_time(probe, QUICK if quick else Tcp()).items():
            row = f"{name + ', ' + unit + (' *' if quick else ''):76}"
            if isinstance(measured, str):
                print(f"{row}{'-':>9}{virtual:>9.2f}  {measured}")
            else:
                print(f"{row}{measured[unit]:>9.2f}{virtual:>9.2f}  {verdict(measured[unit], virtual)}")
    default = on_virtual_time(give_up(), Tcp())["seconds"]
    print(f"{'ETIMEDOUT without, tcp_retries2 15 as by default, seconds':76}{'924.6 **':>9}{default:>9.1f}")
    print("\n*  with tcp_retries2 5 and tcp_syn_retries 2 on both sides, so that it takes seconds")
    print("** not measured: the least that the kernel's documentation (ip-sysctl) gives for 15 retries\n")


if __name__ == "__main__":
    main()
