"""The holds of a wall drawing as areas: libraries read the drawing, another one measures distances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, ceil, cos, radians, sin, tau
from typing import Any, TypeAlias

import shapely
import svgelements
from defusedxml.ElementTree import fromstring
from svg.path import Arc, Close, CubicBezier, Line, Move

from chaos.reference.drawing import Drawing, Shape

Ring: TypeAlias = list[tuple[float, float]]

CHORDS = 320
"""Of a curve as long as the wall's larger side. A half circle of that length then strays by 4e-6 of the wall's size, and
a shorter one with fewer chords no further."""


@dataclass(frozen=True)
class Outlines:
    """The holds, in the order in which they are drawn, in wall units; `left` and `top` are the drawing's corner."""

    ids: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float
    _areas: shapely.STRtree

    def near(self, x: float, y: float, limit: float) -> dict[str, float]:
        """The distance of each hold that is no further than `limit` from a point; 0 inside of it."""
        point = shapely.Point(x, y)
        found = self._areas.query(point, predicate="dwithin", distance=limit)
        return {self.ids[n]: self._areas.geometries[n].distance(point) for n in sorted(found)}


def read_outlines(svg: bytes) -> Outlines:
    """Raises whatever the libraries raise for a drawing that the tracker would not have taken either."""
    drawing = Drawing(fromstring(svg))
    left, top, width, height = drawing.box
    holds: dict[str, list[Any]] = {}
    for shape in drawing.shapes():
        rings = list(_rings(shape, max(width, height)))
        if rings:
            holds.setdefault(shape.hold, []).append(_area(rings, even_odd=shape.even_odd))
    areas = [shapely.union_all(parts) if len(parts) > 1 else parts[0] for parts in holds.values()]
    return Outlines(tuple(holds), left, top, width, height, shapely.STRtree(areas))


def _area(rings: list[Ring], *, even_odd: bool) -> Any:
    """What is inside of the outline, and the outline itself."""
    lines = shapely.union_all(
        [
            shapely.LineString([*ring, ring[0]]) if len({*ring}) > 1 else shapely.Point(ring[0])
            for ring in rings
        ]
    )
    faces = shapely.get_parts(shapely.polygonize([lines]))
    inside = []
    for face in faces:
        point = face.representative_point()
        turns = _turns_around(point.x, point.y, rings)
        if turns % 2 if even_odd else turns:
            inside.append(face)
    return shapely.union_all([*inside, lines])


def _rings(shape: Shape, size: float) -> Iterator[Ring]:
    """The points of each subpath in wall units; every subpath counts as closed. One that only moves, if it is alone."""
    rings: list[Ring] = [[]]
    for segment in shape.path:
        if isinstance(segment, Move):
            rings.append([_moved(shape.matrix, segment.end)])
        elif isinstance(segment, Close):
            rings.append([])
        else:
            if not rings[-1]:
                rings[-1].append(_moved(shape.matrix, segment.start))
            rings[-1].extend(_points(segment, shape.matrix, size))
    drawn = [ring for ring in rings if len(ring) > 1] or [ring for ring in rings if ring]
    yield from drawn


def _points(segment: Any, matrix: svgelements.Matrix, size: float) -> Iterator[tuple[float, float]]:
    """Those of a segment, the first one left out."""
    if isinstance(segment, Line) or (isinstance(segment, Arc) and _is_straight(segment)):
        yield _moved(matrix, segment.end)
        return
    if isinstance(segment, Arc):
        around = _Around(segment)
        at, length = around.at, around.length
    else:
        controls = (
            (segment.control1, segment.control2) if isinstance(segment, CubicBezier) else (segment.control,)
        )
        way = [segment.start, *controls, segment.end]
        at, length = segment.point, sum(abs(b - a) for a, b in pairwise(way))
    stretch = max(abs(matrix.a) + abs(matrix.c), abs(matrix.b) + abs(matrix.d))
    chords = max(4, ceil(CHORDS * (length * stretch / size) ** 0.5))
    for n in range(1, chords):
        yield _moved(matrix, at(n / chords))
    yield _moved(matrix, segment.end)


def _is_straight(arc: Any) -> bool:
    """As it is without a radius, and nearly so, by less than a millionth of its length, on a circle a million times as large."""
    shorter = min(abs(arc.radius.real), abs(arc.radius.imag))
    return bool(
        arc.start == arc.end or shorter == 0 or (not arc.arc and shorter > 1e6 * abs(arc.end - arc.start))
    )


class _Around:
    """The way along an arc. The library goes astray on a large radius; this is done where the ellipse is a circle."""

    def __init__(self, arc: Any) -> None:
        turned = radians(arc.rotation)
        self._turn = complex(cos(turned), sin(turned))
        self._radius = complex(abs(arc.radius.real), abs(arc.radius.imag))
        begin, end = self._on_circle(arc.start), self._on_circle(arc.end)
        half = (end - begin) / 2
        self._size = max(1.0, abs(half))
        height = max(0.0, self._size**2 - abs(half) ** 2) ** 0.5
        aside = 1j * half / abs(half) * height
        self._centre = (begin + end) / 2 + (aside if bool(arc.arc) != bool(arc.sweep) else -aside)
        self._begin = atan2((begin - self._centre).imag, (begin - self._centre).real)
        angle = atan2((end - self._centre).imag, (end - self._centre).real) - self._begin
        self._angle = angle % tau if arc.sweep else -(-angle % tau)
        self.length = abs(self._angle) * self._size * max(self._radius.real, self._radius.imag)

    def _on_circle(self, point: complex) -> complex:
        straight = point / self._turn
        return complex(straight.real / self._radius.real, straight.imag / self._radius.imag)

    def at(self, share: float) -> complex:
        angle = self._begin + share * self._angle
        there = self._centre + self._size * complex(cos(angle), sin(angle))
        return complex(there.real * self._radius.real, there.imag * self._radius.imag) * self._turn


def _moved(matrix: svgelements.Matrix, point: complex) -> tuple[float, float]:
    x, y = point.real, point.imag
    return float(matrix.a * x + matrix.c * y + matrix.e), float(matrix.b * x + matrix.d * y + matrix.f)


def _turns_around(x: float, y: float, rings: Sequence[Ring]) -> int:
    """How often the rings go around a point, all of them together."""
    angle = 0.0
    for ring in rings:
        around = [(a - x, b - y) for a, b in ring]
        for (ax, ay), (bx, by) in zip(around, [*around[1:], around[0]], strict=True):
            angle += atan2(ax * by - ay * bx, ax * bx + ay * by)
    return round(angle / tau)
