"""Several clients in one run on virtual time: kept apart, and judged for how they come back."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from chaos import catalogue
from chaos.clients import Assignment, Client
from chaos.clients.tracker import TrackerClient
from chaos.commands.check import judged
from chaos.history import History
from chaos.judging.checks import judge
from chaos.judging.herd import apart
from chaos.made_twice import perform_twice
from chaos.runner import Plan, make_history, perform
from chaos.scenario import Scenario
from chaos.scenario_reading import parse
from chaos.traces.reading import open_trace
from simulator import events as peer
from tests.chaos.histories import fault
from tests.chaos.short_runs import live
from tracker import events

pytestmark = pytest.mark.scenarios

HERD = "reconnect-herd"
THREE = parse(
    'name = "three"\nabout = "-"\nstresses = ["no-loss"]\nduration = "14s"\n'
    '[workload]\nclients = 3\nfps = 5\n[[faults]]\nat = "3s"\nfor = "2s"\nkind = "restart"\n',
    Path("three.toml"),
)


def plan(scenario: Scenario, folder: Path = Path(), client: str = "tracker") -> Plan:
    return Plan(scenario, "sim", 0, 10.0, folder, client)


def failed(history: History, scenario: Scenario) -> dict[str, str]:
    return {c.name: c.observed for c in judge(history, scenario).checks if c.verdict == "fail"}


def test_each_client_has_its_own_stream_its_own_delays_and_all_the_frames() -> None:
    parts = apart(make_history(plan(THREE)))
    assert len({event.stream for part in parts for event in part.of(peer.Delivered)}) == 3
    assert len({tuple(event.delay for event in part.of(events.Waiting)) for part in parts}) == 3
    for part in parts:
        assert len({event.stream for event in part.of(peer.Delivered)}) == 1
        assert {event.seq for event in part.of(events.Accepted)} == {e.seq for e in part.of(peer.Delivered)}
        (answer,) = part.reference
        touched = {hold.id for hold in answer.sessions[-1].session.holds if hold.time is not None}
        assert touched == {event.hold for event in part.of(peer.Arrived)} != set()


def test_the_first_clients_seed_and_urls_are_those_of_a_client_that_is_alone() -> None:
    alone = make_history(plan(replace(THREE, workload=replace(THREE.workload, clients=1))))
    first = apart(make_history(plan(THREE)))[0]
    streams = [next(history.of(peer.Delivered)).stream for history in (alone, first)]
    assert streams[0] == streams[1]
    assert {event.client for event in alone.of(peer.Opened)} == {0}


def test_a_run_of_several_clients_is_the_same_twice() -> None:
    assert perform_twice(plan(THREE)).difference is None


def test_a_clients_machine_that_stands_still_is_every_clients() -> None:
    blocked = replace(THREE, faults=(fault("block_loop", 4.0, 2.0, on=None),))
    history = make_history(plan(blocked))
    for part in apart(history):
        assert max(event.seconds for event in part.of(events.Lagged)) > 1.5
        assert not any(4.1 < event.t - (part.phase("steady") or 0.0) < 5.9 for event in part.of(events.Sent))
    assert judge(history, blocked).verdict == "pass"


class SecondFails(TrackerClient):
    """A tracker, but the second of them raises."""

    async def run(self, assignment: Assignment) -> None:
        if assignment.number == 1:
            raise KeyError("hold")
        await super().run(assignment)


def test_the_client_that_failed_is_named() -> None:
    line = SecondFails.run.__code__.co_firstlineno + 2
    told = failed(live(THREE, SecondFails()), THREE)["valid-run"]
    assert told.startswith("client 1: the client failed: KeyError: 'hold', at ")
    assert told.endswith(f"test_several_clients.py:{line}")


def test_a_record_of_several_clients_reads_back_and_is_judged_as_the_run_was(tmp_path: Path) -> None:
    scenario = catalogue.find(HERD)
    result = perform(plan(scenario, tmp_path))
    again = judged(open_trace(result.record))
    assert (again.verdict, again.checks) == (result.verdict, result.checks)
    assert {**again.measures, "wall_s": 0} == {**result.measures, "wall_s": 0}


# The herd


class WithoutJitter(TrackerClient):
    """The tracker, but each delay is the longest that it may be."""

    class _Longest(Random):
        def uniform(self, _: float, longest: float) -> float:
            return longest

    def rng(self, seed: int) -> Random:
        return self._Longest(f"{seed}/tracker")


class OneSeedForAll(TrackerClient):
    """The tracker, but every one of them draws the same."""

    def rng(self, _: int) -> Random:
        return Random("the same for all")


@pytest.mark.parametrize(
    ("client", "what"),
    [(WithoutJitter(), {"polite", "jitter", "spread"}), (OneSeedForAll(), {"jitter", "spread"})],
    ids=["without-jitter", "one-seed"],
)
def test_trackers_that_try_again_together_are_a_herd(client: Client, what: set[str]) -> None:
    scenario = catalogue.find(HERD)
    assert failed(live(scenario, client), scenario).keys() == what


@pytest.mark.parametrize("client", ["incident-after", "incident-before"])
def test_fixed_delays_make_a_herd_that_the_peer_sees(client: str, tmp_path: Path) -> None:
    scenario = catalogue.find(HERD)
    result = perform(plan(scenario, tmp_path, client))
    (check,) = [check for check in result.checks if check.name == "spread"]
    assert (check.verdict, check.observed) == ("fail", "at most 50, on output")


def test_relays_that_draw_their_delays_are_told_apart_and_pass(tmp_path: Path) -> None:
    result = perform(plan(catalogue.find(HERD), tmp_path, "websockets-iterator"))
    assert (result.verdict, result.troubles()) == ("pass", ())
