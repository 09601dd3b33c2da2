"""What CSS says of an element: its style sheets, its `style` and the attributes that stand for properties.    pure

Only the properties that decide what is drawn where are of interest. Of selectors, names, classes and ids are
read, alone or joined (`path.hold`); another one that would set such a property is refused, by its name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import tinycss2

from tracker.drawing.document import local_name
from tracker.drawing.problems import WallError, quoted

MAX_RULES = 200
"""Of those that matter here: each is held against each element."""

AS_ATTRIBUTE = frozenset({"display", "visibility", "fill-rule", "clip-path", "mask", "transform-origin"})
"""Properties that an attribute of the same name can set as well, and is read as."""
MOVING = frozenset({"translate", "rotate", "scale", "offset-path", "transform-box"})
"""Properties that move an element, and are not read."""
GEOMETRY = frozenset({"d", "x", "y", "cx", "cy", "r", "rx", "ry", "width", "height"})
"""Attributes that CSS can set as well."""
PROPERTIES = AS_ATTRIBUTE | MOVING | GEOMETRY | {"transform"}

_ANY = re.compile(rf"(?<![-\w])(?:{'|'.join(sorted(PROPERTIES, reverse=True))})\s*[:/]|\\", re.IGNORECASE)
"""A quick look at whether a style sets any of them; a backslash may spell a name in another way."""
# Nobody hovers over a wall: these rules are not in effect.
_WHEN_USED = {"hover", "active", "focus", "focus-visible", "focus-within", "visited", "target"}


@dataclass(frozen=True, slots=True)
class _Selector:
    """All that is given must fit."""

    name: str
    id: str
    classes: frozenset[str]

    @property
    def weight(self) -> tuple[int, int, int]:
        return (bool(self.id), len(self.classes), bool(self.name))

    def fits(self, name: str, id_: str, classes: frozenset[str]) -> bool:
        return self.name in ("", name) and self.id in ("", id_) and self.classes <= classes


_Property = tuple[str, str, bool]
"""Name, value, and whether it is important."""


class Styles:
    """All style sheets of a drawing. Raises `WallError` for a rule that matters and cannot be read."""

    def __init__(self, root: Element) -> None:
        self._rules: list[tuple[_Selector, _Property]] = []
        self.imports = False
        """Whether a sheet asks for another one, which is not read."""
        for element in root.iter():
            if local_name(element) == "style":
                self._add_sheet(element)
        self._found: dict[tuple[str, str, str], list[tuple[_Selector, _Property]]] = {}

    def of(self, element: Element) -> dict[str, str]:
        """Return the values of the properties that are set, in lower case."""
        values = {name: value for name in AS_ATTRIBUTE if (value := element.get(name)) is not None}
        for _, (name, value, _) in self._fitting(element):
            values[name] = value
        important = {name for _, (name, _, marked) in self._fitting(element) if marked}
        own = _declarations(element.get("style", ""))
        values.update({name: value for name, value, marked in own if marked or name not in important})
        return {name: value.strip().lower() for name, value in values.items()}

    def _fitting(self, element: Element) -> list[tuple[_Selector, _Property]]:
        """What fits, the strongest last."""
        if not self._rules:
            return []
        key = (local_name(element), element.get("id", ""), element.get("class", ""))
        if key not in self._found:
            classes = frozenset(key[2].split())
            rules = [rule for rule in self._rules if rule[0].fits(key[0], key[1], classes)]
            rules.sort(key=lambda rule: (rule[1][2], rule[0].weight))  # else by their order
            self._found[key] = rules
        return self._found[key]

    def _add_sheet(self, element: Element) -> None:
        text = "".join(element.itertext())
        if element.get("type", "text/css").strip().lower() not in ("", "text/css"):
            return
        if element.get("media", "all").strip().lower() not in ("", "all", "screen"):
            self._refuse_if_it_matters(text, f"a <style> with media={quoted(element.get('media', ''))}")
            return
        for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
            if rule.type == "at-rule":
                self._add_at_rule(rule)
            elif rule.type == "qualified-rule":
                self._add_rule(rule)

    def _add_at_rule(self, rule: Any) -> None:
        if rule.lower_at_keyword == "import":
            self.imports = True
        elif rule.content is not None and rule.lower_at_keyword not in ("font-face", "keyframes", "page"):
            asked = f"@{rule.lower_at_keyword} {tinycss2.serialize(rule.prelude).strip()}"
            if asked.lower() != "@media print":
                self._refuse_if_it_matters(tinycss2.serialize(rule.content), asked)

    def _refuse_if_it_matters(self, text: str, asked: str) -> None:
        for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
            for name, _, _ in _properties(rule.content or []):
                raise WallError(
                    f"its style sheet sets {name} under {quoted(asked)}, which is not read; set it without a condition"
                )

    def _add_rule(self, rule: Any) -> None:
        properties = list(_properties(rule.content))
        if not properties:
            return
        for part in _split(rule.prelude):
            selector = _selector(part)
            if selector is None:
                raise WallError(
                    f"its style sheet sets {properties[0][0]} for {quoted(tinycss2.serialize(part).strip())}: of"
                    " selectors only names, classes and ids are read; set it at the elements"
                )
            if selector is not _NOBODY:
                self._rules += [(selector, one) for one in properties]
        if len(self._rules) > MAX_RULES:
            raise WallError(
                f"its style sheets set what is drawn where in more than {MAX_RULES} rules; simplify them"
            )


_NOBODY = _Selector("", "", frozenset())


def _split(prelude: Sequence[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for piece in prelude:
        if piece == ",":
            yield part
            part = []
        elif piece.type != "comment":
            part.append(piece)
    yield part


def _selector(pieces: list[Any]) -> _Selector | None:
    """None: it cannot be read. `_NOBODY`: it fits no element while nobody does anything."""
    while pieces and pieces[0].type == "whitespace":
        pieces = pieces[1:]
    while pieces and pieces[-1].type == "whitespace":
        pieces = pieces[:-1]
    name, id_, classes = "", "", set()
    rest = iter(pieces)
    for n, piece in enumerate(rest):
        following = next(rest, None) if piece in (".", ":") else None
        if piece.type == "ident" and n == 0:
            name = piece.value
        elif piece.type == "hash" and not id_:
            id_ = piece.value
        elif piece == "." and following is not None and following.type == "ident":
            classes.add(following.value)
        elif piece == ":" and following is not None:
            in_use = following == ":" or (following.type == "ident" and following.lower_value in _WHEN_USED)
            return _NOBODY if in_use else None
        elif piece != "*" or n > 0:
            return None
    return _Selector(name, id_, frozenset(classes)) if pieces else None


def _declarations(style: str) -> Iterator[_Property]:
    if _ANY.search(style):
        yield from _properties(style)


def _properties(content: str | Sequence[Any]) -> Iterator[_Property]:
    """Those of a block that matter, the last of each name."""
    found: dict[str, _Property] = {}
    for one in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type == "qualified-rule" and (inner := next(_properties(one.content), None)) is not None:
            raise WallError(f"its style sheet sets {inner[0]} in a rule inside of a rule, which is not read")
        if one.type != "declaration" or one.lower_name not in PROPERTIES:
            continue
        value = tinycss2.serialize(one.value).strip()
        if "var(" in value.lower():
            raise WallError(f"its style sets {one.lower_name} to {quoted(value)}: variables are not read")
        before = found.get(one.lower_name)
        if before is None or one.important or not before[2]:
            found[one.lower_name] = (one.lower_name, value, one.important)
    yield from found.values()
