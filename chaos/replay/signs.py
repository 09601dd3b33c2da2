"""What went wrong on a link, one sign for each ending and each failed attempt.                                pure

Signs that follow one another without a healthy connection between them are one outage.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from chaos.kinds import Direction, Link
from chaos.replay.delay_findings import HUNG, usual_trip
from chaos.replay.observed import Attempt, LinkRecord, Observed, Spell
from chaos.replay.peer_findings import unread
from chaos.replay.retransmission import healed_before_connect
from tracker import events

Kind = Literal[
    "silent",
    "mute",
    "stuck",
    "down",
    "cut",
    "refuse",
    "turned-away",
    "limited",
    "close",
    "fin",
    "reset",
    "own",
]

QUICK = 1.0
"""A connection that the peer ended sooner than this, was never really granted."""
MUTE = 1.5
"""Seconds more than usual after which the first Pong of a connection is late."""
TALKS_ON = 1.5
"""Seconds for which something still came when Pongs no longer did: the downstream lived. What came is known to the
second only."""
UNREAD_WHY = "what the peer sent was not read"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that went wrong, from its first to its last moment."""

    kind: Kind
    begin: float
    end: float
    why: str
    value: int | None = None
    """A close code, or an HTTP status."""
    healed: float | None = None
    """When the path was whole again, where that is known exactly."""
    direction: Direction = "both"
    told: bool = True
    """Whether the direction is known."""
    talked: bool = False
    """The peer went on talking: its TCP was content, and so somebody acknowledged."""


@dataclass(slots=True)
class Outage:
    """Signs without a healthy connection between them."""

    link: Link
    signs: list[Sign] = field(default_factory=list)
    well_at: float | None = None
    """When the attempt began that brought a healthy connection; None: none did."""
    back: float | None = None
    """When that connection was open."""
    from_start: bool = False


def outages(seen: Observed, link: Link) -> list[Outage]:
    """All of `link`, in order, up to the orderly stop."""
    record = seen.link(link)
    found: list[Outage] = []
    now = Outage(link, from_start=True)
    usual_took = min((spell.took for spell in record.spells), default=0.0)
    for attempt, spell in _in_order(record):
        hung = _hung(attempt, spell, usual_took, seen)
        if hung is not None:
            now.signs.append(hung)
        if spell is None:
            continue
        if _healthy(spell, seen, record):
            if now.signs:
                now.signs += _mute_at_first(spell, record)
                now.well_at, now.back = attempt.began, spell.opened
                found.append(now)
            now = Outage(link)
        ending = _ending(spell, seen, record)
        if ending is not None:
            now.signs.append(ending)
    if now.signs:
        found.append(now)
    return found


def _mute_at_first(spell: Spell, record: LinkRecord) -> Iterator[Sign]:
    """A connection that opened at once, and whose Pings were answered only later."""
    first = spell.first_answer
    if first is not None and first - spell.opened > usual_trip(record) + spell.took + MUTE:
        why = f"a connection on which the first Pong took {first - spell.opened:.1f} s"
        yield Sign("mute", spell.opened, first, why, healed=first)


def _in_order(record: LinkRecord) -> Iterator[tuple[Attempt, Spell | None]]:
    """Each attempt with the connection that it brought."""
    spells = iter(record.spells)
    left = len(record.spells) - sum(attempt.outcome == "connected" for attempt in record.attempts)
    for _ in range(left):  # connections that were there before the trace began
        spell = next(spells)
        yield Attempt(spell.opened, 1, spell.opened, "connected"), spell
    for attempt in record.attempts:
        yield attempt, next(spells) if attempt.outcome == "connected" else None


def _healthy(spell: Spell, seen: Observed, record: LinkRecord) -> bool:
    if spell.answers or spell in unread(record):
        return True
    lived = (seen.end if spell.closed is None else spell.closed.t) - spell.opened
    if spell.died is not None:
        return False
    return lived >= QUICK or (spell.closed is not None and spell.closed.t >= seen.end)


def _hung(attempt: Attempt, spell: Spell | None, usual: float, seen: Observed) -> Sign | None:
    """What an attempt says: nothing if it was quick and good."""
    began = attempt.began
    if spell is not None:
        healed = healed_before_connect(began, spell.took - usual) or spell.opened - usual
        slow = Sign("silent", began, healed, f"a handshake took {spell.took:.1f} s", healed=healed)
        return slow if spell.took >= usual + HUNG else None
    if attempt.ended is None:
        hanging = Sign("silent", began, seen.end, "a handshake was still hanging at the end")
        return hanging if seen.end - began >= HUNG else None
    return _failed(attempt, attempt.ended)


