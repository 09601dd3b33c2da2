"""Transforms as the CSS property has them, of two dimensions: with units, and its own ways to write them.     pure"""

import re
from collections.abc import Callable
from math import isfinite, radians, tan

from tracker.drawing.numbers import NUMBER, SPACE, length, numbers
from tracker.drawing.transforms import Matrix, matrix_of, moved_by

_FUNCTION = re.compile(rf"([a-zA-Z]+)\(([^()]*+)\){SPACE}")
_ANGLE = re.compile(rf"({NUMBER})(deg|rad|grad|turn)?")
_DEGREES = {"deg": 1.0, "rad": 57.29577951308232, "grad": 0.9, "turn": 360.0}
_ACROSS, _DOWN, _NUMBER, _TURN = range(4)
"""What an argument is: a length across or down, a number, an angle."""

_FUNCTIONS: dict[str, tuple[tuple[int, ...], int, Callable[[list[float]], Matrix]]] = {
    "matrix": ((_NUMBER,) * 6, 6, lambda values: Matrix(*values)),
    "translate": ((_ACROSS, _DOWN), 1, lambda values: matrix_of("translate", values)),
    "translatex": ((_ACROSS,), 1, lambda values: moved_by(values[0], 0.0)),
    "translatey": ((_DOWN,), 1, lambda values: moved_by(0.0, values[0])),
    "scale": ((_NUMBER, _NUMBER), 1, lambda values: matrix_of("scale", values)),
    "scalex": ((_NUMBER,), 1, lambda values: Matrix(a=values[0])),
    "scaley": ((_NUMBER,), 1, lambda values: Matrix(d=values[0])),
    "rotate": ((_TURN,), 1, lambda values: matrix_of("rotate", values)),
    "skew": ((_TURN, _TURN), 1, lambda values: Matrix(b=_slope(values[1:]), c=_slope(values))),
    "skewx": ((_TURN,), 1, lambda values: matrix_of("skewX", values)),
    "skewy": ((_TURN,), 1, lambda values: matrix_of("skewY", values)),
}
"""What the arguments are, how many there must be at least, and what comes of them."""


def from_css(text: str, viewport: tuple[float, float]) -> Matrix | None:
    """Return what the property says, percentages being of the viewport; None where that cannot be read."""
    result, rest = Matrix(), text.strip()
    if rest.lower() == "none":
        return result
    while rest:
        match = _FUNCTION.match(rest)
        one = _function(match[1].lower(), match[2].split(","), viewport) if match else None
        if match is None or one is None:
            return None
        result = result.after(one)
        rest = rest[match.end() :]
    return result if all(map(isfinite, result)) else None


def _function(name: str, texts: list[str], viewport: tuple[float, float]) -> Matrix | None:
    kinds, least, make = _FUNCTIONS.get(name, ((), 1, lambda _: Matrix()))
    if not least <= len(texts) <= len(kinds):
        return None
    values = [_value(text.strip(), kind, viewport) for text, kind in zip(texts, kinds, strict=False)]
    plain = [value for value in values if value is not None]
    return make(plain) if len(plain) == len(texts) else None


def _value(text: str, kind: int, viewport: tuple[float, float]) -> float | None:
    if kind in (_ACROSS, _DOWN):
        value = length(text, whole=viewport[kind])
        # A number without a unit is a length in CSS only if it is 0.
        return None if value and text[-1] in "0123456789." else value
    if kind == _NUMBER:
        found = numbers(text)
        return found[0] if found is not None and len(found) == 1 else None
    match = _ANGLE.fullmatch(text)
    if match is None or (match[2] is None and float(match[1]) != 0):
        return None
    value = float(match[1]) * _DEGREES[match[2] or "deg"]
    return value if isfinite(value) else None


def _slope(degrees: list[float]) -> float:
    return tan(radians(degrees[0])) if degrees else 0.0
