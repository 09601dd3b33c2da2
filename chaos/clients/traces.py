"""What a client under test writes about itself: the tracker's flight recorder, or the DEBUG log of `websockets`.

Both tell scenario time, as the laboratory's record does: a run ten times as fast reads like one in true time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from chaos.clients import Assignment
from chaos.history import in_scenario_time
from tracker.config import TrackerConfig
from tracker.events import AnyEvent
from tracker.session import Rules
from tracker.trace import Recorder

LIBRARY = "websockets.client"
"""The logger of the library's clients; its servers have another, so the peer is not in the log."""


class ScenarioClock:
    """The loop's clock, `scale` seconds of which pass in one; 0 is when it was made."""

    def __init__(self, scale: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._scale = scale

    def time(self) -> float:
        """Scenario seconds."""
        return (self._loop.time() - self._began) * self._scale

    def call_later(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """See the loop's; `delay` is in scenario seconds."""
        return self._loop.call_later(delay / self._scale, callback)

    def translated(self, event: AnyEvent) -> AnyEvent:
        """An event of the loop's clock on this one."""
        (found,) = in_scenario_time([event], began=self._began, scale=self._scale)
        return found  # type: ignore[return-value]  # of the kind that was given


@contextmanager
def flight_recorder(assignment: Assignment, config: TrackerConfig, *, stream: str) -> Iterator[Assignment]:
    """The assignment with a report that also writes the trace of `tracker run --trace`, as `<assignment.trace>.trace`.

    The very assignment where no trace is wanted.
    """
    if assignment.trace is None:
        yield assignment
        return
    clock = ScenarioClock(assignment.scale)
    files = dict(zip(("wall", "calibration", "route"), assignment.wall_files, strict=True))
    recorder = Recorder(
        _named(assignment.trace, "trace"),
        config,
        stream=stream,
        rules=asdict(Rules()),
        files={name: path.read_bytes() for name, path in files.items()},
    )

    def report(event: AnyEvent) -> None:
        assignment.report(event)
        recorder.observe(clock.translated(event))

    with recorder:
        recorder.begin(clock)
        yield replace(assignment, report=report)


@contextmanager
def debug_log(assignment: Assignment) -> Iterator[None]:
    """While it lasts, what the library's clients log at DEBUG goes to `<assignment.trace>.log`; without one, nowhere."""
    if assignment.trace is None:
        yield
        return
    logger = logging.getLogger(LIBRARY)
    handler = logging.FileHandler(_named(assignment.trace, "log"), mode="w", encoding="utf-8")
    handler.setFormatter(_InScenarioTime(ScenarioClock(assignment.scale)))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
        handler.close()


class _InScenarioTime(logging.Formatter):
    """A usual prefix, with the connection's id, whose time is the wall clock's at the begin and scenario time from
    then on.
    """

    def __init__(self, clock: ScenarioClock) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(id)s: %(message)s", defaults={"id": "-"})
        self._clock = clock
        self._began = time.time()

    def format(self, record: logging.LogRecord) -> str:
        connection = getattr(record, "websocket", None)  # the library says so of each line that is of one
        record.id = getattr(connection, "id", "-")
        return super().format(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        del record, datefmt
        moment = datetime.fromtimestamp(self._began + self._clock.time(), UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03}"


def _named(stem: Path, suffix: str) -> Path:
    return stem.with_name(f"{stem.name}.{suffix}")
