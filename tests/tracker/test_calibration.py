import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.calibration import LEFT_HAND, RIGHT_HAND, Calibration, CalibrationError, Unmappable
from tracker.files import load_calibration
from tracker.messages import BadMessage, Landmark

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
TILTED = ((0.7, -0.2, 0.1), (-0.03, 0.9, -0.2), (-0.01, -0.6, 1.0))


def body(**named: Landmark) -> list[Landmark]:
    """33 landmarks in the middle of the image, some of them given as `_15=`."""
    landmarks = [Landmark(0.5, 0.5, 0.0, 1.0)] * 33
    for name, landmark in named.items():
        landmarks[int(name[1:])] = landmark
    return landmarks


def test_landmarks_go_through_the_homography_and_keep_z_and_visibility() -> None:
    mapped = Calibration(TILTED).map(body(_7=Landmark(0.25, 0.5, -0.3, 0.8)))
    w = -0.01 * 0.25 - 0.6 * 0.5 + 1
    assert mapped[7].x == pytest.approx((0.7 * 0.25 - 0.2 * 0.5 + 0.1) / w)
    assert mapped[7].y == pytest.approx((-0.03 * 0.25 + 0.9 * 0.5 - 0.2) / w)
    assert (mapped[7].z, mapped[7].visibility) == (-0.3, 0.8)


def test_the_hand_points_are_appended_left_then_right() -> None:
    mapped = Calibration(IDENTITY).map(
        body(
            _13=Landmark(0.0, 0.0, 0.0, 0.1),
            _15=Landmark(0.2, 0.0, 0.0, 0.9),
            _17=Landmark(0.4, 0.1, 0.0, 0.8),
            _19=Landmark(0.4, -0.1, 0.0, 0.7),
            _21=Landmark(0.6, 0.0, 0.0, 0.6),
        )
    )
    assert len(mapped) == 35
    left = mapped[LEFT_HAND]
    assert left.x == pytest.approx(0.4 + 0.2 * 0.2)
    assert (left.y, left.z) == (0, 0)
    assert left.visibility == 0.6  # the least of the four; the elbow does not count
    assert mapped[RIGHT_HAND] == Landmark(0.5, 0.5, 0.0, 1.0)


def test_a_palm_at_the_elbow_has_no_direction_and_is_the_hand_point() -> None:
    hand = Calibration(IDENTITY).map(
        body(_18=Landmark(0.4, 0.5, 0.0, 1.0), _20=Landmark(0.6, 0.5, 0.0, 1.0))
    )[RIGHT_HAND]
    assert (hand.x, hand.y, hand.z) == (0.5, 0.5, 0.0)


coordinate = st.floats(-1, 2)
bodies = st.lists(
    st.builds(Landmark, coordinate, coordinate, coordinate, st.floats(0, 1)), min_size=33, max_size=33
)


@given(bodies, st.floats(0, 100))
def test_hand_points_are_those_of_the_formula_in_vectors(landmarks: list[Landmark], percent: float) -> None:
    calibration = Calibration(((1, 0.1, 0), (0, 1, 0.1), (0.1, 0.1, 2)), percent)
    mapped = calibration.map(landmarks)
    space = np.array([[p.x, p.y, p.z] for p in mapped])
    for point, palm, elbow in ((33, [15, 17, 19, 21], 13), (34, [16, 18, 20, 22], 14)):
        middle = space[palm].mean(axis=0)
        arm = np.linalg.norm(middle - space[elbow])
        if arm < 1e-9:
            continue
        reach = np.linalg.norm(space[palm[1]] - space[palm[2]]) * percent / 100
        assert space[point] == pytest.approx(middle + (middle - space[elbow]) / arm * reach, abs=1e-6)
        assert mapped[point].visibility == min(landmarks[k].visibility for k in palm)


