"""A diagnosis told to a person: first what it was, then the story, the lines around it, and what stays unknown.      pure"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from chaos.diagnosis.causes import HARMLESS, Cause, Confidence, Finding
from chaos.diagnosis.causes_of_attempts import CONNECTED
from chaos.diagnosis.endings import End, Ending
from chaos.diagnosis.explaining import Diagnosis
from chaos.diagnosis.headlines import said_of
from chaos.diagnosis.log_rows import brief_end, marks_of
from chaos.diagnosis.wording import Words, many
from chaos.durations import clock
from chaos.timeline.model import Connection, Mark, Timeline
from chaos.traces.wire import NoticeKind, Writer

MOST_ROWS = 20
MOST_FINDINGS = 8
MOST_LINES = 24
ALIKE = 2
"""Ends of one kind in a row that are told one by one; more are told together."""
SETTLED = 5.0
"""Seconds after which a further table row of the same connection is worth its place."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table or of the story."""

    at: Mark
    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class ToldFinding:
    """One finding in words."""

    cause: Cause
    confidence: Confidence
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that is told of a log."""

    headline: str
    findings: tuple[ToldFinding, ...]
    """The first is the headline's."""
    story: tuple[Row, ...]
    table: tuple[Row, ...]
    """The lines around the first trouble; empty where there is none."""
    unknown: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    timed: bool
    counted_in: str = "line"
    """What the places of rows count: lines of a log, or what a recording holds."""


def tell(diagnosis: Diagnosis) -> Told:
    """All in words; what is not shown is said to be unknown."""
    timeline = diagnosis.timeline
    words = Words(timeline)
    said = [said_of(finding, words.of(finding.endings)) for finding in diagnosis.findings]
    shown = _worth_telling(diagnosis.findings)
    told = [
        ToldFinding(finding.cause, finding.confidence, said[place].what, said[place].remedy)
        for place, finding in enumerate(diagnosis.findings)
        if place in shown
    ]
    unknown = [said[place].unknown for place in shown if said[place].unknown]
    headline = told[0].text if told else _nothing(timeline)
    return Told(
        _sentence(headline),
        tuple(told),
        tuple(_story(diagnosis, words)),
        tuple(_table(diagnosis, words)),
        tuple(dict.fromkeys([*unknown[:3], *_not_shown(timeline)])),
        tuple(_figures(timeline, words)),
        timeline.timed,
        "no." if timeline.writer is Writer.BROWSER else "line",
    )


def _worth_telling(findings: Sequence[Finding]) -> list[int]:
    """Which, by place: what a finding before explains wholly is not told again."""
    shown: list[int] = []
    explained: set[int] = set()
    for place, finding in enumerate(findings):
        mine = {ending.connection.number for ending in finding.endings}
        if mine and mine <= explained:
            continue
        if finding.cause in HARMLESS and shown and findings[shown[0]].cause not in HARMLESS:
            continue  # the story has it
        explained |= mine
        shown.append(place)
    return shown[:MOST_FINDINGS]


def _nothing(timeline: Timeline) -> str:
    if timeline.notices:
        return "the log shows no connection: only what the program says of them"
    return "the log shows no connection"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


# The story


def _story(diagnosis: Diagnosis, words: Words) -> Iterator[Row]:
    rows = [*_connections(diagnosis, words), *_noticed(diagnosis, words)]
    rows += [
        Row(f.at, said_of(f, words.of(f.endings)).what, bad=True)
        for f in diagnosis.findings
        if f.cause is Cause.PEER_STOOD_STILL or (f.cause is Cause.LOOP_BLOCKED and not f.endings)
    ][:ALIKE]
    rows.sort(key=lambda row: row.at.line)
    if len(rows) > MOST_LINES:
        half = MOST_LINES // 2
        left_out = rows[half : len(rows) - half]
        more = Row(
            left_out[0].at,
            f"... {len(left_out)} more lines, {sum(r.bad for r in left_out)} of them trouble ...",
        )
        rows = [*rows[:half], more, *rows[len(rows) - half :]]
    yield from rows


def _connections(diagnosis: Diagnosis, words: Words) -> Iterator[Row]:
    by_path: dict[str, list[Ending]] = {}
    for ending in diagnosis.endings:
        by_path.setdefault(ending.connection.link, []).append(ending)
    for endings in by_path.values():
        yield from _of_path(diagnosis, endings, words)


