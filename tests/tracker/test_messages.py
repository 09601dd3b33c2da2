import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker import messages
from tracker.messages import (
    MAX_MESSAGE_BYTES,
    MAX_TIMESTAMP_MS,
    Ack,
    BadMessage,
    GetStatus,
    Parameters,
    Pose,
    Reply,
    ResetHolds,
    UpdateParameters,
    decode_ack,
    decode_control,
    decode_input,
    decode_output,
    encode_ack,
    encode_reply,
    iso_time,
    parse_iso_time,
)

LANDMARK = {"x": 0.5, "y": 0.35, "z": -0.09, "visibility": 0.99}
POSE = {"type": "pose", "timestamp": 1763062977059, "landmarks": [LANDMARK] * 33}


def message(**changes: object) -> bytes:
    return json.dumps({**POSE, **changes}).encode()


def landmark(**changes: object) -> bytes:
    return message(landmarks=[LANDMARK] * 32 + [{**LANDMARK, **changes}])


def without(key: str) -> bytes:
    return json.dumps({k: v for k, v in POSE.items() if k != key}).encode()


def refusal(data: bytes, decode: object = decode_input) -> str:
    with pytest.raises(BadMessage) as caught:
        decode(data)  # type: ignore[operator]
    return caught.value.reason


def test_a_pose_is_decoded() -> None:
    pose = decode_input(message(sequence=7, width=720, height=1280))
    assert isinstance(pose, Pose)
    assert (pose.timestamp, pose.sequence, pose.width, len(pose.landmarks)) == (1763062977059, 7, 720, 33)
    assert pose.landmarks[0] == messages.Landmark(0.5, 0.35, -0.09, 0.99)


def test_a_pose_of_an_old_sender_has_no_type() -> None:
    assert isinstance(decode_input(without("type")), Pose)


def test_a_pose_may_have_fields_that_nobody_knows() -> None:
    assert isinstance(decode_input(message(camera={"id": [1, {"a": None}]})), Pose)


def test_a_pose_is_decoded_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(messages, "_kind_decoder")
    assert isinstance(decode_input(message()), Pose)


def test_a_fractional_timestamp_is_kept() -> None:
    pose = decode_input(message(timestamp=1763062977059.25))
    assert isinstance(pose, Pose)
    assert pose.timestamp == 1763062977059.25


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-json"),
        (b"hello", "not-json"),
        (b'{"type": "pose"', "not-json"),
        (message() + b"x", "not-json"),
        (b"\x00\x01\x02", "not-json"),
        (b'{"type": "\\ud800"}', "not-json"),
        (b"\xff\xfe\x00", "not-utf8"),
        (b'{"type": "po\xffse"}', "not-utf8"),
        (b"[]", "wrong-type"),
        (b"3", "wrong-type"),
        (b"null", "wrong-type"),
        (message(type=3), "wrong-type"),
        (message(timestamp="now"), "wrong-type"),
        (message(timestamp=True), "wrong-type"),
        (message(timestamp=None), "wrong-type"),
        (message(landmarks={}), "wrong-type"),
        (message(sequence="7"), "wrong-type"),
        (landmark(x="0.5"), "wrong-type"),
        (landmark(y=None), "wrong-type"),
        (without("timestamp"), "missing-field"),
        (without("landmarks"), "missing-field"),
        (b"{}", "missing-field"),
        (message(landmarks=[LANDMARK] * 32), "not-33-landmarks"),
        (message(landmarks=[LANDMARK] * 34), "not-33-landmarks"),
        (message(landmarks=[]), "not-33-landmarks"),
        (landmark(x=float("nan")), "not-finite"),
        (landmark(z=float("inf")), "not-finite"),
        (landmark(z=float("-inf")), "not-finite"),
        (message(timestamp=float("nan")), "not-finite"),
        (landmark(x=1e300), "out-of-range"),
        (landmark(y=-1000.5), "out-of-range"),
        (landmark(x=1).replace(b'"x": 1,', b'"x": 1e999,'), "out-of-range"),
        (landmark(visibility=1.5), "out-of-range"),
        (landmark(visibility=-0.1), "out-of-range"),
        (message(timestamp=-1), "out-of-range"),
        (message(timestamp=MAX_TIMESTAMP_MS + 1), "out-of-range"),
        (message(timestamp=10**40), "out-of-range"),
        (message(timestamp=1e300), "out-of-range"),
        (message().replace(b"1763062977059", b"1" + b"0" * 6000), "out-of-range"),
        (message(extra=1).replace(b'"extra": 1', b'"extra": ' + b"[" * 100_000), "too-deep"),
        (message(extra=1).replace(b'"extra": 1', b'"extra": ' + b'{"a":' * 100_000), "too-deep"),
        (b"[" * MAX_MESSAGE_BYTES, "wrong-type"),
        (message(padding="x" * MAX_MESSAGE_BYTES), "too-large"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), "too-large"),
        (message(type="posture"), "unknown-type"),
        (b'{"type": "stop"}', "control-on-input"),
        (b'{"type": "update_parameters"}', "control-on-input"),
    ],
)
def test_each_bad_input_has_its_reason(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


def test_a_large_message_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(messages, "_frame_decoder")
    assert refusal(b" " * (MAX_MESSAGE_BYTES + 1)) == "too-large"


def test_the_detail_is_one_bounded_printable_line_whatever_it_quotes() -> None:
    with pytest.raises(BadMessage) as caught:
        decode_input(message(type="line\nbreak \x1b[31m" + "long" * 1000))
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) <= 200


