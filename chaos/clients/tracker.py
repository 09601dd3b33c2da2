"""The tracker as a client under test: the production code, with its clock's durations scaled and nothing else."""

import asyncio
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, get_args

import msgspec

from chaos.clients import Assignment
from chaos.clients.traces import flight_recorder
from chaos.history import Role
from chaos.scenario import ClientOverrides
from tracker import events
from tracker.access import Access
from tracker.app import Outcome, Tracker
from tracker.config import TrackerConfig
from tracker.files import load_calibration, load_route
from tracker.pipeline import Pipeline
from tracker.wall import parse_wall

_wall = lru_cache(maxsize=8)(parse_wall)  # by what the drawing says: many trackers and runs have the same


class TrackerClient:
    """See `tracker.app.Tracker`."""

    name = "tracker"
    role: Role = "tracker"
    real_sockets_only: str | None = None
    scales_itself = True

    async def run(self, assignment: Assignment) -> None:
        """Until told to stop; raises where the tracker gave up by itself."""
        stream = _stream(self.rng(assignment.seed))
        with flight_recorder(assignment, _config(assignment), stream=stream) as recorded:
            outcome = await _run_until(assignment.stop, self.assemble(recorded))
        if outcome.failure is not None:
            raise RuntimeError(outcome.failure)

    def assemble(self, assignment: Assignment) -> Tracker:
        """The tracker of one run, ready to go."""
        rng = self.rng(assignment.seed)
        config = _config(assignment)
        wall, calibration, route = assignment.wall_files
        pipeline = Pipeline(
            _wall(wall.read_bytes()),
            load_calibration(calibration),
            route=load_route(str(route)),
            stream=_stream(rng),
            landmarks=assignment.landmarks,
        )
        return Tracker(
            replace(config, timing=config.timing.scaled(1 / assignment.scale)),
            pipeline,
            rng=rng,
            observers=(assignment.report,),
            access=_accesses(assignment.token_file),
        )

    def rng(self, seed: int) -> Random:
        """Where it draws its back-offs from."""
        return Random(f"{seed}/tracker")

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """The whole configuration."""
        settings: dict[str, Any] = msgspec.to_builtins(overrides.apply_to(TrackerConfig("", "")))
        return settings


def _config(assignment: Assignment) -> TrackerConfig:
    urls = TrackerConfig(assignment.input_url, assignment.output_url, assignment.control_url)
    return assignment.overrides.apply_to(urls)


def _accesses(token_file: Path | None) -> dict[events.LinkName, Access]:
    if token_file is None:
        return {}
    return {link: Access(token_file=str(token_file)) for link in get_args(events.LinkName)}


def _stream(rng: Random) -> str:
    """The first thing that is drawn."""
    return f"{rng.getrandbits(48):012x}"


async def _run_until(stop: asyncio.Event, tracker: Tracker) -> Outcome:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(tracker.run())
        stopping = tasks.create_task(stop.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        tracker.stop("the run is over")
        outcome = await running
        stopping.cancel()
    return outcome
