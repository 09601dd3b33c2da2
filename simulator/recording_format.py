"""A recording's file as a stream of messages: framing, and the time in each.

What is wrong with a file is said here in one line, with the place, the reason and a remedy.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

KINDS = (".jsonl", ".jsonl.gz", ".jsons")
MAX_MESSAGE_BYTES = 8_000_000
"""No message is larger; a file in which one seems to be is not a recording."""

_SECONDS_BELOW = 1e11  # as milliseconds that is 1973, as seconds the year 5138
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_CHUNK = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An object without others inside (most of a pose is landmarks), a brace, or a string with its closing quote; a
# string that the chunk's end cuts off matches without one. Possessive, so that no input takes more than one look.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_TOKEN = re.compile(rb'\{[^{}"]*+(?:%b"[^{}"]*+)*+\}|[{}]|%b(?P<close>")?+' % (_STRING, _STRING), re.DOTALL)
_SPACE = re.compile(rb"\s*")
_AT_BYTE = re.compile(r"\s*\(byte (\d+)\)")


class RecordingError(ValueError):
    """A recording that cannot be read; its text is one complete line for the person who named the file."""


@dataclass(slots=True)
class Message:
    """One message of a file, its time in whole milliseconds; None where it has none, as controls do."""

    data: bytes
    line: int
    is_pose: bool
    timestamp_ms: int | None


def kind_of(path: Path) -> str:
    """Which of `KINDS` a file is, by its name; RecordingError for any other."""
    for kind in KINDS:
        if path.name.endswith(kind):
            return kind
    raise RecordingError(
        f"{path}: {''.join(path.suffixes) or 'no suffix'!r} is not a kind of recording; name the file {', '.join(KINDS)}"
    )


def check_readable(path: Path) -> None:
    """RecordingError when there is no such file, it may not be read, or its name tells no kind."""
    kind_of(path)
    try:
        path.open("rb").close()
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be opened ({error.strerror}); give the path of a recording ({', '.join(KINDS)})"
        ) from error


def messages(path: Path) -> Iterator[Message]:
    """The messages of a file in the order they stand there, their timestamps in whole epoch milliseconds."""
    kind = kind_of(path)
    split = _concatenated if kind == ".jsons" else _lines
    try:
        with cast(BinaryIO, gzip.open(path) if kind == ".jsonl.gz" else path.open("rb")) as file:
            for line, column, data in split(path, file):
                yield _message(path, line, column, data)
    except (EOFError, zlib.error, OSError) as error:
        raise RecordingError(
            f"{path}: ends early or is damaged ({error}); copy it again from where it was made"
        ) from error


def with_timestamp(data: bytes, timestamp_ms: int) -> bytes:
    """The same message with another timestamp."""
    return msgspec.json.encode(msgspec.json.decode(data) | {"timestamp": timestamp_ms})


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    number = 0
    while raw := file.readline(MAX_MESSAGE_BYTES + 1):
        number += 1
        if len(raw) > MAX_MESSAGE_BYTES:
            raise RecordingError(
                f"{path}:{number}: no end of line in {MAX_MESSAGE_BYTES} bytes; is this a .jsons file by another name?"
            )
        if data := raw.strip():
            yield number, raw.index(data[:1]) + 1, data


def _concatenated(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """One JSON object after another, found by counting braces outside strings."""
    buffer, line, column = b"", 1, 1

    def drop(n: int) -> None:
        nonlocal buffer, line, column
        newlines = buffer.count(b"\n", 0, n)
        line, column = line + newlines, n - buffer.rfind(b"\n", 0, n) if newlines else column + n
        buffer = buffer[n:]

    scanned = depth = 0
    while chunk := file.read(_CHUNK):
        buffer += chunk
        while True:
            if depth == 0:
                drop(cast(re.Match[bytes], _SPACE.match(buffer)).end())
                if buffer and buffer[:1] != b"{":
                    raise RecordingError(
                        f"{path}:{line}:{column}: {buffer[:20].decode(errors='replace')!r} where a message should begin"
                        " with a brace; remove it"
                    )
            scanned, depth, complete = _scan(buffer, scanned, depth)
            if not complete:
                break
            yield line, column, buffer[:scanned]
            drop(scanned)
            scanned = 0
        if len(buffer) > MAX_MESSAGE_BYTES:
            raise RecordingError(
                f"{path}:{line}:{column}: a message that does not end in {MAX_MESSAGE_BYTES} bytes; is a brace missing?"
            )
    if buffer:
        raise RecordingError(
            f"{path}:{line}:{column}: the file ends inside this message; record or copy it again"
        )


def _scan(buffer: bytes, begin: int, depth: int) -> tuple[int, int, bool]:
    """Go on to the end of an object: (how far it is read, the depth there, whether the object is complete)."""
    for token in _TOKEN.finditer(buffer, begin):
        text = token[0]
        if text == b"{":
            depth += 1
        elif text == b"}":
            depth -= 1
        elif text.startswith(b'"') and token["close"] is None:
            return token.start(), depth, False
        if depth == 0:
            return token.end(), 0, True
    return len(buffer), depth, False


def _message(path: Path, line: int, column: int, data: bytes) -> Message:
    try:
        message = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, line, column, data, error) from error
    if not isinstance(message, dict):
        raise RecordingError(f"{path}:{line}: {_shown(message)} is not a message; a message is a JSON object")
    kind, value = message.get("type", "pose"), message.get("timestamp")
    if not isinstance(kind, str):
        raise RecordingError(
            f'{path}:{line}: the type {_shown(kind)} is not a text; write "pose" or a control'
        )
    if kind != "pose" or value is None:
        return Message(data, line, is_pose=kind == "pose", timestamp_ms=None)
    timestamp_ms = _milliseconds(path, line, value)
    if type(value) is not int or value != timestamp_ms:
        data = with_timestamp(data, timestamp_ms)
    return Message(data, line, is_pose=True, timestamp_ms=timestamp_ms)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _broken(path: Path, line: int, column: int, data: bytes, error: Exception) -> RecordingError:
    """What the JSON reader said, its byte turned into a line and a column of the file."""
    text = str(error)
    if found := _AT_BYTE.search(text):
        before = data[: int(found[1])]
        newlines = before.count(b"\n")
        column = len(before) - before.rfind(b"\n") if newlines else column + len(before)
        line, text = line + newlines, text[: found.start()]
    elif isinstance(error, RecursionError):
        text = "nested too deeply"
    reason = text.replace("\n", " ")
    return RecordingError(f"{path}:{line}:{column}: not a message ({reason}); correct or remove it")


def _milliseconds(path: Path, line: int, value: Any) -> int:
    """A timestamp of any kind that is understood, in whole milliseconds."""
    result: float | None = None
    if isinstance(value, str):
        result = _from_iso(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        result = value * 1000 if value < _SECONDS_BELOW else value
    if result is None or not 0 <= result <= _LAST_MS:
        raise RecordingError(
            f"{path}:{line}: the timestamp {_shown(value)} is no time between 1970 and 9999;"
            " give epoch milliseconds, epoch seconds or ISO 8601"
        )
    return round(result)


def _from_iso(value: str) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    # Not .timestamp(): a float of seconds is too coarse for some microseconds.
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) / timedelta(milliseconds=1)
