"""Path data (the attribute d) as curves: every command of SVG 1.1 and 2, read to the end or refused.        pure"""

import re
from collections.abc import Iterator
from math import isfinite

from tracker.drawing.arcs import arc
from tracker.drawing.curves import Curve, Point, Subpath
from tracker.drawing.numbers import NUMBER, SEPARATOR, SPACE
from tracker.drawing.problems import PointBudget, quoted

_ARGUMENTS = {
    "M": "nn",
    "L": "nn",
    "H": "n",
    "V": "n",
    "C": "nnnnnn",
    "S": "nnnn",
    "Q": "nnnn",
    "T": "nn",
} | {
    "A": "nnnffnn",  # f: a flag, one character that needs no space behind it
    "Z": "",
}
_NUMBER, _SPACE, _SEPARATOR, _FLAG = map(re.compile, (NUMBER, SPACE, SEPARATOR, "[01]"))
_WORDS = {"n": "a number", "f": "a flag, 0 or 1,"}


class BadPathData(ValueError):
    """Where path data cannot be read on, and why."""

    def __init__(self, d: str, at: int, why: str) -> None:
        found = f"and not {quoted(d[at : at + 12])}" if at < len(d) else "but it ends"
        super().__init__(f"its path cannot be read to its end: at character {at + 1} {why} {found}")


def read_path(d: str, budget: PointBudget) -> list[Subpath]:
    """Return the subpaths; empty for a path that draws nothing at all. Raises `BadPathData`."""
    pen = _Pen(budget)
    for command, values in _commands(d):
        pen.draw(command, values)
    return pen.subpaths


class _Pen:
    """Draws one command after the other."""

    def __init__(self, budget: PointBudget) -> None:
        self.subpaths: list[Subpath] = []
        self._budget = budget
        self._at: Point = (0.0, 0.0)
        self._closed = False
        self._cubic: Point | None = None
        """The second control point, where the command before was a C or an S."""
        self._quadratic: Point | None = None
        """The control point, where the command before was a Q or a T."""

    def draw(self, command: str, values: list[float]) -> None:
        kind = command.upper()
        x, y = self._at if command.islower() else (0.0, 0.0)
        cubic, quadratic = self._cubic, self._quadratic
        self._cubic = self._quadratic = None
        if kind == "Z":
            self._at, self._closed = self.subpaths[-1].start, True
            return
        if kind == "H":
            points = [(x + values[0], self._at[1])]
        elif kind == "V":
            points = [(self._at[0], y + values[0])]
        elif kind == "A":
            points = [(x + values[5], y + values[6])]
        else:
            points = [(x + a, y + b) for a, b in zip(values[::2], values[1::2], strict=True)]
        if kind == "M":
            self._budget.take_curves(1)
            self._at, self._closed = points[0], False
            self.subpaths.append(Subpath(self._at))
        elif kind == "A":
            rx, ry, degrees, large, sweep = values[:5]
            end = points[0]
            self._add(arc(self._at, (rx, ry), degrees, large=large == 1, sweep=sweep == 1, end=end), end)
        elif kind in "CS":
            curve = points if kind == "C" else [self._mirrored(cubic), *points]
            self._cubic = curve[1]
            self._add([tuple(curve)], curve[-1])
        elif kind in "QT":
            curve = points if kind == "Q" else [self._mirrored(quadratic), *points]
            self._quadratic = curve[0]
            self._add([tuple(curve)], curve[-1])
        else:
            self._add([(points[0],)], points[0])

    def _mirrored(self, control: Point | None) -> Point:
        """A smooth curve's first control point: the current point, unless the command before was of its kind."""
        x, y = self._at
        return self._at if control is None else (2 * x - control[0], 2 * y - control[1])

    def _add(self, curves: list[Curve], end: Point) -> None:
        if self._closed:  # drawing goes on after a Z: from where that subpath began
            self._budget.take_curves(1)
            self.subpaths.append(Subpath(self._at))
            self._closed = False
        self._budget.take_curves(len(curves))
        self.subpaths[-1].curves += curves
        self._at = end


def _commands(d: str) -> Iterator[tuple[str, list[float]]]:
    """Each command with its numbers, one set of them at a time."""
    at = _end(_SPACE, d, 0)
    first = "Mm"
    while at < len(d):
        command = d[at]
        kinds = _ARGUMENTS.get(command.upper()) if command.isascii() else None
        if kinds is None or (first and command not in first):
            raise BadPathData(d, at, "must be M or m," if first else "must be a command or a number,")
        first = ""
        at = _end(_SPACE, d, at + 1)
        if not kinds:
            yield command, []
            continue
        while True:
            values, at = _values(d, at, kinds)
            yield command, values
            command = {"M": "L", "m": "l"}.get(command, command)
            more = _end(_SEPARATOR, d, at)
            if not _NUMBER.match(d, more):
                break
            at = more
        at = _end(_SPACE, d, at)


def _values(d: str, at: int, kinds: str) -> tuple[list[float], int]:
    values: list[float] = []
    for kind in kinds:
        if values:
            at = _end(_SEPARATOR, d, at)
        match = (_NUMBER if kind == "n" else _FLAG).match(d, at)
        if match is None:
            raise BadPathData(d, at, f"must be {_WORDS[kind]}")
        value = float(match[0])
        if not isfinite(value):
            raise BadPathData(d, at, "must be a number that is not beyond all bounds,")
        values.append(value)
        at = match.end()
    return values, at


def _end(pattern: re.Pattern[str], d: str, at: int) -> int:
    match = pattern.match(d, at)
    assert match is not None, "spaces may be none"
    return match.end()
