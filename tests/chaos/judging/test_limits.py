"""What a scenario's network adds to the time that checks grant."""

from dataclasses import replace

from chaos.judging.limits import DETECT_WITHIN, detection_limit, on_the_way
from chaos.presets import PRESETS
from tests.chaos.histories import scenario


def test_a_network_adds_its_own_delay_to_a_detection_and_to_a_recovery() -> None:
    slow = replace(scenario(), preset="satellite")
    network = PRESETS["satellite"]
    assert detection_limit(slow) == DETECT_WITHIN + network.adds_to_detection > DETECT_WITHIN
    assert on_the_way(slow) == network.adds_to_recovery > 0


def test_without_one_nothing_is_added() -> None:
    assert detection_limit(scenario()) == DETECT_WITHIN
    assert detection_limit(scenario(detect_within=7.0)) == 7.0
    assert on_the_way(scenario()) == 0
