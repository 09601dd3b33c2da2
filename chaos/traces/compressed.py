"""A file's bytes as they were before it was compressed: gzip, bzip2, xz, and a zip archive of one file."""

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from tracker.streams import Reads, Unfolding, in_utf8
from tracker.user_files import open_regular


class TraceError(ValueError):
    """A trace that cannot be read at all; its text is one complete line for the person who named the file."""


DAMAGED = (zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile)
"""What reading raises where the compressed data makes no sense."""

_ZIP = b"PK\x03\x04"
_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_REFUSED = {
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd: unpack it first, with zstd -d",
    b"\x04\x22\x4d\x18": "it is compressed with lz4: unpack it first, with lz4 -d",
    b"7z\xbc\xaf\x27\x1c": "it is a 7-Zip archive: unpack it first, and give the log in it",
    b"Rar!": "it is a RAR archive: unpack it first, and give the log in it",
    b"PK\x05\x06": "it is a zip archive with nothing in it",
}
_TAR, _TAR_AT = b"ustar", 257
_LONGEST = 8  # bytes by which a compression is known


def opened(path: Path) -> Reads:
    """The file, uncompressed within its bound, in UTF-8, at its beginning.

    Raises `TraceError` for what is not unpacked here, saying how it can be, and `OSError` where it cannot be opened.
    """
    raw = open_regular(path)
    start = raw.read(_LONGEST)
    raw.seek(0)
    for magic, why in _REFUSED.items():
        if start.startswith(magic):
            raw.close()
            raise TraceError(f"{path}: {why}")
    size = os.fstat(raw.fileno()).st_size
    if start.startswith(_ZIP):
        raw.close()
        return Unfolding(in_utf8(_only_member(path)), compressed_bytes=size)
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    if opener is None:
        _refuse_tar(path, raw)
        return in_utf8(raw)
    raw.close()
    file = cast(BinaryIO, opener(path))
    _refuse_tar(path, file)
    return Unfolding(in_utf8(file), compressed_bytes=size)


def _refuse_tar(path: Path, file: BinaryIO) -> None:
    try:
        start = file.read(_TAR_AT + len(_TAR))
    except (OSError, EOFError, *DAMAGED):
        start = b""  # whoever reads on is told
    file.seek(0)
    if start[_TAR_AT:] == _TAR:
        file.close()
        raise TraceError(
            f"{path}: it is a tar archive: unpack it first, with tar -xf, and give the log in it"
        )


def _only_member(path: Path) -> BinaryIO:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            files = [info for info in members if not info.is_dir() and "__MACOSX" not in info.filename]
            if len(files) == 1:
                return cast(BinaryIO, archive.open(files[0]))  # it stays open by itself
    except zipfile.BadZipFile as error:
        raise TraceError(f"{path}: it is a zip archive, and damaged ({error}): copy it again") from None
    except (RuntimeError, NotImplementedError):  # what the module raises for these
        raise TraceError(
            f"{path}: it is a zip archive with a password or a rare compression: unpack it first"
        ) from None
    shown = ", ".join(info.filename for info in files[:3] if info.filename.isprintable())
    raise TraceError(
        f"{path}: it is a zip archive of {len(files)} files: unpack it first, and give one of them"
        + (f" ({shown}{', ...' if len(files) > 3 else ''})" if files else "")
    )
