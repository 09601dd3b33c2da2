from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.kinds import GARBAGE
from simulator.garbage import KINDS, bad_messages
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
