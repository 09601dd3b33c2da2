"""A recording's messages with their times: what is a frame, and what goes along.

What is wrong with a file is said here in one line, with the place, the reason and a remedy.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec

from tracker.recording_file import HEAD, Piece, RecordingError, first_timestamps, pieces
from tracker.timestamps import Clock, UnclearTime
from tracker.user_files import open_regular

KINDS = (".jsonl", ".jsonl.gz", ".jsons")
"""What can be written; what is read is told by its content."""

_AT_BYTE = re.compile(r"\s*\(byte (\d+)\)")


@dataclass(slots=True)
class Message:
    """One message of a file, its time in whole milliseconds; None where it has none, as controls do."""

    data: bytes
    line: int
    is_pose: bool
    """Whether it is a frame: a pose without landmarks is none."""
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
    """RecordingError when there is no such file, it is no regular one, or it may not be read."""
    try:
        open_regular(path).close()
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be opened ({error.strerror}); give the path of a recording ({', '.join(KINDS)})"
        ) from error


def messages(path: Path, say: Callable[[str], None]) -> Iterator[Message]:
    """The messages of a file in the order they stand there, their timestamps in whole milliseconds.

    `say` is told what the timestamps count.
    """
    clock = Clock(say)
    source = pieces(path)
    head = list(islice(source, HEAD))
    clock.look_ahead(first_timestamps(head))
    for piece in chain(head, source):
        yield _message(path, piece, clock)


def with_timestamp(data: bytes, timestamp_ms: int) -> bytes:
    """The same message with another timestamp."""
    return msgspec.json.encode(msgspec.json.decode(data) | {"timestamp": timestamp_ms})


def _message(path: Path, piece: Piece, clock: Clock) -> Message:
    data, line = piece.data, piece.line
    if piece.problem is not None:
        raise RecordingError(f"{path}:{line}:{piece.column}: {piece.problem}")
    try:
        message = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, line, piece.column, data, error) from error
    if not isinstance(message, dict):
        raise RecordingError(f"{path}:{line}: {_shown(message)} is not a message; a message is a JSON object")
    kind, value = message.get("type", "pose"), message.get("timestamp")
    if not isinstance(kind, str):
        raise RecordingError(
            f'{path}:{line}: the type {_shown(kind)} is not a text; write "pose" or a control'
        )
    if kind != "pose" or not message.get("landmarks"):
        return Message(data, line, is_pose=False, timestamp_ms=None)
    if value is None:
        return Message(data, line, is_pose=True, timestamp_ms=None)
    try:
        timestamp_ms = round(clock.read(value))
    except UnclearTime as unclear:
        raise RecordingError(f"{path}:{line}: {unclear}") from None
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
