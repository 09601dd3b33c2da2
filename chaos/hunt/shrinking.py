"""A world that broke a promise, made as small as it can be and still break it.                               pure

Fewest parts first (faults, controls, resets, settings), then the simplest kinds, then the shortest and roundest times. It is
delta debugging (A. Zeller, R. Hildebrandt, IEEE TSE 28(2), 2002) over the parts of a scenario: every candidate is a scenario
of its own, fair like all of a hunt, and whether it still breaks the promise is asked by a run. The result is 1-minimal when
each of its parts was left out by itself and the promise was then kept; `Shrunk.minimal` says whether the runs sufficed for
that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from chaos.faults import Fault, read_fault
from chaos.hunt.fair import last_moment, quiet_after, unfair
from chaos.kinds import KINDS
from chaos.scenario import LEAN_FPS, ClientOverrides, Peer, Scenario, Workload

MOST_RUNS = 100
"""Of one shrinking."""
EARLIEST = 4.0
"""Seconds: the first fault comes no earlier."""
ROUND = (0.1, 1.0, 5.0)
"""Seconds that a person would have written, shortest first."""
SIMPLEST = ("down", "stall", "close")
"""Kinds that everybody knows, in the order in which they are tried in a stranger's place."""

Breaks = Callable[[Scenario], bool]
"""Whether a run of this scenario still breaks the promise."""


class OutOfRunsError(Exception):
    """All runs are used up."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left."""

    scenario: Scenario
    runs: int
    """That were made for it."""
    minimal: bool
    """Whether each part was left out by itself, in the end, and the promise was then kept."""


def shrink(scenario: Scenario, breaks: Breaks, *, most_runs: int = MOST_RUNS) -> Shrunk:
    """The smallest that was found. `scenario` itself is known to break the promise."""
    shrinking = _Shrinking(scenario, breaks, most_runs)
    try:
        shrinking.run()
    except OutOfRunsError:
        return Shrunk(shrinking.best, shrinking.runs, minimal=shrinking.proven_minimal())
    return Shrunk(shrinking.best, shrinking.runs, minimal=True)


class _Shrinking:
    def __init__(self, scenario: Scenario, breaks: Breaks, most_runs: int) -> None:
        self.best = scenario
        self.runs = 0
        self._breaks = breaks
        self._most = most_runs
        self._kept: list[Scenario] = []  # those that were tried, and kept the promise

    def run(self) -> None:
        """Until nothing more can be left out or made simpler."""
        self._drop_faults()
        while True:
            before = self.best
            self._drop_parts()
            self._try(_at_its_length(self.best))
            self._simplify()
            if self.best == before:
                return

    def proven_minimal(self) -> bool:
        """Whether each part was tried without."""
        return all(each in self._kept or unfair(each) for each in without_a_part(self.best))

    def _does_break(self, candidate: Scenario) -> bool:
        if candidate in self._kept:
            return False
        if self.runs >= self._most:
            raise OutOfRunsError
        self.runs += 1
        if self._breaks(candidate):
            return True
        self._kept.append(candidate)
        return False

    def _try(self, candidate: Scenario) -> bool:
        if candidate == self.best or unfair(candidate) is not None or not self._does_break(candidate):
            return False
        self.best = candidate
        return True

    def _drop_faults(self) -> None:
        """Many at once, ever fewer: half of them, a quarter of them, and so on."""
        size = len(self.best.faults) // 2
        while size > 1:
            start = 0
            while start < len(self.best.faults):
                faults = self.best.faults
                if not self._try(replace(self.best, faults=faults[:start] + faults[start + size :])):
                    start += size
            size //= 2

    def _drop_parts(self) -> None:
        """One by one, until no one can be left out."""
        again = True
        while again:
            again = any(self._try(candidate) for candidate in list(without_a_part(self.best)))

    def _simplify(self) -> None:
        for place in range(len(self.best.faults)):
            for simpler in _simpler(self.best.faults[place]):
                faults = self.best.faults
                candidate = replace(self.best, faults=(*faults[:place], simpler, *faults[place + 1 :]))
                if self._try(candidate):
                    break  # the next round goes on from there
        self._try(_earlier(self.best))
        self._try(_at_full_seconds(self.best))


