"""Another reader of drawings and another touch rule, for tests alone. Slow, plain, and sharing nothing with the tracker's.

Paths are read character by character, curves are followed in small steps of their parameter, arcs are halved with
decimals of 60 digits, and all distances are taken. It reads what `random_walls` draws.
"""

import cmath
import itertools
import math
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import numpy as np

STEPS = 600
"""Of a curve, whatever its length."""
HALVINGS = 9
"""Of an arc."""


@dataclass
class PlainHold:
    """Each shape is its rings of complex points, and whether it is filled by evenodd."""

    id: str
    shapes: list[tuple[list[Any], bool]] = field(default_factory=list)

    def distance(self, x: float, y: float) -> float:
        point = complex(x, y)
        if any(_inside(rings, point, even_odd) for rings, even_odd in self.shapes):
            return 0.0
        return min(_distance(ring, point) for rings, _ in self.shapes for ring in rings)

    def places(self) -> Any:
        return np.concatenate([ring for rings, _ in self.shapes for ring in rings])


def read_plainly(svg: str) -> list[PlainHold]:
    root = fromstring(svg)  # noqa: S314 - our own
    holds: list[PlainHold] = []
    _Walk(holds, {element.get("id"): element for element in root.iter()}, lambda z: z).read(root)
    return holds


@dataclass(frozen=True)
class _Walk:
    """What an element stands in."""

    holds: list[PlainHold]
    ids: Any
    place: Any
    even_odd: bool = False
    hold: PlainHold | None = None

    def read(self, element: Element) -> None:
        name = element.tag.partition("}")[2]
        if name == "defs":
            return
        place, hold = self.place, self.hold
        for kind, values in _functions(element.get("transform", "")):
            place = _then(_function(kind, values), place)
        even_odd = {"evenodd": True, "nonzero": False}.get(element.get("fill-rule", ""), self.even_odd)
        if "hold" in element.get("class", "").split():
            hold = PlainHold(str(element.get("id")))
            self.holds.append(hold)
        inner = replace(self, place=place, even_odd=even_odd, hold=hold)
        if name == "use":
            shift = complex(float(element.get("x", 0)), float(element.get("y", 0)))
            target = self.ids[element.get("href", "")[1:]]
            replace(inner, place=_then(lambda z: z + shift, place)).read(target)
            return
        rings = _rings(name, element)
        if rings and hold is not None:
            drawn = [ring for ring in rings if len(ring) > 1] or rings
            hold.shapes.append(([np.array([place(z) for z in ring]) for ring in drawn], even_odd))
        for child in element:
            inner.read(child)


def _then(first: Any, second: Any) -> Any:
    return lambda z: second(first(z))


def _functions(text: str) -> list[tuple[str, list[float]]]:
    parts = [part for part in text.replace(",", " ").split(")") if part.strip()]
    return [
        (part.partition("(")[0].strip(), [float(n) for n in part.partition("(")[2].split()]) for part in parts
    ]


def _function(kind: str, values: list[float]) -> Any:
    if kind == "translate":
        return lambda z: z + complex(values[0], values[1] if len(values) > 1 else 0)
    if kind == "scale":
        return lambda z: complex(z.real * values[0], z.imag * values[-1])
    if kind == "rotate":
        about = complex(*values[1:]) if len(values) == 3 else 0
        return lambda z: (z - about) * cmath.rect(1, math.radians(values[0])) + about
    if kind == "skewX":
        return lambda z: z + z.imag * math.tan(math.radians(values[0]))
    if kind == "skewY":
        return lambda z: z + 1j * z.real * math.tan(math.radians(values[0]))
    a, b, c, d, e, f = values
    return lambda z: complex(a * z.real + c * z.imag + e, b * z.real + d * z.imag + f)


# ---- outlines


