"""One run in a few words: the number that decided its verdict.                                                pure

What a check observed is written for people. Here the one number is read from it that tells most; where there is none,
the promise's own name stands.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from chaos.judging.verdicts import Verdict
from chaos.reports.results import RunResult

_SECONDS = r"(\d+\.\d+) s"
_SHOWN: Mapping[Verdict, tuple[tuple[str, str, str], ...]] = MappingProxyType(
    {
        "fail": (
            ("valid-run", "it did not stop", "no stop"),
            ("valid-run", "", "died"),
            ("no-false-kill", r"^(\d+) handshakes given up", "{} handshakes"),
            ("no-false-kill", "", ""),
            ("spread", r"^at most (\d+)", "{} at once"),
            ("no-loss", r"^(\d+) lost", "{} lost"),
            ("in-order", r"^(\d+) came late", "{} late"),
            ("dedup-safe", r"^(\d+) wrong", "{} bad repeats"),
            ("same-climb", "", "same-climb"),
            ("detect", rf"after {_SECONDS} of silence", "deaf {}"),
            ("recover", rf"^{_SECONDS} after", "slow {}"),
            ("recover", "^no delivery", "no recovery"),
            ("silence", rf"^{_SECONDS} at most", "silent {}"),
            ("polite", r"^at most (\d+)", "{} attempts"),
            ("polite", r"^(\d+) more", "{} more"),
        ),
        "unknown": (
            ("host-paused", "", "machine paused"),
            ("valid-run", "^no output arrived", "never steady"),
            ("valid-run", "^the laboratory failed", "laboratory"),
            ("evidence", "", "no evidence"),
            ("no-loss", r"^(\d+) were still in flight", "{} in flight"),
            ("stressed", "", "not seen"),
        ),
    }
)
"""A check's name, what is looked for in the observed, and what is shown of it. Causes come before consequences."""
_WHOSE = re.compile(r"^clients? [0-9, .]+(?:\(\d+ in all\))?: ")
"""Which of several clients it was."""
_CODES = re.compile(r"(?:^|; )(\d{4}) ")


def figure(result: RunResult) -> str:
    """What decided the verdict: of the checks that decided it, the first cause.

    For a pass the longest time, in scenario seconds, from the heal of a fault to the next delivery; nothing where
    there was nothing to recover from.
    """
    if result.verdict == "pass":
        recovered = result.measures["recover_s"]
        return "" if recovered is None else _seconds(recovered)
    observed = {
        check.name: _WHOSE.sub("", check.observed)
        for check in result.troubles()
        if check.verdict == result.verdict
    }
    for name, pattern, shown in _SHOWN[result.verdict]:
        found = re.search(pattern, observed.get(name, ""))
        if name not in observed or found is None:
            continue
        if not shown:
            return _kills(result, observed[name])
        return shown.format(*(_seconds(float(text)) if "." in text else text for text in found.groups()))
    return next(iter(observed))


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _kills(result: RunResult, observed: str) -> str:
    """How often the client ended what was healthy, and with which code, if it was always the same."""
    codes = set(_CODES.findall(observed))
    times = result.measures["false_kills"]
    if len(codes) != 1:
        return f"{times} kills"
    return codes.pop() if times == 1 else f"{codes.pop()} x{times}"
