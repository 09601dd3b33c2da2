import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from simulator.climber import generate_climb
from simulator.feeds import RESET
from simulator.film import Film, FilmFeed
from simulator.network import Network
from simulator.recording import write_recording
from tracker.messages import Pose, decode_input

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]
CLIMB = generate_climb(1, fps=10)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten frames at 10 fps, with a gap of 1 s in the middle; a reset after the second, a bad pose after the third."""
    frames = [*CLIMB.frames(0, 5), *CLIMB.frames(15, 5)]
    bad = json.dumps({**json.loads(frames[2]), "landmarks": []}).encode()
    path = tmp_path / "climb.jsonl"
    write_recording(path, [*frames[:2], b'{"type": "reset_holds"}', frames[2], bad, *frames[3:]])
    return path


def test_poses_are_numbered_by_their_sequence_and_what_is_no_frame_has_no_number(recording: Path) -> None:
    film = Film(recording)
    shown = [film.message(place) for place in range(14)]
    assert [number for number, _ in shown] == [0, 1, None, 2, None, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert shown[2] == (None, RESET)
    pose = decode_input(shown[6][1])
    assert isinstance(pose, Pose)
    assert pose.sequence == 5


def test_it_begins_again_one_frame_after_its_end(recording: Path) -> None:
    film = Film(recording)
    assert [round(film.due(place), 3) for place in (0, 5, 7, 11, 12, 13)] == [0, 0.3, 1.5, 1.9, 2.0, 2.1]
    assert [film.place_at(t) for t in (0, 0.05, 1.0, 1.55, 2.0)] == [0, 0, 6, 7, 12]
    assert film.interval == pytest.approx(0.1)


def test_a_camera_shows_it_at_its_pace_times_the_speed_and_can_hurry(
    simulate: Simulate, recording: Path
) -> None:
    async def main(_: Network) -> list[float]:
        loop = asyncio.get_running_loop()
        feed = FilmFeed(Film(recording), speed=2)
        times = []
        async for _ in feed.frames():
            times.append(round(loop.time(), 4))
            if len(times) == 12:
                feed.set_pace(4)
            if len(times) == 20:
                return times
        raise AssertionError("a film has no end")

    times = simulate(main)
    first = times[0]
    assert [round(t - first, 4) for t in islice(times, 4, 12)] == [0.1, 0.15, 0.2, 0.75, 0.8, 0.85, 0.9, 0.95]
    # From frame 12, due at 1.0 s, four times as fast; place 19 is the first behind the second round's gap.
    assert [round(t - first, 4) for t in times[12:]] == [
        1.0,
        1.0125,
        1.0125,
        1.025,
        1.025,
        1.0375,
        1.05,
        1.1875,
    ]
