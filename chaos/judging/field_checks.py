"""The checks that a trace allows, of which only the client's side is known.                                  pure

What the peer saw and what was done to the network is not in a trace. A promise is judged as far as the client's
own word goes, and the observed says so; where that is not far enough it is `unknown`, with the reason, and where the
trace holds nothing about it, it is left out.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from chaos.history import History
from chaos.judging.facts import Facts
from chaos.judging.no_loss import held_at_the_end
from chaos.judging.promises import CHECKS
from chaos.judging.verdicts import Check, Judgement, worst_of
from tracker import events

ENGINE = "field"
"""What stands in place of an engine's name."""
SUMMED = ("delivered", "repeated", "displaced", "lost")
GREATEST = ("detect_s", "longest_silence_s")


def judge_field(history: History) -> Judgement:
    """Every promise that a client's own events tell something about."""
    start = _valid_run(history)
    if start.verdict == "unknown":
        return Judgement("unknown", (start,))
    facts = Facts(history, ())
    judged = (judges.by_trace(facts) for judges in CHECKS.values())
    return Judgement.of([start, *(check for check in judged if check is not None)])


def _valid_run(history: History) -> Check:
    expected = "a connection, and what became of it"
    opened = sum(1 for _ in history.of(events.Connected))
    if not history.events:
        return Check("valid-run", "unknown", expected, "the trace holds no event")
    if not opened and history.first(events.Closed) is None and history.first(events.Sent) is None:
        return Check("valid-run", "unknown", expected, "never connected")
    span = history.events[-1].t - history.events[0].t
    end = (
        "an orderly stop"
        if history.first(events.Stopped)
        else "no orderly stop: killed, cut off, or still running"
    )
    return Check("valid-run", "pass", expected, f"{opened} connections in {span:.1f} s; {end}")


def field_measures(history: History) -> dict[str, Any]:
    """The figures of the table, as far as the client's side knows them; None: it cannot."""
    sent = [event.seq for event in history.of(events.Sent)]
    own = history.first(events.Accepted) is not None
    silences = [event.silence for event in history.of(events.Died)]
    return {
        "offered": None,
        "delivered": sum(event.count for event in history.of(events.Confirmed)) if own else None,
        "lost": 0 if own and not held_at_the_end(history) else None,
        "repeated": len(sent) - len(set(sent)) if own else None,
        "reordered": None,
        "displaced": sum(1 for _ in history.of(events.Displaced)),
        "connections": sum(1 for _ in history.of(events.Connected)),
        "detect_s": round(max(silences), 3) if silences else None,
        "recover_s": None,
        "longest_silence_s": _longest_silence(history),
        "false_kills": None,
    }


def _longest_silence(history: History) -> float | None:
    """The longest time without a sign from the output's peer, a confirm or an answer, up to the stop."""
    stop = history.first(events.Stopping)
    times = [
        event.t
        for event in history.events
        if isinstance(event, events.Confirmed)
        or (isinstance(event, events.Answered) and event.link == "output")
    ]
    if not times:
        return None
    end = history.events[-1].t if stop is None else stop.t
    return round(max((b - a for a, b in pairwise([*times, max(end, times[-1])])), default=0.0), 3)


# A long trace is judged part by part


def merged(judged: Sequence[Judgement]) -> Judgement:
    """One verdict for all parts: each promise as in the worst of them, and in how many it was so."""
    if len(judged) == 1:
        return judged[0]
    by_name: dict[str, list[Check]] = {}
    for judgement in judged:
        for check in judgement.checks:
            by_name.setdefault(check.name, []).append(check)
    checks = tuple(_worst(found) for found in by_name.values())
    return Judgement.of(checks)


def _worst(found: Sequence[Check]) -> Check:
    alike = worst_of(found)
    first = alike[0]
    told = f"{first.observed} (in {len(alike)} of {len(found)} parts of the trace; this is the first)"
    return Check(first.name, first.verdict, first.expected, told)


def merged_measures(of_parts: Sequence[dict[str, Any]], *, carried: int) -> dict[str, Any]:
    """The figures of all parts; `carried` connections were counted in more than one."""
    total = dict(of_parts[-1])
    for names, together in ((SUMMED, sum), (GREATEST, max)):
        for name in names:
            known = [measures[name] for measures in of_parts if measures[name] is not None]
            total[name] = together(known) if known else None
    total["connections"] = sum(measures["connections"] for measures in of_parts) - carried
    return total
