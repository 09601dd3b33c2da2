"""Which connection of a log a line is of: the lines of several may come under one logger.                      pure

They are told apart by what only one of them can be meant by: a Pong by its payload, a keepalive's Ping by whose turn
it is, a message that comes back by its having been sent.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from chaos.traces.wire import Side
from tracker.events import LinkName

MOST_CANDIDATES = 50
"""Open connections of one name that a line is compared with, those first that are longest silent."""
ENDED_REMEMBERED = 3.0
"""Seconds for which what still comes of a connection after its CLOSED is known to be its."""

ENDED_LINES = 50
"""Lines for which it is, also where they have no times."""

Condition = Callable[["Live"], bool]


@dataclass(slots=True, eq=False)
class Live:
    """One connection that has not ended yet, as far as the log has come."""

    number: int
    name: str
    side: Side
    began: float
    link: LinkName = "output"
    endpoint: str | None = None
    status: int | None = None
    failed: bool = False
    """The library gave its handshake up."""
    opened: bool = False
    pinged: float = 0.0  # when the latest Ping left, or the connection opened
    turn: int = 0  # of these, which in order
    pings: OrderedDict[str, float] = field(default_factory=OrderedDict)  # unanswered, when each left
    kept_alive: set[str] = field(default_factory=set)  # those of them that the keepalive sent
    heard: float = 0.0
    ending: bool = False
    """Anything was said of its end."""
    closing: bool = False
    said: bool = False
    """This side sent a Close frame."""
    told: bool = False
    """The peer did."""
    eof: bool = False
    given_up: bool = False
    ended: float | None = None
    last_line: int = 0
    voices: set[str] = field(default_factory=set)
    """Words of the prefixes that its lines came under: of a client for threads, its threads."""


class Connections:
    """Those of one log that have not ended yet, by the name that their lines come under."""

    def __init__(self) -> None:
        self.now = 0.0
        self.line = 0
        self.voice: str | None = None
        """Words of the prefix, for what a thread of its own writes of each connection; None for what it does not."""
        self.count = 0
        self._turns = 0
        self._live: dict[str, OrderedDict[int, Live]] = {}
        self._latest: dict[str, Live] = {}
        """Of each name, the one that ended last."""
        self.asked: dict[tuple[str, str], Live] = {}
        """By name and payload, whose Ping it was."""

    def all(self) -> list[Live]:
        """Every one that is there."""
        return [live for named in self._live.values() for live in named.values()]

    def of_name(self, name: str) -> list[Live]:
        """Those whose lines look alike, those first that are longest silent; of very many only these."""
        return list(islice(self._live.get(name, {}).values(), MOST_CANDIDATES))

    def in_handshake(
        self, name: str, *, asked: bool | None = None, answered: bool | None = None
    ) -> Live | None:
        """The one whose handshake has come so far; several come on in the order in which they began."""
        waiting = [
            c
            for c in self.of_name(name)
            if not c.opened
            and asked in (None, c.endpoint is not None)
            and answered in (None, c.status is not None)
        ]
        return next((c for c in waiting if not c.failed), waiting[-1] if waiting else None)

    def pick(self, name: str, *likely: Condition) -> tuple[Live | None, bool]:
        """The open connection that a line is of, by what is likely, in this order; and whether it is the only one."""
        candidates = [c for c in self.of_name(name) if c.opened]
        if self.voice is not None and len(candidates) > 1:
            candidates = [c for c in candidates if self.voice in c.voices] or candidates
        for condition in likely:
            if len(candidates) <= 1:
                break
            candidates = [c for c in candidates if condition(c)] or candidates
        if not candidates:
            return None, True
        return min(candidates, key=lambda c: c.heard), len(candidates) == 1

    def just_ended(self, name: str) -> Live | None:
        """The one of which a line after its CLOSED is still."""
        latest = self._latest.get(name)
        if latest is None or latest.ended is None or self.now - latest.ended > ENDED_REMEMBERED:
            return None
        return latest if self.line - latest.last_line <= ENDED_LINES else None

    def begin(self, name: str, side: Side) -> Live:
        """One more, from here on."""
        self.count += 1
        begun = Live(self.count, name, side, self.now, heard=self.now, pinged=self.now)
        self._live.setdefault(name, OrderedDict())[begun.number] = begun
        return begun

    def open(self, live: Live) -> None:
        """Its handshake is done."""
        live.opened = True
        live.heard = live.pinged = self.now
        self.take_turn(live)

    def hear(self, live: Live) -> None:
        """Something came on it."""
        live.heard = self.now
        if live.number in self._live.get(live.name, {}):
            self._live[live.name].move_to_end(live.number)

    def ping(self, live: Live, data: str, *, kept_alive: bool) -> None:
        """A Ping left."""
        live.pings[data] = self.now
        self.asked[live.name, data] = live
        if kept_alive:
            live.kept_alive.add(data)
            self.take_turn(live)

    def answer(self, live: Live, data: str) -> None:
        """A Pong answers its Ping, and all Pings before."""
        while live.pings:
            earlier, _ = live.pings.popitem(last=False)
            live.kept_alive.discard(earlier)
            self.asked.pop((live.name, earlier), None)
            if earlier == data:
                break

    def take_turn(self, live: Live) -> None:
        """It pinged, or might have from here on: its next turn comes after everybody else's."""
        self._turns += 1
        live.turn = self._turns
        live.pinged = self.now

    def end(self, live: Live) -> None:
        """Its last line has come, or nearly."""
        live.ended, live.last_line = self.now, self.line
        named = self._live.get(live.name, OrderedDict())
        named.pop(live.number, None)
        if not named:
            self._live.pop(live.name, None)
        for data in live.pings:
            self.asked.pop((live.name, data), None)
        self._latest[live.name] = live
        if len(self._latest) > 1000:
            self._latest = {live.name: live}
