"""Connections that ended and attempts that failed, as the faults that explain them.                          pure

Neighbouring signs of one kind are one fault. Where two kinds meet, and at the end, the change lies between the last
sign of the one and the first of the other: the middle is taken, unless a handshake that hung says the moment exactly.
"""

from collections.abc import Iterator
from dataclasses import replace

from chaos.kinds import Value
from chaos.replay.findings import Certainty, Finding
from chaos.replay.signs import Kind, Outage, Sign

INSTANT: frozenset[Kind] = frozenset({"close", "fin", "reset", "own"})
LIMIT = 2000
"""Bytes: a handshake passes, and the first message does not."""
ENOUGH = 0.2
"""Seconds by which a replayed client may give up later than in the field: it probes so often."""
BLIP = 0.05
"""Seconds that a link was down for, where the next attempt already found it well."""


def explained(outage: Outage) -> Iterator[Finding]:
    """The faults of one outage of one link, in order."""
    signs = _relabelled(outage.signs)
    runs = _runs([sign for sign in signs if sign.kind not in INSTANT])
    for sign in signs:
        if sign.kind in INSTANT:
            yield from _at_once(sign, outage, runs)
    previous_end: float | None = None
    for index, run in enumerate(runs):
        following = runs[index + 1] if index + 1 < len(runs) else None
        end = _end_of(run, following, outage)
        begin = run[0].begin if previous_end is None else previous_end
        first = outage.signs[0]
        if previous_end is None and first.kind in INSTANT and first.kind != "own":
            # What ended the connection is also the begin of what kept it away.
            begin = first.end + (0.002 if first.kind == "close" and run[0].kind != "turned-away" else -0.002)
        if run[0].talked:
            yield _swallowed(run[0], begin, end, outage)
            begin = run[0].end + ENOUGH
            upstream = [replace(sign, direction="upstream") for sign in run[1:]]
            if upstream:
                yield _fault_of(upstream, begin, end, outage)
        else:
            yield _fault_of(run, begin, end, outage)
        previous_end = end


def _relabelled(signs: list[Sign]) -> list[Sign]:
    """A link that can be opened again and stays mute was mute before it was given up, not cut off."""
    later = {sign.kind for sign in signs} & {"mute", "stuck"}
    hung = any(sign.kind == "silent" and sign.why.startswith("a handshake") for sign in signs)
    if not later or hung:
        return signs
    kind: Kind = "stuck" if "stuck" in later else "mute"
    return [replace(sign, kind=kind) if sign.kind in ("silent", "mute") else sign for sign in signs]


def _runs(signs: list[Sign]) -> list[list[Sign]]:
    runs: list[list[Sign]] = []
    for sign in signs:
        if runs and (runs[-1][-1].kind, runs[-1][-1].value) == (sign.kind, sign.value):
            runs[-1].append(sign)
        else:
            runs.append([sign])
    return runs


def _end_of(run: list[Sign], following: list[Sign] | None, outage: Outage) -> float | None:
    last = run[-1]
    if last.healed is not None:
        return last.healed
    next_begin = outage.well_at if following is None else following[0].begin
    return None if next_begin is None else max(last.end, (last.end + next_begin) / 2)


def _at_once(sign: Sign, outage: Outage, runs: list[list[Sign]]) -> Iterator[Finding]:
    on = outage.link
    if sign.kind == "close":
        assert sign.value is not None, "a close frame has a code"
        # Close frames travel too: a moment earlier at the peer.
        yield Finding(
            "close", sign.begin, sign.begin, sign.why, "certain", on=on, attributes={"code": sign.value}
        )
        if sign.end > sign.begin:
            late = round((sign.end - sign.begin) * 1000)
            yield Finding(
                "slow_close", sign.begin - 0.01, sign.end, sign.why, on=on, attributes={"delay": late}
            )
    elif sign.kind in ("fin", "reset"):
        kept_away = runs and sign is outage.signs[0] and runs[0][0].kind in ("down", "cut", "limited")
        if not kept_away:
            kind = "down" if sign.kind == "fin" else "reset_peer"
            lasted = BLIP if sign.kind == "fin" else 4 * BLIP
            yield Finding(kind, sign.begin - 0.002, sign.begin + lasted, sign.why, "likely", on=on)