def test_a_reset_is_taken_on_both_sockets() -> None:
    assert decode_input(b'{"type":"reset_holds"}') == ResetHolds()
    assert decode_input(b'{"sequence":"x", "type":"reset_holds"}') == ResetHolds()
    assert decode_control(b'{"type":"reset_holds"}') == ResetHolds()


@pytest.mark.parametrize("name", ["pause_output", "resume_output", "get_status", "stop"])
def test_every_plain_control_is_taken_on_the_control_socket(name: str) -> None:
    control = decode_control(json.dumps({"type": name}).encode())
    assert msgspec.to_builtins(control) == {"type": name}


def test_parameters_may_be_given_in_part() -> None:
    route: dict[str, object] = {"problem": {"holds": []}}
    data = json.dumps({"type": "update_parameters", "touch_duration": 1, "route": route}).encode()
    assert decode_control(data) == UpdateParameters(touch_duration=1.0, route=route)
    assert decode_control(b'{"type":"update_parameters"}') == UpdateParameters()


@pytest.mark.parametrize(
    "rules",
    [
        b'"touch_duration":1,"proximity_threshold":60',
        b'"parameters":{"touch_duration":1,"proximity_threshold":60}',
        b'"touch_duration":1,"parameters":{"touch_duration":7,"proximity_threshold":60}',
        b'"touch_duration":1,"proximity_threshold":60,"parameters":null',
    ],
)
def test_rules_may_stand_beside_the_type_or_inside_and_beside_it_counts(rules: bytes) -> None:
    control = decode_control(b'{"type":"update_parameters",' + rules + b"}")
    assert isinstance(control, UpdateParameters)
    assert control.asked == Parameters(touch_duration=1.0, proximity_threshold=60.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-json"),
        (b"{}", "missing-field"),
        (b"[]", "wrong-type"),
        (b'{"type":3}', "wrong-type"),
        (b'{"type":"shutdown"}', "unknown-control"),
        (message(), "pose-on-control"),
        (b'{"type":"update_parameters","touch_duration":"1"}', "wrong-type"),
        (b'{"type":"update_parameters","touch_duration":1e999}', "out-of-range"),
        (b'{"type":"update_parameters","touch_duration":NaN}', "not-finite"),
        (b'{"type":"update_parameters","route":3}', "wrong-type"),
        (b'{"type":"update_parameters","parameters":{"touch_duration":"1"}}', "wrong-type"),
        (b'{"type":"update_parameters","parameters":[]}', "wrong-type"),
        (b'{"type":"update_parameters","route":' + b'{"a":' * 50_000, "too-deep"),
        (b" " * (MAX_MESSAGE_BYTES + 1), "too-large"),
    ],
)
def test_each_bad_control_has_its_reason(data: bytes, reason: str) -> None:
    assert refusal(data, decode_control) == reason


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["pose", "reset_holds", "update_parameters", "ack"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "timestamp", "landmarks", "x", "stream", "seq", "session", "holds"]),
            inner,
        )
    ),
    max_leaves=12,
)


