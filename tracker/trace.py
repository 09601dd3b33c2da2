"""The flight recorder: a header and every event as JSON lines, bounded in size, complete after a kill -9 but for the
last second.
"""

import asyncio
import logging
import os
import platform
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from tracker import events
from tracker.config import ConfigError, TrackerConfig, redacted
from tracker.trace_format import BEGINNING, SCHEMA, document, payload

FLUSH_AFTER = 1.0
"""Seconds of the loop's clock that a line waits in this process at most."""
FLUSH_BYTES = 65_536
"""Of events, about, and of payloads: so much of either waits at most."""
_EVENT_BYTES = 100  # of a line, about; it decides when many are written, and not how much

# What comes with every frame may wait that long; anything else is written at once, with all that came before it.
_CHATTER = frozenset(
    {
        events.Received,
        events.Rejected,
        events.Accepted,
        events.Displaced,
        events.Sent,
        events.Confirmed,
        events.Probed,
        events.Answered,
        events.Carried,
    }
)

log = logging.getLogger("tracker")


class Clock(Protocol):
    """What stamps the events: an event loop, or what stands in for its time."""

    def time(self) -> float:
        """Seconds."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> asyncio.TimerHandle:
        """Call it after so many of these seconds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a run is kept: the newest `files` parts of `bytes` each, FILE, FILE.1, FILE.2 ..."""

    bytes: int = 64_000_000
    """At 30 fps a part then holds some two hours; with payloads about a quarter of an hour."""
    files: int = 8

    def __post_init__(self) -> None:
        if self.bytes < 1:
            raise ConfigError(f"--trace-bytes is {self.bytes}: it must be at least 1")
        if self.files < 1:
            raise ConfigError(f"--trace-files is {self.files}: it must be at least 1")


class Recorder:
    """An observer that writes. Use it as a context, and `begin` before the first event.

    The newest part is always `path`; `path`.1 is the one before it. What an earlier run left there is moved on in
    the same way, and not lost to a restart. A pipe or a device is written to without end.
    """

    def __init__(
        self,
        path: Path,
        config: TrackerConfig,
        *,
        stream: str,
        bounds: Bounds = Bounds(),
        rules: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        payloads: bool = False,
    ) -> None:
        """`rules` and the contents of the wall's `files` go into the header; whole, if `payloads` are kept.

        Raises `ConfigError`.
        """
        self._path = path
        self._bounds = bounds
        encoder = msgspec.json.Encoder()
        self._encode, self._encode_lines = encoder.encode, encoder.encode_lines
        self._flush_bytes = min(FLUSH_BYTES, bounds.bytes // 4)
        self._most_waiting = self._flush_bytes // _EVENT_BYTES
        self._loop: Clock | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[events.Event] = []  # encoded together: that takes half the time of one by one
        self._waiting_bytes = 0  # of payloads
        self._part = 0
        self._size = 0
        self._header: dict[str, Any] = {
            "schema": SCHEMA,
            "stream": stream,
            "part": 0,
            "tracker": version("pose-session-tracker"),
            "websockets": version("websockets"),
            "python": platform.python_version(),
            "host": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cpus": os.cpu_count(),
            "config": _without_secrets(config),
            "rules": dict(rules or {}),
            "files": {name: document(data, whole=payloads) for name, data in (files or {}).items()},
            "payloads": payloads,
        }
        size = len(self._encode(self._header))
        if 2 * size > bounds.bytes:
            raise ConfigError(
                f"--trace-bytes is {bounds.bytes}: the header of each part alone takes {size}:"
                f" allow {max(1_000_000, 4 * size)} or more"
            )
        try:
            self._regular = _is_ours_or_new(path, bounds.files)
            self._file = FileIO(path, "a")
        except OSError as error:
            raise ConfigError(
                f"cannot write the trace {path}: {error.strerror}: choose another --trace FILE"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.flush()
        self._file.close()

    def begin(self, loop: Clock) -> None:
        """Write the header; an earlier run's trace becomes FILE.1. Events are stamped by this loop's clock.

        The wall clock is read this once, to anchor it.
        """
        self._loop = loop
        now = time.time()
        offset = time.localtime(now).tm_gmtoff
        self._header |= {
            "loop": f"{type(loop).__module__}.{type(loop).__qualname__}",
            "anchor": {"t": loop.time(), "epoch_ms": round(now * 1000), "utc_offset_s": offset},
        }
        try:
            self._next_part(keep=self._regular and self._path.stat().st_size > 0)
        except OSError as error:
            self._give_up(error)

    def observe(self, event: events.AnyEvent) -> None:
        """Take one event."""
        waiting = self._waiting
        waiting.append(event)
        if type(event) not in _CHATTER or len(waiting) >= self._most_waiting:
            self.flush()
        elif self._timer is None:
            self._await_flush()

    def keep(self, link: events.LinkName, data: bytes) -> None:
        """Take a message as it came from `link`."""
        assert self._loop is not None, "a recorder begins before it is given anything"
        self._waiting.append(payload(self._loop.time(), link, data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= self._flush_bytes:
            self.flush()
        elif self._timer is None:
            self._await_flush()

    def flush(self) -> None:
        """Hand all that waits to the operating system."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        data = b"" if self._file.closed else self._encoded()
        self._waiting.clear()
        self._waiting_bytes = 0
        if not data:
            return
        try:
            if self._regular and self._size + len(data) > self._bounds.bytes:
                self._next_part(keep=True)
            self._write(data)
        except OSError as error:
            self._give_up(error)

    def _await_flush(self) -> None:
        assert self._loop is not None, "a recorder begins before it is given anything"
        self._timer = self._loop.call_later(FLUSH_AFTER, self.flush)

    def _encoded(self) -> bytes:
        try:
            return self._encode_lines(self._waiting)
        except UnicodeEncodeError:  # half a surrogate pair, in a text that a peer or the system made
            return self._encode_lines([_readable(event) for event in self._waiting])

    def _next_part(self, *, keep: bool) -> None:
        """Begin an empty file; if `keep`, what is in the present one moves on to FILE.1, and so on."""
        if keep and self._bounds.files > 1:
            self._file.close()
            for number in range(self._bounds.files - 1, 0, -1):
                older = _numbered(self._path, number - 1)
                if older.exists():
                    older.replace(_numbered(self._path, number))
            self._file = FileIO(self._path, "a")
        elif self._regular:
            self._file.truncate(0)
        self._part += 1
        self._size = 0
        self._write(self._encode({**self._header, "part": self._part}) + b"\n")

    def _write(self, data: bytes) -> None:
        self._size += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def _give_up(self, error: OSError) -> None:
        # An observer must not raise: a full disk ends the trace and not the tracker.
        self._file.close()
        log.warning("trace %s ends here: %s: free some space and start again", self._path, error.strerror)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path


def _is_ours_or_new(path: Path, files: int) -> bool:
    """Whether the trace goes to a regular file, existing or not.

    Raises `ConfigError` rather than overwrite, now or by rotation, what is no trace.
    """
    for number in range(files):
        place = _numbered(path, number)
        if not place.exists():
            continue
        if not stat.S_ISREG(place.stat().st_mode):
            if number == 0:
                return False
            head = b"something that is no file"
        else:
            with place.open("rb") as file:
                head = file.read(len(BEGINNING))
        # A power cut can leave a header's first bytes, or zeros in their place.
        if not BEGINNING.startswith(head) and head.strip(b"\0"):
            raise ConfigError(
                f"cannot write the trace {path}: {place} holds something else, which would be overwritten:"
                " choose another --trace FILE"
            )
    return True


def _readable(event: events.Event) -> events.Event:
    """The same event, with whatever is no Unicode in its texts replaced."""
    texts = {
        name: value.encode(errors="replace").decode()
        for name, value in msgspec.structs.asdict(event).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(event, **texts)


def _without_secrets(config: TrackerConfig) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.to_builtins(config)
    for key, value in settings.items():
        if key.endswith("_url") and value is not None:
            settings[key] = redacted(value)
    return settings
