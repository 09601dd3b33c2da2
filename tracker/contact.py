"""Outlines of holds, and which of them a point is in contact with.                                         pure

Distances are computed here in plain floats: one call into shapely for one point costs more than all the rest
of a frame's geometry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt

Point = tuple[float, float]
Edge = tuple[float, float, float, float, float]
"""x and y of one end, the way to the other end, and the inverse of that way's length squared (0: a point)."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Part:
    """One shape of a hold: a ring of points for each subpath, all closed, as when a drawing is filled.

    Inside is where the winding number is not zero or, with `even_odd`, where it is odd. A ring may be a line or a
    single point.
    """

    rings: tuple[tuple[Point, ...], ...]
    even_odd: bool = False

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point is inside."""
        winding = 0
        for ring in self.rings:
            ax, ay = ring[-1]
            for bx, by in ring:
                if ay <= y < by:
                    if (bx - ax) * (y - ay) > (x - ax) * (by - ay):
                        winding += 1
                elif by <= y < ay and (bx - ax) * (y - ay) < (x - ax) * (by - ay):
                    winding -= 1
                ax, ay = bx, by
        return winding % 2 == 1 if self.even_odd else winding != 0


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold: its id, a path that draws it (`d`) and its outline in wall units, of one part or several.

    `d` is as written where the hold is a <path>, and does not know of the transforms above it.
    """

    id: str
    d: str
    parts: tuple[Part, ...]
    box: Box = field(init=False, repr=False, compare=False)
    """Its leftmost, uppermost, rightmost and lowest coordinate."""
    _edges: list[Edge] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        xs = [x for ring in self.outline for x, _ in ring]
        ys = [y for ring in self.outline for _, y in ring]
        object.__setattr__(self, "box", (min(xs), min(ys), max(xs), max(ys)))

    @property
    def outline(self) -> tuple[tuple[Point, ...], ...]:
        """The rings of all parts."""
        return tuple([ring for part in self.parts for ring in part.rings])

    @property
    def edges(self) -> list[Edge]:
        """The outline's edges, worked out when they are first needed; do not change the list."""
        if not self._edges:
            self._edges.extend(_edges(self.outline))
        return self._edges

    def distance(self, x: float, y: float) -> float:
        """Return the distance from a point to the outline, 0 inside."""
        return 0.0 if self.contains(x, y) else sqrt(min(_square_distance(edge, x, y) for edge in self.edges))

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point is inside the outline."""
        return any(part.contains(x, y) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Cell:
    certain: list[int]
    """Holds in contact with every point of the cell."""
    near: list[tuple[int, list[Edge], Hold | None]]
    """Holds in contact with some of it, perhaps: index, the edges that may be nearest, and the hold itself
    where a point of the cell may be inside it and yet far from its edges."""


class Grid:
    """Which holds are within one threshold of a point.

    Space is cut into square cells, worked out when first visited. Distance changes by no more than one moves,
    so the distance from a cell's centre settles most holds for the whole cell; only the rest are measured.
    """

    def __init__(self, holds: tuple[Hold, ...], threshold: float) -> None:
        self._holds = holds
        self._threshold = threshold
        self._boxes = [hold.box for hold in holds]
        self._left = min(box[0] for box in self._boxes) - threshold
        self._top = min(box[1] for box in self._boxes) - threshold
        self._right = max(box[2] for box in self._boxes) + threshold
        self._bottom = max(box[3] for box in self._boxes) + threshold
        # At most 256 by 256 cells, none much smaller than is useful at this threshold.
        extent = max(self._right - self._left, self._bottom - self._top)
        self._size = max(extent / 256, threshold / 8)
        self._cells: dict[tuple[int, int], _Cell] = {}

    def within(self, x: float, y: float) -> list[int]:
        """Return the indices of all holds within the threshold of (x, y), ascending; do not change the list."""
        if not (self._left <= x <= self._right and self._top <= y <= self._bottom):
            return []  # far away, or not a number
        key = (int((x - self._left) / self._size), int((y - self._top) / self._size))
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._work_out(key)
        if not cell.near:
            return cell.certain
        limit = self._threshold * self._threshold
        found = [
            index
            for index, edges, hold in cell.near
            if _any_within(edges, x, y, limit) or (hold is not None and hold.contains(x, y))
        ]
        return sorted(found + cell.certain)

    def _work_out(self, key: tuple[int, int]) -> _Cell:
        x = self._left + (key[0] + 0.5) * self._size
        y = self._top + (key[1] + 0.5) * self._size
        radius = self._size * 0.7072  # half the diagonal, rounded up
        reach = self._threshold + radius
        cell = _Cell([], [])
        for index, (hold, box) in enumerate(zip(self._holds, self._boxes, strict=True)):
            if not (box[0] - reach <= x <= box[2] + reach and box[1] - reach <= y <= box[3] + reach):
                continue
            distances = [sqrt(_square_distance(edge, x, y)) for edge in hold.edges]
            nearest = min(distances)
            inside = hold.contains(x, y)
            distance = 0.0 if inside else nearest
            if distance <= self._threshold - radius:
                cell.certain.append(index)
            elif distance <= reach:
                # Nearest first: a contact is mostly found at the first edge.
                edges = [
                    edge
                    for away, edge in sorted(zip(distances, hold.edges, strict=True))
                    if away <= nearest + 2 * radius
                ]
                cell.near.append((index, edges, hold if inside or nearest <= radius else None))
        return cell


def _edges(outline: tuple[tuple[Point, ...], ...]) -> Iterator[Edge]:
    for ring in outline:
        lengthy = False
        for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True):
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            if square > 1e-200:
                lengthy = True
                yield (ax, ay, dx, dy, 1 / square)
        if not lengthy:
            yield (*ring[0], 0.0, 0.0, 0.0)


def _square_distance(edge: Edge, x: float, y: float) -> float:
    ax, ay, dx, dy, inverse = edge
    px = x - ax
    py = y - ay
    along = (px * dx + py * dy) * inverse
    if along >= 1.0:
        px -= dx
        py -= dy
    elif along > 0.0:
        px -= along * dx
        py -= along * dy
    return px * px + py * py


def _any_within(edges: list[Edge], x: float, y: float, limit: float) -> bool:
    # _square_distance written out: the one loop where calling it would double the cost.
    for ax, ay, dx, dy, inverse in edges:
        px = x - ax
        py = y - ay
        along = (px * dx + py * dy) * inverse
        if along >= 1.0:
            px -= dx
            py -= dy
        elif along > 0.0:
            px -= along * dx
            py -= along * dy
        if px * px + py * py <= limit:
            return True
    return False
