"""Wire formats: typed, validated at the edge, refused with a reason.                                        pure

Whatever bytes a peer sends, they become one of the types below or raise `BadMessage`, and nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tracker.timestamps import LARGEST_NUMBER, LAST_MS, Clock, UnclearTime

MAX_MESSAGE_BYTES = 1_000_000
"""A larger message is refused unread; a pose is about 3 kB."""

MAX_TIMESTAMP_MS = LAST_MS
"""Of a pose. What a message's timestamp may be is for `tracker.timestamps`."""

_MAX_ACK_BYTES = 512

# A limb out of sight is estimated outside the image, never a thousand image widths away.
_Coordinate = Annotated[float, Meta(ge=-1000.0, le=1000.0)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]
_Whole = Annotated[int, Meta(ge=0, le=LARGEST_NUMBER)]
_Real = Annotated[float, Meta(ge=0.0, le=float(LARGEST_NUMBER))]
_Landmarks = Annotated[list["Landmark"], Meta(min_length=33, max_length=33)]
_Count = Annotated[int, Meta(ge=0)]


class BadMessage(ValueError):
    """A message that is skipped and counted.

    `reason` is a short stable word, fit for a counter's key; `detail` is one printable line of bounded
    length, even where it quotes the message.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = "".join(c if c.isprintable() else "?" for c in detail[:200])
        super().__init__(f"{self.reason}: {self.detail}")


# gc=False: these hold numbers only, and there are 68 of them in every frame.
class Landmark(Struct, frozen=True, gc=False):
    """One point of a body. In a message: x and y in 0..1 of the image, z in the scale of x."""

    x: _Coordinate
    y: _Coordinate
    z: _Coordinate
    visibility: _Share


class Pose(Struct, frozen=True, kw_only=True):
    """One frame: 33 landmarks at an epoch time in milliseconds."""

    timestamp: float
    landmarks: list[Landmark]
    sequence: int | None = None
    width: int | float | None = None
    height: int | float | None = None


class _Frame(Struct, frozen=True, kw_only=True):
    """A pose as it comes: its timestamp counts whatever its sender counts."""

    timestamp: _Whole | _Real | str
    landmarks: _Landmarks
    sequence: int | None = None
    width: int | float | None = None
    height: int | float | None = None
    type: Literal["pose"] = "pose"


class ResetHolds(Struct, frozen=True, tag_field="type", tag="reset_holds"):
    """All holds become untouched and a new session starts."""


class PauseOutput(Struct, frozen=True, tag_field="type", tag="pause_output"):
    """Stop sending session state until told otherwise."""


class ResumeOutput(Struct, frozen=True, tag_field="type", tag="resume_output"):
    """Send session state again."""


class GetStatus(Struct, frozen=True, tag_field="type", tag="get_status"):
    """Ask for a `status_response`."""


class Stop(Struct, frozen=True, tag_field="type", tag="stop"):
    """Ask for an orderly stop."""


class Parameters(Struct, frozen=True, kw_only=True):
    """The rules that a control can change. None leaves a rule as it is; the session judges whether values make sense.

    `route` is route JSON, as an object or as text. It is never a path: a peer names no files here.
    """

    proximity_threshold: float | None = None
    touch_duration: float | None = None
    route: dict[str, Any] | str | None = None


class UpdateParameters(Parameters, frozen=True, tag_field="type", tag="update_parameters"):
    """Change the rules, which stand beside the type or, as some servers send them, inside `parameters`."""

    parameters: Parameters | None = None

    @property
    def asked(self) -> Parameters:
        """What is asked for, wherever it stood; where both places give a rule, the one beside the type counts."""
        nested = self.parameters or Parameters()

        def either(beside: Any, inside: Any) -> Any:
            return inside if beside is None else beside

        return Parameters(
            proximity_threshold=either(self.proximity_threshold, nested.proximity_threshold),
            touch_duration=either(self.touch_duration, nested.touch_duration),
            route=either(self.route, nested.route),
        )


Control = ResetHolds | PauseOutput | ResumeOutput | GetStatus | Stop | UpdateParameters

_CONTROLS = frozenset(
    ("reset_holds", "pause_output", "resume_output", "get_status", "stop", "update_parameters")
)


class Ack(Struct, frozen=True, gc=False):
    """A peer has processed everything of `stream` up to and including `seq`."""

    stream: str
    seq: _Count
    type: Literal["ack"]


class HoldState(Struct, frozen=True, gc=False):
    """One hold as an output message shows it; `time` is ISO 8601."""

    id: str
    type: Literal["start", "normal", "finish"]
    status: Literal["untouched", "touched"]
    time: str | None = None


class SessionState(Struct, frozen=True):
    """The session as an output message shows it; `holds` is empty where only touched SVG paths are sent."""

    status: Literal["started", "completed"]
    start_time: str | None = msgspec.field(default=None, name="startTime")
    end_time: str | None = msgspec.field(default=None, name="endTime")
    holds: tuple[HoldState, ...] = ()


class Output(Struct, frozen=True):
    """What a receiver needs of an output message. `session` is None in a control's reply, which has a `type`."""

    stream: str
    seq: _Count
    session: SessionState | None = None
    reset: bool = False
    type: str | None = None
    pose: msgspec.Raw = msgspec.Raw(b"null")
    """As it came: who wants it decodes it."""


