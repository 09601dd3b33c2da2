import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.durations import LONGEST, DurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60s", 60.0),
        ("250ms", 0.25),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1.2s", 1.2),
        ("0.1ms", 0.0001),
        ("0s", 0.0),
    ],
)
def test_a_number_with_a_unit_is_so_many_seconds(written: str, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("number", [0, 3, 1.5])
def test_a_plain_number_is_seconds(number: float) -> None:
    seconds = parse_duration(number)
    assert seconds == number
    assert isinstance(seconds, float)


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "10", "10 s", "-5s", "5sec", "1m30s", "1e3s", ".5s", "5.s", "٣s", "5s\n", "9" * 400 + "h"),
        *(True, None, [1], -1, -0.5, math.nan, math.inf, 10**400),
    ],
)
def test_anything_else_is_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(wrong)
    assert len(str(caught.value).splitlines()) == 1


def test_the_error_shows_the_value_and_how_to_write_one() -> None:
    with pytest.raises(DurationError, match=r"'10 sec' .* \"250ms\""):
        parse_duration("10 sec")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (90, "90s"),
        (120, "2m"),
        (5400, "90m"),
        (7200, "2h"),
        (1e-4, "0.1ms"),
    ],
)
def test_seconds_are_written_in_the_largest_unit_without_a_fraction(seconds: float, written: str) -> None:
    assert format_duration(seconds) == written


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_what_is_no_duration_is_not_written(wrong: float) -> None:
    with pytest.raises(DurationError):
        format_duration(wrong)


@given(st.floats(min_value=0, max_value=LONGEST))
def test_what_was_written_reads_back_exactly(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
