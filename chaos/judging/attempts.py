"""Attempts to connect: which broke the back-off's own rules, and which were given up too early.             pure"""

from math import inf

from chaos.history import History
from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import Facts
from simulator import events as peer
from tracker import events

ON_TIME = 0.05
"""Seconds: a refusal is noted before it is on its way, and the next attempt when it has come."""


def broken_rule(history: History) -> str | None:
    """How the back-off broke a rule that the client declares, the first time in each way; None: it broke none."""
    rules = history.settings.get("timing", {})
    restarts = _restarts(history, stable_after=rules.get("stable_after", 0.0))
    if restarts:
        link, t = restarts[0].link, restarts[0].t
        times = f"{len(restarts)} times after no stable connection"
        return f"it started over {times}, the first time on {link} at {t:.1f} s"
    carried_on = _carried_on(history, stable_after=rules.get("stable_after", inf))
    if carried_on:
        first = carried_on[0]
        return f"attempt {first.attempt} came after a stable connection, on {first.link} at {first.t:.1f} s: it must start over"
    longer = _longer(history, cap=rules.get("reconnect_cap", inf))
    if longer:
        delay, link = longer[0].delay, longer[0].link
        return f"{len(longer)} delays were longer than declared, the first is {delay:.2f} s on {link}"
    return None


def _restarts(history: History, *, stable_after: float) -> list[events.Connecting]:
    """Attempts whose number fell back although no connection had been stable since the last one."""
    number: dict[str, int] = {}
    opened: dict[str, float] = {}
    lived: dict[str, float] = {}
    found = []
    for event in history.events:
        if isinstance(event, events.Connecting):
            stable = lived.pop(event.link, 0.0) >= stable_after
            if event.attempt <= number.get(event.link, 0) and not stable:
                found.append(event)
            number[event.link] = event.attempt
        elif isinstance(event, events.Connected):
            opened[event.link] = event.t
        elif isinstance(event, events.Closed):
            lived[event.link] = event.t - opened.get(event.link, 0.0)
    return found


def _carried_on(history: History, *, stable_after: float) -> list[events.Connecting]:
    """Attempts whose number went on although the connection before them had been stable, by its last answer.

    The end of that connection may count as a failure, and then the next attempt is the second.
    """
    opened: dict[str, float] = {}
    lived: dict[str, float] = {}
    found = []
    for event in history.events:
        if isinstance(event, events.Connecting):
            if lived.pop(event.link, 0.0) >= stable_after and event.attempt > 2:
                found.append(event)
        elif isinstance(event, events.Connected):
            opened[event.link] = event.t
        elif isinstance(event, events.Answered) and event.link in opened:
            lived[event.link] = event.t - opened[event.link]
    return found


def _longer(history: History, *, cap: float) -> list[events.Waiting]:
    """Delays above the cap, but for those after an HTTP status: that may have asked for more."""
    asked: dict[str, bool] = {}
    found = []
    for event in history.events:
        if isinstance(event, events.Refused):
            asked[event.link] = event.status is not None
        elif isinstance(event, events.Closed):
            asked[event.link] = False
        elif isinstance(event, events.Waiting) and event.delay > cap and not asked.get(event.link, False):
            found.append(event)
    return found


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
        free_at[attempt.link] = 0.0 if refusal is None else refusal.t + refusal.retry_after
    return None


def impatience(facts: Facts) -> tuple[events.Refused, ...]:
    """Handshakes that the client gave up although no fault that may break one was in force on that link.

    What came back with an HTTP status was the peer's word.
    """
    began: dict[str, float] = {}
    found = []
    for event in facts.history.events:
        if isinstance(event, events.Connecting):
            began[event.link] = event.t
        elif isinstance(event, events.Refused) and event.status is None:
            since = began.get(event.link, event.t)
            struck = any(
                strike.concerns(event.link)
                and strike.during.begin <= event.t
                and strike.during.end + AFTERMATH >= since
                for strike in facts.strikes
            )
            if not struck:
                found.append(event)
    return tuple(found)
