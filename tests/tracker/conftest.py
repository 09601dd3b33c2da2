"""A tracker on loopback with its durations scaled down, and a peer that the test controls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulator.climber import Climb, generate_climb
from tracker import events
from tracker.app import Outcome, Tracker
from tracker.calibration import load_calibration
from tracker.config import Timing, TrackerConfig
from tracker.pipeline import Pipeline
from tracker.session import load_route
from tracker.wall import load_wall

QUICK = Timing().scaled(1 / 20)
"""The default ratios, twenty times as fast."""


class Record(list[Any]):
    """Events as they come, and a way to wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def note(self, event: Any) -> None:
        self.append(event)
        self._news.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if type(event) is kind]

    async def until(self, kind: type, where: Callable[[Any], bool] = lambda _: True, count: int = 1) -> Any:
        """The `count`-th event of this kind; bounded, so that a test fails instead of hanging."""
        async with asyncio.timeout(10):
            while len(found := [event for event in self.of(kind) if where(event)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


@pytest.fixture(scope="session")
def climb() -> Climb:
    return generate_climb(7)


@pytest.fixture(scope="session")
def wall_files(climb: Climb, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return climb.write_files(tmp_path_factory.mktemp("wall"))


@pytest.fixture
def pipeline(wall_files: tuple[Path, Path, Path]) -> Pipeline:
    wall, calibration, route = wall_files
    return Pipeline(
        load_wall(wall), load_calibration(calibration), route=load_route(str(route)), stream="test"
    )


Running = Callable[..., Any]


@pytest.fixture
def running(pipeline: Pipeline) -> Iterator[Running]:
    """`async with running(input_url, output_url, **config) as (tracker, record, outcome)`: stopped at the end."""

    @asynccontextmanager
    async def run(
        input_url: str, output_url: str, **config: Any
    ) -> AsyncIterator[tuple[Tracker, Record, "asyncio.Task[Outcome]"]]:
        record = Record()
        settings = replace(TrackerConfig(input_url, output_url, timing=QUICK), **config)
        tracker = Tracker(settings, pipeline, rng=Random(1), observers=(record.note,))
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            outcome = tasks.create_task(tracker.run())
            yield tracker, record, outcome
            tracker.stop("the test is over")

    return run  # type: ignore[return-value]


def seqs(record: list[Any], kind: type = events.Accepted) -> list[int]:
    return [event.seq for event in record if type(event) is kind]
