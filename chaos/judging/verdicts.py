"""What a check says.                                                                                         pure"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "unknown"]
CheckVerdict = Literal["pass", "fail", "unknown", "note"]
"""A note is worth reading, and decides nothing."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Three views of one moment, each a sentence without a full stop."""

    at: float
    """Scenario seconds."""
    peer: str
    fault: str
    client: str


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, judged on one record."""

    name: str
    verdict: CheckVerdict
    expected: str
    observed: str
    at: float | None = None
    """The moment of what is wrong, in scenario seconds; None: it has none, or nothing is."""
    circumstances: Circumstances | None = None
    """What went on then, where that is known."""

    def told(self) -> tuple[tuple[str, str], ...]:
        """What it says, line by line, each under its heading."""
        said = ("expected", self.expected), ("observed", self.observed)
        then = self.circumstances
        if then is None:
            return said
        return *said, ("peer", then.peer), ("fault", then.fault), ("client", then.client)


def decided(name: str, *, ok: bool, expected: str, observed: str, at: float | None = None) -> Check:
    """A check that knows; `at` is when what is wrong happened."""
    return Check(name, "pass" if ok else "fail", expected, observed, None if ok else at)


def worst(verdicts: Iterable[CheckVerdict]) -> Verdict:
    """What they come to together: one that fails, else one that knows nothing, else a pass. Notes do not count."""
    met = set(verdicts)
    return "fail" if "fail" in met else "unknown" if "unknown" in met else "pass"


def worst_of(checks: Iterable[Check]) -> list[Check]:
    """Those of several checks of one promise that say what they come to together; notes where there is nothing else."""
    found = list(checks)
    verdict = worst(check.verdict for check in found)
    return [check for check in found if check.verdict == verdict] or found


HOST_PAUSED = "host-paused"
"""The check that speaks where the machine stood still and something is unknown, perhaps for that reason."""
HOST_SLOW = "host-slow"
"""The check that speaks where the peer could not do what a scenario asks of it, because the machine was too slow for that."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All checks of one run, and the verdict that follows: the worst of them."""

    verdict: Verdict
    checks: tuple[Check, ...]

    @property
    def in_doubt(self) -> bool:
        """Whether nothing but the machine may be to blame."""
        names = {check.name for check in self.checks}
        return self.verdict == "unknown" and bool(names & {HOST_PAUSED, HOST_SLOW})

    @classmethod
    def of(cls, checks: Iterable[Check]) -> "Judgement":
        """Of these checks."""
        found = tuple(checks)
        return cls(worst(check.verdict for check in found), found)


def some(values: Sequence[int] | Sequence[str]) -> str:
    """The first few of them, in words, and how many there are."""
    shown = ", ".join(map(str, values[:5]))
    return f"{shown}, ... ({len(values)} in all)" if len(values) > 5 else shown
