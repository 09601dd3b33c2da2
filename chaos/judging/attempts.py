"""Attempts to connect: which came before their time, and which were given up too early.                      pure"""

from chaos.history import History
from chaos.judging.backoff import PATIENCE
from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import Facts
from chaos.scenario import Scenario
from chaos.timeline.observed import Attempt
from simulator import events as peer

FOR_GOOD = frozenset({401, 403, 404})
"""Statuses that no other attempt will change."""
DATES_STEP = 1.0
"""Seconds: a date has no fractions, so whoever waits for it by a clock of its own may be so much earlier."""
ON_TIME = 0.05
"""Seconds: a refusal is noted before it is on its way, and the next attempt when it has come."""


def came_too_soon(history: History) -> str | None:
    """How a client asked again, as the peer saw it, before the time that a refusal's `Retry-After` asked for.

    None: it never did.
    """
    free_at: dict[str, float] = {}
    for event in history.events:
        refusal = event if isinstance(event, peer.Misbehaved) and event.kind == "refuse" else None
        attempt = event if isinstance(event, peer.Opened) else refusal
        if attempt is None:
            continue
        early = free_at.get(attempt.link, 0.0) - attempt.t
        if early > ON_TIME:
            return f"asked again on {attempt.link} at {attempt.t:.1f} s, {early:.1f} s before the time it was told"
        free_at[attempt.link] = (
            0.0
            if refusal is None
            else refusal.t + min(refusal.retry_after, PATIENCE) - DATES_STEP * refusal.by_date
        )
    return None


def impatience(facts: Facts) -> tuple[Attempt, ...]:
    """Handshakes that the client gave up although no fault that may break one was in force on that link.

    What came back with an HTTP status was the peer's word.
    """
    return tuple(
        attempt
        for attempt in facts.attempts
        if attempt.outcome == "refused"
        and attempt.status is None
        and not any(
            strike.concerns(attempt.link)
            and strike.during.begin <= (attempt.ended or 0.0)
            and facts.over(strike) + AFTERMATH >= attempt.began
            for strike in facts.strikes
        )
    )


def most_within(seconds: float, times: list[float]) -> int:
    """The most of `times`, which rise, in any span of `seconds`."""
    most = first = 0
    for count, t in enumerate(times, 1):
        while t - times[first] >= seconds:
            first += 1
        most = max(most, count - first)
    return most


def refused_for_good(scenario: Scenario) -> dict[str, int]:
    """Links whose handshakes the scenario has refused with a status that no other attempt will change, and that status."""
    return {
        str(fault.on): status
        for fault in scenario.faults
        if fault.kind == "refuse"
        and (status := fault.attributes["status"]) in FOR_GOOD
        and isinstance(status, int)
    }
