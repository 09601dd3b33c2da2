import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.climber import generate_climb
from simulator.relayed import relayed_sequence


@pytest.mark.parametrize("number", [0, 17, 100_000])
def test_a_generated_frame_is_recognised_as_it_came_and_spelt_anew(number: int) -> None:
    frame = generate_climb(1).frame(number)
    assert relayed_sequence(frame) == number
    assert relayed_sequence(json.dumps(json.loads(frame), indent=1).encode()) == number


@given(
    st.binary() | st.sampled_from([b'{"sequence":1}', b'{"landmarks":[]}', b'{"sequence":-1,"landmarks":[]}'])
)
def test_anything_else_is_none(data: bytes) -> None:
    assert relayed_sequence(data) is None
