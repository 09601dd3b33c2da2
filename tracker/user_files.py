"""Files that a user names: regular ones of a sane size, in whichever encoding an editor left them."""

import errno
import os
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 16_000_000
"""Of a file that is read whole: a wall, a calibration, a route, a configuration, a scenario, a profile."""

_ENCODINGS = (  # the longer marks first: that of UTF-32 begins with that of UTF-16
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
    (BOM_UTF8, "utf-8"),
)
_OTHERS = (
    (stat.S_ISDIR, os.strerror(errno.EISDIR)),
    (stat.S_ISFIFO, "it is a pipe, and not a regular file"),
    (stat.S_ISSOCK, "it is a socket, and not a regular file"),
    (lambda _: True, "it is a device, and not a regular file"),
)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file for reading; what is no regular one is refused unopened, so that nobody waits for a pipe's writer.

    Raises `OSError` with a `strerror` that says why.
    """
    try:
        _require_regular(Path(path).stat().st_mode, path)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError:
        raise OSError(errno.EINVAL, "its name holds a zero byte", str(path)) from None
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)  # it may have changed meanwhile
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _require_regular(mode: int, path: str | Path) -> None:
    if not stat.S_ISREG(mode):
        what = next(what for is_one, what in _OTHERS if is_one(mode))
        raise OSError(errno.EINVAL, what, str(path))


def read_whole(path: str | Path, *, most: int = MOST_BYTES) -> bytes:
    """All bytes of a regular file. Raises `OSError` as `open_regular`, and for a file of more than `most` bytes."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(
            errno.EFBIG, f"it holds more than the {most:,} bytes that such a file may have", str(path)
        )
    return data


def in_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a byte order mark, where it has one or is UTF-16; else as it is."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").encode()
    if len(data) >= 4 and data[0] and data[2] and not (data[1] or data[3]):
        return data.decode("utf-16-le", "replace").encode()
    if len(data) >= 4 and data[1] and data[3] and not (data[0] or data[2]):
        return data.decode("utf-16-be", "replace").encode()
    return data


def create_private(path: str | Path) -> BinaryIO:
    """Open a file for writing, anew, for its owner alone (0600); a symbolic link in its place is not followed.

    Raises `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # it may have been there, for all to read
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "wb")


def write_private(path: str | Path, data: bytes) -> None:
    """Write a file as `create_private` makes it. Raises `OSError`."""
    with create_private(path) as file:
        file.write(data)
