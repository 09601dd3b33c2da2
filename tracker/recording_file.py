"""A recording's file as messages, one after another, whatever its form.

One message a line, messages behind each other with or without space, printed over several lines, or in an array;
compressed by gzip or not; in UTF-8, with a byte order mark or not, or in UTF-16. Which form it is, its first line tells.
It is never held in memory.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from tracker.streams import DAMAGED, Reads, UnfoldsTooFar, open_stream

MAX_MESSAGE_BYTES = 8_000_000
"""No message is larger; a file in which one seems to be is not a recording."""
MAX_LINES = 50_000_000
"""Three weeks at 30 frames a second."""
HEAD = 64
"""So many messages are looked at before the first is read, for what their timestamps count."""

_CHUNK = 1 << 16
_MARK = b"\xef\xbb\xbf"
# An object without others inside (most of a pose is landmarks), a brace, or a string with its closing quote; a
# string that the chunk's end cuts off matches without one. Possessive, so that no input takes more than one look.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_TOKEN = re.compile(rb'\{[^{}"]*+(?:%b"[^{}"]*+)*+\}|[{}]|%b(?P<close>")?+' % (_STRING, _STRING), re.DOTALL)
_SPACE = re.compile(rb"\s*+")
_BETWEEN_ELEMENTS = re.compile(rb"[\s,\[\]]*+")
_STRAY = re.compile(rb"[^{\n]*+")
_BEHIND_EACH_OTHER = re.compile(r"\.jsons(\.gz)?$")
_SEVERAL = re.compile(rb"\}\s*+\{")


class RecordingError(ValueError):
    """A recording that cannot be read; its text is one complete line for the person who named the file."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What should be a message, and where it begins."""

    data: bytes
    line: int
    column: int
    problem: str | None = None
    """Why it is none, and what to do; None where it may be one."""


class _Stamp(msgspec.Struct):
    timestamp: Any = None


_stamp = msgspec.json.Decoder(_Stamp)


def pieces(path: Path) -> Iterator[Piece]:
    """What stands in the file, in order, without what separates it.

    Raises `RecordingError` for a file that cannot be read, or not on: what is damaged, and what has no end in 8 MB.
    """
    try:
        with closing(open_stream(path)) as file:
            yield from _Framing(path, file).pieces()
    except DAMAGED as error:
        raise RecordingError(
            f"{path}: ends early or is damaged ({error}); copy it again from where it was made"
        ) from None
    except UnfoldsTooFar as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be opened ({error.strerror or error}); give the path of a recording"
        ) from None


def first_timestamps(head: Iterable[Piece]) -> Iterator[object]:
    """Of those that have one, for `Clock.look_ahead`."""
    for piece in head:
        try:
            found = _stamp.decode(piece.data).timestamp
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if found is not None:
            yield found


