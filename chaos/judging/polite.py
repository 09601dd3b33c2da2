"""`polite`: attempts wait, spread out, back off, and end where they are refused for good.                       pure"""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import inf

from chaos.history import Attempted, Broke
from chaos.judging.attempts import FOR_GOOD, came_too_soon, most_within, refused_for_good
from chaos.judging.backoff import broken_rule
from chaos.judging.facts import ON_TIME, Facts
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import NO_SCENARIO, Scenario
from simulator import events as peer
from tracker import events

ATTEMPTS, ATTEMPTS_WITHIN = 15, 10.0
"""No more attempts than this in so many seconds. Full jitter from 0.5 s, doubling, makes about 6 in 10 s; a back-off
that starts over on every connect makes about 40."""
JITTER_NEEDS = 4
"""From so many delays on, a regular pattern is no accident."""
_TURNS_AWAY = frozenset({"down"})
"""Kinds of faults under which no proxy takes a connection."""
GIVES_UP_WITHIN = 1.0
"""Seconds from a refusal for good in which the client must have begun to come to its end."""


def by_reports(facts: Facts, scenario: Scenario) -> Check | None:
    """Attempts wait as announced, spread out, back off until one is stable, and end where they are refused for good."""
    history = facts.history
    attempts: dict[str, list[float]] = {}
    for event in history.of(events.Connecting):
        attempts.setdefault(event.link, []).append(event.t)
    final = _final(facts)
    if not facts.waits and not final and all(len(times) == 1 for times in attempts.values()):
        return None
    expected = f"announced, jittered back-off: at most {ATTEMPTS} attempts in {ATTEMPTS_WITHIN:g} s"
    breach = _haste(facts) or came_too_soon(history) or broken_rule(history) or _rhythm(facts)
    if breach is not None:
        return Check("polite", "fail", expected, breach)
    for refusal in final:
        if (wrong := _not_told(facts, scenario, refusal) or _not_the_end(facts, refusal)) is not None:
            return Check("polite", "fail", f"an end for good, and told, after {refusal.why}", wrong)
    busiest = max((most_within(ATTEMPTS_WITHIN, times) for times in attempts.values()), default=0)
    return decided("polite", ok=busiest <= ATTEMPTS, expected=expected, observed=f"at most {busiest}")


def by_peer(facts: PeerFacts, scenario: Scenario) -> Check | None:
    """Attempts are not made in a rush, and none after a refusal for good. Jitter is not judged.

    All of them count, those that were turned away too. Where some leave no trace, a pass would be a guess.
    """
    final = refused_for_good(scenario)
    refusals = sum(e.kind == "refuse" and e.link in final for e in facts.history.of(peer.Misbehaved))
    if refusals:
        return decided(
            "polite",
            ok=refusals == 1,
            expected=f"no attempt after a refusal for good (HTTP {', '.join(map(str, final.values()))})",
            observed=f"{refusals - 1} more",
        )
    if (soon := came_too_soon(facts.history)) is not None:
        return Check("polite", "fail", "no attempt before its time", soon)
    made = _attempts(facts)
    unseen = _unseen(facts)
    if unseen is None and all(len(times) == 1 for times in made.values()):
        return None
    busiest, link = max(
        ((most_within(ATTEMPTS_WITHIN, times), link) for link, times in made.items()), default=(0, "")
    )
    expected = f"back-off: at most {ATTEMPTS} attempts in {ATTEMPTS_WITHIN:g} s"
    if busiest > ATTEMPTS:
        return Check("polite", "fail", expected, f"{busiest}, on {link}", _rush(made[link]))
    if unseen is not None:
        return Check("polite", "unknown", expected, unseen)
    return Check("polite", "pass", expected, f"at most {busiest}, on {link}")


def _rush(times: list[float]) -> float | None:
    """When there first were too many."""
    return next((b for a, b in zip(times, times[ATTEMPTS:], strict=False) if b - a < ATTEMPTS_WITHIN), None)


def _attempts(facts: PeerFacts) -> dict[str, list[float]]:
    """When the client began to connect, by link: as the network saw it, else as far as the peer did."""
    seen = facts.history.sockets_seen != "none"
    made: dict[str, list[float]] = {}
    for event in facts.history.of(Attempted) if seen else facts.history.of(peer.Opened):
        made.setdefault(event.link, []).append(event.t)
    return made


