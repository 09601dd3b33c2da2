"""A first look through a whole log of the `websockets` library: what reading it needs to know before.            pure"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from chaos.traces.log_lines import LogLine, read_line, side_of_other, without_colours
from chaos.traces.log_naming import Naming, Trials, by_nothing, by_words
from chaos.traces.log_notices import in_the_librarys_words, read_notice
from chaos.traces.log_times import Time, leading_time
from chaos.traces.wire import (
    Frame,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    NoticeKind,
    Request,
    Side,
    StateChange,
    Writer,
)
from tracker.events import LinkName

ENDPOINTS = 16  # that are told apart by what goes over them; the climb's client has two or three
FEED = 2
"""Times as many messages that come as that go, from which a link is one that is read."""
_HINTS: dict[str, LinkName] = {
    "pose": "input",
    "camera": "input",
    "input": "input",
    "control": "control",
    "hold": "output",
    "output": "output",
    "session": "output",
}
_LIBRARY = re.compile(r"websockets/(\S+)")
_TWICE_WITHIN = 5000
"""Lines of the library by which it is decided whether each is written twice."""
_TWICE = 0.9
_STEPS_BACK = 3
_OF_SERVERS = (
    NoticeKind.LISTENING,
    NoticeKind.OPENED,
    NoticeKind.HANDLER_FAILED,
    NoticeKind.HANDSHAKE_FAILED,
    NoticeKind.NO_REQUEST,
    NoticeKind.PLAIN_HTTP,
)
_OF_CLIENTS = (
    NoticeKind.REJECTED,
    NoticeKind.UNREACHABLE,
    NoticeKind.NO_ROUTE,
    NoticeKind.NO_NAME,
    NoticeKind.BAD_ANSWER,
)


@dataclass(slots=True)
class Survey:
    """What has to be known of the whole log before it is read."""

    lines: int = 0
    """Of the library at level DEBUG."""
    notices: int = 0
    """Of its INFO lines, its exceptions, and the program's words about connections."""
    naming: Naming = by_nothing
    twice: bool = False
    """Each line is written by two handlers."""
    shows_decoded: bool = True
    """Frames are shown decoded, beside their bytes."""
    shows_received: bool = True
    """What came is shown, and not only what was sent."""
    epoch: float | None = None
    """Seconds since 1970 of the first; None without dates."""
    timed: bool = False
    """Any line has a time."""
    grain: float = 1.0
    """Seconds of the smallest step that its times show: 1.0 where none has a fraction."""
    newest_first: bool = False
    """As log stores list it: nothing can be told from it that way round."""
    absurd: bool = False
    """Its dates are none that a log can have."""
    writer: Writer = Writer.WEBSOCKETS
    library: str | None = None
    sides: Counter[Side] = field(default_factory=Counter)
    """How many lines say whose they are, by their request or by the logger's name."""
    marks_keepalive: bool = False
    """Whether the keepalive's Pings are told from others by a line of their own."""
    ping_interval: float | None = None
    """Seconds from the first opening to the first Ping, as the keepalive has it; to a tenth."""
    ping_timeout: float | None = None
    """Seconds from the oldest Ping without an answer to the first time-out; to a tenth."""
    endpoints: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Messages, by endpoint, while only one connection of its name was open."""
    received: Counter[str] = field(default_factory=Counter)
    senders: set[str] = field(default_factory=set)
    """Words of the prefixes of connections on which messages were sent, and whose requests are not in the log."""
    receivers: set[str] = field(default_factory=set)
    """The same of those on which some came."""

    @property
    def side(self) -> Side:
        """Whose log it is; a client's where nothing says so."""
        return "server" if self.sides["server"] > self.sides["client"] else "client"

    @property
    def side_known(self) -> bool:
        """Whether any line says whose log it is."""
        return self.sides.total() > 0

    def look_at_grain(self, time: Time) -> None:
        """A time with a fraction shows a finer clock."""
        if self.grain == 1.0 and time.moment % 1.0:
            self.grain = 0.001

    def links(self) -> dict[str, LinkName]:
        """Which endpoint is which link of a climb's client."""
        found: dict[str, LinkName] = {}
        for endpoint in self.endpoints:
            hint = next((link for word, link in _HINTS.items() if word in endpoint), None)
            if hint is not None:
                found[endpoint] = hint
            elif self.sent[endpoint] or self.received[endpoint]:
                found[endpoint] = (
                    "input" if self.received[endpoint] > FEED * self.sent[endpoint] else "output"
                )
        for endpoint in self.endpoints:  # nothing is known of these: what is not there yet
            taken = set(found.values())
            found.setdefault(endpoint, "output" if "input" in taken else "input")
        return found

    def link_of(self, prefix: str) -> LinkName:
        """The link of a connection whose request the log does not hold, by what went over it."""
        name = by_words(prefix)
        known = set(self.links().values())
        if name in self.senders or (name not in self.receivers and "input" not in known):
            return "output"
        return "input"


