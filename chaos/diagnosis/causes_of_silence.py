"""Who did not answer: Pings, Pongs, who read them, and who stood still.                                    pure"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from statistics import median

from chaos.diagnosis.causes import Cause, Confidence, Finding
from chaos.diagnosis.endings import WITHOUT_CLOSE_FRAME, End, Ending
from chaos.timeline.model import Connection, Standstill, Timeline

QUEUES = ((16, 18), (32, 34))
"""Messages that wait unread when a version of the library stops reading."""
FOLLOWS = 30.0
"""Seconds after this side stood still in which an end is a consequence."""
LATE = 2.0
"""Seconds of a round trip that is worth telling, where it is `FAR` times the usual one too."""
FAR = 10
STEADY = 5
"""Messages from which it is known how often they come."""
SILENT = 5.0
"""Seconds, at least, after which what came steadily has fallen silent."""


def wrong_pongs(endings: Sequence[Ending]) -> Iterator[Finding]:
    """Pongs came, and answered no Ping."""
    hit = [e for e in endings if e.what is End.NO_PONG and _answered_wrongly(e.connection)]
    if hit:
        never = all(e.connection.opened and not e.connection.pings.answered for e in hit)
        sure: Confidence = "certain" if never else "likely"
        yield Finding(Cause.WRONG_PONGS, sure, hit[0].mark, tuple(hit), count=len(hit), of=len(hit))


def _answered_wrongly(c: Connection) -> bool:
    """A Pong may answer a Ping that was sent before the log begins, but not two of them."""
    strays = c.pings.stray if c.opened is not None else c.pings.stray - 1
    return strays > 0 and bool(c.pings.waiting) and not c.ambiguous


def unread(endings: Sequence[Ending]) -> Iterator[Finding]:
    """Reading stopped after as many messages as the library lets wait, each time."""
    quiet = [e for e in endings if e.what is End.NO_PONG and not _heard_late(e)]
    full = [e for e in quiet if _fits_a_queue(e.connection.received.messages)]
    if not full or len(full) < len(quiet):
        return
    sure: Confidence = "likely" if len(full) >= 2 or all(_sent_on(e) for e in full) else "possible"
    yield Finding(Cause.UNREAD, sure, full[0].mark, tuple(full), count=len(full), of=len(quiet))


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


def standstills(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """The times in which this side did nothing, and what followed from them."""
    if not timeline.standstills:
        return
    ended = sorted((e for e in endings if e.at is not None), key=lambda e: e.mark.t)
    times = [e.mark.t for e in ended]
    for still in timeline.standstills:
        after = ended[bisect_left(times, still.end.t) : bisect_right(times, still.end.t + FOLLOWS)]
        hit = [e for e in after if _follows(e, still)]
        sure: Confidence = "likely" if still.due or still.overdue or hit else "possible"
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


def silences(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """Nothing answered for a while, over any connection, and then all at once."""
    for silence in timeline.silences:
        hit = [
            e
            for e in endings
            if e.what is End.NO_PONG
            and e.at is not None
            and silence.begin.line < e.at.line < silence.end.line
        ]
        count = len(hit) + len(silence.answered)
        yield Finding(
            Cause.PEER_STOOD_STILL, "likely", silence.begin, tuple(hit), silence=silence, count=count
        )


def fell_silent(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """What had come steadily came no more, the connection stayed open, and no Ping asked whether anybody was there."""
    hit = []
    for ending in endings:
        c = ending.connection
        last, opened = c.received.last, c.opened
        if ending.what is not End.OPEN or opened is None or last is None or c.pings.sent or c.ambiguous:
            continue
        usual = (last.t - opened.t) / c.received.messages
        if c.received.messages >= STEADY and timeline.ended.t - last.t >= max(SILENT, FAR * usual):
            hit.append(ending)
    if hit:
        last = hit[0].connection.received.last
        assert last is not None, "something came over it"
        seconds = timeline.ended.t - last.t
        yield Finding(Cause.FELL_SILENT, "likely", last, tuple(hit), seconds=seconds, count=len(hit))


def waiting_pings(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
    """A Ping had no answer yet when the log ended."""
    hit = []
    for ending in endings:
        oldest = next(iter(ending.connection.pings.waiting.values()), None)
        if ending.what is End.OPEN and oldest is not None and timeline.ended.t - oldest.t >= 1.0:
            hit.append(ending)
    if hit:
        oldest = next(iter(hit[0].connection.pings.waiting.values()))
        waited = timeline.ended.t - oldest.t
        yield Finding(Cause.PING_WAITS, "certain", oldest, tuple(hit), seconds=waited, count=len(hit))


def late_pongs(timeline: Timeline, endings: Sequence[Ending]) -> Iterator[Finding]:
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
    """Whether it is told already that one of the sides did nothing while its latest Pong was due."""
    pings = ending.connection.pings
    if pings.worst_at is None or pings.worst is None:
        return False
    asked, answered = pings.worst_at.t, pings.worst_at.t + pings.worst
    told = [(still.begin.t, still.end.t) for still in timeline.standstills]
    told += [(silence.begin.t, silence.end.t) for silence in timeline.silences]
    return any(begin < answered and asked < end for begin, end in told)