def spoil(data: bytes, at: int, byte: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([byte]) + data[at + 1 :]


spoiled = st.builds(
    spoil, st.sampled_from([message(), b'{"type":"stop"}']), st.integers(0, 5000), st.integers(0, 255)
)


@given(st.binary() | st.builds(lambda v: json.dumps(v).encode(), anything) | spoiled)
@example(b'{"type":"\\udc00"}')
@example(b'{"a":' * 5000 + b"1" + b"}" * 5000)
def test_nothing_but_a_bad_message_escapes_whatever_comes(data: bytes) -> None:
    for decode in (decode_input, decode_control, decode_output):
        try:
            decode(data)
        except BadMessage as bad:
            assert bad.reason.replace("-", "").isalnum()  # noqa: PT017 - not raising is right as well
            assert bad.detail.isprintable()  # noqa: PT017
    decode_ack(data)


def test_an_ack_is_decoded() -> None:
    assert decode_ack(b'{"type":"ack","stream":"ab12","seq":5}') == Ack("ab12", 5, "ack")
    assert decode_ack(encode_ack("ab12", 5)) == Ack("ab12", 5, "ack")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'"ack"',
        b'{"type":"ack"',
        b'{"type":"ack","stream":"a"}',
        b'{"type":"ack","stream":"a","seq":-1}',
        b'{"type":"ack","stream":"a","seq":"1"}',
        b'{"type":"nack","stream":"ack","seq":1}',
        b'{"type":"ack","stream":"\xff","seq":1}',
        b'{"type":"ack","stream":"' + b"a" * 15_000 + b'","seq":1}',
    ],
)
def test_anything_else_is_no_ack(data: bytes) -> None:
    assert decode_ack(data) is None


def test_an_echo_is_told_from_an_ack_without_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(messages, "_ack_decoder")
    assert decode_ack(b'{"type":"ack",' + b" " * 15_000 + b"}") is None
    assert decode_ack(b'{"type":"echo"}') is None


def test_an_output_is_decoded_without_its_pose() -> None:
    hold = {"id": "hold_1", "type": "start", "status": "touched", "time": "2025-11-16T19:30:45.123Z"}
    session = {"holds": [hold], "startTime": "a", "endTime": None, "status": "started"}
    out = decode_output(
        json.dumps({"session": session, "pose": "skipped", "reset": True, "stream": "s", "seq": 9}).encode()
    )
    assert (out.stream, out.seq, out.reset) == ("s", 9, True)
    assert out.session is not None
    assert (out.session.start_time, out.session.end_time, out.session.status) == ("a", None, "started")
    assert msgspec.to_builtins(out.session.holds) == (hold,)


def test_an_output_without_stream_or_number_is_refused() -> None:
    assert refusal(b'{"session":{"status":"started"},"seq":1}', decode_output) == "missing-field"
    assert refusal(b'{"session":{"status":"started"},"stream":"s"}', decode_output) == "missing-field"


def test_a_reply_is_an_output_with_a_type_and_no_session() -> None:
    out = decode_output(encode_reply(Reply("status_response", {"paused": False}), stream="s", seq=4))
    assert (out.type, out.session, out.stream, out.seq) == ("status_response", None, "s", 4)


def test_a_control_may_have_fields_that_nobody_knows() -> None:
    assert decode_control(b'{"type":"get_status","x":1}') == GetStatus()


def test_times_are_iso_8601_utc_with_milliseconds() -> None:
    assert iso_time(1763321445123) == "2025-11-16T19:30:45.123Z"
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(1763321445123.9) == "2025-11-16T19:30:45.123Z"
    assert iso_time(MAX_TIMESTAMP_MS) == "9999-12-31T23:59:59.999Z"


@given(st.integers(0, MAX_TIMESTAMP_MS))
def test_a_time_comes_back_from_iso_8601(ms: int) -> None:
    assert parse_iso_time(iso_time(ms)) == ms


def test_an_iso_time_is_read_with_and_without_an_offset() -> None:
    assert parse_iso_time("1970-01-01T01:00:00+01:00") == 0
    assert parse_iso_time("1970-01-01T00:00:01") == 1000
    with pytest.raises(ValueError, match="noon"):
        parse_iso_time("noon")
