"""What in a prefix tells connections apart: an id, a logger's name, or nothing at all.                              pure

A thread's or a function's name differs within one connection, and a process's number may or may not. So every way of
naming is tried on the log, and the finest is taken by which no line is torn from its connection.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from chaos.traces.log_lines import LogLine
from chaos.traces.wire import (
    DATA,
    Body,
    Eof,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    Request,
    Response,
    Said,
    StateChange,
    TcpEnding,
    TcpLost,
)

Naming = Callable[[str], str]

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)
_PLACE = re.compile(r"[\w./-]+\.py(?::\d+)?|(?<=[:({])\d+(?=[)}:\s])")  # a file, a line
_WORD = re.compile(r"[\w.#@/-]+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+|\bwebsockets\b")
_LEVEL = re.compile(
    r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|D|I|W|E|T|Z|UTC|MainThread|MainProcess"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|-+|\d{1,2})",
    re.IGNORECASE,
)
_MOST_NAMES = 100_000
_REMEMBERED = 50_000


def by_id(prefix: str) -> str:
    """An id that a program gives each connection."""
    found = _UUID.search(prefix) or _ADDRESS.search(prefix)
    return found[0] if found else ""


def by_words(prefix: str) -> str:
    """All of it, but for what differs from line to line everywhere."""
    words = _WORD.findall(_PLACE.sub(" ", prefix))
    return " ".join(word for word in words if not _LEVEL.fullmatch(word))


def by_logger(prefix: str) -> str:
    """The logger's name."""
    found = _DOTTED.search(_PLACE.sub(" ", prefix))
    return found[0] if found else ""


def by_logger_and_numbers(prefix: str) -> str:
    """The logger's name, and the number of a process or a worker."""
    return " ".join(
        [by_logger(prefix), *re.findall(r"(?<![\w.:-])\d{2,}(?![\w.:])", _PLACE.sub(" ", prefix))]
    )


def by_nothing(_: str) -> str:
    """One logger for all."""
    return ""


FINEST_FIRST: tuple[Naming, ...] = (by_id, by_words, by_logger_and_numbers, by_logger, by_nothing)


@dataclass(slots=True, eq=False)
class _Life:
    begun: int = 0
    requests: int = 0
    middle: bool = False
    """Its first line came before anything was seen to begin."""


class _Trial:
    """One way of naming, tried line by line."""

    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.torn = False
        self._lives: dict[str, _Life] = {}
        self._begun = self._requests = 0
        self._pinged: dict[str, dict[_Life, None]] = {}
        """By payload, which several may have sent: a program may always send the same."""
        self._last: tuple[Said, _Life] | None = None

    def renamed(self, naming: Naming, name: str) -> "_Trial":
        """The same of one connection's name after another way of naming."""
        again = _Trial(naming)
        again._begun, again._requests = self._begun, self._requests
        for life in self._lives.values():
            own = again._lives[name] = replace(life)
            again._pinged = {data: {own: None} for data in self._pinged}
            again._last = None if self._last is None else (self._last[0], own)
        return again

    def look(self, line: LogLine, name: str) -> None:
        life = self._lives.get(name)
        if life is None:
            life = self._lives[name] = _Life(middle=not self._begun)
            self.torn |= len(self._lives) > _MOST_NAMES
        for said in line.said:
            self._take(said, life)
            self._last = said, life
        if self.torn:
            self._lives.clear()
            self._pinged.clear()

    def _take(self, said: Said, life: _Life) -> None:
        match said:
            case StateChange(to="CONNECTING"):
                life.begun += 1
                self._begun += 1
            case StateChange():
                self._must_have_begun(life)
            case Request():
                self._must_have_begun(life)
                life.requests += 1
                self._requests += 1
            case Response():
                self.torn |= self._requests > 0 and not life.requests
            case Frame(opcode="PING", way=">"):
                self._must_have_begun(life)
                self._pinged.setdefault(said.data, {})[life] = None
                if len(self._pinged) > _REMEMBERED:
                    self._pinged.clear()
            case Frame(opcode="PONG", way="<"):
                self._answered(said.data, life)
            case Frame() | Eof() | TcpEnding() | TcpLost() | Failing() | HandshakeFailed():
                self._must_have_begun(life)
            case KeepaliveSays(what=Keepalive.SENT):
                last = self._last
                pinged = last is not None and isinstance(last[0], Frame) and last[0].opcode == "PING"
                self.torn |= pinged and last is not None and last[1] is not life

    def _answered(self, data: str, life: _Life) -> None:
        asking = self._pinged.get(data) if data else None
        if asking is None:
            return
        if life not in asking:
            self.torn = True
            return
        del asking[life]
        if not asking:
            del self._pinged[data]

    def _must_have_begun(self, life: _Life) -> None:
        self.torn |= self._begun > 0 and not life.begun and not life.middle


class Trials:
    """All ways of naming, tried on the same log."""

    def __init__(self) -> None:
        self._first = _Trial(by_nothing)
        """What all have in common while every prefix is the same, and nothing can be torn."""
        self._trials: list[_Trial] = []
        self._names: dict[str, tuple[str, ...]] = {}
        self._lines = self._with_id = 0

    def look(self, line: LogLine) -> None:
        """One more line of the library."""
        self._lines += 1
        names = self._names.get(line.prefix)
        if names is None:
            names = self._new_names(line.prefix)
        self._with_id += bool(names[0])
        first = line.said[0]
        if isinstance(first, HeaderLine | Body):
            return  # it comes in one block with what begins it
        if not self._trials:
            if not (isinstance(first, Frame) and first.opcode in DATA):
                self._first.look(line, "")
            return
        for trial, name in zip(self._trials, names, strict=True):
            if not trial.torn:
                trial.look(line, name)

    def _new_names(self, prefix: str) -> tuple[str, ...]:
        if self._names and not self._trials:
            (alone,) = self._names.values()
            self._trials = [
                self._first.renamed(naming, name) for naming, name in zip(FINEST_FIRST, alone, strict=True)
            ]
        if len(self._names) >= _REMEMBERED:
            self._names.clear()
        names = self._names[prefix] = tuple(naming(prefix) for naming in FINEST_FIRST)
        return names

    def best(self) -> Naming:
        """The finest by which no line is torn from its connection; an id only where nearly all lines have one."""
        trials = self._trials or [self._first.renamed(naming, "") for naming in FINEST_FIRST]
        for trial in trials:
            if trial.naming is by_id and self._with_id < 0.9 * self._lines:
                continue
            if not trial.torn:
                return trial.naming
        return by_nothing
