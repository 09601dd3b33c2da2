"""Times that overlap, together.                                                                              pure"""

from collections.abc import Callable, Iterable
from math import inf
from typing import TypeVar

T = TypeVar("T")


def overlapping(
    found: Iterable[T], *, begin: Callable[[T], float], end: Callable[[T], float], apart: float = 0.0
) -> list[list[T]]:
    """`found`, in the order of its begins, in groups: each begins at most `apart` seconds after all before it have ended."""
    groups: list[list[T]] = []
    until = -inf
    for item in found:
        if groups and begin(item) <= until + apart:
            groups[-1].append(item)
            until = max(until, end(item))
        else:
            groups.append([item])
            until = end(item)
    return groups
