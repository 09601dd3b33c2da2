from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.timestamps import Clock, UnclearTime

T = 1_763_062_977_059
DAY = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(values: Sequence[object], *, ahead: bool = False) -> tuple[list[float | None], list[str]]:
    """What comes of each, None where it is refused; and what was said."""
    said: list[str] = []
    clock = Clock(said.append)
    if ahead:
        clock.look_ahead(values)
    times: list[float | None] = []
    for value in values:
        try:
            times.append(clock.read(value))
        except UnclearTime:
            times.append(None)
    return times, said


@pytest.mark.parametrize(
    ("value", "ms", "what"),
    [
        (T, T, "epoch milliseconds (1763062977059 is 2025-11-13T19:42:57.059Z)"),
        (T + 0.25, T + 0.25, "epoch milliseconds"),
        (1_763_062_977.0591, T, "epoch seconds (1763062977.0591 is 2025-11-13T19:42:57.059Z)"),
        (1_763_062_977, 1_763_062_977_000, "epoch seconds"),
        (T * 1000 + 7, T, "epoch microseconds"),
        (T * 1000_000 + 7, T, "epoch nanoseconds"),
        ("2025-11-13T19:42:57.059Z", T, "ISO 8601 ("),
        ("2025-11-14T01:12:57.059+05:30", T, "ISO 8601 ("),
        ("2025-11-13 19:42:57.059", T, "ISO 8601, without an offset: UTC"),
        (0, 0, "milliseconds since a start (0): dates begin with 1970-01-01"),
        (33.4, 33.4, "milliseconds since a start"),
        (30 * 60_000, 30 * 60_000, "milliseconds since a start"),
    ],
)
def test_the_size_says_what_a_number_counts_and_that_is_said(value: object, ms: float, what: str) -> None:
    times, said = read([value])
    assert times == [ms]
    assert said[0].startswith(f"timestamps are {what}")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-1, "out-of-range"),
        (253_402_300_800_000, "out-of-range"),
        (9e17, "out-of-range"),
        (10**19, "out-of-range"),
        (float("nan"), "out-of-range"),
        (float("inf"), "out-of-range"),
        ("1969-12-31T00:00:00Z", "out-of-range"),
        ("1763062977059", "wrong-type"),
        ("20251113", "wrong-type"),
        ("noon", "wrong-type"),
        (None, "wrong-type"),
        (True, "wrong-type"),
        ([T], "wrong-type"),
    ],
)
def test_what_is_no_time_is_refused_with_what_to_send(value: object, reason: str) -> None:
    with pytest.raises(UnclearTime, match="send epoch milliseconds") as refused:
        Clock().read(value)
    assert refused.value.reason == reason


@given(
    start=st.integers(978_307_200_000, 4_000_000_000_000),
    steps=st.lists(st.integers(1, 9_000), min_size=6, max_size=12),
    ahead=st.booleans(),
)
def test_the_same_climb_has_the_same_times_whatever_its_sender_counts(
    start: int, steps: list[int], *, ahead: bool
) -> None:
    climb = [start]
    for step in steps:
        climb.append(climb[-1] + step)
    india = timezone(timedelta(hours=5, minutes=30))
    for sent in (
        climb,
        [ms / 1000 for ms in climb],
        [ms * 1000 + 400 for ms in climb],
        [ms * 1_000_000 + 400_000 for ms in climb],
        [(EPOCH + timedelta(milliseconds=ms)).isoformat() for ms in climb],
        [(EPOCH + timedelta(milliseconds=ms)).astimezone(india).isoformat() for ms in climb],
    ):
        times, said = read(sent, ahead=ahead)
        assert times == climb
        assert len(said) == 1


@pytest.mark.parametrize("days", [12, 20, 40])
def test_a_recording_of_a_machine_that_ran_for_weeks_counts_milliseconds_since_its_start(days: int) -> None:
    values = [days * DAY + 33 * n for n in range(64)]
    times, said = read(values, ahead=True)
    assert times == values
    assert said == [f"timestamps are milliseconds since a start ({days * DAY}): dates begin with 1970-01-01"]


def test_live_the_steps_of_such_a_machine_correct_what_its_first_message_seemed_to_count() -> None:
    values = [20 * DAY + 33 * n for n in range(64)]
    times, said = read(values)
    assert times[5:] == values[5:]
    assert [line.partition(" (")[0] for line in said] == [
        "timestamps are epoch seconds",
        "timestamps are milliseconds since a start",
    ]


def test_milliseconds_since_a_start_go_on_when_they_become_as_large_as_seconds() -> None:
    values = [946_684_000 + 100 * n for n in range(20)]
    times, said = read(values)
    assert times == values
    assert len(said) == 1


@pytest.mark.parametrize(
    "values",
    [
        [n / 30 for n in range(12)],  # seconds since a start
        [10**11 + 33_333_333 * n for n in range(12)],  # nanoseconds since a start, 100 s ago
        [10**15 + 33_333_333 * n for n in range(12)],  # and twelve days ago
        [2 * 10**11 + 33_333 * n for n in range(12)],  # microseconds since a start, two days ago
    ],
)
def test_what_steps_as_no_camera_does_is_refused_and_not_guessed(values: list[float]) -> None:
    assert read(values, ahead=True) == ([None] * 12, [])
    assert read(values)[0][5:] == [None] * 7


def test_long_pauses_before_anybody_climbs_cost_one_frame_and_later_ones_none() -> None:
    alone = [T + 60_000 * n for n in range(9)]
    climb = [alone[-1] + 60_000 + 33 * n for n in range(5)]
    later = [climb[-1] + 60_000 * n for n in range(1, 9)]
    times, _ = read([*alone, *climb, *later])
    assert times[9:] == [None, *climb[1:], *later]


def test_messages_of_one_time_and_a_clock_that_is_set_back_are_no_reason_to_doubt() -> None:
    values = [T, T, T, T, T, T, T, T - DAY, T - DAY, T - 2 * DAY]
    assert read(values)[0] == values


def test_two_senders_that_count_otherwise_are_both_read() -> None:
    times, said = read([T, T / 1000, T + 33, T / 1000 + 0.033])
    assert times == [T, T, T + 33, T + 33]
    assert len(said) == 2
