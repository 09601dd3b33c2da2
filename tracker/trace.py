"""The trace of a run: a header and every event, as JSON lines that survive a kill -9."""

import contextlib
import logging
import platform
import time
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tracker import events
from tracker.config import ConfigError, TrackerConfig, redacted

SCHEMA = "tracker.trace/1"

log = logging.getLogger("tracker")


class Trace:
    """An observer that writes. Use it as a context; each event is one write, so nothing waits in this process."""

    def __init__(self, path: Path, config: TrackerConfig, *, stream: str) -> None:
        self._encoder = msgspec.json.Encoder()
        self._header: dict[str, Any] = {
            "schema": SCHEMA,
            "stream": stream,
            "tracker": version("pose-session-tracker"),
            "websockets": version("websockets"),
            "python": platform.python_version(),
            "host": platform.platform(),
            "config": _without_secrets(config),
        }
        try:
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
        self._file.close()

    def begin(self, now: float) -> None:
        """Write the header over what an earlier run left; `now` is the loop's clock.

        The wall clock is read this once, to anchor it.
        """
        with contextlib.suppress(OSError):  # a pipe has nothing to truncate
            self._file.truncate(0)
        self._write({**self._header, "anchor": {"t": now, "epoch_ms": round(time.time() * 1000)}})

    def observe(self, event: events.AnyEvent) -> None:
        """Write one event."""
        self._write(event)

    def _write(self, value: Any) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(self._encoder.encode(value) + b"\n")
        except OSError as error:
            # An observer must not raise: a full disk ends the trace and not the tracker.
            self._file.close()
            log.warning(
                "trace %s ends here: %s: free some space and start again", self._file.name, error.strerror
            )


def _without_secrets(config: TrackerConfig) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.to_builtins(config)
    for key, value in settings.items():
        if key.endswith("_url") and value is not None:
            settings[key] = redacted(value)
    return settings
