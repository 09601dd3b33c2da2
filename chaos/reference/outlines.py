"""The holds of a wall drawing as areas: one library reads the drawing, another measures distances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import atan2, tau
from pathlib import Path
from typing import Any, TypeAlias

import shapely
import svgelements

Ring: TypeAlias = list[tuple[float, float]]

CHORDS = 128
"""Of each curve. A half circle as large as a tenth of the wall then strays by 4e-6 of the wall's size."""


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


def read_outlines(path: Path) -> Outlines:
    """Raises whatever the libraries raise for a drawing that the tracker would not have taken either."""
    drawing = svgelements.SVG.parse(str(path), reify=False)
    holds = {
        str(element.id): _area(element)
        for element in drawing.elements()
        if isinstance(element, svgelements.Path) and "hold" in element.values.get("class", "").split()
    }
    box = drawing.viewbox
    left, top, width, height = (
        (box.x, box.y, box.width, box.height) if box else (0.0, 0.0, drawing.width, drawing.height)
    )
    return Outlines(tuple(holds), left, top, width, height, shapely.STRtree(list(holds.values())))


def _area(hold: svgelements.Path) -> Any:
    """What is inside of the outline, and the outline itself."""
    rings = list(_rings(hold))
    lines = shapely.union_all([shapely.LineString([*ring, ring[0]]) for ring in rings])
    faces = shapely.get_parts(shapely.polygonize([lines]))
    evenodd = hold.values.get("fill-rule") == "evenodd"
    inside = []
    for face in faces:
        point = face.representative_point()
        turns = _turns_around(point.x, point.y, rings)
        if turns % 2 if evenodd else turns:
            inside.append(face)
    return shapely.union_all([*inside, lines])


def _rings(hold: svgelements.Path) -> Iterator[Ring]:
    """The points of each subpath in wall units; every subpath counts as closed."""
    to_wall = hold.transform * ~svgelements.Matrix(hold.values.get("viewport_transform", ""))
    ring: Ring = []
    for segment in hold:
        if isinstance(segment, svgelements.Move):
            if len(ring) > 1:
                yield ring
            ring = [_moved(to_wall, segment.end)]
        elif not isinstance(segment, svgelements.Close):
            ring = ring or [_moved(to_wall, segment.start)]
            straight = isinstance(segment, svgelements.Line)
            places = [1.0] if straight else [n / CHORDS for n in range(1, CHORDS + 1)]
            ring.extend(_moved(to_wall, at) for at in segment.npoint(places))
        elif ring:
            yield ring
            ring = []
    if ring:
        yield ring


def _moved(matrix: svgelements.Matrix, point: Sequence[float]) -> tuple[float, float]:
    x, y = point
    return float(matrix.a * x + matrix.c * y + matrix.e), float(matrix.b * x + matrix.d * y + matrix.f)


def _turns_around(x: float, y: float, rings: Sequence[Ring]) -> int:
    """How often the rings go around a point, all of them together."""
    angle = 0.0
    for ring in rings:
        around = [(a - x, b - y) for a, b in ring]
        for (ax, ay), (bx, by) in zip(around, [*around[1:], around[0]], strict=True):
            angle += atan2(ax * by - ay * bx, ax * bx + ay * by)
    return round(angle / tau)