def _of_path(diagnosis: Diagnosis, endings: Sequence[Ending], words: Words) -> Iterator[Row]:
    following = {id(a): b.connection for a, b in pairwise(endings)}
    first = endings[0].connection
    yield from _opening(first, words)
    for _, found in groupby(endings, key=lambda e: (e.what, e.code)):
        group = list(found)
        shown, rest = (group, []) if len(group) <= ALIKE + 1 else (group[:ALIKE], group[ALIKE:])
        for ending in shown:
            yield from _end(diagnosis, ending, following.get(id(ending)), words)
        if rest:
            yield _together(rest, words)


def _opening(c: Connection, words: Words) -> Iterator[Row]:
    label = words.label(c)
    where = f" to {c.path}" if c.path and _of_client(c) else f" to {c.path}" if c.path else ""
    if c.began is None and c.requested is None:
        yield Row(c.first, f"the log begins with {f'{label} ' if label else 'a connection '}already open")
    elif c.opened is not None:
        took = words.lasting(c.opened.t - c.begin.t) if words.timed and words.shows_control else ""
        who = "connected" if _of_client(c) else "a client connected"
        agent = c.request_headers.get("user-agent", "") if not _of_client(c) else ""
        yield Row(c.opened, f"{who}{where}{f' in {took}' if took else ''}{f' ({agent})' if agent else ''}")


def _of_client(c: Connection) -> bool:
    return c.side == "client"


def _end(diagnosis: Diagnosis, ending: Ending, after: Connection | None, words: Words) -> Iterator[Row]:
    timeline, left_behind = diagnosis.timeline, diagnosis.left_behind
    c = ending.connection
    label = words.numbered(c)
    before = f"{label}: " if label else ""
    for text in brief_end(ending, words.of([ending])):
        at = ending.at or c.last
        lived = (
            f" {words.lasting(ending.age)} after connecting" if ending.age is not None and words.timed else ""
        )
        back = _back(ending, after, words)
        yield Row(at, f"{before}{text}{lived}{back}", bad=ending.what not in (End.OWN_CLOSE, End.LEFT))
    if c.number in left_behind:
        yield Row(
            c.last,
            f"{before}no line tells of its end: it ended with the process, which was started again",
            bad=True,
        )
        return
    if ending.what is End.OPEN:
        answered = f", {c.pings.answered} of {c.pings.sent} Pings answered" if c.pings.sent else ""
        text = f"still open when the log ends{answered}" if words.shows_control else "no end of it is shown"
        yield Row(timeline.ended, f"{before}{text}", bad=bool(c.pings.waiting))
    if ending.what is End.UNFINISHED:
        yield Row(c.last, f"{before}a handshake whose outcome the log does not show", bad=True)


def _back(ending: Ending, after: Connection | None, words: Words) -> str:
    if after is None or after.opened is None or ending.at is None or not words.timed:
        return ""
    if ending.connection.side == "server" or after.opened.t < ending.at.t:
        return ""
    return f"; connected again {words.lasting(after.opened.t - ending.at.t)} later"


def _together(rest: Sequence[Ending], words: Words) -> Row:
    last = rest[-1].at or rest[-1].connection.last
    ages = words.since_opening(rest)
    each = f", each {ages} after connecting" if ages and words.timed else ""
    first = rest[0]
    label = words.label(first.connection)
    if first.what is End.OPEN:
        return Row(first.connection.last, f"{len(rest)} more connections are still open when the log ends")
    text = f"{f'{label}: ' if label else ''}the same {len(rest)} times more until {words.when(last)}{each}"
    return Row(first.at or first.connection.last, text, bad=first.what not in (End.OWN_CLOSE, End.LEFT))


_OF_ATTEMPTS = (
    NoticeKind.UNREACHABLE,
    NoticeKind.NO_ROUTE,
    NoticeKind.TIMED_OUT,
    NoticeKind.NO_NAME,
    NoticeKind.BAD_CERTIFICATE,
)
_TOLD_KINDS = {
    NoticeKind.UNREACHABLE: "attempts found nobody listening",
    NoticeKind.NO_ROUTE: "attempts found no way there",
    NoticeKind.TIMED_OUT: "attempts got no answer in time",
    NoticeKind.NO_NAME: "attempts did not find the host's name",
    NoticeKind.BAD_CERTIFICATE: "attempts met a certificate that was not valid",
    NoticeKind.CONNECTED: "times the program says that it connected",
    NoticeKind.LISTENING: "times the server began to listen",
    NoticeKind.SHUT_DOWN: "times the server shut down",
    NoticeKind.HANDLER_FAILED: "times the program's handler failed",
    NoticeKind.ERROR: "exceptions",
    NoticeKind.RESET: "times a connection was reset",
}


