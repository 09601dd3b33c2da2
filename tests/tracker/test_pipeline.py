import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.calibration import Calibration, Unmappable
from tracker.config import ConfigError
from tracker.files import load_calibration, load_route, load_wall
from tracker.messages import Landmark, Pose, ResetHolds, decode_input, decode_output, iso_time
from tracker.pipeline import Pipeline, Step, Touch, solve
from tracker.session import Route, RouteError, Rules
from tracker.wall import Wall, parse_wall

DATA = Path(__file__).parents[3] / "shared" / "data"
T = 1_760_000_000_000
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} {} 1000 1000">'
    '<path class="hold" id="hold_1" d="M 100 100 h 20 v 20 h -20 z"/>'
    '<path class="hold" id="hold_2" d="M 500 500 h 20 v 20 h -20 z"/>'
    '<path class="hold" id="hold_3" d="M 900 900 h 20 v 20 h -20 z"/>'
    "</svg>"
)
WALL = parse_wall(SVG.format(0, 0).encode())
IDENTITY = Calibration(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
ROUTE = Route({"hold_1": "start", "hold_2": "normal", "hold_3": "finish"})
AT_1, AT_2, AT_3, AWAY = (0.11, 0.11), (0.51, 0.51), (0.91, 0.91), (0.3, 0.3)


def pipeline(**given: Any) -> Pipeline:
    given = {"route": ROUTE, "rules": Rules(touch_duration=0), "stream": "s", **given}
    return Pipeline(WALL, IDENTITY, **given)


def pose(
    t: float,
    left: tuple[float, float] = AWAY,
    right: tuple[float, float] = AWAY,
    seen: tuple[float, float] = (1.0, 1.0),
) -> Pose:
    """A body whose hands are single points, so that each hand point is where its hand is."""
    landmarks = [Landmark(0.0, 0.0, 0.0, 1.0)] * 33
    for k in (15, 17, 19, 21):
        landmarks[k] = Landmark(*left, 0.0, seen[0])
        landmarks[k + 1] = Landmark(*right, 0.0, seen[1])
    return Pose(timestamp=T + t, landmarks=landmarks)


def output(pipe: Pipeline, seq: int = 0) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(pipe.encode(seq))
    return message


def test_either_hand_touches() -> None:
    pipe = pipeline()
    assert pipe.step(pose(0, left=AT_1)).touched == (Touch("hold_1", T),)
    assert pipe.step(pose(10, right=AT_2)).touched == (Touch("hold_2", T + 10),)


def test_both_hands_on_two_holds_touch_both_in_the_wall_s_order() -> None:
    step = pipeline().step(pose(0, left=AT_2, right=AT_1))
    assert step.touched == (Touch("hold_1", T), Touch("hold_2", T))


def test_contact_may_pass_from_hand_to_hand() -> None:
    pipe = pipeline(rules=Rules(touch_duration=0.2))
    pipe.step(pose(0, left=AT_1))
    pipe.step(pose(100, left=AT_1, right=AT_1))
    assert pipe.step(pose(200, right=AT_1)).touched == (Touch("hold_1", T + 200),)


def test_a_hand_out_of_sight_is_not_there_and_the_other_still_counts() -> None:
    step = pipeline().step(pose(0, left=AT_1, right=AT_2, seen=(0.2, 0.21)))
    assert step.touched == (Touch("hold_2", T),)


def test_the_view_box_s_origin_is_the_wall_s_corner() -> None:
    shifted = Pipeline(
        parse_wall(SVG.format(-100, 400).encode()), IDENTITY, rules=Rules(touch_duration=0), stream="s"
    )
    assert shifted.step(pose(0, left=(0.61, 0.11))).touched == (Touch("hold_2", T),)


def test_a_plain_frame_brings_nothing_about() -> None:
    assert pipeline().step(pose(0)) == Step((), completed=False, essential=False)


def test_a_touch_is_essential_once() -> None:
    pipe = pipeline()
    assert pipe.step(pose(0, left=AT_1)).essential
    assert not pipe.step(pose(10, left=AT_1)).essential


def test_the_completing_step_says_so_and_only_that_one() -> None:
    pipe = pipeline()
    assert pipe.step(pose(0, left=AT_3)) == Step((Touch("hold_3", T),), completed=True, essential=True)
    assert pipe.step(pose(10, left=AT_3)) == Step()
    assert output(pipe)["session"]["endTime"] == iso_time(T)


def test_a_reset_goes_out_with_the_next_output_only() -> None:
    pipe = pipeline()
    pipe.step(pose(0, left=AT_3))
    pipe.reset()
    assert pipe.step(pose(10)).essential
    first, second = output(pipe), output(pipe)
    assert first["reset"] is True
    assert "reset" not in second
    assert first["session"]["status"] == "started"
    assert first["session"]["startTime"] == iso_time(T + 10)
    assert not pipe.step(pose(20)).essential


def test_a_session_may_complete_again_after_a_reset() -> None:
    pipe = pipeline()
    pipe.step(pose(0, left=AT_3))
    pipe.reset()
    assert pipe.step(pose(10, left=AT_3)).completed


def test_an_output_has_the_shape_of_the_contract() -> None:
    pipe = pipeline(stream='str"eam')
    pipe.step(pose(0, left=AT_1))
    message = output(pipe, 1234)
    assert list(message) == ["session", "pose", "stream", "seq"]
    assert (message["stream"], message["seq"]) == ('str"eam', 1234)
    assert message["session"] == {
        "holds": [
            {"id": "hold_1", "type": "start", "status": "touched", "time": iso_time(T)},
            {"id": "hold_2", "type": "normal", "status": "untouched", "time": None},
            {"id": "hold_3", "type": "finish", "status": "untouched", "time": None},
        ],
        "startTime": iso_time(T),
        "endTime": None,
        "status": "started",
    }
    assert len(message["pose"]) == 35
    assert message["pose"][33] == {"x": 0.11, "y": 0.11, "z": 0.0, "visibility": 1.0}


def test_an_output_decodes_to_what_was_encoded() -> None:
    pipe = pipeline()
    pipe.step(pose(0, left=AT_1))
    pipe.reset()
    decoded = decode_output(pipe.encode(7))
    assert (decoded.stream, decoded.seq, decoded.reset) == ("s", 7, True)
    assert decoded.session is not None
    assert [hold.id for hold in decoded.session.holds] == ["hold_1", "hold_2", "hold_3"]


def test_before_the_first_frame_there_is_no_pose() -> None:
    message = output(pipeline())
    assert list(message) == ["session", "stream", "seq"]
    assert message["session"]["startTime"] is None


def test_the_pose_may_be_left_out() -> None:
    pipe = pipeline(landmarks=False)
    pipe.step(pose(0, left=AT_1))
    assert list(output(pipe)) == ["session", "stream", "seq"]


def test_touched_svg_paths_may_take_the_place_of_the_hold_list() -> None:
    pipe = pipeline(svg_only=True, landmarks=False)
    pipe.step(pose(0))
    assert output(pipe)["touched_svg_paths"] == []
    pipe.step(pose(10, left=AT_2))
    pipe.step(pose(20, left=AT_1))
    message = output(pipe)
    assert list(message) == ["session", "touched_svg_paths", "stream", "seq"]
    assert message["session"] == {"startTime": iso_time(T), "endTime": None, "status": "started"}
    assert message["touched_svg_paths"] == [
        {"id": "hold_2", "d": "M 500 500 h 20 v 20 h -20 z"},
        {"id": "hold_1", "d": "M 100 100 h 20 v 20 h -20 z"},
    ]
    assert len(pipe.snapshot()["holds"]) == 3


def test_a_late_frame_is_shown_and_counts_for_nothing() -> None:
    pipe = pipeline()
    pipe.step(pose(500))
    assert pipe.step(pose(0, left=AT_1)) == Step()
    assert output(pipe)["pose"][33]["x"] == 0.11


def test_a_pose_that_cannot_be_mapped_changes_nothing() -> None:
    horizon = Calibration(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 1.0)))
    pipe = Pipeline(WALL, horizon, stream="s")
    pipe.step(pose(0))
    before = pipe.encode(0)
    with pytest.raises(Unmappable):
        pipe.step(pose(10, left=(-1.0, 0.0)))
    assert pipe.encode(0) == before


