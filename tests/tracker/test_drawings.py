"""Walls as other people draw them: which elements are holds, where they stand, and what is said of the rest."""

from pathlib import Path

import pytest

from tracker.drawing.arcs import arc
from tracker.drawing.left_out import one_line
from tracker.wall import Wall, WallError, parse_wall

SHARED = Path(__file__).parents[3] / "shared" / "walls"
SQUARE = "M100 100H200V200H100Z"


def wall(inside: str, root: str = 'viewBox="0 0 1000 1000"') -> Wall:
    xlink = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return parse_wall(f"<svg {xlink} {root}>{inside}</svg>".encode())


def hold(more: str = "", d: str = SQUARE, name: str = "hold_1") -> str:
    return f'<path class="hold" id="{name}" d="{d}" {more}/>'


def touched(of: Wall, x: float, y: float, within: float = 0.001) -> list[str]:
    return [of.holds[n].id for n in of.within(x, y, within)]


def box(of: Wall, n: int = 0) -> list[float]:
    return [round(side, 3) for side in of.holds[n].box]


def refusal(inside: str, root: str = 'viewBox="0 0 1000 1000"') -> str:
    with pytest.raises(WallError) as caught:
        wall(inside, root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def said(of: Wall) -> str:
    return one_line(of.left_out)


# ---- paths


def test_a_smooth_cubic_after_a_quadratic_starts_at_the_current_point() -> None:
    other_kind = wall(hold(d="M100 500Q200 700 300 500S400 700 500 500Z"))
    assert touched(other_kind, 350, 455, 5) == []
    assert (
        other_kind.holds[0].outline
        == wall(hold(d="M100 500Q200 700 300 500C300 500 400 700 500 500Z")).holds[0].outline
    )


@pytest.mark.parametrize(
    ("before", "smooth", "plain"),
    [
        ("C 100 200 200 200 200 100", "T 300 100", "Q 200 100 300 100"),
        ("L 200 100", "S 300 200 300 100", "C 200 100 300 200 300 100"),
        ("L 200 100", "t 100 0", "Q 200 100 300 100"),
        ("A 50 50 0 0 1 200 100", "s 100 100 100 0", "C 200 100 300 200 300 100"),
        ("Q 150 200 200 100", "T 300 100", "Q 250 0 300 100"),
        ("Q 150 200 200 100 T 300 100", "T 400 100", "Q 350 200 400 100"),
        ("C 100 200 200 200 200 100", "S 300 200 300 100", "C 200 0 300 200 300 100"),
        ("C 100 200 200 200 200 100 M 200 100", "S 300 200 300 100", "C 200 100 300 200 300 100"),
    ],
)  # fmt: skip
def test_a_smooth_curve_mirrors_only_a_curve_of_its_kind(before: str, smooth: str, plain: str) -> None:
    short, long = (wall(hold(d=f"M 100 100 {before} {rest} Z")) for rest in (smooth, plain))
    assert short.holds[0].outline == long.holds[0].outline


@pytest.mark.parametrize(
    "arc", ["0 50 0 0 1", "50 0 0 1 0", "0 0 0 0 0", "1e15 1e15 0 0 1", "1e300 1e300 30 0 0"]
)
def test_an_arc_of_radius_0_is_a_line_and_one_of_enormous_radius_nearly(arc: str) -> None:
    drawn = wall(hold(d=f"M100 100 L 200 100 A {arc} 300 300 L 100 300 Z"))
    assert touched(drawn, 248, 200) == ["hold_1"]
    assert touched(drawn, 253, 200) == []
    assert box(drawn) == [100, 100, 300, 300]


def test_an_arc_of_a_large_radius_bulges_as_it_should() -> None:
    sagitta = 200**2 / 8 / 1e4
    points = wall(hold(d="M400 500 A 1e4 1e4 0 0 1 600 500")).holds[0].outline[0]
    assert max(500 - y for _, y in points) == pytest.approx(sagitta, abs=0.011)
    ((_, second, _),) = arc((0, 0), (1e12, 1e12), 0, large=False, sweep=False, end=(300, 0))
    assert second == pytest.approx((200, 4 / 3 * 300**2 / 8e12), rel=1e-6)


def test_radii_that_cannot_reach_are_enlarged() -> None:
    for radius in ("1", "1e-300", "-20"):
        assert box(wall(hold(d=f"M400 500 A {radius} {radius} 0 0 1 600 500"))) == [400, 400, 600, 500]


def test_a_number_may_end_with_its_point() -> None:
    assert touched(wall(hold(d="M100 100 H300. V500 H100 Z")), 200, 400) == ["hold_1"]
    assert box(wall(hold(d="M1.e2 100.H300.5V5e2"))) == [100, 100, 300.5, 500]


@pytest.mark.parametrize(
    ("d", "place"),
    [
        ("M100 100 H200 V200 x", "at character 20 must be a command or a number"),
        ("M100 100 H200 V2oo", "at character 17"),
        ("M100 100 H200,", "at character 14 must be a command or a number"),
        ("M100 100 L200", "at character 14 must be a number but it ends"),
        ("M100 100 L200,,5", "at character 15 must be a number and not ',5'"),
        ("M100 100 A5 5 0 2 1 9 9", "at character 17 must be a flag, 0 or 1, and not '2 1 9 9'"),
        ("M100 100 Z 5 5", "at character 12 must be a command"),
        ("100 100 200 200", "at character 1 must be M or m"),
        ("z", "at character 1 must be M or m"),
        ("M100 100 L\N{ARABIC-INDIC DIGIT TWO} 5", "at character 11 must be a number"),
        ("M100 100 H2e5000", "at character 11 must be a number that is not beyond all bounds"),
        ("M100 100 H nan", "at character 12 must be a number and not 'nan'"),
    ],
)
def test_a_path_that_cannot_be_read_to_its_end_is_refused_with_the_place(d: str, place: str) -> None:
    assert refusal(hold(d=d)).startswith("hold_1: its path cannot be read to its end: ")
    assert place in refusal(hold(d=d))


# ---- what is inside


NONZERO, INHERIT = 'fill-rule="nonzero"', 'fill-rule="inherit"'
HOLED = "M100 100H500V500H100Z M200 200H400V400H200Z"


@pytest.mark.parametrize(
    ("drawing", "middle"),
    [
        (hold(d=HOLED), True),
        (hold('fill-rule="evenodd"', HOLED), False),
        (hold('style="fill-rule:evenodd"', HOLED), False),
        (hold('style="fill-rule: EvenOdd !important; fill: red"', HOLED), False),
        (hold('fill-rule="evenodd" style="fill-rule:nonzero"', HOLED), True),
        (hold('clip-rule="evenodd"', HOLED), True),
        (f'<g fill-rule="evenodd"><g>{hold(d=HOLED)}</g></g>', False),
        (f'<g fill-rule="evenodd">{hold(NONZERO, HOLED)}</g>', True),
        (f'<g fill-rule="evenodd">{hold(INHERIT, HOLED)}</g>', False),
        (f"<style>.hold{{fill-rule:evenodd}}</style>{hold(d=HOLED)}", False),
        (f"<style>path.hold, .else {{fill-rule:evenodd}}</style>{hold(d=HOLED)}", False),
        (f"<style>#hold_1{{fill-rule:evenodd}} .hold{{fill-rule:nonzero}}</style>{hold(d=HOLED)}", False),
        (f"<style>.hold{{fill-rule:evenodd}} path{{fill-rule:nonzero}}</style>{hold(d=HOLED)}", False),
        (f"<style>.hold{{fill-rule:evenodd}} .hold{{fill-rule:nonzero}}</style>{hold(d=HOLED)}", True),
        ("<style>*{fill-rule:evenodd}</style>" + hold('fill-rule="nonzero"', HOLED), False),
        ("<style>.hold{fill-rule:evenodd!important}</style>" + hold('style="fill-rule:nonzero"', HOLED), False),
        (f"<style>.hold:hover{{fill-rule:evenodd}} @media print {{.hold{{fill-rule:evenodd}}}}</style>{hold(d=HOLED)}", True),
        (f"<style>/* .hold{{fill-rule:evenodd}} */ .other{{fill-rule:evenodd}}</style>{hold(d=HOLED)}", True),
        (f"<style><![CDATA[.hold{{fill-rule:evenodd}}]]></style>{hold(d=HOLED)}", False),
    ],
)  # fmt: skip
def test_the_fill_rule_decides_what_is_inside(drawing: str, middle: bool) -> None:  # noqa: FBT001
    drawn = wall(drawing)
    assert touched(drawn, 150, 150) == ["hold_1"]
    assert touched(drawn, 300, 300, 5) == (["hold_1"] if middle else [])
    assert touched(drawn, 300, 300, 100) == ["hold_1"]


# ---- shapes


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ('<rect {} x="700" y="600" width="50" height="40"/>', [700, 600, 750, 640]),
        ('<rect {} width="10%" height="1in"/>', [0, 0, 100, 96]),
        ('<circle {} cx="500" cy="400" r="50"/>', [450, 350, 550, 450]),
        ('<circle {} r="50px" cx="50%" cy="1cm"/>', [450, round(96 / 2.54 - 50, 3), 550, round(96 / 2.54 + 50, 3)]),
        ('<ellipse {} cx="500" cy="400" rx="50" ry="20"/>', [450, 380, 550, 420]),
        ('<ellipse {} cx="500" cy="400" rx="50"/>', [450, 350, 550, 450]),
        ('<ellipse {} cx="500" cy="400" ry="20" rx="auto"/>', [480, 380, 520, 420]),
        ('<line {} x1="10" y1="20" x2="30"/>', [10, 0, 30, 20]),
        ('<polyline {} points="10,20 30 40-5,60"/>', [-5, 20, 30, 60]),
        ('<polygon {} points=" 10 20 , 30,40&#10;5 60 "/>', [5, 20, 30, 60]),
    ],
)  # fmt: skip
def test_each_shape_is_a_hold(shape: str, expected: list[float]) -> None:
    assert box(wall(shape.format('class="hold" id="hold_1"'))) == expected


