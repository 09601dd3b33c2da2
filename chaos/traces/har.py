"""A HAR file: what a browser's developer tools, or a proxy, recorded of WebSocket connections and attempts.

Such a file is one JSON value, so it is looked at as a whole; what is not of a WebSocket is passed over, not kept.
"""

import heapq
import mmap
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from chaos.traces.entry_survey import EntrySurvey
from chaos.traces.files import TraceError, first_bytes, whole
from chaos.traces.har_messages import Message, moment_of, said_of
from chaos.traces.log_notices import MOST_TEXT
from chaos.traces.log_survey import Survey
from chaos.traces.problems import Problems
from chaos.traces.wire import (
    Entry,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Notice,
    NoticeKind,
    Over,
    Request,
    Response,
    Said,
    StateChange,
    Unshown,
    Writer,
)

SWITCHING = 101
_BEGIN = re.compile(rb'^\s*\{\s*"log"\s*:\s*\{')
_LOOKED_AT = 4096  # bytes
_AFTER_THE_LAST = 0.05
"""Seconds by which an entry has to last longer than its last message, for its end to be of the connection."""
_NET_ERRORS: dict[str, NoticeKind] = {
    "ERR_CONNECTION_REFUSED": NoticeKind.UNREACHABLE,
    "ERR_NAME_NOT_RESOLVED": NoticeKind.NO_NAME,
    "ERR_INTERNET_DISCONNECTED": NoticeKind.NO_ROUTE,
    "ERR_ADDRESS_UNREACHABLE": NoticeKind.NO_ROUTE,
    "ERR_NETWORK_CHANGED": NoticeKind.NO_ROUTE,
    "ERR_NETWORK_IO_SUSPENDED": NoticeKind.NO_ROUTE,
    "ERR_TIMED_OUT": NoticeKind.TIMED_OUT,
    "ERR_CONNECTION_TIMED_OUT": NoticeKind.TIMED_OUT,
    "ERR_CERT_": NoticeKind.BAD_CERTIFICATE,
    "ERR_CONNECTION_RESET": NoticeKind.RESET,
    "ERR_CONNECTION_ABORTED": NoticeKind.RESET,
}
_ATTEMPTS = (
    NoticeKind.UNREACHABLE,
    NoticeKind.NO_NAME,
    NoticeKind.NO_ROUTE,
    NoticeKind.TIMED_OUT,
    NoticeKind.BAD_CERTIFICATE,
)


class _Request(msgspec.Struct):
    url: Any = ""
    headers: Any = None


class _Response(msgspec.Struct):
    status: Any = 0
    statusText: Any = ""  # noqa: N815 - the file's word
    headers: Any = None
    error: Any = msgspec.field(name="_error", default=None)


class _HarEntry(msgspec.Struct):
    startedDateTime: Any = None  # noqa: N815 - the file's word
    time: Any = None
    request: msgspec.Raw = msgspec.Raw(b"{}")
    response: msgspec.Raw = msgspec.Raw(b"{}")
    kind: Any = msgspec.field(name="_resourceType", default=None)
    messages: list[Message] | None = msgspec.field(name="_webSocketMessages", default=None)


_Part = TypeVar("_Part", _Request, _Response)


class _Creator(msgspec.Struct):
    name: Any = None
    version: Any = None


class _Log(msgspec.Struct):
    entries: list[_HarEntry] | None = None
    browser: _Creator | None = None
    creator: _Creator | None = None


class _Har(msgspec.Struct):
    log: _Log


def is_one(path: Path) -> bool:
    """Whether the file begins as a HAR does."""
    return _BEGIN.match(first_bytes(path, _LOOKED_AT).removeprefix(BOM_UTF8)) is not None


