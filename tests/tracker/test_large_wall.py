"""What a frame costs on a wall of 5,000 holds, counted and not timed."""

import math

import msgspec
import pytest

from tracker import contact, hold_list
from tracker.calibration import Calibration
from tracker.contact import Grid, Hold, Part
from tracker.messages import Landmark, Pose
from tracker.pipeline import Pipeline
from tracker.session import Rules
from tracker.wall import Wall

COLUMNS, ROWS, POINTS = 62, 81, 65
WIDTH, HEIGHT = 2500.0, 3330.0


def round_hold(n: int) -> Hold:
    x, y = (n % COLUMNS + 0.5) * WIDTH / COLUMNS, (n // COLUMNS + 0.5) * HEIGHT / ROWS
    turns = [2 * math.pi * k / POINTS for k in range(POINTS)]
    ring = tuple([(x + 15 * math.cos(turn), y + 15 * math.sin(turn)) for turn in turns])
    return Hold(f"hold_{n}", "", (Part((ring,)),))


HOLDS = tuple([round_hold(n) for n in range(COLUMNS * ROWS)])


def hand(frame: int, side: float) -> tuple[float, float]:
    """A hand that climbs: almost each frame it is in a cell where none was before."""
    return 1250 + 900 * math.sin(frame / 23 + side), 3000 - 10 * frame - 200 * side


@pytest.mark.parametrize(("threshold", "boxes", "edges"), [(50, 80, 1_000), (300, 600, 4_500)])
def test_a_moving_hand_looks_at_the_holds_around_it_and_measures_few(
    threshold: float, boxes: int, edges: int
) -> None:
    grid = Grid(HOLDS, threshold)
    for frame in range(250):
        for side in (0.0, 1.0):
            looked_at, measured = grid.boxes_looked_at, grid.edges_measured
            grid.within(*hand(frame, side))
            assert grid.boxes_looked_at - looked_at <= boxes
            assert grid.edges_measured - measured <= edges


@pytest.mark.parametrize("threshold", [5.0, 50.0, 300.0])
def test_a_moving_hand_finds_what_measuring_every_hold_finds(threshold: float) -> None:
    grid = Grid(HOLDS, threshold)
    for frame in range(0, 250, 5 if threshold < 300 else 25):
        x, y = hand(frame, 0.0)
        for _ in range(3):  # of a cell, some outlines are worked out in each visit
            expected = [
                index
                for index, hold in enumerate(HOLDS)
                if math.dist((x, y), middle(hold)) <= threshold + 15 and hold.distance(x, y) <= threshold
            ]
            assert grid.within(x, y) == expected


def test_a_grid_keeps_so_much_and_no_more_however_far_the_hands_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "_KEPT", 20_000)
    grid = Grid(HOLDS, 300)
    for frame in range(250):
        grid.within(*hand(frame, 0.0))
        kept = sum(
            len(cell.certain) + len(cell.near) + sum(len(edges) for edges, _ in cell.outlines.values())
            for cell in grid._cells.values()
        )
        assert 0 < kept <= 21_500  # the last cell, too


def middle(hold: Hold) -> tuple[float, float]:
    left, top, right, bottom = hold.box
    return (left + right) / 2, (top + bottom) / 2


def test_a_hand_at_rest_comes_to_measure_less_than_a_hand_that_arrives() -> None:
    grid = Grid(HOLDS, 300)
    costs = []
    for _ in range(20):
        before = grid.edges_measured
        grid.within(1250, 1600)
        costs.append(grid.edges_measured - before)
    assert costs[-1] < costs[0]
    assert costs[-1] == costs[-2]


ACROSS = Hold("across", "", (Part((((0.0, 0.0), (WIDTH, 0.0), (WIDTH, HEIGHT), (0.0, HEIGHT)),)),))
FAR = Hold("far", "", (Part((((9e6, 9e6),),)),))


@pytest.mark.parametrize(
    ("other", "x", "y"),
    [(ACROSS, 1250.0, 3300.0), (ACROSS, 20.0, 20.0), (FAR, 9e6, 9e6 + 50), (FAR, 20.0, 20.0)],
)
def test_a_hold_much_larger_than_the_others_or_far_from_them_is_found_as_they_are(
    other: Hold, x: float, y: float
) -> None:
    holds = (*HOLDS[:200], other)
    expected = [index for index, hold in enumerate(holds) if hold.distance(x, y) <= 50]
    assert expected
    assert Grid(holds, 50).within(x, y) == expected


def test_a_touch_encodes_the_hold_that_it_is_about_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[object] = []

    def encode(hold: object) -> bytes:
        encoded.append(hold)
        return msgspec.json.encode(hold)

    monkeypatch.setattr(hold_list, "_encode", encode)
    wall = Wall(WIDTH, HEIGHT, (0.0, 0.0), HOLDS)
    identity = Calibration(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    pipeline = Pipeline(wall, identity, rules=Rules(10.0, touch_duration=0.0), stream="s")
    for number, hold in enumerate((2500, 3000, 1000)):
        pipeline.step(hands_at(*middle(HOLDS[hold]), now=1_700_000_000_000.0 + number))
        assert msgspec.json.decode(pipeline.encode(number))["session"] == pipeline.snapshot()
        assert len(encoded) == len(HOLDS) + number + 1
    pipeline.reset()
    assert msgspec.json.decode(pipeline.encode(3))["session"] == pipeline.snapshot()
    assert len(encoded) == len(HOLDS) + 3 + 3


def hands_at(x: float, y: float, now: float) -> Pose:
    return Pose(timestamp=now, landmarks=[Landmark(x / WIDTH, y / HEIGHT, 0.0, 1.0)] * 33)
