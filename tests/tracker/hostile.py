"""Messages as they come from somebody who means no good, or has a bug: what hypothesis can think of.

They are shaped like poses and controls, almost like them, and unlike them. Beside `simulator.garbage`, which makes
bad messages for scenarios by rules of its own.
"""

import copy
import json
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from tracker.messages import MAX_MESSAGE_BYTES

FIELDS = ("x", "y", "z", "visibility")
POSE: dict[str, Any] = {
    "type": "pose",
    "timestamp": 1_763_000_000_000,
    "width": 720,
    "height": 1280,
    "sequence": 7,
    "landmarks": [dict.fromkeys(FIELDS, 0.5) for _ in range(33)],
}
CONTROLS = ("reset_holds", "pause_output", "resume_output", "get_status", "update_parameters")
"""All but `stop`, which is obeyed."""

Place = tuple[str | int, ...]
places: st.SearchStrategy[Place] = st.sampled_from([(name,) for name in POSE]) | st.tuples(
    st.just("landmarks"), st.integers(0, 32), st.sampled_from(FIELDS)
)


class Long(bytes):
    """Bytes of which hypothesis shows only the begin."""

    def __repr__(self) -> str:
        return f"Long({bytes(self[:20])!r}... {len(self)} bytes)"


def _text(document: Any) -> bytes:
    return Long(json.dumps(document).encode())


def _with(place: Place, value: Any) -> bytes:
    pose = copy.deepcopy(POSE)
    *way, last = place
    inner: Any = pose
    for step in way:
        inner = inner[step]
    inner[last] = value
    return _text(pose)


def _without(place: Place) -> bytes:
    pose = copy.deepcopy(POSE)
    *way, last = place
    inner: Any = pose
    for step in way:
        inner = inner[step]
    del inner[last]
    return _text(pose)


def _changed(message: bytes, at: int, byte: int) -> bytes:
    at %= len(message)
    return Long(message[:at] + bytes([byte]) + message[at + 1 :])


numbers = (
    st.integers()
    | st.floats()
    | st.integers(-(10**400), 10**400)
    | st.sampled_from([nan, inf, -inf, 1e308, -1e308, 5e-324, 2**63, 2**64, -(2**63) - 1])
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(["pose", *CONTROLS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
whole = st.just(_text(POSE))

poses = (
    whole
    | st.builds(_with, places, anything | numbers)
    | st.builds(_without, places)
    | st.integers(0, 70).map(lambda count: _text({**POSE, "landmarks": POSE["landmarks"][:1] * count}))
    | st.text(max_size=8).map(lambda kind: _text({**POSE, "type": kind}))
)
broken = (
    st.binary(max_size=60)
    | st.builds(lambda end: Long(_text(POSE)[:end]), st.integers(0, 2000))
    | st.builds(_changed, whole, st.integers(0, 2000), st.integers(0, 255))
    | st.builds(_changed, whole, st.integers(0, 2000), st.integers(128, 255))
)
# Well below the depth at which a parser gives up, or well above: at it, the caller's own stack decides.
depths = st.integers(1, 100) | st.integers(100_000, 101_000)
bulky = st.builds(
    lambda size: Long(_text(POSE) + b" " * size),
    st.integers(0, 1000) | st.integers(MAX_MESSAGE_BYTES - 1000, MAX_MESSAGE_BYTES),
) | st.builds(
    lambda depth, opens: Long(b'{"note":' + opens * depth),
    depths,
    st.sampled_from([b"[", b'{"a":']),
)
controls = st.builds(
    lambda kind, fields: _text({**fields, "type": kind}),
    st.sampled_from(CONTROLS) | st.text(max_size=8),
    st.dictionaries(
        st.sampled_from(["proximity_threshold", "touch_duration", "route"]) | st.text(max_size=5),
        anything
        | numbers
        | st.builds(lambda holds: {"problem": {"holds": holds}}, anything | st.lists(anything, max_size=3))
        | st.builds(lambda hold: {"problem": {"holds": [{"id": hold}]}}, anything),
        max_size=3,
    ),
)
acks = st.builds(
    lambda stream, seq: _text({"type": "ack", "stream": stream, "seq": seq}),
    st.just("test") | st.text(max_size=5) | anything,
    st.integers(-2, 2) | numbers | anything,
)
documents = anything.map(_text)

messages: st.SearchStrategy[bytes] = poses | broken | bulky | controls | acks | documents
batches = st.lists(messages, min_size=1, max_size=15)