def test_a_shape_is_filled_and_an_open_one_counts_as_closed() -> None:
    drawn = wall(
        '<circle class="hold" id="circle" cx="500" cy="500" r="50"/>'
        '<polyline class="hold" id="open" points="0 0 100 0 100 100"/>'
        '<line class="hold" id="line" x1="700" y1="700" x2="800" y2="800"/>'
    )
    assert touched(drawn, 500, 549) == ["circle"]
    assert touched(drawn, 537, 537) == []
    assert touched(drawn, 70, 30) == ["open"]
    assert touched(drawn, 750, 750) == ["line"]
    assert touched(drawn, 760, 740, 5) == []


@pytest.mark.parametrize(
    ("radii", "corner_is_cut_by"),
    [("", 0), ('rx="20"', 20), ('ry="20"', 20), ('rx="20" ry="20"', 20), ('rx="500"', 50), ('rx="0" ry="20"', 0), ('rx="auto"', 0)],
)  # fmt: skip
def test_a_rectangle_has_its_round_corners(radii: str, corner_is_cut_by: float) -> None:
    drawn = wall(f'<rect class="hold" id="r" x="100" y="100" width="100" height="100" {radii}/>')
    gap = corner_is_cut_by * (1 - 0.5**0.5)
    assert touched(drawn, 100 + gap + 0.1, 100 + gap + 0.1) == ["r"]
    assert touched(drawn, 100 + gap - 0.1, 100 + gap - 0.1) == []
    assert box(drawn) == [100, 100, 200, 200]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ('<rect {} width="-5" height="5"/>', "its width is '-5': it must not be below 0"),
        ('<circle {} r="4em"/>', "its r is '4em': it must be a number, or a length in px, mm"),
        ('<circle {} r="nan"/>', "its r is 'nan'"),
        ('<circle {} r="1e999"/>', "its r is '1e999'"),
        ("<circle {}/>", "hold_1 has no outline"),
        ('<rect {} width="5"/>', "hold_1 has no outline"),
        ("<polygon {}/>", "hold_1 has no outline"),
        ('<polygon {} points="1 2 3"/>', "its points are 3 numbers"),
        ('<polygon {} points="1 2 3 x"/>', "its points cannot be read to their end: at character 7"),
        ('<circle {} r="5" style="r: 10px"/>', "the CSS property r: '10px', which is not read"),
        ("<g {}/>", "hold_1 has no outline"),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_drawn_is_refused(shape: str, reason: str) -> None:
    assert reason in refusal(shape.format('class="hold" id="hold_1"'))


