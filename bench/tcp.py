"""The simulated TCP beside this machine's kernel: the same probes on both, in one run; always exits 0.

    make tcp

The kernel's side is a client, a router that drops silently, and a server in network namespaces, as the kernel engine has
them; it needs Linux and root, or a system where anybody may make user namespaces, and is left out with the reason where it
has neither. Each probe is made three times, all at once, each with a path of its own: some 30 s. The median counts.
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
from statistics import median
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from chaos.kernel.commands import FAULTS
from chaos.kernel.faults import Device, Rule
from chaos.kernel.namespaces import Namespace, enter_user_namespace, in_fresh_namespace
from chaos.kernel.router import KernelError, Router, listen, prepare_end, switch, tell
from simulator.loop import VirtualLoop
from simulator.network import Direction, Network
from simulator.sockets import TCP_RTO_MAX_MS
from simulator.tcp import Tcp
from tracker import events
from tracker.config import Timing
from tracker.link import Link
from tracker.wire import Wire

MESSAGE = b"x" * 6000
INTERVAL = 1 / 30
"""Seconds between messages, as a tracker sends them."""
CLOSE_ENOUGH = 0.25
TIMES = 3
"""So often everything is measured on the kernel, where an outage may end a moment before a retransmission or after it."""
QUICK = Tcp(retries=5, syn_retries=2)
"""Both kernels are set to this where they would take minutes."""
QUICKLY: Mapping[str, str] = {"net/ipv4/tcp_retries2": "5", "net/ipv4/tcp_syn_retries": "2"}
PORT = 7000
PATH = "path"
"""The name of the device at either end."""

Figures = dict[str, float]
Converse = Callable[[ServerConnection], Awaitable[None]]


class World(Protocol):
    """Two hosts and a path between them that can fall silent."""

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol]) -> None: ...

    def serve(self, converse: Converse) -> AbstractAsyncContextManager[object]: ...

    @property
    def url(self) -> str: ...

    async def connect(self, factory: Callable[[], "End"]) -> "End": ...

    async def silence(self, *, up: bool = True, down: bool = True) -> None: ...

    async def heal(self) -> None: ...


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

    async def silence(self, *, up: bool = True, down: bool = True) -> None:
        directions: tuple[tuple[bool, Direction], ...] = ((up, "upstream"), (down, "downstream"))
        self._effects += [(self._path.add("stall", way, {}), way) for wanted, way in directions if wanted]

    async def heal(self) -> None:
        while self._effects:
            self._path.remove(*self._effects.pop())


class Kernel:
    """Between network namespaces of this machine."""

    def __init__(self, router: Router, server: Namespace) -> None:
        self._router = router
        self._server = server
        self._rules: list[Rule] = []
        self.url = f"ws://{router.addresses.peer}:{PORT}"

    async def listen(self, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        await asyncio.get_running_loop().create_server(factory, sock=self._server.do(listen, PORT))

    def serve(self, converse: Converse) -> AbstractAsyncContextManager[object]:
        return serve(converse, sock=self._server.do(listen, PORT), ping_interval=None)

    async def connect(self, factory: Callable[[], "End"]) -> "End":
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(factory, self._router.addresses.peer, PORT))[1]

    async def silence(self, *, up: bool = True, down: bool = True) -> None:
        devices: tuple[tuple[Device, bool], ...] = (("client", up), ("peer", down))
        rules = [Rule(FAULTS, device, None) for device, wanted in devices if wanted]
        self._rules += rules
        await self._router.add(rules)

    async def heal(self) -> None:
        rules, self._rules = self._rules, []
        await self._router.delete(rules)


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

    def option(self, name: int, value: int) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, name, value)

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
    await world.silence()
    began = now()
    taken = await client.say(30)
    assert client.paused is not None, "the writer was never paused"
    return {"seconds": client.paused - began, "kB": taken / 1000}


def silence_after(outage: float, *, rto_max: int | None = None) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        client, server = await met(world)
        if rto_max is not None:
            client.option(TCP_RTO_MAX_MS, rto_max)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.say(outage + 0.1))
            await asyncio.sleep(0.1)
            await world.silence()
            await asyncio.sleep(outage)
            heard, last = len(server.times), server.times[-1]
            await world.heal()
            while len(server.times) == heard:  # noqa: ASYNC110 - what is watched tells nobody
                await asyncio.sleep(0.005)
        return {"seconds": server.times[heard] - last}

    return probe


async def connect_into_a_partition(world: World) -> Figures:
    await world.listen(End)
    await world.silence()
    began = now()
    async with asyncio.TaskGroup() as tasks:
        connecting = tasks.create_task(world.connect(End))
        await asyncio.sleep(2)
        await world.heal()
        await connecting
        return {"seconds": now() - began}


async def connect_in_vain(world: World) -> Figures:
    await world.listen(End)
    await world.silence()
    began = now()
    with contextlib.suppress(TimeoutError):
        await world.connect(End)
    return {"seconds": now() - began}


def give_up(option: int | None = None, value: int = 0) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        client, _ = await met(world)
        if option is not None:
            client.option(option, value)
        await world.silence()
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
            await world.heal()


def detection(*, up: bool, down: bool) -> Callable[[World], Awaitable[Figures]]:
    async def probe(world: World) -> Figures:
        async with output_link(world) as reports:
            await asyncio.sleep(3)
            await world.silence(up=up, down=down)
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
    ("one of 3.2 s with TCP_RTO_MAX_MS 1 s is one of", silence_after(3.2, rto_max=1000), False),
    ("a connect into a partition of 2 s takes", connect_into_a_partition, False),
    ("a connect into a lasting one is given up after", connect_in_vain, True),
    ("the tracker gives up an output that is silent upstream after", detection(up=True, down=False), False),
    ("... downstream", detection(up=False, down=True), False),
    ("... both ways", detection(up=True, down=True), False),
    ("ETIMEDOUT with TCP_USER_TIMEOUT 5 s comes after", give_up(socket.TCP_USER_TIMEOUT, 5000), False),
    ("ETIMEDOUT with TCP_RTO_MAX_MS 1 s comes after", give_up(TCP_RTO_MAX_MS, 1000), False),
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


def on_the_kernel(probe: Probe, settings: Mapping[str, str]) -> Figures:
    """In a thread of its own, which stands in the client's namespace meanwhile."""
    with in_fresh_namespace() as client, contextlib.closing(Namespace()) as server:
        for stand in (prepare_end, lambda: switch(settings)):
            stand()
            server.do(stand)
        return asyncio.run(_between(probe, client, server))


