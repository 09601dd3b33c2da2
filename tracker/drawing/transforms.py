"""Affine transforms, as the attribute `transform` has them.                                                pure"""

import re
from math import cos, isfinite, radians, sin, tan
from typing import NamedTuple

from tracker.drawing.numbers import SPACE, numbers

_FUNCTION = re.compile(rf"([a-zA-Z]+){SPACE}\(([^()]*+)\)[\t\n\f\r ,]*+")
_COUNTS = {
    "matrix": (6,),
    "translate": (1, 2),
    "scale": (1, 2),
    "rotate": (1, 3),
    "skewX": (1,),
    "skewY": (1,),
}


class Matrix(NamedTuple):
    """x becomes a x + c y + e, and y becomes b x + d y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def apply(self, point: tuple[float, float]) -> tuple[float, float]:
        x, y = point
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def after(self, first: "Matrix") -> "Matrix":
        """Return the transform that does `first`, which stands further inside, and then this one."""
        a, b, c, d, e, f = first
        return Matrix(
            self.a * a + self.c * b,
            self.b * a + self.d * b,
            self.a * c + self.c * d,
            self.b * c + self.d * d,
            *self.apply((e, f)),
        )

    def about(self, x: float, y: float) -> "Matrix":
        """Return the same with (x, y) as its origin."""
        return moved_by(x, y).after(self).after(moved_by(-x, -y))


UNMOVED = Matrix()


def moved_by(x: float, y: float) -> Matrix:
    """Return a translation."""
    return Matrix(e=x, f=y)


def from_attribute(text: str) -> Matrix | None:
    """Return what the attribute `transform` says; None where that cannot be read."""
    result, rest = Matrix(), text.strip()
    while rest:
        match = _FUNCTION.match(rest)
        values = numbers(match[2]) if match else None
        if match is None or values is None or len(values) not in _COUNTS.get(match[1], ()):
            return None
        result = result.after(matrix_of(match[1], values))
        rest = rest[match.end() :]
    return result if all(map(isfinite, result)) else None


def matrix_of(name: str, values: list[float]) -> Matrix:
    """Return what one function of the attribute says, given as many numbers as it may have."""
    if name == "matrix":
        return Matrix(*values)
    if name == "translate":
        return moved_by(values[0], values[1] if len(values) > 1 else 0.0)
    if name == "scale":
        return Matrix(a=values[0], d=values[-1])
    if name == "rotate":
        turn = radians(values[0] % 360)
        matrix = Matrix(cos(turn), sin(turn), -sin(turn), cos(turn))
        return matrix.about(values[1], values[2]) if len(values) == 3 else matrix
    slope = tan(radians(values[0]))
    return Matrix(c=slope) if name == "skewX" else Matrix(b=slope)
