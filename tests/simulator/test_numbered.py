import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.numbered import LEAST, SIZE, NumberedMessages


@given(st.integers(0, 10**9))
def test_every_message_has_its_number_and_the_same_size(n: int) -> None:
    body = NumberedMessages().message(n)
    assert len(body) == SIZE
    assert json.loads(body)["sequence"] == n


def test_two_messages_differ_in_more_than_their_number_and_one_is_always_the_same() -> None:
    messages = NumberedMessages()
    first, second = (json.loads(messages.message(n))["filler"] for n in (1, 2))
    assert first != second
    assert messages.message(1) == NumberedMessages().message(1)


def test_a_template_without_a_filler_is_as_long_as_it_is() -> None:
    assert NumberedMessages("n={n};", None).message(12) == b"n=12;"


def test_a_binary_filler_is_no_text() -> None:
    body = NumberedMessages("{filler}", 300, binary=True).message(5)
    assert len(body) == 300
    with pytest.raises(UnicodeDecodeError):
        body.decode()


@pytest.mark.parametrize("size", [1, 40, 5000, 100_000])
def test_a_message_is_no_shorter_than_its_template_and_else_as_long_as_it_should_be(size: int) -> None:
    messages = NumberedMessages(size=size)
    assert len(messages.message(0)) == max(size, messages.shortest)


def test_short_messages_have_no_more_filler_than_they_take() -> None:
    assert NumberedMessages().short().message(7) == b'{"sequence": 7, "filler": ""}'
    assert len(NumberedMessages("{filler}", binary=True).short().message(7)) == LEAST
    assert NumberedMessages("{n}", size=None).short().message(7) == b"7"
