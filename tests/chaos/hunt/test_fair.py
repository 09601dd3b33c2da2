"""Which worlds nobody can be held to."""

from dataclasses import replace

import pytest

from chaos.controls import TimedControl
from chaos.hunt.fair import quiet_after, recovered_within, unfair
from chaos.scenario import ClientOverrides, Peer, Scenario, Workload
from simulator.controls import Control
from tests.chaos.histories import fault

FAIR = Scenario("fair", "-", ("no-loss",), 60.0, Workload("lean", 10.0), faults=(fault("down", 10.0, 5.0),))


def test_a_fault_that_heals_long_enough_before_the_end_is_fair() -> None:
    assert unfair(FAIR) is None


@pytest.mark.parametrize(
    ("scenario", "why"),
    [
        (replace(FAIR, faults=(fault("down", 10.0),)), "lasts until the end"),
        (replace(FAIR, duration=38.0), "all is well for 23 s"),
        (replace(FAIR, controls=(TimedControl(5.0, Control("stop")),)), "told to stop"),
        (replace(FAIR, controls=(TimedControl(5.0, Control("pause_output")),)), "never to send again"),
        (replace(FAIR, faults=(fault("refuse", 10.0, 5.0, status=403),)), "a refusal for good"),
        (replace(FAIR, faults=(fault("latency", 10.0, 5.0, latency=1300),)), "no longer healthy"),
        (replace(FAIR, faults=(fault("bandwidth", 10.0, 5.0, rate=30),)), "carries 30 KB/s"),
        (replace(FAIR, faults=(fault("slicer", 10.0, 5.0, average_size=10, delay=1000),)), "carries 10 KB/s"),
        (replace(FAIR, client=ClientOverrides(outbox={"window_messages": 1})), "lets 4.5"),
        (replace(FAIR, client=ClientOverrides(outbox={"messages": 1}, overflow="block")), "lets 4.5"),
    ],
)
def test_a_world_in_which_no_client_could_keep_its_promises_is_not(scenario: Scenario, why: str) -> None:
    assert why in (unfair(scenario) or "")


def test_two_delays_at_once_add_up_and_two_in_turn_do_not() -> None:
    one, other = fault("latency", 10.0, 5.0, latency=700), fault("latency", 12.0, 5.0, latency=700)
    assert unfair(replace(FAIR, faults=(one, other))) is not None
    assert unfair(replace(FAIR, faults=(one, replace(other, at=15.0)))) is None


def test_a_burst_needs_more_room_than_the_workload() -> None:
    narrow = fault("bandwidth", 10.0, 5.0, "input", rate=200)
    assert unfair(replace(FAIR, faults=(narrow,))) is None
    assert unfair(replace(FAIR, faults=(narrow, fault("burst", 9.0, 5.0, "input", fps=100)))) is not None


def test_a_peer_that_acks_each_message_lets_a_window_of_one_do() -> None:
    one = ClientOverrides(outbox={"window_messages": 1}, confirm="ack")
    assert unfair(replace(FAIR, client=one, peer=Peer("ack"))) is None


def test_the_quiet_time_holds_a_hanging_handshake_the_longest_delay_what_was_asked_for_and_what_waited() -> (
    None
):
    assert recovered_within(FAIR) == 10.0 + 8.0
    assert quiet_after(FAIR) == 24.0
    patient = replace(FAIR, faults=(fault("refuse", 10.0, 5.0, status=503, retry_after=7),))
    assert quiet_after(patient) == 31.0
    assert quiet_after(replace(FAIR, client=ClientOverrides(timing={"reconnect_cap": 2.0}))) == 18.0
