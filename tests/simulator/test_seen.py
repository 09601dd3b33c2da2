from hypothesis import given
from hypothesis import strategies as st

from simulator.seen import Seen


@given(st.lists(st.integers(0, 30)))
def test_a_number_is_new_once(numbers: list[int]) -> None:
    seen = Seen()
    model: set[int] = set()
    for number in numbers:
        assert seen.add(number) == (number not in model)
        model.add(number)


def test_numbers_in_any_order_without_gaps_are_one_run() -> None:
    seen = Seen()
    for number in (5, 4, 1, 3, 2, 6):
        seen.add(number)
    assert (seen._firsts, seen._lasts) == ([1], [6])