# ---- groups


def test_a_group_of_class_hold_is_one_hold_of_all_that_is_in_it() -> None:
    drawn = wall(
        '<g class="hold" id="hold_4" transform="translate(10 0)"><path d="M800 100h50v50h-50z"/>'
        '<g transform="translate(0 200)"><circle cx="825" cy="125" r="20"/></g><title>a jug</title></g>'
    )
    assert [one.id for one in drawn.holds] == ["hold_4"]
    assert touched(drawn, 835, 125) == touched(drawn, 835, 325) == ["hold_4"]
    assert touched(drawn, 835, 200, 10) == []
    assert said(drawn) == ""


def test_each_part_of_a_group_is_filled_by_its_own_rule() -> None:
    parts = f'<path d="{HOLED}" fill-rule="evenodd"/><path d="M600 100H900V500H600Z M700 200H800V400H700Z"/>'
    drawn = wall(f'<g class="hold" id="both">{parts}</g>')
    assert touched(drawn, 300, 300, 5) == []
    assert touched(drawn, 750, 300) == ["both"]


def test_parts_that_overlap_are_inside_all_the_same() -> None:
    drawn = wall(f'<g class="hold" id="both"><path d="{SQUARE}"/><path d="M150 100V200H250V100Z"/></g>')
    assert touched(drawn, 175, 150) == ["both"]


