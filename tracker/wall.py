"""A wall drawing (SVG) as holds.                                                                            pure"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, isfinite, sqrt
from xml.etree.ElementTree import Element, ParseError

import svgelements
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tracker.config import ConfigError
from tracker.contact import Grid, Hold, Point

FLATTENING = 1e-5
"""Curves become chords that stray from them by at most this share of the wall's larger side."""

_GRIDS_KEPT = 4
_MAX_CHORDS = 10_000
# Possessive, so that a long row of digits is not tried in every way before it is refused.
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?"
_TRANSFORM = re.compile(rf"(\w+)\s*\(\s*({_NUMBER}(?:[\s,]+{_NUMBER}|(?=[+-]){_NUMBER})*)\s*\)[\s,]*")
_TRANSFORM_ARGUMENTS = {
    "matrix": (6,),
    "translate": (1, 2),
    "scale": (1, 2),
    "rotate": (1, 3),
    "skewX": (1,),
    "skewY": (1,),
}


class WallError(ConfigError):
    """A wall drawing that cannot be used; one complete line."""


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall of `width` by `height` units whose upper left corner is `origin`; holds in document order."""

    width: float
    height: float
    origin: Point
    holds: tuple[Hold, ...]
    _grids: dict[float, Grid] = field(default_factory=dict, init=False, repr=False, compare=False)

    def within(self, x: float, y: float, threshold: float) -> list[int]:
        """Return the indices of all holds whose distance from (x, y) is at most `threshold`, ascending."""
        return self.grid(threshold).within(x, y)

    def grid(self, threshold: float) -> Grid:
        """Return the index for one threshold; the last few are kept."""
        grid = self._grids.get(threshold)
        if grid is None:
            if len(self._grids) >= _GRIDS_KEPT:
                self._grids.clear()
            grid = self._grids[threshold] = Grid(self.holds, threshold)
        return grid


def parse_wall(data: bytes) -> Wall:
    """Parse a wall drawing: every `<path>` whose class list has `hold` is a hold. Raises `WallError`.

    The drawing is not trusted: entities are refused and nothing that it refers to is fetched.
    """
    root = _parse_xml(data)
    x, y, width, height = _view_box(root)
    tolerance = FLATTENING * max(width, height)
    holds: dict[str, Hold] = {}
    for element, matrix in _hold_elements(root):
        hold = _hold(element, matrix, tolerance)
        if hold.id in holds:
            raise WallError(f"the id {hold.id!r} is given to two holds; rename one of them")
        holds[hold.id] = hold
    if not holds:
        raise WallError(
            'no <path class="hold"> in the drawing; give every hold that class and an id such as hold_1'
        )
    return Wall(width, height, (x, y), tuple(holds.values()))


def _parse_xml(data: bytes) -> Element:
    try:
        root: Element = fromstring(data)
    except ParseError as error:
        raise WallError(f"not well-formed XML ({error}); export it again as plain SVG") from None
    except DefusedXmlException as error:
        raise WallError(
            f"it declares XML entities ({error}), which are not read; export it again as plain SVG"
        ) from None
    except (ValueError, LookupError) as error:  # an encoding that does not exist or does not fit
        raise WallError(f"its encoding cannot be read ({error}); save it as UTF-8") from None
    if _local_name(root) != "svg":
        raise WallError(f"its outermost element is <{_local_name(root)}>, not <svg>; name an SVG file")
    return root


def _view_box(root: Element) -> tuple[float, float, float, float]:
    text = root.get("viewBox")
    if text is None:
        return (0.0, 0.0, _length(root, "width"), _length(root, "height"))
    parts = text.replace(",", " ").split()
    if len(parts) != 4 or not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise WallError(f"viewBox is {text!r}: it must be four numbers: x, y, width, height")
    x, y, width, height = (float(part) for part in parts)
    if not all(isfinite(value) for value in (x, y, width, height)) or width <= 0 or height <= 0:
        raise WallError(f"viewBox is {text!r}: its numbers must be finite, and width and height above 0")
    return (x, y, width, height)


def _length(root: Element, name: str) -> float:
    text = root.get(name)
    if text is None:
        raise WallError(f'the drawing has neither viewBox nor {name}; add viewBox="0 0 WIDTH HEIGHT"')
    value = 0.0
    if re.fullmatch(rf"{_NUMBER}(px|mm|cm|in|pt|pc)?", text.strip()):
        value = svgelements.Length(text.strip()).value(ppi=96)
    if not 0 < value < float("inf"):
        raise WallError(f"{name} is {text!r}: without a viewBox it must be a length above 0, in px or mm")
    return value


def _hold_elements(root: Element) -> Iterator[tuple[Element, svgelements.Matrix]]:
    """Yield every hold's element in document order, with the transform of all that it is nested in."""
    pending = [(root, svgelements.Matrix())]
    while pending:
        element, outer = pending.pop()
        name = _local_name(element)
        matrix = _matrix(element) * outer
        if name == "path" and "hold" in element.get("class", "").split():
            yield element, matrix
        if name == "svg" and element is not root:
            if any("hold" in inner.get("class", "").split() for inner in element.iter()):
                raise WallError("it has holds in an <svg> inside of the <svg>; move them out of it")
            continue
        pending.extend((child, matrix) for child in reversed(element))


