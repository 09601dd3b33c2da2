"""What an output shows of the body on the wall, in one number.                                              pure"""

from collections.abc import Iterable
from itertools import count

import msgspec


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where one landmark is."""

    x: float
    y: float
    z: float
    visibility: float


class _Output(msgspec.Struct, frozen=True):
    pose: list[Place] | None = None


_decoder = msgspec.json.Decoder(_Output)


def shown_pose(output: bytes) -> float | None:
    """The `pose_sum` of an output's pose; None where it has none that can be read. Never raises."""
    try:
        pose = _decoder.decode(output).pose
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if pose is None else pose_sum(pose)


def pose_sum(pose: Iterable[Place]) -> float:
    """All numbers of a pose in one sum, each with a weight of its own: a landmark that is elsewhere, absent, added or in
    another's place makes another sum.
    """
    total = 0.0
    for weight, place in zip(count(1), pose, strict=False):
        total += weight * (place.x + 1.7 * place.y + 2.3 * place.z + 3.1 * place.visibility + 1.0)
    return total