def test_a_hold_inside_of_a_hold_is_refused() -> None:
    assert "the hold hold_1 is inside of the hold hold_2" in refusal(
        f'<g class="hold" id="hold_2">{hold()}</g>'
    )


@pytest.mark.parametrize(
    ("drawing", "d"),
    [
        (hold('transform="scale(2)"', "m 1,2  l3 4"), "m 1,2  l3 4"),
        ('<rect class="hold" id="r" x="1" y="2" width="3" height="4" transform="scale(2)"/>', "M1 2L4 2L4 6L1 6L1 2Z"),
        ('<line class="hold" id="l" x2="3" y2="4.5"/>', "M0 0L3 4.5Z"),
        ('<g class="hold" id="g" transform="scale(2)"><path transform="translate(1)" d="M0 0Q1 1 2 0"/></g>', "M1 0Q2 1 3 0Z"),
    ],
)  # fmt: skip
def test_a_hold_knows_a_path_that_draws_it_before_its_transform(drawing: str, d: str) -> None:
    assert wall(drawing).holds[0].d == d


# ---- use, defs, symbol, and what is hidden


def test_what_is_defined_counts_where_it_is_used() -> None:
    drawn = wall(
        '<defs><path class="hold" id="hold_1" d="M0 0h50v50h-50z"/></defs><use href="#hold_1" x="500" y="500"/>'
    )
    assert touched(drawn, 525, 525) == ["hold_1"]
    assert touched(drawn, 25, 25) == []
    assert said(drawn) == ""


@pytest.mark.parametrize("href", ["href", "xlink:href"])
def test_a_use_of_class_hold_is_one(href: str) -> None:
    drawn = wall(
        '<defs><path id="jug" d="M0 0h50v50h-50z"/></defs>'
        f'<use class="hold" id="hold_1" {href}="#jug" x="100"/>'
        f'<use class="hold" id="hold_2" {href}="#jug" transform="scale(2)" y="100"/>'
    )
    assert (box(drawn, 0), box(drawn, 1)) == ([100, 0, 150, 50], [0, 200, 100, 300])


