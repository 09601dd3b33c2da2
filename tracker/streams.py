"""A file that is read piece by piece: uncompressed only as far as is sane, and as UTF-8."""

import errno
import gzip
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from tracker.user_files import open_regular

DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading raises where the compressed data ends early or makes no sense."""
UNFOLDED_BYTES = 200_000_000
"""Any compressed file may unfold to so many; what is larger itself, to `UNFOLDED_TIMES` its size."""
UNFOLDED_TIMES = 200
"""Poses and logs are compressed to a tenth, or to a fiftieth; a file of zeros to a thousandth."""
_GZIP = b"\x1f\x8b"


class UnfoldsTooFar(OSError):
    """A compressed file that holds more than it may; `strerror` says so."""


class Reads(Protocol):
    """As much of a binary file as those who read it piece by piece need."""

    def close(self) -> None:
        """Also what lies under it."""

    def read(self, count: int, /) -> bytes:
        """At most `count` bytes, none at the end."""

    def readline(self, limit: int, /) -> bytes:
        """A line with its end, or its next `limit` bytes."""


class Unfolding:
    """An uncompressed file that may hold so much and no more. Raises `UnfoldsTooFar` when that has been read."""

    def __init__(self, file: Reads, *, compressed_bytes: int) -> None:
        self._file = file
        self._most = max(UNFOLDED_BYTES, UNFOLDED_TIMES * compressed_bytes)
        self._read = 0

    def close(self) -> None:
        """As a file's."""
        self._file.close()

    def read(self, count: int, /) -> bytes:
        """As a file's."""
        return self._counted(self._file.read(count))

    def readline(self, limit: int, /) -> bytes:
        """As a file's."""
        return self._counted(self._file.readline(limit))

    def _counted(self, data: bytes) -> bytes:
        self._read += len(data)
        if self._read > self._most:
            raise UnfoldsTooFar(
                errno.EFBIG,
                f"it unfolds to more than {self._most:,} bytes, which no recording and no log does: unpack it yourself,"
                " and look at what it is",
            )
        return data


class _Recoded:
    """A text read as bytes of UTF-8."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text

    def close(self) -> None:
        self._text.close()

    def read(self, count: int, /) -> bytes:
        return self._text.read(count).encode()

    def readline(self, limit: int, /) -> bytes:
        return self._text.readline(limit).encode()


def in_utf8(file: BinaryIO) -> Reads:
    """The same text in UTF-8, where it is in UTF-16, as some editors and shells write it; at its beginning. UTF-8's own mark is left."""
    try:
        start = file.read(4)
    except Exception:  # noqa: BLE001 - each compression has its own for what is damaged; whoever reads on is told
        start = b""
    file.seek(0)
    if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return _Recoded(TextIOWrapper(file, "utf-16", errors="replace", newline="\n"))
    if len(start) == 4 and start[0] and not start[1] and start[2] and not start[3]:
        return _Recoded(TextIOWrapper(file, "utf-16-le", errors="replace", newline="\n"))
    return file


def open_stream(path: Path) -> Reads:
    """A regular file, uncompressed where gzip has compressed it, within its bound, in UTF-8. Raises `OSError`."""
    file = open_regular(path)
    compressed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    if not compressed:
        return in_utf8(file)
    size = path.stat().st_size
    return Unfolding(in_utf8(cast(BinaryIO, _Gzip(file))), compressed_bytes=size)


class _Gzip(gzip.GzipFile):
    """One that closes its file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._compressed = file

    def close(self) -> None:
        super().close()
        self._compressed.close()