def tenths(seconds: float) -> float | None:
    """As the keepalive was set; None for what is no time at all: then somebody else asked, or the clock is too coarse."""
    return round(seconds, 1) or None


def is_one(text: str) -> bool:
    """Whether a line is the library's beyond doubt."""
    line = read_line(text)
    if line is None:
        notice = read_notice(text)
        return notice is not None and ("websockets" in text or in_the_librarys_words(text))
    return any(isinstance(said, StateChange | Frame | Request | KeepaliveSays) for said in line.said)


def undoubled(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, LogLine | None]]:
    """Each line once, of two the one with a time. Others than the library's are passed on as they are."""
    held: tuple[int, str, LogLine] | None = None
    other = ""  # the line before, if it was not the library's and not a double
    passed = (
        ""  # the message of the line that went on alone, because another stands between it and its double
    )
    for number, text in texts:
        line = read_line(text)
        if line is None:
            if held is not None:
                yield held
                passed, held = held[2].text, None
            notice = read_notice(text)
            shown = notice.text if notice else text
            if shown.strip() and shown == other:
                other = ""
                continue
            other = shown
            yield number, text, None
            continue
        other = ""
        if line.text == passed:
            passed = ""
            continue
        passed = ""
        if held is not None and held[2].text == line.text:
            before = held[2]
            time, side = before.time or line.time, before.side or line.side
            prefix = max(before.prefix, line.prefix, key=len)
            yield held[0], held[1], before._replace(time=time, side=side, prefix=prefix)
            held = None
            continue
        if held is not None:
            yield held
        held = number, text, line
    if held is not None:
        yield held


def lines_of(texts: Iterable[tuple[int, str]], *, twice: bool) -> Iterator[tuple[int, str, LogLine | None]]:
    """Every line, the library's read."""
    if twice:
        return undoubled(texts)
    return ((number, text, read_line(text)) for number, text in texts)


def survey(texts: Iterable[tuple[int, str]]) -> Survey:
    """Look through a whole log."""
    texts = iter(texts)
    first: list[tuple[int, str]] = list(islice(texts, _TWICE_WITHIN))
    found = Survey(twice=_is_twice(first))
    trials, keepalive, traffic, order = Trials(), _Keepalive(found), _Traffic(found), _Order()
    all_of_them = chain(first, texts)
    del first  # as soon as they are read
    for _, text, line in lines_of(all_of_them, twice=found.twice):
        if line is None:
            if _look_at_notice(found, text):
                order.look(leading_time(without_colours(text)))
            if not found.timed and (time := leading_time(without_colours(text))) is not None:
                found.timed, found.epoch = True, time.moment if time.dated else None
                found.look_at_grain(time)
            continue
        found.lines += 1
        trials.look(line)
        traffic.look(line)
        keepalive.look(line)
        if line.time is not None:
            order.look(line.time)
            found.absurd |= line.time.absurd
            found.look_at_grain(line.time)
            if not found.timed and line.time.dated:
                found.epoch = line.time.moment
            found.timed = True
        if line.side is not None:
            found.sides[line.side] += 1
        for said in line.said:
            if isinstance(said, Frame):
                continue
            if isinstance(said, Request):
                found.sides["client" if said.way == ">" else "server"] += 10
            elif isinstance(said, HeaderLine) and said.name in ("user-agent", "server"):
                version = _LIBRARY.search(said.value)
                found.library = found.library or (version[1] if version else None)
    found.naming = trials.best()
    found.newest_first = order.newest_first
    return found