def test_parameters_change_while_the_session_goes_on() -> None:
    pipe = pipeline(rules=Rules(touch_duration=9))
    pipe.step(pose(0, left=AT_1))
    pipe.update(touch_duration=0.1)
    assert pipe.step(pose(100, left=AT_1)).touched
    assert not pipe.step(pose(200, left=(0.6, 0.51))).touched
    pipe.update(proximity_threshold=80)
    pipe.step(pose(300, left=(0.6, 0.51)))
    assert pipe.step(pose(400, left=(0.6, 0.51))).touched
    assert pipe.rules == Rules(80, 0.1)
    assert pipe.parameters() == {
        "proximity_threshold": 80,
        "touch_duration": 0.1,
        "route": {"hold_1": "start", "hold_2": "normal", "hold_3": "finish"},
    }


def test_a_new_route_may_complete_the_session_and_the_next_step_says_so() -> None:
    pipe = pipeline()
    pipe.step(pose(0, left=AT_1))
    pipe.update(route={"problem": {"holds": [{"id": "1", "type": "finish"}]}})
    assert output(pipe)["session"]["endTime"] == iso_time(T)
    assert pipe.step(pose(10)) == Step((), completed=True, essential=True)


@pytest.mark.parametrize(
    "change",
    [
        {"proximity_threshold": -1.0, "touch_duration": 3.0},
        {"proximity_threshold": 10.0, "touch_duration": float("nan")},
        {"proximity_threshold": 10.0, "route": "{}"},
        {"proximity_threshold": 10.0, "route": "/no/such/route.json"},
        {"touch_duration": 3.0, "route": '{"problem":{"holds":[{"id":"9","type":"start"}]}}'},
    ],
)
def test_an_update_that_is_refused_changes_nothing(change: dict[str, Any]) -> None:
    pipe = pipeline()
    before = pipe.rules, pipe.route, pipe.encode(0)
    with pytest.raises(ConfigError):
        pipe.update(**change)
    assert before == (pipe.rules, pipe.route, pipe.encode(0))
    assert not pipe.step(pose(0, left=(0.175, 0.11))).touched  # 55 units away; the threshold is still 50