async def _between(probe: Probe, client: str, server: Namespace) -> Figures:
    with contextlib.closing(await Router.between(client, server, PATH, 0)) as router:
        _large_segments()
        server.do(_large_segments)
        return await probe(Kernel(router, server))


def _large_segments() -> None:
    """Let the device cut large segments, as a network card does; with small ones TCP keeps less in its buffers."""
    tell("ip", [f"link set {PATH} gso_max_segs 65535"])


def kernel_figures() -> list[list[Figures] | str]:
    """Of each row; where there are none, why."""
    try:
        enter_user_namespace()
    except OSError as error:
        return [f"it needs root, or user namespaces ({error.strerror})"] * len(ROWS)
    with ThreadPoolExecutor(TIMES * len(ROWS)) as threads:
        asked = [
            [threads.submit(on_the_kernel, probe, QUICKLY if quick else {}) for _ in range(TIMES)]
            for _, probe, quick in ROWS
        ]
    found: list[list[Figures] | str] = []
    for futures in asked:
        try:
            found.append([future.result() for future in futures])
        except (KernelError, OSError) as error:
            found.append(str(error))
    return found


def compared(measured: list[float], virtual: float) -> str:
    kernel = median(measured)
    ratio = virtual / kernel
    told = "within 25 %" if abs(ratio - 1) <= CLOSE_ENOUGH else "differs"
    return f"{kernel:>9.2f}{f'{min(measured):.2f} - {max(measured):.2f}':>18}{virtual:>9.2f}{ratio:>7.2f}  {told}"


def main() -> None:
    control = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    print(f"\nkernel: {os.uname().sysname} {os.uname().release}, {control.read_text().strip()}")
    print(f"\n{'':76}{'kernel':>9}{f'{TIMES} times':>18}{'virtual':>9}  ratio")
    for (name, probe, quick), measured in zip(ROWS, kernel_figures(), strict=True):
        for unit, virtual in on_virtual_time(probe, QUICK if quick else Tcp()).items():
            row = f"{name + ', ' + unit + (' *' if quick else ''):76}"
            if isinstance(measured, str):
                print(f"{row}{'-':>9}{'':18}{virtual:>9.2f}  {measured}")
            else:
                print(row + compared([figures[unit] for figures in measured], virtual))
    default = on_virtual_time(give_up(), Tcp())["seconds"]
    print(
        f"{'ETIMEDOUT without, tcp_retries2 15 as by default, seconds':76}{'924.6 **':>9}{'':18}{default:>9.1f}"
    )
    print("\n*  with tcp_retries2 5 and tcp_syn_retries 2 on both sides, so that it takes seconds")
    print("** not measured: the least that the kernel's documentation (ip-sysctl) gives for 15 retries\n")


if __name__ == "__main__":
    main()
