"""A tracker's events as log lines: one line each, `key=value`, to stderr, noisy kinds at a bounded rate."""

import logging
import sys
from typing import Any

import msgspec

from tracker import events

QUIET_PERIOD = 10.0
"""Seconds between two log lines about the same kind of bad or displaced message."""

_LEVELS: dict[type[events.Event], int] = {
    events.Connected: logging.INFO,
    events.Refused: logging.WARNING,
    events.Waiting: logging.INFO,
    events.Suspected: logging.WARNING,
    events.Revived: logging.INFO,
    events.Died: logging.WARNING,
    events.Closed: logging.INFO,
    events.Rejected: logging.WARNING,
    events.Displaced: logging.WARNING,
    events.Touched: logging.INFO,
    events.SessionReset: logging.INFO,
    events.Controlled: logging.INFO,
    events.Stopping: logging.INFO,
    events.Stopped: logging.INFO,
}


class EventLog:
    """An observer that logs. What comes with every frame is logged at DEBUG only."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last: dict[str, float] = {}
        self._withheld: dict[str, int] = {}

    def observe(self, event: events.AnyEvent) -> None:
        """Log one event, or count it into the next line of its kind."""
        level = _LEVELS.get(type(event), logging.DEBUG)
        if not self._logger.isEnabledFor(level):
            return
        fields = msgspec.structs.asdict(event)
        t = fields.pop("t")
        if isinstance(event, events.Rejected | events.Displaced):
            kind = event.reason if isinstance(event, events.Rejected) else "displaced"
            if t - self._last.get(kind, -QUIET_PERIOD) < QUIET_PERIOD:
                self._withheld[kind] = self._withheld.get(kind, 0) + 1
                return
            self._last[kind] = t
            withheld = self._withheld.pop(kind, 0)
            if withheld:
                fields["and_before_this"] = withheld
        self._logger.log(level, "%s", render(type(event).__struct_config__.tag, fields))


def render(name: Any, fields: dict[str, Any]) -> str:
    """`name key=value ...`; texts with spaces are quoted, seconds have three decimals."""
    return " ".join(
        [str(name), *(f"{key}={_value(value)}" for key, value in fields.items() if value not in ("", None))]
    )


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = str(value)
    # A peer writes some of these texts: none may begin a line of its own or command a terminal.
    return repr(text) if " " in text or '"' in text or not text.isprintable() else text


def to_stderr(*, debug: bool) -> None:
    """Send this process's log to stderr, one line a record."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s %(message)s",
    )
    # The library's own lines say in other words what the events say, and in DEBUG they show credentials.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
