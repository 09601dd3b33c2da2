import math
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tracker.contact import Hold
from tracker.files import load_wall
from tracker.wall import FLATTENING, Wall, WallError, parse_wall

DATA = Path(__file__).parents[3] / "shared" / "data"
SQUARE = "M 0 0 H 10 V 10 H 0 Z"


def drawing(*paths: str, root: str = 'viewBox="0 0 100 100"', inside: str = "") -> bytes:
    drawn = "".join(f'<path class="hold" id="hold_{n}" d="{d}"/>' for n, d in enumerate(paths))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {root}>{drawn}{inside}</svg>'.encode()


def outline(d: str) -> Hold:
    return parse_wall(drawing(d)).holds[0]


def transformed(inside: str) -> Hold:
    return parse_wall(drawing(inside=inside)).holds[0]


def path(d: str = SQUARE, name: str = "hold_7", more: str = "") -> str:
    return f'<path class="hold" id="{name}" d="{d}" {more}/>'


def corners(hold: Hold) -> set[tuple[float, float]]:
    return {(round(x, 6), round(y, 6)) for ring in hold.outline for x, y in ring}


def box(hold: Hold) -> list[float]:
    return [
        round(limit(value), 2)
        for limit in (min, max)
        for value in ([p[0] for r in hold.outline for p in r], [p[1] for r in hold.outline for p in r])
    ]


def refusal(data: bytes) -> str:
    with pytest.raises(WallError) as caught:
        parse_wall(data)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "d",
    [
        "M 0 0 L 10 0 L 10 10 L 0 10 Z",
        "M0,0 10,0 10,10 0,10z",
        "m 0 0 l 10 0 l 0 10 l -10 0 z",
        "m0 0 10 0 0 10-10 0",
        "M 0 0 H 10 V 10 H 0 Z",
        "m 0 0 h 10 v 10 h -10 z",
        "M 0 0 h1e1 v+10 h-10.0",
    ],
)
def test_every_way_to_write_a_polygon_is_read_alike(d: str) -> None:
    assert corners(outline(d)) == {(0, 0), (10, 0), (10, 10), (0, 10)}


@pytest.mark.parametrize(
    ("d", "expected"),
    [
        ("M 0 10 A 10 10 0 0 1 20 10 A 10 10 0 0 1 0 10 Z", [0, 0, 20, 20]),
        ("M 0 10 a 10 10 0 1 1 0 .0001 z", [0, 0, 20, 20]),
        ("M 0 10 a10 10 0 01 20 0 a10 10 0 0120 0", [0, 0, 40, 10]),
        ("M 0 0 C 0 10 10 10 10 0", [0, 0, 10, 7.5]),
        ("M 0 0 c 0 10 10 10 10 0", [0, 0, 10, 7.5]),
        ("M 0 0 C 0 10 10 10 10 0 S 20 -10 20 0", [0, -7.5, 20, 7.5]),
        ("M 0 0 c 0 10 10 10 10 0 s 10 -10 10 0", [0, -7.5, 20, 7.5]),
        ("M 0 0 Q 5 10 10 0", [0, 0, 10, 5]),
        ("M 0 0 q 5 10 10 0 t 10 0", [0, -5, 20, 5]),
        ("M 0 0 Q 5 10 10 0 T 20 0", [0, -5, 20, 5]),
    ],
)
def test_every_curve_goes_where_the_svg_standard_says(d: str, expected: list[float]) -> None:
    assert box(outline(d)) == pytest.approx(expected, abs=0.011)


def test_drawing_may_go_on_after_a_close_from_where_the_subpath_began() -> None:
    hold = outline("M 5 5 h 10 v 10 z l -5 0 l 0 -5 z")
    assert [ring[0] for ring in hold.outline] == [(5, 5), (5, 5)]
    assert corners(hold) == {(5, 5), (15, 5), (15, 15), (0, 5), (0, 0)}


def test_a_hold_of_several_subpaths_is_all_of_them() -> None:
    hold = outline("M 0 0 h 10 v 10 h -10 z m 50 0 h 10 v 10 h -10 z")
    assert hold.distance(5, 5) == hold.distance(55, 5) == 0
    assert hold.distance(30, 5) == 20


def test_inside_is_where_the_winding_number_is_not_zero() -> None:
    bolt_hole = outline("M 0 0 H 30 V 30 H 0 Z M 10 10 V 20 H 20 V 10 Z")
    overlap = outline("M 0 0 H 30 V 30 H 0 Z M 10 10 H 20 V 20 H 10 Z")
    assert bolt_hole.distance(15, 15) == 5
    assert overlap.distance(15, 15) == 0


