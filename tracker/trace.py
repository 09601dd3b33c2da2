"""The flight recorder: a header and every event as JSON lines, bounded in size, complete after a kill -9 but for the
last second.
"""

import asyncio
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from tracker import events
from tracker.config import ConfigError, TrackerConfig, redacted
from tracker.trace_format import SCHEMA, document, payload
from tracker.trace_parts import Bounds, Parts

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

# What a start that reaches nothing has to tell; see `trace_parts`.
_IN_VAIN = frozenset({events.Connecting, events.Refused, events.Waiting, events.Stopping, events.Stopped})

log = logging.getLogger("tracker")


class Clock(Protocol):
    """What stamps the events: an event loop, or what stands in for its time."""

    def time(self) -> float:
        """Seconds."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> asyncio.TimerHandle:
        """Call it after so many of these seconds."""


class Recorder:
    """An observer that writes. Use it as a context, and `begin` before the first event.

    The newest part is always `path`; `path`.1 is the one before it. What an earlier run recorded is moved on in
    the same way, and not lost to a restart; see `trace_parts`. A pipe or a device is written to without end.
    """

    def __init__(
        self,
        path: Path,
        config: TrackerConfig,
        *,
        stream: str,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
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
        self._header: dict[str, Any] = {
            "schema": SCHEMA,
            "stream": stream,
            "part": 0,
            "replaced": 0,
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
        self._parts = Parts(path, bounds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.flush()
        self._parts.close()

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
            self._parts.begin()
            self._header["replaced"] = self._parts.replaced
            self._write_header()
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
        data = b"" if self._parts.closed else self._encoded()
        reached = any(type(event) not in _IN_VAIN for event in self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        if not data:
            return
        try:
            if reached:
                self._parts.reached()
            if self._parts.regular and self._parts.size + len(data) > self._bounds.bytes:
                self._parts.next()
                self._write_header()
            self._parts.write(data)
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

    def _write_header(self) -> None:
        self._part += 1
        self._parts.write(self._encode({**self._header, "part": self._part}) + b"\n")

    def _give_up(self, error: OSError) -> None:
        # An observer must not raise: a full disk ends the trace and not the tracker.
        self._parts.close()
        log.warning("trace %s ends here: %s: free some space and start again", self._path, error.strerror)


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
