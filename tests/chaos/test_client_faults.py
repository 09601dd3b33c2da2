"""What happens to the clients' machines on virtual time, as the clients, the peer and the record see it."""

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.engines.sim_hosts import GIVEN_UP_AFTER
from chaos.faults import Fault
from chaos.history import Counted, Counts, History
from chaos.judging.checks import judge
from chaos.runner import Plan, make_history
from chaos.scenario import Scenario
from chaos.scenario_reading import parse
from simulator import events as peer
from tests.chaos.histories import fault
from tracker import events

pytestmark = pytest.mark.scenarios

SHORT = parse(
    'name = "short"\nabout = "-"\nstresses = ["no-loss", "in-order"]\nduration = "100s"\n'
    '[workload]\nkind = "lean"\n',
    Path("short.toml"),
)


def lived(*faults: Fault, of: Scenario = SHORT) -> History:
    return make_history(Plan(replace(of, faults=faults), "sim", 0, 10.0, Path()))


def suspend(at: float, seconds: float, clock: str = "stops", connections: str = "live") -> Fault:
    return fault("suspend", at, seconds, on=None, clock=clock, connections=connections)


def counted(history: History) -> list[Counts]:
    return [event.counts for event in history.of(Counted)]


def since_steady(history: History, t: float) -> float:
    return round(t - (history.phase("steady") or 0.0), 3)


@pytest.mark.parametrize("clock", ["stops", "jumps"])
def test_nothing_comes_from_a_suspended_machine_and_nothing_is_stamped_out_of_time(clock: str) -> None:
    history = lived(suspend(10, 40, clock))
    said = [since_steady(history, event.t) for event in history.events if isinstance(event, events.Event)]
    assert said == sorted(said)
    assert not [t for t in said if 10.01 < t < 50]
    arrived = [since_steady(history, event.t) for event in history.of(peer.Delivered)]
    assert not [t for t in arrived if 10.01 < t < 50]
    assert arrived[-1] > 90


@pytest.mark.parametrize(
    ("connections", "seconds", "by"),
    [("reset", 30, {"network"}), ("silent", 30, {"tracker"}), ("live", 5, set())],
)
def test_connections_end_as_the_fault_says(connections: str, seconds: float, by: set[str]) -> None:
    history = lived(suspend(10, seconds, connections=connections))
    ends = [event for event in history.of(events.Closed) if since_steady(history, event.t) < 60]
    assert {event.by for event in ends} == by
    assert len(ends) == (2 if by else 0)
    given_up = [since_steady(history, event.t) for event in history.of(peer.Ended) if event.by == "network"]
    assert given_up == ([25.0, 25.0] if by else [])


def test_a_peer_gives_up_after_its_usual_patience() -> None:
    history = lived(suspend(10, 60, connections="reset"))
    given_up = [since_steady(history, event.t) for event in history.of(peer.Ended) if event.by == "network"]
    assert given_up == [10 + GIVEN_UP_AFTER] * 2


@pytest.mark.parametrize("clock", ["stops", "jumps"])
@pytest.mark.parametrize("connections", ["reset", "silent"])
def test_a_tracker_delivers_again_within_3_s_of_waking(clock: str, connections: str) -> None:
    history = lived(suspend(10, 60, clock, connections))
    first = next(event.t for event in history.of(peer.Delivered) if since_steady(history, event.t) >= 70)
    assert since_steady(history, first) < 73


def test_what_a_suspend_did_is_counted_by_itself() -> None:
    history = lived(suspend(10, 20, connections="reset"), suspend(50, 5))
    assert counted(history) == [Counts(ends=2, stood=20.0), Counts(stood=5.0)]


def test_faults_of_a_machine_may_overlap_and_all_of_them_heal() -> None:
    faults = (
        suspend(10, 30, "stops", "silent"),
        suspend(20, 30, "jumps", "reset"),
        fault("block_loop", 15, 40, on=None),
        fault("clock_step", 5, 50, on=None, by=3_600_000),
        fault("clock_step", 12, 10, on=None, by=7_200_000, to="back"),
        fault("stall", 18, 40, on="output"),
    )
    history = lived(*faults)
    assert judge(history, replace(SHORT, faults=faults)).verdict == "pass"
    arrived = [since_steady(history, event.t) for event in history.of(peer.Delivered)]
    assert not [t for t in arrived if 10.01 < t < 55]
    assert arrived[-1] > 95
    assert not [event for event in history.of(events.Closed) if 75 < since_steady(history, event.t) < 99]


def test_a_suspend_that_outlasts_the_run_ends_by_itself() -> None:
    history = lived(suspend(95, 10))
    assert history.of(events.Stopped)


def test_every_client_of_a_herd_is_suspended_and_stamps_as_the_first_does() -> None:
    three = replace(SHORT, workload=replace(SHORT.workload, clients=3))
    history = lived(suspend(10, 30, "stops", "reset"), of=three)
    times = [event.t for event in history.events]
    assert times == sorted(times)
    assert len([event for event in history.of(peer.Ended) if event.by == "network"]) == 6


@pytest.mark.parametrize(("to", "sign"), [("forward", 1), ("back", -1)])
def test_a_clock_that_is_set_changes_nothing_that_a_tracker_does(to: str, sign: int) -> None:
    plain, struck = lived(), lived(fault("clock_step", 10, 30, on=None, by=3_600_000, to=to))
    reported = [
        [event for event in history.events if isinstance(event, events.Event)] for history in (plain, struck)
    ]
    assert reported[0] == reported[1]
    assert counted(struck) == [Counts(stepped=sign * 3600.0)]
