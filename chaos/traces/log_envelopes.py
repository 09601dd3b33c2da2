"""What other programs wrap a log's lines into, taken off: JSON lines, docker's, logfmt, CSV with named columns.      pure

What comes out is plain text again, the time and the logger's name in front of the message.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from chaos.traces.log_times import find_time, number_as_time

MESSAGES = ("message", "msg", "event", "log", "text", "body", "textPayload", "MESSAGE", "@message", "line")
TIMES = (
    "asctime",
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "datetime",
    "date",
    "created",
    "t",
    "__REALTIME_TIMESTAMP",
)
LOGGERS = ("logger", "logger_name", "name", "module", "log.logger", "SYSLOG_IDENTIFIER")
LEVELS = ("level", "levelname", "log.level", "severity", "lvl")
TRACEBACKS = ("exc_info", "exception", "stack_trace", "traceback", "exc_text", "stack")

_WITHIN = ("record", "jsonPayload", "fields", "data")  # objects in which these stand, in some formats
_PAIR = re.compile(r'([\w@.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_LOGFMT = re.compile(r"(?:^|\s)(?:msg|message|event)=")
_WRAPPERS = frozenset("{[, ")
_DEPTH = 3
"""Envelopes in envelopes: docker's around a program's own JSON."""
_TIME_WITHIN = 60  # characters of a message: what comes later is no time of its own


def unwrapped(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each line with its number; several with the same number where one held a traceback."""
    columns: list[str] | None = None
    for number, text in texts:
        if number == 1:
            columns = _columns(text)
            if columns is not None:
                continue
        if columns is None and _is_plain(text):
            yield number, text
        elif columns is not None:
            yield from ((number, line) for line in _of_columns(columns, text))
        else:
            yield from ((number, line) for line in plain(text))


def _is_plain(text: str) -> bool:
    """Whether nothing can be wrapped around it; nearly every line of nearly every log."""
    return text[:1] not in _WRAPPERS and not ("=" in text and _LOGFMT.search(text))


def plain(text: str, depth: int = _DEPTH) -> tuple[str, ...]:
    """The lines that a text holds; the text itself where nothing is wrapped around it."""
    if depth and (stripped := text.lstrip(" [,"))[:1] == "{":
        try:
            found = msgspec.json.decode(stripped.rstrip(" ],").encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return (text,)
        return _of_fields(found, text, depth) if isinstance(found, dict) else (text,)
    if depth and "=" in text and _LOGFMT.search(text):
        pairs = {name: quoted or bare for name, quoted, bare in _PAIR.findall(text)}
        unescaped = {name: value.replace('\\"', '"').replace("\\\\", "\\") for name, value in pairs.items()}
        return _of_fields(unescaped, text, depth)
    return (text,)


def _of_fields(fields: Mapping[str, Any], text: str, depth: int) -> tuple[str, ...]:
    for name in _WITHIN:
        inner = fields.get(name)
        if isinstance(inner, dict) and _first(inner, MESSAGES) is not None:
            fields = {**fields, **inner}
            break
    message = _first(fields, MESSAGES)
    if message is None:
        return (text,)
    first, *rest = [line for part in message.splitlines() for line in plain(part, depth - 1)] or [""]
    traceback = [line for name in TRACEBACKS for line in str(fields.get(name) or "").splitlines()]
    return (_with_time(first, fields), *rest, *(line for line in traceback if line != "True"))


def _with_time(message: str, fields: Mapping[str, Any]) -> str:
    own = find_time(message[:_TIME_WITHIN])
    named = " ".join(_text(fields.get(name)) for name in (*LOGGERS[:3], *LEVELS[:2]) if fields.get(name))
    if own is not None and own.begin <= 2:
        return message
    return f"{_time(fields)} {named} {message}".lstrip()


def _time(fields: Mapping[str, Any]) -> str:
    for name in TIMES:
        value = fields.get(name)
        if isinstance(value, dict):  # as loguru has it
            value = value.get("timestamp", value.get("repr"))
        if isinstance(value, str) and not _is_number(value):
            if find_time(value) is not None:
                return value
        elif value is not None and not isinstance(value, bool) and _is_number(str(value)):
            found = number_as_time(float(value))
            if found is not None:
                return f"{found.moment:.6f}"
    return ""


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value
    return None


# CSV


def _columns(text: str) -> list[str] | None:
    """The names of a table's columns, if its first line holds them and one is the message."""
    names = [name.strip().lower() for name in _cells(text)]
    return names if len(names) > 1 and any(name in MESSAGES for name in names) else None


def _of_columns(columns: list[str], text: str) -> tuple[str, ...]:
    cells = _cells(text)
    if len(cells) < len(columns):
        return (text,)  # a line of a traceback in the cell before
    return _of_fields(dict(zip(columns, cells, strict=False)), text, _DEPTH)


def _cells(text: str) -> list[str]:
    delimiter = next((mark for mark in (",", "\t", ";") if mark in text), ",")
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
