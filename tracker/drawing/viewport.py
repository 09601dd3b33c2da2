"""The wall's rectangle, and what puts a drawing inside of a drawing in its place.                            pure"""

import re
from math import isfinite
from typing import NamedTuple
from xml.etree.ElementTree import Element

from tracker.drawing.numbers import NUMBER, length
from tracker.drawing.problems import WallError, quoted
from tracker.drawing.transforms import Matrix

_ALIGN = re.compile(r"(?:defer\s+)?x(Min|Mid|Max)Y(Min|Mid|Max)(?:\s+(meet|slice))?")
_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}


class Box(NamedTuple):
    """A rectangle in user units."""

    x: float
    y: float
    width: float
    height: float


def view_box(element: Element) -> Box | None:
    """Return the attribute `viewBox`. Raises `WallError`."""
    text = element.get("viewBox")
    if text is None:
        return None
    parts = text.replace(",", " ").split()
    if len(parts) != 4 or not all(re.fullmatch(NUMBER, part) for part in parts):
        raise WallError(f"viewBox is {quoted(text)}: it must be four numbers: x, y, width, height")
    box = Box(*map(float, parts))
    if not all(map(isfinite, box)) or box.width <= 0 or box.height <= 0:
        raise WallError(
            f"viewBox is {quoted(text)}: its numbers must be finite, and width and height above 0"
        )
    return box


def wall_box(root: Element) -> Box:
    """Return the wall's rectangle: the viewBox, or else width and height. Raises `WallError`."""
    return view_box(root) or Box(0.0, 0.0, _side(root, "width"), _side(root, "height"))


def _side(root: Element, name: str) -> float:
    text = root.get(name)
    if text is None:
        raise WallError(f'the drawing has neither viewBox nor {name}; add viewBox="0 0 WIDTH HEIGHT"')
    value = _plain_length(text)
    if value is None:
        raise WallError(
            f"{name} is {quoted(text)}: without a viewBox it must be a length above 0, in px or mm"
        )
    return value


def _plain_length(text: str | None) -> float | None:
    """Above 0, and no percentage."""
    value = None if text is None or "%" in text else length(text, whole=0)
    return value if value is not None and value > 0 else None


def fitted(box: Box, into: Box, aspect: str) -> Matrix | None:
    """Return what puts a viewBox into a rectangle, by `preserveAspectRatio`; None where that cannot be read."""
    sx, sy = into.width / box.width, into.height / box.height
    aspect = aspect.strip() or "xMidYMid"
    if aspect.startswith("none"):
        return Matrix(sx, 0, 0, sy, into.x - sx * box.x, into.y - sy * box.y)
    match = _ALIGN.fullmatch(aspect)
    if match is None:
        return None
    scale = max(sx, sy) if match[3] == "slice" else min(sx, sy)
    left = into.x + (into.width - scale * box.width) * _SHARES[match[1]]
    top = into.y + (into.height - scale * box.height) * _SHARES[match[2]]
    return Matrix(scale, 0, 0, scale, left - scale * box.x, top - scale * box.y)


def root_placement(root: Element, wall: Box) -> tuple[Matrix, Box] | None:
    """Return what puts the wall on paper, in px, and the rectangle there that is the wall's.

    As SVG 2 has it, a transform of the outermost <svg> moves the paper's rectangle: about its middle, in px, and
    not in the units of the viewBox. None: the drawing does not say how large it is on paper.
    """
    width, height = _plain_length(root.get("width")), _plain_length(root.get("height"))
    if root.get("viewBox") is None:
        return Matrix(e=-wall.x, f=-wall.y), Box(0.0, 0.0, wall.width, wall.height)
    if width is None or height is None:
        return None
    paper = Box(0.0, 0.0, width, height)
    matrix = fitted(wall, paper, root.get("preserveAspectRatio", ""))
    return None if matrix is None else (matrix, paper)
