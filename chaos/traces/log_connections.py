"""Which connection of a log a line is of: the lines of several may come under one logger.                      pure

They are told apart by what only one of them can be meant by: a Pong by its payload, a keepalive's Ping by whose turn
it is, a message that comes back by its having been sent.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.traces.log_lines import LogLine
from chaos.traces.problems import Problems
from tracker.events import Ender, LinkName

Condition = Callable[["Connection"], bool]


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, as far as the log has come."""

    name: str
    began: float
    number: int = 0  # of its link, once it is open
    link: LinkName = "output"
    endpoint: str | None = None
    status: int | None = None
    opened: float | None = None
    pinged: float = 0.0  # when the latest Ping left, or the connection opened
    turn: int = 0  # of these, which in order
    pings: OrderedDict[str, tuple[int, float]] = field(
        default_factory=OrderedDict
    )  # unanswered: number, time
    kept_alive: set[str] = field(default_factory=set)  # those of them that the keepalive sent
    heard: float = 0.0
    close: tuple[int, Ender, str] | None = None
    closing: bool = False
    said: bool = False  # we sent a Close frame
    told: bool = False  # the peer did
    reported: float = 0.0
    received: int = 0
    sent: int = 0
    messages: int = 0
    unasked: int = 0


class Connections:
    """Those of one log that have not ended yet."""

    def __init__(self, link_of: Callable[[str], LinkName], problems: Problems) -> None:
        self._link_of = link_of
        self._problems = problems
        self._turns = 0
        self.live: list[Connection] = []
        self.now = 0.0
        self.counts: Counter[LinkName] = Counter()
        """Of each link, how many were open so far."""

    def of_name(self, line: LogLine) -> list[Connection]:
        """All whose lines look like this one."""
        return [c for c in self.live if c.name == line.name]

    def in_handshake(
        self, line: LogLine, *, asked: bool | None = None, answered: bool | None = None
    ) -> Connection | None:
        """The one whose handshake has come so far; several come on in the order in which they began."""
        return next(
            (
                c
                for c in self.of_name(line)
                if c.opened is None
                and asked in (None, c.endpoint is not None)
                and answered in (None, c.status is not None)
            ),
            None,
        )

    def the(self, line: LogLine, *likely: Condition) -> Connection:
        """The open connection that a line is of: the one of its name, or the first that is likely, in this order."""
        candidates = [c for c in self.of_name(line) if c.opened is not None]
        if not candidates:
            return self._in_the_middle(line)
        for condition in likely:
            if len(candidates) == 1:
                break
            candidates = [c for c in candidates if condition(c)] or candidates
        if len(candidates) > 1:
            self._problems.add(
                "{n} lines could be of more than one connection; taken as of the one longest silent"
            )
        return min(candidates, key=lambda c: c.heard)

    def keepalive_of(self, line: LogLine) -> Connection:
        """The one whose keepalive sent this Ping: it waits for an answer before it pings again, and pings in turn."""
        due = min((c.turn for c in self.of_name(line) if c.turn and not c.kept_alive), default=0)
        return self.the(line, lambda c: not c.kept_alive, lambda c: c.turn == due)

    def timed_out(self, line: LogLine) -> Connection:
        """The one whose keepalive waited in vain."""
        first = min((c.turn for c in self.of_name(line) if c.kept_alive), default=0)
        return self.the(line, lambda c: bool(c.kept_alive), lambda c: c.turn == first)

    def begin(self, line: LogLine) -> Connection:
        """One more, from here on."""
        begun = Connection(line.name, self.now, link=self._link_of(line.name))
        begun.reported = begun.heard = begun.pinged = self.now
        self.live.append(begun)
        return begun

    def open(self, connection: Connection) -> None:
        """Its handshake is done."""
        self.counts[connection.link] += 1
        connection.number = self.counts[connection.link]
        connection.opened = connection.pinged = connection.reported = connection.heard = self.now
        self.pinged(connection)

    def pinged(self, connection: Connection) -> None:
        """It pinged, or might have from here on: its next turn comes after everybody else's."""
        self._turns += 1
        connection.turn = self._turns
        connection.pinged = self.now

    def _in_the_middle(self, line: LogLine) -> Connection:
        self._problems.add("the log begins in the middle of a connection")
        begun = self.begin(line)
        self.open(begun)
        return begun
