"""The line of a program's output that says why it ended.                                                     pure"""

import re
from collections.abc import Sequence

_GO = re.compile(r"(?:panic|fatal error): ")
_JAVA = re.compile(r'Exception in thread "')
_RUST = re.compile(r"thread .* panicked at ")
_RUST_PLACE_ONLY = re.compile(r"thread .* panicked at [^']*:\d+:\d+:$")
_PYTHON = re.compile(r"(?:\s*[+|]\s*)*Traceback \(most recent call last\):$")
_NAMED = re.compile(r"(?:Uncaught )?\[?[\w.$]*(?:Error|Exception|Exit|Interrupt|Warning)\b")
"""An exception by its type's name, as Node and Python say it."""
_FRAME = re.compile(r"\s+at \S")
"""A line of a stack, as Node writes it."""
_BARS = re.compile(r"^[\s|]+")
"""What stands before a line of an exception in a group."""


def error_line(written: str) -> str | None:
    """The last error that ends a program of Go, Java, JavaScript, Python or Rust; None where there is none."""
    lines = written.splitlines()
    for number in reversed(range(len(lines))):
        line = lines[number]
        if _RUST.search(line):
            return f"{line.strip()} {_next(lines, number)}".strip() if _RUST_PLACE_ONLY.search(line) else line
        if _GO.match(line) or _JAVA.match(line):
            return line
        if _PYTHON.match(line) and (found := _after_the_stack(lines[number + 1 :])) is not None:
            return found
        if _NAMED.match(line) and number + 1 < len(lines) and _FRAME.match(lines[number + 1]):
            return line
    return None


def _next(lines: Sequence[str], number: int) -> str:
    return lines[number + 1].strip() if number + 1 < len(lines) else ""


def _after_the_stack(lines: Sequence[str]) -> str | None:
    """The first line behind a Python stack: the first that is not indented, whatever bars stand before it."""
    for line in lines:
        bars = _BARS.match(line)
        indent = "" if bars is None else bars[0].rpartition("|")[2]
        bare = line[len(bars[0]) :] if bars is not None else line
        if bare and len(indent) <= (1 if bars is not None and "|" in bars[0] else 0):
            return bare
    return None
