"""Bad input messages, each bad in one way of its own.

A kind's name is the reason for which `tracker.messages.decode_input` refuses it.

The rules are our own, and hypothesis is not asked at run time: what it generates for a seed depends on its version, on
what it finds costly, and on a database of examples, so a run that it feeds could not be told by its seed. The tests hold the
two together: every kind is met by what hypothesis thinks of, and every reason that it meets is a kind.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from random import Random
from types import MappingProxyType
from typing import Any
from zlib import Z_FULL_FLUSH, compressobj

from tracker.messages import MAX_MESSAGE_BYTES, MAX_TIMESTAMP_MS

LARGEST = 2 * MAX_MESSAGE_BYTES
"""Bytes of padding that a message of the kind `too-large` has at most."""
_HEAD, _MEGABYTE, _TAIL = b'{"type":"pose"', b" " * 1_000_000, b"}"
_FLUSHED = b"\x00\x00\xff\xff"  # what a compressed message leaves out of its end (RFC 7692, section 7.2.1)
_DEEP = 100_000  # arrays inside each other: half a megabyte at most, and no parser's stack is as deep
_FIELDS = ("x", "y", "z", "visibility")


def huge(megabytes: int) -> bytes:
    """One bad message of so many million bytes, and a few."""
    return b"".join((_HEAD, _MEGABYTE * megabytes, _TAIL))


def bomb(megabytes: int) -> bytes:
    """The same, compressed by itself as RFC 7692 has it, in a thousandth of the bytes."""
    return b"".join((_squeezed(_HEAD), _squeezed(_MEGABYTE) * megabytes, _squeezed(_TAIL))).removesuffix(
        _FLUSHED
    )


def _squeezed(piece: bytes) -> bytes:
    squeeze = compressobj(wbits=-15)
    return squeeze.compress(piece) + squeeze.flush(Z_FULL_FLUSH)


def bad_messages(kinds: Sequence[str], rng: Random) -> Iterator[bytes]:
    """Messages without end, of each of `kinds` in turn. KeyError: a kind that is not among `KINDS`."""
    makers = [_MAKERS[kind] for kind in kinds]
    return (make(rng) for make in cycle(makers))


def _pose(rng: Random) -> dict[str, Any]:
    """A good pose for the others to spoil. It is not from the climb: whoever takes it by mistake, is seen to."""
    return {
        "type": "pose",
        "timestamp": 1_763_000_000_000 + rng.randrange(1_000_000_000),
        "width": 720,
        "height": 1280,
        "landmarks": [{name: round(rng.random(), 5) for name in _FIELDS} for _ in range(33)],
    }


def _text(pose: object) -> bytes:
    return json.dumps(pose, separators=(",", ":")).encode()


def _not_json(rng: Random) -> bytes:
    whole = _text(_pose(rng))
    return whole[: rng.randrange(len(whole))]


def _not_utf8(rng: Random) -> bytes:
    before, colon, after = _text(_pose(rng)).partition(b'"x":')
    return before + colon + bytes([rng.randrange(0x80, 0x100)]) + after


def _wrong_type(rng: Random) -> bytes:
    pose = _pose(rng)
    match rng.randrange(4):
        case 0:
            pose["timestamp"] = str(pose["timestamp"])
        case 1:
            pose["landmarks"][rng.randrange(33)][rng.choice(_FIELDS)] = rng.choice(
                ["0.5", None, [], {}, True]
            )
        case 2:
            pose["landmarks"] = {"x": 0.5}
        case _:
            return _text(rng.choice([[pose], 7, "pose", None]))
    return _text(pose)


def _missing_field(rng: Random) -> bytes:
    pose = _pose(rng)
    if rng.random() < 0.5:
        del pose[rng.choice(["timestamp", "landmarks"])]
    else:
        del pose["landmarks"][rng.randrange(33)][rng.choice(_FIELDS)]
    return _text(pose)


def _not_33_landmarks(rng: Random) -> bytes:
    pose = _pose(rng)
    count = rng.choice([0, 1, 32, 34, 66])
    pose["landmarks"] = (pose["landmarks"] * 2)[:count]
    return _text(pose)


def _not_finite(rng: Random) -> bytes:
    pose = _pose(rng)
    number = rng.choice([float("nan"), float("inf"), float("-inf")])
    pose["landmarks"][rng.randrange(33)][rng.choice(_FIELDS)] = number
    return _text(pose)


def _out_of_range(rng: Random) -> bytes:
    pose = _pose(rng)
    if rng.random() < 0.5:
        pose["timestamp"] = rng.choice([-1, MAX_TIMESTAMP_MS + 1 + rng.randrange(1000)])
    else:
        pose["landmarks"][rng.randrange(33)][rng.choice(_FIELDS)] = rng.choice([-1, 1]) * rng.uniform(
            1e4, 1e300
        )
    return _text(pose)


def _too_large(rng: Random) -> bytes:
    # Up to 2 MB: most of them are beyond the 1 MiB at which many a library ends the connection.
    return _text(_pose(rng)) + b" " * rng.randrange(MAX_MESSAGE_BYTES, LARGEST)


def _too_deep(rng: Random) -> bytes:
    depth = _DEEP + rng.randrange(1000)
    return b'{"note":' + b"[" * depth + b"]" * depth + b"," + _text(_pose(rng))[1:]


def _unknown_type(rng: Random) -> bytes:
    return _text({**_pose(rng), "type": f"{rng.choice(['Pose', 'hello', 'ping', ''])}{rng.randrange(1000)}"})


def _control_on_input(rng: Random) -> bytes:
    # Whoever obeys it by mistake, is seen to.
    return _text(
        {"type": rng.choice(["stop", "pause_output", "resume_output", "get_status", "update_parameters"])}
    )


_MAKERS: Mapping[str, Callable[[Random], bytes]] = MappingProxyType(
    {
        "not-json": _not_json,
        "not-utf8": _not_utf8,
        "wrong-type": _wrong_type,
        "missing-field": _missing_field,
        "not-33-landmarks": _not_33_landmarks,
        "not-finite": _not_finite,
        "out-of-range": _out_of_range,
        "too-large": _too_large,
        "too-deep": _too_deep,
        "unknown-type": _unknown_type,
        "control-on-input": _control_on_input,
    }
)
KINDS = tuple(_MAKERS)
