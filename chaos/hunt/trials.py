"""What a worker of a hunt does: draw worlds and run them, and shrink one that broke a promise."""

from dataclasses import dataclass, replace

from chaos.adaptation import NotForThisClient, adapted, profile_for
from chaos.clients.choose import load_client
from chaos.engines.sim import SimEngine
from chaos.history import Broke
from chaos.hunt.drawing import Taste, draw
from chaos.hunt.fair import recovered_within
from chaos.hunt.reached import Place, places
from chaos.hunt.shrinking import Shrunk, shrink
from chaos.runner import JudgedRun, Plan, Speech, make_and_judge
from chaos.scenario import ONLY_VIRTUAL, Scenario
from chaos.scenario_writing import write

LABORATORY = "laboratory"
"""In a promise's place, where the laboratory itself failed: that is a finding about us."""


@dataclass(frozen=True, slots=True)
class Quarry:
    """The client that is hunted, and in which worlds. Plain data, so that it travels to a worker."""

    client: str
    seed: int = 0
    speech: Speech | None = None
    kinds: tuple[str, ...] = ()
    schedules: bool = False
    """Whether the order of its tasks is drawn too."""
    engine: str = SimEngine.name
    time_scale: float = 1.0

    def world(self, number: int, taste: Taste) -> Scenario:
        """World `number`: the same for the same quarry and taste."""
        scenario = draw(f"{self.seed}/{number}", taste, kinds=self.kinds)
        if self.schedules and number % 2:
            scenario = replace(scenario, schedule=number, sim_only=ONLY_VIRTUAL)
        return scenario


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that a run broke, and what was seen of that."""

    promise: str
    observed: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one world."""

    number: int
    scenario: Scenario
    broken: tuple[Broken, ...]
    places: frozenset[Place]
    judged: frozenset[str]
    """The promises that were judged."""
    steady: bool
    """Whether the run was one at all: it became steady before its first fault."""
    why_not: str = ""
    """Why it was not."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some worlds for one worker, by their numbers."""

    quarry: Quarry
    numbers: tuple[int, ...]
    taste: Taste


def try_worlds(batch: Batch) -> list[Outcome]:
    """Draw each, run it, judge it. A world that is none for such a client is passed over."""
    tried = (
        try_world(batch.quarry, number, batch.quarry.world(number, batch.taste)) for number in batch.numbers
    )
    return [outcome for outcome in tried if outcome is not None]


def try_world(quarry: Quarry, number: int, scenario: Scenario) -> Outcome | None:
    """Run this world and judge it; None where it is none for such a client."""
    try:
        for_it = fitted(quarry, scenario)
    except NotForThisClient:
        return None
    made = run(quarry, number, for_it)
    first = made.judgement.checks[0]
    steady = first.name != "valid-run" or first.verdict != "unknown"
    return Outcome(
        number,
        for_it,
        broken(made),
        places(made.history, for_it),
        frozenset(check.name for check in made.judgement.checks if check.verdict in ("pass", "fail")),
        steady,
        "" if steady else first.observed,
    )


def fitted(quarry: Quarry, scenario: Scenario) -> Scenario:
    """The scenario as such a client can be put into it. Raises `NotForThisClient`, `ClientError`."""
    role = load_client(quarry.client).role
    if role == "tracker":
        return scenario
    for_it = adapted(scenario, profile_for(role, None if quarry.speech is None else quarry.speech.profile))
    if for_it.expect.recover_within is None:
        for_it = replace(for_it, expect=replace(for_it.expect, recover_within=recovered_within(for_it)))
    return for_it


def run(quarry: Quarry, seed: int, scenario: Scenario) -> JudgedRun:
    """One run, its record in memory."""
    return make_and_judge(
        Plan(
            scenario,
            quarry.engine,
            seed,
            quarry.time_scale,
            client=quarry.client,
            speech=quarry.speech,
            climb=False,
        )
    )


def broken(made: JudgedRun) -> tuple[Broken, ...]:
    """Every promise that the run broke; of a laboratory that failed, that alone."""
    failed = made.history.first(Broke, lambda event: event.who == "laboratory")
    if failed is not None:
        return (Broken(LABORATORY, failed.what),)
    return tuple(
        Broken(check.name, check.observed) for check in made.judgement.checks if check.verdict == "fail"
    )


@dataclass(frozen=True, slots=True)
class ToShrink:
    """A world that broke promises."""

    quarry: Quarry
    number: int
    scenario: Scenario
    promises: tuple[str, ...]
    most_runs: int


@dataclass(frozen=True, slots=True)
class Small:
    """The smallest world that still breaks one promise."""

    promise: str
    observed: str
    shrunk: Shrunk


def shrink_world(work: ToShrink) -> list[Small]:
    """Of each promise the smallest world; two promises that one small world breaks are not looked for twice."""
    found: list[Small] = []
    seen: dict[str, tuple[Broken, ...]] = {}

    def breaks(promise: str, scenario: Scenario) -> str | None:
        text = write(scenario)
        if text not in seen:
            seen[text] = broken(run(work.quarry, work.number, scenario))
        return next((each.observed for each in seen[text] if each.promise == promise), None)

    for promise in work.promises:
        for small in found:
            if (observed := breaks(promise, small.shrunk.scenario)) is not None:
                found.append(Small(promise, observed, replace(small.shrunk, runs=0)))
                break
        else:
            shrunk = shrink(
                work.scenario,
                lambda scenario, promise=promise: breaks(promise, scenario) is not None,  # type: ignore[misc]
                most_runs=work.most_runs,
            )
            found.append(Small(promise, breaks(promise, shrunk.scenario) or "", shrunk))
    return found
