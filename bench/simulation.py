"""How fast virtual time passes. Figures side by side in one run; always exits 0.

    python bench/simulation.py

An idle link, a stream of messages, and the whole of feed, tracker and sink: where its time goes, and what it holds. The
first two also on other event loops with a virtual clock, which are installed for this run only, into a temporary
folder. Everything is done in turn, round after round, so that a busy machine slows all alike; the figures are medians
over the rounds.
"""

import asyncio
import cProfile
import gc
import importlib
import pstats
import random
import subprocess
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from pipeline import DATA, RULES, Climb, made_climb, real_climb
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from simulator.climber import generate_climb
from simulator.events import AnyPeerEvent, Delivered
from simulator.feeds import FrameAt, LiveFeed
from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from tracker.app import Tracker
from tracker.config import Timing, TrackerConfig
from tracker.link import Link
from tracker.pipeline import Pipeline
from tracker.trace import Recorder
from tracker.traffic import Incoming
from tracker.wire import Wire

HOUR = 3600.0
STREAM = 100.0
"""Virtual seconds of the stream: 2.5 kB messages at 30 a second."""
FPS = 30
ROUNDS = 3
BUILT_IN_SHOWN = 0.01
"""Seconds of a profile from which a built-in function has a line of its own."""
OTHERS = {"async-solipsism": ("0.10", (3, 11)), "simloop": ("0.2.2", (3, 12))}
"""Version, and the oldest Python that admits it."""

Main = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class World:
    """An event loop with a virtual clock. Its server listens on `listen` and is reached as `host`."""

    name: str
    run: Callable[[Main], Any]
    listen: str | None = "127.0.0.1"
    host: str = "127.0.0.1"


def ours(main: Main) -> Any:
    loop = VirtualLoop(Network(random.Random(1)))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main())
    assert not loop.unhandled, loop.unhandled
    return result


def on_async_solipsism(main: Main) -> Any:
    with asyncio.Runner(loop_factory=importlib.import_module("async_solipsism").EventLoop) as runner:
        return runner.run(main())


def on_simloop(main: Main) -> Any:
    loop = importlib.import_module("simloop").SimLoop(seed=1)
    # Its programs run on named hosts; of the runner's tidying up it has not all, so there is no runner.
    return loop.run_until_complete(loop.net.host("wall").create_task(main()))


OURS = World("ours", ours)


def other_worlds(folder: str) -> list[World]:
    """Those that can be installed here; a line about each that cannot."""
    known = {
        "async-solipsism": World("async-solipsism", on_async_solipsism),
        "simloop": World("simloop", on_simloop, listen=None, host="wall"),
    }
    found = []
    for name, (version, oldest) in OTHERS.items():
        if sys.version_info < oldest:
            print(f"{name} is left out: it needs Python {oldest[0]}.{oldest[1]}")
            continue
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*pip, "--target", folder, f"{name}=={version}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{name} is left out: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
        else:
            found.append(known[name])
    return found


# What is run