def test_a_symbol_fills_the_size_that_its_use_gives_it() -> None:
    drawn = wall(
        '<symbol id="jug" viewBox="0 0 10 20"><rect width="10" height="20"/></symbol>'
        '<use class="hold" id="hold_1" href="#jug" x="100" y="300" width="100" height="100"/>'
    )
    assert box(drawn) == [125, 300, 175, 400]


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        ("", [125, 300, 175, 400]),
        ("xMinYMid", [100, 300, 150, 400]),
        ("xMaxYMin meet", [150, 300, 200, 400]),
        ("none", [100, 300, 200, 400]),
        ("xMidYMax slice", [100, 200, 200, 400]),
    ],
)
def test_an_inner_drawing_is_put_in_its_place(aspect: str, expected: list[float]) -> None:
    drawn = wall(
        f'<svg x="100" y="300" width="100" height="100" viewBox="0 0 10 20" preserveAspectRatio="{aspect}">'
        f"{hold(d='M0 0H10V20H0Z')}</svg>"
    )
    assert box(drawn) == expected


def test_an_inner_drawing_without_a_view_box_only_moves() -> None:
    assert box(wall(f'<svg x="100" y="5%"><svg>{hold()}</svg></svg>')) == [200, 150, 300, 250]


HIDDEN = [
    hold('display="none"'),
    hold('style="display:none"'),
    hold('visibility="hidden"'),
    hold('style="visibility:collapse"'),
    f'<g display="none">{hold()}</g>',
    '<g display="none"><g display="inline">' + hold('display="inline" visibility="visible"') + "</g></g>",
    f'<g visibility="hidden">{hold()}</g>',
    f"<style>.off{{display:none}}</style><g class='off'>{hold()}</g>",
    f'<defs><g id="g" visibility="hidden">{hold()}</g></defs><use href="#g"/>',
    f'<g class="hold" id="hold_1" visibility="hidden"><path d="{SQUARE}"/></g>',
]


@pytest.mark.parametrize("drawing", HIDDEN)
def test_what_is_hidden_is_no_hold_and_is_named(drawing: str) -> None:
    drawn = wall(drawing + hold(name="seen"))
    assert [one.id for one in drawn.holds] == ["seen"]
    assert "of class hold but hidden, hold_1" in said(drawn)


def test_what_is_visible_in_something_hidden_is_seen() -> None:
    drawn = wall('<g visibility="hidden">' + hold('visibility="visible"') + "</g>")
    assert (touched(drawn, 150, 150), said(drawn)) == (["hold_1"], "")


def test_a_drawing_whose_holds_are_all_hidden_says_so() -> None:
    assert "no element of class hold is drawn (of that class, but not drawn: 1 path hidden)" in refusal(
        HIDDEN[0]
    )


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        ('<use class="hold" id="hold_1" href="#none"/>', "hold_1 uses '#none', which is not in the drawing"),
        ('<use class="hold" id="hold_1" href="other.svg#a"/>', "hold_1 uses 'other.svg#a', which is not in the drawing"),
        ('<g id="a"><use href="#a"/></g>', "comes to use itself"),
        ('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>', "comes to use itself"),
        (f'{hold()}<use href="#hold_1" x="5"/>', "the id 'hold_1' is given to two holds"),
        (f'<g class="hold" id="{"x" * 300}"><path d="{SQUARE}"/></g>', "more than 200 characters"),
        (f"<defs>{hold()}</defs>", "of that class, but not drawn: 1 path not drawn"),
    ],
)  # fmt: skip
def test_a_use_that_shows_nothing_is_refused_or_named(drawing: str, reason: str) -> None:
    assert reason in refusal(drawing)


