"""What a client said of itself, reduced in one pass to what a story and a diagnosis need.                   pure

A trace of a day has millions of events and a few hundred facts. Connections, attempts and silences are kept one
by one; messages and round trips only as counts a second and as plain numbers.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tracker import events

Outcome = Literal["connected", "refused", "pending"]
LinkEvent = (
    events.Connected | events.Refused | events.Suspected | events.Revived | events.Died | events.Closed
)

LONG_GAP = 1.0
"""Seconds without a frame, or without a confirm, that are remembered one by one."""
STEADY_AFTER = 10
"""Outputs that the laboratory waits for before its own clock starts; a trace is put on that clock."""


@dataclass(slots=True)
class Attempt:
    """One try to connect, from its begin to its outcome."""

    began: float
    number: int
    ended: float | None = None
    outcome: Outcome = "pending"
    why: str = ""
    status: int | None = None
    fatal: bool = False


@dataclass(slots=True)
class Spell:
    """One connection, from the handshake to its end."""

    number: int
    opened: float
    took: float
    closed: events.Closed | None = None
    died: events.Died | None = None
    answers: int = 0
    probes: int = 0
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
    held: float = 0.0
    """Seconds in which the client did not read on purpose."""

    @property
    def lived(self) -> float | None:
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
    spells: list[Spell] = field(default_factory=list)
    marks: list[LinkEvent] = field(default_factory=list)
    """What happened to the link, in order."""
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    """When each answered probe left."""
    trips: "array[float]" = field(default_factory=lambda: array("d"))
    """How long its answer took."""
    draws: list[Draw] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)
    """When our own loop ran again, and how many seconds late."""

    @property
    def open(self) -> Spell | None:
        """The connection that has not ended yet."""
        return self.spells[-1] if self.spells and self.spells[-1].closed is None else None


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
    displaced: list[float] = field(default_factory=list)
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
        return self.links.setdefault(name, LinkRecord(name))

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
        merged: list[tuple[float, float]] = []
        for begin, end in spans:
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged


MAX_REJECTED = 10_000
"""Rejections whose times are kept; the counts go on."""


class _Watcher:
    """Takes one event after another."""

    def __init__(self) -> None:
        self.seen = Observed()
        self._frame: float | None = None
        self._confirm: float | None = None
        self._news: float | None = None
        self._held = 0
        self._sent = 0
        self._waiting: dict[str, events.Waiting] = {}
        self._out: dict[str, dict[int, float]] = {}

    def take(self, event: Any) -> None:
        seen = self.seen
        if not seen.count:
            seen.began = event.t
        seen.count += 1
        seen.ended = max(seen.ended, event.t) if seen.count > 1 else event.t
        handle = _HANDLERS.get(type(event))
        if handle is not None:
            handle(self, event)

    # Links

    def connecting(self, event: events.Connecting) -> None:
        record = self.seen.link(event.link)
        record.attempts.append(Attempt(event.t, event.attempt))
        waited = self._waiting.pop(event.link, None)
        if waited is not None:
            record.draws.append(Draw(waited.t, waited.delay, event.attempt))

    def connected(self, event: events.Connected) -> None:
        record = self.seen.link(event.link)
        record.marks.append(event)
        if record.attempts and record.attempts[-1].outcome == "pending":
            attempt = record.attempts[-1]
        else:  # the trace does not begin at the beginning
            attempt = Attempt(event.t - event.took, 1)
            record.attempts.append(attempt)
        attempt.ended, attempt.outcome = event.t, "connected"
        record.spells.append(Spell(event.connection, event.t, event.took))
        self._out[event.link] = {}

    def refused(self, event: events.Refused) -> None:
        record = self.seen.link(event.link)
        record.marks.append(event)
        if not record.attempts or record.attempts[-1].outcome != "pending":
            record.attempts.append(Attempt(event.t, 1))
        attempt = record.attempts[-1]
        attempt.ended, attempt.outcome = event.t, "refused"
        attempt.why, attempt.status, attempt.fatal = event.why, event.status, event.fatal

    def waiting(self, event: events.Waiting) -> None:
        self._waiting[event.link] = event

    def marked(self, event: LinkEvent) -> None:
        spell = self._open(event.link)
        self.seen.link(event.link).marks.append(event)
        if spell is not None and isinstance(event, events.Died):
            spell.died = event

    def closed(self, event: events.Closed) -> None:
        record = self.seen.link(event.link)
        spell = self._open(event.link)
        record.marks.append(event)
        if spell is not None:
            spell.closed = event
        if event.link == "input":
            self._frame = None

    def _open(self, link: events.LinkName) -> Spell | None:
        """The open connection; one that was there before the trace began, where nothing has been said of one."""
        record = self.seen.link(link)
        if not record.spells and not record.attempts:
            began = self.seen.began
            record.spells.append(Spell(0, began, 0.0))
            record.marks.append(events.Connected(t=began, link=link, connection=0, took=0.0))
        return record.open

    def probed(self, event: events.Probed) -> None:
        spell = self._open(event.link)
        self._out.setdefault(event.link, {})[event.number] = event.t
        if spell is not None:
            spell.probes += 1
            if spell.unanswered is None:
                spell.unanswered = event.t

    def answered(self, event: events.Answered) -> None:
        record = self.seen.link(event.link)
        record.sent.append(event.t - event.rtt)
        record.trips.append(event.rtt)
        # A Pong answers every earlier Ping too.
        out = self._out.setdefault(event.link, {})
        for number in [number for number in out if number <= event.number]:
            del out[number]
        spell = self._open(event.link)
        if spell is not None:
            spell.answers += 1
            spell.last_answer = event.t
            if spell.first_answer is None:
                spell.first_answer = event.t
            spell.unanswered = min(out.values(), default=None)

    def lagged(self, event: events.Lagged) -> None:
        self.seen.link(event.link).lags.append((event.t, event.seconds))

    def carried(self, event: events.Carried) -> None:
        spell = self._open(event.link)
        if spell is None:
            return
        if event.received:
            spell.last_heard = event.t
        spell.unasked += event.unasked
        if event.link == "output" and event.unasked:
            self.seen.unasked.add(event.t, event.unasked)
        spell.stuck = event.buffered
        spell.held += event.held

    # Messages

    def received(self, event: events.Received) -> None:
        if self._frame is not None and event.t - self._frame > LONG_GAP:
            self.seen.input_gaps.append(Gap(self._frame, event.t))
        self._frame = event.t
        self.seen.received.add(event.t)
        spell = self._open("input")
        if spell is not None:
            spell.last_frame = event.t

    def accepted(self, event: events.Accepted) -> None:
        seen = self.seen
        seen.accepted.add(event.t)
        seen.sizes += event.size
        if self._held == 0:
            self._confirm = event.t  # from now on a confirm is due
        self._held += 1

    def sent(self, event: events.Sent) -> None:
        self.seen.sends.add(event.t)
        spell = self._open("output")
        if spell is not None:
            spell.sent += 1
        self._sent += 1
        if self._sent == STEADY_AFTER:
            self.seen.steady = event.t

    def confirmed(self, event: events.Confirmed) -> None:
        seen = self.seen
        seen.confirmed.add(event.t, event.count)
        seen.left[int(event.t // 1)] = event.left
        self._silent_until(event.t)
        self._held = event.left
        self._confirm = self._news = event.t

    def _silent_until(self, t: float) -> None:
        if self._news is not None and t - self._news > LONG_GAP:
            self.seen.quiet.append(Gap(self._news, t))
        if self._confirm is not None and self._held and t - self._confirm > LONG_GAP:
            self.seen.silences.append(Gap(self._confirm, t))

    def displaced(self, event: events.Displaced) -> None:
        self.seen.displaced.append(event.t)
        self._held = max(0, self._held - 1)

    def rejected(self, event: events.Rejected) -> None:
        seen = self.seen
        seen.rejections[event.reason] = seen.rejections.get(event.reason, 0) + 1
        if len(seen.rejected) < MAX_REJECTED:
            seen.rejected.append((event.t, event.reason))

    def reset(self, event: events.SessionReset) -> None:
        self.seen.resets.append(event.t)

    def touched(self, _: events.Touched) -> None:
        self.seen.touches += 1

    def stopping(self, event: events.Stopping) -> None:
        self.seen.stopping = event.t
        self._silent_until(event.t)
        self._held = 0
        self._news = None

    def stopped(self, event: events.Stopped) -> None:
        self.seen.stopped = event

    def finish(self) -> Observed:
        self._silent_until(self.seen.ended)
        return self.seen


_HANDLERS: dict[type, Any] = {
    events.Connecting: _Watcher.connecting,
    events.Connected: _Watcher.connected,
    events.Refused: _Watcher.refused,
    events.Waiting: _Watcher.waiting,
    events.Suspected: _Watcher.marked,
    events.Revived: _Watcher.marked,
    events.Died: _Watcher.marked,
    events.Closed: _Watcher.closed,
    events.Probed: _Watcher.probed,
    events.Answered: _Watcher.answered,
    events.Lagged: _Watcher.lagged,
    events.Carried: _Watcher.carried,
    events.Received: _Watcher.received,
    events.Accepted: _Watcher.accepted,
    events.Sent: _Watcher.sent,
    events.Confirmed: _Watcher.confirmed,
    events.Displaced: _Watcher.displaced,
    events.Rejected: _Watcher.rejected,
    events.SessionReset: _Watcher.reset,
    events.Touched: _Watcher.touched,
    events.Stopping: _Watcher.stopping,
    events.Stopped: _Watcher.stopped,
}


def observe(history: Iterable[Any]) -> Observed:
    """One pass over the events of a trace or of a laboratory's record; what no tracker reported is passed over."""
    watcher = _Watcher()
    for event in history:
        if isinstance(event, events.Event):
            watcher.take(event)
    return watcher.finish()
