"""Outlines as Bezier curves, and the chords that they become.                                              pure"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil, hypot, sqrt

from tracker.drawing.problems import PointBudget
from tracker.drawing.transforms import Matrix

Point = tuple[float, float]
Curve = tuple[Point, ...]
"""A Bezier curve's points without the first, which is where the one before ended: one (a line), two or three."""

MAX_CHORDS = 10_000
REACH = 1e6
"""How many times a wall's larger side an outline's points may be from the corner of the drawing."""


class BadOutline(ValueError):
    """Why an outline cannot be drawn, as said of its hold."""


@dataclass(slots=True)
class Subpath:
    """Curves without a gap. As when a drawing is filled, each counts as closed."""

    start: Point
    curves: list[Curve] = field(default_factory=list)

    def moved(self, matrix: Matrix) -> "Subpath":
        """Return it as the transform has it."""
        move = matrix.apply
        return Subpath(move(self.start), [tuple([move(point) for point in curve]) for curve in self.curves])


def path_text(subpaths: Iterable[Subpath]) -> str:
    """Return path data that draws the same."""
    words: list[str] = []
    for subpath in subpaths:
        words.append(f"M{_text(subpath.start)}")
        words += ["LQC"[len(curve) - 1] + " ".join(map(_text, curve)) for curve in subpath.curves]
        words.append("Z")
    return "".join(words)


def _text(point: Point) -> str:
    return f"{point[0]:.9g} {point[1]:.9g}"


def flattened(subpath: Subpath, *, tolerance: float, reach: float, budget: PointBudget) -> tuple[Point, ...]:
    """Return a ring of points whose chords stray from the curves by at most the tolerance.

    Raises `BadOutline` for what is too large or too far away, and `WallError` where the budget is spent.
    """
    last = _within(subpath.start, reach)
    ring = [last]
    for curve in subpath.curves:
        for point in curve:
            _within(point, reach)
        if len(curve) > 1:
            steps = _steps(last, curve, tolerance)
            budget.take(steps - 1)
            ring.extend(_between(last, curve, steps))
        last = curve[-1]
        ring.append(last)
    return tuple(ring)


def _within(point: Point, reach: float) -> Point:
    if not (abs(point[0]) <= reach and abs(point[1]) <= reach):  # so that a NaN is not
        raise BadOutline("is drawn more than a million walls away; correct its numbers or the viewBox")
    return point


def _steps(start: Point, curve: Curve, tolerance: float) -> int:
    """How many chords of equal steps in the parameter keep to the tolerance, by Wang's bound."""
    points = (start, *curve)
    bend = max(
        hypot(a[0] - 2 * b[0] + c[0], a[1] - 2 * b[1] + c[1])
        for a, b, c in zip(points, points[1:], points[2:], strict=False)
    )
    degree = len(curve)
    steps = sqrt(degree * (degree - 1) / 8 * bend / tolerance)
    if steps > MAX_CHORDS:
        raise BadOutline(
            "has a curve more than a thousand times as large as the wall; correct its numbers or the viewBox"
        )
    return max(1, ceil(steps))


def _between(start: Point, curve: Curve, steps: int) -> Iterator[Point]:
    """The points between both ends."""
    (ax, ay), (bx, by), *rest = (start, *curve)
    if len(curve) == 2:
        ((cx, cy),) = rest
        for n in range(1, steps):
            t = n / steps
            u = 1 - t
            p, q, r = u * u, 2 * u * t, t * t
            yield p * ax + q * bx + r * cx, p * ay + q * by + r * cy
        return
    (cx, cy), (dx, dy) = rest
    for n in range(1, steps):
        t = n / steps
        u = 1 - t
        p, q, r, s = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
        yield p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy
