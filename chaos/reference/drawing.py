"""Which curves of a drawing make each hold, and where. Plain, and only for drawings that the tracker takes.

Two libraries read it: one the transforms, lengths and basic shapes, the other the paths. Neither reads style sheets as
needed, nor says what a <use> shows, so that is done here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element

import svgelements
from svg.path import parse_path

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"
SHAPES = {
    "rect": (svgelements.Rect, ("x", "y", "width", "height", "rx", "ry")),
    "circle": (svgelements.Circle, ("cx", "cy", "r")),
    "ellipse": (svgelements.Ellipse, ("cx", "cy", "rx", "ry")),
}
CONTAINERS = {"svg", "g", "a"}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_GAP = r"[\s,]*"
_RADII = re.compile(
    rf"({_NUMBER}){_GAP}({_NUMBER})({_GAP}{_NUMBER}{_GAP}[01]{_GAP}[01]{_GAP}{_NUMBER}{_GAP}{_NUMBER})"
)
PROPERTIES = ("display", "visibility", "fill-rule", "transform", "transform-origin")


_Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(frozen=True)
class Shape:
    """One shape of a hold."""

    hold: str
    path: Any
    """In its own coordinates."""
    matrix: svgelements.Matrix
    even_odd: bool


@dataclass(frozen=True)
class _Around:
    """What an element stands in."""

    matrix: svgelements.Matrix
    width: float
    height: float
    hold: str | None = None
    even_odd: bool = False
    visible: bool = True


class Drawing:
    """`box` is the wall: left, top, width and height."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._by_id = {element.get("id"): element for element in reversed(list(root.iter()))}
        self._rules = [
            rule
            for element in root.iter()
            if _name(element) == "style"
            for rule in _rules("".join(element.itertext()))
        ]
        view = _view_box(root)
        self.box = view or (0.0, 0.0, _length(root, "width", 0), _length(root, "height", 0))

    def shapes(self) -> Iterator[Shape]:
        """Those of all holds, in the order in which they are drawn."""
        _, _, width, height = self.box
        pending = [(self._root, _Around(svgelements.Matrix(), width, height))]
        while pending:
            element, around = pending.pop()
            name = _name(element)
            if name not in CONTAINERS | SHAPES.keys() | {"path", "use", "line", "polyline", "polygon"}:
                continue
            style = self._style(element)
            if style.get("display") == "none":
                continue
            inside = self._inside(element, around, style)
            if name in CONTAINERS:
                pending += [(child, inside) for child in reversed(element)]
            elif name == "use":
                pending += self._shown_by(element, inside)
            elif inside.hold is not None and inside.visible and (path := _path(element, inside)):
                yield Shape(inside.hold, path, inside.matrix, inside.even_odd)

    def _inside(self, element: Element, around: _Around, style: dict[str, str]) -> _Around:
        rule, visibility = style.get("fill-rule"), style.get("visibility")
        inside = replace(
            around,
            matrix=self._own_matrix(element, around, style) * around.matrix,
            even_odd=rule == "evenodd" if rule in ("evenodd", "nonzero", "initial") else around.even_odd,
            visible=visibility in ("visible", "initial")
            if visibility in ("visible", "initial", "hidden", "collapse")
            else around.visible,
        )
        if "hold" in element.get("class", "").split():
            inside = replace(inside, hold=element.get("id"))
        return (
            _in_viewport(element, element, inside)
            if _name(element) == "svg" and element is not self._root
            else inside
        )

    def _shown_by(self, use: Element, inside: _Around) -> list[tuple[Element, _Around]]:
        target = self._by_id.get((use.get("href") or use.get(XLINK) or "").strip()[1:])
        if target is None:
            return []
        x, y = _length(use, "x", inside.width), _length(use, "y", inside.height)
        there = replace(inside, matrix=svgelements.Matrix(1, 0, 0, 1, x, y) * inside.matrix)
        if _name(target) != "symbol":
            return [(target, there)]
        style = self._style(target)
        if style.get("display") == "none":
            return []
        symbol = _in_viewport(
            target, use, replace(self._inside(target, there, style), hold=there.hold), moved=False
        )
        return [(child, symbol) for child in reversed(target)]

    def _own_matrix(self, element: Element, around: _Around, style: dict[str, str]) -> svgelements.Matrix:
        text = style.get("transform", element.get("transform", "")).strip()
        if text in ("", "none"):
            return svgelements.Matrix()
        root = element is self._root
        paper = self._on_paper() if root else None
        width, height = (around.width, around.height) if paper is None else paper[1:]
        own = svgelements.Matrix(text)
        own.render(ppi=96, width=width, height=height)
        x, y = _origin(style.get("transform-origin", "50% 50%" if root else "0 0"), width, height)
        if root and paper is None:
            x, y = x + self.box[0], y + self.box[1]
        own = svgelements.Matrix(1, 0, 0, 1, -x, -y) * own * svgelements.Matrix(1, 0, 0, 1, x, y)
        return own if paper is None else paper[0] * own * ~paper[0]

    def _on_paper(self) -> tuple[svgelements.Matrix, float, float] | None:
        """What puts the wall on paper, and the paper's size, where the drawing says it."""
        sizes = self._root.get("width", "100%"), self._root.get("height", "100%")
        if any(size.strip().endswith("%") for size in sizes):
            return None
        width, height = (_length(self._root, side, 0) for side in ("width", "height"))
        return (
            _fitted(self.box, (0, 0, width, height), self._root.get("preserveAspectRatio", "")),
            width,
            height,
        )

    def _style(self, element: Element) -> dict[str, str]:
        """The properties that are set, the strongest last."""
        found = [
            (False, (0, 0, 0), 0, name, value)
            for name in PROPERTIES
            if (value := element.get(name)) and name != "transform"
        ]
        id_, classes = element.get("id"), set(element.get("class", "").split())
        for n, (selector, name, value, important) in enumerate(self._rules):
            kind, ids, wanted = selector
            if kind in ("", "*", _name(element)) and ids <= {id_} and wanted <= classes:
                found.append((important, (len(ids), len(wanted), kind not in ("", "*")), n + 1, name, value))
        for n, (name, value, important) in enumerate(_declarations(element.get("style", ""))):
            found.append((important, (9, 0, 0), n, name, value))
        return {name: value.strip().lower() for *_, name, value in sorted(found)}


def _rules(sheet: str) -> Iterator[tuple[Any, str, str, bool]]:
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    sheet = re.sub(r"@media\s+print\s*\{([^{}]*\{[^{}]*\})*\s*\}", "", sheet)
    for selectors, block in re.findall(r"([^{}@;]+)\{([^{}]*)\}", sheet):
        for selector in map(str.strip, selectors.split(",")):
            if ":" in selector:
                continue  # while somebody hovers over it, or the like
            kind = re.match(r"[^.#]*", selector)
            ids, classes = set(re.findall(r"#([^.#]+)", selector)), set(re.findall(r"\.([^.#]+)", selector))
            for name, value, important in _declarations(block):
                yield (kind[0] if kind else "", ids, classes), name, value, important


def _declarations(block: str) -> Iterator[tuple[str, str, bool]]:
    for declaration in re.sub(r"/\*.*?\*/", "", block, flags=re.DOTALL).split(";"):
        name, _, value = declaration.partition(":")
        if name.strip().lower() in PROPERTIES:
            plain = re.sub(r"!\s*important\s*$", "", value.strip(), flags=re.IGNORECASE)
            yield name.strip().lower(), plain, plain != value.strip()


def _path(element: Element, around: _Around) -> Any:
    name = _name(element)
    if name == "path":
        # The library refuses radii below 0, which the standard takes for what they are above it.
        arcs = re.compile(r"(?<=[Aa])[^A-DF-Za-df-z]*")
        return parse_path(arcs.sub(lambda arc: _RADII.sub(_without_signs, arc[0]), element.get("d", "")))
    if name in SHAPES:
        make, names = SHAPES[name]
        sizes = {
            key: _length(element, key, _whole(key, around))
            for key in names
            if element.get(key, "auto").strip() != "auto"
        }
        if name == "ellipse" and len(one := sizes.keys() & {"rx", "ry"}) == 1:
            sizes |= {"rx": sizes[next(iter(one))], "ry": sizes[next(iter(one))]}
        flat = any(sizes.get(key, 0) == 0 for key in names if key in ("width", "height", "r"))
        if flat or (name == "ellipse" and not (sizes.get("rx") and sizes.get("ry"))):
            return None
        if name == "rect" and 0 in (sizes.get("rx"), sizes.get("ry")):
            sizes |= {"rx": 0, "ry": 0}
        return parse_path(svgelements.Path(make(**sizes)).d())
    if name == "line":
        ends = [_length(element, key, _whole(key, around)) for key in ("x1", "y1", "x2", "y2")]
        return parse_path("M{!r},{!r}L{!r},{!r}".format(*ends))
    points = element.get("points", "").strip()
    return parse_path(f"M{points}Z") if points else None