def _rings(name: str, element: Element) -> list[list[complex]]:
    def of(key: str, default: float = 0.0) -> float:
        return float(element.get(key, default))

    if name == "path":
        return _Reader(element.get("d", "")).rings()
    if name in ("circle", "ellipse"):
        rx, ry = of("rx", of("r")), of("ry", of("r"))
        turns = [2 * math.pi * n / (4 * STEPS) for n in range(4 * STEPS)]
        return [[complex(of("cx") + rx * math.cos(t), of("cy") + ry * math.sin(t)) for t in turns]]
    if name == "line":
        return [[complex(of("x1"), of("y1")), complex(of("x2"), of("y2"))]]
    if name in ("polygon", "polyline"):
        numbers = [float(n) for n in element.get("points", "").replace(",", " ").split()]
        return [[complex(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]]
    if name == "rect":
        x, y, w, h = of("x"), of("y"), of("width"), of("height")
        rx, ry = min(of("rx", of("ry")), w / 2), min(of("ry", of("rx")), h / 2)
        ring: list[complex] = []
        for quarter, corner in enumerate(
            (
                x + w - rx + 1j * (y + ry),
                x + w - rx + 1j * (y + h - ry),
                x + rx + 1j * (y + h - ry),
                x + rx + 1j * (y + ry),
            )
        ):
            turns = [math.pi / 2 * (quarter - 1 + n / STEPS) for n in range(STEPS + 1)]
            ring += [corner + complex(rx * math.cos(t), ry * math.sin(t)) for t in turns]
        return [ring]
    return []


class _Reader:
    """One character at a time."""

    def __init__(self, d: str) -> None:
        self._d = d
        self._n = 0

    def _skip(self, what: str = " \t\n\r,") -> str:
        while self._n < len(self._d) and self._d[self._n] in what:
            self._n += 1
        return self._d[self._n] if self._n < len(self._d) else ""

    def _number(self) -> float:
        self._skip()
        begin, seen_point, seen_digit = self._n, False, False
        while self._n < len(self._d):
            c = self._d[self._n]
            if c in "+-" and (self._n == begin or self._d[self._n - 1] in "eE"):
                pass
            elif (c == "." and not seen_point) or (c in "eE" and seen_digit):
                seen_point = True
            elif c.isdigit():
                seen_digit = True
            else:
                break
            self._n += 1
        return float(self._d[begin : self._n])

    def _point(self, base: complex) -> complex:
        return base + complex(self._number(), self._number())

    def _flag(self) -> bool:
        flag = self._skip()
        self._n += 1
        return flag == "1"

    def rings(self) -> list[list[complex]]:
        rings: list[list[complex]] = []
        here = begin = 0j
        command, last, control, open_ = "", "", 0j, False
        while c := self._skip():
            if c.isalpha():
                command, self._n = c, self._n + 1
            kind = command.upper()
            base = here if command.islower() else 0j
            if kind == "M":
                here = begin = self._point(base)
                rings.append([here])
                open_, last, command = True, "M", "l" if command == "m" else "L"
                continue
            if kind == "Z":
                here, open_, last = begin, False, "Z"
                continue
            if not open_:
                rings.append([here])
                open_ = True
            if kind == "L":
                way = [self._point(base)]
            elif kind == "H":
                way = [complex(base.real + self._number(), here.imag)]
            elif kind == "V":
                way = [complex(here.real, base.imag + self._number())]
            elif kind in "CS":
                first = (
                    self._point(base) if kind == "C" else 2 * here - control if last in ("C", "S") else here
                )
                control, end = self._point(base), self._point(base)
                way = _bezier([here, first, control, end])
            elif kind in "QT":
                control = (
                    self._point(base) if kind == "Q" else 2 * here - control if last in ("Q", "T") else here
                )
                way = _bezier([here, control, self._point(base)])
            else:
                rx, ry, turn = self._number(), self._number(), self._number()
                large, sweep = self._flag(), self._flag()
                way = _arc(here, (abs(rx), abs(ry)), turn, (large, sweep), self._point(base))
            rings[-1] += way
            here, last = way[-1], kind
        return rings


def _bezier(points: list[complex]) -> list[complex]:
    t = np.arange(1, STEPS + 1) / STEPS
    degree = len(points) - 1
    line = sum(math.comb(degree, k) * t**k * (1 - t) ** (degree - k) * z for k, z in enumerate(points))
    return [*line[:-1].tolist(), points[-1]]  # type: ignore[index]


def _arc(
    here: complex, radii: tuple[float, float], degrees: float, flags: tuple[bool, bool], end: complex
) -> list[complex]:
    if here == end or 0 in radii:
        return [end]
    turn = cmath.rect(1, math.radians(degrees))
    with localcontext() as context:
        context.prec = 60
        rx, ry = Decimal(radii[0]), Decimal(radii[1])
        across = (end - here) / turn
        half = (Decimal(across.real) / rx / 2, Decimal(across.imag) / ry / 2)
        square = half[0] ** 2 + half[1] ** 2
        radius = max(Decimal(1), square.sqrt())
        height = (max(Decimal(0), radius**2 - square) / square).sqrt()
        side = 1 if flags[0] == flags[1] else -1
        # From the chord's middle to the centre; and both ends, as seen from the centre.
        centre = (half[1] * height * side, -half[0] * height * side)
        ring = [tuple(s * h - c for h, c in zip(half, centre, strict=True)) for s in (-1, 1)]
        for n in range(HALVINGS):
            finer = [ring[0]]
            for a, b in itertools.pairwise(ring):
                middle = [p + q for p, q in zip(a, b, strict=True)]
                size = (middle[0] ** 2 + middle[1] ** 2).sqrt()
                if n == 0 and size < radius / 10**9:  # half a circle: to the side that the sweep says
                    middle, size = [-a[1], a[0]] if flags[1] else [a[1], -a[0]], radius
                elif n == 0 and flags[0]:
                    size = -size
                finer += [tuple(p * radius / size for p in middle), b]
            ring = finer
        middle_ = (here + end) / 2
        points = [
            complex(float((p + c) * r), 0) + 1j * float((q + d) * s)
            for p, q in ring
            for c, d, r, s in [(*centre, rx, ry)]
        ]
    return [*[middle_ + z * turn for z in points[1:-1]], end]


# ---- distances, and the touch rule


def _distance(ring: Any, point: complex) -> float:
    a, b = ring, np.roll(ring, -1)
    way, to = b - a, point - a
    square = np.abs(way) ** 2
    along = np.divide((to * way.conj()).real, square, out=np.zeros(len(ring)), where=square > 0).clip(0, 1)
    return float(np.abs(to - along * way).min())


def _inside(rings: list[Any], point: complex, even_odd: bool) -> bool:  # noqa: FBT001
    turns = 0.0
    for ring in rings:
        seen = ring - point
        if np.abs(seen).min() < 1e-12:
            return True
        turns += float(np.angle(np.roll(seen, -1) / seen).sum())
    times = round(turns / (2 * math.pi))
    return times % 2 == 1 if even_odd else times != 0


def touches(contacts: list[tuple[float, set[str]]], duration_ms: float, grace_ms: float) -> dict[str, float]:
    """When each hold was touched, from the holds in contact at each time."""
    found: dict[str, float] = {}
    for hold in sorted({hold for _, held in contacts for hold in held}):
        times = [time for time, held in contacts if hold in held]
        run = times[:1]
        for before, time in zip([times[0], *times], times, strict=False):
            run = [*run, time] if time - before <= grace_ms else [time]
            if run[-1] - run[0] >= duration_ms:
                found[hold] = time
                break
    return found
