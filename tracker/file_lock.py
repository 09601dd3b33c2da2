"""One process at a time writes a file: a lock beside it, which goes with its process however that ends."""

import contextlib
import fcntl
import os
from io import FileIO
from pathlib import Path

OWNER_ALONE = 0o600


class Held(Exception):
    """Another process has the lock; `holder` is its number, where it is known."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"another tracker writes it{f' (process {holder})' if holder else ''}")


class FileLock:
    """The lock FILE.lock, held from here to `release`."""

    def __init__(self, path: Path) -> None:
        """Raises `Held`, and `OSError` where there can be no lock."""
        self._place = path.with_name(f"{path.name}.lock")
        self._file: FileIO | None = None
        while self._file is None:
            self._file = self._taken()
        self._file.truncate(0)
        self._file.write(b"%d\n" % os.getpid())

    def release(self) -> None:
        """The next one's turn; idempotent."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._place.unlink()  # while it is held, or it could be the next one's
            self._file.close()
            self._file = None

    def _taken(self) -> FileIO | None:
        """None: its last holder removed it in the same moment."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = FileIO(os.open(self._place, flags, OWNER_ALONE), "r+")
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            there, ours = self._place.stat(), os.fstat(file.fileno())
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                return file
        except FileNotFoundError:
            pass
        except BlockingIOError:
            holder = file.read(20).decode(errors="replace").strip()
            file.close()
            raise Held(holder if holder.isdecimal() else "") from None
        except OSError:
            file.close()
            raise
        file.close()
        return None


def reason(error: OSError) -> str:
    """Why a file cannot be written, as a clause."""
    if error.filename is not None and Path(os.fsdecode(error.filename)).is_symlink():
        return f"{os.fsdecode(error.filename)} is a symbolic link, and those are not followed"
    return f"{error.strerror}"
