"""What happened, told to a person: a line for each thing worth knowing, with its time.                       pure

What repeats is told once. An hour of trouble is a page; an hour of peace is three lines.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.diagnosis.inference import explains_gap
from chaos.diagnosis.peer_findings import unread
from chaos.diagnosis.peer_standstills import PeerStandstill, peer_standstills
from chaos.diagnosis.symptoms import Kind, Outage, Symptom, outages
from chaos.durations import clock, seconds_of
from chaos.kinds import LINKS
from chaos.timeline.observed import Gap, Observed

Tone = Literal["good", "bad", "plain"]

ALIKE = 3
"""Outages of one kind in a row that are told one by one; further ones are told together."""
GAP_WORTH_TELLING = 2.0
AT_ONCE = 0.3
"""Seconds between what happened to two links and is told as one."""
AT_AN_INSTANT = (Kind.CLOSED, Kind.STREAM_ENDED, Kind.STREAM_RESET)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `t` is the trace's time."""

    t: float
    text: str
    tone: Tone = "plain"


def narrate(
    seen: Observed, diagnosis: Diagnosis, *, began: float, first: bool = True, last: bool = True
) -> list[Line]:
    """The story of a part of a trace that `began` then, in the order of time.

    A part that is not the `first` is told for its troubles, and one that is not the `last` has no end.
    """
    if not seen.count:
        return [Line(0.0, "the trace holds no event", "bad")]
    lines = [*_beginning(seen)] if first else []
    lines += [*_troubles(seen, began), *_library(seen), *_delays(diagnosis)]
    lines += [*_input(seen, diagnosis), *_loop(seen), *_losses(seen)]
    told = [line for line in lines if first or line.tone == "bad"]
    return sorted([*told, *([_ending(seen)] if last else [])], key=lambda line: line.t)


def _beginning(seen: Observed) -> Iterator[Line]:
    first = {name: record.connections[0] for name, record in seen.links.items() if record.connections}
    if before := sorted(name for name, connection in first.items() if not connection.number):
        yield Line(seen.began, f"{' and '.join(before)} open already, before what is told here", "good")
    first = {name: connection for name, connection in first.items() if connection.number}
    for name, connection in first.items():
        others = [n for n, s in first.items() if n != name and abs(s.opened - connection.opened) < 1]
        if others and name > others[0]:
            continue  # told with the other
        who = " and ".join(sorted([name, *others]))
        took = max(first[n].took for n in (name, *others))
        yield Line(connection.opened, f"{who} connected in {seconds_of(took)}", "good")


# Outages


def _troubles(seen: Observed, began: float) -> Iterator[Line]:
    found = {link: outages(seen, link) for link in LINKS}
    standstills = peer_standstills([outage for of_link in found.values() for outage in of_link])
    for standstill in standstills:
        yield _standstill(standstill)
    told = {id(outage) for standstill in standstills for outage in standstill.outages}
    for one, other in _struck_together(
        [o for of_link in found.values() for o in of_link if id(o) not in told]
    ):
        yield _of_both(one, other)
        told |= {id(one), id(other)}
    for of_link in found.values():
        untold = [o for o in of_link if o.symptoms[0].kind is not Kind.UNREAD and id(o) not in told]
        for group in _alike(untold):
            yield from _told(group, began)


def _struck_together(found: Sequence[Outage]) -> Iterator[tuple[Outage, Outage]]:
    """Outages of two links that ended in the same moment and in the same way: one cause."""
    at_once = [o for o in found if o.symptoms[0].kind in AT_AN_INSTANT and o.back is not None]
    at_once.sort(key=lambda outage: outage.symptoms[0].end)
    told: set[int] = set()
    for one, other in pairwise(at_once):
        together = other.symptoms[0].end - one.symptoms[0].end <= AT_ONCE
        if one.link != other.link and together and _kind(one) == _kind(other) and id(one) not in told:
            told |= {id(one), id(other)}
            yield one, other