def _unseen(facts: PeerFacts) -> str | None:
    """Why attempts may have been made that nobody saw; None: there can be none."""
    if facts.history.sockets_seen == "all":
        return None
    closed = [fault for fault, _ in facts.in_force if fault.kind in _TURNS_AWAY]
    if not closed:
        return None
    return f"attempts under {closed[0]} leave no trace on this engine: root sees them, and virtual time counts them (--engine sim)"


def by_trace(facts: Facts) -> Check | None:
    """Of a trace without a configuration the attempts alone are judged: what was meant to be waited is not known."""
    if facts.history.settings.get("timing") is None:
        facts = Facts(replace(facts.history, events=tuple(facts.history.of(events.Connecting))), ())
    return by_reports(facts, NO_SCENARIO)


def _final(facts: Facts) -> list[events.Refused]:
    """The first refusal for good on each link."""
    found: dict[str, events.Refused] = {}
    for event in facts.history.of(events.Refused):
        if _for_good(event):
            found.setdefault(event.link, event)
    return list(found.values())


def _for_good(refusal: events.Refused) -> bool:
    return refusal.fatal or (refusal.status in FOR_GOOD and not refusal.renewable)


def _haste(facts: Facts) -> str | None:
    """Attempts that nothing had announced, or that came before the announced time, or after a refusal for good."""
    free_at: dict[str, float] = {}  # per link, when the next attempt may begin
    final: set[str] = set()
    hasty = 0
    for event in facts.history.among(events.Connecting, events.Waiting, events.Closed, events.Refused):
        if isinstance(event, events.Connecting):
            hasty += event.link in final or event.t < free_at.get(event.link, 0.0) - ON_TIME
        elif isinstance(event, events.Waiting):
            hasty += event.delay == 0  # drawn from a range that begins there, but nobody draws just that
            free_at[event.link] = event.t + event.delay
        elif isinstance(event, events.Closed | events.Refused):
            free_at[event.link] = inf  # until a delay is announced
            if isinstance(event, events.Refused) and _for_good(event):
                final.add(event.link)
    return f"{hasty} attempts came at once, or before their time" if hasty else None


def _rhythm(facts: Facts) -> str | None:
    """Delays that follow each other by rule."""
    delays: dict[str, list[float]] = {}
    for event in facts.waits:
        delays.setdefault(event.link, []).append(event.delay)
    for link, drawn in delays.items():
        if _regular(drawn):
            shown = ", ".join(f"{delay:.2f}" for delay in drawn[:5])
            return f"no jitter in {len(drawn)} delays on {link}: {shown} s"
    return None


def _regular(delays: list[float]) -> bool:
    """Whether delays follow on each other by rule: half of the steps or more are by the same factor."""
    if len(delays) < JITTER_NEEDS:
        return False
    steps = Counter(round(b / a, 6) if a else 0.0 for a, b in pairwise(delays))
    return 2 * steps.most_common(1)[0][1] >= len(delays) - 1


def _not_told(facts: Facts, scenario: Scenario, refusal: events.Refused) -> str | None:
    """What the client told wrongly of this refusal: that it was for good, its status, and why it comes to its end."""
    where = f"on {refusal.link} at {refusal.t:.1f} s"
    if not refusal.fatal:
        return f"the refusal {where} was not taken for good"
    given = refused_for_good(scenario).get(refusal.link, refusal.status)
    if refusal.status != given:
        return f"HTTP {refusal.status} was told {where}, and the peer had said {given}"
    stopping = facts.history.first(events.Stopping)
    if stopping is None or not facts.quit_early:
        return None
    if stopping.cause != "refused":
        return f"it gave {stopping.cause!r} as the cause of its end, after the refusal {where}"
    told = facts.history.first(Broke, lambda event: event.who == "client")
    if told is None or str(given or "") not in told.what:
        said = "nothing" if told is None else repr(told.what)
        return f"it told {said} to who runs it, after HTTP {given} {where}"
    return None


def _not_the_end(facts: Facts, refusal: events.Refused) -> str | None:
    """That the client went on, although it had the time to begin its end; where the run was over first, nothing."""
    due = refusal.t + GIVES_UP_WITHIN
    asked = facts.history.phase("stopping")
    if min(facts.stopping, inf if asked is None else asked) <= due:
        return None
    return f"it went on after the refusal for good on {refusal.link} at {refusal.t:.1f} s"
