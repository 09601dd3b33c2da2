"""A tracker's settings from a file and from the command line, as one validated configuration."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from tracker import access
from tracker.config import (
    ConfigError,
    Confirm,
    LogFormat,
    OutboxLimits,
    Overflow,
    Timing,
    TrackerConfig,
    redacted,
)
from tracker.events import LinkName
from tracker.user_files import in_utf8, read_whole

MAX_WHOLE = 10**15

OPTIONS: dict[str, type | tuple[type, ...]] = {
    "input_websocket_url": str,
    "output_websocket_url": str,
    "control_websocket_url": str,
    "wall": str,
    "calibration": str,
    "route_data": str,
    "proximity_threshold": (int, float),
    "touch_duration": (int, float),
    "contact_grace": (int, float),
    "stream_landmarks": bool,
    "stream_svg_only": bool,
    "reconnect_delay": (int, float),
    "confirm": str,
    "overflow": str,
    "outbox_messages": int,
    "trace": str,
    "trace_bytes": int,
    "trace_files": int,
    "trace_payloads": bool,
    "state": str,
    "state_max_age": (int, float),
    "metrics_port": int,
    "metrics_host": str,
    "debug": bool,
    "log_format": str,
    **access.OPTIONS,
}
"""What `tracker run` takes on the command line and, under the same names, in its configuration file."""

_TABLES: dict[str, dict[str, Any]] = {
    **{
        name: {f.name: (int, float) if f.type is float else int for f in fields(table)}
        for name, table in {"timing": Timing, "outbox": OutboxLimits}.items()
    },
    **dict.fromkeys(get_args(LinkName), access.OPTIONS),
}
_SECRET = frozenset({"header"})
"""Settings that no error may show."""


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a TOML file; its tables `timing` and `outbox` hold the fields of `Timing` and `OutboxLimits`, and
    `input`, `output` and `control` the access to one endpoint (`access.Access`).

    Raises `ConfigError` for a file, a key or a type that cannot be used.
    """
    try:
        settings = tomllib.loads(in_utf8(read_whole(path)).decode())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: name a readable configuration file") from None
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, and deep nesting
        raise ConfigError(f"{path}: not TOML ({error}): mend the file") from None
    for key, value in settings.items():
        if key in _TABLES:
            if not isinstance(value, dict):
                raise ConfigError(f"{path}: {key} is {value!r}: it must be a table, [{key}]")
            for name, entry in value.items():
                _check(f"{path}: [{key}]", name, entry, _TABLES[key])
        else:
            _check(f"{path}:", key, value, {**OPTIONS, **dict.fromkeys(_TABLES, dict)})
    return settings


def _check(where: str, key: str, value: Any, known: Mapping[str, Any]) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the known ones are {', '.join(known)}"
        raise ConfigError(f"{where} unknown setting {key!r}: {hint}")
    wanted = known[key]
    if wanted is str and isinstance(value, str) and not value.isprintable():
        raise ConfigError(f"{where} {key} is {_said(key, value)}: it must not hold control characters")
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        raise ConfigError(f"{where} {key} is a number of {len(str(abs(value)))} digits: take a smaller one")
    # True is an int to Python, and not to whoever wrote the file.
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        names = " or ".join(t.__name__ for t in (wanted if isinstance(wanted, tuple) else (wanted,)))
        raise ConfigError(f"{where} {key} is {_said(key, value)}: it must be {names}")
    if wanted is list and not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"{where} {key} holds what is no text: it must be a list of texts")


def _said(key: str, value: Any) -> str:
    """A value as an error may show it."""
    if key in _SECRET:
        return "not shown, for it may be a secret"
    return _shown(value) if key.endswith("_url") and isinstance(value, str) else repr(value)


def tracker_config(settings: Mapping[str, Any]) -> TrackerConfig:
    """The validated configuration; raises `ConfigError`."""
    for option in ("input_websocket_url", "output_websocket_url"):
        if not settings.get(option):
            flag = "--" + option.replace("_", "-")
            raise ConfigError(
                f"no {flag} given: name the endpoint, for example {flag} ws://127.0.0.1:8765/ws/pose/"
            )
    for option in ("trace_bytes", "trace_files", "trace_payloads"):
        if settings.get(option) and not settings.get("trace"):
            raise ConfigError(f"--{option.replace('_', '-')} without a trace: name its file, --trace FILE")
    if settings.get("state_max_age") is not None and not settings.get("state"):
        raise ConfigError("--state-max-age without a state: name its file, --state FILE")
    _one_of("log_format", settings.get("log_format", "text"), get_args(LogFormat))
    if settings.get("metrics_host") and settings.get("metrics_port") is None:
        raise ConfigError("--metrics-host without a port: choose one, --metrics-port N")
    timing = dict(settings.get("timing", {}))
    if settings.get("reconnect_delay") is not None:
        timing["reconnect_delay"] = settings["reconnect_delay"]
        # A delay above the default cap is the operator's word for both.
        timing.setdefault("reconnect_cap", max(Timing().reconnect_cap, settings["reconnect_delay"]))
    outbox = dict(settings.get("outbox", {}))
    if settings.get("outbox_messages") is not None:
        outbox["messages"] = settings["outbox_messages"]
    control = settings.get("control_websocket_url")
    return TrackerConfig(
        input_url=usable_url("input_websocket_url", settings["input_websocket_url"]),
        output_url=usable_url("output_websocket_url", settings["output_websocket_url"]),
        control_url=usable_url("control_websocket_url", control) if control else None,
        confirm=_one_of("confirm", settings.get("confirm", "pong"), get_args(Confirm)),
        overflow=_one_of("overflow", settings.get("overflow", "latest"), get_args(Overflow)),
        outbox=OutboxLimits(**outbox),
        timing=Timing(**timing),
    )


def usable_url(option: str, url: str) -> str:
    """The URL of an endpoint, as it is. Raises `ConfigError`, which shows it without credentials."""
    flag = "--" + option.replace("_", "-")
    try:
        if not url.isprintable() or " " in url:
            raise ValueError("it holds a space or a control character")  # noqa: TRY301 - one place words the error
        host = parse_uri(url).host
        host.encode("idna")  # as the resolver will
        if urlsplit(url).port == 0:
            raise ValueError("no service can be at port 0")  # noqa: TRY301 - as above
    except (InvalidURI, ValueError) as error:
        # The text of an InvalidURI holds the whole URL again, credentials included.
        why = error.msg if isinstance(error, InvalidURI) else str(error)
        raise ConfigError(f"{flag} is {_shown(url)}: {why}: give a ws:// or wss:// URL") from None
    return url


def _shown(url: str) -> str:
    """A URL that cannot be used, as it was given, unless there may be credentials in it."""
    if "@" not in url and "?" not in url:
        return repr(url)
    try:
        return repr(redacted(url))
    except ValueError:
        return "not shown, for it may hold a password"


def _one_of(option: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        option = option.replace("_", "-")
        raise ConfigError(f"--{option} is {value!r}: choose one of {', '.join(known)}")
    return value