def _of_both(one: Outage, other: Outage) -> Line:
    first = one.symptoms[0]
    attempts = _counted(_without_figures(symptom) for o in (one, other) for symptom in o.symptoms[1:])
    back = [o.back - first.begin for o in (one, other) if o.back is not None]
    parts = [f"{one.link} and {other.link}: {first.why} on both in the same moment"]
    if attempts:
        parts.append(f"then {attempts}")
    parts.append(f"connected again after {' and '.join(seconds_of(took) for took in back)}")
    return Line(first.begin, "; ".join(parts), "bad")


def _standstill(standstill: PeerStandstill) -> Line:
    """What struck both links, told once."""
    ended = [(o.link, closed.t) for o in standstill.outages if (closed := o.symptoms[0].closed) is not None]
    parts = [standstill.why]
    if ended:
        took = [seconds_of(t - standstill.begin) for _, t in ended]
        links = " and ".join(link for link, _ in ended)
        parts.append(f"{links} given up after {' and '.join(dict.fromkeys(took))}")
    parts.append("then both links connected again in the same moment")
    return Line(standstill.begin, "; ".join(parts), "bad")


def _alike(found: Sequence[Outage]) -> Iterator[list[Outage]]:
    group: list[Outage] = []
    for outage in found:
        if group and _kind(group[0]) != _kind(outage):
            yield group
            group = []
        group.append(outage)
    if group:
        yield group


def _kind(outage: Outage) -> tuple[Kind, int | None]:
    return outage.symptoms[0].kind, outage.symptoms[0].value


def _told(group: list[Outage], began: float) -> Iterator[Line]:
    shown, rest = (group, []) if len(group) <= ALIKE + 1 else (group[:ALIKE], group[ALIKE:])
    for outage in shown:
        yield _outage(outage)
    if rest:
        took = [outage.back - outage.symptoms[0].begin for outage in rest if outage.back is not None]
        lasted = f", each {seconds_of(min(took))} to {seconds_of(max(took))} long" if took else ""
        end = rest[-1].symptoms[-1].end - began
        yield Line(
            rest[0].symptoms[0].begin,
            f"{rest[0].link}: the same {len(rest)} more times until +{clock(end)}{lasted}",
            "bad",
        )


def _outage(outage: Outage) -> Line:
    first, *rest = outage.symptoms
    parts = [first.why, *_given_up(first)]
    attempts = _counted(_without_figures(symptom) for symptom in rest if symptom.kind is not Kind.SILENCE)
    if attempts:
        parts.append(f"then {attempts}")
    if outage.back is None:
        parts.append("it did not come back before the end of the trace")
    else:
        parts.append(f"connected again after {seconds_of(outage.back - first.begin)}")
    return Line(first.begin, f"{outage.link}: {'; '.join(parts)}", "bad")


def _given_up(first: Symptom) -> Iterator[str]:
    closed = first.closed
    if closed is None:
        return
    if first.kind in (Kind.SILENCE, Kind.NO_PONGS, Kind.NOTHING_TAKEN):
        yield f"given up after {seconds_of(closed.t - first.begin)} (code {closed.code} by the {closed.by})"
    if closed.unconfirmed:
        yield f"{closed.unconfirmed} unconfirmed messages went back into the outbox"


