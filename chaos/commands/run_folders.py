"""The folders of runs under `runs/`: each is held while its command lasts, and the oldest give way to new ones."""

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

KEPT = 10
"""Folders that stay where nothing else is asked for."""
MARKER = ".simtool"
"""The file in a folder that says that it is ours to remove; it is locked while the folder is in use."""
_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of the folders that were too many."""

    gone: tuple[Path, ...]
    """Oldest first."""
    failed: tuple[OSError, ...]


def hold(folder: Path) -> None:
    """Mark `folder` as ours, and as in use until this process ends, however it ends. Raises `OSError`."""
    new = folder / f"{MARKER}.new"
    # Never closed: the lock is to last as long as the process.
    marker = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX)
    except OSError:  # a file system without locks: without a mark it is never removed
        os.close(marker)
        new.unlink()
        return
    new.rename(folder / MARKER)  # nobody finds it without its lock


def remove_oldest(runs: Path, keep: int) -> Removed:
    """Of the folders that simtool made in `runs`, remove all but the newest `keep`.

    Not removed, and not counted: what has no marker of ours, or another name than ours (somebody renamed it to keep it).
    Not removed either: what another process is still using, and where `latest` leads.
    """
    ours = sorted((entry for entry in runs.iterdir() if _is_ours(entry)), key=_made)
    latest = (runs / "latest").resolve()
    gone, failed = [], []
    for folder in ours[: max(0, len(ours) - keep)]:
        if folder.resolve() == latest:
            continue
        try:
            if _removed(folder):
                gone.append(folder)
        except OSError as error:
            failed.append(error)
    return Removed(tuple(gone), tuple(failed))


def _is_ours(entry: Path) -> bool:
    return (
        _NAME.fullmatch(entry.name) is not None
        and entry.is_dir()
        and not entry.is_symlink()
        and (entry / MARKER).is_file()
    )


def _made(folder: Path) -> tuple[str, int]:
    """When: by its name, which no copy changes."""
    found = _NAME.fullmatch(folder.name)
    assert found is not None, "it is one of ours"
    return found[1], int(found[2] or 1)


def _removed(folder: Path) -> bool:
    """Whether it was removed; False: it is in use, or somebody else removes it. Raises `OSError`."""
    try:
        marker = os.open(folder / MARKER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        return False
    finally:
        os.close(marker)
    return True
