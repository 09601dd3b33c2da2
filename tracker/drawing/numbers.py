"""Numbers and lengths as SVG writes them.                                                                  pure"""

import re
from math import isfinite

# Possessive, so that a long row of digits is not tried in every way before it is refused. `300.` is a number in
# SVG 1.1 and none in SVG 2, and drawings have it.
NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
SPACE = r"[\t\n\f\r ]*+"
SEPARATOR = rf"{SPACE},?{SPACE}"

_LENGTH = re.compile(rf"({NUMBER})([a-zA-Z]*+|%)")
_PIXELS = {
    "": 1.0,
    "px": 1.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "pt": 96 / 72,
    "pc": 16.0,
}


def length(text: str, *, whole: float) -> float | None:
    """Return a length in user units, a percentage as a share of `whole`; None where it is none that can be read."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        return None
    unit = whole / 100 if match[2] == "%" else _PIXELS.get(match[2].lower())
    value = float(match[1]) * unit if unit is not None else float("inf")
    return value if isfinite(value) else None


def numbers(text: str) -> list[float] | None:
    """Return a list of finite numbers, separated as SVG does; None where it is something else."""
    found: list[float] = []
    at = len(text) - len(text.lstrip())
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is None or not isfinite(value := float(match[1])):
            return None
        found.append(value)
        at = match.end()
        if at == len(text) and match[2].strip():
            return None  # a comma with nothing behind it
    return found


_ITEM = re.compile(rf"({NUMBER})({SEPARATOR})")
