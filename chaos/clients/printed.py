"""What a client in Python writes to stdout and stderr: never into what a machine reads from ours.

Done with the file descriptors, so that it holds for whatever a library, a thread or a program of the client's writes too.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STDOUT, STDERR = 1, 2


def stdout_to_stderr() -> None:
    """From now on, for all of this process."""
    _flush()
    os.dup2(STDERR, STDOUT)


@contextmanager
def printed_to_stderr() -> Iterator[None]:
    """Meanwhile what is written to stdout goes to stderr."""
    with _leading({STDOUT: STDERR}):
        yield


@contextmanager
def printed_to_file(file: Path) -> Iterator[None]:
    """Meanwhile what is written to stdout and stderr goes to `file`, which is not there afterwards if that is nothing.

    Raises `OSError` where it cannot be made.
    """
    # Not a pipe: what was written is there, however the process ends.
    kept = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        with _leading({STDOUT: kept, STDERR: kept}):
            yield
        empty = not os.fstat(kept).st_size
    finally:
        os.close(kept)
    if empty:
        file.unlink()


@contextmanager
def _leading(ways: dict[int, int]) -> Iterator[None]:
    _flush()
    before = {stream: os.dup(stream) for stream in ways}
    try:
        for stream, to in ways.items():
            os.dup2(to, stream)
        yield
    finally:
        _flush()
        for stream, old in before.items():
            os.dup2(old, stream)
            os.close(old)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a client may have closed it, or the disk is full
            stream.flush()
