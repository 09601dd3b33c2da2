"""A random world: faults, workload and settings, drawn from a seed.

Each world takes a random few of all kinds (swarm testing: A. Groce et al., ISSTA 2012): a run in which everything happens
at once is always in the same trouble, and never reaches what one kind alone leads to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from chaos.controls import TimedControl
from chaos.faults import Fault, FaultError, read_fault
from chaos.hunt.fair import last_moment, quiet_after, unfair
from chaos.kinds import DIRECTIONS, KINDS, Attribute
from chaos.scenario import LEAN_FPS, PROMISES, ClientOverrides, Peer, Scenario, Workload
from simulator.climber import MIN_FPS
from simulator.controls import Control

NAME = "hunted"
MOST_KINDS = 5
"""Of one world."""
MOST_FAULTS = 6
BEGINS = 4.0
"""Seconds: the first fault comes no earlier, so that there is something to break."""
SPAN = 30.0
"""Seconds in which faults begin."""
SHORTEST, LONGEST = 0.05, 20.0
"""Seconds that a fault lasts."""
EXTREMES = 0.3
"""The share of numbers that are the least or the most: that is where what is special lies, such as the code 1000."""
TRIES = 20
"""Of one draw, until a world is fair."""
LEFT_OUT = frozenset({"clean-stop", "same-climb", "intact"})
"""Promises that a hunt's scenarios do not stress: they need a climb, or a client of another kind. They are judged where
they can be."""


@dataclass(frozen=True, slots=True)
class Taste:
    """What draws lean to: how often each kind came up so far. Rare ones are taken more often."""

    met: Mapping[str, int]

    def weight(self, kind: str) -> float:
        """Of a kind beside the others."""
        return float((1 + self.met.get(kind, 0)) ** -0.5)


NO_TASTE = Taste({})


def draw(seed: str, taste: Taste = NO_TASTE, *, kinds: Sequence[str] = tuple(KINDS)) -> Scenario:
    """A fair world; the same for the same seed and taste."""
    rng = Random(seed)
    for _ in range(TRIES):
        scenario = _world(rng, taste, kinds)
        if unfair(scenario) is None:
            return scenario
    return replace(scenario, faults=())


def _world(rng: Random, taste: Taste, kinds: Sequence[str]) -> Scenario:
    workload = Workload("lean", fps=rng.choice((LEAN_FPS, LEAN_FPS, float(MIN_FPS), 30.0)))
    client, peer = _settings(rng)
    faults = _faults(rng, taste, kinds)
    scenario = Scenario(
        NAME,
        "Drawn at random.",
        tuple(promise for promise in PROMISES if promise not in LEFT_OUT),
        0.0,
        replace(workload, reset_at=_moments(rng, 0.3)),
        client,
        peer,
        faults,
        _controls(rng),
    )
    last = max(BEGINS, last_moment(scenario))
    return replace(scenario, duration=float(round(last + quiet_after(scenario) + 1)))


def _faults(rng: Random, taste: Taste, kinds: Sequence[str]) -> tuple[Fault, ...]:
    chosen = _some_kinds(rng, taste, kinds)
    faults: list[Fault] = []
    for _ in range(rng.randint(1, MOST_FAULTS)):
        fault = _fault(rng, rng.choice(chosen))
        if fault is not None and not any(_collide(fault, other) for other in faults):
            faults.append(fault)
    return tuple(sorted(faults, key=lambda fault: fault.at))


def _some_kinds(rng: Random, taste: Taste, kinds: Sequence[str]) -> list[str]:
    left = list(kinds)
    chosen = []
    for _ in range(rng.randint(1, min(MOST_KINDS, len(left)))):
        kind = rng.choices(left, [taste.weight(each) for each in left])[0]
        left.remove(kind)
        chosen.append(kind)
    return chosen


def _collide(one: Fault, other: Fault) -> bool:
    """The peer, or a host, cannot do one thing twice at once."""
    if one.kind != other.kind or one.on != other.on or one.spec.where == "network":
        return False
    return one.at <= other.at + (other.duration or 0) and other.at <= one.at + (one.duration or 0)


def _fault(rng: Random, kind: str) -> Fault | None:
    """One of this kind; None where the dice gave attributes that cannot stand together."""
    spec = KINDS[kind]
    table: dict[str, object] = {"kind": kind, "at": _rounded(rng.uniform(BEGINS, BEGINS + SPAN))}
    if spec.lasts != "never":
        table["for"] = _rounded(_spread(rng, SHORTEST, LONGEST))
    if spec.links:
        table["on"] = rng.choice([link for link in spec.links if link != "control"])
    if spec.directed:
        table["direction"] = rng.choice(DIRECTIONS)
        table["toxicity"] = rng.choice((1.0, 1.0, 1.0, 0.5))
    table |= {name: _value(rng, attribute) for name, attribute in spec.attributes.items()}
    try:
        return read_fault(table)[0]
    except FaultError:
        return None


def _value(rng: Random, attribute: Attribute) -> object:
    if attribute.several:
        return rng.sample(attribute.choices, rng.randint(1, len(attribute.choices)))
    if attribute.choices:
        return rng.choice(attribute.choices)
    if attribute.usual is None and attribute.default is not None:
        return attribute.default
    low, high = attribute.usual or (attribute.minimum, attribute.maximum)
    if rng.random() < EXTREMES:
        return rng.choice((low, high))
    return round(_spread(rng, low + 1, high + 1)) - 1


def _spread(rng: Random, low: float, high: float) -> float:
    """Evenly over the orders of magnitude: short ones are as frequent as long ones."""
    return float(low * (high / low) ** rng.random())


def _rounded(seconds: float) -> float:
    """To two digits behind the point."""
    return max(0.01, round(seconds, 2))


def _moments(rng: Random, share: float) -> tuple[float, ...]:
    if rng.random() >= share:
        return ()
    return tuple(sorted(_rounded(rng.uniform(BEGINS, BEGINS + SPAN)) for _ in range(rng.randint(1, 3))))


def _controls(rng: Random) -> tuple[TimedControl, ...]:
    """In pairs: an output that stays paused is nobody's loss, and shows nothing."""
    found: list[TimedControl] = []
    if rng.random() < 0.15:
        for _ in range(rng.randint(1, 2)):
            at = _rounded(rng.uniform(BEGINS, BEGINS + SPAN))
            found.append(TimedControl(at, Control("pause_output")))
            found.append(TimedControl(_rounded(at + _spread(rng, 0.1, 5.0)), Control("resume_output")))
    if rng.random() < 0.1:
        found.append(TimedControl(_rounded(rng.uniform(BEGINS, BEGINS + SPAN)), Control("get_status")))
    return tuple(sorted(found, key=lambda control: control.at))


def _settings(rng: Random) -> tuple[ClientOverrides, Peer]:
    """What a user can choose, each now and then."""
    confirms = rng.choice((None, None, "ack"))
    outbox: dict[str, int] = {}
    if rng.random() < 0.25:
        outbox["messages"] = rng.choice((1, 5, 30, 200))
    if rng.random() < 0.2:
        outbox["window_messages"] = rng.choice((1, 2, 16))
    if rng.random() < 0.1:
        outbox["window_bytes"] = rng.choice((1, 2000))
    timing: dict[str, float] = {}
    if rng.random() < 0.1:
        timing["stable_after"] = rng.choice((1.0, 3.0))
    if rng.random() < 0.1:
        timing["reconnect_cap"] = rng.choice((4.0, 15.0))
    overflow = rng.choice((None, None, None, "block"))
    client = ClientOverrides(timing, outbox, "ack" if confirms else None, "block" if overflow else None)
    return client, Peer("ack" if confirms else "pong", echo=rng.random() < 0.1)
