"""The files of a flight recorder: FILE, FILE.1, FILE.2 ... from the newest part to the oldest, bounded in all.

One tracker at a time writes them: it holds the lock FILE.lock. They are for their owner alone (0600), and nothing is
written through a symbolic link. What a run recorded is never given up for a start that reached nothing: such a start
is replaced by the next one, and one part is all that it may take.
"""

import os
import stat
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from tracker.config import ConfigError
from tracker.file_lock import OWNER_ALONE, FileLock, Held, reason
from tracker.trace_format import BEGINNING

MOST_PARTS = 999
"""However small they are."""
# What a start that reaches nothing has to tell; anything else is worth keeping.
_IN_VAIN = tuple(
    b'{"event":"%s"' % name for name in (b"connecting", b"refused", b"waiting", b"stopping", b"stopped")
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: parts of `bytes` each, and as much as `files` whole parts in all, over any number of starts.

    While a start has reached nothing there may be one part more.
    """

    bytes: int = 64_000_000
    """At 30 fps a part then holds some two hours; with payloads about a quarter of an hour."""
    files: int = 8

    def __post_init__(self) -> None:
        if self.bytes < 1:
            raise ConfigError(f"--trace-bytes is {self.bytes}: it must be at least 1")
        if self.files < 1:
            raise ConfigError(f"--trace-files is {self.files}: it must be at least 1")


class Parts:
    """The newest part is open for writing. A pipe or a device is one part without end."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        """Raises `ConfigError` where it cannot be written, is somebody else's, or is being written by another tracker."""
        self._path = path
        self._bounds = bounds
        self._reached = False
        self._lock: FileLock | None = None
        self.size = 0
        """Bytes in the newest part."""
        self.replaced = 0
        """How many starts that reached nothing were here since the last that did."""
        try:
            self.regular = not path.exists() or path.is_file()
            if self.regular:
                self._lock = FileLock(path)
                _require_traces(path)
            self._file = self._opened()
        except Held as held:
            raise ConfigError(
                f"cannot write the trace {path}: {held}: end that one, or choose another --trace FILE"
            ) from None
        except OSError as error:
            self._unlock()
            raise ConfigError(
                f"cannot write the trace {path}: {reason(error)}: choose another --trace FILE"
            ) from None
        except ConfigError:
            self._unlock()
            raise

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to be written."""
        return self._file.closed

    def close(self) -> None:
        """The end, and the next tracker's turn; idempotent."""
        self._file.close()
        self._unlock()

    def begin(self) -> None:
        """Make room for a new run: what the last one recorded moves on, unless it reached nothing. Raises `OSError`."""
        if not self.regular:
            return
        if self._path.stat().st_size and _reached_something(self._path):
            self._move_on()
        else:
            self.replaced = _starts_in_vain(self._path)
            self._file.truncate(0)
        self.size = 0

    def next(self) -> None:
        """Go on in an empty part. Raises `OSError`."""
        if self._reached:
            self._move_on()
            self._give_up_the_oldest()
        else:
            self._file.truncate(0)
        self.size = 0

    def reached(self) -> None:
        """From now on there is something worth keeping of this run. Raises `OSError`."""
        if not self._reached and self.regular:
            self._give_up_the_oldest()
        self._reached = True

    def write(self, data: bytes) -> None:
        """Append to the newest part. Raises `OSError`."""
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def _opened(self) -> FileIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        # A link to a device, such as /dev/stdout, overwrites nothing.
        descriptor = os.open(self._path, flags | (os.O_NOFOLLOW if self.regular else 0), OWNER_ALONE)
        if self.regular:
            os.fchmod(descriptor, OWNER_ALONE)  # it may be older than this rule
        return FileIO(descriptor, "a")

    def _move_on(self) -> None:
        self._file.close()
        numbers = _numbers(self._path)
        last = next(
            number for number in range(1, MOST_PARTS + 1) if number not in numbers or number == MOST_PARTS
        )
        for number in range(last, 0, -1):
            _numbered(self._path, number - 1).replace(_numbered(self._path, number))
        self._file = self._opened()

    def _give_up_the_oldest(self) -> None:
        room = self._bounds.bytes * (self._bounds.files - 1)
        for number in sorted(_numbers(self._path)):
            part = _numbered(self._path, number)
            room -= part.stat().st_size
            if room < 0:
                part.unlink()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path


def _numbers(path: Path) -> set[int]:
    """Of the older parts that there are."""
    beginning = f"{path.name}."
    ends = [
        other.name.removeprefix(beginning)
        for other in path.parent.iterdir()
        if other.name.startswith(beginning)
    ]
    numbers = {int(end) for end in ends if end.isascii() and end.isdecimal() and end == str(int(end))}
    return {number for number in numbers if 1 <= number <= MOST_PARTS}


def _require_traces(path: Path) -> None:
    """Raises `ConfigError` rather than overwrite, now or by rotation, what is no trace."""
    for place in (path, *(_numbered(path, number) for number in sorted(_numbers(path)))):
        if not place.exists():
            continue
        head = b"something that is no file"
        if stat.S_ISREG(place.lstat().st_mode):
            with place.open("rb") as file:
                head = file.read(len(BEGINNING))
        elif place == path:
            continue  # opening it says what is wrong
        # A power cut can leave a header's first bytes, or zeros in their place.
        if not BEGINNING.startswith(head) and head.strip(b"\0"):
            raise ConfigError(
                f"cannot write the trace {path}: {place} holds something else, which would be overwritten:"
                " choose another --trace FILE"
            )


def _reached_something(part: Path) -> bool:
    """Whether there is more in it than vain attempts to connect."""
    with part.open("rb") as lines:
        lines.readline()  # the header
        return any(not line.startswith(_IN_VAIN) for line in lines if line.strip(b"\0\n"))


def _starts_in_vain(part: Path) -> int:
    """How many are replaced together with the one in this part, itself included."""
    with part.open("rb") as lines:
        line = lines.readline()
    return _header(line).replaced + 1 if line.strip(b"\0\n") else 0


class _Header(msgspec.Struct):
    replaced: int = 0


def _header(line: bytes) -> _Header:
    try:
        return msgspec.json.decode(line, type=_Header)
    except (msgspec.DecodeError, UnicodeError):
        return _Header()  # cut off, or of a time before there were parts