def test_a_route_that_the_wall_does_not_have_is_refused() -> None:
    with pytest.raises(RouteError, match="hold_9"):
        pipeline(route=Route({"hold_9": "start"}))


def without(wall: Wall, hold: str) -> Wall:
    return replace(wall, holds=tuple(kept for kept in wall.holds if kept.id != hold))


def go_on(pipe: Pipeline, wall: Wall, **given: Any) -> None:
    others = {"route": None, "rules": pipe.rules, "landmarks": True, "svg_only": False, **given}
    pipe.go_on_with(wall, IDENTITY, **others)


def test_a_climb_goes_on_by_another_drawing_with_the_touches_of_the_holds_that_are_left() -> None:
    pipe = pipeline(route=None)
    pipe.step(pose(0, left=AT_1, right=AT_2))
    go_on(pipe, without(WALL, "hold_1"))
    assert pipe.step(pose(10, left=AT_3)).touched == (Touch("hold_3", T + 10),)
    session = output(pipe)["session"]
    assert [(hold["id"], hold["time"]) for hold in session["holds"]] == [
        ("hold_2", iso_time(T)),
        ("hold_3", iso_time(T + 10)),
    ]
    assert session["startTime"] == iso_time(T)


def test_the_next_output_after_another_drawing_shows_it_though_nothing_was_touched() -> None:
    pipe = pipeline(route=None)
    pipe.step(pose(0))
    output(pipe)
    go_on(pipe, without(WALL, "hold_1"), landmarks=False)
    shown = output(pipe)
    assert [hold["id"] for hold in shown["session"]["holds"]] == ["hold_2", "hold_3"]
    assert "pose" not in shown