def _without_signs(arc: re.Match[str]) -> str:
    return f"{abs(float(arc[1]))!r} {abs(float(arc[2]))!r}{arc[3]}"


def _whole(key: str, around: _Around) -> float:
    if key == "r":
        return float(((around.width**2 + around.height**2) / 2) ** 0.5)
    return around.width if key in ("x", "cx", "rx", "width", "x1", "x2") else around.height


def _in_viewport(element: Element, sized: Element, inside: _Around, *, moved: bool = True) -> _Around:
    width = _length(sized, "width", inside.width, "100%")
    height = _length(sized, "height", inside.height, "100%")
    x, y = (
        (_length(element, "x", inside.width), _length(element, "y", inside.height)) if moved else (0.0, 0.0)
    )
    box = _view_box(element)
    if box is None:
        return replace(
            inside, matrix=svgelements.Matrix(1, 0, 0, 1, x, y) * inside.matrix, width=width, height=height
        )
    matrix = _fitted(box, (x, y, width, height), element.get("preserveAspectRatio", ""))
    return replace(inside, matrix=matrix * inside.matrix, width=box[2], height=box[3])


def _fitted(box: _Box, into: _Box, aspect: str) -> svgelements.Matrix:
    x, y, width, height = into
    words = aspect.split() or ["xMidYMid"]
    across, down = width / box[2], height / box[3]
    if words[0] != "none":
        across = down = max(across, down) if words[-1] == "slice" else min(across, down)
        share = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
        x += (width - across * box[2]) * share[words[0][1:4]]
        y += (height - down * box[3]) * share[words[0][5:8]]
    return svgelements.Matrix(across, 0, 0, down, x - across * box[0], y - down * box[1])


def _origin(text: str, width: float, height: float) -> tuple[float, float]:
    words = [*text.split(), "center"][:2]
    if words[0] in ("top", "bottom") or words[1] in ("left", "right"):
        words.reverse()
    named = {"left": "0%", "top": "0%", "center": "50%", "right": "100%", "bottom": "100%"}
    x, y = (
        float(svgelements.Length(named.get(word, word)).value(ppi=96, relative_length=whole))
        for word, whole in zip(words, (width, height), strict=True)
    )
    return x, y


def _view_box(element: Element) -> _Box | None:
    text = element.get("viewBox")
    if text is None:
        return None
    x, y, width, height = map(float, text.replace(",", " ").split())
    return x, y, width, height


def _length(element: Element, name: str, whole: float, default: str = "0") -> float:
    text = element.get(name, default).strip()
    return float(svgelements.Length(default if text == "auto" else text).value(ppi=96, relative_length=whole))


def _name(element: Element) -> str:
    tag = str(element.tag)
    return tag.removeprefix(SVG) if tag.startswith(SVG) or "}" not in tag else ""
