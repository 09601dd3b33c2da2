from itertools import islice
from random import Random

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from chaos.kinds import GARBAGE
from simulator.garbage import KINDS, bad_messages
from tests.tracker import hostile
from tracker.messages import BadMessage, decode_input


def test_every_kind_of_the_vocabulary_can_be_made() -> None:
    assert KINDS == GARBAGE


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_each_message_is_refused_for_the_reason_that_its_kind_is_named_for(kind: str, seed: int) -> None:
    for message in islice(bad_messages([kind], Random(seed)), 3):
        with pytest.raises(BadMessage) as refused:
            decode_input(message)
        assert refused.value.reason == kind


@pytest.mark.parametrize("kind", KINDS)
def test_hypothesis_thinks_of_every_kind_too(kind: str) -> None:
    find(
        hostile.messages,
        lambda message: refusal(message) == kind,
        settings=settings(derandomize=True, max_examples=2000, database=None, phases=[Phase.generate]),
    )  # raises NoSuchExample where it does not


@settings(derandomize=True, max_examples=300)
@given(message=hostile.messages)
def test_every_reason_that_hypothesis_meets_is_a_kind(message: bytes) -> None:
    assert refusal(message) in (None, *KINDS)


def test_kinds_come_in_turn() -> None:
    kinds = ["unknown-type", "too-large", "not-json"]
    messages = islice(bad_messages(kinds, Random(1)), 6)
    assert [_reason(message) for message in messages] == kinds * 2


def test_the_same_seed_makes_the_same_messages() -> None:
    def some(seed: int) -> list[bytes]:
        return list(islice(bad_messages(KINDS, Random(seed)), 20))

    assert some(1) == some(1) != some(2)


def _reason(message: bytes) -> str:
    with pytest.raises(BadMessage) as refused:
        decode_input(message)
    return refused.value.reason


def refusal(message: bytes) -> str | None:
    try:
        decode_input(message)
    except BadMessage as bad:
        return bad.reason
    return None