@pytest.mark.parametrize("d", [SQUARE, "M 0 0 V 10 H 10 V 0 Z"])
def test_inside_is_the_same_whichever_way_round_a_hold_is_drawn(d: str) -> None:
    assert outline(d).contains(5, 5)
    assert not outline(d).contains(15, 5)


def test_distance_is_to_the_nearest_point_of_the_outline_and_0_inside() -> None:
    hold = outline(SQUARE)
    assert hold.distance(5, 5) == hold.distance(0, 0) == hold.distance(10, 5) == 0
    assert hold.distance(15, 5) == 5
    assert hold.distance(13, 14) == 5
    assert hold.distance(-3, -4) == 5


def test_a_line_and_a_point_are_holds_as_well() -> None:
    assert outline("M 0 0 L 10 0").distance(5, 3) == 3
    assert outline("M 0 0 L 10 0").distance(13, 4) == 5
    assert outline("M 3 0 L 3 0 Z").distance(0, 4) == 5
    assert outline("M 3 0").distance(0, 4) == 5
    assert parse_wall(drawing("M 3 0")).within(0, 4, 5) == [0]


def test_a_move_that_draws_nothing_adds_nothing() -> None:
    assert outline(SQUARE + " M 90 90").distance(90, 90) == pytest.approx(math.hypot(80, 80))


def test_chords_keep_within_the_stated_tolerance() -> None:
    hold = outline("M 10 50 A 40 40 0 1 1 90 50 A 40 40 0 1 1 10 50 Z")
    for degrees in range(360):
        x, y = 50 + 40 * math.cos(math.radians(degrees)), 50 + 40 * math.sin(math.radians(degrees))
        assert hold.distance(x, y) <= FLATTENING * 100 * 1.1


def test_transforms_of_groups_apply_from_the_inside_out() -> None:
    moved = path(more='transform="translate(5 0)"')
    inner = f'<g transform="scale(2)">{moved}</g>'
    hold = transformed(f'<g transform="translate(100 0)">{inner}</g>')
    assert corners(hold) == {(110, 0), (130, 0), (130, 20), (110, 20)}


@pytest.mark.parametrize(
    ("transform", "corner"),
    [
        ("translate(5)", (15, 10)),
        ("translate(5,-6)", (15, 4)),
        ("scale(2 3)", (20, 30)),
        ("rotate(90)", (-10, 10)),
        ("rotate(90 10 10)", (10, 10)),
        ("skewX(45)", (20, 10)),
        ("skewY(45)", (10, 20)),
        ("matrix(1 2 3 4 5 6)", (45, 66)),
        ("translate(5) scale(2)", (25, 20)),
        ("scale(2), translate(5 0)", (30, 20)),
    ],
)
def test_every_transform_is_applied(transform: str, corner: tuple[float, float]) -> None:
    assert corner in corners(transformed(path(more=f'transform="{transform}"')))


def test_a_skewed_circle_is_the_ellipse_that_it_should_be() -> None:
    circle = "M -10 0 A 10 10 0 0 1 10 0 A 10 10 0 0 1 -10 0 Z"
    hold = transformed(path(circle, more='transform="skewX(45)"'))
    for degrees in range(0, 360, 15):
        x, y = 10 * math.cos(math.radians(degrees)), 10 * math.sin(math.radians(degrees))
        nearest = min(math.dist((x + y, y), point) for point in _dense(hold.outline[0]))
        assert nearest < 0.02


def _dense(ring: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    return [
        (ax + (bx - ax) * k / 50, ay + (by - ay) * k / 50)
        for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True)
        for k in range(50)
    ]


def test_holds_come_in_document_order_whatever_their_groups() -> None:
    inside = f"<g>{path(name='b')}<g>{path(name='c')}</g></g>{path(name='a')}"
    assert [hold.id for hold in parse_wall(drawing(inside=inside)).holds] == ["b", "c", "a"]


def test_the_class_is_a_list_of_names_that_has_hold() -> None:
    inside = (
        '<path class="big  hold red" id="yes" d="M 0 0 h 1"/><path class="holds" id="no" d="M 0 0 h 1"/>'
        '<path id="neither" d="M 0 0 h 1"/><circle class="hold" id="circle" r="5"/>'
    )
    assert [hold.id for hold in parse_wall(drawing(inside=inside)).holds] == ["yes", "circle"]


def test_a_hold_keeps_its_path_as_written() -> None:
    assert outline("m 1,2  l3 4").d == "m 1,2  l3 4"


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ('viewBox="0 0 2500 3330"', (2500, 3330, (0, 0))),
        ('viewBox="-10,20,30.5,40"', (30.5, 40, (-10, 20))),
        ('viewBox="0 0 10 20" width="210mm" height="100%"', (10, 20, (0, 0))),
        ('width="250" height="333px"', (250, 333, (0, 0))),
        ('width="1in" height="72pt"', (96, 96, (0, 0))),
    ],
)
def test_the_size_is_the_view_box_or_else_width_and_height(
    root: str, expected: tuple[float, float, tuple[float, float]]
) -> None:
    wall = parse_wall(drawing(SQUARE, root=root))
    assert (wall.width, wall.height, wall.origin) == expected


