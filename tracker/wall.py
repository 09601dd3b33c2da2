"""A wall drawing (SVG) as holds.                                                                            pure"""

from dataclasses import dataclass, field

from tracker.contact import Grid, Hold, Point
from tracker.drawing.document import read_document
from tracker.drawing.holds import HoldReader
from tracker.drawing.left_out import LeftOut, one_line
from tracker.drawing.problems import WallError
from tracker.drawing.viewport import wall_box

__all__ = ["FLATTENING", "Wall", "WallError", "parse_wall"]

FLATTENING = 1e-5
"""Curves become chords that stray from them by at most this share of the wall's larger side."""

_GRIDS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall of `width` by `height` units whose upper left corner is `origin`; holds in document order."""

    width: float
    height: float
    origin: Point
    holds: tuple[Hold, ...]
    left_out: tuple[LeftOut, ...] = ()
    """What of the drawing is no hold."""
    _grids: dict[float, Grid] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def left_out_line(self) -> str:
        """What of the drawing is no hold, in a line of bounded length; empty where there is nothing."""
        return one_line(self.left_out)

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
    """Parse a wall drawing. Raises `WallError`.

    Holds are the shapes, the groups and the `<use>` elements whose class list has `hold`, as they are drawn. The
    drawing is not trusted: entities are refused, nothing that it refers to is fetched, and what it may cost is bounded.
    """
    root, style_sheets = read_document(data)
    box = wall_box(root)
    reader = HoldReader(root, box, FLATTENING * max(box.width, box.height))
    holds, left_out = reader.read()
    if style_sheets:
        left_out = (*left_out, LeftOut("style sheet of another file", "not read", style_sheets, ""))
    if not holds:
        of_class = [
            f"{one.count} {one.name} {one.why}" for one in left_out if one.why in ("hidden", "not drawn")
        ]
        raise WallError(
            "no element of class hold is drawn"
            + (f" (of that class, but not drawn: {', '.join(of_class[:5])})" if of_class else "")
            + '; give every hold the class, as in <path class="hold">, and an id such as hold_1'
        )
    return Wall(box.width, box.height, (box.x, box.y), holds, left_out)
