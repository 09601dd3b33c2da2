"""The tracker's shell on virtual time: a network in memory, peers of the test's own making, and nothing left over."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from simulator.climber import Climb, generate_climb
from simulator.feeds import LiveFeed
from simulator.hosts import Host
from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.network import Path as Way
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from tracker import events
from tracker.access import Access
from tracker.app import Outcome, Tracker
from tracker.config import Timing, TrackerConfig
from tracker.files import load_calibration, load_route, load_wall
from tracker.link import Link
from tracker.pipeline import Pipeline
from tracker.reconnect import Backoff, Failure
from tracker.wire import Traffic, Wire

LATENCY = 0.05
"""Seconds of one direction of every test's paths, so that a round trip is a tenth of a second."""
OPEN = 4 * LATENCY
"""When a connection is open that was begun at 0: the round trips of TCP's handshake and of WebSocket's."""
Converse = Callable[[ServerConnection], Awaitable[None]]


def exactly(seconds: float) -> Any:
    """A virtual moment, up to the rounding of floats and a clock's resolution."""
    return pytest.approx(seconds, abs=1e-6)


# Virtual time


@pytest.fixture
def network() -> Network:
    return Network(Random(1))


def virtual(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test on virtual time. It has a `network`; no task, connection or unretrieved error may outlive it."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        network: Network = fixtures["network"]
        loop = VirtualLoop(network, budget=24 * 3600)

        async def alone() -> None:
            await test(**fixtures)
            await asyncio.sleep(1)  # the peers' own ends
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert still_open(network) == 0

        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(alone())
        assert loop.unhandled == []

    return run


def still_open(network: Network) -> int:
    """How many clients' sockets are open on the paths of the network."""
    ways = network._paths.values()
    return sum(not connection.client.gone for way in ways for connection in way.connections)


# Peers


@asynccontextmanager
async def endpoint(
    network: Network, converse: Converse, *, host: str = "peer", **options: Any
) -> AsyncIterator[Way]:
    """A WebSocket server at ws://`host`:80/, behind the yielded path."""
    way = lead(network, host)
    settings = {"close_timeout": 0.5, "ping_interval": None, "compression": None, "max_size": None, **options}
    async with serve(converse, f"{host}-itself", 80, **settings) as server:
        try:
            yield way
        finally:
            for connection in server.connections:
                connection.transport.abort()  # a close handshake would wait for whoever is cut off


def lead(network: Network, host: str) -> Way:
    """The path to `host`, whether or not anybody is there."""
    way = network.path(host, 80, to=(f"{host}-itself", 80))
    way.latency = LATENCY
    return way


async def quiet(connection: ServerConnection) -> None:
    """A peer that reads and says nothing but Pongs."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in connection:
            pass


async def silent(connection: ServerConnection) -> None:
    """A peer that is there and hears nothing: no Pong ever comes."""
    connection.transport.pause_reading()
    await connection.wait_closed()


async def talkative(connection: ServerConnection) -> None:
    """A peer that reads, and says something every half second, whatever it hears."""

    async def talk() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send("hello")
                await asyncio.sleep(0.5)

    talking = asyncio.create_task(talk(), name="the peer talks")
    await quiet(connection)
    talking.cancel()
    await asyncio.wait([talking])


class Sink:
    """A peer that keeps what it reads, with its moments."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.at: list[float] = []

    async def __call__(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.got.append(await connection.recv(decode=False))
                self.at.append(connection.loop.time())


def camera(climb: Climb, count: int = 10_000, *, fps: float = 30) -> Converse:
    """An input that sends the climb's first `count` frames, once, whoever listens, and reads."""

    async def converse(connection: ServerConnection) -> None:
        async def send() -> None:
            with contextlib.suppress(ConnectionClosed):
                for number in range(count):
                    await connection.send(climb.frame(number), text=True)
                    await asyncio.sleep(1 / fps)

        sending = asyncio.create_task(send(), name="the camera")
        await quiet(connection)
        sending.cancel()
        await asyncio.wait([sending])

    return converse


class Commander:
    """A control endpoint at which orders are given when the test likes."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[bytes] = asyncio.Queue()

    async def __call__(self, connection: ServerConnection) -> None:
        async def command() -> None:
            while True:
                await connection.send(await self.orders.get(), text=True)

        commanding = asyncio.create_task(command(), name="the commander")
        await quiet(connection)
        commanding.cancel()
        await asyncio.wait([commanding])

    def say(self, name: str, **fields: object) -> None:
        self.orders.put_nowait(json.dumps({"type": name, **fields}).encode())


def outputs(sink: Sink) -> list[dict[str, Any]]:
    return [json.loads(body) for body in sink.got]


async def passed(condition: Callable[[], bool]) -> float:
    """Wait, to the millisecond, until `condition` holds; returns the loop's time then."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is watched tells nobody
            await asyncio.sleep(0.001)
    return asyncio.get_running_loop().time()


def cut(way: Way) -> None:
    """RST to both ends of every connection of the path."""
    for connection in tuple(way.connections):
        connection.reset()


def delays_of(count: int, seed: int = 1) -> list[float]:
    """What a back-off draws that never starts over."""
    backoff = Backoff(Timing(), Random(seed))
    return [backoff.after_refusal(Failure("")) for _ in range(count)]


# What is under test


class Record(list[Any]):
    """Events as they come, and a way to wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def note(self, event: Any) -> None:
        self.append(event)
        self._news.set()

    def of(self, kind: type, link: str | None = None) -> list[Any]:
        return [
            event for event in self if type(event) is kind and link in (None, getattr(event, "link", None))
        ]

    async def until(self, kind: type, where: Callable[[Any], bool] = lambda _: True, count: int = 1) -> Any:
        """The `count`-th event of this kind; bounded, so that a test fails instead of waiting for ever."""
        async with asyncio.timeout(120):
            while len(found := [event for event in self.of(kind) if where(event)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


class Reading:
    """Traffic that reads, keeps what it read, and is as urgent as the test says."""

    urgent = False

    def __init__(self) -> None:
        self.probes = 0
        self.got: list[bytes] = []

    def next_probe(self) -> int:
        self.probes += 1
        return self.probes

    def answered(self, number: int) -> None:
        pass

    def lost(self) -> int:
        return 0

    async def converse(self, wire: Wire) -> None:
        async for message in wire.messages():
            self.got.append(message)


def machine() -> Host:
    """Where the link under test runs; the peer and the network go on when it is blocked."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.host("tracker")


@asynccontextmanager
async def linked(
    traffic: Traffic,
    url: str = "ws://peer:80/",
    *,
    timing: Timing = Timing(),  # noqa: B008 - frozen
    seed: int = 1,
    access: Access = Access(),  # noqa: B008 - frozen
) -> AsyncIterator[tuple[Link, Record]]:
    """A link that is kept connected meanwhile, on a host of its own, and stopped at the end; also what it reports."""
    record = Record()
    link = Link("output", url, traffic, timing=timing, rng=Random(seed), report=record.note, access=access)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run(), name="the link", context=machine().context())
        yield link, record
        link.stop()
        await running


@pytest.fixture(scope="session")
def climb() -> Climb:
    return generate_climb(7)


@pytest.fixture(scope="session")
def wall_files(climb: Climb, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return climb.write_files(tmp_path_factory.mktemp("wall"))


@pytest.fixture
def pipeline(wall_files: tuple[Path, Path, Path]) -> Pipeline:
    return pipeline_of(wall_files)


_wall = functools.lru_cache(load_wall)  # flattening its holds takes a tenth of a second


def pipeline_of(wall_files: tuple[Path, Path, Path]) -> Pipeline:
    wall, calibration, route = wall_files
    return Pipeline(_wall(wall), load_calibration(calibration), route=load_route(str(route)), stream="test")


Running = Callable[..., Any]


@pytest.fixture
def running(pipeline: Pipeline) -> Running:
    return running_with(pipeline)


def running_with(pipeline: Pipeline) -> Running:
    """`async with running(input_url, output_url, **config) as (tracker, record, outcome)`: stopped at the end."""

    @asynccontextmanager
    async def run(
        input_url: str = "ws://input:80/", output_url: str = "ws://output:80/", **config: Any
    ) -> AsyncIterator[tuple[Tracker, Record, "asyncio.Task[Outcome]"]]:
        record = Record()
        settings = replace(TrackerConfig(input_url, output_url), **config)
        tracker = Tracker(settings, pipeline, rng=Random(1), observers=(record.note,))
        async with asyncio.timeout(600), asyncio.TaskGroup() as tasks:
            outcome = tasks.create_task(tracker.run(), name="the tracker")
            yield tracker, record, outcome
            tracker.stop("the test is over")

    return run


class Peer:
    """The mock pose server with a camera, behind one path for both links, and what it saw."""

    input, output = f"ws://peer:80{FEED_PATH}", f"ws://peer:80{SINK_PATH}"

    def __init__(self, climb: Climb, network: Network) -> None:
        self.record = Record()
        self.server = PoseServer(LiveFeed(climb.frame, interval=1 / 30), report=self.record.note)
        self.way = lead(network, "peer")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Peer"]:
        await self.server.start(*self.way.target)
        try:
            yield self
        finally:
            self.server.abort()
            await self.server.stop()


def seqs(record: list[Any], kind: type = events.Accepted) -> list[int]:
    return [event.seq for event in record if type(event) is kind]