def test_a_plain_external_doctype_is_read_and_not_fetched() -> None:
    doctype = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://127.0.0.1:1/svg11.dtd">'
    assert len(parse_wall(b'<?xml version="1.0"?>' + doctype + drawing(SQUARE)).holds) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not well-formed XML"),
        (b"{}", "not well-formed XML"),
        (b"<svg", "line 1"),
        (drawing(SQUARE)[:-3], "not well-formed XML"),
        (b"<html/>", "<html>"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing(SQUARE), "entities"),
        (b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + drawing(SQUARE), "entities"),
        (b'<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]>' + drawing(SQUARE), "entities"),
        (b'<?xml version="1.0" encoding="klingon"?>' + drawing(SQUARE), "encoding"),
        (drawing(), 'class="hold"'),
        (drawing(inside=path() + path()), "'hold_7' is given to two holds"),
        (drawing(inside=path(name="")), "no id"),
        (drawing(""), "hold_0 has no outline"),
        (drawing(inside='<path class="hold" id="hold_7"/>'), "hold_7 has no outline"),
        (drawing("foo"), "'foo'"),
        (drawing("L 10 10"), "'L 10 10'"),
        (
            drawing("M 0 0 L 10 x"),
            "hold_0: its path cannot be read to its end: at character 12 must be a number",
        ),
        (drawing("M 0 0 L 10"), "at character 11 must be a number but it ends"),
        (drawing("M"), "at character 2 must be a number but it ends"),
        (drawing("M 0 0 L 1e999 0"), "at character 9 must be a number that is not beyond all bounds"),
        (drawing("M 0 0 C 1e308 0 -1e308 0 5 5"), "hold_0 is drawn more than a million walls away"),
        (drawing(inside=path(more='transform="spin(3)"')), "'spin(3)'"),
        (drawing(inside=path(more='transform="rotate(1 2)"')), "'rotate(1 2)'"),
        (drawing(inside=path(more='transform="translate(1mm)"')), "'translate(1mm)'"),
        (drawing(SQUARE, root=""), "neither viewBox nor width"),
        (drawing(SQUARE, root='width="100%" height="3"'), "'100%'"),
        (drawing(SQUARE, root='width="0" height="3"'), "'0'"),
        (drawing(SQUARE, root='viewBox="0 0 10"'), "'0 0 10'"),
        (drawing(SQUARE, root='viewBox="0 0 10 nan"'), "nan"),
        (drawing(SQUARE, root='viewBox="0 0 10 -1"'), "above 0"),
        (drawing(SQUARE, root='viewBox="0 0 10 1e999"'), "finite"),
    ],
)
def test_a_broken_drawing_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<path class='hold' id='a' d='M0 0" + "C5e4 0 0 5e4 9 9" * 360 + "'/>", "more than 600,000 points"),
        ("<path class='hold' id='a' d='M0 0" + "a1 1 0 011 1" * 60_000 + "'/>", "more than 200,000 curves"),
        ("<path class='hold' id='a' d='M0 0" + "h1" * 200_001 + "'/>", "more than 200,000 curves"),
        ("<a/>" * 200_000, "more than 200,000 elements"),
        (
            "".join(f"<path class='hold' id='{n}' d='M0 0h1'/>" for n in range(10_001)),
            "more than 10,000 holds",
        ),
        (
            "<defs><g id='u0'/>"
            + "".join(f"<g id='u{n}'>" + f"<use href='#u{n - 1}'/>" * 10 + "</g>" for n in range(1, 20))
            + "</defs><use href='#u19'/>",
            "draws more than 200,000 elements",
        ),
        ("<style>" + ".hold{display:none}" * 201 + "</style>", "more than 200 rules"),
        ("<path class='hold' id='a' d='M0 0C 9e5 9e5 5 5 9 9'/>", "more than a thousand times as large"),
        ("<path class='hold' id='a' d='M0 0L 1e300 5'/>", "more than a million walls away"),
        ("<path class='hold' id='a' transform='scale(1e308) scale(1e308)' d='M0 0h1'/>", "has the transform"),
        (
            "<path class='hold' id='a' transform='scale(1e300)' d='M0 0L1e300 5'/>",
            "more than a million walls away",
        ),
        ("<polygon class='hold' id='a' points='0 0 1e999 5'/>", "more than a million walls away"),
    ],
    ids=lambda value: value[:40],
)
def test_what_a_drawing_may_cost_has_bounds(inside: str, reason: str) -> None:
    assert reason in refusal(drawing(inside=inside))