def test_a_landmark_on_the_horizon_is_unmappable_and_counted_like_a_bad_message() -> None:
    horizon = Calibration(((1, 0, 0), (0, 1, 0), (0, 2, -1)))
    with pytest.raises(Unmappable, match="landmark 0") as caught:
        horizon.map(body())
    assert isinstance(caught.value, BadMessage)
    assert caught.value.reason == "unmappable"


@pytest.mark.parametrize("landmark", [0, 15, 32])
def test_no_infinity_escapes(landmark: int) -> None:
    far = Calibration(((1e308, 0, 0), (0, 1e308, 0), (0, 0, 1e308)))
    distant = body(**{f"_{landmark}": Landmark(1000.0, 1000.0, 0.0, 1.0)})
    with pytest.raises(Unmappable):
        far.map(distant)


big = st.floats(-1000, 1000)
matrices = st.tuples(*[st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 3)] * 3)


@given(matrices, st.builds(Landmark, big, big, big, st.floats(0, 1)), st.floats(0, 1e300))
def test_whatever_the_matrix_a_body_maps_to_finite_numbers_or_not_at_all(
    matrix: tuple[tuple[float, float, float], ...], odd: Landmark, percent: float
) -> None:
    try:
        mapped = Calibration(matrix, percent).map(body(_15=odd, _14=odd))  # type: ignore[arg-type]
    except (CalibrationError, Unmappable):
        return
    assert all(math.isfinite(value) for p in mapped for value in (p.x, p.y, p.z, p.visibility))


def test_a_calibration_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"perspective_transform": TILTED, "hand_extension_percent": 30, "name": "x"}))
    assert load_calibration(file) == Calibration(TILTED, 30.0)
    file.write_text(json.dumps({"perspective_transform": TILTED}))
    assert load_calibration(str(file)).hand_extension_percent == 20


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("perspective", "not JSON"),
        ('{"perspective_transform": [[NaN, 0, 0], [0, 1, 0], [0, 0, 1]]}', "NaN"),
        ("[" * 50_000, "perspective_transform"),
        ('{"x":' * 50_000, "not JSON"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `perspective_transform`"),
        ('{"perspective_transform": [[1, 0, 0], [0, 1, 0]]}', "of length 3"),
        ('{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0]]}', "perspective_transform[2]"),
        ('{"perspective_transform": [[1, 0, 0], [0, "1", 0], [0, 0, 1]]}', "perspective_transform[1][1]"),
        ('{"perspective_transform": [[1, 0, 0], [0, 1e999, 0], [0, 0, 1]]}', "out of range"),
        ('{"perspective_transform": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}', "no inverse"),
        ('{"perspective_transform": [[0, 0, 0], [0, 1, 0], [0, 0, 1]]}', "no inverse"),
        ('{"perspective_transform": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}', "no inverse"),
        (
            '{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "hand_extension_percent": -1}',
            "hand_extension_percent",
        ),
    ],
)
def test_a_broken_calibration_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "calibration.json"
    file.write_text(text)
    with pytest.raises(CalibrationError) as caught:
        load_calibration(file)
    assert "calibration.json: " in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"none\.json: No such file"):
        load_calibration(tmp_path / "none.json")


def test_a_small_or_large_scale_does_not_make_a_matrix_singular() -> None:
    for scale in (1e-9, 1e9):
        Calibration(tuple(tuple(v * scale for v in row) for row in TILTED))  # type: ignore[arg-type]


@pytest.mark.parametrize("percent", [-1.0, float("nan"), float("inf")])
def test_an_extension_that_makes_no_sense_is_refused(percent: float) -> None:
    with pytest.raises(CalibrationError, match="hand_extension_percent"):
        Calibration(IDENTITY, percent)


def test_a_matrix_with_nan_is_refused() -> None:
    with pytest.raises(CalibrationError, match="finite"):
        Calibration((IDENTITY[0], IDENTITY[1], (0.0, 0.0, float("nan"))))
