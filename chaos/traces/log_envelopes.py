"""What other programs wrap a log's lines into, taken off: JSON lines, docker's, logfmt, a table's.      pure

What comes out is plain text again, the time and the logger's name in front of the message.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from chaos.traces.log_tables import Table, delimiter_line, rows, table_of
from chaos.traces.log_times import find_time, number_as_time
from chaos.traces.log_wrapping import as_written

MESSAGES = (
    "message",
    "msg",
    "event",
    "log",
    "text",
    "body",
    "textPayload",
    "MESSAGE",
    "@message",
    "line",
    "_raw",
)
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
    "_time",
    "__REALTIME_TIMESTAMP",
)
LOGGERS = ("logger", "logger_name", "name", "module", "log.logger", "SYSLOG_IDENTIFIER")
LEVELS = ("level", "levelname", "log.level", "severity", "lvl")
TRACEBACKS = ("exc_info", "exception", "stack_trace", "traceback", "exc_text", "stack")

_AS_IN_JSON = {name.lower(): name for name in (*MESSAGES, *TIMES, *LOGGERS, *LEVELS, *TRACEBACKS)}
_WITHIN = ("record", "jsonPayload", "fields", "data")  # objects in which these stand, in some formats
_PAIR = re.compile(r'([\w@.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_LOGFMT = re.compile(r"(?:^|\s)(?:msg|message|event)=")
_WRAPPERS = frozenset("{[, ")
_DEPTH = 3
"""Envelopes in envelopes: docker's around a program's own JSON."""
_TIME_WITHIN = 60  # characters of a message: what comes later is no time of its own


def unwrapped(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each line with its number; several with the same number where one held a traceback."""
    texts = as_written(texts)
    delimiter: str | None = None
    for number, text in texts:
        if number <= 2:
            if number == 1 and (delimiter := delimiter_line(text)) is not None:
                continue
            if number == 1 or delimiter is not None:
                found = _columns(text, delimiter)
                if found is not None:
                    yield from _of_table(found, texts)
                    return
        if text[:1] not in _WRAPPERS and not ("=" in text and _LOGFMT.search(text)):
            yield number, text  # nothing is wrapped around nearly any line of nearly any log
        else:
            yield from ((number, line) for line in plain(text))


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
        if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return bytes(value).decode(errors="replace")  # journald's, of what has colours in it
    return None


# Tables


class _Columns(NamedTuple):
    """A table with a column of messages."""

    table: Table
    message: str


def _columns(text: str, delimiter: str | None) -> _Columns | None:
    """The table whose columns the line names, if one of them is the message."""
    table = table_of(text, delimiter=delimiter)
    if table is None:
        return None
    message = next((name for name in map(str.lower, MESSAGES) if name in table.columns), None)
    return None if message is None else _Columns(table, message)


def _of_table(found: _Columns, texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, row in rows(found.table, texts, message=found.message):
        if isinstance(row, str):
            yield number, row
            continue
        named = {_AS_IN_JSON.get(name, name): cell for name, cell in row.items()}
        shown = " ".join(row.values())
        yield from ((number, line) for line in _of_fields(named, shown, _DEPTH))
