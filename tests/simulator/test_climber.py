import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from math import dist
from pathlib import Path

import pytest

from simulator.atomic import replacing
from simulator.body import ARM
from simulator.climber import CLEARANCE, MAX_HOLDS, Climb, generate_climb
from simulator.drawn_wall import camera, draw_blob
from tracker.files import load_calibration, load_route, load_wall
from tracker.messages import Pose, decode_input
from tracker.pipeline import Pipeline
from tracker.wall import parse_wall

pytestmark = pytest.mark.scenarios


def pipeline_for(climb: Climb, directory: Path) -> Pipeline:
    wall, calibration, route = climb.write_files(directory)
    return Pipeline(load_wall(wall), load_calibration(calibration), route=load_route(route), stream="test")


def poses(climb: Climb, seconds: float) -> Iterator[Pose]:
    for data in climb.frames(count=int(seconds * climb.fps)):
        pose = decode_input(data)
        assert isinstance(pose, Pose)
        yield pose


def touches(climb: Climb, directory: Path, seconds: float) -> list[tuple[str, int]]:
    pipeline = pipeline_for(climb, directory)
    return [
        (touch.hold_id, int(touch.time_ms) - climb.start_ms)
        for pose in poses(climb, seconds)
        for touch in pipeline.step(pose).touched
    ]


def route_ids(climb: Climb) -> list[str]:
    return [hold["id"] for hold in climb.route["problem"]["holds"]]


@pytest.mark.parametrize("seed", range(2))
def test_every_hold_of_the_route_is_touched_in_order_and_no_other(seed: int, tmp_path: Path) -> None:
    climb = generate_climb(seed, fps=15)
    found = touches(climb, tmp_path, 60)
    assert [hold for hold, _ in found] == route_ids(climb)
    assert found[-1][1] / 1000 < climb.climb_s < 60


@pytest.mark.parametrize("seed", range(2))
def test_no_hand_comes_near_a_hold_that_is_not_on_the_route(seed: int, tmp_path: Path) -> None:
    climb = generate_climb(seed, fps=10)
    wall_svg, calibration_json, _ = climb.write_files(tmp_path)
    wall, calibration = load_wall(wall_svg), load_calibration(calibration_json)
    near: set[str] = set()
    for pose in poses(climb, climb.cycle_s):
        for hand in calibration.map(pose.landmarks)[33:]:
            found = wall.within(hand.x * wall.width, hand.y * wall.height, CLEARANCE - 15)
            near |= {wall.holds[i].id for i in found}
    assert near == set(route_ids(climb))


def test_the_longest_route_fits_into_a_minute(tmp_path: Path) -> None:
    climb = generate_climb(3, holds=MAX_HOLDS, fps=12)
    assert [hold for hold, _ in touches(climb, tmp_path, 60)] == route_ids(climb)


def test_a_hold_is_touched_every_three_to_four_seconds(tmp_path: Path) -> None:
    times = [at for _, at in touches(generate_climb(8, holds=8), tmp_path, 60)]
    assert all(3000 <= later - earlier <= 4000 for earlier, later in pairwise(times))


@pytest.mark.parametrize("fps", [5, 12.5])
def test_the_frame_rate_does_not_change_what_is_touched(fps: float, tmp_path: Path) -> None:
    climb = generate_climb(2, fps=fps, holds=3)
    assert [hold for hold, _ in touches(climb, tmp_path, climb.climb_s + 1)] == route_ids(climb)


def test_the_route_is_climbed_again_after_a_reset(tmp_path: Path) -> None:
    climb = generate_climb(4, holds=3)
    pipeline = pipeline_for(climb, tmp_path)
    found: list[str] = []
    for k, pose in enumerate(poses(climb, 2 * climb.cycle_s)):
        if k == int(climb.cycle_s * climb.fps):
            pipeline.reset()
        found += [touch.hold_id for touch in pipeline.step(pose).touched]
    assert found == route_ids(climb) * 2


def test_dropouts_hide_one_hand_for_less_than_the_contact_grace() -> None:
    hidden: list[list[int]] = [[], []]
    for k, pose in enumerate(poses(generate_climb(5), 120)):
        sides = [
            any(pose.landmarks[i].visibility <= 0.2 for i in hand)
            for hand in ((15, 17, 19, 21), (16, 18, 20, 22))
        ]
        assert not all(sides)
        for side, out in enumerate(sides):
            if out:
                hidden[side].append(k)
    assert all(hidden), "both hands drop out in two minutes"
    for frames in hidden:
        seen = [k for k in range(3600) if k not in frames]
        assert max(b - a for a, b in pairwise(seen)) / 30 < 0.25