class _Envelope(Struct, frozen=True):
    """An `Output` whose session is left as it came."""

    stream: str
    seq: _Count
    session: msgspec.Raw = msgspec.Raw(b"null")
    reset: bool = False
    type: str | None = None
    pose: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a control: what it is, and whatever else it says."""

    type: str
    fields: Mapping[str, object] = field(default_factory=dict)


class _Kind(Struct, frozen=True):
    type: str | None = None


_frame_decoder = msgspec.json.Decoder(_Frame)
_control_decoder = msgspec.json.Decoder(Control)
_kind_decoder = msgspec.json.Decoder(_Kind)
_ack_decoder = msgspec.json.Decoder(Ack)
_output_decoder = msgspec.json.Decoder(Output)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
# Most outputs carry the session of the one before, byte for byte, and it is by far the most of them.
_decode_session = lru_cache(maxsize=1)(msgspec.json.Decoder(SessionState | None).decode)

# All that msgspec 0.20 to 0.22 raises for input: the second for a broken string, the third for deep nesting.
_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_input(data: bytes, clock: Clock | None = None) -> Pose | ResetHolds:
    """Decode a message of the input socket: a pose (`type` may be missing) or `reset_holds`.

    `clock` is the sender's: what its timestamps count is told by those before; without one, by this one's size alone.
    Raises `BadMessage` for everything else, other controls included. A good pose is decoded exactly once.
    """
    _refuse_large(data)
    try:
        frame = _frame_decoder.decode(data)
    except _DECODE_ERRORS as error:
        failure = error
    else:
        return _dated(frame, clock or Clock())
    kind = _kind_of(data)
    if kind == "reset_holds":
        return ResetHolds()
    if kind in _CONTROLS:
        raise BadMessage("control-on-input", f"{kind!r} is taken on the control socket only")
    if kind not in (None, "pose"):
        raise BadMessage("unknown-type", f"type {kind!r} is neither a pose nor reset_holds")
    raise _bad_message(data, failure) from None


def _dated(frame: _Frame, clock: Clock) -> Pose:
    try:
        timestamp = clock.read(frame.timestamp)
    except UnclearTime as unclear:
        raise BadMessage(unclear.reason, str(unclear)) from None
    return Pose(
        timestamp=timestamp,
        landmarks=frame.landmarks,
        sequence=frame.sequence,
        width=frame.width,
        height=frame.height,
    )


def decode_control(data: bytes) -> Control:
    """Decode a message of the control socket. Raises `BadMessage` for everything that is not a control."""
    _refuse_large(data)
    try:
        control: Control = _control_decoder.decode(data)
    except _DECODE_ERRORS as error:
        failure = error
    else:
        return control
    kind = _kind_of(data)
    if kind == "pose":
        raise BadMessage("pose-on-control", "a pose is taken on the input socket only")
    if kind is not None and kind not in _CONTROLS:
        raise BadMessage("unknown-control", f"type {kind!r} is not a control")
    raise _bad_message(data, failure) from None


def decode_ack(data: bytes) -> Ack | None:
    """Decode an acknowledgement; None for anything else. Never raises.

    An endpoint may echo every output back, so what cannot be an ack is told by its size and a search.
    """
    if len(data) > _MAX_ACK_BYTES or b'"ack"' not in data:
        return None
    try:
        return _ack_decoder.decode(data)
    except _DECODE_ERRORS:
        return None


def encode_ack(stream: str, seq: int) -> bytes:
    """Return the acknowledgement of everything of `stream` up to and including `seq`."""
    return msgspec.json.encode(Ack(stream, seq, "ack"))


def decode_output(data: bytes) -> Output:
    """Decode an output message but for its pose, which stays as it came. Raises `BadMessage`.

    An output whose session is spelt like the last one's has the same `session` object.
    """
    _refuse_large(data)
    try:
        it = _envelope_decoder.decode(data)
        return Output(it.stream, it.seq, _decode_session(bytes(it.session)), it.reset, it.type, it.pose)
    except _DECODE_ERRORS:
        pass
    try:
        return _output_decoder.decode(data)  # decoded as a whole, it says where it is wrong
    except _DECODE_ERRORS as error:
        raise _bad_message(data, error) from None


def encode_reply(reply: Reply, *, stream: str, seq: int) -> bytes:
    """Return a control's reply as an output message."""
    return msgspec.json.encode({"type": reply.type, **reply.fields, "stream": stream, "seq": seq})