class _Framing:
    """The file's bytes, read as far as is needed, and the place in it."""

    def __init__(self, path: Path, file: Reads) -> None:
        self._path = path
        self._file = file
        self._buffer = b""
        self._at = 0  # what stands before is done with
        self._line = self._column = 1
        self._between = _SPACE

    def pieces(self) -> Iterator[Piece]:
        self._buffer = self._file.read(_CHUNK).removeprefix(_MARK)
        return self._lines() if self._has_a_message_a_line() else self._behind_each_other()

    def _has_a_message_a_line(self) -> bool:
        """Whether the first line is a message, and not the begin of one, of an array, or several messages."""
        while self._skip(_SPACE) and self._more():
            pass
        if self._buffer[self._at : self._at + 1] == b"[":
            self._between = _BETWEEN_ELEMENTS
            return False
        if _BEHIND_EACH_OTHER.search(self._path.name):
            return False
        while self._end_of_line() < 0 and self._waiting() <= MAX_MESSAGE_BYTES and self._more():
            pass
        end = self._end_of_line()
        first = self._buffer[self._at : end if end >= 0 else None]
        if first[:1] != b"{" or _is_json(first):
            return True
        end, depth = self._end_of_object()
        return depth > 0 or not _is_json(self._buffer[self._at : end])

    def _waiting(self) -> int:
        return len(self._buffer) - self._at

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        chunk = self._file.read(_CHUNK)
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Go on behind what matches; whether all that has been read is done with."""
        self._go_to(cast(re.Match[bytes], pattern.match(self._buffer, self._at)).end())
        return self._at == len(self._buffer)

    def _go_to(self, end: int) -> None:
        newlines = self._buffer.count(b"\n", self._at, end)
        if newlines:
            self._line += newlines
            self._column = end - self._buffer.rfind(b"\n", self._at, end)
        else:
            self._column += end - self._at
        self._at = end
        if self._line > MAX_LINES:
            raise RecordingError(f"{self._path}: more than {MAX_LINES:,} lines; split the recording")

    # A message a line

    def _end_of_line(self) -> int:
        return self._buffer.find(b"\n", self._at)

    def _lines(self) -> Iterator[Piece]:
        while True:
            while self._skip(_SPACE):
                if not self._more():
                    return
            while (end := self._end_of_line()) < 0 and self._waiting() <= MAX_MESSAGE_BYTES:
                if not self._more():
                    end = len(self._buffer)
                    break
            if end < 0 or end - self._at > MAX_MESSAGE_BYTES:
                raise RecordingError(
                    f"{self._path}:{self._line}: no end of line in {MAX_MESSAGE_BYTES} bytes; is it a recording?"
                )
            data = self._buffer[self._at : end].rstrip()
            if _SEVERAL.search(data):  # or one that has such a text in it
                yield from self._of_a_line(data)
            else:
                yield Piece(data, self._line, self._column)
            self._go_to(end)

    def _of_a_line(self, data: bytes) -> Iterator[Piece]:
        begin = 0
        while begin < len(data):
            end, _, complete = _scanned(data, begin, 0)
            end = end if complete else len(data)
            yield Piece(data[begin:end].strip(), self._line, self._column + begin)
            begin = end

    # Messages behind each other

    def _behind_each_other(self) -> Iterator[Piece]:
        while True:
            while self._skip(self._between):
                if not self._more():
                    return
            line, column = self._line, self._column
            if self._buffer[self._at] != ord("{"):
                stray = self._stray()
                shown = stray.decode(errors="replace")
                yield Piece(
                    stray, line, column, f"{shown!r} where a message should begin with a brace; remove it"
                )
                continue
            end, depth = self._end_of_object()
            if depth and self._waiting() > MAX_MESSAGE_BYTES:
                raise RecordingError(
                    f"{self._path}:{line}:{column}: a message that does not end in {MAX_MESSAGE_BYTES} bytes;"
                    " is a brace missing?"
                )
            if depth:
                begin = self._buffer[self._at : self._at + 200]
                why = "the file ends inside this message; record or copy it again"
                yield Piece(begin, line, column, why)
                return
            yield Piece(self._buffer[self._at : end], line, column)
            self._go_to(end)

    def _stray(self) -> bytes:
        """Go on behind what is no message, to the next brace or line; return the begin of it."""
        shown = self._buffer[self._at : self._at + 20]
        while self._skip(_STRAY) and self._more():
            pass
        return shown

    def _end_of_object(self) -> tuple[int, int]:
        """Where the object ends that begins here, found by counting braces outside strings, and 0.

        More than 0, the depth, at the end of the file, and where no object ends in `MAX_MESSAGE_BYTES`.
        """
        read, depth, complete = _scanned(self._buffer, self._at, 0)
        while not complete:
            if self._waiting() > MAX_MESSAGE_BYTES:
                return read, max(depth, 1)
            read -= self._at
            if not self._more():
                return read, max(depth, 1)
            read, depth, complete = _scanned(self._buffer, read, depth)
        return read, 0


def _scanned(buffer: bytes, begin: int, depth: int) -> tuple[int, int, bool]:
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


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