def survey(path: Path) -> Survey:
    """Look through a whole file. Raises `TraceError`, one line, for one in which there is nothing to tell."""
    read = _read(path, Problems())
    if not read.connections:
        if not read.entries:
            raise TraceError(
                f"{path}: a HAR without any entry: record with the network panel open, then export again"
            )
        many = "1 request" if read.entries == 1 else f"{read.entries} requests"
        raise TraceError(
            f"{path}: a HAR with {many} and no WebSocket: record from before the page connects (reload it with the"
            " network panel open), and export with content"
        )
    found = Survey(writer=Writer.BROWSER, library=read.by, timed=True, grain=0.001)
    found.epoch = read.epoch
    found.sides["client"] += 1
    seen = EntrySurvey(found)
    for entry in _entries(read):
        seen.take(entry)
    return found


def read_har(_: Survey, path: Path, problems: Problems) -> Iterator[Entry]:
    """What it says, in the order of time; what could not be told is counted in `problems`."""
    return _entries(_read(path, problems))


# The file


@dataclass(slots=True, eq=False)
class _Connection:
    number: int
    began: float
    """Seconds since 1970."""
    lasted: float | None
    request: _Request
    response: _Response
    messages: list[Message]
    followed: bool = False
    """Another to the same endpoint began after all that is shown of this one."""

    @property
    def path(self) -> str:
        """What was asked for, without its query: a token in it is nobody's business, and differs each time."""
        try:
            return urlsplit(str(self.request.url)).path or "/"
        except ValueError:
            return "/"

    @property
    def status(self) -> int:
        """Of the answer; 0: none came, or none is shown."""
        return self.response.status if isinstance(self.response.status, int) else 0


class _Read(NamedTuple):
    entries: int
    connections: list[_Connection]
    by: str | None
    epoch: float | None
    problems: Problems


def _read(path: Path, problems: Problems) -> _Read:
    try:
        log = msgspec.json.decode(_content(path), type=_Har).log
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TraceError(f"{path}: a HAR that cannot be read ({_reason(error)})") from None
    found = []
    undated = 0
    for entry in log.entries or ():
        made = _connection(entry)
        if made is None:
            continue
        began = moment_of(entry.startedDateTime)
        undated += began is None
        lasted = entry.time / 1000 if isinstance(entry.time, int | float) and entry.time > 0 else None
        found.append((began, lasted, *made))
    if undated:
        problems.add("{n} entries without a time are left out", count=undated)
    dated = sorted((f for f in found if f[0] is not None), key=lambda f: f[0] or 0.0)
    connections = [
        _Connection(number, began or 0.0, lasted, request, response, messages)
        for number, (began, lasted, request, response, messages) in enumerate(dated, 1)
    ]
    latest: dict[str, _Connection] = {}
    for connection in connections:
        before = latest.get(connection.path)
        if before is not None and connection.began >= before.began + (before.lasted or 0.0):
            before.followed = True
        latest[connection.path] = connection
    epoch = connections[0].began if connections else None
    return _Read(len(log.entries or ()), connections, _by(log), epoch, problems)


def _content(path: Path) -> bytes | mmap.mmap:
    """Without a copy in memory where the file is plain."""
    if first_bytes(path, 1) and not _is_packed(path):
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return whole(path)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
    return (
        not start.lstrip().startswith(b"{") or b"\0" in start
    )  # compressed, in UTF-16, or with a mark in front


