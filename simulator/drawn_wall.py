"""A wall that is drawn, not photographed: holds with varied outlines, an SVG, and a camera's perspective."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, dist, hypot, pi, sin

WIDTH, HEIGHT = 2500, 3330

Point = tuple[float, float]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Blob:
    """A hold before it has a number: nothing of its outline is further than `radius` from (x, y)."""

    x: float
    y: float
    radius: float
    d: str


def draw_blob(rng: random.Random, x: float, y: float, radius: float) -> Blob:
    """A closed outline around (x, y): a lump, an oval, a rounded plate or an edge, by the luck of the draw."""
    x, y = round(x, 2), round(y, 2)
    outline = rng.choice((_lump, _lump, _oval, _plate, _edge))
    return Blob(x, y, radius, outline(rng, x, y, radius))


def scatter(
    rng: random.Random, count: int, taken: Sequence[Blob], paths: Sequence[tuple[Point, Point]], clear: float
) -> list[Blob]:
    """Up to `count` holds that keep apart from those `taken` and from each other, and whose outlines are at
    least `clear` from every one of `paths` (pairs of end points).
    """
    found: list[Blob] = []
    for _ in range(count * 60):
        if len(found) == count:
            break
        x, y, radius = rng.uniform(120, WIDTH - 120), rng.uniform(120, HEIGHT - 500), rng.uniform(28, 62)
        if any(hypot(x - b.x, y - b.y) < radius + b.radius + 25 for b in (*taken, *found)):
            continue
        if any(distance_to_path((x, y), path) < radius + clear for path in paths):
            continue
        found.append(draw_blob(rng, x, y, radius))
    return found


def distance_to_path(point: Point, path: tuple[Point, Point]) -> float:
    """From a point to the straight line between two others."""
    (ax, ay), (bx, by) = path
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = 0.0 if square == 0 else ((point[0] - ax) * dx + (point[1] - ay) * dy) / square
    along = max(0.0, min(1.0, along))
    return dist(point, (ax + along * dx, ay + along * dy))


def svg(holds: Iterable[tuple[str, Blob]]) -> str:
    """The wall as an SVG document, its holds in the order given."""
    paths = "\n".join(f'  <path class="hold" id="{name}" d="{blob.d}"/>' for name, blob in holds)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f"{paths}\n</svg>\n"
    )


def camera(rng: random.Random) -> tuple[Matrix, Matrix]:
    """A phone below the wall, a little off its middle: (wall to picture, picture to wall), both normalised.

    The wall's corners land inside the picture with room around them; the lower edge is nearer and so wider.
    """

    def shake() -> float:
        return rng.uniform(-0.015, 0.015)

    top_left, top_right = (0.14 + shake(), 0.2 + shake()), (0.86 + shake(), 0.2 + shake())
    low_right, low_left = (0.93 + shake(), 0.82 + shake()), (0.07 + shake(), 0.82 + shake())
    out = _square_to_quadrilateral(top_left, top_right, low_right, low_left)
    return out, _inverse(out)


def _square_to_quadrilateral(p0: Point, p1: Point, p2: Point, p3: Point) -> Matrix:
    """The homography that takes (0,0), (1,0), (1,1), (0,1) to the four points."""
    sx, sy = p0[0] - p1[0] + p2[0] - p3[0], p0[1] - p1[1] + p2[1] - p3[1]
    ax, ay, bx, by = p1[0] - p2[0], p1[1] - p2[1], p3[0] - p2[0], p3[1] - p2[1]
    area = ax * by - ay * bx
    g, h = (sx * by - sy * bx) / area, (ax * sy - ay * sx) / area
    return (
        (p1[0] - p0[0] + g * p1[0], p3[0] - p0[0] + h * p3[0], p0[0]),
        (p1[1] - p0[1] + g * p1[1], p3[1] - p0[1] + h * p3[1], p0[1]),
        (g, h, 1.0),
    )


def _inverse(m: Matrix) -> Matrix:
    """The inverse up to scale, which is all that a homography has, with 1 in the lower right corner."""
    (a, b, c), (d, e, f), (g, h, i) = m
    corner = a * e - b * d
    return (
        ((e * i - f * h) / corner, (c * h - b * i) / corner, (b * f - c * e) / corner),
        ((f * g - d * i) / corner, (a * i - c * g) / corner, (c * d - a * f) / corner),
        ((d * h - e * g) / corner, (b * g - a * h) / corner, 1.0),
    )


def _lump(rng: random.Random, x: float, y: float, radius: float) -> str:
    """Cubic curves, absolute. The tangents are those of a Catmull-Rom spline, which stays near its points."""
    n = rng.randint(5, 8)
    angles = [2 * pi * (i + rng.uniform(-0.2, 0.2)) / n for i in range(n)]
    spokes = [radius * rng.uniform(0.72, 0.9) for _ in range(n)]
    ring = [(x + r * cos(a), y + r * sin(a)) for r, a in zip(spokes, angles, strict=True)]
    parts = [f"M {_at(ring[0])}"]
    for i in range(n):
        before, here, there, after = (ring[(i + j) % n] for j in (-1, 0, 1, 2))
        leave = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
        enter = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
        parts.append(f"C {_at(leave)} {_at(enter)} {_at(there)}")
    return " ".join([*parts, "Z"])


def _oval(rng: random.Random, x: float, y: float, radius: float) -> str:
    """Two arcs, on an axis of any slope."""
    turn, flat = rng.uniform(-80, 80), rng.uniform(0.6, 0.95)
    dx, dy = radius * cos(turn * pi / 180), radius * sin(turn * pi / 180)
    arc = f"A {radius:.2f},{radius * flat:.2f} {turn:.2f} 0 1"
    return f"M {_at((x - dx, y - dy))} {arc} {_at((x + dx, y + dy))} {arc} {_at((x - dx, y - dy))} Z"


def _plate(rng: random.Random, x: float, y: float, radius: float) -> str:
    """A polygon with rounded corners: lines and quadratic curves, absolute."""
    n, turn = rng.randint(3, 6), rng.uniform(0, 2 * pi)
    ring = [
        (x + radius * cos(turn + 2 * pi * i / n), y + radius * sin(turn + 2 * pi * i / n)) for i in range(n)
    ]
    parts: list[str] = []
    for i, corner in enumerate(ring):
        before, after = ring[i - 1], ring[(i + 1) % n]
        into = (corner[0] + (before[0] - corner[0]) * 0.3, corner[1] + (before[1] - corner[1]) * 0.3)
        out = (corner[0] + (after[0] - corner[0]) * 0.3, corner[1] + (after[1] - corner[1]) * 0.3)
        parts.append(f"{'L' if parts else 'M'} {_at(into)} Q {_at(corner)} {_at(out)}")
    return " ".join([*parts, "Z"])


def _edge(rng: random.Random, x: float, y: float, radius: float) -> str:
    """A ledge, wider than high: relative commands, with vertical and horizontal lines and smooth curves."""
    half, high = radius * 0.75, radius * rng.uniform(0.35, 0.5)
    return (
        f"m {_at((x - half, y - high))} h {2 * half:.2f} v {high:.2f}"
        f" c 0,{high * 0.6:.2f} {-half * 0.4:.2f},{high:.2f} {-half:.2f},{high:.2f}"
        f" s {-half:.2f},{-high * 0.4:.2f} {-half:.2f},{-high:.2f} z"
    )


def _at(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