def _noticed(diagnosis: Diagnosis, words: Words) -> Iterator[Row]:
    """What the program said in between, that of one kind together until a connection opens."""
    opened = sorted(c.opened.line for c in diagnosis.timeline.connections if c.opened is not None)
    shows_ends = bool(diagnosis.endings)
    told = [
        (m, n)
        for m, n in diagnosis.timeline.notices
        if n.kind in _TOLD_KINDS
        and not (shows_ends and n.kind in (NoticeKind.HANDLER_FAILED, NoticeKind.CONNECTED))
    ]
    for (kind, _), found in groupby(told, key=lambda pair: (pair[1].kind, bisect_left(opened, pair[0].line))):
        group = list(found)
        mark, notice = group[0]
        until = f" until {words.when(group[-1][0])}" if len(group) > 1 else ""
        text = f"{len(group)} {_TOLD_KINDS[kind]}{until}: {notice.text}"
        bad = kind in _OF_ATTEMPTS or kind is NoticeKind.ERROR
        yield Row(mark, text if len(group) > 1 else notice.text, bad=bad)


# The lines around the first trouble


def _table(diagnosis: Diagnosis, words: Words) -> Iterator[Row]:
    trouble = next(iter(diagnosis.troubles), None)
    if trouble is None:
        return
    concerned = trouble.endings[:1] + trouble.endings[1:][-1:]
    several = len(concerned) > 1
    rows: dict[tuple[int, str], Row] = {}
    for ending in concerned:
        before = f"connection {ending.connection.number}: " if several else ""
        for mark, text in marks_of(ending, words.of([ending])):
            rows[mark.line, text] = Row(
                mark, f"{before}{text}", bad=ending.at is not None and mark.line == ending.at.line
            )
    for mark, notice in trouble.notices[:3] + trouble.notices[3:][-2:]:
        rows[mark.line, notice.text] = Row(mark, notice.text, bad=True)
    if trouble.standstill is not None:
        still = trouble.standstill
        rows[still.begin.line, "still"] = Row(still.begin, "the last line before nothing was written")
        rows[still.end.line, "again"] = Row(still.end, "the first line after it", bad=True)
    if trouble.silence is not None:
        silence = trouble.silence
        rows[silence.begin.line, "heard"] = Row(
            silence.begin, "the last thing that came, over any connection"
        )
        rows[silence.end.line, "again"] = Row(silence.end, "the first thing that came after it", bad=True)
    found = sorted(rows.values(), key=lambda row: row.at.line)
    if len(found) > MOST_ROWS:
        found = found[-MOST_ROWS:]
    yield from found


# The rest


def _not_shown(timeline: Timeline) -> Iterator[str]:
    if not timeline.timed and timeline.lines:
        why = "all its lines are of one moment" if timeline.clocked else "the log has no times"
        yield f"how long anything took: {why}"
    first = next(iter(timeline.connections), None)
    if first is not None and first.began is None and first.requested is None:
        yield "when it was opened: the log begins in the middle of a connection"
    if any(c.ambiguous for c in timeline.connections):
        yield "of some lines, which connection they are of: several come under one name"


def _figures(timeline: Timeline, words: Words) -> Iterator[tuple[str, str]]:
    if words.timed:
        yield "lasted", clock(timeline.ended.t - timeline.began.t)
    opened = sum(c.connected for c in timeline.connections)
    failed = len(timeline.connections) - opened
    if timeline.connections:
        attempts = f", {many(failed, 'attempt')} that came to none" if failed else ""
        yield "connections", f"{opened}{attempts}"
    elif told := sum(n.kind in CONNECTED for _, n in timeline.notices):
        yield "connections", f"{told} opened, as its lines say"
    more = timeline.more.total()
    if more:
        yield "only counted", f"{more} connections after these"
    received = sum(c.received.messages for c in timeline.connections)
    sent = sum(c.sent.messages for c in timeline.connections)
    if received or sent:
        came = f"{received:,} received" if timeline.shows_received else "what came is not shown"
        yield "messages", f"{came}, {sent:,} sent"
    pings = sum(c.pings.sent for c in timeline.connections)
    if pings and not words.timed:
        yield "Pings", f"{sum(c.pings.answered for c in timeline.connections)} of {pings} answered"
    elif timeline.trips:
        trips = timeline.trips
        yield (
            "round trips",
            f"{len(trips):,}: {words.range_of(trips)}, median {words.lasting(median(trips))}",
        )
    elif pings:
        yield "Pings", f"{pings}, none answered"
    if timeline.library:
        by_browser = timeline.writer is Writer.BROWSER
        yield (
            ("recorded by", timeline.library)
            if by_browser
            else ("library", f"{timeline.writer.value} {timeline.library}")
        )
