"""Where each element of a drawing stands, and whether it is shown: transforms, viewports, inherited style.   pure"""

from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from tracker.drawing.css_transforms import from_css
from tracker.drawing.document import is_foreign, local_name
from tracker.drawing.numbers import length
from tracker.drawing.problems import WallError, quoted
from tracker.drawing.shapes import GEOMETRY_OF, BadShape, measure
from tracker.drawing.styles import MOVING, Styles
from tracker.drawing.transforms import UNMOVED, Matrix, from_attribute, moved_by
from tracker.drawing.viewport import Box, fitted, root_placement, view_box

_KEYWORDS = {"left": 0.0, "top": 0.0, "center": 50.0, "right": 100.0, "bottom": 100.0}
_NOTHING = {"", "none", "auto", "initial", "unset", "revert", "view-box"}


_NO_PAPER = (
    "the outermost <svg> has a transform, which is in px of a drawing whose width and height are not given; put the"
    " transform at a <g> inside of it"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What holds for an element and, unless it says otherwise, for all that is in it."""

    matrix: Matrix
    """From its own coordinates to the wall."""
    viewport: tuple[float, float]
    """What percentages are of."""
    since_hold: Matrix = UNMOVED
    """From its own coordinates to those of the hold that it is a part of."""
    unreadable: str = ""
    """Why nobody can say where it stands."""
    even_odd: bool = False
    visible: bool = True
    displayed: bool = True

    def moved(self, matrix: Matrix) -> "Place":
        """Return the place of what is moved inside of it."""
        return replace(self, matrix=self.matrix.after(matrix), since_hold=self.since_hold.after(matrix))

    def lost(self, why: str) -> "Place":
        """Return the same, for what cannot be placed."""
        return replace(self, unreadable=self.unreadable or why)

    def of_hold(self) -> "Place":
        """Return the place of an element that is a hold."""
        return replace(self, since_hold=UNMOVED)


class Placing:
    """Works out places. Raises `WallError` for style sheets that cannot be read."""

    def __init__(self, root: Element, wall: Box) -> None:
        self._root = root
        self._wall = wall
        self._styles = Styles(root)
        self.not_read: dict[str, list[Element]] = {}
        """What has a say in what is seen, and is not read, with the elements that have it."""
        if self._styles.imports:
            self.not_read["@import of a style sheet"] = [root]

    def outermost(self) -> Place:
        """Return the place in which the outermost element stands."""
        return Place(UNMOVED, (self._wall.width, self._wall.height))

    def inside(self, place: Place, element: Element) -> Place:
        """Return an element's place, from that of what it stands in."""
        if is_foreign(element):
            return place
        styles = self._styles.of(element)
        name = local_name(element)
        for hides in ("clip-path", "mask"):
            if styles.get(hides, "") not in _NOTHING:
                self.not_read.setdefault(hides, []).append(element)
        rule, visibility = styles.get("fill-rule"), styles.get("visibility")
        place = replace(
            place,
            displayed=place.displayed and styles.get("display") != "none",
            even_odd={"evenodd": True, "nonzero": False, "initial": False}.get(rule or "", place.even_odd),
            visible={"visible": True, "initial": True, "hidden": False, "collapse": False}.get(
                visibility or "", place.visible
            ),
        )
        unread = MOVING | GEOMETRY_OF.get(name, set()) if element is not self._root else MOVING
        for property_ in sorted(unread & styles.keys()):
            if styles[property_] not in _NOTHING:
                place = place.lost(
                    f"<{name}> has the CSS property {property_}: {quoted(styles[property_], 30)}, which is not read;"
                    " write it as an attribute or into the path"
                )
        place = self._transformed(place, element, styles)
        if name == "svg" and element is not self._root:
            return _within_viewport(place, element, element)
        return place

    def through_use(self, place: Place, use: Element, target: Element) -> Place:
        """Return the place of what a <use> draws, from that of the <use>."""
        if local_name(target) == "svg" and (use.get("width") or use.get("height")):
            return place.lost("a <use> gives an <svg> another size, which is not read")
        try:
            return place.moved(moved_by(*(measure(use, side, place.viewport) for side in ("x", "y"))))
        except BadShape as error:
            return place.lost(f"a <use> cannot be read: {error}")

    def inside_symbol(self, place: Place, use: Element, symbol: Element) -> Place:
        """Return the place of what stands in a <symbol>, from that which a <use> gives it."""
        return _within_viewport(self.inside(place, symbol), symbol, use)

    def _transformed(self, place: Place, element: Element, styles: dict[str, str]) -> Place:
        """Its place with its own transform, which CSS sets before the attribute does."""
        by_css, by_attribute = styles.get("transform"), element.get("transform", "").strip()
        if not (by_css or by_attribute):
            return place
        is_root = element is self._root
        on_paper = root_placement(element, self._wall) if is_root else None
        whole = (on_paper[1].width, on_paper[1].height) if on_paper else place.viewport
        matrix = from_attribute(by_attribute) if by_css is None else from_css(by_css, whole)
        origin = styles.get("transform-origin", "50% 50%" if is_root else "0 0")
        about = _origin(origin, whole)
        if matrix is None or about is None:
            wrong = f"transform {quoted(by_attribute if by_css is None else by_css)}"
            return place.lost(
                f"<{local_name(element)}> has the {wrong if matrix is None else f'transform-origin {quoted(origin)}'},"
                " which is not read: write a list of matrix, translate, scale, rotate, skewX or skewY with plain numbers"
            )
        if is_root and matrix != UNMOVED:
            middle = "transform-origin" not in styles and element.get("preserveAspectRatio") is None
            moved = self._root_moved(matrix, about, on_paper, middle=middle)
            return place.lost(_NO_PAPER) if moved is None else place.moved(moved)
        return place.moved(matrix.about(*about))

    def _root_moved(
        self, matrix: Matrix, about: tuple[float, float], on_paper: tuple[Matrix, Box] | None, *, middle: bool
    ) -> Matrix | None:
        """The outermost element's transform, which is one of the paper, in the wall's units; None: nobody can say."""
        if on_paper is not None:
            (a, _, _, d, e, f), _ = on_paper
            onto_wall = Matrix(1 / a, 0, 0, 1 / d, -e / a, -f / d)
            return onto_wall.after(matrix.about(*about)).after(on_paper[0])
        if middle and matrix.e == matrix.f == 0:
            # However large the paper is, its middle is the middle of the wall.
            wall = self._wall
            return matrix.about(wall.x + wall.width / 2, wall.y + wall.height / 2)
        return None


def _within_viewport(place: Place, element: Element, sized_by: Element) -> Place:
    """The place of what stands in a nested <svg> or in a <symbol>: their viewBox fills the size that they are given."""
    try:
        across, down = place.viewport
        width = measure(sized_by, "width", place.viewport, across)
        height = measure(sized_by, "height", place.viewport, down)
        x, y = (
            (measure(element, "x", place.viewport), measure(element, "y", place.viewport))
            if element is sized_by
            else (0.0, 0.0)
        )
        box = view_box(element)
    except (BadShape, WallError) as error:
        return place.lost(f"an inner <{local_name(element)}> cannot be read: {error}")
    if box is None:
        return replace(place.moved(moved_by(x, y)), viewport=(width, height))
    matrix = fitted(box, Box(x, y, width, height), element.get("preserveAspectRatio", ""))
    if matrix is None:
        return place.lost(
            f"an inner <{local_name(element)}> has a preserveAspectRatio that cannot be read:"
            f" {quoted(element.get('preserveAspectRatio', ''))}"
        )
    return replace(place.moved(matrix), viewport=(box.width, box.height))


def _origin(text: str, whole: tuple[float, float]) -> tuple[float, float] | None:
    words = text.split()
    if not 1 <= len(words) <= 3 or (len(words) == 3 and length(words[2], whole=0) != 0):
        return None
    across, down = (words[0], words[1] if len(words) > 1 else "center")
    if across in ("top", "bottom") or down in ("left", "right"):
        across, down = down, across
    if across in ("top", "bottom") or down in ("left", "right"):
        return None
    found = [
        part / 100 * size if (part := _KEYWORDS.get(word)) is not None else length(word, whole=size)
        for word, size in zip((across, down), whole, strict=True)
    ]
    x, y = found
    return None if x is None or y is None else (x, y)
