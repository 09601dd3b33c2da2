from pathlib import Path

import pytest

from chaos.answer import Answer
from chaos.scenario import Workload
from chaos.workloads import material, problem
from simulator.climber import generate_climb
from simulator.film import FilmFeed
from simulator.recording import write_recording

CLIMB = generate_climb(3, fps=10)


@pytest.fixture
def recorded(tmp_path: Path) -> Workload:
    """A whole climb, recorded."""
    wall, calibration, route = CLIMB.write_files(tmp_path)
    recording = tmp_path / "climb.jsonl"
    write_recording(recording, CLIMB.frames(0, int(CLIMB.climb_s * 10) + 1))
    return Workload(recording=recording, wall=wall, calibration=calibration, route=route)


def touches(answers: tuple[Answer, ...]) -> dict[str, str]:
    """Of the last session."""
    (answer,) = answers
    return {hold.id: hold.time for hold in answer.sessions[-1].session.holds if hold.time is not None}


COUNT = int(CLIMB.climb_s * 10) + 1


def test_the_answer_touches_what_the_frames_that_were_taken_touch() -> None:
    made_of = material(Workload(fps=10), seed=3)
    found = touches(made_of.answers(range(COUNT)))
    assert set(found) == {hold["id"] for hold in CLIMB.route["problem"]["holds"]}
    assert touches(made_of.answers(range(40))).items() < found.items()
    assert made_of.answers([]) == (Answer(),)


def test_a_recording_gives_the_same_touches_as_the_climb_that_it_was_made_from(
    recorded: Workload,
) -> None:
    made_of = material(recorded, seed=0)
    feed = made_of.feed(1.0)
    assert made_of.fps == pytest.approx(10)
    assert isinstance(feed, FilmFeed)
    assert [feed._message(place)[0] for place in range(COUNT)] == list(range(COUNT))
    assert made_of.answers(range(COUNT)) == material(Workload(fps=10), seed=3).answers(range(COUNT))


def test_what_is_wrong_with_a_recording_or_its_wall_is_said_in_one_line(recorded: Workload) -> None:
    assert problem(recorded) is None
    assert problem(Workload()) is None
    assert recorded.recording is not None
    assert recorded.route is not None
    recorded.route.unlink()
    found = str(problem(recorded))
    assert "route.json" in found
    assert len(found.splitlines()) == 1
    recorded.recording.write_bytes(b'{"type":"pose"')
    assert "climb.jsonl" in str(problem(recorded))