def test_a_run_of_contact_goes_on_by_another_drawing() -> None:
    pipe = pipeline(route=None, rules=Rules(touch_duration=0.2))
    pipe.step(pose(0, left=AT_2))
    go_on(pipe, without(WALL, "hold_1"))
    assert pipe.step(pose(200, left=AT_2)).touched == (Touch("hold_2", T + 200),)


def test_a_drawing_without_a_hold_of_the_route_changes_nothing() -> None:
    pipe = pipeline()
    with pytest.raises(RouteError, match="hold_1"):
        go_on(pipe, without(WALL, "hold_1"), route=ROUTE)
    assert pipe.wall is WALL
    assert pipe.step(pose(0, left=AT_1)).touched == (Touch("hold_1", T),)


def test_a_recording_is_solved_with_its_resets_and_without_what_cannot_be_mapped() -> None:
    horizon = Calibration(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 1.0)))
    pipe = Pipeline(WALL, horizon, rules=Rules(proximity_threshold=300, touch_duration=0), stream="s")
    session = solve(
        [pose(0), ResetHolds(), pose(5, left=(-1.0, 0.0)), pose(10, left=(0.0, 0.0))], pipe
    ).session
    assert session["startTime"] == iso_time(T + 10)
    assert session["holds"][0]["time"] == iso_time(T + 10)


numbers = st.floats(-1000, 1000)
landmark = st.builds(Landmark, numbers, numbers, numbers, st.floats(0, 1))


@given(landmarks=st.lists(landmark, min_size=33, max_size=33), tilt=st.floats(-1, 1), svg_only=st.booleans())
def test_an_output_is_finite_json_whatever_the_pose(
    *, landmarks: list[Landmark], tilt: float, svg_only: bool
) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    tilted = Calibration(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (tilt, tilt, 1.0)))
    pipe = Pipeline(WALL, tilted, stream="s", svg_only=svg_only)
    try:
        pipe.step(Pose(timestamp=T, landmarks=landmarks))
    except Unmappable:
        return
    json.loads(pipe.encode(1), parse_constant=refuse)


# The real climb


def real_frames() -> Iterator[Pose]:
    with gzip.open(DATA / "climb.jsonl.gz") as file:
        for line in file:
            message = decode_input(line)
            assert isinstance(message, Pose)
            yield message


@pytest.fixture(scope="module")
def real_wall() -> Wall:
    if not DATA.is_dir():
        pytest.skip("../shared/data (the real climb) is not there")
    return load_wall(DATA / "wall.svg")


@pytest.fixture
def real(real_wall: Wall) -> Pipeline:
    return Pipeline(
        real_wall,
        load_calibration(DATA / "calibration.json"),
        route=load_route(DATA / "route.json"),
        rules=Rules(proximity_threshold=100, touch_duration=0.5),
        stream="s",
    )


REAL_TOUCHES = {
    "hold_1": 1761934987500,
    "hold_121": 1761934995500,
    "hold_21": 1761934995600,
    "hold_32": 1761934998667,
    "hold_52": 1761935001733,
    "hold_63": 1761935005333,
}


def test_the_real_climb_has_exactly_its_touches(real: Pipeline) -> None:
    session = solve(real_frames(), real).session
    touched = {hold["id"]: hold["time"] for hold in session["holds"] if hold["status"] == "touched"}
    assert touched == {hold: iso_time(ms) for hold, ms in REAL_TOUCHES.items()}
    assert len(session["holds"]) == 142
    assert session["startTime"] == iso_time(1761934987000)
    assert session["endTime"] == iso_time(1761935005333)
    assert session["status"] == "completed"


def test_the_real_climb_repeats_after_a_reset(real: Pipeline) -> None:
    first = solve(real_frames(), real).session
    real.reset()
    assert solve(real_frames(), real).session == first


def test_each_touch_of_the_real_climb_is_announced_by_its_frame(real: Pipeline) -> None:
    steps = [real.step(frame) for frame in real_frames()]
    assert {t.hold_id: t.time_ms for step in steps for t in step.touched} == REAL_TOUCHES
    assert [step for step in steps if step.essential] == [step for step in steps if step.touched]
    assert [step.touched[0].hold_id for step in steps if step.completed] == ["hold_63"]