def _swallowed(sign: Sign, begin: float, end: float | None, outage: Outage) -> Finding:
    """A path that loses our bytes loses our acknowledgements, and the peer falls silent; a proxy sends some of its own."""
    return Finding(
        "timeout",
        begin,
        end,
        sign.why,
        "likely",
        on=outage.link,
        direction="upstream",
        attributes={"timeout": 0},
    )


def _fault_of(run: list[Sign], begin: float, end: float | None, outage: Outage) -> Finding:
    sign = run[0]
    on, from_start = outage.link, outage.from_start and sign is outage.signs[0]
    many = f"{len(run)} times: " if len(run) > 1 else ""
    why = many + "; ".join(dict.fromkeys(other.why for other in run[:4]))

    def finding(kind: str, **more: object) -> Finding:
        return Finding(kind, begin, end, why, on=on, from_start=from_start, **more)  # type: ignore[arg-type]

    if sign.kind == "silent":
        cut = any(other.healed is not None and other.why.endswith("cut") for other in run)
        known = sign.direction != "both" or sign.told
        return finding(
            "blackhole" if cut else "stall",
            direction=sign.direction,
            certainty="likely" if known else "possible",
        )
    certainty, attributes = _of_kind(sign, len(run))
    return finding(FAULT_OF.get(sign.kind, sign.kind), certainty=certainty, attributes=attributes)


FAULT_OF: dict[Kind, str] = {
    "mute": "mute_pong",
    "stuck": "stop_reading",
    "turned-away": "accept_then_close",
    "limited": "limit_data",
    "cut": "reset_peer",
}
"""The fault's kind, where it is not called as its sign."""


def _of_kind(sign: Sign, times: int) -> tuple[Certainty, dict[str, Value]]:
    """How sure a fault is that a sign seen so often speaks of, and its attributes."""
    if sign.kind == "mute":
        return ("likely" if times > 1 else "possible"), {}
    if sign.kind == "stuck":
        return "likely", {}
    if sign.kind == "limited":
        return "possible", {"bytes": LIMIT}
    if sign.kind == "refuse":
        return "certain", {"status": sign.value or 503}
    if sign.kind == "turned-away":
        return "certain", {"code": sign.value or 1000}
    return "certain", {}


def restarts(found: list[Outage]) -> tuple[list[Finding], list[Outage]]:
    """Where both links closed with 1012 at once and nobody was there for a while: the peer restarted.

    Returns the restarts, and the outages that they do not explain.
    """
    rest = list(found)
    findings = []
    for one in [outage for outage in found if outage.link == "input"]:
        for other in [outage for outage in rest if outage.link == "output"]:
            a, b = one.signs, other.signs
            if not (_went_away(one) and _went_away(other)) or abs(a[0].end - b[0].end) > 0.5:
                continue
            begin = min(a[0].begin, b[0].begin)
            gone = max(a[-1].end, b[-1].end)
            back = min((o.well_at for o in (one, other) if o.well_at is not None), default=None)
            end = None if back is None else max(begin + BLIP, (gone + max(gone, back)) / 2)
            why = f"both links closed with 1012, and {len(a) + len(b) - 2} attempts found nobody"
            findings.append(Finding("restart", begin, end, why, "certain"))
            rest = [outage for outage in rest if outage is not one and outage is not other]
            break
    return findings, rest


def _went_away(outage: Outage) -> bool:
    first = outage.signs[0]
    return (
        first.kind == "close"
        and first.value == 1012
        and all(s.kind in ("down", "cut") for s in outage.signs[1:])
    )
