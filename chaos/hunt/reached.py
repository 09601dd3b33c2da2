"""What a run came through: the measure by which a hunt knows what it has not looked at.                       pure"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, NamedTuple, get_args

from chaos.faults import Fault
from chaos.history import History
from chaos.kinds import KINDS
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events
from tracker.config import Overflow

Family = Literal["kinds", "pairs", "transitions", "back-off", "outbox", "overflow", "ends"]
FAMILIES: tuple[Family, ...] = get_args(Family)

ABOUT: Mapping[Family, str] = {
    "kinds": "kinds of fault that began",
    "pairs": "pairs of kinds in force at once",
    "transitions": "steps of a link from one state to the next",
    "back-off": "attempts in a row, up to the stable one",
    "outbox": "what became of a message that could not go at once",
    "overflow": "overflow policies that came to be used",
    "ends": "how connections ended",
}


class Place(NamedTuple):
    """One thing that a run can come through."""

    family: Family
    what: str


_STEPS = (
    ("connecting", "connected"),
    ("connecting", "refused"),
    ("connected", "suspected"),
    ("connected", "closed"),
    ("suspected", "revived"),
    ("suspected", "died"),
    ("suspected", "closed"),
    ("revived", "suspected"),
    ("revived", "closed"),
    ("died", "closed"),
    ("refused", "waiting"),
    ("closed", "waiting"),
    ("waiting", "connecting"),
)
"""Of a link of the tracker, as its events tell it."""
_LINKS = ("input", "output")
_STAGES = ("1", "2", "3", "4", "5", "6 and more")
_OUTBOX = ("requeued", "displaced", "displaced while disconnected", "sent twice", "delivered late")
_ENDS = tuple(f"by the {who}" for who in ("tracker", "peer", "network"))
LATE = 1.0
"""Seconds from the outbox to the peer after which a message is late."""


def all_places(kinds: Iterable[str] = tuple(KINDS)) -> tuple[Place, ...]:
    """Whatever could be reached with faults of these kinds."""
    kinds = tuple(kinds)
    return (
        *(Place("kinds", kind) for kind in kinds),
        *(Place("pairs", _pair(one, other)) for one, other in combinations(kinds, 2)),
        *(Place("transitions", f"{link}: {a} -> {b}") for link in _LINKS for a, b in _STEPS),
        *(Place("back-off", f"{link}: attempt {stage}") for link in _LINKS for stage in _STAGES),
        *(Place("outbox", what) for what in _OUTBOX),
        *(Place("overflow", policy) for policy in get_args(Overflow) if policy != "fail"),
        *(Place("ends", f"{link}: {end}") for link in _LINKS for end in _ENDS),
    )


def places(history: History, scenario: Scenario) -> frozenset[Place]:
    """All that this run came through. Of a client that reports nothing: its faults, and the ends that its peer saw."""
    return frozenset((*_faults(scenario), *_links(history), *_outbox(history, scenario), *_seen(history)))


def _faults(scenario: Scenario) -> Iterator[Place]:
    for fault in scenario.faults:
        yield Place("kinds", fault.kind)
    for one, other in combinations(scenario.faults, 2):
        if one.kind != other.kind and _overlap(one, other):
            yield Place("pairs", _pair(one.kind, other.kind))


def _overlap(one: Fault, other: Fault) -> bool:
    return one.at <= other.at + (other.duration or 0.0) and other.at <= one.at + (one.duration or 0.0)


def _pair(one: str, other: str) -> str:
    return " + ".join(sorted((one, other)))


_STATE: Mapping[type, str] = {
    events.Connecting: "connecting",
    events.Connected: "connected",
    events.Refused: "refused",
    events.Waiting: "waiting",
    events.Suspected: "suspected",
    events.Revived: "revived",
    events.Died: "died",
    events.Closed: "closed",
}


def _links(history: History) -> Iterator[Place]:
    state: dict[str, str] = {}
    for event in history.events:
        new = _STATE.get(type(event))
        if new is None:
            continue
        link: str = event.link  # type: ignore[union-attr]  # each of them has one
        if link in state:
            yield Place("transitions", f"{link}: {state[link]} -> {new}")
        state[link] = new
        if isinstance(event, events.Connecting):
            stage = _STAGES[min(event.attempt, len(_STAGES)) - 1]
            yield Place("back-off", f"{link}: attempt {stage}")
        elif isinstance(event, events.Closed):
            yield Place("ends", f"{link}: by the {event.by}")


def _outbox(history: History, scenario: Scenario) -> Iterator[Place]:
    displaced = [event.t for event in history.of(events.Displaced)]
    if displaced:
        yield Place("outbox", "displaced")
        yield Place("overflow", "latest")
    closed = [event for event in history.of(events.Closed) if event.link == "output"]
    if any(event.unconfirmed for event in closed):
        yield Place("outbox", "requeued")
    connected = [event.t for event in history.of(events.Connected) if event.link == "output"]
    for end in closed:
        back = min((t for t in connected if t > end.t), default=history.events[-1].t)
        if any(end.t <= t < back for t in displaced):
            yield Place("outbox", "displaced while disconnected")
    sent = Counter(event.seq for event in history.of(events.Sent))
    if any(times > 1 for times in sent.values()):
        yield Place("outbox", "sent twice")
    if scenario.client.overflow == "block" and any(event.held for event in history.of(events.Carried)):
        yield Place("overflow", "block")
    accepted = {event.seq: event.t for event in history.of(events.Accepted)}
    arrived = {event.seq: event.t for event in history.of(peer.Delivered)}
    if any(t - accepted.get(seq, t) > LATE for seq, t in arrived.items()):
        yield Place("outbox", "delivered late")


def _seen(history: History) -> Iterator[Place]:
    if history.role == "tracker":
        return
    for event in history.of(peer.Ended):
        who = {"client": "tracker", "peer": "peer"}.get(event.by, "network")
        yield Place("ends", f"{event.link}: by the {who}")


@dataclass(frozen=True, slots=True)
class Reached:
    """How many runs came through each place."""

    runs: int = 0
    times: Mapping[Place, int] = field(default_factory=dict)

    def and_one(self, found: frozenset[Place]) -> "Reached":
        """With one more run."""
        times = dict(self.times)
        for place in sorted(found):
            times[place] = times.get(place, 0) + 1
        return Reached(self.runs + 1, times)

    def of(self, family: Family) -> dict[str, int]:
        """How often each place of one family was reached."""
        return {place.what: times for place, times in self.times.items() if place.family == family}

    def summary(self, everything: Iterable[Place]) -> list[tuple[Family, int, int, str, list[str]]]:
        """A row for each family: how many of how many places were reached, the rarest with its times, and those never."""
        rows = []
        for family in FAMILIES:
            known = [place.what for place in everything if place.family == family]
            met = self.of(family)
            there = {what: met[what] for what in known if what in met}
            rarest = min(there, key=lambda what: (there[what], what), default=None)
            told = "-" if rarest is None else f"{rarest}, {there[rarest]} times"
            rows.append((family, len(there), len(known), told, [what for what in known if what not in met]))
        return rows
