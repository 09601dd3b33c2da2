"""The record of a tracker, judged as if it were somebody else's client: by what its peer and the network saw alone."""

from dataclasses import replace

from chaos.adaptation import NotForThisClient, adapted
from chaos.history import History, Reported
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.profile import Profile
from chaos.scenario import Scenario
from tracker.events import Event

FOREIGN = Profile(poses=True)


def without_reports(history: History) -> History:
    """The record without a word of the client's. Its outputs have numbers of its own."""
    told = tuple(event for event in history.events if not isinstance(event, Event | Reported))
    return replace(history, events=told, role="relay", numbering="own", settings={})


def judged_from_outside(history: History, scenario: Scenario) -> Judgement | None:
    """None: nothing that the scenario is about can be judged from outside."""
    try:
        asked = adapted(scenario, FOREIGN)
    except NotForThisClient:
        return None
    return judge(without_reports(history), replace(asked, faults=scenario.faults))
