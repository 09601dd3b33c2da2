"""`tracker check`: what is allowed and yet hardly meant is warned of, with what it may be instead."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tracker import cli
from tracker.calibration import Calibration
from tracker.files import load_calibration, load_wall
from tracker.pipeline import Pipeline
from tracker.session import Route
from tracker.wall import parse_wall

SHARED = Path(__file__).parents[3] / "shared"
GOOD = np.array([[1.3, 0.05, -0.15], [0.04, 1.4, -0.2], [0.02, 0.1, 1.0]])
"""The camera sees the wall and some of what is around it."""
PIXELS = np.diag([1 / 1280, 1 / 720, 1.0])
UNITS = np.diag([1000.0, 800.0, 1.0])


def doubts(
    matrix: object = GOOD, *, hold: str = "M100 100h50v50h-50z", route: Route | None = None
) -> tuple[str, ...]:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 800">'
        f'<path class="hold" id="hold_1" d="{hold}"/><path class="hold" id="hold_2" d="M900 700h50v50h-50z"/></svg>'
    )
    rows = tuple(tuple(float(value) for value in row) for row in np.asarray(matrix))
    calibration = Calibration(rows)  # type: ignore[arg-type]
    return Pipeline(parse_wall(svg.encode()), calibration, route=route, stream="s").doubts()


def test_nothing_strange_is_no_doubt() -> None:
    assert doubts() == ()
    assert doubts(np.eye(3)) == ()
    assert doubts(GOOD * 17.5) == ()  # a homography has no scale


@pytest.mark.parametrize(
    ("hold", "off"),
    [("M5000 5000h9", True), ("M-60 100h50", True), ("M100 810h9", True), ("M-60 100h70", False), ("M1000 800h9", False)],
)  # fmt: skip
def test_holds_outside_of_the_wall_are_warned_of(hold: str, *, off: bool) -> None:
    lines = [line for line in doubts(hold=hold) if "1 of 2 holds is outside of the wall" in line]
    assert len(lines) == off


@pytest.mark.parametrize(
    ("matrix", "hint"),
    [
        (GOOD @ PIXELS, "perhaps it is in pixels of the image"),
        (UNITS @ GOOD @ PIXELS, "perhaps it is in pixels of the image and in wall units"),
        (UNITS @ GOOD, "perhaps it is in wall units"),
        (np.linalg.inv(GOOD @ PIXELS), "inverted (from the wall to the image) and in pixels of the image"),
        (np.linalg.inv(UNITS @ GOOD @ PIXELS), "inverted (from the wall to the image) and in pixels"),
        (np.linalg.inv(UNITS @ GOOD), "inverted (from the wall to the image) and in wall units"),
        (np.diag([1e6, 1.0, 1.0]), "neither in pixels nor inverted"),
    ],
)  # fmt: skip
def test_corners_far_outside_of_the_wall_are_told_with_what_would_fit(matrix: object, hint: str) -> None:
    (line,) = doubts(matrix)
    assert "maps the image's corners to" in line
    assert hint in line


def test_a_horizon_in_the_image_is_far_outside() -> None:
    assert "infinity" in doubts([[1, 0, 0], [0, 1, 0], [0, -2, 1]])[0]


def test_holds_that_the_camera_does_not_see_are_warned_of() -> None:
    (line,) = doubts(np.diag([0.5, 0.5, 1.0]))
    assert line.startswith("1 of 2 holds is outside of the camera's image")
    assert "the first is hold_2" in line
    assert "inverted" in line
    (line,) = doubts([[0.1, 0, 0.9], [0, 0.1, 0.9], [0, 0, 1]])
    assert "hold_1" in line


def test_a_route_that_cannot_complete_is_warned_of() -> None:
    assert doubts(route=Route({"hold_1": "start"})) == ("the route has no finish hold: no session completes",)
    unseen = doubts(np.diag([0.5, 0.5, 1.0]), route=Route({"hold_2": "finish"}))
    assert "no session completes: the finish hold hold_2 is outside of the camera's image" in unseen


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_the_real_wall_is_no_doubt_and_the_example_is() -> None:
    real = Pipeline(
        load_wall(SHARED / "data/wall.svg"), load_calibration(SHARED / "data/calibration.json"), stream="s"
    )
    assert real.doubts() == ()
    walls = SHARED / "walls"
    example = Pipeline(
        load_wall(walls / "09-nowhere.svg"), load_calibration(walls / "09-nowhere.json"), stream="s"
    )
    off, far = example.doubts()[:2]
    assert off.startswith("1 of 1 holds is outside of the wall")
    assert "perhaps it is in pixels" in far


CONFIG = """
input_websocket_url = "ws://user:secret@127.0.0.1:9/in"
output_websocket_url = "ws://127.0.0.1:9/out"
wall = "wall.svg"
calibration = "calibration.json"
"""


def checked(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["check", *options])
    return result.exit_code, result.output + str(result.exception or "")


def test_check_reads_all_that_run_would_read(
    wall_files: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wall, calibration, route = wall_files
    (tmp_path / "run.toml").write_text(
        CONFIG.replace("wall.svg", str(wall)).replace("calibration.json", str(calibration))
    )
    code, said = checked("--config", "run.toml")
    assert code == 0
    assert "config       run.toml: input ws://127.0.0.1:9/in, output ws://127.0.0.1:9/out" in said
    assert "secret" not in said
    assert "route        none" in said
    assert "route        finish:" in checked("--config", "run.toml", "--route-data", str(route))[1]
    for line, reason in (
        ('output_websocket_url = "http://x"', "output-websocket-url"),
        ('wall = "none.svg"', "none.svg"),
        ('confirm = "maybe"', "maybe"),
        ("proximity_threshold = -5", "proximity_threshold"),
        ("[timing]\nprobe_floor = -1", "probe_floor"),
    ):
        key = line.partition(" =")[0]
        kept = [
            one for one in (tmp_path / "run.toml").read_text().splitlines() if not one.startswith(key + " ")
        ]
        (tmp_path / "bad.toml").write_text("\n".join([*kept, line]))
        code, said = checked("--config", "bad.toml")
        assert code != 0
        assert reason in said


def test_check_prints_a_warning_for_each_doubt_and_what_is_no_hold(tmp_path: Path) -> None:
    (tmp_path / "w.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><text id="t">5</text>'
        '<path class="hold" id="finish_1" d="M50 50h1"/></svg>'
    )
    (tmp_path / "c.json").write_text('{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}')
    code, said = checked("--wall", str(tmp_path / "w.svg"), "--calibration", str(tmp_path / "c.json"))
    assert code == 0
    assert "no hold      1 text (t)" in said
    assert "warning      1 of 1 holds is outside of the wall" in said
    assert "a session completes with finish_1" in said