def test_what_is_not_dropped_out_is_well_visible_and_in_the_image() -> None:
    for pose in poses(generate_climb(6), 30):
        assert sum(mark.visibility > 0.9 for mark in pose.landmarks) >= 29
        assert all(0 < mark.x < 1 and 0 < mark.y < 1 and abs(mark.z) < 1 for mark in pose.landmarks)


def test_upper_arms_keep_their_length_on_the_wall(tmp_path: Path) -> None:
    climb = generate_climb(9, fps=10)
    calibration = load_calibration(climb.write_files(tmp_path)[1])
    for pose in poses(climb, climb.cycle_s):
        mapped = [(mark.x * 2500, mark.y * 3330) for mark in calibration.map(pose.landmarks)]
        for shoulder, elbow in ((11, 13), (12, 14)):
            assert dist(mapped[shoulder], mapped[elbow]) == pytest.approx(ARM[0], abs=6)


def test_the_body_never_jumps() -> None:
    """8 % of the picture in a frame is a hand at more than 5 m/s."""
    frames = list(poses(generate_climb(10), 50))
    for before, after in pairwise(frames):
        for u, v in zip(before.landmarks, after.landmarks, strict=True):
            assert dist((u.x, u.y), (v.x, v.y)) < 0.08


def test_sequence_counts_from_zero_and_timestamps_are_whole_frames_from_the_start() -> None:
    climb = generate_climb(0, fps=30, start_ms=5_000)
    found = [(pose.sequence, pose.timestamp) for pose in poses(climb, 0.2)]
    assert found == [(0, 5000), (1, 5033), (2, 5067), (3, 5100), (4, 5133), (5, 5167)]


def test_a_frame_is_the_same_out_of_turn() -> None:
    climb = generate_climb(11)
    in_turn = list(climb.frames(count=400))
    for k in random.Random(0).sample(range(400), 5):
        assert generate_climb(11).frame(k) == in_turn[k]
    assert list(islice(climb.frames(first=390), 10)) == in_turn[390:]


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib, json; from simulator.climber import generate_climb; c = generate_climb(42)\n"
        "text = c.wall_svg + json.dumps([c.calibration, c.route])\n"
        "print(hashlib.sha256(text.encode() + b''.join(c.frames(count=300))).hexdigest())"
    )
    climb = generate_climb(42)
    text = climb.wall_svg + json.dumps([climb.calibration, climb.route])
    here = hashlib.sha256(text.encode() + b"".join(climb.frames(count=300))).hexdigest()
    there = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout.strip()
        for salt in ("1", "2")
    ]
    assert there == [here, here]


def test_another_seed_gives_another_climb() -> None:
    first, second = generate_climb(1), generate_climb(2)
    assert first.wall_svg != second.wall_svg
    assert first.calibration != second.calibration
    assert first.frame(100) != second.frame(100)


@pytest.mark.parametrize("seed", range(2))
def test_a_wall_has_30_to_60_holds(seed: int) -> None:
    for holds in (2, MAX_HOLDS):
        assert 30 <= len(parse_wall(generate_climb(seed, holds=holds).wall_svg.encode()).holds) <= 60


def test_no_outline_leaves_its_hold_s_radius() -> None:
    rng = random.Random(3)
    for _ in range(60):
        blob = draw_blob(rng, 1000, 1000, 50)
        svg = f'<svg viewBox="0 0 2000 2000"><path class="hold" id="a" d="{blob.d}"/></svg>'
        wall = parse_wall(svg.encode())
        assert wall.within(1000, 1000, 1) == [0], blob.d
        assert not any(
            wall.within(1000 + dx, 1000 + dy, 1) for dx, dy in ((53, 0), (-53, 0), (0, 53), (0, -53))
        ), blob.d


def test_the_camera_s_two_homographies_undo_each_other() -> None:
    def apply(m: tuple[tuple[float, float, float], ...], x: float, y: float) -> tuple[float, float]:
        u, v, w = (row[0] * x + row[1] * y + row[2] for row in m)
        return u / w, v / w

    for seed in range(20):
        out, back = camera(random.Random(seed))
        for x, y in ((0.0, 0.0), (1.0, 0.0), (0.3, 0.7), (1.0, 1.0)):
            image = apply(out, x, y)
            assert all(0 < value < 1 for value in image)
            assert apply(back, *image) == pytest.approx((x, y))


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": 4},
        {"fps": 1000},
        {"holds": 1},
        {"holds": 17},
        {"dwell_s": 0},
        {"reach_s": 5},
        {"fps": float("nan")},
    ],
)
def test_a_parameter_out_of_range_is_named(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name} is .* takes .* to .*"):
        generate_climb(0, **wrong)  # type: ignore[arg-type]  # a dict of names has one type for all


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "wall.svg"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
