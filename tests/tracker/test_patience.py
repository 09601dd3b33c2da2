"""What a refusal's `Retry-After` asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.patience import seconds_asked

NOW = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Sun Nov  6 08:50:07 1994", 30.0),
        ("Sun, 06 Nov 1994 08:49:07 GMT", 0.0),
        ("Mon, 06 Nov 1995 08:49:37 GMT", 365 * 86_400.0),
    ],
)
def test_it_asks_in_whole_seconds_or_by_a_date_in_any_of_three_forms(
    retry_after: str, seconds: float
) -> None:
    assert seconds_asked(retry_after, NOW) == seconds


@pytest.mark.parametrize(
    "nonsense", ["", "-30", "soon", "12.5", "1e9", "0x10", "٣", "Thu, 32 Foo 2026 25:61:61 GMT"]
)
def test_what_is_neither_asks_for_nothing(nonsense: str) -> None:
    assert seconds_asked(nonsense, NOW) is None


@pytest.mark.parametrize("date", ["", "today"])
def test_a_date_without_the_servers_own_says_nothing(date: str) -> None:
    assert seconds_asked("Sun, 06 Nov 1994 08:50:07 GMT", date) is None


def test_more_digits_than_a_number_holds_are_for_ever() -> None:
    assert seconds_asked("9" * 5000, NOW) == float("inf")


@given(st.text(), st.text())
def test_no_header_of_a_stranger_is_an_exception(retry_after: str, date: str) -> None:
    asked = seconds_asked(retry_after, date)
    assert asked is None or asked >= 0
