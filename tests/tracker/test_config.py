from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.config import ConfigError, OutboxLimits, Timing, TrackerConfig, without_credentials

DURATIONS = [f.name for f in fields(Timing)]


def complaint(build: type[Timing | OutboxLimits], **given_settings: float) -> str:
    """The text of the refusal."""
    with pytest.raises(ConfigError) as caught:
        build(**given_settings)  # type: ignore[arg-type]  # int or float, as the file that it came from says
    return str(caught.value)


# The defaults are what the promises are measured with


def test_with_the_defaults_a_dead_link_is_given_up_within_5_s() -> None:
    timing = Timing()
    assert timing.probe_interval + 3 * timing.probe_floor <= 5
    assert timing.write_timeout <= 5


def test_with_the_defaults_a_round_trip_below_3_s_has_time() -> None:
    assert 3 * Timing().probe_floor > 3


def test_with_the_defaults_a_3_s_round_trip_at_30_fps_fits_the_window() -> None:
    limits = OutboxLimits()
    assert limits.window_messages >= 3 * 30
    assert limits.window_bytes >= 3 * 30 * 14_600  # a frame with the pose and 142 holds
    assert limits.window_messages <= limits.messages
    assert limits.window_bytes <= limits.bytes


def test_without_a_word_deliveries_are_confirmed_by_pongs_and_the_latest_frames_win() -> None:
    config = TrackerConfig(input_url="ws://a", output_url="ws://b")
    assert (config.confirm, config.overflow, config.control_url) == ("pong", "latest", None)
    assert (config.outbox, config.timing) == (OutboxLimits(), Timing())


def test_a_configuration_cannot_change_under_a_running_tracker() -> None:
    with pytest.raises(FrozenInstanceError):
        Timing().probe_floor = 3.0  # type: ignore[misc]  # that is the point


# Refusals


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), float("inf")])
@pytest.mark.parametrize("name", DURATIONS)
def test_a_duration_that_is_no_positive_number_of_seconds_is_refused_by_name(name: str, value: float) -> None:
    expected = f"{name} is {value!r}: it must be a positive number of seconds"
    assert complaint(Timing, **{name: value}) == expected


def test_a_ceiling_that_leaves_no_second_chance_is_refused() -> None:
    text = complaint(Timing, probe_floor=2.0, probe_ceiling=5.9)
    assert text.startswith("probe_ceiling is 5.9: it must be at least three times probe_floor (2.0)")
    assert "\n" not in text


def test_a_ceiling_of_exactly_three_floors_is_enough() -> None:
    assert Timing(probe_floor=2.0, probe_ceiling=6.0).probe_ceiling == 6.0


def test_three_floors_are_counted_as_a_person_counts_and_not_as_binary_fractions_do() -> None:
    assert Timing(probe_floor=0.1, probe_ceiling=0.3).probe_ceiling == 0.3  # 3 * 0.1 is 0.30000000000000004


def test_a_cap_below_the_first_delay_is_refused() -> None:
    text = complaint(Timing, reconnect_delay=3.0, reconnect_cap=2.0)
    assert text == "reconnect_cap is 2.0: it must not be below reconnect_delay (3.0)"


@pytest.mark.parametrize("value", [0, -7])
@pytest.mark.parametrize("name", [f.name for f in fields(OutboxLimits)])
def test_a_limit_below_1_is_refused_by_name(name: str, value: int) -> None:
    assert complaint(OutboxLimits, **{name: value}) == f"outbox {name} is {value}: it must be at least 1"


# Another clock


def test_a_scaled_timing_has_every_duration_times_the_factor() -> None:
    scaled = Timing().scaled(0.5)
    assert {n: getattr(scaled, n) for n in DURATIONS} == {n: getattr(Timing(), n) * 0.5 for n in DURATIONS}


@given(st.floats(0.01, 100.0), st.floats(0.001, 1000.0))
def test_what_is_valid_is_valid_on_any_clock(floor: float, factor: float) -> None:
    timing = Timing(probe_floor=floor, probe_ceiling=3 * floor)
    assert timing.scaled(factor).probe_floor == floor * factor


def test_no_url_in_a_text_keeps_its_credentials() -> None:
    text = without_credentials(
        "redirect to wss://anna:s3cret@wall/x?token=s3cret, not 'ws://[s3cret' or ws://a/b"
    )
    assert text == "redirect to wss://wall/x not 'ws://...' or ws://a/b"
