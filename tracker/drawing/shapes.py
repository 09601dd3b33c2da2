"""The basic shapes as curves.                                                                              pure"""

import re
from collections.abc import Callable, Mapping
from math import hypot
from xml.etree.ElementTree import Element

from tracker.drawing.arcs import arc
from tracker.drawing.curves import Curve, Point, Subpath
from tracker.drawing.document import local_name
from tracker.drawing.numbers import NUMBER, SEPARATOR, length
from tracker.drawing.problems import quoted

Viewport = tuple[float, float]
"""What percentages are of: width and height."""

_PAIRS = re.compile(rf"({NUMBER}){SEPARATOR}")


class BadShape(ValueError):
    """Why a shape cannot be drawn."""


def read_shape(element: Element, viewport: Viewport) -> list[Subpath]:
    """Return the outline of a `SHAPES` element; empty where nothing is drawn. Raises `BadShape`."""
    return SHAPES[local_name(element)](element, viewport)


def measure(element: Element, name: str, viewport: Viewport, default: float = 0.0) -> float:
    """Return a length that stands in an attribute. Raises `BadShape`."""
    text = element.get(name)
    if text is None or (text.strip() == "auto" and name in ("rx", "ry", "width", "height")):
        return default
    across, down = viewport
    whole = {"x": across, "width": across, "cx": across, "rx": across, "x1": across, "x2": across}.get(
        name, down
    )
    value = length(text, whole=hypot(across, down) / 2**0.5 if name == "r" else whole)
    if value is None:
        raise BadShape(
            f"its {name} is {quoted(text)}: it must be a number, or a length in px, mm, cm, in, pt, pc or %"
        )
    if value < 0 and name in ("width", "height", "r", "rx", "ry"):
        raise BadShape(f"its {name} is {quoted(text)}: it must not be below 0")
    return value


def _rect(element: Element, viewport: Viewport) -> list[Subpath]:
    x, y, width, height = (measure(element, name, viewport) for name in ("x", "y", "width", "height"))
    if width == 0 or height == 0:
        return []
    given = [measure(element, name, viewport, -1.0) for name in ("rx", "ry")]
    rx, ry = (max(mine, 0.0) if mine >= 0 or other < 0 else other for mine, other in (given, given[::-1]))
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    if rx == 0 or ry == 0:
        rx = ry = 0.0
    corners: list[tuple[Point, Point]] = [
        ((x + width - rx, y), (x + width, y + ry)),
        ((x + width, y + height - ry), (x + width - rx, y + height)),
        ((x + rx, y + height), (x, y + height - ry)),
        ((x, y + ry), (x + rx, y)),
    ]
    curves: list[Curve] = []
    for begin, end in corners:
        curves += [(begin,), *arc(begin, (rx, ry), 0, large=False, sweep=True, end=end)]
    return [Subpath((x + rx, y), curves)]


def _ellipse_at(element: Element, viewport: Viewport, rx: float, ry: float) -> list[Subpath]:
    if rx == 0 or ry == 0:
        return []
    cx, cy = measure(element, "cx", viewport), measure(element, "cy", viewport)
    right, left = (cx + rx, cy), (cx - rx, cy)
    there = arc(right, (rx, ry), 0, large=False, sweep=True, end=left)
    return [Subpath(right, [*there, *arc(left, (rx, ry), 0, large=False, sweep=True, end=right)])]


def _circle(element: Element, viewport: Viewport) -> list[Subpath]:
    r = measure(element, "r", viewport)
    return _ellipse_at(element, viewport, r, r)


def _ellipse(element: Element, viewport: Viewport) -> list[Subpath]:
    rx, ry = measure(element, "rx", viewport, -1.0), measure(element, "ry", viewport, -1.0)
    # One that is not given is as the other, as SVG 2 has it.
    return _ellipse_at(element, viewport, max(rx if rx >= 0 else ry, 0.0), max(ry if ry >= 0 else rx, 0.0))


def _line(element: Element, viewport: Viewport) -> list[Subpath]:
    x1, y1, x2, y2 = (measure(element, name, viewport) for name in ("x1", "y1", "x2", "y2"))
    return [Subpath((x1, y1), [((x2, y2),)])]


def _polygon(element: Element, _: Viewport) -> list[Subpath]:
    text = element.get("points", "")
    at = len(text) - len(text.lstrip())
    found: list[float] = []
    while at < len(text):
        match = _PAIRS.match(text, at)
        if match is None:
            raise BadShape(
                f"its points cannot be read to their end: at character {at + 1} must be a number,"
                f" and not {quoted(text[at : at + 12])}"
            )
        found.append(float(match[1]))
        at = match.end()
    if len(found) % 2:
        raise BadShape(f"its points are {len(found)} numbers: the last one has no y")
    points = list(zip(found[::2], found[1::2], strict=True))
    return [Subpath(points[0], [(point,) for point in points[1:]])] if points else []


SHAPES: Mapping[str, Callable[[Element, Viewport], list[Subpath]]] = {
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "line": _line,
    "polygon": _polygon,
    "polyline": _polygon,
}
GEOMETRY_OF = {
    "path": {"d"},
    "rect": {"x", "y", "width", "height", "rx", "ry"},
    "circle": {"cx", "cy", "r"},
    "ellipse": {"cx", "cy", "rx", "ry"},
    "use": {"x", "y", "width", "height"},
    "svg": {"x", "y", "width", "height"},
}
"""What CSS can set in an attribute's place."""