def _failed(attempt: Attempt, ended: float) -> Sign:
    began = attempt.began
    if attempt.status is not None:
        return Sign("refuse", began, ended, f"refused with HTTP {attempt.status}", attempt.status)
    if ended - began >= HUNG:
        cut = "timed out" not in attempt.why.lower() and attempt.why.strip() != "TimeoutError"
        why = f"a handshake hung for {ended - began:.1f} s" + (" and was cut" if cut else "")
        return Sign("silent", began, ended, why, healed=ended if cut else None)
    return Sign(_failure(attempt.why), began, ended, attempt.why)


def _failure(why: str) -> Kind:
    text = why.lower()
    refused = (
        "errno 111",
        "refused",
        "connect call failed",
        "errno 61",
        "unreachable",
        "no route",
        "name or service",
    )
    return "down" if any(mark in text for mark in refused) else "cut"


def _ending(spell: Spell, seen: Observed, record: LinkRecord) -> Sign | None:
    """What the end of a connection says; None while it is open, or where the client meant it."""
    closed = spell.closed
    if closed is None:
        return _silent_at_the_end(spell, seen, record)
    if spell in unread(record):
        return Sign("own", closed.t, closed.t, UNREAD_WHY, closed.code)
    meant = closed.t >= seen.end and closed.by != "peer"
    if spell.died is not None or meant:
        return None if spell.died is None else _died(spell, seen, record)
    return _closed(spell, closed, _goodbye(spell, closed, seen, record))


def _goodbye(spell: Spell, closed: events.Closed, seen: Observed, record: LinkRecord) -> float:
    """When the peer sent its Close frame: from then on it answers no Ping, and the end may come later."""
    asked = spell.unanswered
    # A peer whose own keepalive gave up had not heard us for a while before.
    late = asked is not None and closed.code != 1011 and closed.t - asked >= usual_trip(record) + HUNG
    return _fell_silent(spell, seen, record, closed.t) if late else closed.t


def _closed(spell: Spell, closed: events.Closed, goodbye: float) -> Sign:
    t, code = closed.t, closed.code
    if closed.by == "peer":
        if t - spell.opened < QUICK and not spell.answers:
            return Sign("turned-away", spell.opened, t, f"closed with {code} at once", code)
        late = f", and the end came {t - goodbye:.1f} s after its last answer" if goodbye < t else ""
        return Sign("close", goodbye, t, f"the peer closed with {code}{late}", code)
    if closed.by == "network" and t - spell.opened < QUICK and not spell.answers:
        return Sign("limited", spell.opened, t, "connected, and cut at once without a close frame")
    if closed.by == "network":
        kind: Kind = "reset" if "reset" in closed.why.lower() else "fin"
        return Sign(kind, t, t, closed.why or "ended without a close frame")
    return Sign("own", t, t, f"the client closed with {code} {closed.why}".strip(), code)


def _silent_at_the_end(spell: Spell, seen: Observed, record: LinkRecord) -> Sign | None:
    """Suspected when the trace broke off."""
    last = record.marks[-1] if record.marks else None
    if last is None or type(last).__name__ != "Suspected" or seen.stopping is not None:
        return None
    return Sign(
        "silent", _fell_silent(spell, seen, record, last.t), seen.ended, "probes were unanswered at the end"
    )


def _died(spell: Spell, seen: Observed, record: LinkRecord) -> Sign:
    died = spell.died
    assert died is not None, "the caller looked"
    stuck = "write" in died.cause
    begin = _fell_silent(spell, seen, record, died.t)
    if not spell.answers:
        kind: Kind = "stuck" if stuck else "mute"
        why = f"a connection of {died.t - spell.opened:.1f} s on which no Ping was answered"
        return Sign(kind, spell.opened, died.t, why)
    heard = max(spell.last_heard or spell.opened, spell.last_frame or spell.opened)
    talks = heard > begin + TALKS_ON and heard > died.t - died.silence / 2
    direction: Direction = "upstream" if talks or stuck else "both"
    why = f"{died.cause} for {died.silence:.1f} s" + (" while it talked on" if talks else "")
    return Sign(
        "silent",
        begin,
        died.t,
        why,
        direction=direction,
        told=talks or stuck or record.name == "input",
        talked=talks and not stuck,
    )


def _fell_silent(spell: Spell, seen: Observed, record: LinkRecord, given_up: float) -> float:
    """Between the last sign of life and the moment at which the next was due: the middle."""
    usual = usual_trip(record)
    answered = spell.opened if spell.last_answer is None else spell.last_answer
    due = (given_up if spell.unanswered is None else spell.unanswered) + usual
    frame = spell.last_frame
    if frame is not None and answered < frame < due:
        # Frames come more often than Pongs, and say the moment better.
        answered, due = frame, min(due, frame + 2 * _frame_interval(seen))
    return answered + 0.001 if due <= answered else (answered + due) / 2


def _frame_interval(seen: Observed) -> float:
    counts = sorted(count for _, count in seen.received.items())
    return 1 / counts[len(counts) // 2] if counts else 1.0
