"""The lines of a trace's file, compressed or not, one at a time whatever its size; and what is wrong with them."""

from codecs import BOM_UTF8
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from chaos.traces.compressed import DAMAGED, TraceError, opened
from chaos.traces.problems import Problems
from tracker.streams import Reads, UnfoldsTooFar

__all__ = ["MAX_LINES", "MAX_LINE_BYTES", "TraceError", "first_bytes", "open_lines", "whole"]

MAX_LINE_BYTES = 16_000_000
"""No line of a trace is longer: a recorder leaves out what would make one."""

MAX_LINES = 50_000_000
"""A week in which all is logged has fewer."""


def open_lines(path: Path, problems: Problems) -> Generator[tuple[int, bytes, bool], None, None]:
    """Each line, from number 1 on, without its end, and whether it had one.

    A line that is too long is left out and is a problem; so is compressed data that ends early or is damaged.
    Raises `TraceError` where there is nothing to read from.
    """
    file = _opened(path)
    try:
        with closing(file):
            yield from _bounded(path, file, problems)
    except EOFError:
        problems.add(f"the compressed data of {path.name} ends early; what came before is read")
    except DAMAGED as error:
        problems.add(f"the compressed data of {path.name} is damaged ({error}); what came before is read")
    except UnfoldsTooFar as error:
        problems.add(f"{path.name}: {error.strerror}; what came before is read")
    except OSError as error:
        problems.add(f"{path.name} could not be read to its end ({error.strerror or error})")


def first_bytes(path: Path, count: int) -> bytes:
    """What the file begins with, uncompressed; less where it is damaged. Raises `TraceError`."""
    try:
        with closing(_opened(path)) as file:
            return file.read(count)
    except (EOFError, OSError, *DAMAGED):
        return b""


def whole(path: Path) -> bytes:
    """All of the file, uncompressed. Raises `TraceError`."""
    try:
        with closing(_opened(path)) as file:
            return b"".join(iter(lambda: file.read(1 << 20), b"")).removeprefix(BOM_UTF8)
    except UnfoldsTooFar as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    except (EOFError, OSError, *DAMAGED) as error:
        raise TraceError(f"{path}: its compressed data is cut off or damaged ({error})") from None


def _opened(path: Path) -> Reads:
    try:
        return opened(path)
    except OSError as error:
        raise TraceError(
            f"{path}: cannot be opened ({error.strerror}): give the path of a trace, a record or a log"
        ) from None


def _bounded(path: Path, file: Reads, problems: Problems) -> Generator[tuple[int, bytes, bool], None, None]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number > MAX_LINES:
            problems.add(f"{path.name} has more than {MAX_LINES:,} lines; what came before is read: split it")
            return
        if number == 1:
            raw = raw.removeprefix(BOM_UTF8)  # an editor left it
        if len(raw) <= MAX_LINE_BYTES:
            yield number, raw.rstrip(b"\r\n"), raw.endswith(b"\n")
            continue
        problems.add(
            f"{{n}} lines of more than {MAX_LINE_BYTES // 1_000_000} MB skipped", f"{path.name}:{number}"
        )
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
