from pathlib import Path

import pytest

from chaos.history import HistoryEvent
from chaos.scenario import Workload
from chaos.workloads import Material, material, problem, references
from simulator.climber import generate_climb
from simulator.film import FilmFeed
from simulator.recording import write_recording
from tracker.events import Controlled, Received, SessionReset

CLIMB = generate_climb(3, fps=10)
RESET = SessionReset(t=0.0, link="input")


@pytest.fixture
def recorded(tmp_path: Path) -> Workload:
    """A whole climb, recorded."""
    wall, calibration, route = CLIMB.write_files(tmp_path)
    recording = tmp_path / "climb.jsonl"
    write_recording(recording, CLIMB.frames(0, int(CLIMB.climb_s * 10) + 1))
    return Workload(recording=recording, wall=wall, calibration=calibration, route=route)


def received(*sequences: int) -> list[HistoryEvent]:
    return [Received(t=0.0, timestamp=0.0, sequence=n) for n in sequences]


def whole(count: int) -> list[HistoryEvent]:
    return received(*range(count))


def reference(made_of: Material, folder: Path, record: list[HistoryEvent]) -> dict[str, tuple[float, ...]]:
    (touches,) = references(made_of, folder, [record])
    return touches


def test_the_reference_touches_what_the_frames_that_were_received_touch(tmp_path: Path) -> None:
    made_of = material(Workload(fps=10), seed=3)
    count = int(CLIMB.climb_s * 10) + 1
    touches = reference(made_of, tmp_path, whole(count))
    assert set(touches) == {hold["id"] for hold in CLIMB.route["problem"]["holds"]}
    assert reference(made_of, tmp_path, whole(40)).items() < touches.items()
    assert reference(made_of, tmp_path, []) == {}


def test_a_recording_gives_the_same_touches_as_the_climb_that_it_was_made_from(
    recorded: Workload, tmp_path: Path
) -> None:
    count = int(CLIMB.climb_s * 10) + 1
    made_of = material(recorded, seed=0)
    feed = made_of.feed(1.0)
    assert made_of.fps == pytest.approx(10)
    assert isinstance(feed, FilmFeed)
    assert [feed._message(place)[0] for place in range(count)] == list(range(count))
    assert reference(made_of, tmp_path, whole(count)) == reference(
        material(Workload(fps=10), seed=3), tmp_path, whole(count)
    )


def test_each_client_has_the_reference_of_what_it_received(tmp_path: Path) -> None:
    made_of = material(Workload(fps=10), seed=3)
    count = int(CLIMB.climb_s * 10) + 1
    both = references(made_of, tmp_path, [whole(40), whole(count)])
    assert both == [reference(made_of, tmp_path, whole(40)), reference(made_of, tmp_path, whole(count))]


def test_after_a_reset_a_hold_can_be_touched_again(tmp_path: Path) -> None:
    made_of = material(Workload(fps=10), seed=3)
    count = int(CLIMB.cycle_s * 20)
    once, twice = whole(count // 2), received(*range(count // 2, count))
    touches = reference(made_of, tmp_path, [*once, RESET, *twice])
    assert {len(times) for times in touches.values()} == {2}
    assert {len(times) for times in reference(made_of, tmp_path, [*once, *twice]).values()} == {1}


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


def test_the_reference_follows_the_rules_that_the_client_was_told(tmp_path: Path) -> None:
    made_of = material(Workload(fps=10), seed=3)
    count = int(CLIMB.climb_s * 10) + 1
    quicker = Controlled(t=0.0, kind="update_parameters", proximity_threshold=50.0, touch_duration=1.0)
    told = reference(made_of, tmp_path, [quicker, *whole(count)])
    for hold, (time,) in reference(made_of, tmp_path, whole(count)).items():
        assert time - told[hold][0] == pytest.approx(1000, abs=101)
