"""What a run feeds its client, and what comes of it without a network."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from chaos.history import HistoryEvent
from chaos.scenario import Workload
from simulator.climber import generate_climb
from simulator.feeds import FrameAt, LiveFeed
from simulator.film import Film, FilmFeed
from simulator.recording import RecordingError, read_recording
from tracker.calibration import load_calibration
from tracker.config import ConfigError
from tracker.events import Controlled, Received, SessionReset
from tracker.messages import BadMessage, Pose, decode_input
from tracker.pipeline import Pipeline
from tracker.session import load_route
from tracker.wall import load_wall

FRAMES_KEPT = 8192
"""Some 16 MB, and four minutes at 30 fps; in a longer run the reference draws its frames anew."""


class Files(NamedTuple):
    """What a client must know of the wall."""

    wall: Path
    calibration: Path
    route: Path


@dataclass(frozen=True, slots=True)
class Material:
    """The frames of one run and the wall that goes with them."""

    frame: FrameAt
    """The encoded message of a frame that was offered, by its `sequence`."""
    fps: float
    """Frames per second of scenario time."""
    feed: Callable[[float], LiveFeed]
    """The camera, on a clock in whose second so many scenario seconds pass."""
    files: Callable[[Path], Files]
    """The wall's files; the folder is for those that have to be written."""


def material(workload: Workload, seed: int) -> Material:
    """The workload with its chances taken: a generated climb depends on the seed, a recording does not."""
    if workload.recording is not None:
        return _recorded(workload, workload.recording)
    return _generated(seed, workload.fps, workload.holds)


@lru_cache(maxsize=1)
def _generated(seed: int, fps: float, holds: int) -> Material:
    """Frames are wanted again: by the reference run, and by the seed's next scenario."""
    climb = generate_climb(seed, fps=fps, holds=holds)
    frame = lru_cache(FRAMES_KEPT)(climb.frame)
    return Material(
        frame,
        fps,
        feed=lambda scale: LiveFeed(frame, interval=1 / (fps * scale)),
        files=lambda folder: Files(*climb.write_files(folder)),
    )


def _recorded(workload: Workload, recording: Path) -> Material:
    film = Film(recording)
    wall, calibration, route = workload.wall, workload.calibration, workload.route
    assert wall is not None, "a scenario with a recording names all three"
    assert calibration is not None, "as above"
    assert route is not None, "as above"
    return Material(
        film.frame,
        1 / film.interval,
        feed=lambda scale: FilmFeed(film, speed=scale),
        files=lambda _: Files(wall, calibration, route),
    )


def problem(workload: Workload) -> str | None:
    """Why the workload's files cannot be used, in one line; None if they can."""
    if workload.recording is None:
        return None
    try:
        _pipelines(_recorded(workload, workload.recording).files(Path()))()
        for _ in read_recording(workload.recording):
            pass  # what is wrong with it is said now, not in the middle of a run
    except (RecordingError, ConfigError) as error:
        return str(error)
    return None


def references(
    made_of: Material, folder: Path, records: Iterable[Iterable[HistoryEvent]]
) -> list[dict[str, tuple[float, ...]]]:
    """For each client's record, the touches of a run without a network over the frames and resets that it received.

    Message times in milliseconds, by hold; several where a session was reset. `folder` is for the wall's files.
    """
    fresh = _pipelines(made_of.files(folder))
    return [_reference(made_of, fresh(), record) for record in records]


def _reference(
    made_of: Material, pipeline: Pipeline, record: Iterable[HistoryEvent]
) -> dict[str, tuple[float, ...]]:
    touches: dict[str, tuple[float, ...]] = {}
    for event in record:
        if type(event) is SessionReset:
            pipeline.reset()
        elif type(event) is Controlled and event.kind == "update_parameters":
            pipeline.update(
                proximity_threshold=event.proximity_threshold, touch_duration=event.touch_duration
            )
        elif type(event) is Received and event.sequence is not None:
            with contextlib.suppress(BadMessage):  # it was one for the client too
                pose = decode_input(made_of.frame(event.sequence))
                assert isinstance(pose, Pose), "frames are nothing else"
                for touch in pipeline.step(pose).touched:
                    touches[touch.hold_id] = (*touches.get(touch.hold_id, ()), touch.time_ms)
    return touches


def _pipelines(files: Files) -> Callable[[], Pipeline]:
    """Makes pipelines for one wall, whose files are read once."""
    wall, calibration = load_wall(files.wall), load_calibration(files.calibration)
    route = load_route(str(files.route))
    return lambda: Pipeline(wall, calibration, route=route, stream="reference")
