"""What was expected on an operator's day, and what was seen, point by point."""

import textwrap
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Point:
    """One expectation."""

    expected: str
    seen: str
    met: bool


@dataclass(slots=True)
class Chapter:
    """What happened in one step of the day."""

    title: str
    points: list[Point] = field(default_factory=list)

    def expect(self, what: str, seen: object, met: object) -> None:
        """Note what was expected, what was seen of it, and whether that is the same."""
        self.points.append(Point(what, str(seen), bool(met)))

    @property
    def differs(self) -> bool:
        """Whether something was not as expected, or nothing was seen at all."""
        return not self.points or not all(point.met for point in self.points)

    def told(self) -> str:
        """For people, at 100 columns."""
        lines = [f"{'DIFFERS' if self.differs else 'as expected'}: {self.title}"]
        for point in self.points:
            lines.append(_wrapped("expected" if point.met else "EXPECTED", point.expected))
            lines.append(_wrapped("seen", point.seen))
        return "\n".join(lines)


def _wrapped(head: str, text: str) -> str:
    return textwrap.fill(
        text, 100, initial_indent=f"  {head:9} ", subsequent_indent=" " * 12, break_on_hyphens=False
    )
