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

_OUTLINES_AT_ONCE = 8
"""So many outlines are worked out for a cell in one visit; working one out costs several times what measuring it does."""
_FEW = 50
"""Boxes, to look at all of which is as quick as to look for those that are near."""
_KEPT = 200_000
"""So many holds and edges are kept in the cells of a grid: what Python's search for garbage goes over in 3 ms."""


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


@dataclass(slots=True)
class _Cell:
    certain: list[int]
    """Holds in contact with every point of the cell."""
    near: list[tuple[int, Box]]
    """Holds in contact with some of it, perhaps, and their boxes; ascending."""
    outlines: dict[int, tuple[list[Edge], Hold | None]] = field(default_factory=dict)
    """Of a near hold once its box did not settle a point: the edges that may be nearest, and the hold itself
    where a point of the cell may be inside it and yet far from its edges."""
    settled: dict[int, bool] = field(default_factory=dict)
    """Near holds whose outline settles the whole cell, and whether they are in contact with it."""

    def drop_settled(self) -> None:
        """Look no more at the holds that are settled."""
        self.certain = sorted([*self.certain, *(index for index, contact in self.settled.items() if contact)])
        self.near = [hold for hold in self.near if hold[0] not in self.settled]
        for index in self.settled:
            del self.outlines[index]
        self.settled.clear()


