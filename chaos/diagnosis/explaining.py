"""From the ends of connections, and what lies between them, to their causes.                               pure"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from chaos.diagnosis.causes import HARMLESS, Cause, Confidence, Finding
from chaos.diagnosis.causes_of_attempts import (
    cause_of_status,
    client_restarts,
    nobody_listened,
    restarts,
    storm,
)
from chaos.diagnosis.causes_of_limits import ALIKE, limits
from chaos.diagnosis.causes_of_silence import (
    fell_silent,
    late_pongs,
    silences,
    standstills,
    unread,
    waiting_pings,
    wrong_pongs,
)
from chaos.diagnosis.causes_told import told_by_exceptions
from chaos.diagnosis.endings import TOO_BIG, End, Ending, ending_of
from chaos.timeline.model import Connection, Timeline
from chaos.traces.wire import Side, Writer

_CAUSES: dict[End, Cause] = {
    End.NO_PONG: Cause.NO_PONG,
    End.OWN_CLOSE: Cause.OWN_CLOSE,
    End.LEFT: Cause.LEFT,
    End.OWN_FAILURE: Cause.OWN_FAILURE,
    End.PEER_CLOSE: Cause.PEER_CLOSE,
    End.PEER_NO_PONG: Cause.PEER_NO_PONG,
    End.PEER_FAILURE: Cause.PEER_FAILURE,
    End.STREAM_ENDED: Cause.STREAM_ENDED,
    End.RESET: Cause.STREAM_ENDED,
    End.CLOSED: Cause.STREAM_ENDED,
    End.NOT_SHOWN: Cause.END_NOT_SHOWN,
    End.LAST_LINES: Cause.LAST_LINES,
    End.REDIRECTED: Cause.REDIRECT,
    End.NO_REQUEST: Cause.HEALTH_CHECK,
    End.BAD_HANDSHAKE: Cause.BAD_HANDSHAKE,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found, the most telling first, and how every connection ended."""

    timeline: Timeline
    endings: tuple[Ending, ...]
    findings: tuple[Finding, ...]

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """Without what is nobody's trouble."""
        return tuple(finding for finding in self.findings if finding.cause not in HARMLESS)

    @property
    def left_behind(self) -> frozenset[int]:
        """The connections, by number, that ended with the process that had them: no line tells of their end."""
        restarts = [finding for finding in self.findings if finding.cause is Cause.OWN_RESTART]
        shown = {ending.connection.number for finding in restarts for ending in finding.endings}
        latest = max((mark.line for finding in restarts for mark, _ in finding.notices), default=0)
        before = (e for e in self.endings if e.what is End.OPEN and e.connection.begin.line < latest)
        return frozenset(shown | {ending.connection.number for ending in before})


def diagnose(timeline: Timeline) -> Diagnosis:
    """The causes of what the timeline shows."""
    endings = tuple(ending_of(connection) for connection in timeline.connections)
    found = [
        *_by_their_ends(endings),
        *limits(endings),
        *wrong_pongs(endings),
        *(unread(endings) if timeline.writer is Writer.WEBSOCKETS else ()),  # by the length of its queue
        *standstills(timeline, endings),
        *silences(timeline, endings),
        *nobody_listened(timeline, endings),
        *restarts(timeline, endings),
        *storm(timeline),
        *waiting_pings(timeline, endings),
        *(fell_silent(timeline, endings) if timeline.writer is not Writer.BROWSER else ()),  # no end is shown
        *client_restarts(timeline, endings),
        *late_pongs(timeline, endings),
        *told_by_exceptions(timeline, endings),
    ]
    return Diagnosis(timeline, endings, tuple(_in_order(list(_without_what_stood_still(found)))))


def _without_what_stood_still(found: Sequence[Finding]) -> Iterator[Finding]:
    """Where a Ping went unanswered several times, those times are left out that a standstill explains."""
    explained = {ending.connection.number for f in found if f.standstill or f.silence for ending in f.endings}
    for f in found:
        rest = tuple(e for e in f.endings if e.connection.number not in explained)
        if f.cause is Cause.NO_PONG and rest and len(rest) < len(f.endings):
            yield replace(f, endings=rest, at=rest[0].mark, count=len(rest))
        else:
            yield f


def _in_order(found: list[Finding]) -> list[Finding]:
    """The more telling before what it explains; what explains little after what explains much."""
    order = list(Cause)
    most = max((f.weight for f in found if f.cause not in HARMLESS), default=0)

    def rank(finding: Finding) -> tuple[bool, bool, int, int]:
        minor = 2 * finding.weight < most
        return finding.cause in HARMLESS, minor, order.index(finding.cause), finding.at.line

    return sorted(found, key=rank)


def _cause_of(ending: Ending) -> Cause | None:
    if ending.what is End.REFUSED:
        return cause_of_status(ending.code or 0)
    if ending.what is End.OWN_FAILURE and ending.code == TOO_BIG:
        return Cause.MAX_SIZE
    if ending.what is End.PEER_FAILURE and ending.code == TOO_BIG:
        return Cause.PEER_MAX_SIZE
    if ending.what in (End.OPEN, End.UNFINISHED, End.CLOSING):
        return Cause.NO_END
    return _CAUSES[ending.what]


def _by_their_ends(endings: Sequence[Ending]) -> Iterator[Finding]:
    following = _following(endings)
    groups: dict[tuple[Cause, int | None, str, Side], list[Ending]] = {}
    for ending in endings:
        cause = _cause_of(ending)
        if cause is not None:
            reason = (
                "" if cause in (Cause.STREAM_ENDED, Cause.MAX_SIZE, Cause.BAD_HANDSHAKE) else ending.reason
            )
            groups.setdefault((cause, ending.code, reason, ending.connection.side), []).append(ending)
    for (cause, *_), group in groups.items():
        first = group[0].at or group[0].connection.last
        seconds = _regular(group) if cause is Cause.HEALTH_CHECK else _until_next(group[0], following)
        # Of a handshake that merely closed, the CLOSED may be another connection's under the same name.
        shown = cause is not Cause.BAD_HANDSHAKE or any(
            e.reason or e.connection.handshake_failed for e in group
        )
        sure: Confidence = "certain" if shown else "likely"
        yield Finding(cause, sure, first, tuple(group), seconds=seconds, count=len(group), of=len(endings))


def _following(endings: Sequence[Ending]) -> dict[int, Connection]:
    """The next connection to the same endpoint, by the number of each."""
    latest: dict[str, Connection] = {}
    found: dict[int, Connection] = {}
    for ending in endings:
        c = ending.connection
        if c.link in latest:
            found[latest[c.link].number] = c
        latest[c.link] = c
    return found


def _until_next(ending: Ending, following: dict[int, Connection]) -> float | None:
    after = following.get(ending.connection.number)
    if after is None or after.opened is None or ending.at is None or after.opened.line < ending.at.line:
        return None
    return after.opened.t - ending.at.t


def _regular(group: Sequence[Ending]) -> float | None:
    """Seconds between two of them, if that is always the same."""
    gaps = [b.connection.begin.t - a.connection.begin.t for a, b in pairwise(group)]
    if not gaps:
        return None
    usual = median(gaps)
    return usual if all(abs(gap - usual) <= max(ALIKE, 0.1 * usual) for gap in gaps) else None
