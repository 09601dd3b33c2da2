"""Several clients in one run: the record of each, and how they come back together.                            pure

A promise is given by each client, and is judged on that client's part of the record. What only all of them show
is judged on the whole: whether they come back in bunches to an endpoint that went away for all at once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import floor, sqrt
from typing import Any

from chaos.history import Attempted, Broke, History, HistoryEvent, LabEvent, Reported, SocketClosed
from chaos.judging.attempts import most_within
from chaos.judging.backoff import ENOUGH, backoff, unlike_full_jitter
from chaos.judging.facts import Facts
from chaos.judging.measures import measures_of
from chaos.judging.peer_facts import facts_of
from chaos.judging.verdicts import Check, decided, some, worst_of
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

AT_ONCE = 0.1
"""Seconds in which attempts count as one bunch."""
SHARE_AT_ONCE = 0.3
"""Of all clients, on average, in the densest such span under full jitter: their first delays spread over 0.5 s, which
gives 0.2, and the second over 1 s, which begins to come on top before the first has ended, and gives 0.1."""
DEVIATIONS = 5.0
"""Standard deviations of chance beyond that. Below 16 clients nothing could then be told from chance."""


def apart(history: History) -> tuple[History, ...]:
    """One history per client: what it reported, what the peer saw of it, and what concerned all of them."""
    if history.clients == 1:
        return (history,)
    parts: list[list[HistoryEvent]] = [[] for _ in range(history.clients)]
    owners: dict[int, int] = {}
    for event in history.events:
        if isinstance(event, peer.Opened):
            owners[event.connection] = event.client
        owner = _owner(event, owners)
        for part in parts if owner is None else parts[owner : owner + 1]:
            part.append(event.report if isinstance(event, Reported) else event)
    return tuple(
        replace(history, events=tuple(part), reference=reference, others=())
        for part, reference in zip(parts, (history.reference, *history.others), strict=True)
    )


def _owner(event: HistoryEvent, owners: Mapping[int, int]) -> int | None:
    """Whose event it is; None: it concerns all of them."""
    if isinstance(event, Reported | Attempted | SocketClosed | peer.Opened | peer.Arrived | peer.TurnedAway):
        return event.client
    if isinstance(event, peer.Misbehaved) and event.retry_after:
        return event.client  # whom it asked to stay away; there is no connection to tell it by
    if isinstance(event, Broke):
        return event.client if event.who == "client" else None
    if isinstance(event, peer.PeerEvent):
        return owners.get(event.connection)  # none, where no connection came about
    return None if isinstance(event, LabEvent) else 0


def together(each: Sequence[Sequence[Check]]) -> list[Check]:
    """What the checks of every client come to: each is as bad as the worst, and says whose that is."""
    named: defaultdict[str, list[tuple[int, Check]]] = defaultdict(list)
    for client, checks in enumerate(each):
        for check in checks:
            named[check.name].append((client, check))
    return [_worst(judged) for judged in named.values()]


def _worst(judged: Sequence[tuple[int, Check]]) -> Check:
    alike = worst_of(check for _, check in judged)
    first = alike[0]
    those = [client for client, check in judged if check in alike]
    failed = f"client{'s' if len(those) > 1 else ''} {some(those)}"
    whose = f"{len(those)} clients, the first" if first.verdict == "pass" else failed
    return replace(first, observed=f"{whose}: {first.observed}")


def measures(history: History, scenario: Scenario) -> dict[str, Any]:
    """The figures of one run: counts of all clients together, and the longest of their times."""
    each = [
        measures_of(facts_of(part, scenario.faults, excuse=not scenario.expect.keeps_connections))
        for part in apart(history)
    ]
    found = {}
    for name in each[0]:
        known = [figures[name] for figures in each if figures[name] is not None]
        found[name] = max(known, default=None) if name.endswith("_s") else sum(known)
    return found


def spread(history: History, scenario: Scenario) -> Check | None:
    """Once an endpoint has gone away for all clients at once, they do not come back in bunches.

    Attempts of clients that report nothing are seen where the peer answered them. None also for too few clients.
    """
    clients = history.clients
    limit = floor(SHARE_AT_ONCE * clients + DEVIATIONS * sqrt(SHARE_AT_ONCE * clients))
    attempts = {} if limit >= clients else _attempts_again(history, scenario)
    if not attempts:
        return None
    expected = f"back-off that differs: at most {limit} attempts of {clients} clients within {AT_ONCE:g} s"
    densest, link = max((most_within(AT_ONCE, [t for t, _ in made]), link) for link, made in attempts.items())
    who = max(len({client for _, client in made}) for made in attempts.values())
    if densest <= limit and who <= limit:
        return Check("spread", "unknown", expected, f"only {who} clients tried again: too few for a bunch")
    return decided("spread", ok=densest <= limit, expected=expected, observed=f"at most {densest}, on {link}")


def jitter(history: History) -> Check | None:
    """The delays of all clients together are full jitter; of one client they are mostly too few to tell, see `polite`."""
    timing = history.settings.get("timing", {})
    draws = [draw for part in apart(history) for draw in backoff(part).draws]
    if (
        history.clients == 1
        or len(draws) < ENOUGH
        or not {"reconnect_delay", "reconnect_cap"} <= timing.keys()
    ):
        return None
    unlike = unlike_full_jitter(draws, timing)
    expected = "delays from 0 to what doubles with each failure, all equally likely"
    return decided(
        "jitter", ok=unlike is None, expected=expected, observed=unlike or f"{len(draws)} such delays"
    )


def _attempts_again(history: History, scenario: Scenario) -> dict[str, list[tuple[float, int]]]:
    """When which client tried to connect a link that had been struck before, by link."""
    strikes = Facts(history, scenario.faults).strikes
    found: dict[str, list[tuple[float, int]]] = {}
    for t, link, client in _attempts(history):
        if any(strike.concerns(link) and strike.during.begin <= t for strike in strikes):
            found.setdefault(link, []).append((t, client))
    return found


def _attempts(history: History) -> Iterator[tuple[float, str, int]]:
    for event in history.events:
        if history.role != "tracker":
            if isinstance(event, peer.Opened):
                yield event.t, event.link, event.client
        elif isinstance(event, events.Connecting):
            yield event.t, event.link, 0
        elif isinstance(event, Reported) and isinstance(event.report, events.Connecting):
            yield event.t, event.report.link, event.client
