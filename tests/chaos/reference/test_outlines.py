"""Drawings whose distances are plain to see."""

from pathlib import Path

import pytest

from chaos.reference.outlines import Outlines, read_outlines
from simulator.climber import generate_climb
from tracker.files import load_wall

SQUARE = "M 100 100 h 100 v 100 h -100 z"


def drawn(folder: Path, inside: str, view_box: str = 'viewBox="0 0 1000 800"') -> Outlines:
    (folder / "wall.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {view_box}>{inside}</svg>')
    return read_outlines((folder / "wall.svg").read_bytes())


def hold(d: str, more: str = "") -> str:
    return f'<path class="big hold" id="hold_1" d="{d}" {more}/>'


def distance(outlines: Outlines, x: float, y: float) -> float:
    return outlines.near(x, y, 1000.0)["hold_1"]


def test_distance_is_to_the_outline_and_0_inside(tmp_path: Path) -> None:
    outlines = drawn(tmp_path, hold(SQUARE))
    assert distance(outlines, 150, 150) == 0
    assert distance(outlines, 250, 150) == 50
    assert distance(outlines, 230, 240) == 50
    assert outlines.near(250, 150, 49) == {}
    assert (outlines.left, outlines.top, outlines.width, outlines.height) == (0, 0, 1000, 800)


@pytest.mark.parametrize("d", ["M 0 200 a 100 100 0 1 1 200 0 a 100 100 0 1 1 -200 0 z"])
def test_curves_are_near_to_what_is_drawn(d: str, tmp_path: Path) -> None:
    assert distance(drawn(tmp_path, hold(d)), 100, 500) == pytest.approx(200, abs=0.01)


def test_transforms_and_groups_move_a_hold(tmp_path: Path) -> None:
    moved = f'<g transform="translate(100 0)">{hold(SQUARE, """transform="scale(2)" """)}</g>'
    assert distance(drawn(tmp_path, moved), 600, 300) == 100


def test_the_corner_and_the_size_of_the_drawing_on_paper_do_not_move_a_hold(tmp_path: Path) -> None:
    outlines = drawn(tmp_path, hold(SQUARE), 'viewBox="-50 20 1000 800" width="500mm" height="900mm"')
    assert distance(outlines, 250, 150) == pytest.approx(50)
    assert (outlines.left, outlines.top) == (-50, 20)


@pytest.mark.parametrize(
    ("more", "middle"), [("", 0.0), ('fill-rule="evenodd"', 25.0), ('style="fill-rule:evenodd"', 25.0)]
)
def test_the_fill_rule_says_what_is_inside(more: str, middle: float, tmp_path: Path) -> None:
    ring = f"{SQUARE} M 125 125 h 50 v 50 h -50 z"
    assert distance(drawn(tmp_path, hold(ring, more)), 150, 150) == middle


def test_a_hole_that_is_drawn_the_other_way_round_is_a_hole(tmp_path: Path) -> None:
    assert distance(drawn(tmp_path, hold(f"{SQUARE} M 125 125 v 50 h 50 v -50 z")), 150, 150) == 25


def test_what_is_no_hold_is_left_out(tmp_path: Path) -> None:
    other = '<path class="holder" id="x" d="M 0 0 h 9"/><text class="hold" id="y">5</text>'
    hidden = f'<g display="none">{hold(SQUARE)}</g><defs>{hold(SQUARE)}</defs>'
    assert drawn(tmp_path, other + hidden + hold(SQUARE)).ids == ("hold_1",)


SYMBOL = (
    f'<symbol id="s" viewBox="0 0 9 9">{hold("M0 0h9v9h-9z")}</symbol>'
    '<use href="#s" x="100" width="200" height="100"/>'
)
HOLE = f"{SQUARE} M 125 125 h 50 v 50 h -50 z"


@pytest.mark.parametrize(
    ("inside", "x", "y", "away"),
    [
        (hold("M100 500 Q 200 700 300 500 S 400 700 500 500 Z"), 350, 455, 45),
        (hold("M100 100 H300. V500 H100 Z"), 200, 400, 0),
        (hold("M100 100 H200 A 0 9 0 0 1 200 200 H100"), 150, 150, 0),
        (hold("M100 100 A 1e12 1e12 0 0 1 200 100"), 150, 90, 10),
        ('<circle class="hold" id="hold_1" cx="500" cy="500" r="50"/>', 500, 560, 10),
        ('<ellipse class="hold" id="hold_1" cx="500" cy="500" ry="50"/>', 500, 560, 10),
        ('<rect class="hold" id="hold_1" x="10%" y="100" width="50" height="50" rx="0"/>', 145, 160, 10),
        ('<rect class="hold" id="hold_1" width="100" height="100" rx="500"/>', 50, 110, 10),
        ('<polygon class="hold" id="hold_1" points="0 0 100 0,100,100"/>', 110, 50, 10),
        ('<line class="hold" id="hold_1" x2="100"/>', 50, 10, 10),
        (f'<g class="hold" id="hold_1"><path d="{SQUARE}"/><circle cx="500" r="9"/></g>', 500, 19, 10),
        (f'<defs>{hold("M0 0h50v50h-50z")}</defs><use href="#hold_1" x="500" y="500"/>', 525, 525, 0),
        (SYMBOL, 90, 50, 60),
        (hold(SQUARE, 'style="transform:translate(500px,500px)"'), 650, 650, 0),
        (hold(SQUARE, 'transform="rotate(180)" transform-origin="500 500"'), 850, 850, 0),
        (f'<g fill-rule="evenodd">{hold(HOLE)}</g>', 150, 150, 25),
        (f"<style>.hold{{fill-rule:evenodd}}</style>{hold(HOLE)}", 150, 150, 25),
        (f"<style>.hold{{fill-rule:evenodd}}#hold_1{{fill-rule:nonzero}}</style>{hold(HOLE)}", 150, 150, 0),
    ],
)
def test_the_walls_of_others_are_read_right(
    inside: str, x: float, y: float, away: float, tmp_path: Path
) -> None:
    assert distance(drawn(tmp_path, inside), x, y) == pytest.approx(away, abs=0.05)


@pytest.mark.parametrize(
    ("transform", "y", "away"),
    [('width="500" height="400" transform="translate(50)"', 150, 50), ('transform="rotate(180)"', 650, 650)],
)
def test_a_transform_of_the_outermost_element_is_one_of_the_paper(
    transform: str, y: float, away: float, tmp_path: Path
) -> None:
    outlines = drawn(tmp_path, hold(SQUARE), f'viewBox="0 0 1000 800" {transform}')
    assert distance(outlines, 150, y) == pytest.approx(away)


@pytest.mark.parametrize("seed", range(2))
def test_on_walls_of_all_outlines_it_agrees_with_the_tracker(seed: int, tmp_path: Path) -> None:
    """To the chords of both: neither knows of the other."""
    drawing, _, _ = generate_climb(seed).write_files(tmp_path)
    outlines, wall = read_outlines(drawing.read_bytes()), load_wall(drawing)
    assert outlines.ids == tuple(hold.id for hold in wall.holds)
    for n, (x, y) in enumerate((137.0 * n % 2500, 311.0 * n % 3330) for n in range(200)):
        near = outlines.near(x, y, 5000.0)
        hold = wall.holds[n % len(wall.holds)]
        assert near[hold.id] == pytest.approx(hold.distance(x, y), abs=0.05)
