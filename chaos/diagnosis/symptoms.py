"""What went wrong on a link, one symptom for each ending and each failed attempt.                             pure

Symptoms that follow one another without a healthy connection between them are one outage.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from chaos.diagnosis.delay_findings import HUNG, usual_trip
from chaos.diagnosis.peer_findings import unread
from chaos.diagnosis.retransmission import healed_before_connect
from chaos.kinds import Direction, Link
from chaos.timeline.observed import Attempt, Change, Closed, Connection, Observed
from tracker import events


class Kind(Enum):
    """What a symptom is of."""

    SILENCE = auto()
    """A connection on which nothing was answered any more."""
    HUNG = auto()
    """A handshake that took long and came to nothing."""
    SLOW = auto()
    """A handshake that took long and went through."""
    HANGING = auto()
    """A handshake that the trace breaks off in."""
    NO_PONGS = auto()
    """A connection on which no Ping was answered from its begin on."""
    NOTHING_TAKEN = auto()
    """A connection whose write buffer was stuck from its begin on."""
    NOBODY_THERE = auto()
    BROKEN_OFF = auto()
    """An attempt that was accepted and then dropped."""
    REFUSED = auto()
    """An attempt that was answered with another HTTP status."""
    TURNED_AWAY = auto()
    """A connection that the peer closed at once."""
    DROPPED_AT_ONCE = auto()
    """A connection that ended at once without a close frame."""
    CLOSED = auto()
    """By the peer."""
    STREAM_ENDED = auto()
    STREAM_RESET = auto()
    OWN_CLOSE = auto()
    """By the client."""
    UNREAD = auto()
    """By the client, which did not read what the peer sent."""


HANDSHAKES = frozenset({Kind.HUNG, Kind.SLOW, Kind.HANGING})
SILENT = frozenset({Kind.SILENCE, *HANDSHAKES})
"""Symptoms of a path that carries nothing."""

QUICK = 1.0
"""A connection that the peer ended sooner than this, was never really granted."""
MUTE = 1.5
"""Seconds more than usual after which the first Pong of a connection is late."""
TALKS_ON = 1.5
"""Seconds for which something still came when Pongs no longer did: the downstream lived. What came is known to the
second only."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that went wrong, from its first to its last moment."""

    kind: Kind
    begin: float
    end: float
    why: str
    """For a person; nothing is decided by it."""
    value: int | None = None
    """A close code, or an HTTP status."""
    healed: float | None = None
    """When the path was whole again, where that is known exactly."""
    direction: Direction = "both"
    direction_known: bool = True
    talked: bool = False
    """The peer went on talking: its TCP was content, and so somebody acknowledged."""
    broken_off: bool = False
    """HUNG: it was dropped, and did not time out."""
    closed: Closed | None = None
    """The end of the connection that it is of."""


@dataclass(slots=True)
class Outage:
    """Symptoms without a healthy connection between them."""

    link: Link
    symptoms: list[Symptom] = field(default_factory=list)
    last_attempt: float | None = None
    """When the attempt began that brought a healthy connection; None: none did."""
    back: float | None = None
    """When that connection was open."""
    from_start: bool = False


def outages(seen: Observed, link: Link) -> list[Outage]:
    """All of `link`, in order, up to the orderly stop."""
    return _Reader(seen, link).outages()


