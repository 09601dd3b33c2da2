"""The lines of a log, each with its time and the connection that it is of.                                          pure"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from chaos.traces.log_clock import LogClock
from chaos.traces.log_connections import Connections, Live
from chaos.traces.log_lines import LogLine, side_of, without_colours
from chaos.traces.log_naming import by_words
from chaos.traces.log_notices import begins_traceback, chains, read_notice
from chaos.traces.log_survey import Survey, lines_of
from chaos.traces.log_times import Time, leading_time
from chaos.traces.problems import Problems
from chaos.traces.wire import (
    DATA,
    Body,
    Entry,
    Eof,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    Mishap,
    Notice,
    NoticeKind,
    OtherLine,
    Request,
    Response,
    Said,
    Side,
    StateChange,
    StrayPong,
    TcpEnding,
    TcpLost,
)

_REMEMBERED = 4096  # messages sent, by which one that comes back is known
_NAMES = 10_000
_VOICES = 8  # threads of a connection that are remembered
_ALIVE = 1.0  # seconds after which one more line of the program is worth passing on

AMBIGUOUS = "{n} lines could be of more than one connection; taken as of the one longest silent"


def read_log(surveyed: Survey, texts: Iterable[tuple[int, str]], problems: Problems) -> Iterator[Entry]:
    """What a log says, line by line; what could not be told is counted in `problems`."""
    return _Reader(surveyed, problems).read(texts)


class _Reader:
    """Follows the connections of one log."""

    def __init__(self, surveyed: Survey, problems: Problems) -> None:
        self._surveyed = surveyed
        self._problems = problems
        self._links = surveyed.links()
        self._marked = surveyed.marks_keepalive
        self._all = Connections()
        self._names: dict[str, str] = {}
        self._voices: dict[str, str] = {}
        self._block: dict[str, Live] = {}  # of each name, whose request or response the headers are of
        self._sent: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._ping: tuple[int, Frame, LogLine] | None = None  # whose, is said by the line that follows
        self._announced = False  # old versions say so before the Ping
        self._answered: Live | None = None
        self._traceback = False  # one was begun, and its exception is to come
        self._chained = False  # the next exception was raised from the one before it
        self._in_trouble: int | None = None  # whose mishap the traceback after it explains
        self._latest: int | None = None
        self._clock = LogClock(problems)
        self._middle = False
        self._alive = -_ALIVE  # when a line of the program was last passed on

    def read(self, texts: Iterable[tuple[int, str]]) -> Iterator[Entry]:
        others = 0
        for number, text, line in lines_of(texts, twice=self._surveyed.twice):
            if line is None:
                found = self._other(number, text)
                others += found is None or isinstance(found.said, OtherLine)
                if found is not None:
                    if self._ping is not None:
                        yield self._held_ping(None)
                    yield found
                continue
            if self._ping is not None:
                yield self._held_ping(line)
            self._tick(line.time, number)
            for said in line.said:
                told = self._told(number, line, said)
                if told is not None:
                    yield told
        if self._ping is not None:
            yield self._held_ping(None)
        if others:
            self._problems.add("{n} lines are not the library's", count=others)
        self._clock.finish(absurd=self._surveyed.absurd)

    # Times

    def _tick(self, time: Time | None, number: int) -> None:
        self._clock.tick(time, number)
        self._all.now = self._clock.now

    # Others' lines

    def _other(self, number: int, text: str) -> Entry | None:
        text = without_colours(text)
        notice = read_notice(text)
        time = leading_time(text)
        if time is not None:
            self._tick(time, number)
        if notice is None:
            self._chained |= chains(text)
            self._traceback |= begins_traceback(text)
            if time is None or self._all.now - self._alive < _ALIVE:
                return None
            self._alive = self._all.now
            return Entry(number, self._alive, None, OtherLine(), self._surveyed.side)
        notice.chained, self._chained = self._chained, notice.kind is NoticeKind.HANDSHAKE_FAILED
        # A failed handshake's line comes after those of its connection, and its traceback may have times in each line.
        of_traceback = time is None or self._traceback or notice.kind is NoticeKind.HANDSHAKE_FAILED
        self._traceback = False
        explains = self._in_trouble if of_traceback and notice.kind is not NoticeKind.RETRYING else None
        if notice.kind is NoticeKind.HANDLER_FAILED:
            self._in_trouble = self._latest  # the traceback that follows is of it
        side = side_of(text[:200]) or self._surveyed.side
        return Entry(number, self._all.now, explains, notice, side)

    # The library's

    def _name(self, prefix: str) -> str:
        name = self._names.get(prefix)
        if name is None:
            if len(self._names) > _NAMES:
                self._names.clear()
            name = self._names[prefix] = self._surveyed.naming(prefix)
        return name

    def _voice(self, prefix: str) -> str:
        voice = self._voices.get(prefix)
        if voice is None:
            if len(self._voices) > _NAMES:
                self._voices.clear()
            voice = self._voices[prefix] = by_words(prefix)
        return voice

    def _side(self, line: LogLine) -> Side:
        return line.side or self._surveyed.side

    def _told(self, number: int, line: LogLine, said: Said) -> Entry | None:
        """None for a Ping that is held until the line that follows says whose it is."""
        self._all.line = number
        left = isinstance(said, Frame) and said.way == ">"
        if isinstance(said, Frame) and not said.whole:
            self._problems.add("{n} frames are cut off in the log before their size", f"line {number}")
        if isinstance(said, Frame) and left and said.opcode == "PING":
            if self._announced or not self._marked:
                self._announced = False
                return self._pinged(number, said, line, kept_alive=True)
            self._ping = number, said, line
            return None
        voice = self._voice(line.prefix)
        self._all.voice = None if left else voice
        live, sure = self._whose(line, said)
        if live is not None and len(live.voices) < _VOICES:
            live.voices.add(voice)
        self._traceback = False
        self._in_trouble = (
            live.number
            if live is not None
            and isinstance(said, Mishap | HandshakeFailed | TcpLost | StateChange | Failing)
            else None
        )
        if not sure:
            self._problems.add(AMBIGUOUS)
        connection = None if live is None else live.number
        self._latest = connection or self._latest
        side = self._side(line) if live is None else live.side
        link = "output" if live is None else live.link
        return Entry(number, self._all.now, connection, said, side, sure, link)

    def _held_ping(self, line: LogLine | None) -> Entry:
        assert self._ping is not None, "the caller looked"
        number, frame, of = self._ping
        self._ping = None
        sent = line is not None and any(
            isinstance(said, KeepaliveSays) and said.what is Keepalive.SENT for said in line.said
        )
        return self._pinged(number, frame, of, kept_alive=sent)

    def _whose(self, line: LogLine, said: Said) -> tuple[Live | None, bool]:  # noqa: PLR0911 - one a kind of line
        name = self._name(line.prefix)
        match said:
            case Frame():
                return self._frame(line, name, said)
            case HeaderLine() | Body():
                return self._block.get(name), True
            case StateChange():
                return self._state(line, name, said)
            case Request():
                return self._request(line, name, said), True
            case Response():
                return self._response(name, said), True
            case KeepaliveSays():
                return self._keepalive(line, name, said)
            case StrayPong():
                return self._answered, True
            case HandshakeFailed():
                pending = self._all.in_handshake(name)
                if pending is not None:
                    pending.failed = True
                return pending, True
            case Eof() | TcpEnding() | TcpLost() | Failing():
                return self._end_of_stream(line, name, said)
            case Mishap() | Notice():
                found, sure = self._all.pick(name, lambda c: c.closing, lambda c: c.ending)
                return found or self._all.in_handshake(name) or self._all.just_ended(name), sure
        raise AssertionError(f"no line says {said!r}")

    def _state(self, line: LogLine, name: str, said: StateChange) -> tuple[Live | None, bool]:
        match said.to:
            case "CONNECTING":
                return self._all.begin(name, self._side(line)), True
            case "OPEN":
                pending = (
                    self._all.in_handshake(name, asked=True, answered=True)
                    or self._all.in_handshake(name)
                    or self._begun_in_the_middle(line, name)
                )
                if not pending.opened:
                    self._all.open(pending)
                return pending, True
            case "CLOSING":
                found, sure = self._all.pick(name, lambda c: c.ending, lambda c: not c.closing)
                found = (
                    found
                    or self._all.in_handshake(name)
                    or self._all.just_ended(name)
                    or self._begun_in_the_middle(line, name)
                )
                found.closing = found.ending = True
                return found, sure
            case _:
                return self._closed(line, name)

    def _closed(self, line: LogLine, name: str) -> tuple[Live | None, bool]:
        pending = self._all.in_handshake(name)
        live = self._all.of_name(name)
        if pending is not None and not any(c.ending and c.opened for c in live):
            self._all.end(pending)
            return pending, True
        found, sure = self._all.pick(
            name, lambda c: c.said and c.told, lambda c: c.eof, lambda c: c.ending, lambda c: c.closing
        )
        found = found or pending
        if found is None:
            if self._all.just_ended(name) is not None:
                return self._all.just_ended(name), True
            found = self._begun_in_the_middle(line, name)
        self._all.end(found)
        return found, sure

    def _request(self, line: LogLine, name: str, said: Request) -> Live:
        pending = self._all.in_handshake(name, asked=False, answered=False) or self._all.begin(
            name, self._side(line)
        )
        pending.endpoint = said.path
        pending.side = "client" if said.way == ">" else "server"
        pending.link = self._links.get(said.path, "output")
        self._block[name] = pending
        return pending

    def _response(self, name: str, said: Response) -> Live | None:
        pending = self._all.in_handshake(name, answered=False) or self._all.in_handshake(name)
        if pending is not None:
            pending.status = said.status
            self._block[name] = pending
        return pending

    def _begun_in_the_middle(self, line: LogLine, name: str) -> Live:
        if not self._middle:
            self._problems.add("the log begins in the middle of a connection")
        self._middle = True
        begun = self._all.begin(name, self._side(line))
        begun.link = self._surveyed.link_of(line.prefix)
        self._all.open(begun)
        return begun

    def _found(self, line: LogLine, name: str, picked: tuple[Live | None, bool]) -> tuple[Live, bool]:
        found, sure = picked
        if found is not None:
            return found, sure
        pending = self._all.in_handshake(name, answered=True)
        if pending is not None and pending.status == 101:  # its OPEN was left out of the log
            self._all.open(pending)
            return pending, True
        return self._begun_in_the_middle(line, name), True

    def _end_of_stream(self, line: LogLine, name: str, said: Said) -> tuple[Live | None, bool]:
        comes = isinstance(said, Eof) and said.way == "<"
        found, sure = self._all.pick(
            name,
            (lambda c: not c.eof) if comes else (lambda c: c.eof),
            lambda c: c.said and c.told,
            lambda c: c.closing,
            lambda c: c.ending,
            lambda c: bool(c.pings),
        )
        late = self._all.just_ended(name)
        pending = self._all.in_handshake(name)
        if found is None or (
            late is not None and not found.ending and not comes and not isinstance(said, Failing)
        ):
            found = pending or late
            sure = True
        if found is None:
            found = self._begun_in_the_middle(line, name) if isinstance(said, Failing | Eof) else None
        if found is not None and found.opened:
            found.ending = True
            found.eof |= comes
        return found, sure

    # Frames

    def _frame(self, line: LogLine, name: str, said: Frame) -> tuple[Live | None, bool]:
        if said.opcode == "PONG" and said.way == "<":
            return self._pong(line, name, said)
        if said.opcode == "CLOSE":
            return self._close(line, name, said)
        if said.opcode in DATA:
            return self._message(line, name, said)
        found, sure = self._found(line, name, self._all.pick(name, lambda c: not c.ending))
        if said.way == "<":
            self._all.hear(found)
        return found, sure  # the peer's Ping, and our answer

    def _message(self, line: LogLine, name: str, said: Frame) -> tuple[Live, bool]:
        known = (said.data, said.size) in self._sent
        at = "output" if said.way == ">" or known else "input"
        picked = self._all.pick(name, lambda c: c.link == at, lambda c: not c.closing)
        found, sure = self._found(line, name, picked)
        if said.way == ">":
            self._sent[said.data, said.size] = None
            if len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)
        else:
            self._all.hear(found)
        return found, sure

    def _pinged(self, number: int, said: Frame, line: LogLine, *, kept_alive: bool) -> Entry:
        name, voice = self._name(line.prefix), self._voice(line.prefix)
        self._all.voice = voice if kept_alive else None
        if kept_alive:  # it waits for an answer before it pings again, and pings in turn
            live = self._all.of_name(name)
            due = min((c.turn for c in live if c.turn and not c.kept_alive), default=0)
            picked = self._all.pick(
                name, lambda c: not c.ending, lambda c: not c.kept_alive, lambda c: c.turn == due
            )
        else:  # the program around the library pings too
            picked = self._all.pick(name, lambda c: c.link == "output", lambda c: not c.closing)
        found, sure = self._found(line, name, picked)
        if not sure:
            self._problems.add(AMBIGUOUS)
        self._all.ping(found, said.data, kept_alive=kept_alive)
        if len(found.voices) < _VOICES:
            found.voices.add(voice)
        return Entry(number, self._all.now, found.number, said, found.side, sure, found.link)

    def _pong(self, line: LogLine, name: str, said: Frame) -> tuple[Live, bool]:
        asked = self._all.asked.get((name, said.data))
        if asked is None:
            self._problems.add("{n} Pongs answer no Ping in the log")
            found, sure = self._found(line, name, self._all.pick(name, lambda c: bool(c.pings)))
        else:
            found, sure = asked, True
            self._all.answer(asked, said.data)
        self._all.hear(found)
        self._answered = found
        return found, sure

    def _keepalive(self, line: LogLine, name: str, said: KeepaliveSays) -> tuple[Live | None, bool]:
        if said.what is Keepalive.SENDING:
            self._announced = True
            return None, True
        if said.what is not Keepalive.GAVE_UP:
            return None, True
        live = self._all.of_name(name)
        first = min((c.turn for c in live if c.kept_alive and not c.given_up), default=0)
        picked = self._all.pick(
            name, lambda c: not c.given_up, lambda c: bool(c.kept_alive), lambda c: c.turn == first
        )
        found, sure = self._found(line, name, picked)
        found.ending = found.given_up = True
        return found, sure

    def _close(self, line: LogLine, name: str, said: Frame) -> tuple[Live, bool]:
        late = self._all.just_ended(name)
        if said.way == ">":
            # After the peer's Close, or after a time-out, ours is due; else it comes of the blue.
            picked = self._all.pick(
                name,
                lambda c: not c.said,
                lambda c: c.told,
                lambda c: c.given_up,
                lambda c: c.ending,
                lambda c: c.closing,
            )
        else:
            # What is not read, because its messages pile up, takes in no Close either.
            newest = max((c.heard for c in self._all.of_name(name)), default=0.0)
            due = (lambda c: not c.told, lambda c: c.said, lambda c: c.ending)
            known = self._all.pick(name, *due)[1]
            likely = self._all.pick(name, *due, lambda c: c.heard == newest)[0]
            picked = likely, known
        if picked[0] is None and late is not None:
            return late, True
        found, sure = self._found(line, name, picked)
        found.ending = True
        if said.way == ">":
            found.said = True
        else:
            found.told = True
            self._all.hear(found)
        return found, sure