def _look_at_notice(found: Survey, text: str) -> bool:
    """Whether it is one."""
    side = side_of_other(text)
    if side is not None:
        found.sides[side] += 1
    notice = read_notice(text)
    if notice is not None:
        found.notices += 1
        if notice.kind in _OF_SERVERS:
            found.sides["server"] += 1
        elif notice.kind in _OF_CLIENTS:
            found.sides["client"] += 1
    return notice is not None


def _is_twice(texts: Iterable[tuple[int, str]]) -> bool:
    pairs = single = 0
    held: str | None = None
    for _, text in texts:
        line = read_line(text)
        if line is None:
            continue
        if held == line.text:
            pairs, held = pairs + 1, None
        else:
            single += held is not None
            held = line.text
    return pairs >= 2 and pairs >= _TWICE * (pairs + single)


class _Order:
    """Finds which way the times go."""

    def __init__(self) -> None:
        self._before: float | None = None
        self._later = self._earlier = 0

    def look(self, time: Time | None) -> None:
        if time is None:
            return
        now, before = time.moment, self._before
        if before is not None and now != before:
            if now > before:
                self._later += 1
            else:
                self._earlier += 1
        self._before = now

    @property
    def newest_first(self) -> bool:
        """By far most of them go back."""
        return self._earlier >= _STEPS_BACK * max(1, self._later)


class _Traffic:
    """Finds which endpoint sends and which receives, while one connection of a logger is open."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._names: dict[str, str] = {}
        self._open: dict[str, list[str | None]] = {}  # the endpoints of the open connections of each name

    def look(self, line: LogLine) -> None:
        found = self._found
        name = self._names.get(line.prefix)
        if name is None:
            if len(self._names) > _TWICE_WITHIN:
                self._names.clear()
                self._open.clear()
            name = self._names[line.prefix] = by_words(line.prefix)
        for said in line.said:
            if isinstance(said, Request):
                if said.path not in found.endpoints and len(found.endpoints) < ENDPOINTS:
                    found.endpoints.append(said.path)
                self._open.setdefault(name, []).append(said.path)
            elif isinstance(said, StateChange) and said.to == "CLOSED":
                left = max(0, len(self._open.get(name, [])) - 1)
                self._open[name] = [None] * left  # which of them is not said
            elif isinstance(said, Frame) and said.opcode in ("TEXT", "BINARY"):
                self._count(said, name)

    def _count(self, frame: Frame, name: str) -> None:
        found = self._found
        if name not in self._open and len(found.senders) + len(found.receivers) < _TWICE_WITHIN:
            (found.senders if frame.way == ">" else found.receivers).add(name)
        at = self._open.get(name, [])
        if len(at) == 1 and at[0] is not None:
            (found.sent if frame.way == ">" else found.received)[at[0]] += 1


class _Keepalive:
    """Finds the interval and the time-out of the library's keepalive."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._now: float | None = None
        self._opened: float | None = None
        self._unanswered: dict[str, float] = {}

    def look(self, line: LogLine) -> None:
        if line.time is not None:
            self._now = line.time.moment
        now = self._now
        for said in line.said:
            if isinstance(said, KeepaliveSays):
                self._found.marks_keepalive |= said.what in (Keepalive.SENT, Keepalive.SENDING)
            if now is not None and isinstance(said, StateChange | Frame | KeepaliveSays):
                self._look(said, now)

    def _look(self, said: object, now: float) -> None:
        match said:
            case StateChange(to="OPEN") if self._opened is None:
                self._opened = now
            case StateChange(to="CLOSED"):
                self._unanswered.clear()
            case Frame(opcode="PING", way=">"):
                if self._found.ping_interval is None and self._opened is not None:
                    self._found.ping_interval = tenths(now - self._opened)
                self._unanswered[said.data] = now
            case Frame(opcode="PONG", way="<"):
                self._unanswered.pop(said.data, None)
            case KeepaliveSays(what=Keepalive.GAVE_UP):
                if self._found.ping_timeout is None and self._unanswered:
                    self._found.ping_timeout = tenths(now - min(self._unanswered.values()))
