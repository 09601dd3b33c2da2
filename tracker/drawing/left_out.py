"""What of a drawing is no hold, so that nothing of it is passed over without a word.                        pure"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tracker.drawing.problems import named

Why = Literal["no hold", "hidden", "not drawn", "no outline", "not read"]
"""It has not the class; or it has, and is hidden, stands in what is not drawn and is used nowhere, or is an element that
has no outline. `not read` is what has a say in what is seen, and no element."""

_SHOWN = 8
_SAID = {
    "hidden": "of class hold but hidden",
    "not drawn": "of class hold but inside of what is not drawn",
    "no outline": "of class hold but without an outline",
    "not read": "not read",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Elements of one kind that are no holds, for one reason."""

    name: str
    """The element's, such as rect; or what is not read, such as clip-path."""
    why: Why
    count: int
    first: str
    """The first one's id; empty if it has none."""


def one_line(left_out: Iterable[LeftOut]) -> str:
    """Return all of it in a line of bounded length; empty where nothing was left out."""
    parts = sorted(left_out, key=lambda one: one.why == "no hold")
    shown = [_text(one) for one in parts[:_SHOWN]]
    more = f"and {len(parts) - _SHOWN} kinds more" if len(parts) > _SHOWN else ""
    return ", ".join([*shown, more] if more else shown)


def _text(one: LeftOut) -> str:
    details = [_SAID[one.why]] if one.why != "no hold" else []
    if one.first:
        details.append(f"{'first ' if one.count > 1 else ''}{named(one.first)}")
    return f"{one.count} {named(one.name)}" + (f" ({', '.join(details)})" if details else "")
