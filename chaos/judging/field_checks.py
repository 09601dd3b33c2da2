"""The checks that a trace allows, of which only the client's side is known.                                  pure

What the peer saw and what was done to the network is not in a trace. A promise is judged as far as the client's
own word goes, and the observed says so; where that is not far enough it is `unknown`, with the reason, and where the
trace holds nothing about it, it is left out.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from chaos.history import History
from chaos.judging.checks import Judgement
from chaos.judging.clean_stop import clean_stop
from chaos.judging.facts import Facts
from chaos.judging.limits import DETECT_WITHIN
from chaos.judging.polite import polite
from chaos.judging.promises import bounded, survives_input
from chaos.judging.verdicts import Check, Verdict, decided
from chaos.scenario import Scenario
from tracker import events

ENGINE = "field"
"""What stands in place of an engine's name."""

_NO_SCENARIO = Scenario(ENGINE, "-", (), 0.0)
_SLACK = 0.5
"""Seconds by which a verdict may be late: the watch looks at a heartbeat."""


def judge_field(history: History) -> Judgement:
    """Every promise that a client's own events tell something about."""
    start = _valid_run(history)
    if start.verdict == "unknown":
        return Judgement("unknown", (start,))
    checks = (start, *_checks(history))
    verdicts = {check.verdict for check in checks}
    worst: Verdict = "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
    return Judgement(worst, checks)


def _checks(history: History) -> Iterator[Check]:
    facts = Facts(history, ())
    own = facts.history.settings.get("timing") is not None  # a tracker's trace, and not a log of the library
    found = [
        _no_loss(history),
        _in_order(history) if own else None,
        _dedup_safe(history) if own else None,
        bounded(facts, _NO_SCENARIO),
        _detect(history),
        _no_false_kill(history),
        polite(facts if own else Facts(_attempts_only(history), ()), _NO_SCENARIO),
        clean_stop(facts, _NO_SCENARIO),
        survives_input(facts, _NO_SCENARIO),
    ]
    return (check for check in found if check is not None)


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


def _no_loss(history: History) -> Check | None:
    """What was confirmed had arrived; what was still held at the end is indefinite."""
    if history.first(events.Accepted) is None:
        return None
    expected = "all accepted and not displaced outputs confirmed by the peer"
    if history.settings.get("confirm") == "none":
        return Check("no-loss", "unknown", expected, "nothing is confirmed with --confirm none")
    left = held_at_the_end(history)
    confirmed = sum(event.count for event in history.of(events.Confirmed))
    if left:
        return Check(
            "no-loss", "unknown", expected, f"{confirmed} confirmed, {left} not yet when the trace ends"
        )
    return Check("no-loss", "pass", expected, f"{confirmed} confirmed, as the client tells it")


def held_at_the_end(history: History) -> int:
    """How many outputs were accepted and neither confirmed nor displaced when the trace ends."""
    left = 0
    for event in history.events:
        if isinstance(event, events.Accepted):
            left += 1
        elif isinstance(event, events.Displaced):
            left -= 1
        elif isinstance(event, events.Confirmed):
            left = event.left
        elif isinstance(event, events.Stopped):
            left = event.undelivered
    return max(0, left)


def _in_order(history: History) -> Check | None:
    """On each connection outputs leave in `seq` order."""
    late = 0
    newest: dict[int, int] = {}
    for event in history.of(events.Sent):
        late += event.seq < newest.get(event.connection, 0)
        newest[event.connection] = max(event.seq, newest.get(event.connection, 0))
    if not newest:
        return None
    return decided(
        "in-order",
        ok=not late,
        expected="outputs sent in seq order on each connection",
        observed=f"{late} were sent late" if late else "all of them",
    )


def _dedup_safe(history: History) -> Check | None:
    """An output is sent again over another connection only."""
    again = twice = 0
    last: dict[int, int] = {}
    for event in history.of(events.Sent):
        if event.seq in last:
            again += 1
            twice += last[event.seq] == event.connection
        last[event.seq] = event.connection
    if not again:
        return None
    return decided(
        "dedup-safe",
        ok=not twice,
        expected="outputs sent again after a reconnect only",
        observed=f"{twice} were sent twice over one connection"
        if twice
        else f"{again} sent again, as promised",
    )


def _detect(history: History) -> Check | None:
    """A silent link is given up within the configured bound."""
    died = list(history.of(events.Died))
    if not died:
        return None
    timing = history.settings.get("timing", {})
    limit = max(timing.get("probe_ceiling", DETECT_WITHIN), timing.get("write_timeout", 0.0))
    worst = max(died, key=lambda event: event.silence)
    return decided(
        "detect",
        ok=worst.silence <= limit + _SLACK,
        expected=f"a silent link given up within {limit:g} s",
        observed=f"after {worst.silence:.2f} s at most, on {worst.link} at {worst.t:.1f} s: {worst.cause}",
    )


def _no_false_kill(history: History) -> Check | None:
    """Whether the network had broken what was given up, only the network knows."""
    died = list(history.of(events.Died))
    if not died:
        return None
    first = died[0]
    return Check(
        "no-false-kill",
        "unknown",
        "no connection given up that the network had not broken",
        f"{len(died)} given up, the first on {first.link} at {first.t:.1f} s: {first.cause};"
        " what the network did is not in a trace",
    )


def _attempts_only(history: History) -> History:
    """Without what a log of the library leaves out: how long the program around it meant to wait."""
    attempts = tuple(history.of(events.Connecting))
    return History(history.scenario, history.engine, history.client, history.seed, attempts)


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