# ---- transforms


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('style="transform:translate(500px,500px)"', [600, 600, 700, 700]),
        ('style="transform: translate(10%) scale(2)"', [300, 200, 500, 400]),
        ('style="transform: translateX(5px) translateY(6px) scaleX(2) scaleY(3)"', [205, 306, 405, 606]),
        ('style="transform: rotate(.5turn) skew(45deg) matrix(1,0,0,1,5,6)"', [-411, -206, -211, -106]),
        ('style="transform: rotate(90deg); transform-origin: 100px 100px"', [0, 100, 100, 200]),
        ('style="transform: none" transform="scale(2)"', [100, 100, 200, 200]),
        ('style="transform: scale(2)" transform="scale(3)"', [200, 200, 400, 400]),
        ('transform="rotate(180)" transform-origin="500 500"', [800, 800, 900, 900]),
        ('transform="rotate(180)" transform-origin="center"', [800, 800, 900, 900]),
        ('transform="rotate(180)" transform-origin="top right"', [1800, -200, 1900, -100]),
        ('transform="scale(2)" style="transform-origin: 10% 100px"', [100, 100, 300, 300]),
        ('transform-origin="500 500"', [100, 100, 200, 200]),
    ],
)  # fmt: skip
def test_a_transform_by_css_and_its_origin_are_read(more: str, expected: list[float]) -> None:
    assert box(wall(hold(more))) == expected


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        (hold('style="transform: rotate3d(1,1,1,45deg)"'), "the transform 'rotate3d(1,1,1,45deg)'"),
        (hold('style="transform: translate(5, 5)"'), "the transform 'translate(5, 5)'"),
        (hold('style="transform: translate(calc(1px + 2px))"'), "the transform 'translate(calc"),
        (hold('style="transform: rotate(45)"'), "the transform 'rotate(45)'"),
        (hold('style="transform: var(--x)"'), "variables are not read"),
        (hold('style="rotate: 45deg"'), "the CSS property rotate: '45deg', which is not read"),
        (hold('style="translate: 5px"'), "the CSS property translate"),
        (hold("style=\"d: path('M0 0h1')\""), "the CSS property d"),
        (f'<g style="scale: 2">{hold()}</g>', "the CSS property scale"),
        (f"<style>g > .hold {{transform: scale(2)}}</style>{hold()}", "sets transform for 'g > .hold': of selectors only"),
        (f"<style>[id] {{display: none}}</style>{hold()}", "sets display for '[id]'"),
        (f"<style>@media screen {{.hold {{display: none}}}}</style>{hold()}", "sets display under '@media screen'"),
        (f"<style>.a {{ .hold {{display: none}} }}</style>{hold()}", "a rule inside of a rule"),
        (f"<style media='(width > 5px)'>.hold {{display: none}}</style>{hold()}", "sets display under"),
        (hold('transform="scale(2)" transform-origin="1em 5"'), "the transform-origin '1em 5'"),
        (hold('transform="scale(2)" style="transform-box: fill-box"'), "the CSS property transform-box"),
        (hold('style="&#92;74ransform: rotate3d(1)"'), "the transform 'rotate3d(1)'"),
        (hold('transform="spin(5)"'), "hold_1: <path> has the transform 'spin(5)'"),
    ],
)  # fmt: skip
def test_what_moves_a_hold_and_is_not_read_is_refused_by_name(drawing: str, reason: str) -> None:
    assert reason in refusal(drawing)


def test_what_cannot_be_read_is_no_matter_where_there_is_no_hold() -> None:
    drawn = wall(f'<g style="rotate: 5deg"><text>5</text></g>{hold()}<style>g > a {{fill: red}}</style>')
    assert [one.id for one in drawn.holds] == ["hold_1"]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ('viewBox="0 0 1000 1000" width="500" height="500" transform="translate(50 0)"', [200, 100, 300, 200]),
        ('viewBox="0 0 1000 1000" width="500" height="500" transform="scale(2)"', [-300, -300, -100, -100]),
        ('viewBox="0 0 1000 1000" width="500" height="500" transform="scale(2)" transform-origin="0 0"', [200, 200, 400, 400]),
        ('viewBox="0 0 1000 1000" transform="rotate(180)"', [800, 800, 900, 900]),
        ('width="1000" height="1000" transform="translate(50 0)"', [150, 100, 250, 200]),
        ('viewBox="0 0 1000 1000" width="500" height="500" style="transform: translate(10%)"', [200, 100, 300, 200]),
    ],
)  # fmt: skip
def test_a_transform_of_the_outermost_element_is_one_of_the_paper(root: str, expected: list[float]) -> None:
    assert box(wall(hold(), root)) == expected


