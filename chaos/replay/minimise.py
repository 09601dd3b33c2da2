"""A scenario without what its first trouble does not need: faults are dropped, times shortened, as long as it comes again.

In the manner of delta debugging, one change at a time, on virtual time, so that each try is a certain answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from chaos.faults import Fault
from chaos.replay.alignment import Entry, Happening
from chaos.replay.building import afterwards
from chaos.scenario import RECOVERY_MARGIN, STEADY_BY, ClientOverrides, Peer, Scenario
from chaos.timeline.observed import Change

MOST_RUNS = 60
SHORTEST = 0.1
"""Seconds below which no fault is shortened."""

Trouble = tuple[tuple[str, Happening], ...]
"""Link and event, in order."""
Shows = Callable[[Scenario], bool]


@dataclass(frozen=True, slots=True)
class Minimised:
    """What is left, and what was found not to be needed."""

    scenario: Scenario
    removed: tuple[str, ...]
    runs: int


def first_trouble(entries: Sequence[Entry]) -> Trouble:
    """The first trouble of a record: what happened to that link until it was healthy again."""
    troubles = [entry for entry in entries if entry.trouble and entry.what.kind is not Change.SUSPECTED]
    if not troubles:
        return ()
    first = troubles[0]
    found: list[tuple[str, Happening]] = []
    for entry in entries:
        if entry.link != first.link or entry.t < first.t:
            continue
        if not entry.trouble:
            break
        if entry.what.kind is not Change.SUSPECTED and (entry.link, entry.what) not in found:
            found.append((entry.link, entry.what))
    return tuple(found)


def shows(wanted: Trouble, entries: Sequence[Entry]) -> bool:
    """Whether the trouble is in the record: its events in their order, whatever is between them."""
    left = iter((entry.link, entry.what) for entry in sorted(entries, key=lambda entry: entry.t))
    return all(event in left for event in wanted)


def minimise(scenario: Scenario, still: Shows) -> Minimised:
    """The smallest scenario found in `MOST_RUNS` tries for which `still` holds, as it does for `scenario`."""
    removed: list[str] = []
    runs = 0
    progress = True
    while progress and runs < MOST_RUNS:
        progress = False
        for smaller, what in _smaller(scenario):
            if runs >= MOST_RUNS:
                break
            runs += 1
            if still(smaller):
                scenario, progress = smaller, True
                removed.append(what)
                break
    return Minimised(scenario, tuple(removed), runs)


def _smaller(scenario: Scenario) -> Iterator[tuple[Scenario, str]]:
    """Every scenario that is one step simpler, the boldest steps first."""
    for fault in reversed(scenario.faults):
        rest = tuple(other for other in scenario.faults if other is not fault)
        yield _settled(replace(scenario, faults=rest)), f"dropped {fault}"
    if scenario.client != ClientOverrides():
        yield replace(scenario, client=ClientOverrides()), "dropped the client's own settings"
    if scenario.peer != Peer():
        yield replace(scenario, peer=Peer()), "dropped the peer's standing behaviour"
    for fault in scenario.faults:
        if fault.duration and fault.duration > 2 * SHORTEST:
            half = replace(fault, duration=round(fault.duration / 2, 2))
            yield _settled(_with(scenario, fault, half)), f"halved {fault}"
    early = min((fault.at for fault in scenario.faults), default=0.0)
    if early > STEADY_BY + 1:
        moved = tuple(replace(f, at=round(f.at - early + STEADY_BY, 3)) for f in scenario.faults)
        yield _settled(replace(scenario, faults=moved)), f"began {early - STEADY_BY:.1f} s earlier"
    settled = _settled(scenario)
    if settled.duration < scenario.duration:
        yield settled, f"ended {scenario.duration - settled.duration:.1f} s earlier"
    elif not scenario.faults and scenario.duration > 2 * (STEADY_BY + RECOVERY_MARGIN):
        half_time = round(scenario.duration / 2, 1)
        yield replace(scenario, duration=half_time), f"ended {half_time:.1f} s earlier"


def _with(scenario: Scenario, old: Fault, new: Fault) -> Scenario:
    return replace(scenario, faults=tuple(new if fault is old else fault for fault in scenario.faults))


def _settled(scenario: Scenario) -> Scenario:
    """Ended when its last fault has been over for a while; what lasts to the end keeps its length."""
    if not scenario.faults or any(fault.duration is None for fault in scenario.faults):
        return scenario
    over = max(fault.heals_at or 0.0 for fault in scenario.faults)
    return replace(scenario, duration=min(scenario.duration, round(over + afterwards(scenario.expect), 1)))
