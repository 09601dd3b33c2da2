"""Connections that ended and attempts that failed, as the faults that explain them.                          pure

Neighbouring symptoms of one kind are one fault. Where two kinds meet, and at the end, the change lies between the last
symptom of the one and the first of the other: the middle is taken, unless a handshake that hung says the moment exactly.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from chaos.diagnosis.findings import Certainty, Finding
from chaos.diagnosis.symptoms import HANDSHAKES, SILENT, Kind, Outage, Symptom
from chaos.kinds import Value

INSTANT = frozenset({Kind.CLOSED, Kind.STREAM_ENDED, Kind.STREAM_RESET, Kind.OWN_CLOSE, Kind.UNREAD})
OWN = frozenset({Kind.OWN_CLOSE, Kind.UNREAD})
MUTE = frozenset({Kind.NO_PONGS, Kind.NOTHING_TAKEN})
KEPT_AWAY = frozenset({Kind.NOBODY_THERE, Kind.BROKEN_OFF, Kind.DROPPED_AT_ONCE})
LIMIT = 2000
"""Bytes: a handshake passes, and the first message does not."""
ENOUGH = 0.2
"""Seconds by which a replayed client may give up later than in the field: it probes so often."""
TOGETHER = 0.5
"""Seconds between the ends of two links that one restart ended."""
BLIP = 0.05
"""Seconds that a link was down for, where the next attempt already succeeded."""


def explained(outage: Outage) -> Iterator[Finding]:
    """The faults of one outage of one link, in order."""
    symptoms = _relabelled(outage.symptoms)
    runs = _runs([symptom for symptom in symptoms if symptom.kind not in INSTANT])
    for symptom in symptoms:
        if symptom.kind in INSTANT:
            yield from _at_once(symptom, outage, runs)
    previous_end: float | None = None
    for index, run in enumerate(runs):
        following = runs[index + 1] if index + 1 < len(runs) else None
        end = _end_of(run, following, outage)
        begin = run[0].begin if previous_end is None else previous_end
        first = outage.symptoms[0]
        if previous_end is None and first.kind in INSTANT - OWN:
            # What ended the connection is also the begin of what kept it away.
            begin = first.end + (
                0.002 if first.kind is Kind.CLOSED and run[0].kind is not Kind.TURNED_AWAY else -0.002
            )
        if run[0].talked:
            yield _swallowed(run[0], begin, end, outage)
            begin = run[0].end + ENOUGH
            upstream = [replace(symptom, direction="upstream") for symptom in run[1:]]
            if upstream:
                yield _fault_of(upstream, begin, end, outage)
        else:
            yield _fault_of(run, begin, end, outage, from_start=outage.from_start and run[0] is symptoms[0])
        previous_end = end


def _relabelled(symptoms: list[Symptom]) -> list[Symptom]:
    """A link that can be opened again and stays mute was mute before it was given up, not cut off."""
    kinds = {symptom.kind for symptom in symptoms}
    if not kinds & MUTE or kinds & HANDSHAKES:
        return symptoms
    kind = Kind.NOTHING_TAKEN if Kind.NOTHING_TAKEN in kinds else Kind.NO_PONGS
    relabelled = (Kind.SILENCE, Kind.NO_PONGS)
    return [replace(s, kind=kind) if s.kind in relabelled else s for s in symptoms]


def _runs(symptoms: list[Symptom]) -> list[list[Symptom]]:
    runs: list[list[Symptom]] = []
    for symptom in symptoms:
        if runs and _alike(runs[-1][-1], symptom):
            runs[-1].append(symptom)
        else:
            runs.append([symptom])
    return runs


def _alike(one: Symptom, other: Symptom) -> bool:
    same = one.kind is other.kind or {one.kind, other.kind} <= SILENT
    return same and one.value == other.value


def _end_of(run: list[Symptom], following: list[Symptom] | None, outage: Outage) -> float | None:
    last = run[-1]
    if last.healed is not None:
        return last.healed
    next_begin = outage.last_attempt if following is None else following[0].begin
    return None if next_begin is None else max(last.end, (last.end + next_begin) / 2)


def _at_once(symptom: Symptom, outage: Outage, runs: list[list[Symptom]]) -> Iterator[Finding]:
    on = outage.link
    if symptom.kind is Kind.CLOSED:
        assert symptom.value is not None, "a close frame has a code"
        # Close frames travel too: a moment earlier at the peer.
        yield Finding(
            "close",
            symptom.begin,
            symptom.begin,
            symptom.why,
            "certain",
            on=on,
            attributes={"code": symptom.value},
        )
        if symptom.end > symptom.begin:
            late = round((symptom.end - symptom.begin) * 1000)
            yield Finding(
                "slow_close",
                symptom.begin - 0.01,
                symptom.end,
                symptom.why,
                on=on,
                attributes={"delay": late},
            )
    elif symptom.kind in (Kind.STREAM_ENDED, Kind.STREAM_RESET):
        kept_away = runs and symptom is outage.symptoms[0] and runs[0][0].kind in KEPT_AWAY
        if not kept_away:
            ended = symptom.kind is Kind.STREAM_ENDED
            kind, lasted = ("down", BLIP) if ended else ("reset_peer", 4 * BLIP)
            yield Finding(kind, symptom.begin - 0.002, symptom.begin + lasted, symptom.why, "likely", on=on)


def _swallowed(symptom: Symptom, begin: float, end: float | None, outage: Outage) -> Finding:
    """A path that loses our bytes loses our acknowledgements, and the peer falls silent; a proxy sends some of its own."""
    return Finding(
        "timeout",
        begin,
        end,
        symptom.why,
        "likely",
        on=outage.link,
        direction="upstream",
        attributes={"timeout": 0},
    )


def _fault_of(
    run: list[Symptom], begin: float, end: float | None, outage: Outage, *, from_start: bool = False
) -> Finding:
    symptom, on = run[0], outage.link
    many = f"{len(run)} times: " if len(run) > 1 else ""
    why = many + "; ".join(dict.fromkeys(other.why for other in run[:4]))

    def finding(kind: str, **more: object) -> Finding:
        return Finding(kind, begin, end, why, on=on, from_start=from_start, **more)  # type: ignore[arg-type]

    if symptom.kind in SILENT:
        known = symptom.direction != "both" or symptom.direction_known
        # What is accepted, hangs and is cut when the path heals, was taken by something on the way.
        taken = any(other.broken_off for other in run)
        return finding(
            "timeout" if taken else "stall",
            direction=symptom.direction,
            certainty="likely" if known else "possible",
            attributes={"timeout": 0} if taken else {},
        )
    certainty, attributes = _of_kind(symptom, len(run))
    return finding(FAULT_OF[symptom.kind], certainty=certainty, attributes=attributes)


FAULT_OF = {
    Kind.NO_PONGS: "mute_pong",
    Kind.NOTHING_TAKEN: "stop_reading",
    Kind.TURNED_AWAY: "accept_then_close",
    Kind.DROPPED_AT_ONCE: "limit_data",
    Kind.BROKEN_OFF: "reset_peer",
    Kind.NOBODY_THERE: "down",
    Kind.REFUSED: "refuse",
}


def _of_kind(symptom: Symptom, times: int) -> tuple[Certainty, dict[str, Value]]:
    """How sure a fault is that a symptom seen so often speaks of, and its attributes."""
    if symptom.kind is Kind.NO_PONGS:
        return ("likely" if times > 1 else "possible"), {}
    if symptom.kind is Kind.NOTHING_TAKEN:
        return "likely", {}
    if symptom.kind is Kind.DROPPED_AT_ONCE:
        return "possible", {"bytes": LIMIT}
    if symptom.kind is Kind.REFUSED:
        return "certain", {"status": symptom.value or 503}
    if symptom.kind is Kind.TURNED_AWAY:
        return "certain", {"code": symptom.value or 1000}
    return "certain", {}


def restarts(found: list[Outage]) -> tuple[list[Finding], list[Outage]]:
    """Where both links closed with 1012 at once and nobody was there for a while: the peer restarted.

    Returns the restarts, and the outages that they do not explain.
    """
    inputs, outputs = (
        [outage for outage in found if outage.link == link and _went_away(outage)]
        for link in ("input", "output")
    )
    findings = []
    explained_ones = set[int]()
    for one in inputs:
        ended = one.symptoms[0].end
        # The outages of a link are in order.
        near = bisect_left(outputs, ended - TOGETHER, key=lambda outage: outage.symptoms[0].end)
        other = next((outage for outage in outputs[near : near + 1]), None)
        if other is None or other.symptoms[0].end > ended + TOGETHER or id(other) in explained_ones:
            continue
        findings.append(_restart(one, other))
        explained_ones |= {id(one), id(other)}
    return findings, [outage for outage in found if id(outage) not in explained_ones]


def _restart(one: Outage, other: Outage) -> Finding:
    a, b = one.symptoms, other.symptoms
    begin = min(a[0].begin, b[0].begin)
    gone = max(a[-1].end, b[-1].end)
    back = min((o.last_attempt for o in (one, other) if o.last_attempt is not None), default=None)
    end = None if back is None else max(begin + BLIP, (gone + max(gone, back)) / 2)
    why = f"both links closed with 1012, and {len(a) + len(b) - 2} attempts found nobody"
    return Finding("restart", begin, end, why, "certain")


def _went_away(outage: Outage) -> bool:
    first = outage.symptoms[0]
    return (
        first.kind is Kind.CLOSED
        and first.value == 1012
        and all(s.kind in (Kind.NOBODY_THERE, Kind.BROKEN_OFF) for s in outage.symptoms[1:])
    )
