"""Added delay: from a frame's sending at the camera to its output's arrival at the endpoint, over loopback.

Cameras and endpoints live in this process, trackers in another; on two cores neither waits for the other. Prints the
delay for one wall at 30 fps, and how many walls one core carries before the 99th percentile passes 20 ms.
"""

import asyncio
import multiprocessing
import random
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles

from simulator import events
from simulator.climber import generate_climb
from simulator.feeds import LiveFeed
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from tracker.app import Tracker
from tracker.config import TrackerConfig
from tracker.files import load_calibration, load_route, load_wall
from tracker.pipeline import Pipeline

FPS = 30
SECONDS = 8.0
WARM_UP = 2.0
LIMIT_MS = 20.0
FRAMES = 900


def track(ports: list[int], files: tuple[Path, Path, Path], orders: Connection) -> None:
    """The other process: one tracker a port, until told to stop."""

    async def main() -> None:
        trackers = [
            Tracker(
                TrackerConfig(f"ws://127.0.0.1:{port}{FEED_PATH}", f"ws://127.0.0.1:{port}{SINK_PATH}"),
                Pipeline(
                    load_wall(files[0]),
                    load_calibration(files[1]),
                    route=load_route(str(files[2])),
                    stream=str(port),
                ),
                rng=random.Random(port),
            )
            for port in ports
        ]
        loop = asyncio.get_running_loop()
        loop.add_reader(orders.fileno(), lambda: [tracker.stop("bench") for tracker in trackers])
        async with asyncio.TaskGroup() as tasks:
            for tracker in trackers:
                tasks.create_task(tracker.run())

    asyncio.run(main())


async def delays_ms(walls: int, frames: list[bytes], files: tuple[Path, Path, Path]) -> list[float]:
    """One delay a message, in milliseconds, over all walls."""
    offered: list[dict[int, float]] = [{} for _ in range(walls)]
    found: list[float] = []
    loop = asyncio.get_running_loop()

    def observer(wall: int, began: float) -> "events.PeerObserver":
        def observe(event: events.AnyPeerEvent) -> None:
            if isinstance(event, events.Offered):
                # Nothing is displaced at this pace, so the nth frame offered is the nth output to arrive.
                offered[wall][len(offered[wall]) + 1] = event.t
            elif isinstance(event, events.Delivered) and event.t > began + WARM_UP:
                found.append(1000 * (event.t - offered[wall][event.seq]))

        return observe

    servers = []
    for wall in range(walls):
        feed = LiveFeed(lambda k: frames[k % FRAMES], interval=1 / FPS)
        feed.begin()  # here, not when its client comes: cameras do not tick in step
        servers.append(PoseServer(feed, report=observer(wall, loop.time())))
        await asyncio.sleep(1 / FPS / walls)
    ports = [await server.start() for server in servers]
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=track, args=(ports, files, theirs))
    process.start()
    await asyncio.sleep(SECONDS)
    ours.send("stop")
    await asyncio.to_thread(process.join)
    for server in servers:
        await server.stop()
    return found


def main() -> None:
    climb = generate_climb(0, fps=FPS)
    frames = list(climb.frames(count=FRAMES))
    with tempfile.TemporaryDirectory() as folder:
        files = climb.write_files(Path(folder))
        print(f"{'walls':>5} {'messages':>9} {'median':>9} {'p99':>9}")
        carried = 0
        for walls in (1, 10, 20, 30, 40, 50, 60, 80):
            found = asyncio.run(delays_ms(walls, frames, files))
            cuts = quantiles(found, n=100)
            print(f"{walls:5} {len(found):9} {cuts[49]:6.2f} ms {cuts[98]:6.2f} ms", flush=True)
            if cuts[98] > LIMIT_MS:
                break
            carried = walls
    print(f"one core carries {carried} walls at {FPS} fps with a 99th percentile below {LIMIT_MS:g} ms")


if __name__ == "__main__":
    main()
