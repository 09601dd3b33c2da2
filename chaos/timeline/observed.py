"""What a client said of itself, reduced to what a story and a diagnosis need.                   pure

A trace of a day has millions of events and a few hundred facts. Connections, attempts and silences are kept one
by one; messages and round trips only as counts a second and as plain numbers.
"""

from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter
from typing import Literal, NamedTuple

from chaos.timeline.spans import overlapping
from tracker import events

Outcome = Literal["connected", "refused", "pending"]
Ender = Literal["client", "peer", "network"]
"""Who ended a connection."""

LONG_GAP = 1.0
"""Seconds without a frame, or without a confirm, that are remembered one by one."""
UNKNOWN = 0
"""In place of a connection's number: it was there before the trace began."""
STEADY_AFTER = 10
"""Outputs that the laboratory waits for before its own clock starts; a trace is put on that clock."""


class Change(StrEnum):
    """What can happen to a link."""

    CONNECTED = "connected"
    REFUSED = "refused"
    SUSPECTED = "suspected"
    REVIVED = "revived"
    DIED = "died"
    CLOSED = "closed"


class LinkChange(NamedTuple):
    """Something that happened to a link."""

    t: float
    kind: Change
    code: int | None = None
    """The close code, or the HTTP status of a refusal."""
    by: Ender | None = None
    """CLOSED: who did it."""
    for_good: bool = False
    """REFUSED: no other attempt follows."""


@dataclass(slots=True)
class Attempt:
    """One try to connect, from its begin to its outcome."""

    link: events.LinkName
    began: float
    number: int
    ended: float | None = None
    outcome: Outcome = "pending"
    why: str = ""
    """For a person; nothing is decided by it."""
    status: int | None = None
    cause: events.RefusalCause | None = None
    """Of one that was refused."""
    fatal: bool = False


class Closed(NamedTuple):
    """How a connection ended, whoever saw it."""

    t: float
    code: int
    """1006 where no close frame came."""
    by: Ender
    why: str = ""
    """For a person; nothing is decided by it."""
    unconfirmed: int = 0
    """Messages that went back into the client's outbox."""
    stream_end: events.StreamEnd | None = None
    """How TCP ended, where the network ended it and a client told of it."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, from the handshake to its end."""

    link: events.LinkName
    number: int
    opened: float
    took: float = 0.0
    closed: Closed | None = None
    """None: it was open when what was read ended."""
    died: events.Died | None = None
    answers: int = 0
    probes: int = 0
    first_probe: float | None = None
    """When the first Ping left."""
    first_answer: float | None = None
    last_answer: float | None = None
    """When the last Pong came."""
    unanswered: float | None = None
    """When the oldest probe left that no answer has come for."""
    last_frame: float | None = None
    """When the last pose came."""
    last_heard: float | None = None
    """When bytes last came, to the second."""
    sent: int = 0
    """Messages that went out."""
    unasked: int = 0
    """Messages that came although nobody had asked for them: what a peer sends back on the output."""
    stuck: int = 0
    """Bytes that waited in the write buffer when it was last looked at."""

    @property
    def silence(self) -> float:
        """For how many seconds it had been silent when it was given up; 0 where it was not."""
        return 0.0 if self.died is None else self.died.silence

    @property
    def lasted(self) -> float | None:
        """Seconds from opening to the end; None while it is open."""
        return None if self.closed is None else self.closed.t - self.opened


