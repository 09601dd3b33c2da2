"""The trace of `websocket-client`, followed: each line with its time and the connection that it is of.               pure"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from chaos.traces.log_clock import LogClock
from chaos.traces.log_lines import without_colours
from chaos.traces.log_naming import by_words
from chaos.traces.log_notices import MOST_TEXT, read_notice
from chaos.traces.log_survey import Survey
from chaos.traces.log_times import leading_time
from chaos.traces.problems import Problems
from chaos.traces.websocket_client_lines import ClientLine, Kind, once
from chaos.traces.websocket_client_live import Live, take_in
from chaos.traces.websocket_client_words import (
    CLOSED,
    NO_PONG,
    REFUSED,
    STREAM_ENDED,
    body_of,
    says_something,
    without_time,
)
from chaos.traces.wire import (
    Body,
    Entry,
    Eof,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    Notice,
    NoticeKind,
    OtherLine,
    Over,
    Request,
    Response,
    Said,
    StateChange,
    Unshown,
    Way,
)

SWITCHING = 101
PROXY_OPENS_THE_WAY = 200
_MOST_WAITING = 50  # of the program's lines, that the next line of the library may explain
_VOICES = 8
_NAMES = 10_000
_ALIVE = 1.0  # seconds after which one more line of the program is worth passing on
_REQUEST = re.compile(r"(?:^|(?<=[\s:|\])>,-]))(?P<method>[A-Z]{3,7}) (?P<path>\S+) HTTP/\d")
_STATUS = re.compile(r"(?:^|(?<=[\s:|\])>,-]))HTTP/\d\S* (?P<status>\d{3})(?P<phrase>.*)")
_HEADER = re.compile(r"(?:^|.*?[\s:|\])>,-])(?P<name>[A-Za-z][A-Za-z0-9-]*): (?P<value>.*)")
_ATTEMPTS = (
    NoticeKind.UNREACHABLE,
    NoticeKind.NO_ROUTE,
    NoticeKind.TIMED_OUT,
    NoticeKind.NO_NAME,
    NoticeKind.BAD_CERTIFICATE,
)


def read_log(surveyed: Survey, texts: Iterable[tuple[int, str]], problems: Problems) -> Iterator[Entry]:
    """What a trace says, line by line; what could not be told is counted in `problems`."""
    return _Reader(surveyed, problems).read(texts)


@dataclass(slots=True)
class _Waiting:
    """A line of the program that the next line of the library may say again."""

    number: int
    t: float | None
    """None: it has no time."""
    text: str


class _Reader:
    def __init__(self, surveyed: Survey, problems: Problems) -> None:
        self._surveyed = surveyed
        self._problems = problems
        self._clock = LogClock(problems)
        self._count = 0
        self._live: list[Live] = []
        self._block: Literal["request", "response"] | None = None
        self._current: Live | None = None  # whose headers come
        self._through_proxy = False
        self._waiting: list[_Waiting] = []
        self._voices: dict[str, str] = {}
        self._alive = -_ALIVE
        self._guessed = False
        self._line = 0

    def read(self, texts: Iterable[tuple[int, str]]) -> Iterator[Entry]:
        others = number = 0
        for number, text, line in once(texts, doubled=self._surveyed.twice):
            if line is not None:
                self._clock.tick(line.time, number)
                yield from self._explained(line)
                yield from self._of_library(number, line)
            elif self._block is not None and (said := self._header(text)) is not None:
                yield from self._of_handshake(number, said)
            else:
                others += bool(text.strip())
                yield from self._of_program(number, without_colours(text))
        yield from self._explained(None)
        for live in self._live:
            if live.said_goodbye:
                yield self._entry(number, live, StateChange("CLOSED"))
        if others:
            self._problems.add("{n} lines are not the library's", count=others)
        if self._guessed:
            self._problems.add("ends told by lines without a time have the time of the line after them")
        self._clock.finish(absurd=self._surveyed.absurd)

    def _entry(self, number: int, live: Live | None, said: Said, *, t: float | None = None) -> Entry:
        sure = live is None or len(self._live) < 2 or isinstance(said, Over)
        self._line = max(number, self._line)
        at = self._clock.now if t is None else t
        return Entry(self._line, at, None if live is None else live.number, said, "client", sure)

    # The library's lines

    def _of_library(self, number: int, line: ClientLine) -> Iterator[Entry]:  # noqa: C901, PLR0912 - a table of the kinds
        voice = self._voice(line.prefix)
        if line.kind is not Kind.HEADERS_END and line.kind not in (Kind.FRAME, Kind.RAW, Kind.ASIDE):
            self._block = None
        match line.kind:
            case Kind.REQUEST:
                self._block = "request"
                yield from self._begin(number, voice)
            case Kind.RESPONSE:
                self._block = "response"
                self._current = self._whose(voice, opened=False) or self._current
            case Kind.HEADERS_END:
                if self._block == "response" and self._current is not None:
                    yield from self._answered(number, self._current)
                self._block = None
            case Kind.CONNECTED:
                live = self._whose(voice, opened=False)
                if live is not None and live.status in (None, SWITCHING):
                    yield from self._open(number, live)
            case Kind.FRAME | Kind.RAW:
                # Where frames are shown decoded, what is shown undecoded says the same.
                if line.frame is not None and (line.kind is Kind.FRAME or not self._surveyed.shows_decoded):
                    yield from self._frame(number, voice, line.frame, old=line.old)
            case Kind.CLOSE_ANSWERED:
                live = self._whose(voice, opened=True)
                if live is not None and not live.heard_goodbye and line.code is not None:
                    live.heard_goodbye = True
                    yield self._entry(number, live, Frame("<", "CLOSE", 2, str(line.code), line.code))
            case Kind.LOST:
                yield from self._lost(number, line)
            case Kind.RETRYING:
                yield self._entry(
                    number, None, Notice(NoticeKind.RETRYING, line.message[:MOST_TEXT], delay=line.delay)
                )
            case _:
                pass

    def _voice(self, prefix: str) -> str:
        voice = self._voices.get(prefix)
        if voice is None:
            if len(self._voices) > _NAMES:
                self._voices.clear()
            voice = self._voices[prefix] = by_words(prefix)
        return voice

    def _whose(self, voice: str, *, opened: bool) -> Live | None:
        found = [live for live in self._live if live.opened is opened]
        if len(found) > 1:
            found = [live for live in found if voice in live.voices] or found
        return found[-1] if found else None

    # Handshakes

    def _begin(self, number: int, voice: str) -> Iterator[Entry]:
        if self._current is not None and not self._current.asked and self._current in self._live:
            return  # it begins a second time, without anything between
        for live in [live for live in self._live if voice in live.voices]:
            if not (live.proxy and live.status == PROXY_OPENS_THE_WAY):
                yield from self._forget(number, live, Unshown.ANOTHER_BEGAN)
        waiting = next((live for live in self._live if live.proxy and not live.opened), None)
        if waiting is not None:
            waiting.asked = waiting.proxy = False
            waiting.status = None
            self._current = waiting
            return
        self._count += 1
        self._current = Live(self._count, {voice})
        self._live.append(self._current)

    def _forget(self, number: int, live: Live, why: Unshown) -> Iterator[Entry]:
        """Nothing more comes of it."""
        told = live.said_goodbye or live.heard_goodbye or live.given_up or live.failed
        if live.opened and not told:
            yield self._entry(number, live, Over(why))
        elif live.opened or live.status is None:
            yield self._entry(number, live, StateChange("CLOSED"))
        if live in self._live:
            self._live.remove(live)

    def _header(self, text: str) -> Said | None:
        text = without_colours(text).rstrip()
        way: Way = ">" if self._block == "request" else "<"
        if way == ">" and (found := _REQUEST.search(text)) is not None:
            self._through_proxy = found["method"] == "CONNECT"
            return Request(">", found["path"])
        if way == "<" and (found := _STATUS.search(text)) is not None:
            return Response("<", int(found["status"]), found["phrase"].strip())
        found = _HEADER.fullmatch(text)
        return None if found is None else HeaderLine(way, found["name"].lower(), found["value"].strip())

    def _of_handshake(self, number: int, said: Said) -> Iterator[Entry]:
        live = self._current
        if live is None or live not in self._live:
            return
        match said:
            case Request():
                yield from self._asks(number, live, said)
            case Response():
                if live.status is None:  # else every line comes twice
                    live.status = said.status
                    yield from self._answers(number, live, said)
            case _ if not live.proxy:
                yield self._entry(number, live, said)

    def _asks(self, number: int, live: Live, said: Request) -> Iterator[Entry]:
        if live.asked:
            return  # every line comes twice
        live.asked, live.proxy, live.path = True, self._through_proxy, said.path
        if not live.proxy:
            yield self._entry(number, live, StateChange("CONNECTING"))
            yield self._entry(number, live, said)

    def _answers(self, number: int, live: Live, said: Response) -> Iterator[Entry]:
        if live.proxy and said.status == PROXY_OPENS_THE_WAY:
            return
        if live.proxy:
            yield self._entry(number, live, Request(">", live.path))
        yield self._entry(number, live, said)

    def _answered(self, number: int, live: Live) -> Iterator[Entry]:
        if live.status == SWITCHING:
            yield from self._open(number, live)
        elif live.status is not None and not (live.proxy and live.status == PROXY_OPENS_THE_WAY):
            self._live = [other for other in self._live if other is not live]  # it was refused, or sent on

    def _open(self, number: int, live: Live) -> Iterator[Entry]:
        if not live.opened:
            live.opened = True
            yield self._entry(number, live, StateChange("OPEN"))

    # Frames

    def _frame(self, number: int, voice: str, frame: Frame, *, old: bool) -> Iterator[Entry]:
        live = self._whose(voice, opened=True)
        if live is None:
            live = self._whose(voice, opened=False)
            if live is not None and live.status in (None, SWITCHING):
                yield from self._open(number, live)
            elif self._count and frame.opcode == "CLOSE" and frame.way == ">":
                return  # of one that has ended, whose program closes it too
            else:
                live = self._in_the_middle(voice)
        if len(live.voices) < _VOICES:
            live.voices.add(voice)
        if old and frame.opcode in ("PING", "PONG"):
            return  # whether an answer came is not shown
        if old and frame.opcode == "CLOSE" and not live.given_up:
            yield self._entry(number, live, Over(Unshown.RECEIVED_LEFT_OUT, frame.code))
            self._live.remove(live)
            return
        take_in(live, frame)
        yield self._entry(number, live, frame)
        if live.heard_goodbye and live.said_goodbye:
            yield self._entry(number, live, StateChange("CLOSED"))
            self._live.remove(live)

    def _in_the_middle(self, voice: str) -> Live:
        self._problems.add("the log begins in the middle of a connection")
        self._count += 1
        live = Live(self._count, {voice}, opened=True, asked=True, status=SWITCHING)
        self._live.append(live)
        return live

    # Exceptions, as the library or the program tells them

    def _of_program(self, number: int, text: str) -> Iterator[Entry]:
        time = leading_time(text)
        if time is not None:
            self._clock.tick(time, number)
        if says_something(text):
            if len(self._waiting) >= _MOST_WAITING:
                yield from self._explained(None)
            self._waiting.append(_Waiting(number, None if time is None else self._clock.now, text))
        elif time is not None and self._clock.now - self._alive >= _ALIVE and not self._waiting:
            self._alive = self._clock.now
            yield self._entry(number, None, OtherLine())

    def _explained(self, line: ClientLine | None) -> Iterator[Entry]:
        """The program's lines that waited; but for one that the library's own says again."""
        waiting, self._waiting = self._waiting, []
        if line is not None and line.kind is Kind.LOST and waiting:
            same = [told for told in waiting if line.text and line.text in told.text]
            waiting = [told for told in waiting if told not in same]
        for told in waiting:
            yield from self._exception(told.number, told.text, told.t, of_library=False)

    def _lost(self, number: int, line: ClientLine) -> Iterator[Entry]:
        yield from self._exception(number, line.text, None, of_library=True)
        live = self._whose(self._voice(line.prefix), opened=True)
        if live is not None and not live.given_up and (live.said_goodbye or live.heard_goodbye):
            yield self._entry(number, live, StateChange("CLOSED"))
            self._live.remove(live)

    def _exception(self, number: int, text: str, t: float | None, *, of_library: bool) -> Iterator[Entry]:
        live = self._whose("", opened=True)
        pending = self._whose("", opened=False)
        timed = t is not None or of_library or not self._surveyed.timed
        if found := REFUSED.search(text):
            yield from self._refused(number, found, text, t)
        elif live is not None and NO_PONG in text:
            self._guessed |= not timed
            if not live.given_up:
                live.given_up = True
                yield self._entry(number, live, KeepaliveSays(Keepalive.GAVE_UP, code=None), t=t)
        elif live is not None and any(words in text for words in STREAM_ENDED):
            self._guessed |= not timed
            if not live.given_up:
                yield self._entry(number, live, Eof("<"), t=t)
                yield self._entry(number, live, StateChange("CLOSED"), t=t)
                self._live.remove(live)
        elif found := CLOSED.search(text):
            if live is not None and not live.heard_goodbye:
                live.heard_goodbye = True
                code, reason = int(found["code"]), found["reason"] or ""
                yield self._entry(number, live, Frame("<", "CLOSE", 2, found[0], code, reason), t=t)
        elif not self._count and of_library and any(words in text for words in STREAM_ENDED):
            yield self._entry(number, None, Notice(NoticeKind.ENDED, text.strip(), cut=True), t=t)
        elif text.strip():
            yield from self._other_exception(number, text, t, live, pending, of_library=of_library)

    def _refused(self, number: int, found: re.Match[str], text: str, t: float | None) -> Iterator[Entry]:
        """It repeats what the response said, where that is shown."""
        if self._current is not None and self._current.status == int(found[1]):
            if found["body"]:
                yield self._entry(number, self._current, Body(body_of(found["body"])), t=t)
            return
        notice = Notice(NoticeKind.REJECTED, text.strip()[:MOST_TEXT], status=int(found[1]))
        yield self._entry(number, None, notice, t=t)

    def _other_exception(
        self,
        number: int,
        text: str,
        t: float | None,
        live: Live | None,
        pending: Live | None,
        *,
        of_library: bool,
    ) -> Iterator[Entry]:
        notice = read_notice(text)
        if notice is None:
            notice = Notice(NoticeKind.ERROR, text.strip()[:MOST_TEXT])
        elif notice.text == text.strip()[:MOST_TEXT]:
            notice.text = without_time(text)
        if not of_library and notice.kind is NoticeKind.ERROR:
            yield self._entry(number, None, notice, t=t)
        elif pending is not None and pending.asked:
            yield self._entry(number, pending, HandshakeFailed(), t=t)
            yield self._entry(number, pending, notice, t=t)
            yield self._entry(number, pending, StateChange("CLOSED"), t=t)
            self._live.remove(pending)
        elif live is not None and notice.kind in (NoticeKind.RESET, NoticeKind.CUT, *_ATTEMPTS):
            if of_library or notice.kind is NoticeKind.RESET:
                yield self._entry(number, live, notice, t=t)
                yield self._entry(number, live, StateChange("CLOSED"), t=t)
                self._live.remove(live)
        elif live is not None and of_library and not (live.said_goodbye or live.heard_goodbye):
            live.failed = True
            yield self._entry(number, live, Failing(None, notice.text), t=t)
        elif live is None:
            yield self._entry(number, None, notice, t=t)