def test_a_transform_of_a_paper_without_a_size_is_refused() -> None:
    for transform in ("translate(5 0)", "rotate(90 5 5)"):
        assert "the outermost <svg> has a transform" in refusal(
            hold(), f'viewBox="0 0 9 9" transform="{transform}"'
        )


# ---- nothing is passed over without a word


@pytest.mark.parametrize(
    ("drawing", "line"),
    [
        ('<rect id="frame"/><rect id="other"/><text>12</text>', "2 rect (first frame), 1 text"),
        ('<image id="photo" href="wall.jpg"/><g id="g"><path d="M0 0"/></g>', "1 image (photo), 1 path"),
        ('<x:path xmlns:x="urn:x" class="hold" id="a"/>', "1 path (of class hold but without an outline, a)"),
        ('<text class="hold" id="five">5</text>', "1 text (of class hold but without an outline, five)"),
        ('<switch><path class="hold" id="a" d="M0 0"/></switch>', "1 path (of class hold but inside of what is not drawn, a), 1 switch"),
        ('<foreignObject><div class="hold"/></foreignObject>', "1 div (of class hold but inside of what is not drawn), 1 foreignObject"),
        ('<defs><clipPath id="c"><circle id="spot"/></clipPath></defs>', "1 clipPath (c), 1 circle (spot)"),
        ('<use href="#nowhere" id="u"/>', "1 use (not read, u)"),
        ('<g id="g" clip-path="url(#c)" style="mask: url(#m)"/>', "1 clip-path (not read, g), 1 mask (not read, g)"),
        ('<style>@import "more.css";</style>', "1 @import of a style sheet (not read)"),
        ("<title>wall</title><metadata><x/></metadata><defs/><g/><style/>", ""),
    ],
)  # fmt: skip
def test_what_is_no_hold_is_named_by_kind_with_the_first_id(drawing: str, line: str) -> None:
    assert said(wall(hold() + drawing)) == line


def test_what_moves_in_a_hold_is_named() -> None:
    moving = '<path class="hold" id="a" d="M0 0h9"><animateTransform id="spin"/><title>jug</title></path>'
    assert said(wall(moving)) == "1 animateTransform (spin)"


def test_the_line_is_bounded_and_shows_no_control_character() -> None:
    kinds = "".join(f"<k{n}/>" for n in range(50))
    line = said(wall(f'{hold()}<text class="hold" id="a\N{CSI}31m{"b" * 500}"/>{kinds}'))
    assert line.isprintable()
    assert len(line) < 400
    assert line.endswith("and 43 kinds more")


def test_a_style_sheet_of_another_file_is_named() -> None:
    sheet = b'<?xml-stylesheet href="a.css"?>'
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{hold(d="M0 0h9")}</svg>'.encode()
    assert said(parse_wall(sheet + drawing)) == "1 style sheet of another file (not read)"


# ---- the examples beside the project


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/walls is not there")
@pytest.mark.parametrize(
    ("name", "x", "y", "right"),
    [
        ("02-smooth-curve", 350, 455, []),
        ("04-shapes", 500, 500, ["hold_2"]),
        ("05-use", 525, 525, ["hold_1"]),
        ("06-css-transform", 650, 650, ["hold_1"]),
        ("07-evenodd", 300, 300, []),
        ("08-trailing-dot", 200, 400, ["hold_1"]),
    ],
)
def test_the_examples_are_read_right(name: str, x: float, y: float, right: list[str]) -> None:
    assert touched(parse_wall((SHARED / f"{name}.svg").read_bytes()), x, y, 5) == right
