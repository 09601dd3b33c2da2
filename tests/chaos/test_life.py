"""The life of a run on virtual time: when it is steady, when its faults begin, how its clients end."""

import asyncio
from dataclasses import replace

import pytest

from chaos.clients import Assignment, Client
from chaos.clients.tracker import TrackerClient
from chaos.history import Began, Broke, Counted, Healed, History, Reached
from chaos.scenario import Scenario
from simulator import events as peer
from tests.chaos.histories import fault
from tests.chaos.short_runs import SHORT, live, struck_by
from tracker import events


def with_clients(scenario: Scenario, count: int) -> Scenario:
    return replace(scenario, workload=replace(scenario.workload, clients=count))


def steady_at(history: History) -> float:
    at = history.phase("steady")
    assert at is not None
    return at


class SecondIdles(TrackerClient):
    """A tracker, but the second of them connects to nobody."""

    async def run(self, assignment: Assignment) -> None:
        if assignment.number == 1:
            await assignment.stop.wait()
        else:
            await super().run(assignment)


def test_a_run_is_steady_when_all_of_its_clients_are_and_before_that_no_fault_begins() -> None:
    history = live(with_clients(struck_by("restart", on=None), 2), SecondIdles())
    assert (history.phase("steady"), list(history.of(Began))) == (None, [])
    assert history.phase("stopped") is not None


class LeavesAtOnce(TrackerClient):
    """It returns although nobody asked it to."""

    async def run(self, assignment: Assignment) -> None:
        pass


class StopsTooLate(TrackerClient):
    """It ends long after it was asked to, unless it is cancelled."""

    async def run(self, assignment: Assignment) -> None:
        await assignment.stop.wait()
        await asyncio.sleep(3600)


@pytest.mark.parametrize(
    ("client", "what"),
    [
        (LeavesAtOnce(), "RuntimeError: it came to an end that nobody had asked for"),
        (StopsTooLate(), "TimeoutError: it did not stop within 15 s"),
    ],
)
def test_a_client_that_ends_too_early_or_too_late_broke_and_that_is_told_once(
    client: Client, what: str
) -> None:
    assert [(event.who, event.what) for event in live(SHORT, client).of(Broke)] == [("client", what)]


def test_a_fault_begins_on_time_counted_from_the_steady_state() -> None:
    history = live(struck_by("mute_pong"), TrackerClient())
    (began,), (healed,) = history.of(Began), history.of(Healed)
    assert [began.t, began.planned] == [pytest.approx(steady_at(history) + 1.0)] * 2
    assert [healed.t, healed.planned] == [pytest.approx(steady_at(history) + 3.0)] * 2


def test_a_fault_is_noted_as_begun_before_what_it_broke() -> None:
    seen = list(live(struck_by("restart", on=None), TrackerClient()).events)
    (began,) = (place for place, event in enumerate(seen) if isinstance(event, Began))
    broken = [place for place, event in enumerate(seen) if isinstance(event, peer.Ended | events.Closed)]
    assert began < min(broken)


def test_what_a_fault_did_is_counted_before_the_stop() -> None:
    seen = list(live(replace(SHORT, faults=(fault("latency", 1.0, latency=20),)), TrackerClient()).events)
    (counted,) = (place for place, event in enumerate(seen) if isinstance(event, Counted))
    stopping = seen.index(next(e for e in seen if isinstance(e, Reached) and e.phase == "stopping"))
    assert counted < stopping


class KeepsItsSeed(TrackerClient):
    """It keeps what each of its clients was given to draw from."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds: list[int] = []

    async def run(self, assignment: Assignment) -> None:
        self.seeds.append(assignment.seed)
        await super().run(assignment)


def test_each_client_draws_for_itself() -> None:
    client = KeepsItsSeed()
    live(with_clients(SHORT, 3), client)
    assert len(set(client.seeds)) == 3
