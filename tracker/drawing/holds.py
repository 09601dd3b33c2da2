"""The holds of a drawing: which elements they are, where they stand and what of them is drawn.              pure"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal
from xml.etree.ElementTree import Element

from tracker.contact import Hold, Part
from tracker.drawing.curves import REACH, BadOutline, Subpath, flattened, path_text
from tracker.drawing.document import MAX_ELEMENTS, href, is_foreign, is_hold, local_name
from tracker.drawing.left_out import LeftOut, Why
from tracker.drawing.path_data import BadPathData, read_path
from tracker.drawing.placing import Place, Placing
from tracker.drawing.problems import PointBudget, WallError, named, quoted
from tracker.drawing.shapes import SHAPES, BadShape, read_shape
from tracker.drawing.viewport import Box

MAX_HOLDS = 10_000
"""Each output lists them all: a message of 1 MB."""
MAX_ID = 200
"""Characters of an id."""

_Kind = Literal["group", "shape", "use", "defining", "describing", "other"]
_KINDS: dict[str, _Kind] = {
    **dict.fromkeys(("svg", "g", "a"), "group"),
    **dict.fromkeys(("path", *SHAPES), "shape"),
    "use": "use",
    **dict.fromkeys(("defs", "symbol"), "defining"),
    **dict.fromkeys(("title", "desc", "metadata", "style"), "describing"),
}


@dataclass(slots=True)
class _Outline:
    """A hold, while it is put together."""

    element: Element
    place: Place
    id: str
    subpaths: list[tuple[list[Subpath], bool]] = field(default_factory=list)
    """What each shape draws, on the wall, and whether it is filled by the rule `evenodd`."""
    own: list[Subpath] = field(default_factory=list)
    """The same before the transforms of the hold and of what it stands in."""
    hidden: bool = False
    """Something of it is."""


@dataclass(frozen=True, slots=True)
class _Visit:
    element: Element
    place: Place
    hold: _Outline | None = None
    defined: str = ""
    """The element in which nothing is drawn by itself, where it stands in one."""
    uses: tuple[Element, ...] = ()
    """Through which <use> elements."""


class HoldReader:
    """Reads one drawing, once."""

    def __init__(self, root: Element, wall: Box, tolerance: float) -> None:
        self._root = root
        self._placing = Placing(root, wall)
        self._tolerance = tolerance
        self._reach = REACH * max(wall.width, wall.height)
        self._budget = PointBudget()
        self._by_id: dict[str, Element] = {}
        for element in root.iter():
            if name := element.get("id"):
                self._by_id.setdefault(name, element)
        self._found: list[_Outline] = []
        self._left_out: dict[tuple[str, Why], list[Element]] = {}
        self._drawn: set[int] = set()
        """The elements, by their `id()`, that are holds or parts of holds."""

    def read(self) -> tuple[tuple[Hold, ...], tuple[LeftOut, ...]]:
        """Return the holds in document order, and what is none. Raises `WallError`."""
        pending = deque([_Visit(self._root, self._placing.outermost())])
        visits = 0
        while pending:
            visits += 1
            if visits > MAX_ELEMENTS:
                raise WallError(
                    f"it draws more than {MAX_ELEMENTS:,} elements, each <use> counted; simplify it"
                )
            # The first child is visited next: in document order.
            pending.extendleft(reversed(list(self._visit(pending.popleft()))))
        holds: dict[str, Hold] = {}
        for outline in self._found:
            hold = self._finished(outline)
            if hold is None:
                continue
            if hold.id in holds:
                raise WallError(f"the id {quoted(hold.id)} is given to two holds; rename one of them")
            holds[hold.id] = hold
        return tuple(holds.values()), tuple(self._summary())

    def _visit(self, visit: _Visit) -> Iterable[_Visit]:
        """Take one element and return what to visit in it."""
        element, name, kind = visit.element, local_name(visit.element), _kind(visit.element)
        place = self._placing.inside(visit.place, element)
        hold = visit.hold
        if is_hold(element):
            hold = self._begun(visit, place)
            if hold is not None:
                place = hold.place
        elif kind == "describing":
            return ()
        elif kind == "other" or (kind == "shape" and hold is None):
            self._leave_out(element, "no hold")
        inner = replace(visit, place=place, hold=hold)
        if kind == "use":
            return self._used(inner)
        if kind == "group":
            return [replace(inner, element=child) for child in element]
        if kind == "shape" and hold is not None:
            self._draw(element, place, hold)
        # What is not drawn may have holds in it all the same, and they are named.
        return [replace(inner, element=child, hold=None, defined=visit.defined or name) for child in element]

    def _begun(self, visit: _Visit, place: Place) -> _Outline | None:
        """The hold that an element of its class begins; None, and it is left out, where it is not drawn."""
        element = visit.element
        name = element.get("id", "")
        if visit.hold is not None:
            raise WallError(
                f"the hold {named(name or local_name(element))} is inside of the hold {named(visit.hold.id)};"
                " take the class from one of them"
            )
        if visit.defined or not place.displayed or _kind(element) not in ("shape", "group", "use"):
            self._leave_out(
                element, "not drawn" if visit.defined else "hidden" if not place.displayed else "no outline"
            )
            return None
        if not name:
            d = element.get("d", "")
            shown = f"its d begins {quoted(d, 40)}" if d else f"a <{local_name(element)}>"
            raise WallError(f"a hold has no id ({shown}); give it one such as hold_1")
        if len(name) > MAX_ID:
            raise WallError(f"the id {quoted(name)} has more than {MAX_ID} characters; give it a shorter one")
        if place.unreadable:
            raise WallError(f"{named(name)}: {place.unreadable}")
        outline = _Outline(element, place.of_hold(), name)
        self._found.append(outline)
        if len(self._found) > MAX_HOLDS:
            raise WallError(f"it has more than {MAX_HOLDS:,} holds; each output message would list them all")
        return outline

    def _draw(self, element: Element, place: Place, hold: _Outline) -> None:
        """Add what a shape draws to the hold."""
        if not (place.displayed and place.visible):
            hold.hidden = True
            if element is not hold.element:
                self._leave_out(element, "no hold")
            return
        self._drawn.add(id(element))
        if place.unreadable:
            raise WallError(f"{named(hold.id)}: {place.unreadable}")
        try:
            if local_name(element) == "path":
                subpaths = read_path(element.get("d", ""), self._budget)
            else:
                subpaths = read_shape(element, place.viewport)
                self._budget.take_curves(sum(1 + len(subpath.curves) for subpath in subpaths))
        except (BadPathData, BadShape) as error:
            raise WallError(f"{_which(hold, element)}: {error}") from None
        hold.subpaths.append(([subpath.moved(place.matrix) for subpath in subpaths], place.even_odd))
        if element is not hold.element or local_name(element) != "path":
            hold.own += [subpath.moved(place.since_hold) for subpath in subpaths]

    def _used(self, visit: _Visit) -> Iterable[_Visit]:
        """What a <use> draws."""
        use = visit.element
        target = self._by_id.get(href(use)[1:]) if href(use).startswith("#") else None
        if target is None:
            if visit.hold is not None:
                raise WallError(
                    f"{_which(visit.hold, use)} uses {quoted(href(use))}, which is not in the drawing"
                )
            self._leave_out(use, "not read")
            return ()
        if use in visit.uses or len(visit.uses) >= 100:
            raise WallError(f"the <use> of {quoted(href(use))} comes to use itself; take it out")
        self._drawn.add(id(target))
        place = self._placing.through_use(visit.place, use, target)
        inner = replace(visit, place=place, uses=(*visit.uses, use))
        if local_name(target) == "symbol" and not is_foreign(target):
            inside = self._placing.inside_symbol(place, use, target)
            return [replace(inner, element=child, place=inside) for child in target]
        return [replace(inner, element=target)]

    def _leave_out(self, element: Element, why: Why) -> None:
        self._left_out.setdefault((local_name(element), why), []).append(element)

    def _finished(self, outline: _Outline) -> Hold | None:
        """The hold as a wall has it; None where all of it is hidden."""
        name = outline.id
        parts: list[Part] = []
        for subpaths, even_odd in outline.subpaths:
            try:
                rings = [
                    flattened(subpath, tolerance=self._tolerance, reach=self._reach, budget=self._budget)
                    for subpath in subpaths
                ]
            except BadOutline as error:
                raise WallError(f"{named(name)} {error}") from None
            # A moveto that draws nothing is a point only where there is nothing else.
            rings = [ring for ring in rings if len(ring) > 1] or rings
            if rings:
                parts.append(Part(tuple(rings), even_odd))
        if not parts and outline.hidden:
            self._leave_out(outline.element, "hidden")
            return None
        if not parts:
            raise WallError(f"{named(name)} has no outline: it draws nothing; draw it or delete it")
        self._drawn.add(id(outline.element))
        is_path = local_name(outline.element) == "path"
        d = outline.element.get("d", "") if is_path else path_text(outline.own)
        return Hold(name, d, tuple(parts))

    def _summary(self) -> Iterable[LeftOut]:
        for what, elements in self._placing.not_read.items():
            yield LeftOut(what, "not read", len(elements), elements[0].get("id", ""))
        for (name, why), elements in self._left_out.items():
            # What was passed over where it stands may be drawn by a <use>.
            left = {id(one): one for one in elements if id(one) not in self._drawn}
            if left:
                first = next((one.get("id", "") for one in left.values() if one.get("id")), "")
                yield LeftOut(name, why, len(left), first)


def _kind(element: Element) -> _Kind:
    return "other" if is_foreign(element) else _KINDS.get(local_name(element), "other")


def _which(hold: _Outline, element: Element) -> str:
    if element is hold.element:
        return named(hold.id)
    return f"{named(hold.id)}, <{local_name(element)}> {quoted(element.get('id', ''))}"
