"""Attempts to connect: which broke the back-off's own rules, and which were given up too early.             pure"""

from math import inf

from chaos.history import History
from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import Facts
from tracker import events


def broken_rule(history: History) -> str | None:
    """How the back-off broke a rule that the client declares, the first time in each way; None: it broke none."""
    rules = history.settings.get("timing", {})
    restarts = _restarts(history, stable_after=rules.get("stable_after", 0.0))
    if restarts:
        link, t = restarts[0].link, restarts[0].t
        times = f"{len(restarts)} times after no stable connection"
        return f"it started over {times}, the first time on {link} at {t:.1f} s"
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
