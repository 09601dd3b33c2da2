"""A wall's files: whatever stands in them, they are read or refused in a line, and what is read is finite."""

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.inputs import fuzz, read, spoilt
from tests.tracker.random_walls import RandomWall
from tracker.calibration import CalibrationError, parse_calibration
from tracker.session import RouteError, parse_route
from tracker.wall import WallError, parse_wall

WALLS = (
    b"""<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="50" height="50" transform="rotate(5)">
<style>.hold{fill-rule:evenodd} #b{transform:rotate(5deg)} @media print{.hold{display:none}}</style>
<defs><path id="jug" d="M0 0C1 2 3 4 5 6S7 8 9 9Q1 1 2 2T3 3A5 5 0 01 9 9H5V5L1 1z"/><symbol id="s" viewBox="0 0 9 9">
<circle r="5%"/></symbol></defs><g id="g" transform="matrix(1 2 3 4 5 6) skewX(5)" fill-rule="nonzero" visibility="hidden">
<use class="hold" id="a" href="#jug" x="5" visibility="visible"/></g><use class="hold" id="b" href="#s" width="9" height="9"/>
<rect class="hold" id="c" x="1" y="1" width="9" height="8" rx="2" style="transform:translate(5px,5%);display:inline"/>
<polygon class="hold" id="d" points="1,2 3,4 5,6"/><svg x="5" viewBox="0 0 5 5" width="9" preserveAspectRatio="xMinYMax slice">
<ellipse class="hold" id="e" rx="5" ry="auto" clip-path="url(#x)" transform-origin="5 5"/></svg><text class="hold">5</text></svg>""",
    *(RandomWall(seed).svg.encode() for seed in range(5)),
)
MARKUP = (
    b"<g>",
    b"</g>",
    b'href="#g"',
    b"url(#a)",
    b"<!ENTITY",
    b"<use href='#g'/>",
    b"calc(1px)",
    b"var(--a)",
    b"!important",
    b"50%",
)
NUMBERS = (b"1e308", b"1e-320", b"-0", b"1e9", b"0 0 0 0 0 0 0", b"M", b"zzzz", b"a1 1 0 01")


@fuzz
@given(spoilt(*WALLS, pieces=(*MARKUP, *NUMBERS)))
def test_a_wall_is_read_or_refused_in_a_line(data: bytes) -> None:
    wall = read(lambda: parse_wall(data), WallError, calls=1_000_000)
    if wall is not None:
        assert all(isfinite(value) for hold in wall.holds for value in hold.box)
        assert wall.left_out_line.isprintable()
        assert len(wall.left_out_line) < 2_000


@fuzz
@given(
    spoilt(
        b'{"perspective_transform": [[1.2, 0.1, -0.5], [0.05, 1.3, -0.3], [0.01, 0.2, 1]], "hand_extension_percent": 20}',
        b'\xef\xbb\xbf{"perspective_transform":[[1e300,0,0],[0,1e-300,0],[0,0,1]]}',
    )
)
def test_a_calibration_is_read_or_refused_in_a_line(data: bytes) -> None:
    read(lambda: parse_calibration(data), CalibrationError, calls=5_000)


@fuzz
@given(
    spoilt(
        b'{"grade":"6a","problem":{"holds":[{"id":"59","type":"start"},{"id":7,"type":"finish"},{"id":"hold_1","type":"normal"}]}}',
        pieces=(b'"start"', b'"finish"', b'{"id":"59","type":"normal"}', b"null"),
    ),
    st.booleans(),
)
def test_a_route_is_read_or_refused_in_a_line(data: bytes, as_text: bool) -> None:  # noqa: FBT001
    route = read(
        lambda: parse_route(data.decode(errors="replace") if as_text else data), RouteError, calls=20_000
    )
    if route is not None:
        read(lambda: route.check(["hold_1", "hold_7", "hold_59"]), RouteError, calls=1_000_000)
