"""What the ends of connections, and what lies between them, mean.                                                   pure"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from chaos.diagnosis.causes import HARMLESS, Cause, Confidence, Finding
from chaos.diagnosis.endings import GOING, TOO_BIG, WITHOUT_CLOSE_FRAME, End, Ending, ending_of
from chaos.timeline.model import Connection, Mark, Standstill, Timeline
from chaos.traces.wire import Notice, NoticeKind

ALIKE = 0.6
"""Seconds by which two silences may differ and be one time-out's; of long ones `ALIKE_SHARE`."""
ALIKE_SHARE = 0.02
SHORTEST_LIMIT = 4.0
"""Seconds. No proxy's time-out is shorter, and anything may end soon."""
USUAL_LIMITS = (30.0, 55.0, 60.0, 90.0, 100.0, 120.0, 180.0, 300.0, 350.0, 600.0, 900.0, 3600.0)
"""Seconds. Time-outs that proxies and load balancers have by default: a single silence of one is a hint."""
QUEUES = ((16, 18), (32, 34))
"""Messages that wait unread when a version of the library stops reading."""
STORM_WITHIN = 10.0
STORM = 15
"""Attempts within that time that no back-off makes."""
FOLLOWS = 30.0
"""Seconds after this side stood still in which an end is a consequence."""
LATE = 2.0
"""Seconds of a round trip that is worth telling, where it is `FAR` times the usual one too."""
FAR = 10
TOGETHER = 2.0
"""Seconds within which ends belong together."""
GOOD_ANSWERS = range(200, 300)
FOR_GOOD = (400, 401, 403, 404, 405, 406, 410, 426)
BACK = (
    NoticeKind.UNREACHABLE,
    NoticeKind.NO_ROUTE,
    NoticeKind.TIMED_OUT,
    NoticeKind.NO_NAME,
    NoticeKind.BAD_CERTIFICATE,
)
"""Attempts that came to no connection."""

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


def diagnose(timeline: Timeline) -> Diagnosis:
    """The causes of what the timeline shows."""
    endings = tuple(ending_of(connection) for connection in timeline.connections)
    found = [
        *_by_their_ends(endings),
        *_limits(endings),
        *_wrong_pongs(endings),
        *_unread(endings),
        *_standstills(timeline, endings),
        *_down(timeline, endings),
        *_restarts(timeline, endings),
        *_storm(timeline),
        *_waiting_pings(timeline, endings),
        *_late_pongs(timeline, endings),
        *_told_by_exceptions(timeline, endings),
    ]
    return Diagnosis(timeline, endings, tuple(_in_order(found)))


def _in_order(found: list[Finding]) -> list[Finding]:
    """The more telling before what it explains; what explains little after what explains much."""
    order = list(Cause)
    most = max((f.weight for f in found if f.cause not in HARMLESS), default=0)

    def rank(finding: Finding) -> tuple[bool, bool, int, int]:
        minor = 2 * finding.weight < most
        return finding.cause in HARMLESS, minor, order.index(finding.cause), finding.at.line

    return sorted(found, key=rank)


# Each connection for itself


def _cause_of(ending: Ending) -> Cause | None:
    if ending.what is End.REFUSED:
        return _of_status(ending.code or 0)
    if ending.what is End.OWN_FAILURE and ending.code == TOO_BIG:
        return Cause.MAX_SIZE
    if ending.what is End.PEER_FAILURE and ending.code == TOO_BIG:
        return Cause.PEER_MAX_SIZE
    if ending.what in (End.OPEN, End.UNFINISHED, End.CLOSING):
        return Cause.NO_END
    return _CAUSES[ending.what]


def _of_status(status: int) -> Cause:
    if status in GOOD_ANSWERS:
        return Cause.NO_UPGRADE
    return Cause.REFUSED_FOR_GOOD if status in FOR_GOOD else Cause.REFUSED_FOR_NOW


def _by_their_ends(endings: Sequence[Ending]) -> Iterator[Finding]:
    following = _following(endings)
    groups: dict[tuple[Cause, int | None, str], list[Ending]] = {}
    for ending in endings:
        cause = _cause_of(ending)
        if cause is not None:
            reason = (
                "" if cause in (Cause.STREAM_ENDED, Cause.MAX_SIZE, Cause.BAD_HANDSHAKE) else ending.reason
            )
            groups.setdefault((cause, ending.code, reason), []).append(ending)
    for (cause, _, _), group in groups.items():
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