def test_deeply_nested_groups_are_no_matter() -> None:
    deep = 20_000
    assert parse_wall(drawing(inside="<g>" * deep + path() + "</g>" * deep)).holds[0].id == "hold_7"


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wall.svg"
    with pytest.raises(WallError, match=r"wall\.svg: No such file"):
        load_wall(file)
    file.write_bytes(b"<html/>")
    with pytest.raises(WallError, match=r"wall\.svg: its outermost element is <html>"):
        load_wall(str(file))
    with pytest.raises(WallError, match="directory"):
        load_wall(tmp_path)


HOLDS = (
    SQUARE,
    "M 20 20 h 10 l -5 9 z",
    "M 50 10 A 20 12 30 1 1 49 11 Z",
    "M 0 90 C 40 60 60 120 100 90 Z",
    "M 60 50 h 20 v 20 h -20 z M 65 55 v 10 h 10 v -10 z",
    "M 30 60 L 40 40 L 50 60 L 30 47 L 50 47 Z",
    "M 5 50 L 15 70",
    "M 90 30",
)
WALL = parse_wall(drawing(*HOLDS))


def same_by_shapely(hold: Hold) -> shapely.Geometry:
    """The filled shape, built in another way: cut the plane along all rings, keep the faces wound around."""
    lines = shapely.union_all([shapely.LineString((*ring, ring[0])) for ring in hold.outline])
    faces = shapely.get_parts(shapely.polygonize([lines]))
    kept = [face for face in faces if _winding(hold, face.representative_point())]
    points = [shapely.Point(ring[0]) for ring in hold.outline]
    return shapely.GeometryCollection([*kept, lines, *points])


def _winding(hold: Hold, point: shapely.Point) -> bool:
    turns = 0.0
    for ring in hold.outline:
        angles = [math.atan2(y - point.y, x - point.x) for x, y in ring]
        for a, b in zip(angles, angles[1:] + angles[:1], strict=True):
            turns += (b - a + math.pi) % (2 * math.pi) - math.pi
    return abs(turns) > 1


SHAPES = [same_by_shapely(hold) for hold in WALL.holds]
coordinate = st.floats(-60, 160) | st.integers(-60, 160).map(float)


@given(coordinate, coordinate)
def test_distances_are_those_of_an_independent_geometry(x: float, y: float) -> None:
    for hold, shape in zip(WALL.holds, SHAPES, strict=True):
        assert hold.distance(x, y) == pytest.approx(shape.distance(shapely.Point(x, y)), abs=1e-9)


@given(coordinate, coordinate, st.sampled_from([1e-6, 0.1, 0.9, 5.0, 10.0, 50.0, 1e6]))
def test_the_grid_finds_what_measuring_every_hold_finds(x: float, y: float, threshold: float) -> None:
    every = [i for i, hold in enumerate(WALL.holds) if hold.distance(x, y) <= threshold]
    assert WALL.within(x, y, threshold) == every


def test_the_grid_keeps_every_edge_that_may_be_the_nearest_one_in_its_cell() -> None:
    wall = parse_wall(drawing("M 0 0 V 90 M 20 0 V 90"))
    for k in range(800, 1200):
        assert bool(wall.within(k / 100, 45.3, 9.97)) == (abs(k - 1000) >= 3)


def test_a_point_exactly_at_the_threshold_is_in_contact() -> None:
    wall = parse_wall(drawing(SQUARE))
    assert wall.within(60, 5, 50) == [0]
    assert wall.within(math.nextafter(60, 61), 5, 50) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_a_point_that_is_nowhere_is_near_nothing(value: float) -> None:
    assert WALL.within(value, 5, 50) == WALL.within(5, value, 50) == []


def test_a_grid_is_built_once_for_each_threshold_and_few_are_kept() -> None:
    wall: Wall = parse_wall(drawing(SQUARE))
    assert wall.grid(50) is wall.grid(50)
    assert wall.grid(50) is not wall.grid(60)
    for threshold in range(1, 100):
        wall.grid(threshold)
    assert len(wall._grids) <= 4


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data (the real wall) is not there")
def test_the_real_wall_has_its_142_holds() -> None:
    wall = load_wall(DATA / "wall.svg")
    assert (wall.width, wall.height, wall.origin, len(wall.holds)) == (2500, 3330, (0, 0), 142)
    hold = next(hold for hold in wall.holds if hold.id == "hold_48")
    assert wall.holds[wall.within(648, 790, 1)[0]] is hold