def without_a_part(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario without one of its faults, controls, resets or settings, for each of them."""
    for place in range(len(scenario.faults)):
        yield replace(scenario, faults=scenario.faults[:place] + scenario.faults[place + 1 :])
    controls = scenario.controls
    if controls:
        yield replace(scenario, controls=(), faults=_on_links_that_are_there(scenario))
    for place in range(len(controls)):
        fewer = controls[:place] + controls[place + 1 :]
        if fewer:
            yield replace(scenario, controls=fewer)
    workload = scenario.workload
    for place in range(len(workload.reset_at)):
        moments = workload.reset_at[:place] + workload.reset_at[place + 1 :]
        yield replace(scenario, workload=replace(workload, reset_at=moments))
    if workload.fps != LEAN_FPS:
        yield replace(scenario, workload=replace(workload, fps=LEAN_FPS))
    if workload.kind != "lean":
        yield replace(scenario, workload=Workload("lean", LEAN_FPS, reset_at=workload.reset_at))
    if workload.clients > 1:
        yield replace(scenario, workload=replace(workload, clients=1))
    if scenario.schedule is not None:
        yield replace(scenario, schedule=None, sim_only=None)
    yield from _with_fewer_settings(scenario)


def _with_fewer_settings(scenario: Scenario) -> Iterator[Scenario]:
    client = scenario.client
    if client.confirm is not None or scenario.peer.confirm != Peer().confirm:
        asked = replace(client, confirm=None)
        yield replace(scenario, client=asked, peer=replace(scenario.peer, confirm=Peer().confirm))
    if client.overflow is not None:
        yield replace(scenario, client=replace(client, overflow=None))
    for name in client.timing:
        timing = {key: value for key, value in client.timing.items() if key != name}
        yield replace(scenario, client=replace(client, timing=timing))
    for name in client.outbox:
        outbox = {key: value for key, value in client.outbox.items() if key != name}
        yield replace(scenario, client=replace(client, outbox=outbox))
    if scenario.peer.echo:
        yield replace(scenario, peer=replace(scenario.peer, echo=False))
    if scenario.client == ClientOverrides() and scenario.expect.detect_within is not None:
        yield replace(scenario, expect=replace(scenario.expect, detect_within=None))


def _on_links_that_are_there(scenario: Scenario) -> tuple[Fault, ...]:
    """Without controls there is no control link."""
    return tuple(fault for fault in scenario.faults if fault.on != "control")


def _at_its_length(scenario: Scenario) -> Scenario:
    """No longer than its last event and the quiet after it ask for."""
    last = max(EARLIEST, last_moment(scenario))
    return replace(scenario, duration=float(round(last + quiet_after(scenario) + 1)))


def _simpler(fault: Fault) -> Iterator[Fault]:
    """The same fault, each time with something simpler about it."""
    for kind in SIMPLEST:
        if kind == fault.kind:
            break
        if (other := _of_kind(fault, kind)) is not None:
            yield other
    if fault.toxicity < 1:
        yield replace(fault, toxicity=1.0)
    if fault.direction != "both":
        yield replace(fault, direction="both")
    for name, attribute in fault.spec.attributes.items():
        value = fault.attributes[name]
        if attribute.default is not None and value != attribute.default:
            yield replace(fault, attributes={**fault.attributes, name: attribute.default})
        elif isinstance(value, int) and (rounded := _rounded(value)) != value:
            yield replace(fault, attributes={**fault.attributes, name: rounded})
    if fault.duration:
        shorter = [seconds for seconds in ROUND if seconds < fault.duration]
        rounded_up = float(round(fault.duration + 0.5))
        for seconds in [*shorter, *([rounded_up] if rounded_up != fault.duration else [])]:
            yield replace(fault, duration=seconds)


def _of_kind(fault: Fault, kind: str) -> Fault | None:
    spec = KINDS[kind]
    if fault.on is None or fault.spec.where == "client" or (spec.lasts == "never") != (fault.duration == 0):
        return None
    table: dict[str, object] = {"kind": kind, "at": fault.at, "on": fault.on}
    if fault.duration:
        table["for"] = fault.duration
    if kind == "close":
        table["code"] = 1001
    return read_fault(table)[0]


def _rounded(value: int) -> int:
    """To its first digit."""
    scale = int(10 ** (len(str(value)) - 1))
    return value // scale * scale


def _earlier(scenario: Scenario) -> Scenario:
    """All of it as early as it can be."""
    moments = [*(fault.at for fault in scenario.faults), *(control.at for control in scenario.controls)]
    moments += scenario.workload.reset_at
    lead = min(moments, default=EARLIEST) - EARLIEST
    if lead <= 0:
        return scenario
    return replace(
        scenario,
        faults=tuple(replace(fault, at=round(fault.at - lead, 2)) for fault in scenario.faults),
        controls=tuple(replace(each, at=round(each.at - lead, 2)) for each in scenario.controls),
        workload=replace(
            scenario.workload, reset_at=tuple(round(at - lead, 2) for at in scenario.workload.reset_at)
        ),
    )


def _at_full_seconds(scenario: Scenario) -> Scenario:
    return replace(
        scenario, faults=tuple(replace(fault, at=float(round(fault.at))) for fault in scenario.faults)
    )