# A limit on the way


def _limits(endings: Sequence[Ending]) -> Iterator[Finding]:
    """The same silence before each end, or the same age at each."""
    ended = [e for e in endings if e.at is not None and _cut_off(e) and not e.connection.ambiguous]
    if not ended:
        return
    quiet = [e for e in ended if e.connection.last_frame is not None and _silence(e) >= SHORTEST_LIMIT]
    alike, usual = _most_alike(quiet, [_silence(e) for e in quiet])
    pinged = any(e.connection.pings.sent for e in alike)
    if len(alike) >= (3 if pinged else 2) and len(alike) >= 0.75 * len(ended):
        yield _limit(Cause.IDLE_TIMEOUT, "likely", alike, usual, len(ended))
        return
    if len(ended) == 1 and quiet and not pinged and _is_usual(usual):
        yield _limit(Cause.IDLE_TIMEOUT, "possible", quiet, usual, 1)
        return
    aged = [e for e in ended if (e.age or 0.0) >= 2 * SHORTEST_LIMIT]
    alike, usual = _most_alike(aged, [e.age or 0.0 for e in aged])
    if len(alike) >= 2 and len(alike) >= 0.75 * len(ended):
        sure: Confidence = "likely" if len(alike) >= 3 else "possible"
        yield _limit(Cause.AGE_LIMIT, sure, alike, usual, len(ended))


def _cut_off(ending: Ending) -> bool:
    return ending.what in WITHOUT_CLOSE_FRAME or (ending.what is End.PEER_CLOSE and ending.code in GOING)


def _silence(ending: Ending) -> float:
    last = ending.connection.last_frame
    close = ending.connection.close_received
    if close is not None and last is not None and last.line >= close.at.line:
        marks = [m for m in (ending.connection.last_data, ending.connection.pings.last_answer) if m]
        last = max(marks, key=lambda mark: mark.line, default=None)
    if last is None or ending.at is None:
        return 0.0
    return ending.at.t - last.t


def _most_alike(endings: Sequence[Ending], values: Sequence[float]) -> tuple[list[Ending], float]:
    if not values:
        return [], 0.0
    usual = median(values)
    near = max(ALIKE, ALIKE_SHARE * usual)
    return [e for e, value in zip(endings, values, strict=True) if abs(value - usual) <= near], usual


def _is_usual(seconds: float) -> bool:
    return any(abs(seconds - usual) <= ALIKE for usual in USUAL_LIMITS)


def _limit(cause: Cause, sure: Confidence, alike: Sequence[Ending], seconds: float, of: int) -> Finding:
    at = alike[0].at
    assert at is not None, "only what ended is compared"
    return Finding(cause, sure, at, tuple(alike), seconds=seconds, count=len(alike), of=of)


# Pings, Pongs, and who read them


def _wrong_pongs(endings: Sequence[Ending]) -> Iterator[Finding]:
    hit = [e for e in endings if e.what is End.NO_PONG and _answered_wrongly(e.connection)]
    if hit:
        never = all(e.connection.opened and not e.connection.pings.answered for e in hit)
        sure: Confidence = "certain" if never else "likely"
        yield Finding(Cause.WRONG_PONGS, sure, _at(hit[0]), tuple(hit), count=len(hit), of=len(hit))


def _answered_wrongly(c: Connection) -> bool:
    """A Pong may answer a Ping that was sent before the log begins, but not two of them."""
    strays = c.pings.stray if c.opened is not None else c.pings.stray - 1
    return strays > 0 and bool(c.pings.waiting) and not c.ambiguous


def _unread(endings: Sequence[Ending]) -> Iterator[Finding]:
    """Reading stopped after as many messages as the library lets wait, each time."""
    quiet = [e for e in endings if e.what is End.NO_PONG and not _heard_late(e)]
    full = [e for e in quiet if _fits_a_queue(e.connection.received.messages)]
    if not full or len(full) < len(quiet):
        return
    sure: Confidence = "likely" if len(full) >= 2 or all(_sent_on(e) for e in full) else "possible"
    yield Finding(Cause.UNREAD, sure, _at(full[0]), tuple(full), count=len(full), of=len(quiet))


def _heard_late(ending: Ending) -> bool:
    asked = next(iter(ending.connection.pings.waiting.values()), None)
    heard = ending.connection.heard
    return asked is None or heard is None or heard.t >= asked.t


