from pathlib import Path

import pytest

from chaos import catalogue
from chaos.catalogue import everything, find, names
from chaos.faults import Fault
from chaos.scenario import Scenario, ScenarioError
from tracker.config import TrackerConfig


def severs(fault: Fault, scenario: Scenario) -> bool:
    """A peer that acknowledges what it takes shows that it lives, whether it answers Pings or not."""
    return fault.severs and not (fault.kind == "mute_pong" and scenario.client.confirm == "ack")


def test_the_promised_scenarios_are_there() -> None:
    assert names() == catalogue._ORDER


def test_like_stands_beside_like() -> None:
    assert names()[:3] == ("steady", "latency-below-limit", "latency-spike")


def test_everything_is_each_name_once() -> None:
    assert tuple(scenario.name for scenario in everything()) == names()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"'half-open-outptu' .* did you mean 'half-open-output'\?"):
        find("half-open-outptu")


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nabout = "Mine."\nstresses = ["no-loss"]\nduration = 10\n')
    assert find(str(file)).name == "mine"
    with pytest.raises(ScenarioError, match=r"gone\.toml: no such file"):
        find("gone.toml")


LONGER = {"long-outage": 640, "suspended": 220}
"""Seconds of scenarios that are about minutes."""


@pytest.mark.parametrize("scenario", everything(), ids=lambda scenario: scenario.name)
class TestEveryScenario:
    def test_takes_half_a_minute_to_a_minute(self, scenario: Scenario) -> None:
        assert 30 <= scenario.duration <= LONGER.get(scenario.name, 60)

    def test_can_configure_a_tracker(self, scenario: Scenario) -> None:
        scenario.client.apply_to(TrackerConfig("ws://a/", "ws://b/"))

    def test_ends_late_enough_to_see_a_recovery_that_takes_too_long(self, scenario: Scenario) -> None:
        if "recover" in scenario.stresses:
            last = max(fault.heals_at or 0.0 for fault in scenario.faults)
            assert last + (scenario.expect.recover_within or 0.0) < scenario.duration

    def test_has_a_threshold_where_it_stresses_speed(self, scenario: Scenario) -> None:
        if "detect" in scenario.stresses:
            assert scenario.expect.detect_within is not None
        if "recover" in scenario.stresses:
            assert scenario.expect.recover_within is not None

    def test_promises_no_loss_only_for_outages_that_the_outbox_can_hold(self, scenario: Scenario) -> None:
        config = scenario.client.apply_to(TrackerConfig("ws://a/", "ws://b/"))
        for fault in scenario.faults:
            displaces = "bounded" in scenario.stresses  # what is displaced is announced, and no loss
            if (
                "no-loss" in scenario.stresses
                and severs(fault, scenario)
                and fault.duration
                and not displaces
            ):
                outage = fault.duration + (scenario.expect.recover_within or 0.0)
                assert outage * scenario.workload.fps < config.outbox.messages

    def test_stresses_no_false_kill_only_with_faults_that_spare_the_link(self, scenario: Scenario) -> None:
        if "no-false-kill" in scenario.stresses and not scenario.expect.keeps_connections:
            assert not any(severs(fault, scenario) for fault in scenario.faults)
