"""A control as it comes from a peer: it is one, or it is refused for a reason that can be counted."""

from hypothesis import given

from tests.fuzz.inputs import fuzz, read, spoilt
from tracker.messages import BadMessage, decode_control

CONTROLS = (
    b'{"type":"reset_holds"}',
    b'{"type":"get_status"}',
    b'{"type":"update_parameters","parameters":{"proximity_threshold":75,"touch_duration":1.5}}',
    b'{"type":"update_parameters","proximity_threshold":75,"route":{"problem":{"holds":[{"id":"59","type":"start"}]}}}',
)
KEYS = (b'"type"', b'"route"', b'"parameters"', b'"stop"', b'"pose"')


@fuzz
@given(spoilt(*CONTROLS, pieces=KEYS))
def test_a_control_is_one_or_is_refused_with_a_reason(data: bytes) -> None:
    read(lambda: decode_control(data), BadMessage, calls=2_000)