def _reason(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"{error}: it was changed by hand, or is of another kind"
    if "truncated" in str(error):
        return "its end is cut off: export it again"
    return f"{error}: it is damaged; export it again"


def _by(log: _Log) -> str | None:
    for who in (log.browser, log.creator):
        if who is not None and isinstance(who.name, str):
            version = who.version if isinstance(who.version, str) else ""
            return f"{who.name} {version}".strip()[:60]
    return None


def _connection(entry: _HarEntry) -> tuple[_Request, _Response, list[Message]] | None:
    """What an entry says, if it is of a WebSocket."""
    request, response = _decoded(entry.request, _Request), _decoded(entry.response, _Response)
    is_ws = (
        entry.messages is not None
        or str(entry.kind).lower() == "websocket"
        or str(request.url).lower().startswith(("ws:", "wss:"))
        or response.status == SWITCHING
        or any(
            name == "upgrade" and value.lower() == "websocket" for name, value in _headers(request.headers)
        )
    )
    return (request, response, entry.messages or []) if is_ws else None


def _decoded(raw: msgspec.Raw, kind: type[_Part]) -> _Part:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        return kind()


def _headers(found: object) -> Iterator[tuple[str, str]]:
    for header in found if isinstance(found, list) else ():
        if isinstance(header, dict) and isinstance(header.get("name"), str):
            yield header["name"].lower(), str(header.get("value", ""))


# The entries


class _Timed(NamedTuple):
    t: float
    connection: int
    order: int
    said: Said


def _entries(read: _Read) -> Iterator[Entry]:
    streams = [_Stream(connection, read.problems).all() for connection in read.connections]
    zero = read.epoch or 0.0
    for place, timed in enumerate(heapq.merge(*streams), 1):
        attempt = isinstance(timed.said, Notice) and timed.said.kind in _ATTEMPTS
        number = None if attempt else timed.connection
        yield Entry(place, round(timed.t - zero, 6), number, timed.said, "client")


class _Stream:
    """What one connection says, its times in order."""

    def __init__(self, of: _Connection, problems: Problems) -> None:
        self._of = of
        self._problems = problems
        self._t = of.began
        self._order = 0
        error = str(of.response.error or "")
        self._kind = next((kind for name, kind in _NET_ERRORS.items() if name in error), None)
        self._error = error[:MOST_TEXT]
        self._end = of.began + (of.lasted or 0.0)

    def _at(self, moment: float, said: Said) -> _Timed:
        self._t, self._order = max(self._t, moment), self._order + 1
        return _Timed(self._t, self._of.number, self._order, said)

    def all(self) -> Iterator[_Timed]:
        of = self._of
        shown = bool(of.messages) or of.status == SWITCHING
        if of.status in (0, SWITCHING) and not of.messages and self._kind in _ATTEMPTS:
            yield self._at(self._end, Notice(self._kind, self._error))
            return
        yield self._at(of.began, Request(">", of.path))
        if of.status not in (0, SWITCHING):
            yield from self._refused()
        elif not shown or (self._error and not of.messages):
            yield from self._failed()
        else:
            yield from self._opened()

    def _refused(self) -> Iterator[_Timed]:
        response = self._of.response
        yield self._at(self._end, Response("<", self._of.status, str(response.statusText or "")))
        for name, value in _headers(response.headers):
            yield self._at(self._end, HeaderLine("<", name, value))

    def _failed(self) -> Iterator[_Timed]:
        yield self._at(self._end, HandshakeFailed())
        if self._error:
            yield self._at(self._end, Notice(self._kind or NoticeKind.ERROR, self._error))
        yield self._at(self._end, StateChange("CLOSED"))

    def _opened(self) -> Iterator[_Timed]:
        yield self._at(self._t, Response("<", SWITCHING, ""))
        yield self._at(self._t, StateChange("OPEN"))
        closed = False
        for message in self._of.messages:
            moment = moment_of(message.time)
            if moment is None:
                self._problems.add("{n} messages without a time have that of the one before")
            said = said_of(message)
            if said is None:
                self._problems.add("{n} messages of a kind that this version does not know skipped")
                continue
            yield self._at(self._t if moment is None else moment, said)
            closed |= isinstance(said, Failing) or (isinstance(said, Frame) and said.opcode == "CLOSE")
        if self._kind is NoticeKind.RESET:
            yield self._at(self._end, Notice(self._kind, self._error))
            closed = True
        if closed:
            yield self._at(self._end, StateChange("CLOSED"))
        elif self._of.followed and self._end > self._t + _AFTER_THE_LAST:
            yield self._at(self._end, Over(Unshown.NO_CONTROL_FRAMES))
