"""`dedup-safe`: a repeat comes only after a reconnect, with the same body.   pure"""

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from math import inf

from chaos.judging.facts import ON_TIME, Facts
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided, some
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events

SILENT_FOR = 1.0
"""Seconds without an arrival after which a connection is silent."""


def by_reports(facts: Facts, _: Scenario) -> Check | None:
    """A repeat has the same body, and comes over another connection than all before."""
    repeats = 0
    first: dict[tuple[str, int], int] = {}
    came_over: dict[tuple[str, int], set[int]] = {}
    wrong = []
    for event in facts.deliveries:
        key = event.stream, event.seq
        used = came_over.setdefault(key, set())
        if used:
            repeats += 1
            if event.connection in used or event.digest != first[key]:
                wrong.append(event)
        first.setdefault(key, event.digest)
        used.add(event.connection)
    reconnected = len({event.connection for event in facts.deliveries}) > 1
    if not repeats and not reconnected:
        return None
    return decided(
        "dedup-safe",
        ok=not wrong,
        expected="repeats only after a reconnect, with the same body",
        observed=f"{len(wrong)} wrong: seq {some([event.seq for event in wrong])}"
        if wrong
        else f"{repeats} repeats, each as promised",
        at=wrong[0].t if wrong else None,
    )


def by_peer(facts: PeerFacts, _: Scenario) -> Check | None:
    """A frame comes again only after a reconnect and with the same body, or because it was offered again.

    A reconnect it is where the connection of the arrival before had ended or was silent, whatever the network still brings
    of it later.
    """
    sends_on = facts.history.sends_on
    offers = Counter(event.sequence for event in facts.history.of(peer.Offered) if sends_on)
    came: dict[int, list[peer.Delivered]] = {}
    for event in facts.deliveries:
        came.setdefault(event.seq, []).append(event)
    again = {seq: arrivals for seq, arrivals in came.items() if len(arrivals) > max(1, offers[seq])}
    reconnected = len({event.connection for event in facts.deliveries}) > 1
    if not again and not reconnected:
        return None
    let_go = {connection.number: facts.let_go(connection) for connection in facts.connections}
    times: dict[int, list[float]] = {}
    for event in facts.deliveries:
        times.setdefault(event.connection, []).append(event.t)
    wrong = [
        seq
        for seq, arrivals in again.items()
        if len({event.connection for event in arrivals}) < len(arrivals)
        or len({event.digest for event in arrivals}) > 1
        or any(
            before.connection < event.connection
            and let_go.get(before.connection, inf) > event.t
            and _is_live(times[before.connection], event.t)
            for before, event in pairwise(arrivals)
        )
    ]
    return decided(
        "dedup-safe",
        ok=not wrong,
        expected="repeats only after a reconnect, with the same body",
        observed=f"{len(wrong)} wrong, the first is {wrong[0]}"
        if wrong
        else f"{len(again)} repeats, each as promised",
        at=again[wrong[0]][1].t if wrong else None,
    )


def _is_live(times: list[float], t: float) -> bool:
    """Whether arrivals over a connection went on around `t`."""
    later = bisect_right(times, t + ON_TIME)
    return later < len(times) and times[later - 1] > t - SILENT_FOR


def by_trace(facts: Facts) -> Check | None:
    """An output is sent again over another connection only."""
    again = twice = 0
    last: dict[int, int] = {}
    for event in facts.history.of(events.Sent):
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
