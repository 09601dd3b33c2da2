"""A tracker's events as log lines: one line each to stderr, as `key=value` or as JSON, like lines at a bounded rate."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from tracker import events
from tracker.config import LogFormat
from tracker.lateness import Lateness
from tracker.quiet import Quiet, Withheld
from tracker.vitals import Vitals

_LEVELS: dict[type[events.Event], int] = {
    events.Connected: logging.INFO,
    events.Redirected: logging.INFO,
    events.Refused: logging.WARNING,
    events.Suspected: logging.WARNING,
    events.Revived: logging.INFO,
    events.Died: logging.WARNING,
    events.Closed: logging.INFO,
    events.Reloaded: logging.INFO,
    events.NotReloaded: logging.WARNING,
    events.Rejected: logging.WARNING,
    events.Displaced: logging.WARNING,
    events.Touched: logging.INFO,
    events.SessionReset: logging.INFO,
    events.Controlled: logging.INFO,
    events.Lagged: logging.INFO,
    events.Stopping: logging.INFO,
    events.Stopped: logging.INFO,
}

# What differs from one line to the next of the same content.
_FLEETING: dict[type[events.Event], frozenset[str]] = {
    events.Connected: frozenset({"connection", "took"}),
    events.Suspected: frozenset({"connection", "silence"}),
    events.Revived: frozenset({"connection"}),
    events.Died: frozenset({"connection", "silence"}),
    events.Closed: frozenset({"connection", "unconfirmed"}),
    events.Displaced: frozenset({"seq"}),
    events.Touched: frozenset({"time"}),
    events.Lagged: frozenset({"link", "seconds"}),  # one loop serves all links
}


class EventLog:
    """An observer that logs. What comes with every frame is logged at DEBUG only.

    `vitals`, which must observe before it, tell how far behind the display is.
    """

    def __init__(self, logger: logging.Logger, vitals: Vitals | None = None) -> None:
        self._logger = logger
        self._vitals = vitals
        self._lateness = Lateness()
        self._quiet: Quiet[events.AnyEvent] = Quiet()

    def observe(self, event: events.AnyEvent) -> None:
        """Log one event, or count it into a later line of its content."""
        over = self._quiet.rest if type(event) is events.Stopped else self._quiet.overdue
        for withheld in over(event.t):
            self._say_withheld(withheld)
        level = _LEVELS.get(type(event), logging.DEBUG)
        if level == logging.DEBUG:
            if self._logger.isEnabledFor(level):
                self._say(event)
        elif self._quiet.offer(event.t, *_kind_and_content(event), event):
            self._say(event)
        if self._vitals is not None:
            news = self._lateness.news(self._vitals.behind(event.t))
            if news is not None:
                self._logger.warning("%s", news)

    def _say(self, event: events.AnyEvent, **more: Any) -> None:
        fields = {name: value for name, value in msgspec.structs.asdict(event).items() if name != "t"} | more
        say(self._logger, _LEVELS.get(type(event), logging.DEBUG), _name(event), fields)

    def _say_withheld(self, withheld: Withheld[events.AnyEvent]) -> None:
        count = "others_of_its_kind" if withheld.various else "times"
        self._say(withheld.newest, **{count: withheld.count, "within": withheld.seconds})


def _name(event: events.AnyEvent) -> str:
    return str(type(event).__struct_config__.tag)


def _kind_and_content(event: events.AnyEvent) -> tuple[str, tuple[Any, ...]]:
    """Of one kind are the events of a link, and its rejections for one reason: none of these crowds out another."""
    fleeting = _FLEETING.get(type(event), frozenset())
    fields = msgspec.structs.asdict(event)
    kind = f"{_name(event)} {fields.get('link', '')} {fields.get('reason', '')}"
    return kind, tuple(value for name, value in fields.items() if name != "t" and name not in fleeting)


def say(logger: logging.Logger, level: int, name: str, fields: dict[str, Any]) -> None:
    """One line about one thing, which a text log shows as `name key=value ...`."""
    logger.log(level, "%s", render(name, fields), extra={"thing": name, "fields": fields})


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


class JsonLines(logging.Formatter):
    """A record as one object: `time` (ISO 8601, UTC), `level`, `logger`; and `event` with its `fields`, or a
    `message`. Seconds have three decimals.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
        }
        fields: dict[str, Any] | None = getattr(record, "fields", None)
        if fields is None:
            line["message"] = record.getMessage()
        else:
            line["event"] = getattr(record, "thing", "")
            line["fields"] = {
                name: round(value, 3) if isinstance(value, float) else value
                for name, value in fields.items()
                if value not in ("", None)
            }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def to_stderr(*, debug: bool, log_format: LogFormat = "text") -> None:
    """Send this process's log to stderr, one line a record."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.INFO)
    # The library's own lines say in other words what the events say, and in DEBUG they show credentials.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