def _matrix(element: Element) -> svgelements.Matrix:
    text = element.get("transform", "").strip()
    rest = text
    while rest:
        match = _TRANSFORM.match(rest)
        count = len(re.findall(_NUMBER, match[2])) if match else 0
        if match is None or count not in _TRANSFORM_ARGUMENTS.get(match[1], ()):
            where = element.get("id", _local_name(element))
            raise WallError(
                f"{where} has the transform {text[:60]!r}: it must be a list of matrix, translate, scale,"
                " rotate, skewX or skewY with plain numbers"
            )
        rest = rest[match.end() :]
    return svgelements.Matrix(text)


def _hold(element: Element, matrix: svgelements.Matrix, tolerance: float) -> Hold:
    name = element.get("id", "")
    d = element.get("d", "")
    if not name:
        raise WallError(f"a hold has no id (its d begins {d[:40]!r}); give it one such as hold_1")
    if not d.strip():
        raise WallError(f"{name} has no outline: its d is {d!r}; draw it or delete it")
    if not re.match(r"\s*[Mm]", d) or re.search(r"[^\sMmZzLlHhVvCcSsQqTtAa0-9eE.,+-]", d):
        raise WallError(f"{name} has the d {d[:60]!r}, which is no SVG path; draw it again")
    try:
        rings = list(_rings(svgelements.Path(d), matrix, tolerance))
    except (ValueError, ArithmeticError, IndexError, TypeError):
        rings = []
    if not rings or not all(isfinite(value) for ring in rings for point in ring for value in point):
        raise WallError(f"{name} has the d {d[:60]!r}, which cannot be drawn; draw it again")
    # A moveto that draws nothing is a point only where there is nothing else.
    return Hold(name, d, tuple([ring for ring in rings if len(ring) > 1] or rings))


def _rings(
    path: svgelements.Path, matrix: svgelements.Matrix, tolerance: float
) -> Iterator[tuple[Point, ...]]:
    """Yield the points of each subpath, transformed and flattened."""
    ring: list[Point] = []
    start: Point = (0.0, 0.0)
    for segment in path:
        if isinstance(segment, svgelements.Move | svgelements.Close) and ring:
            yield tuple(ring)
            ring = []
        if isinstance(segment, svgelements.Move):
            start = _transformed(segment.end, matrix)
            ring = [start]
        elif not isinstance(segment, svgelements.Close):
            ring = ring or [start]  # drawing goes on after a Z: from where that subpath began
            for curve in _beziers(segment):
                ring.extend(_flattened([_transformed(p, matrix) for p in curve], tolerance))
    if ring:
        yield tuple(ring)


def _beziers(segment: svgelements.PathSegment) -> list[tuple[svgelements.Point, ...]]:
    """Return a segment as Bezier control points, which unlike an arc's axes go through any transform."""
    if isinstance(segment, svgelements.Arc):
        return [(c.start, c.control1, c.control2, c.end) for c in segment.as_cubic_curves()]
    if isinstance(segment, svgelements.CubicBezier):
        return [(segment.start, segment.control1, segment.control2, segment.end)]
    if isinstance(segment, svgelements.QuadraticBezier):
        return [(segment.start, segment.control, segment.end)]
    return [(segment.start, segment.end)]


def _transformed(point: svgelements.Point, matrix: svgelements.Matrix) -> Point:
    x, y = float(point.x), float(point.y)
    return (matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f)


def _flattened(control: list[Point], tolerance: float) -> Iterator[Point]:
    """Yield points along a Bezier curve, its start left out, so that chords keep within the tolerance."""
    degree = len(control) - 1
    bend = max(
        (
            sqrt((a[0] - 2 * b[0] + c[0]) ** 2 + (a[1] - 2 * b[1] + c[1]) ** 2)
            for a, b, c in zip(control, control[1:], control[2:], strict=False)
        ),
        default=0.0,
    )
    # Wang's bound on a chord's error for equal steps in the parameter.
    steps = max(1.0, sqrt(degree * (degree - 1) / 8 * bend / tolerance))
    if steps > _MAX_CHORDS:
        raise WallError(
            "one of its curves is more than a thousand times as large as the wall; correct its numbers or the viewBox"
        )
    steps = ceil(steps)
    for step in range(1, steps):
        yield _casteljau(control, step / steps)
    yield control[-1]


def _casteljau(control: list[Point], t: float) -> Point:
    while len(control) > 1:
        control = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(control)]
    return control[0]


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
