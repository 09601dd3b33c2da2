"""Where a command's results go: files that its options name."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from chaos.usage import UsageError


def require_writable(option: str, file: str | None) -> None:
    """Said before the runs are made, not after. `-` is stdout. Raises `UsageError`."""
    if file in (None, "-"):
        return
    path = Path(file)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(
            f"cannot write {option} {file}: choose a file in a folder that exists and can be written to"
        )


def write_output(option: str, to: str | None, content: bytes) -> None:
    """To the file that `option` names, if it names one; `-` is stdout. Raises `UsageError`."""
    if to == "-":
        sys.stdout.buffer.write(content)
    elif to is not None:
        try:
            Path(to).write_bytes(content)
        except OSError as error:
            raise UsageError(f"cannot write {option} {to}: {error.strerror}: choose another file") from None


def records_folder(chosen: Path | None) -> Path:
    """A folder for the records of the runs, made; without a choice a new one under runs/. Raises `UsageError`."""
    try:
        if chosen is not None:
            chosen.mkdir(parents=True, exist_ok=True)
            return chosen
        runs = Path("runs")
        # The wall clock names the folder; nothing inside depends on it.
        folder = runs / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        number = 2
        while folder.exists():
            folder = folder.with_name(f"{folder.name.partition('Z')[0]}Z-{number}")
            number += 1
        folder.mkdir(parents=True)
        pointer = runs / f".latest-{os.getpid()}"
        pointer.symlink_to(folder.name)
        pointer.replace(runs / "latest")
    except OSError as error:
        raise UsageError(
            f"cannot write records to {error.filename}: {error.strerror}: name a folder with --report"
        ) from None
    return folder
