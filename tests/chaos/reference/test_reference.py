"""The reference against climbs whose answer is worked out by hand, or known from how they were made."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from chaos.answer import Answer, NewRules, Reset, Step
from chaos.reference import Reference
from chaos.reference.body import Calibration, seen
from simulator.climber import Climb, generate_climb
from simulator.recording import read_recording
from simulator.shown import shown_pose
from tracker.messages import HoldState, SessionState, parse_iso_time

DATA = Path(__file__).parents[4] / "shared" / "data"
NOON = 1_700_049_600_000
"""2023-11-15T12:00:00Z."""
SQUARES = {"hold_1": (100, 100), "hold_2": (500, 500), "hold_3": (800, 100)}
"""The upper left corner of each, 100 wall units wide and high."""
ON = {"1": (0.15, 0.15), "2": (0.55, 0.55), "3": (0.85, 0.15), "-": (0.5, 0.9)}
"""A place for a hand: on a hold, or nowhere."""


def frame(
    time: float, left: tuple[float, float], right: tuple[float, float] = ON["-"], visibility: float = 1.0
) -> bytes:
    """Palms at two places, whose hands do not reach beyond them; the left may be out of sight."""
    body = [{"x": 0.5, "y": 0.5, "z": 0.0, "visibility": 1.0} for _ in range(33)]
    for (x, y), landmarks in ((left, (15, 17, 19, 21)), (right, (16, 18, 20, 22))):
        for landmark in landmarks:
            body[landmark] = {"x": x, "y": y, "z": 0.0, "visibility": visibility if x == left[0] else 1.0}
    return json.dumps({"type": "pose", "timestamp": NOON + time, "landmarks": body}).encode()


def wall(folder: Path, paths: str | None = None, view_box: str = "0 0 1000 1000") -> Path:
    drawn = paths or "".join(
        f'<path class="hold" id="{name}" d="M {x} {y} h 100 v 100 h -100 Z"/>'
        for name, (x, y) in SQUARES.items()
    )
    (folder / "wall.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view_box}">{drawn}</svg>'
    )
    return folder / "wall.svg"


def reference(
    folder: Path, frames: Sequence[bytes], drawing: Path | None = None, *, extension: float = 0.0
) -> Reference:
    """Identity from picture to wall; a route from hold_1 to hold_2."""
    calibration, route = folder / "calibration.json", folder / "route.json"
    identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    calibration.write_text(
        json.dumps({"perspective_transform": identity, "hand_extension_percent": extension})
    )
    holds = [{"id": "1", "type": "start"}, {"id": "hold_2", "type": "finish"}]
    route.write_text(json.dumps({"problem": {"holds": holds}}))
    return Reference(frames.__getitem__, drawing or wall(folder), calibration, route)


def only(answers: tuple[Answer, ...]) -> list[SessionState]:
    """What each output shows, where there is no doubt."""
    (answer,) = answers
    return [session for _, session in answer.outputs()]


def touched(session: SessionState) -> dict[str, str | None]:
    return {hold.id: hold.time for hold in session.holds if hold.status == "touched"}


def every(ms: float, first: float, last: float, where: str) -> list[tuple[float, str]]:
    return [(first + n * ms, where) for n in range(int((last - first) / ms) + 1)]


@pytest.mark.parametrize(
    ("frames", "time"),
    [
        (every(250, 0, 1750, "1"), None),
        (every(250, 0, 2000, "1"), "12:00:02.000Z"),
        (every(300, 0, 3000, "1"), None),  # each is too long after the one before
        ([*every(250, 0, 1000, "1"), (1100, "-"), *every(250, 1250, 2000, "1")], "12:00:02.000Z"),
        ([*every(250, 0, 1000, "1"), (1100, "-"), *every(250, 1251, 3251, "1")], "12:00:03.251Z"),
        ([*every(250, 0, 1750, "1"), (2100, "1")], None),
        (
            [*every(250, 0, 1000, "1"), (1240, "-"), (1100, "1"), *every(250, 1251, 3251, "1")],
            "12:00:03.251Z",
        ),
        ([*every(250, 0, 1000, "1"), (1240, "-"), (240, "1"), *every(250, 490, 2240, "1")], "12:00:02.240Z"),
    ],
    ids=[
        "too-short",
        "on-time",
        "gaps",
        "within-grace",
        "beyond-grace",
        "gap-at-the-end",
        "late",
        "clock-set-back",
    ],
)
def test_a_hold_is_touched_after_two_seconds_of_contact(
    frames: list[tuple[float, str]], time: str | None, tmp_path: Path
) -> None:
    made_of = reference(tmp_path, [frame(at, ON[where]) for at, where in frames])
    last = only(made_of.answers(range(len(frames))))[-1]
    assert touched(last) == ({} if time is None else {"hold_1": f"2023-11-15T{time}"})


def test_a_session_is_shown_with_its_types_its_start_and_its_end(tmp_path: Path) -> None:
    places = [*every(250, 0.5, 2000.5, "1"), *every(250, 2250.5, 4250.5, "2"), (4500.5, "-")]
    shown = only(
        reference(tmp_path, [frame(at, ON[where]) for at, where in places]).answers(range(len(places)))
    )
    start, first, end = "2023-11-15T12:00:00.000Z", "2023-11-15T12:00:02.000Z", "2023-11-15T12:00:04.250Z"
    rest = HoldState("hold_3", "normal", "untouched")
    assert shown[0] == SessionState(
        "started",
        start,
        None,
        (HoldState("hold_1", "start", "untouched"), HoldState("hold_2", "finish", "untouched"), rest),
    )
    assert shown[-1] == SessionState(
        "completed",
        start,
        end,
        (HoldState("hold_1", "start", "touched", first), HoldState("hold_2", "finish", "touched", end), rest),
    )
    assert [session.status for session in shown].count("completed") == 2


def test_a_hold_beside_the_route_is_not_touched_unless_the_route_comes_to_it(tmp_path: Path) -> None:
    frames = [frame(at, ON["3"]) for at, _ in every(250, 0, 6000, "3")]
    made_of = reference(tmp_path, frames)
    assert touched(only(made_of.answers(range(25)))[-1]) == {}
    other: list[Step] = [*range(9), NewRules(route={"hold_3": "finish"}), *range(9, 25)]
    shown = only(made_of.answers(other))
    assert touched(shown[-1]) == {"hold_3": "2023-11-15T12:00:04.250Z"}
    assert shown[-1].end_time == "2023-11-15T12:00:04.250Z"
    assert [hold.type for hold in shown[9].holds] == ["normal", "normal", "finish"]


def test_new_rules_count_from_the_next_frame(tmp_path: Path) -> None:
    near = (0.15, 0.26)  # 60 units below hold_1
    made_of = reference(tmp_path, [frame(at, near) for at, _ in every(250, 0, 6000, "1")])
    assert touched(only(made_of.answers(range(25)))[-1]) == {}
    wider: list[Step] = [*range(4), NewRules(proximity_threshold=61.0), *range(4, 25)]
    assert touched(only(made_of.answers(wider))[-1]) == {"hold_1": "2023-11-15T12:00:03.000Z"}
    quicker: list[Step] = [*wider[:8], NewRules(touch_duration=1.0), *wider[8:]]
    assert touched(only(made_of.answers(quicker))[-1]) == {"hold_1": "2023-11-15T12:00:02.000Z"}


def test_a_reset_begins_a_new_session_with_the_next_frame_that_is_not_late(tmp_path: Path) -> None:
    times = [
        *(at for at, _ in every(250, 0, 2000, "1")),
        1900.0,
        *(at for at, _ in every(250, 2250, 4250, "1")),
    ]
    steps: list[Step] = [*range(9), Reset(), *range(9, len(times))]
    shown = only(reference(tmp_path, [frame(at, ON["1"]) for at in times]).answers(steps))
    assert touched(shown[8]) == {"hold_1": "2023-11-15T12:00:02.000Z"}
    assert (touched(shown[9]), shown[9].start_time) == ({}, None)
    assert shown[10].start_time == "2023-11-15T12:00:02.250Z"
    assert touched(shown[-1]) == {"hold_1": "2023-11-15T12:00:04.250Z"}


def test_either_hand_holds_and_one_that_is_out_of_sight_does_not(tmp_path: Path) -> None:
    def ends(*, right: str, visibility: float) -> dict[str, str | None]:
        frames = [frame(at, ON["1"], ON[right], visibility) for at, _ in every(250, 0, 2000, "1")]
        return touched(only(reference(tmp_path, frames).answers(range(9)))[-1])

    assert ends(right="2", visibility=0.21).keys() == {"hold_1", "hold_2"}
    assert ends(right="2", visibility=0.2).keys() == {"hold_2"}


def test_a_hand_reaches_beyond_its_palm_away_from_the_elbow() -> None:
    """A forearm of 0.3 by 0.4, and a hand 0.2 wide, of which a quarter is 0.05: the hand is 0.03 and 0.04 further."""
    body = json.loads(frame(0, (0.15, 0.15)))
    body["landmarks"][13] |= {"x": 0.15 - 0.3, "y": 0.15 - 0.4}
    body["landmarks"][17] |= {"x": 0.05}
    body["landmarks"][19] |= {"x": 0.25}
    shown = seen(json.dumps(body).encode(), Calibration([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 25.0))
    assert shown is not None
    assert (shown.hands[0].x, shown.hands[0].y) == pytest.approx((0.18, 0.19))


def test_a_pose_is_mapped_by_the_calibration_and_has_the_hands_at_its_end(tmp_path: Path) -> None:
    calibration = tmp_path / "half.json"
    calibration.write_text('{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 2]]}')
    reference(tmp_path, [])
    made_of = Reference(
        lambda _: frame(0, (0.2, 0.4), (0.6, 0.8)),
        tmp_path / "wall.svg",
        calibration,
        tmp_path / "route.json",
    )
    middle = {"x": 0.25, "y": 0.25, "z": 0.0, "visibility": 1.0}
    pose = [middle] * 33
    for (x, y), places in (((0.1, 0.2), (15, 17, 19, 21)), ((0.3, 0.4), (16, 18, 20, 22))):
        hand = {"x": x, "y": y, "z": 0.0, "visibility": 1.0}
        pose = [hand if n in places else place for n, place in enumerate(pose)] + [hand]
    (answer,) = made_of.answers([0])
    assert answer.poses == (pytest.approx(shown_pose(json.dumps(pose).encode())),)


def test_a_frame_that_the_calibration_sends_to_infinity_counts_for_nothing(tmp_path: Path) -> None:
    reference(tmp_path, [])
    calibration = tmp_path / "horizon.json"
    calibration.write_text('{"perspective_transform": [[1, 0, 0], [0, 1, 0], [1, 0, -0.5]]}')
    frames = [frame(0, ON["1"]), frame(250, ON["1"])]
    made_of = Reference(frames.__getitem__, tmp_path / "wall.svg", calibration, tmp_path / "route.json")
    (answer,) = made_of.answers([0, 1])
    assert answer == Answer()


def test_so_near_to_the_threshold_that_nobody_can_say_either_is_right(tmp_path: Path) -> None:
    below = (0.15, 0.2 + 0.05 + 1e-6)  # 50.001 units from hold_1
    frames = [frame(0, below), *(frame(at, ON["1"]) for at, _ in every(250, 250, 2250, "1"))]
    answers = reference(tmp_path, frames).answers(range(10))
    assert [touched(tuple(answer.outputs())[-1][1]) for answer in answers] == [
        {"hold_1": "2023-11-15T12:00:02.250Z"},
        {"hold_1": "2023-11-15T12:00:02.000Z"},
    ]


# How climbs are made


def arrivals(climb: Climb) -> list[tuple[float, float]]:
    """For each hold of the route, when a hand leaves for it and when it rests on it, by the choreography."""
    route = climb.route["problem"]["holds"]
    found = []
    for before, after in pairwise(climb._keys):
        moved = [u != v for u, v in zip(before.hands, after.hands, strict=True)]
        if after.at <= climb.climb_s and any(moved):
            found.append((before.at, after.at))
    # First the arms go out; last the other hand follows to the last hold.
    return found[1 : len(route) + 1]


def first_touches(answer: Answer) -> dict[str, str]:
    return {hold.id: hold.time for hold in tuple(answer.outputs())[-1][1].holds if hold.time is not None}


@pytest.mark.parametrize("seed", range(4))
def test_the_holds_are_touched_on_which_the_choreography_rests_a_hand_and_when(
    seed: int, tmp_path: Path
) -> None:
    """Contact begins on the way to a hold, and goes on for more than the two seconds of a touch."""
    climb = generate_climb(seed, fps=15)
    answers = Reference(climb.frame, *climb.write_files(tmp_path)).answers(range(int(climb.climb_s * 15) + 1))
    found = {hold: parse_iso_time(time) / 1000 for hold, time in first_touches(answers[0]).items()}
    ids = [hold["id"] for hold in climb.route["problem"]["holds"]]
    assert found.keys() == set(ids)
    for hold, (leaves, rests) in zip(ids, arrivals(climb), strict=True):
        # A hand slows down before it arrives: in the second half of its way it is near.
        assert (leaves + rests) / 2 + 2.0 <= found[hold] - climb.start_ms / 1000 <= rests + 2.0 + 1 / 15


# The real climb


@pytest.mark.skipif(not DATA.exists(), reason="the recorded climb is not part of the project's own tree")
def test_the_real_climb_has_the_touches_that_are_known_of_it() -> None:
    frames = [each.data for each in read_recording(DATA / "climb.jsonl.gz")]
    made_of = Reference(frames.__getitem__, DATA / "wall.svg", DATA / "calibration.json", DATA / "route.json")
    steps: list[Step] = [NewRules(proximity_threshold=100.0, touch_duration=0.5), *range(len(frames))]
    shown = only(made_of.answers(steps))
    found = {hold: parse_iso_time(time) for hold, time in touched(shown[-1]).items() if time is not None}
    assert found == {
        "hold_1": 1761934987500,
        "hold_121": 1761934995500,
        "hold_21": 1761934995600,
        "hold_32": 1761934998667,
        "hold_52": 1761935001733,
        "hold_63": 1761935005333,
    }
    assert shown[-1].status == "completed"