async def idle_hour(world: World) -> float:
    """The library's client and server, with its keepalive as it is by default. Like all here: how long it took."""

    async def listen(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    async with serve(listen, world.listen, 8000), connect(f"ws://{world.host}:8000", proxy=None):
        began = process_time()
        await asyncio.sleep(HOUR)
        return process_time() - began


async def stream(world: World) -> float:
    received = 0

    async def count(connection: ServerConnection) -> None:
        nonlocal received
        async for _ in connection:
            received += 1

    async with (
        serve(count, world.listen, 8000, compression=None),
        connect(f"ws://{world.host}:8000", proxy=None, compression=None) as client,
    ):
        began = process_time()
        for _ in range(int(STREAM * FPS)):
            await client.send(b"x" * 2500, text=True)
            await asyncio.sleep(1 / FPS)
        assert received == STREAM * FPS, f"{received} messages arrived"
        return process_time() - began


async def supervised_hour() -> float:
    """The tracker's link over a feed that says nothing: it probes once a second."""

    async def say_nothing(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def take(_data: bytes, _wire: Wire) -> None: ...

    async with serve(say_nothing, "127.0.0.1", 8000, ping_interval=None):
        link = Link(
            "input",
            "ws://127.0.0.1:8000",
            Incoming(take),
            timing=Timing(),
            rng=random.Random(1),
            report=lambda _: None,
        )
        running = asyncio.create_task(link.run())
        began = process_time()
        await asyncio.sleep(HOUR)
        took = process_time() - began
        link.stop()
        await running
        return took


async def full_stack(
    climb: Climb,
    seconds: float,
    *,
    fps: float = FPS,
    frame: FrameAt | None = None,
    look: Callable[[], object] | None = None,
    recorder: Recorder | None = None,
    payloads: bool = False,
) -> tuple[float, int, int]:
    """Feed, tracker and sink; how long it took, the outputs delivered and their bytes. `look` is called six times."""
    _, wall, calibration, route, frames = climb
    messages = size = 0

    def count(event: AnyPeerEvent) -> None:
        nonlocal messages, size
        if type(event) is Delivered:
            messages += 1
            size += event.size

    feed = LiveFeed(frame or (lambda k: frames[k % len(frames)]), interval=1 / fps)
    server = PoseServer(feed, report=count)
    address = f"ws://127.0.0.1:{await server.start()}"
    pipeline = Pipeline(wall, calibration, route=route, rules=RULES, stream="bench")
    if recorder is not None:
        recorder.begin(asyncio.get_running_loop())
    tracker = Tracker(
        TrackerConfig(address + FEED_PATH, address + SINK_PATH),
        pipeline,
        rng=random.Random(1),
        observers=() if recorder is None else (recorder.observe,),
        keep=recorder.keep if recorder is not None and payloads else None,
    )
    running = asyncio.create_task(tracker.run())
    began = process_time()
    for _ in range(6):
        await asyncio.sleep(seconds / 6)
        if look is not None:
            look()
    took = process_time() - began
    tracker.stop("bench")
    outcome = await running
    await server.stop()
    assert outcome.undelivered == 0, outcome
    assert messages >= fps * seconds - fps, f"{messages} outputs arrived"
    return took, messages, size


# What is said


def idle_and_stream() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        worlds = [OURS, *other_worlds(folder)]
        rates: dict[str, tuple[list[float], list[float]]] = {world.name: ([], []) for world in worlds}
        supervised = []
        for _ in range(ROUNDS):
            for world in worlds:
                idle, streaming = rates[world.name]
                idle.append(HOUR / world.run(partial(idle_hour, world)))
                streaming.append(STREAM / world.run(partial(stream, world)))
            supervised.append(HOUR / ours(supervised_hour))
        sys.path.remove(folder)
    print(f"\nsimulated seconds per second, {ROUNDS} rounds\n")
    print(f"{'':20}{'idle hour, keepalive':>24}{'2.5 kB at 30/s':>24}")
    for name, both in rates.items():
        cells = ""
        for mine, theirs in zip(rates["ours"], both, strict=True):
            ratio = median(a / b for a, b in zip(mine, theirs, strict=True))
            cells += f"{median(theirs):>12,.0f}" + (f" ours {ratio:4.2f} x " if name != "ours" else " " * 12)
        print(f"{name:20}{cells}")
    print("contract: ours >= 20,000 idle, and each row of the others at least 1.1 x")
    print(f"idle hour, the tracker's link with its probe a second: {median(supervised):,.0f}\n")


def whole_stack(climb: Climb) -> None:
    began = process_time()
    ours(lambda: full_stack(climb, len(climb[4]) / FPS))  # visits the cells of the wall's grid
    print(f"the full stack at {FPS} fps, {climb[0]}; the first pass took {process_time() - began:.2f} s\n")
    generated = generate_climb(0, fps=FPS).frame
    rows: dict[str, tuple[float, FrameAt | None]] = {
        "1 minute": (60.0, None),
        "2 minutes": (120.0, None),
        "4 minutes": (240.0, None),
        "1 minute, frames generated meanwhile": (60.0, generated),
    }
    found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, (seconds, frame) in rows.items():
            found[name].append(ours(partial(full_stack, climb, seconds, frame=frame)))
    print(f"{'':40}{'simulated s/s':>14}{'us/output':>12}{'kB/output':>12}")
    for name, (seconds, _) in rows.items():
        took = median(took for took, _, _ in found[name])
        _, messages, size = found[name][0]
        print(
            f"{name:40}{seconds / took:>14.0f}{took / messages * 1e6:>12.0f}{size / messages / 1000:>12.1f}"
        )
    print("contract: >= 100 (aim 200), linear in frames\n")


def where_it_goes(climb: Climb) -> None:
    """A profile of the full stack, by whose code it is; what a function calls counts for itself."""
    profile = cProfile.Profile()
    profile.runcall(ours, partial(full_stack, climb, 60.0))
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = Path(file)
        if file == "~":
            spent[f"built in: {name.strip('<>')}" if own > BUILT_IN_SHOWN else "built in: others"] += own
        elif place.parent.name in ("tracker", "simulator"):
            spent[f"{place.parent.name}/{place.name}"] += own
        else:
            spent["websockets" if "websockets" in place.parts else f"{place.parent.name}"] += own
    whole = spent.total()
    print("where the time goes, full stack, under the profiler\n")
    for name, own in spent.most_common(12):
        print(f"{own / whole:6.0%}  {name}")
    print()


def memory(climb: Climb) -> None:
    """What Python holds at each sixth of an hour, garbage collected: traced memory, not the process's size."""
    held: list[float] = []

    def look() -> None:
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0] / 1024)

    tracemalloc.start()
    _, messages, _ = ours(lambda: full_stack(climb, HOUR, fps=3, look=look))
    tracemalloc.stop()
    growth = (held[-1] - held[1]) * 1024 / (messages * 4 / 6)
    print(f"memory over a simulated hour at 3 fps, {messages} outputs, traced kB every ten minutes:")
    print(
        f"{', '.join(f'{kb:,.0f}' for kb in held)}: {growth:+.2f} bytes an output after the first 20 minutes"
    )


def main() -> None:
    idle_and_stream()
    climb = real_climb() if DATA.is_dir() else made_climb()
    whole_stack(climb)
    where_it_goes(climb)
    memory(climb)


if __name__ == "__main__":
    main()
