"""What a run feeds its client, and what must come of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chaos.answer import Answer, Step
from chaos.scenario import Scenario, Workload
from chaos.temporary import temporary_folder
from simulator.climber import generate_climb
from simulator.feeds import FrameAt, LiveFeed
from simulator.film import Film, FilmFeed
from simulator.idle import idle_frame
from simulator.numbered import NumberedMessages
from simulator.recording import RecordingError, read_recording
from tracker.config import ConfigError
from tracker.files import load_calibration, load_route, load_wall

if TYPE_CHECKING:
    from chaos.reference import Reference

FRAMES_KEPT = 8192
"""Of one climb: some 16 MB, and four minutes at 30 fps; what comes later is drawn anew each time that it is wanted."""
CLIMBS_KEPT = 4
"""By seed and rate, with their frames and their answers' references: the catalogue has four rates."""


_IDLE_WALL = resources.files("chaos") / "idle_wall"
_IDLE_FILES = ("wall.svg", "calibration.json", "route.json")

Answers = Callable[[Iterable[Step]], tuple[Answer, ...]]


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
    files: Callable[[], AbstractContextManager[Files | None]]
    """The wall's files, where there is one, for as long as they are wanted."""
    answers: Answers
    """What the outputs must show of those frames that a client took."""


def material(workload: Workload, seed: int, numbered: NumberedMessages | None = None) -> Material:
    """The workload with its chances taken: a generated climb depends on the seed, nothing else does.

    With `numbered`, these messages in place of a generated climb, and short ones in place of lean poses.
    """
    if workload.recording is not None:
        return _recorded(workload, workload.recording)
    if numbered is not None:
        return _plain(numbered.short() if workload.kind == "lean" else numbered, workload.fps)
    if workload.kind == "lean":
        return _lean(workload.fps)
    return _generated(seed, workload.fps, workload.holds)


def _plain(numbered: NumberedMessages, fps: float) -> Material:
    return Material(
        numbered.message,
        fps,
        feed=lambda scale: LiveFeed(numbered.message, interval=1 / (fps * scale)),
        files=nullcontext,
        answers=lambda _: (),
    )


def _lean(fps: float) -> Material:
    """Nothing is drawn or written: what each frame says is known beforehand, and its wall comes with the laboratory."""
    frame = partial(idle_frame, fps)
    return Material(
        frame,
        fps,
        feed=lambda scale: LiveFeed(frame, interval=1 / (fps * scale)),
        files=_idle_wall,
        answers=lambda _: (),
    )


@contextmanager
def _idle_wall() -> Iterator[Files]:
    with ExitStack() as there:
        yield Files(*(there.enter_context(resources.as_file(_IDLE_WALL / name)) for name in _IDLE_FILES))


@lru_cache(maxsize=CLIMBS_KEPT)
def _generated(seed: int, fps: float, holds: int) -> Material:
    """Frames are wanted again, for their answer and by the seed's next scenario; and so is the answer's reference."""
    climb = generate_climb(seed, fps=fps, holds=holds)
    frame = lru_cache(FRAMES_KEPT)(climb.frame)

    @contextmanager
    def files() -> Iterator[Files]:
        with temporary_folder() as folder:
            yield Files(*climb.write_files(folder))

    return Material(
        frame,
        fps,
        feed=lambda scale: LiveFeed(frame, interval=1 / (fps * scale)),
        files=files,
        answers=_answers(frame, files),
    )


def _recorded(workload: Workload, recording: Path) -> Material:
    film = Film(recording)
    files = _files(workload)
    return Material(
        film.frame,
        1 / film.interval,
        feed=lambda scale: FilmFeed(film, speed=scale),
        files=lambda: nullcontext(files),
        answers=_answers(film.frame, lambda: nullcontext(files)),
    )


def _files(workload: Workload) -> Files:
    wall, calibration, route = workload.wall, workload.calibration, workload.route
    assert wall is not None, "a scenario with a recording names all three"
    assert calibration is not None, "as above"
    assert route is not None, "as above"
    return Files(wall, calibration, route)


def _answers(frame: FrameAt, files: Callable[[], AbstractContextManager[Files]]) -> Answers:
    """By a reference that is made when it is first wanted, and kept."""

    @cache
    def reference() -> "Reference":
        # Its libraries take a quarter of a second to import, which only a run has to wait for.
        from chaos.reference import Reference  # noqa: PLC0415 - as said

        with files() as there:
            return Reference(frame, *there)

    def answers(steps: Iterable[Step]) -> tuple[Answer, ...]:
        return reference().answers(steps)

    return answers


def problem(workload: Workload) -> str | None:
    """Why the workload's files cannot be used, in one line; None if they can."""
    if workload.recording is None:
        return None
    try:
        _recorded(workload, workload.recording)
        files = _files(workload)
        load_calibration(files.calibration)
        load_route(str(files.route)).check([hold.id for hold in load_wall(files.wall).holds])
        for _ in read_recording(workload.recording):
            pass  # what is wrong with it is said now, not in the middle of a run
    except (RecordingError, ConfigError) as error:
        return str(error)
    return None


class CannotRunError(Exception):
    """A scenario needs what is not there; the text is one line that says what."""


def require_runnable(scenario: Scenario) -> None:
    """Raises `CannotRunError` for a scenario that needs what the laboratory does not have."""
    why = problem(scenario.workload)
    if why is not None:
        raise CannotRunError(f"scenario {scenario.name}: {why}")