class _Boxes:
    """The boxes of holds by where their centres are, in square buckets; those larger than a bucket, and few boxes, apart."""

    def __init__(self, boxes: list[Box]) -> None:
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        extent = max(max(box[2] for box in boxes) - left, max(box[3] for box in boxes) - top)
        sides = sorted(max(right - left, bottom - top) for left, top, right, bottom in boxes)
        # No more buckets than boxes, and nine boxes of ten fit in one.
        self._size = max(extent / sqrt(len(boxes)), sides[len(sides) * 9 // 10]) or 1.0
        self._left, self._top = left, top
        self._last = int(extent / self._size)
        self._apart: list[tuple[int, Box]] = []
        self._buckets: dict[tuple[int, int], list[tuple[int, Box]]] = {}
        for index, box in enumerate(boxes):
            if len(boxes) <= _FEW or max(box[2] - box[0], box[3] - box[1]) > self._size:
                self._apart.append((index, box))
            else:
                key = (self._bucket((box[0] + box[2]) / 2, left), self._bucket((box[1] + box[3]) / 2, top))
                self._buckets.setdefault(key, []).append((index, box))

    def around(self, x: float, y: float, reach: float) -> list[tuple[int, Box]]:
        """Return, by index, all boxes within `reach` of a point and some others."""
        if not self._buckets:
            return self._apart
        reach += self._size  # half of it from a centre to its box's edge, and the rest to spare
        rows = range(self._bucket(y - reach, self._top), self._bucket(y + reach, self._top) + 1)
        found = list(self._apart)
        for column in range(self._bucket(x - reach, self._left), self._bucket(x + reach, self._left) + 1):
            for row in rows:
                found += self._buckets.get((column, row), ())
        return sorted(found)

    def _bucket(self, at: float, begin: float) -> int:
        return min(max(int((at - begin) / self._size), 0), self._last)


class Grid:
    """Which holds are within one threshold of a point.

    Space is cut into square cells, worked out when first visited. Distance changes by no more than one moves,
    so the distance from a cell's centre settles most holds for the whole cell; and all of a hold is as far as its
    box's nearest point at least, and some of it no farther than the box's farthest corner. Only the rest is measured.
    """

    def __init__(self, holds: tuple[Hold, ...], threshold: float) -> None:
        self._holds = holds
        self._threshold = threshold
        boxes = [hold.box for hold in holds]
        self._boxes = _Boxes(boxes)
        self._left = min(box[0] for box in boxes) - threshold
        self._top = min(box[1] for box in boxes) - threshold
        self._right = max(box[2] for box in boxes) + threshold
        self._bottom = max(box[3] for box in boxes) + threshold
        # At most 256 by 256 cells, none much smaller than is useful at this threshold.
        extent = max(self._right - self._left, self._bottom - self._top)
        self._size = max(extent / 256, threshold / 8)
        self._radius = self._size * 0.7072  # half the diagonal, rounded up
        self._cells: dict[tuple[int, int], _Cell] = {}
        self._kept = 0
        self.boxes_looked_at = 0
        """So far: what the work grows with, and so is `edges_measured`."""
        self.edges_measured = 0
        """So far; each edge of a list of which some are measured counts."""

    def within(self, x: float, y: float) -> list[int]:
        """Return the indices of all holds within the threshold of (x, y), ascending; do not change the list."""
        if not (self._left <= x <= self._right and self._top <= y <= self._bottom):
            return []  # far away, or not a number
        key = (int((x - self._left) / self._size), int((y - self._top) / self._size))
        cell = self._cells.get(key)
        if cell is None:
            if self._kept > _KEPT:
                self._cells.clear()
                self._kept = 0
            cell = self._cells[key] = self._work_out(key)
            self._kept += len(cell.certain) + len(cell.near)
        if not cell.near:
            return cell.certain
        self.boxes_looked_at += len(cell.near)
        limit = self._threshold * self._threshold
        # Where rounding might count, the edges decide.
        surely_in, surely_out = limit * (1 - 1e-9), limit * (1 + 1e-9)
        found = []
        to_work_out = _OUTLINES_AT_ONCE
        for index, box in cell.near:
            if _square_to_nearest(box, x, y) > surely_out:
                continue
            if _square_to_farthest(box, x, y) <= surely_in:
                found.append(index)
                continue
            outline = cell.outlines.get(index)
            if outline is None and to_work_out:
                to_work_out -= 1
                outline = self._measure(key, cell, index)
            edges, hold = outline or (self._holds[index].edges, self._holds[index])
            self.edges_measured += len(edges)
            if _any_within(edges, x, y, limit) or (hold is not None and self._inside(hold, x, y)):
                found.append(index)
        answer = sorted(found + cell.certain)
        if cell.settled:
            cell.drop_settled()
        return answer

    def _work_out(self, key: tuple[int, int]) -> _Cell:
        x, y = self._centre(key)
        reach = self._threshold + self._radius
        surely = max(self._threshold - self._radius, 0.0)
        cell = _Cell([], [])
        around = self._boxes.around(x, y, reach)
        self.boxes_looked_at += len(around)
        for index, box in around:
            if not (box[0] - reach <= x <= box[2] + reach and box[1] - reach <= y <= box[3] + reach):
                continue
            if _square_to_farthest(box, x, y) <= surely * surely:
                cell.certain.append(index)
            elif _square_to_nearest(box, x, y) <= reach * reach:
                cell.near.append((index, box))
        return cell

    def _measure(self, key: tuple[int, int], cell: _Cell, index: int) -> tuple[list[Edge], Hold | None]:
        """Note in a cell what the outline of a near hold says for all of it."""
        x, y = self._centre(key)
        radius = self._radius
        hold = self._holds[index]
        self.edges_measured += len(hold.edges)
        distances = [sqrt(_square_distance(edge, x, y)) for edge in hold.edges]
        nearest = min(distances)
        inside = self._inside(hold, x, y)
        distance = 0.0 if inside else nearest
        if distance <= self._threshold - radius:
            cell.settled[index] = True
        elif distance > self._threshold + radius:
            cell.settled[index] = False
        # Nearest first: a contact is mostly found at the first edge.
        close = sorted(
            [
                (away, edge)
                for away, edge in zip(distances, hold.edges, strict=True)
                if away <= nearest + 2 * radius
            ]
        )
        outline = ([edge for _, edge in close], hold if inside or nearest <= radius else None)
        cell.outlines[index] = outline
        self._kept += len(outline[0])
        return outline

    def _centre(self, key: tuple[int, int]) -> Point:
        return self._left + (key[0] + 0.5) * self._size, self._top + (key[1] + 0.5) * self._size

    def _inside(self, hold: Hold, x: float, y: float) -> bool:
        left, top, right, bottom = hold.box
        if not (left <= x <= right and top <= y <= bottom):
            return False
        self.edges_measured += len(hold.edges)
        return hold.contains(x, y)


def _square_to_nearest(box: Box, x: float, y: float) -> float:
    left, top, right, bottom = box
    dx = left - x if x < left else x - right if x > right else 0.0
    dy = top - y if y < top else y - bottom if y > bottom else 0.0
    return dx * dx + dy * dy


def _square_to_farthest(box: Box, x: float, y: float) -> float:
    left, top, right, bottom = box
    dx = max(x - left, right - x)
    dy = max(y - top, bottom - y)
    return dx * dx + dy * dy


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
