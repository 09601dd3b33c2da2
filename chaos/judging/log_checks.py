"""The checks that a log of the `websockets` library allows: only what was seen to hold passes.                     pure"""

from collections.abc import Iterator
from typing import Any

from chaos.diagnosis.causes import Cause, Finding
from chaos.diagnosis.endings import HEALTHY, End, Ending
from chaos.diagnosis.explaining import Diagnosis
from chaos.durations import seconds_of
from chaos.judging.limits import DETECT_WITHIN
from chaos.judging.verdicts import Check, Judgement, decided
from chaos.traces.wire import NoticeKind

BACK_WITHIN = 18.0
"""Seconds from an end to the next connection: the longest back-off delay, and an attempt."""


def judge_log(diagnosis: Diagnosis) -> Judgement:
    """Every promise about which the log tells something."""
    return Judgement.of(_checks(diagnosis))


def _checks(diagnosis: Diagnosis) -> Iterator[Check]:
    timeline = diagnosis.timeline
    opened = sum(c.connected for c in timeline.connections)
    expected = "a connection, and what became of it"
    if not opened:
        yield Check("valid-run", "unknown", expected, "no connection is shown")
    else:
        span = seconds_of(timeline.ended.t - timeline.began.t) if timeline.timed else "a log without times"
        yield Check("valid-run", "pass", expected, f"{opened} connections in {span}")
    found = [
        _detect(diagnosis),
        _false_kill(diagnosis),
        _recover(diagnosis),
        _input(diagnosis),
        _polite(diagnosis),
    ]
    yield from (check for check in found if check is not None)
    unexplained = [f for f in diagnosis.troubles if f.cause in _OF_NO_PROMISE]
    if unexplained:
        causes = ", ".join(f.cause.value for f in unexplained)
        yield Check("untroubled", "unknown", "nothing that a promise does not cover", causes)


_OF_NO_PROMISE = (
    Cause.LOOP_BLOCKED,
    Cause.PEER_STOOD_STILL,
    Cause.HEALTH_CHECK,
    Cause.OWN_RESTART,
    Cause.PING_WAITS,
    Cause.LATE_PONG,
    Cause.FELL_SILENT,
    Cause.LAST_LINES,
    Cause.CLOSES_TOLD,
    Cause.END_NOT_SHOWN,
    Cause.BAD_HANDSHAKE,
    Cause.NO_UPGRADE,
    Cause.UNREACHABLE,
)


def _of(diagnosis: Diagnosis, *ends: End) -> list[Ending]:
    return [ending for ending in diagnosis.endings if ending.what in ends]


def _detect(diagnosis: Diagnosis) -> Check | None:
    """How long a silent link was borne."""
    given_up = _of(diagnosis, End.NO_PONG)
    silences = [
        e.at.t - since.t
        for e in given_up
        if e.at is not None and (since := e.connection.heard or e.connection.opened) is not None
    ]
    if not silences or not diagnosis.timeline.timed:
        return None
    worst = max(silences)
    return decided(
        "detect",
        ok=worst <= DETECT_WITHIN,
        expected=f"a silent link given up within {DETECT_WITHIN:g} s",
        observed=f"after {worst:.2f} s at most",
    )


def _false_kill(diagnosis: Diagnosis) -> Check | None:
    given_up = _of(diagnosis, End.NO_PONG)
    if not given_up:
        return None
    return Check(
        "no-false-kill",
        "unknown",
        "no connection given up that the network had not broken",
        f"{len(given_up)} given up; what the network did is not in a log",
    )


def _recover(diagnosis: Diagnosis) -> Check | None:
    """After each end that was not meant there is a connection again; where the log ends first, nothing is known."""
    broken = [e for e in diagnosis.endings if e.what not in HEALTHY]
    told = [n for _, n in diagnosis.timeline.notices if n.kind is NoticeKind.ENDED]
    expected = f"a new connection within {BACK_WITHIN:g} s of an end that was not meant"
    if diagnosis.timeline.side == "server":
        return (
            Check("recover", "unknown", expected, "only a client can come back") if broken or told else None
        )
    if not broken and not told:
        return None
    if not broken:
        return Check("recover", "unknown", expected, f"{len(told)} ends, told by exceptions only")
    waits = _waits(broken, diagnosis)
    if any(wait is None for wait in waits):
        return Check("recover", "unknown", expected, "the log ends without a new connection")
    worst = max(wait for wait in waits if wait is not None)
    if worst > BACK_WITHIN:
        observed = f"after {worst:.1f} s; whether the path was whole by then is not in a log"
        return Check("recover", "unknown", expected, observed)
    return Check("recover", "pass", expected, f"{len(broken)} times, after {worst:.1f} s at most")


def _waits(broken: list[Ending], diagnosis: Diagnosis) -> list[float | None]:
    """Seconds from each end to the next connection of its endpoint; None: there is none."""
    opened: dict[str, list[float]] = {}
    for c in diagnosis.timeline.connections:
        if c.opened is not None:
            opened.setdefault(c.link, []).append(c.opened.t)
    waits: list[float | None] = []
    place: dict[str, int] = {}
    for ending in sorted(broken, key=lambda e: (e.at or e.connection.last).line):
        link, at = ending.connection.link, (ending.at or ending.connection.last).t
        times, n = opened.get(link, []), place.get(link, 0)
        while n < len(times) and times[n] <= at:
            n += 1
        place[link] = n
        waits.append(times[n] - at if n < len(times) else None)
    return waits


def _input(diagnosis: Diagnosis) -> Check | None:
    failed = _of(diagnosis, End.OWN_FAILURE)
    if not failed:
        return None
    first = failed[0]
    return Check(
        "survives-input",
        "fail",
        "no message ends a connection from this side",
        f"failed with {first.code} {first.reason}".rstrip(),
    )


def _polite(diagnosis: Diagnosis) -> Check | None:
    expected = "attempts that back off, and end where they are refused for good"
    storm = next((f for f in diagnosis.findings if f.cause is Cause.STORM), None)
    if storm is not None:
        return Check("polite", "fail", expected, f"{storm.count} attempts in {storm.seconds or 0.0:.1f} s")
    again = [f for f in diagnosis.findings if f.cause is Cause.REFUSED_FOR_GOOD and _times(f) > 1]
    if again and diagnosis.timeline.side == "client":
        return Check("polite", "fail", expected, f"{_times(again[0])} attempts that were refused for good")
    return None


def _times(finding: Finding) -> int:
    return max(len(finding.endings), len(finding.notices))


def log_measures(diagnosis: Diagnosis) -> dict[str, Any]:
    """The figures of the table, as far as a log has them."""
    given_up = [
        e.at.t - e.connection.heard.t
        for e in _of(diagnosis, End.NO_PONG)
        if e.at is not None and e.connection.heard is not None
    ]
    names = (
        "offered",
        "delivered",
        "lost",
        "repeated",
        "reordered",
        "recover_s",
        "longest_silence_s",
        "false_kills",
    )
    return {
        **dict.fromkeys(names),
        "displaced": 0,
        "connections": sum(c.connected for c in diagnosis.timeline.connections),
        "detect_s": round(max(given_up), 3) if given_up else None,
    }
