"""What a client sends on that has no output of its own to send: the frame as it came.                       pure"""

import msgspec

RELAY = "relay"
"""The stream of relayed frames; a frame's `sequence` is its `seq`."""


class _Frame(msgspec.Struct, frozen=True, gc=False):
    sequence: int
    landmarks: msgspec.Raw


_decoder = msgspec.json.Decoder(_Frame)


def relayed_sequence(data: bytes) -> int | None:
    """The `sequence` of a pose, however it is spelt; None for anything else. Never raises."""
    try:
        sequence = _decoder.decode(data).sequence
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return sequence if sequence >= 0 else None
