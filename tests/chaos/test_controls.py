from typing import Any

import pytest

from chaos.controls import ControlError, TimedControl, read_control
from simulator.controls import Control


def table(**changes: Any) -> dict[str, object]:
    given: dict[str, object] = {"at": "8s", "message": "pause_output", **changes}
    return {key: value for key, value in given.items() if value is not None}


def test_a_control_goes_over_the_control_link_unless_it_says_otherwise() -> None:
    assert read_control(table()) == TimedControl(8.0, Control("pause_output"), "control")
    assert read_control(table(on="input")).on == "input"
    assert str(read_control(table(on="input"))) == "pause_output on input at 8s"


@pytest.mark.parametrize(
    ("nested", "sent"),
    [
        (False, b'{"type":"update_parameters","touch_duration":1.5}'),
        (True, b'{"type":"update_parameters","parameters":{"touch_duration":1.5}}'),
    ],
)
def test_rules_are_sent_beside_the_type_or_inside(*, nested: bool, sent: bytes) -> None:
    control = read_control(table(message="update_parameters", touch_duration="1500ms", nested=nested))
    assert control.message.encode() == sent


def test_only_a_stop_on_the_control_link_stops_a_client() -> None:
    assert read_control(table(message="stop")).stops
    assert not read_control(table(message="stop", on="input")).stops
    assert not read_control(table()).stops


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        (table(message=None), ["'message' is missing", "pause_output"]),
        (table(message="pause_outptu"), ["'pause_outptu'", "did you mean 'pause_output'?"]),
        (table(message=3), ["message is 3"]),
        (table(at=None), ["pause_output: the key 'at' is missing"]),
        (table(at="soon"), ["pause_output: at", "'soon'"]),
        (table(nestd=True), ["pause_output", "'nestd'", "did you mean 'nested'?"]),
        (table(on="output"), ["on is 'output'", "valid are control, input"]),
        (table(message="reset_holds", on="input"), ["workload.reset_at"]),
        (table(touch_duration="1s"), ["'touch_duration'", "update_parameters only"]),
        (table(nested=True), ["'nested'", "update_parameters only"]),
        (table(message="update_parameters"), ["changes nothing", "touch_duration"]),
        (table(message="update_parameters", touch_duration="x"), ["touch_duration", "'x'"]),
        (table(message="update_parameters", proximity_threshold=0), ["proximity_threshold is 0"]),
        (table(message="update_parameters", proximity_threshold=True), ["proximity_threshold is True"]),
        (table(message="update_parameters", proximity_threshold="9"), ["proximity_threshold is '9'"]),
        (table(message="update_parameters", touch_duration=1, nested=1), ["nested is 1", "true or false"]),
    ],
)
def test_a_refused_control_names_the_message_the_key_and_the_remedy(
    wrong: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(ControlError) as caught:
        read_control(wrong)
    error = str(caught.value)
    assert len(error.splitlines()) == 1
    assert [part for part in parts if part not in error] == []
