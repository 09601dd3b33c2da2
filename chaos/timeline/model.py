"""A timeline: the connections that one side had, attempts among them, as far as what was written down shows them.    pure

Times are seconds from the first of what was read. None means: it is not shown. That is not the same as "it was not".
"""

from array import array
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from chaos.traces.wire import Notice, Over, Side, Writer


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, and the line that shows it."""

    t: float
    line: int


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """A Close frame, sent or received."""

    at: Mark
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handshake was answered with."""

    at: Mark
    status: int
    phrase: str


@dataclass(slots=True)
class Traffic:
    """What went one way, data frames only."""

    messages: int = 0
    size: int = 0
    """Bytes."""
    last: Mark | None = None
    words: str = ""
    """The latest text, as far as it was written down."""


@dataclass(slots=True)
class Pings:
    """The Pings of this side and their Pongs."""

    sent: int = 0
    answered: int = 0
    waiting: OrderedDict[str, Mark] = field(default_factory=OrderedDict)
    """Those without an answer, by payload, the oldest first; of many only the oldest."""
    last_sent: Mark | None = None
    last_answer: Mark | None = None
    stray: int = 0
    """Pongs that answer no Ping, since the oldest that waits."""
    best: float | None = None
    """The shortest round trip, in seconds."""
    worst: float | None = None
    worst_at: Mark | None = None
    total: float = 0.0
    """Seconds of all round trips together."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A time in which this side wrote nothing at all, and then found much to read at once or had Pings to send."""

    begin: Mark
    end: Mark
    burst: int
    """Messages that were read at once when it was over."""
    due: int
    """Pings that its keepalive would have sent meanwhile, as far as its interval is known."""
    overdue: float = 0.0
    """Seconds for which a Ping had been unanswered for longer than this side waits, and was not given up."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which nothing came to this side, over whatever connection, and then several were answered at once."""

    begin: Mark
    """When anything came before it."""
    end: Mark
    """When something came again."""
    answered: tuple[int, ...]
    """The connections, by number, that had a Ping or a request unanswered, and were answered in the same moment."""
    requests: int
    """So many of them were attempts: TCP had connected, and the request waited."""


@dataclass(slots=True)
class Connection:
    """One connection, or one attempt that came to none."""

    number: int
    side: Side
    first: Mark
    last: Mark
    """The last line of it that is not its end's."""
    path: str = ""
    link: str = ""
    """The path of the endpoint that was wanted: after a redirect, the one before it."""
    began: Mark | None = None
    requested: Mark | None = None
    answered: Answer | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    opened: Mark | None = None
    heard: Mark | None = None
    """When anything last came."""
    said: Mark | None = None
    """When a message, a Ping or a Pong of this side last left."""
    received: Traffic = field(default_factory=Traffic)
    sent: Traffic = field(default_factory=Traffic)
    pings: Pings = field(default_factory=Pings)
    peer_pings: int = 0
    close_sent: CloseFrame | None = None
    close_received: CloseFrame | None = None
    gave_up: Mark | None = None
    """This side's keepalive did not wait any longer for a Pong."""
    gave_up_code: int | None = None
    """Of the Close frame with which its keepalive gives up; None: that frame says nothing of it."""
    failing: tuple[Mark, int | None, str] | None = None
    """This side failed the connection: code and reason. Without a code it was an exception."""
    over: tuple[Mark, Over] | None = None
    """By then it was over; how it ended is not shown."""
    end_of_stream: Mark | None = None
    """The peer's direction of the TCP stream ended."""
    tcp_wait: Mark | None = None
    """This side waited in vain for the peer's end of it."""
    error: Notice | None = None
    """The exception that the log tells about it."""
    handshake_failed: Mark | None = None
    closing: Mark | None = None
    """The library called it CLOSING, as it does after a Close frame."""
    closed: Mark | None = None
    ambiguous: int = 0
    """Lines that could be of another connection as well."""

    @property
    def begin(self) -> Mark:
        """When it began, or was first seen."""
        return self.began or self.requested or self.first

    @property
    def ended(self) -> Mark | None:
        """When its end was shown: the first line that says so."""
        marks = [
            self.gave_up,
            None if self.failing is None else self.failing[0],
            None if self.close_sent is None else self.close_sent.at,
            None if self.close_received is None else self.close_received.at,
            self.end_of_stream,
            None if self.over is None else self.over[0],
            self.handshake_failed,
            self.closed,
        ]
        return min((mark for mark in marks if mark is not None), key=lambda mark: mark.line, default=None)

    @property
    def connected(self) -> bool:
        """Whether it ever carried messages, or could."""
        return self.opened is not None or (self.began is None and self.requested is None)

    @property
    def last_data(self) -> Mark | None:
        """The last message either way."""
        marks = [mark for mark in (self.received.last, self.sent.last) if mark is not None]
        return max(marks, key=lambda mark: mark.line, default=None)

    @property
    def last_frame(self) -> Mark | None:
        """The last message, Ping or Pong either way."""
        marks = [mark for mark in (self.heard, self.said) if mark is not None]
        return max(marks, key=lambda mark: mark.line, default=None)


@dataclass(slots=True)
class Timeline:
    """All that was written down."""

    side: Side
    """Whose words these are."""
    side_known: bool = True
    """Whether any of them says so; else `side` is a guess."""
    writer: Writer = Writer.WEBSOCKETS
    library: str | None = None
    """Version of the library that wrote it."""
    timed: bool = True
    """Whether any time passes in it."""
    clocked: bool = True
    """Whether its lines have times at all."""
    shows_received: bool = True
    """Whether its writer shows what came, and not only what was sent."""
    grain: float = 0.001
    """Seconds of its clock's smallest step."""
    began: Mark = Mark(0.0, 0)
    ended: Mark = Mark(0.0, 0)
    lines: int = 0
    connections: list[Connection] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    """Connections that are only counted, by path: there were too many."""
    notices: list[tuple[Mark, Notice]] = field(default_factory=list)
    """The program's words about connections, and exceptions that explain none of the above."""
    more_notices: int = 0
    standstills: list[Standstill] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    ping_interval: float | None = None
    """Seconds, as its Pings show it."""
    ping_timeout: float | None = None
    trips: "array[float]" = field(default_factory=lambda: array("d"))
    """Round trips, in seconds, in the order in which they ended; of very many the first."""
