"""The lines of a trace's file, compressed or not, one at a time whatever its size; and what is wrong with them."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Generator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Self, cast

from chaos.traces.compressed import DAMAGED, TraceError, opened
from chaos.traces.problems import Problems

__all__ = ["MAX_LINE_BYTES", "TraceError", "first_bytes", "open_lines", "whole"]

MAX_LINE_BYTES = 16_000_000
"""No line of a trace is longer: a recorder leaves out what would make one."""


def open_lines(path: Path, problems: Problems) -> Generator[tuple[int, bytes, bool], None, None]:
    """Each line, from number 1 on, without its end, and whether it had one.

    A line that is too long is left out and is a problem; so is compressed data that ends early or is damaged.
    Raises `TraceError` where there is nothing to read from.
    """
    file = _opened(path)
    try:
        with file:
            yield from _bounded(path, file, problems)
    except EOFError:
        problems.add(f"the compressed data of {path.name} ends early; what came before is read")
    except DAMAGED as error:
        problems.add(f"the compressed data of {path.name} is damaged ({error}); what came before is read")
    except OSError as error:
        problems.add(f"{path.name} could not be read to its end ({error.strerror or error})")


def first_bytes(path: Path, count: int) -> bytes:
    """What the file begins with, uncompressed; less where it is damaged. Raises `TraceError`."""
    try:
        with _opened(path) as file:
            return file.read(count)
    except (EOFError, OSError, *DAMAGED):
        return b""


def whole(path: Path) -> bytes:
    """All of the file, uncompressed. Raises `TraceError`."""
    try:
        with _opened(path) as file:
            return b"".join(iter(lambda: file.read(1 << 20), b"")).removeprefix(BOM_UTF8)
    except (EOFError, OSError, *DAMAGED) as error:
        raise TraceError(f"{path}: its compressed data is cut off or damaged ({error})") from None


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise TraceError(
            f"{path}: a pipe or a device, and a trace is read more than once: write it to a file first"
        )
    try:
        return _in_utf8(opened(path))
    except OSError as error:
        raise TraceError(
            f"{path}: cannot be opened ({error.strerror}): give the path of a trace, a record or a log"
        ) from None


def _in_utf8(file: BinaryIO) -> BinaryIO:
    """The same text in UTF-8, where it is in UTF-16, as some editors and shells write it."""
    try:
        start = file.read(4)
    except (OSError, EOFError, *DAMAGED):
        start = b""  # whoever reads on is told
    file.seek(0)
    if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return cast(BinaryIO, _Recoded(TextIOWrapper(file, "utf-16", errors="replace", newline="\n")))
    if len(start) == 4 and start[0] and not start[1] and start[2] and not start[3]:
        return cast(BinaryIO, _Recoded(TextIOWrapper(file, "utf-16-le", errors="replace", newline="\n")))
    return file


class _Recoded:
    """A text read as bytes of UTF-8, as far as a reader of lines needs it."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def read(self, count: int) -> bytes:
        return self._text.read(count).encode()

    def readline(self, limit: int) -> bytes:
        return self._text.readline(limit).encode()


def _bounded(
    path: Path, file: BinaryIO, problems: Problems
) -> Generator[tuple[int, bytes, bool], None, None]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
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
