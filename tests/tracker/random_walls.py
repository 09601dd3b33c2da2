"""Drawings by the luck of the draw: every path command in every spelling, every shape, transforms, groups, uses."""

import random

SIZE = 1000.0
COMMANDS = "MmLlHhVvCcSsQqTtAaZz"


class RandomWall:
    """The same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._n = 0
        self.commands: set[str] = set()
        body = "".join(self._hold() for _ in range(self._rng.randint(2, 5)))
        self.svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE:g} {SIZE:g}">{body}</svg>'

    def _hold(self) -> str:
        self._n += 1
        made = f'class="hold" id="hold_{self._n}"'
        kind = self._rng.random()
        if kind < 0.6:
            inside = self._shape(made)
        elif kind < 0.8:
            inside = f"<g {made} {self._more()}>{self._shape('')}<g {self._more()}>{self._shape('')}</g></g>"
        else:
            x, y = self._number(-200, 200), self._number(-200, 200)
            part = self._shape(f'id="part_{self._n}"')
            inside = f'<defs>{part}</defs><use {made} {self._more()} x="{x}" y="{y}" href="#part_{self._n}"/>'
        return f"<g {self._more()}>{inside}</g>" if self._rng.random() < 0.4 else inside

    def _more(self) -> str:
        parts = []
        if self._rng.random() < 0.4:
            parts.append(f'fill-rule="{self._rng.choice(("evenodd", "nonzero", "inherit"))}"')
        if self._rng.random() < 0.5:
            parts.append(f'transform="{" ".join(self._transform() for _ in range(self._rng.randint(1, 2)))}"')
        return " ".join(parts)

    def _transform(self) -> str:
        n = self._number
        return self._rng.choice(
            (
                lambda: f"translate({n(-100, 100)})",
                lambda: f"translate({n(-100, 100)},{n(-100, 100)})",
                lambda: f"scale({n(0.5, 1.5)})",
                lambda: f"scale({n(0.5, 1.5)} {n(-1.5, -0.5)})",
                lambda: f"rotate({n(-400, 400)})",
                lambda: f"rotate({n(-90, 90)} {n(300, 700)} {n(300, 700)})",
                lambda: f"skewX({n(-40, 40)})",
                lambda: f"skewY({n(-40, 40)})",
                lambda: (
                    f"matrix({n(0.5, 1.5)} {n(-0.5, 0.5)} {n(-0.5, 0.5)} {n(0.5, 1.5)} {n(-99, 99)} {n(-99, 99)})"
                ),
            )
        )()

    def _shape(self, made: str) -> str:
        n, more = self._number, f"{made} {self._more()}"
        at = f'="{n(200, 800)}"'
        return self._rng.choice(
            (
                *[lambda: f'<path {more} d="{self._path()}"/>'] * 8,
                lambda: f'<rect {more} x{at} y{at} width="{n(10, 300)}" height="{n(10, 300)}"/>',
                lambda: f'<rect {more} x{at} y{at} width="90" height="{n(10, 300)}" rx="{n(5, 99)}"/>',
                lambda: (
                    f'<rect {more} x{at} y{at} width="90" height="200" rx="{n(5, 99)}" ry="{n(5, 200)}"/>'
                ),
                lambda: f'<circle {more} cx{at} cy{at} r="{n(5, 200)}"/>',
                lambda: f'<ellipse {more} cx{at} cy{at} rx="{n(5, 200)}" ry="{n(5, 200)}"/>',
                lambda: f'<line {more} x1{at} y1{at} x2="{n(0, 999)}" y2="{n(0, 999)}"/>',
                lambda: f'<polygon {more} points="{self._points()}"/>',
                lambda: f'<polyline {more} points="{self._points()}"/>',
            )
        )()

    def _points(self) -> str:
        return " ".join(
            f"{self._number(100, 900)},{self._number(100, 900)}" for _ in range(self._rng.randint(1, 7))
        )

    def _path(self) -> str:
        text = self._command("M")
        for _ in range(self._rng.randint(0, 8)):
            text += self._command(self._rng.choice(COMMANDS))
        return text

    def _command(self, command: str) -> str:
        self.commands.add(command)
        kind = command.upper()
        if kind == "Z":
            return command + self._space()
        words = [
            self._arguments(kind, relative=command.islower()) for _ in range(self._rng.choice((1, 1, 1, 2)))
        ]
        return command + self._space() + self._rng.choice((" ", ",", "\n ")).join(words) + self._space()

    def _arguments(self, kind: str, *, relative: bool) -> str:
        def at() -> str:
            return self._number(-300, 300) if relative else self._number(100, 900)

        if kind == "A":
            exponent = self._rng.choice((1, 1, 1, 1e3, 1e7, 1e13))
            rx, ry = (
                self._rng.choice((str(self._rng.uniform(5, 400) * exponent), "0", "-50"))
                if self._rng.random() < 0.3
                else self._number(20, 300)
                for _ in "xy"
            )
            if self._rng.random() < 0.05:
                rx = ry = "1e-9"
            if exponent > 1:
                rx = ry = repr(self._rng.uniform(50, 400) * exponent)
            large = "0" if exponent > 1 else self._rng.choice("01")
            flags = self._rng.choice(
                (
                    f"{large} {self._rng.choice('01')} ",
                    f"{large}{self._rng.choice('01')}",
                    f"{large},{self._rng.choice('01')},",
                )
            )
            return f"{rx} {ry},{self._number(-180, 180)} {flags}{at()} {at()}"
        count = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2}[kind]
        words = at()
        for _ in range(count - 1):
            word = at()
            words += (
                word
                if word[0] == "-" and self._rng.random() < 0.5
                else self._rng.choice((" ", ",", " , ")) + word
            )
        return words

    def _space(self) -> str:
        return self._rng.choice(("", "", " ", "\n\t"))

    def _number(self, low: float, high: float) -> str:
        value = self._rng.uniform(low, high)
        whole = str(round(value))
        return self._rng.choice(
            (whole, f"{value:.2f}", f"{value:.3f}", f"{value:.4e}", f"{whole}.0", f"{value:+.1f}".replace("+", "", value < 0))
        )  # fmt: skip
