"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tracker.user_files import create_private


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file for its owner alone that takes the place of `path` when the block ends, and leaves no trace when it raises."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with create_private(part) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