def _counted(texts: Iterable[str]) -> str:
    """In the order in which they first came, each with how often."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return ", ".join(text if n == 1 else f"{n} times {text}" for text, n in counts.items())


def _without_figures(symptom: Symptom) -> str:
    """What tells two attempts apart, is not how long each took, nor where it went."""
    if symptom.kind is Kind.HUNG:
        return "a handshake hung" + (" and was cut" if symptom.broken_off else "")
    return re.sub(r".*\[Errno -?\d+\]\s*([^(]*[^(\s]).*", r"\1", symptom.why, flags=re.DOTALL)


# The rest


def _library(seen: Observed) -> Iterator[Line]:
    for connection in unread(seen.link("output"))[:ALIKE]:
        closed = connection.closed
        assert closed is not None, "only what ended is unread"
        given_up = closed.t if connection.died is None else connection.died.t
        heard = connection.opened if connection.last_heard is None else connection.last_heard
        yield Line(
            heard,
            f"output: the peer's messages were not read; after {connection.unasked} of them reading was paused, and the"
            f" Pong was never processed: {closed.code} {closed.why}".rstrip()
            + f" {seconds_of(given_up - connection.opened)} after connecting; closing took {seconds_of(closed.t - given_up)}",
            "bad",
        )


def _delays(diagnosis: Diagnosis) -> Iterator[Line]:
    """What slowed a link; a stall of two links that ended at once is one."""
    findings = list(diagnosis.findings)
    stalls = [f for f in findings if f.kind == "stall" and f.ends_none]
    for one in stalls:
        other = next((f for f in stalls if f.on != one.on and _same_time(one, f)), None)
        if other is None:
            continue
        findings.remove(one)
        if other not in findings:
            assert one.end is not None, "a stall that ended no connection has an end"
            lasted = seconds_of(max(one.end, other.end or one.end) - min(one.begin, other.begin))
            text = f"input and output: nothing answered for {lasted}, then both at once: the server or the path stood still"
            yield Line(min(one.begin, other.begin), text, "bad")
    for finding in findings:
        line = _slow(finding)
        if line is not None:
            yield line


def _same_time(one: Finding, other: Finding) -> bool:
    if one.end is None or other.end is None:
        return False
    return abs(one.end - other.end) <= AT_ONCE and one.begin < other.end and other.begin < one.end


def _slow(finding: Finding) -> Line | None:
    if finding.kind not in ("latency", "bandwidth") and not (finding.kind == "stall" and finding.ends_none):
        return None
    lasted = (
        "all along"
        if finding.from_start or finding.end is None
        else f"for {seconds_of(finding.end - finding.begin)}"
    )
    return Line(
        finding.begin, f"{finding.on}: {finding.why}, {lasted}", "plain" if finding.from_start else "bad"
    )


def _input(seen: Observed, diagnosis: Diagnosis) -> Iterator[Line]:
    gaps = [
        gap
        for gap in seen.input_gaps
        if gap.seconds >= GAP_WORTH_TELLING and not explains_gap(gap, diagnosis.findings)
    ]
    yield from _gaps(gaps)
    if seen.rejections:
        kinds = ", ".join(f"{count} {reason}" for reason, count in sorted(seen.rejections.items()))
        at = seen.rejected[0][0]
        yield Line(at, f"bad messages came and were skipped: {kinds}", "bad")


def _gaps(gaps: Sequence[Gap]) -> Iterator[Line]:
    for gap in gaps[:ALIKE]:
        yield Line(
            gap.begin, f"input: no frames for {seconds_of(gap.seconds)}, as when nobody is in the picture"
        )
    if len(gaps) > ALIKE:
        more = gaps[ALIKE:]
        longest = max(gap.seconds for gap in more)
        yield Line(
            more[0].begin, f"input: {len(more)} more times without frames, {seconds_of(longest)} at most"
        )


def _loop(seen: Observed) -> Iterator[Line]:
    late = [(begin, end) for begin, end in seen.lags() if end - begin >= 0.3]
    for begin, end in late[:ALIKE]:
        yield Line(begin, f"the client's own loop stood still for {seconds_of(end - begin)}", "bad")
    if len(late) > ALIKE:
        worst = max(end - begin for begin, end in late)
        yield Line(
            late[ALIKE][0],
            f"its loop stood still {len(late) - ALIKE} more times, {seconds_of(worst)} at most",
            "bad",
        )


def _losses(seen: Observed) -> Iterator[Line]:
    if seen.displaced:
        span = seen.displaced[-1] - seen.displaced[0]
        yield Line(
            seen.displaced[0],
            f"the outbox was full: {len(seen.displaced)} outputs were displaced in {seconds_of(span)}, and are lost",
            "bad",
        )


def _ending(seen: Observed) -> Line:
    if seen.stopped is not None:
        left = seen.stopped.undelivered
        text = "stopped in good order, " + (
            "nothing was left" if not left else f"{left} outputs were left undelivered"
        )
        return Line(seen.stopped.t, text, "bad" if left else "good")
    if seen.stopping is not None:
        return Line(seen.stopping, "the client closed its connections: it ended")
    held = max(0, seen.accepted.total - seen.confirmed.total - len(seen.displaced))
    what = f"; {held} outputs were not confirmed yet, and may be lost" if held else ""
    return Line(seen.ended, f"the trace ends here without an orderly stop{what}", "bad" if held else "plain")