def iso_time(ms: float) -> str:
    """Return epoch milliseconds as ISO 8601 UTC with milliseconds; parts of a millisecond are cut off."""
    seconds, rest = divmod(int(ms), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def parse_iso_time(text: str) -> int:
    """Return the epoch milliseconds of an ISO 8601 time; one without an offset is UTC.

    Raises `ValueError` for anything else.
    """
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _refuse_large(data: bytes) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadMessage("too-large", f"{len(data)} bytes are more than {MAX_MESSAGE_BYTES}")


def _kind_of(data: bytes) -> str | None:
    """Return the `type` of a message that failed to decode, None where it has none."""
    try:
        return _kind_decoder.decode(data).type
    except _DECODE_ERRORS as error:
        raise _bad_message(data, error) from None


def _bad_message(data: bytes, error: Exception) -> BadMessage:
    text = str(error)
    if isinstance(error, RecursionError):
        return BadMessage("too-deep", "nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return BadMessage(_reason(text), text)
    if at := re.search(r"invalid character \(byte (\d+)\)", text):
        position = int(at[1])
        if data[position : position + 3] in (b"NaN", b"Inf"):
            return BadMessage("not-finite", f"NaN or infinity (byte {position}) is no JSON number")
    try:
        data.decode()
    except UnicodeDecodeError as broken:
        return BadMessage("not-utf8", f"{broken.reason} (byte {broken.start} of {len(data)})")
    return BadMessage("not-json", text)


# msgspec tells its refusals apart by their text only; the tests hold each of these to it.
def _reason(text: str) -> str:
    if "of length" in text and "landmarks" in text:
        return "not-33-landmarks"
    if "out of range" in text or re.search(r"[<>]=? -?\d", text):
        return "out-of-range"
    if "missing required field" in text:
        return "missing-field"
    return "wrong-type"
