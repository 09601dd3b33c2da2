"""Elliptical arcs as Bezier curves.                                                                        pure

As the standard has them (SVG 1.1, F.6): a radius of 0 makes a line, radii that cannot reach are enlarged. The
arc is worked out from its chord and not from its centre, which for an enormous radius is too far away to be
told exactly.
"""

from math import asin, ceil, cos, hypot, pi, radians, sin, tan

from tracker.drawing.curves import Curve, Point

_PIECE = pi / 8
"""A Bezier curve strays from so much of a circle by 7e-8 of its radius."""


def arc(start: Point, radii: Point, degrees: float, *, large: bool, sweep: bool, end: Point) -> list[Curve]:
    """Return the curves from `start`; none where the arc ends where it began."""
    if start == end:
        return []
    rx, ry = _usable(radii, hypot(end[0] - start[0], end[1] - start[1]))
    if rx == 0 or ry == 0:
        return [(end,)]
    turn = radians(degrees % 360)
    to_x, to_y = cos(turn), sin(turn)

    def on_circle(x: float, y: float) -> Point:
        return (x * to_x + y * to_y) / rx, (y * to_x - x * to_y) / ry

    def on_drawing(x: float, y: float) -> Point:
        x, y = x * rx, y * ry
        return x * to_x - y * to_y, x * to_y + y * to_x

    # Where both radii are 1: half the chord, its direction, and the direction in which the arc bulges from it.
    across = on_circle(end[0] - start[0], end[1] - start[1])
    half = hypot(*across) / 2
    ex, ey = across[0] / 2 / half, across[1] / 2 / half
    bx, by = (ey, -ex) if sweep else (-ey, ex)
    radius = max(1.0, half)
    widest = asin(half / radius)
    if large:
        widest = pi - widest
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2

    def place(along: float, bulge: float) -> Point:
        x, y = on_drawing(ex * along + bx * bulge, ey * along + by * bulge)
        return middle[0] + x, middle[1] + y

    def at(angle: float, tangent: float) -> Point:
        # cos(angle) - cos(widest), without the loss of digits where both are nearly 1.
        height = 2 * sin((widest + angle) / 2) * sin((widest - angle) / 2)
        return place(
            radius * (sin(angle) + tangent * cos(angle)),
            radius * (height - tangent * sin(angle)),
        )

    pieces = max(1, ceil(2 * widest / _PIECE - 1e-9))
    step = 2 * widest / pieces
    handle = 4 / 3 * tan(step / 4)
    curves: list[Curve] = []
    for piece in range(pieces):
        begin = -widest + piece * step
        last = end if piece == pieces - 1 else at(begin + step, 0.0)
        curves.append((at(begin, handle), at(begin + step, -handle), last))
    return curves


def _usable(radii: Point, chord: float) -> Point:
    """Radii much too small for the chord are enlarged here already: later their squares would be beyond all bounds."""
    rx, ry = abs(radii[0]), abs(radii[1])
    wider = max(rx, ry)
    if 0 < wider < chord * 1e-9:
        rx, ry = rx / wider * chord * 1e-9, ry / wider * chord * 1e-9
    return (rx, ry) if min(rx, ry) > max(rx, ry) * 1e-12 else (0.0, 0.0)  # as flat as a line