def _sent_on(ending: Ending) -> bool:
    """Whether this side went on sending after the last thing that came: the path was there."""
    said, heard = ending.connection.sent.last, ending.connection.heard
    return said is not None and heard is not None and said.t - heard.t >= 1.0


def _fits_a_queue(messages: int) -> bool:
    return any(low <= messages <= high for low, high in QUEUES)


def _standstills(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    if not timeline.standstills:
        return
    ended = sorted((e for e in endings if e.at is not None), key=lambda e: _at(e).t)
    times = [_at(e).t for e in ended]
    for still in timeline.standstills:
        after = ended[bisect_left(times, still.end.t) : bisect_right(times, still.end.t + FOLLOWS)]
        hit = [e for e in after if _follows(e, still)]
        sure: Confidence = "likely" if still.due or hit else "possible"
        yield Finding(
            Cause.LOOP_BLOCKED,
            sure,
            still.begin,
            tuple(hit),
            standstill=still,
            count=still.burst,
            of=still.due,
        )


def _follows(ending: Ending, still: Standstill) -> bool:
    consequences = (End.PEER_NO_PONG, End.NO_PONG, *WITHOUT_CLOSE_FRAME)
    return ending.what in consequences and ending.connection.begin.t <= still.begin.t


def _waiting_pings(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    hit = []
    for ending in endings:
        oldest = next(iter(ending.connection.pings.waiting.values()), None)
        if ending.what is End.OPEN and oldest is not None and timeline.ended.t - oldest.t >= 1.0:
            hit.append(ending)
    if hit:
        oldest = next(iter(hit[0].connection.pings.waiting.values()))
        waited = timeline.ended.t - oldest.t
        yield Finding(Cause.PING_WAITS, "certain", oldest, tuple(hit), seconds=waited, count=len(hit))


def _late_pongs(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """A round trip far beyond the usual, that was borne."""
    if not timeline.trips:
        return
    late = max(LATE, FAR * median(timeline.trips))
    hit = [e for e in endings if (e.connection.pings.worst or 0.0) >= late and not _stood_still(timeline, e)]
    if hit:
        worst = max(hit, key=lambda e: e.connection.pings.worst or 0.0)
        pings = worst.connection.pings
        assert pings.worst_at is not None, "it has a worst"
        yield Finding(
            Cause.LATE_PONG, "likely", pings.worst_at, (worst,), seconds=pings.worst, count=len(hit)
        )


def _stood_still(timeline: Timeline, ending: Ending) -> bool:
    """Whether this side itself did nothing while its latest Pong was due."""
    pings = ending.connection.pings
    if pings.worst_at is None or pings.worst is None:
        return False
    asked, answered = pings.worst_at.t, pings.worst_at.t + pings.worst
    return any(still.begin.t < answered and asked < still.end.t for still in timeline.standstills)


# Attempts


def _down(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """Nobody listened for a while."""
    groups: list[list[tuple[Mark, Notice]]] = []
    opened = sorted((c.opened for c in timeline.connections if c.opened is not None), key=_line)
    broken = sorted(
        (e for e in endings if e.at is not None and e.what not in (End.REFUSED, End.REDIRECTED)),
        key=lambda e: _at(e).line,
    )
    for mark, notice in timeline.notices:
        if notice.kind not in BACK:
            continue
        if groups and groups[-1][-1][1].kind is notice.kind:
            last = groups[-1][-1][0]
            if bisect_left(opened, mark.line, key=_line) == bisect_left(opened, last.line, key=_line):
                groups[-1].append((mark, notice))
                continue
        groups.append([(mark, notice)])
    for group in groups:
        yield _outage(group, opened, broken)


def _outage(group: list[tuple[Mark, Notice]], opened: Sequence[Mark], broken: Sequence[Ending]) -> Finding:
    first, last = group[0][0], group[-1][0]
    place = bisect_left(broken, first.line, key=lambda e: _at(e).line)
    before = broken[place - 1] if place else None
    until = bisect_left(opened, first.line, key=_line)
    lately = opened[until - 1].line if until else 0
    after = bisect_left(opened, last.line, key=_line)
    back = opened[after] if after < len(opened) else None
    since = first
    hit: tuple[Ending, ...] = ()
    if before is not None and _at(before).line > lately:
        since, hit = _at(before), (before,)
    down = group[0][1].kind is NoticeKind.UNREACHABLE
    return Finding(
        Cause.SERVER_DOWN if down else Cause.UNREACHABLE,
        "certain",
        since,
        hit,
        tuple(group),
        seconds=None if back is None else back.t - since.t,
        count=len(group),
    )


def _line(mark: Mark) -> int:
    return mark.line


def _restarts(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    restart = [e for e in endings if e.what is End.PEER_CLOSE and e.code == 1012]
    if restart:
        yield Finding(Cause.PEER_RESTART, "certain", _at(restart[0]), tuple(restart), count=len(restart))
    starts = [(m, n) for m, n in timeline.notices if n.kind is NoticeKind.LISTENING]
    again = [(m, n) for m, n in starts if m.t - starts[0][0].t > TOGETHER]
    if again:
        yield Finding(Cause.OWN_RESTART, "certain", again[0][0], notices=tuple(again), count=len(again))


def _storm(timeline: Timeline) -> Iterator[Finding]:
    """More attempts in a short time than any back-off makes."""
    if timeline.side != "client" or not timeline.timed:
        return
    begun = [(c.begin.t, c.begin) for c in timeline.connections if c.began or c.requested]
    begun += [(m.t, m) for m, n in timeline.notices if n.kind in BACK]
    begun.sort(key=lambda attempt: (attempt[0], attempt[1].line))
    parallel = _most_at_once(timeline.connections)
    best, worst = 0, 0
    first = 0
    for last, (t, _) in enumerate(begun):
        while t - begun[first][0] > STORM_WITHIN:
            first += 1
        if last - first + 1 > best:
            best, worst = last - first + 1, first
    if best >= STORM and best > 2 * parallel:
        span = begun[worst + best - 1][0] - begun[worst][0]
        yield Finding(Cause.STORM, "certain", begun[worst][1], seconds=span, count=best)


def _most_at_once(connections: Sequence[Connection]) -> int:
    """How many were open together: a program with many links connects often without any storm."""
    steps = [(c.opened.t, 1) for c in connections if c.opened is not None]
    steps += [
        (end.t, -1) for c in connections if c.opened is not None and (end := c.closed or c.ended) is not None
    ]
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


# What only exceptions tell


def _told_by_exceptions(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    if any(ending.what is not End.LAST_LINES for ending in endings):
        return  # they repeat what the connections show
    groups: dict[object, list[tuple[Mark, Notice]]] = {}
    ended = any(notice.kind is NoticeKind.ENDED for _, notice in timeline.notices)
    for mark, notice in timeline.notices:
        if ended and notice.kind is NoticeKind.HANDLER_FAILED:
            continue  # by the exception that says how the connection ended
        if notice.kind is NoticeKind.ENDED:
            key: object = (notice.sent, notice.received, notice.received_first, notice.reason, notice.cut)
        elif notice.kind is NoticeKind.REJECTED:
            key = notice.status
        elif notice.kind in (NoticeKind.BAD_REQUEST, NoticeKind.BAD_ANSWER):
            key = notice.text
        elif notice.kind in (
            NoticeKind.RESET,
            NoticeKind.NO_REQUEST,
            NoticeKind.TOO_BIG,
            NoticeKind.HANDLER_FAILED,
            NoticeKind.HANDSHAKE_FAILED,
            NoticeKind.INVALID_REQUEST,
        ):
            key = notice.kind
        else:
            continue
        groups.setdefault(key, []).append((mark, notice))
    for group in groups.values():
        cause = _told_cause(group[0][1])
        # Of an invalid request alone it is not known whether any came.
        sure: Confidence = "likely" if group[0][1].kind is NoticeKind.INVALID_REQUEST else "certain"
        yield Finding(cause, sure, group[0][0], notices=tuple(group), count=len(group))


_OF_HANDSHAKES = (
    NoticeKind.BAD_REQUEST,
    NoticeKind.INVALID_REQUEST,
    NoticeKind.BAD_ANSWER,
    NoticeKind.HANDSHAKE_FAILED,
)


def _told_cause(notice: Notice) -> Cause:
    if notice.kind is NoticeKind.REJECTED:
        return _of_status(notice.status or 0)
    if notice.kind is NoticeKind.NO_REQUEST:
        return Cause.HEALTH_CHECK
    if notice.kind in _OF_HANDSHAKES:
        return Cause.BAD_HANDSHAKE
    return Cause.CLOSES_TOLD


def _at(ending: Ending) -> Mark:
    return ending.at or ending.connection.last
