"""What a check says.                                                                                         pure"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, judged on one record."""

    name: str
    verdict: Verdict
    expected: str
    observed: str


def decided(name: str, *, ok: bool, expected: str, observed: str) -> Check:
    """A check that knows."""
    return Check(name, "pass" if ok else "fail", expected, observed)