@dataclass(frozen=True, slots=True)
class Draw:
    """One back-off: `delay` was drawn from 0 to `ceiling`."""

    t: float
    delay: float
    attempt: int
    """The number of the attempt that it delayed."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without something that usually comes."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end - self.begin


@dataclass(slots=True)
class LinkRecord:
    """Everything about one link."""

    name: events.LinkName
    attempts: list[Attempt] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    changes: list[LinkChange] = field(default_factory=list)
    """What happened to the link, in order."""
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    """When each answered probe left."""
    trips: "array[float]" = field(default_factory=lambda: array("d"))
    """How long its answer took."""
    draws: list[Draw] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    """When our own loop ran again, and how many seconds late."""

    _not_ended: dict[int, Connection] = field(default_factory=dict)

    @property
    def open(self) -> Connection | None:
        """The newest connection, where it has not ended yet."""
        return self.connections[-1] if self.connections and self.connections[-1].closed is None else None

    def has_connected(self, number: int, t: float, took: float = 0.0) -> None:
        """Connection `number` opened."""
        self.changes.append(LinkChange(t, Change.CONNECTED))
        if not self.attempts or self.attempts[-1].outcome != "pending":
            self.attempts.append(Attempt(self.name, t - took, 1))  # nobody told of its begin
        attempt = self.attempts[-1]
        attempt.ended, attempt.outcome = t, "connected"
        self.was_open(number, t, took)

    def was_open(self, number: int, t: float, took: float = 0.0) -> None:
        """Connection `number` is there, whichever attempt brought it."""
        connection = self._not_ended[number] = Connection(self.name, number, t, took)
        self.connections.append(connection)

    def has_closed(self, number: int, closed: Closed) -> None:
        """Connection `number` ended; if it is not known, the one of which only this much is known."""
        self.changes.append(LinkChange(closed.t, Change.CLOSED, closed.code, closed.by))
        connection = self._not_ended.pop(number, None) or self._not_ended.pop(UNKNOWN, None)
        if connection is not None:
            connection.closed = closed


class Seconds:
    """Counts for each second of a trace. A second without any costs nothing."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, t: float, count: int = 1) -> None:
        """Count in the second that `t` falls into."""
        second = int(t // 1)
        self._counts[second] = self._counts.get(second, 0) + count

    def between(self, begin: float, end: float) -> int:
        """What was counted in the whole seconds from `begin` to `end`."""
        return sum(self._counts.get(second, 0) for second in range(int(begin // 1), int(end // 1)))

    def items(self) -> list[tuple[int, int]]:
        """Second and count, in order; seconds without a count are left out."""
        return sorted(self._counts.items())

    @property
    def total(self) -> int:
        """Of all."""
        return sum(self._counts.values())


@dataclass(slots=True)
class Observed:
    """A trace in one piece. Times are seconds of the traced client's clock."""

    began: float = 0.0
    ended: float = 0.0
    stopping: float | None = None
    stopped: events.Stopped | None = None
    steady: float | None = None
    """When the tenth output had left."""
    links: dict[events.LinkName, LinkRecord] = field(default_factory=dict)
    received: Seconds = field(default_factory=Seconds)
    accepted: Seconds = field(default_factory=Seconds)
    confirmed: Seconds = field(default_factory=Seconds)
    sends: Seconds = field(default_factory=Seconds)
    unasked: Seconds = field(default_factory=Seconds)
    """Messages that came on the output although nobody had asked for them."""
    left: dict[int, int] = field(default_factory=dict)
    """Outputs that were held, as of the last confirm of each second."""
    sizes: int = 0
    """Bytes of all accepted outputs."""
    displaced: "array[float]" = field(default_factory=lambda: array("d"))
    rejected: list[tuple[float, str]] = field(default_factory=list)
    rejections: dict[str, int] = field(default_factory=dict)
    input_gaps: list[Gap] = field(default_factory=list)
    """While the input was connected: nobody in the picture looks like this too."""
    silences: list[Gap] = field(default_factory=list)
    """Times without a confirm while something waited for one."""
    quiet: list[Gap] = field(default_factory=list)
    """Times without a confirm, whatever the reason: nothing new at the other end."""
    resets: list[float] = field(default_factory=list)
    touches: int = 0
    count: int = 0
    """Of all events."""

    def link(self, name: events.LinkName) -> LinkRecord:
        """The record of a link; an empty one for a link that the trace does not mention."""
        record = self.links.get(name)  # asked for with each event
        if record is None:
            record = self.links[name] = LinkRecord(name)
        return record

    @property
    def end(self) -> float:
        """When the orderly stop began, else when the trace ends: what comes later was meant."""
        return self.ended if self.stopping is None else self.stopping

    @property
    def mean_size(self) -> float | None:
        """Bytes of an output; None if there was none."""
        accepted = self.accepted.total
        return self.sizes / accepted if accepted else None

    def lags(self) -> list[tuple[float, float]]:
        """When our own loop stood still: begin and end, what several links noticed told once."""
        spans = sorted((t - late, t) for record in self.links.values() for t, late in record.lags)
        groups = overlapping(spans, begin=itemgetter(0), end=itemgetter(1))
        return [(group[0][0], max(end for _, end in group)) for group in groups]