class _Reader:
    """Reads one link; what all its symptoms are measured by is found out once."""

    def __init__(self, seen: Observed, link: Link) -> None:
        self._seen = seen
        self._link = link
        self._record = seen.link(link)
        self._usual_trip = usual_trip(self._record)
        self._usual_handshake = min((c.took for c in self._record.connections), default=0.0)
        self._unread = {id(connection) for connection in unread(self._record)}

    @cached_property
    def _frame_interval(self) -> float:
        counts = sorted(count for _, count in self._seen.received.items())
        return 1 / counts[len(counts) // 2] if counts else 1.0

    def outages(self) -> list[Outage]:
        found: list[Outage] = []
        now = Outage(self._link, from_start=True)
        for attempt, connection in self._in_order():
            if (slow := self._of_attempt(attempt, connection)) is not None:
                now.symptoms.append(slow)
            if connection is None:
                continue
            if self._healthy(connection):
                if now.symptoms:
                    now.symptoms += self._mute_at_first(connection)
                    now.last_attempt, now.back = attempt.began, connection.opened
                    found.append(now)
                now = Outage(self._link)
            if (ending := self._ending(connection)) is not None:
                now.symptoms.append(ending)
        if now.symptoms:
            found.append(now)
        return found

    def _in_order(self) -> Iterator[tuple[Attempt, Connection | None]]:
        """Each attempt with the connection that it brought."""
        record = self._record
        connections = iter(record.connections)
        left = len(record.connections) - sum(attempt.outcome == "connected" for attempt in record.attempts)
        for _ in range(left):  # connections that were there before the trace began
            connection = next(connections)
            yield Attempt(self._link, connection.opened, 1, connection.opened, "connected"), connection
        for attempt in record.attempts:
            yield attempt, next(connections) if attempt.outcome == "connected" else None

    def _healthy(self, connection: Connection) -> bool:
        if not connection.number or connection.answers or id(connection) in self._unread:
            return True  # of one that was open before, nobody knows how it began
        closed, end = connection.closed, self._seen.end
        if connection.died is not None:
            return False
        lasted = (end if closed is None else closed.t) - connection.opened
        return lasted >= QUICK or (closed is not None and self._meant(closed))

    def _meant(self, closed: Closed) -> bool:
        """Whether it is part of the orderly stop. What only ended where the trace ends too was not meant."""
        return self._seen.stopping is not None and closed.t >= self._seen.stopping

    # Attempts

    def _of_attempt(self, attempt: Attempt, connection: Connection | None) -> Symptom | None:
        """What an attempt says: nothing if it was quick and good."""
        began, usual = attempt.began, self._usual_handshake
        if connection is not None:
            took = connection.took
            healed = healed_before_connect(began, took - usual) or connection.opened - usual
            slow = Symptom(Kind.SLOW, began, healed, f"a handshake took {took:.1f} s", healed=healed)
            return slow if took >= usual + HUNG else None
        if attempt.ended is None:
            end = self._seen.end
            hanging = Symptom(Kind.HANGING, began, end, "a handshake was still hanging at the end")
            return hanging if end - began >= HUNG else None
        return _failed(attempt, attempt.ended)

    def _mute_at_first(self, connection: Connection) -> Iterator[Symptom]:
        """A connection that opened at once, and whose Pings were answered only later."""
        asked, first = connection.first_probe, connection.first_answer
        if asked is None or first is None:
            return
        if first - asked > self._usual_trip + connection.took + MUTE:
            why = f"a connection on which the first Pong took {first - asked:.1f} s"
            yield Symptom(Kind.NO_PONGS, connection.opened, first, why, healed=first)

    # Ends

    def _ending(self, connection: Connection) -> Symptom | None:
        """What the end of a connection says; None while it is open, or where the client meant it."""
        closed = connection.closed
        if closed is None and connection.died is not None:
            return self._died(connection, connection.died)  # the trace ends before its CLOSED
        if closed is None:
            return self._silent_at_the_end(connection)
        if id(connection) in self._unread:
            why = "what the peer sent was not read"
            return Symptom(Kind.UNREAD, closed.t, closed.t, why, closed.code, closed=closed)
        if connection.died is not None:
            return self._died(connection, connection.died)
        if self._meant(closed) and closed.by != "peer":
            return None
        return _closed(connection, closed, self._goodbye(connection, closed))

    def _goodbye(self, connection: Connection, closed: Closed) -> float:
        """When the peer sent its Close frame: from then on it answers no Ping, and the end may come later."""
        asked = connection.unanswered
        # A peer whose own keepalive gave up had not heard us for a while before.
        late = asked is not None and closed.code != 1011 and closed.t - asked >= self._usual_trip + HUNG
        return self._fell_silent(connection, closed.t) if late else closed.t

    def _silent_at_the_end(self, connection: Connection) -> Symptom | None:
        """Suspected when the trace broke off."""
        last = self._record.changes[-1] if self._record.changes else None
        if last is None or last.kind is not Change.SUSPECTED or self._seen.stopping is not None:
            return None
        begin = self._fell_silent(connection, last.t)
        return Symptom(Kind.SILENCE, begin, self._seen.ended, "probes were unanswered at the end")

    def _died(self, connection: Connection, died: events.Died) -> Symptom:
        stuck = died.cause == events.DeathCause.WRITES_STUCK
        begin = self._fell_silent(connection, died.t)
        if not connection.answers and not connection.number:
            why = "no Ping was answered in what is told here"
            return Symptom(Kind.SILENCE, connection.opened, died.t, why, closed=connection.closed)
        if not connection.answers:
            kind = Kind.NOTHING_TAKEN if stuck else Kind.NO_PONGS
            why = f"a connection of {died.t - connection.opened:.1f} s on which no Ping was answered"
            return Symptom(kind, connection.opened, died.t, why, closed=connection.closed)
        opened = connection.opened
        heard = max(connection.last_heard or opened, connection.last_frame or opened)
        talks = heard > begin + TALKS_ON and heard > died.t - died.silence / 2
        return Symptom(
            Kind.SILENCE,
            begin,
            died.t,
            f"{died.cause} for {died.silence:.1f} s" + (" while it talked on" if talks else ""),
            direction="upstream" if talks or stuck else "both",
            direction_known=talks or stuck or self._link == "input",
            talked=talks and not stuck,
            closed=connection.closed,
        )

    def _fell_silent(self, connection: Connection, given_up: float) -> float:
        """Between the last sign of life and the moment at which the next was due: the middle."""
        answered = connection.opened if connection.last_answer is None else connection.last_answer
        due = (given_up if connection.unanswered is None else connection.unanswered) + self._usual_trip
        frame = connection.last_frame
        if frame is not None and answered < frame < due:
            # Frames come more often than Pongs, and say the moment better.
            answered, due = frame, min(due, frame + 2 * self._frame_interval)
        return answered + 0.001 if due <= answered else (answered + due) / 2


def _failed(attempt: Attempt, ended: float) -> Symptom:
    began, cause = attempt.began, attempt.cause
    if cause is events.RefusalCause.STATUS:
        why = f"refused with HTTP {attempt.status}"
        return Symptom(Kind.REFUSED, began, ended, why, attempt.status)
    if ended - began >= HUNG:
        broken_off = cause is not events.RefusalCause.TIMED_OUT
        why = f"a handshake hung for {ended - began:.1f} s" + (" and was cut" if broken_off else "")
        healed = ended if broken_off else None
        return Symptom(Kind.HUNG, began, ended, why, healed=healed, broken_off=broken_off)
    kind = Kind.NOBODY_THERE if cause is events.RefusalCause.NOBODY_THERE else Kind.BROKEN_OFF
    return Symptom(kind, began, ended, attempt.why)


def _closed(connection: Connection, closed: Closed, goodbye: float) -> Symptom:
    t, code, opened = closed.t, closed.code, connection.opened
    at_once = bool(connection.number) and t - opened < QUICK and not connection.answers
    if closed.by == "peer" and at_once:
        return Symptom(Kind.TURNED_AWAY, opened, t, f"closed with {code} at once", code, closed=closed)
    if closed.by == "peer":
        late = f", and the end came {t - goodbye:.1f} s after its last answer" if goodbye < t else ""
        return Symptom(Kind.CLOSED, goodbye, t, f"the peer closed with {code}{late}", code, closed=closed)
    if closed.by == "network" and at_once:
        why = "connected, and cut at once without a close frame"
        return Symptom(Kind.DROPPED_AT_ONCE, opened, t, why, closed=closed)
    if closed.by == "network":
        reset = closed.stream_end is events.StreamEnd.RESET
        kind = Kind.STREAM_RESET if reset else Kind.STREAM_ENDED
        return Symptom(kind, t, t, closed.why or "ended without a close frame", closed=closed)
    why = f"the client closed with {code} {closed.why}".strip()
    return Symptom(Kind.OWN_CLOSE, t, t, why, code, closed=closed)
