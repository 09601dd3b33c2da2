from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.commands.shard import shard
from chaos.commands.usage import UsageError


@given(work=st.lists(st.integers()), data=st.data())
def test_all_parts_together_are_all_of_the_work_each_piece_once(work: list[int], data: st.DataObject) -> None:
    parts = data.draw(st.integers(1, max(1, len(work))))
    shared: list[Sequence[int]] = [shard(work, f"{number}/{parts}") for number in range(1, parts + 1)]
    assert sorted(piece for part in shared for piece in part) == sorted(work)
    assert max(map(len, shared)) - min(map(len, shared)) <= 1


def test_a_part_takes_every_nth_so_that_neighbours_are_shared_out() -> None:
    assert shard("abcdefg", "2/3") == "be"


def test_without_a_part_it_is_all() -> None:
    assert shard("abc", None) == "abc"


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        ("x", "'x': write which part of how many, as in 1/3"),
        ("1/2/3", "as in 1/3"),
        ("-1/3", "as in 1/3"),
        ("1.5/3", "as in 1/3"),
        ("", "as in 1/3"),
        ("0/3", "no part has that number: count from 1/3 on"),
        ("4/3", "no part has that number"),
        ("0/0", "no part has that number: count from 1/1 on"),
        ("1/5", "there are only 4 runs: take no more parts than that"),
    ],
)
def test_nonsense_is_one_line_that_says_what_to_write(part: str, complaint: str) -> None:
    with pytest.raises(UsageError) as raised:
        shard("abcd", part)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)
