"""Attempts that came to nothing, restarts, and storms.                                                     pure"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from chaos.diagnosis.causes import Cause, Finding
from chaos.diagnosis.endings import End, Ending
from chaos.timeline.model import Connection, Mark, Timeline
from chaos.traces.wire import Notice, NoticeKind

STORM_WITHIN = 10.0
STORM = 15
"""Attempts within that time that no back-off makes."""
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
CONNECTED = (NoticeKind.OPENED, NoticeKind.CONNECTED)
"""Lines that tell of a connection where the log shows none itself."""


def cause_of_status(status: int) -> Cause:
    """What an HTTP status in place of 101 means."""
    if status in GOOD_ANSWERS:
        return Cause.NO_UPGRADE
    return Cause.REFUSED_FOR_GOOD if status in FOR_GOOD else Cause.REFUSED_FOR_NOW


def nobody_listened(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """Nobody listened for a while."""
    groups: list[list[tuple[Mark, Notice]]] = []
    opened = sorted((c.opened for c in timeline.connections if c.opened is not None), key=_line)
    if not opened:
        opened = [mark for mark, notice in timeline.notices if notice.kind in CONNECTED]
    broken = sorted(
        (e for e in endings if e.at is not None and e.what not in (End.REFUSED, End.REDIRECTED)),
        key=lambda e: e.mark.line,
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
    place = bisect_left(broken, first.line, key=lambda e: e.mark.line)
    before = broken[place - 1] if place else None
    until = bisect_left(opened, first.line, key=_line)
    lately = opened[until - 1].line if until else 0
    after = bisect_left(opened, last.line, key=_line)
    back = opened[after] if after < len(opened) else None
    since = first
    hit: tuple[Ending, ...] = ()
    if before is not None and before.mark.line > lately:
        since, hit = before.mark, (before,)
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


def client_restarts(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """A client's keepalive stopped for good, nothing ended its connection, and another to the same endpoint began."""
    interval = timeline.ping_interval
    if timeline.side != "client" or interval is None:
        return
    begins: dict[str, list[Mark]] = {}
    for ending in endings:
        begins.setdefault(ending.connection.link, []).append(ending.connection.begin)
    hit: list[Ending] = []
    for ending in endings:
        c = ending.connection
        if ending.what is not End.OPEN or c.pings.sent < 2 or c.ambiguous or c.closing is not None:
            continue
        if timeline.ended.t - c.last.t < 2 * interval + TOGETHER:
            continue  # a Ping was hardly due
        if any(begin.line > c.last.line for begin in begins[c.link]):
            hit.append(ending)
    if hit:
        yield Finding(Cause.OWN_RESTART, "likely", hit[0].mark, tuple(hit), count=1)


def restarts(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """The other side said that it restarts, or this server's log shows that it was started again."""
    restart = [e for e in endings if e.what is End.PEER_CLOSE and e.code == 1012]
    if restart:
        yield Finding(Cause.PEER_RESTART, "certain", restart[0].mark, tuple(restart), count=len(restart))
    starts = [(m, n) for m, n in timeline.notices if n.kind is NoticeKind.LISTENING]
    again = [(m, n) for m, n in starts if m.t - starts[0][0].t > TOGETHER]
    if again:
        yield Finding(Cause.OWN_RESTART, "certain", again[0][0], notices=tuple(again), count=len(again))


def storm(timeline: Timeline) -> Iterator[Finding]:
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
