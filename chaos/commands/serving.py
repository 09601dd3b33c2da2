"""`simtool serve`: the mock pose server for a person, or for a program under development."""

import asyncio
import math
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from chaos.nearest import unknown_name
from simulator import events
from simulator.climber import generate_climb
from simulator.feeds import Feed, LiveFeed, Playback
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from simulator.recording import RecordingError, looped, read_recording, schedule
from simulator.venue import make_venue
from tracker.messages import iso_time

BEHAVIOURS = ("ack", "echo")


class CannotServeError(Exception):
    """What was asked for cannot be served; the text is one line for whoever asked."""


@dataclass(frozen=True, slots=True)
class ServePlan:
    """What `simtool serve` was asked for."""

    feed: str
    fps: float
    speed: float
    loop: bool
    repair: bool
    behaviours: tuple[str, ...]
    host: str
    port: int
    seed: int
    files: Path | None


class _Tally:
    """Says what happens at the server and counts the rest."""

    def __init__(self) -> None:
        self.offered = self.delivered = self.repeated = self.unreadable = 0

    def observe(self, event: events.AnyPeerEvent) -> None:
        match event:
            case events.Offered():
                self.offered += 1
            case events.Delivered(repeat=True):
                self.repeated += 1
            case events.Delivered():
                self.delivered += 1
            case events.Unreadable():
                self.unreadable += 1
            case events.Arrived():
                typer.echo(f"touched {event.hold} {iso_time(event.time)} {event.time:.0f}")
            case events.Opened():
                typer.echo(f"{event.link} client connected ({event.connection})", err=True)
            case events.Ended():
                typer.echo(
                    f"{event.link} client gone ({event.connection}): {event.code} by {event.by}", err=True
                )

    def __str__(self) -> str:
        return (
            f"{self.offered} frames sent, {self.delivered} outputs received,"
            f" {self.repeated} repeats, {self.unreadable} unreadable"
        )


async def serve(plan: ServePlan) -> None:
    """Serve until SIGINT or SIGTERM. Raises `CannotServeError`."""
    for behaviour in plan.behaviours:
        if behaviour not in BEHAVIOURS:
            raise CannotServeError(f"--behaviour {behaviour!r}: {unknown_name(behaviour, BEHAVIOURS)}")
    if not 0 < plan.speed < math.inf:
        raise CannotServeError(
            f"--speed is {plan.speed:g}: it must be a positive number, 1 for the recorded pace"
        )
    if plan.files is not None and plan.feed != "generated":
        raise CannotServeError("--files goes with the generated feed: a recording has no wall of its own")
    tally = _Tally()
    feed = _feed(plan)
    server = PoseServer(
        feed,
        report=tally.observe,
        confirm="ack" if "ack" in plan.behaviours else "pong",
        echo="echo" in plan.behaviours,
    )
    try:
        port = await server.start(plan.host, plan.port)
    except OSError as error:
        raise CannotServeError(
            f"cannot listen at {plan.host}:{plan.port}: {error.strerror}: choose another --port, or 0 for a free one"
        ) from None
    typer.echo(f"feed ws://{plan.host}:{port}{FEED_PATH}  sink ws://{plan.host}:{port}{SINK_PATH}", err=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        await _until_ended(ended, feed)
    finally:
        await server.stop()
    typer.echo(str(tally), err=True)


async def _until_ended(ended: asyncio.Event, feed: Feed) -> None:
    async with asyncio.TaskGroup() as tasks:
        if isinstance(feed, Playback):

            async def say_when_done() -> None:
                await feed.done.wait()
                typer.echo(
                    "the recording has ended and its client has all of it; Ctrl-C ends the server", err=True
                )

            telling = tasks.create_task(say_when_done())
        else:
            telling = tasks.create_task(asyncio.sleep(0))
        await ended.wait()
        telling.cancel()


def _feed(plan: ServePlan) -> Feed:
    if plan.feed == "generated":
        try:
            climb = generate_climb(plan.seed, fps=plan.fps)
        except ValueError as error:
            raise CannotServeError(f"--fps: {error}") from None
        if plan.files is not None:
            try:
                climb.write_files(plan.files)
            except OSError as error:
                raise CannotServeError(
                    f"--files {plan.files}: {error.strerror}: name a folder that can be written to"
                ) from None
            typer.echo(f"wall.svg, calibration.json and route.json are in {plan.files}", err=True)
        typer.echo(f"{make_venue(plan.seed)} (seed {plan.seed})", err=True)
        return LiveFeed(climb.frame, interval=1 / plan.fps)
    return Playback(_recorded(plan))


def _recorded(plan: ServePlan) -> Iterator[tuple[float, bytes]]:
    path = Path(plan.feed)
    try:
        # Read through once before anybody connects: what is wrong with it is said now, not in the middle.
        trial = read_recording(path, repair=plan.repair)
        frames = sum(1 for _ in trial)
        again = looped(path, repair=plan.repair) if plan.loop else read_recording(path, repair=plan.repair)
        due = schedule(again, plan.speed)
    except (RecordingError, ValueError) as error:
        raise CannotServeError(str(error)) from None
    for line in trial.said:
        typer.echo(line, err=True)
    repaired = f" ({trial.repairs})" if plan.repair else ""
    typer.echo(f"{frames} frames in {path}{repaired}; playback begins with the first client", err=True)
    return due
