"""What a hunt found, each thing once.                                                                         pure

Two worlds that break the same promise show the same thing when what is left of the one is in the other: the kinds of its
faults, and the settings that it needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chaos.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that the client breaks, and the smallest world in which it does."""

    promise: str
    observed: str
    """In the smallest world."""
    number: int
    """Of the world, and the seed of its run."""
    scenario: Scenario
    faults_before: int
    """Of the world before it was shrunk."""
    runs: int
    """That the shrinking took."""
    minimal: bool
    """Whether leaving out any one part keeps the promise."""
    sightings: int = 1
    """Worlds that showed it."""

    @property
    def signature(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """What makes it this one: the promise, the kinds of fault, the settings."""
        return self.promise, kinds_of(self.scenario), settings_of(self.scenario)

    def explains(self, promise: str, scenario: Scenario) -> bool:
        """Whether what this other world broke is the same thing."""
        if promise != self.promise:
            return False
        there = list(kinds_of(scenario))
        for kind in kinds_of(self.scenario):
            if kind not in there:
                return False
            there.remove(kind)
        return set(settings_of(self.scenario)) <= set(settings_of(scenario))

    @property
    def name(self) -> str:
        """For its file: the promise and the kinds."""
        kinds = dict.fromkeys(kind.replace("_", "-") for kind in kinds_of(self.scenario))
        return "-".join((self.promise, *(["under", *kinds] if kinds else ["undisturbed"])))


def kinds_of(scenario: Scenario) -> tuple[str, ...]:
    """The kinds of its faults, each as often as it comes."""
    return tuple(sorted(fault.kind for fault in scenario.faults))


def settings_of(scenario: Scenario) -> tuple[str, ...]:
    """The names of what is not as it is by default."""
    client, workload = scenario.client, scenario.workload
    return (
        *client.timing,
        *client.outbox,
        *(["confirm"] if client.confirm else []),
        *(["overflow"] if client.overflow else []),
        *(["echo"] if scenario.peer.echo else []),
        *(["schedule"] if scenario.schedule is not None else []),
        *(["resets"] if workload.reset_at else []),
        *sorted({control.message.kind for control in scenario.controls}),
    )


def with_one_more(findings: Iterable[Finding], new: Finding) -> list[Finding]:
    """Together: one that is known already counts as one more sighting."""
    found = list(findings)
    for place, known in enumerate(found):
        if known.signature == new.signature or known.explains(new.promise, new.scenario):
            found[place] = replace(known, sightings=known.sightings + new.sightings)
            return found
    return [*found, new]
