"""What an output shows of the body on the wall, in one number.                                              pure"""

from collections.abc import Iterable
from itertools import chain
from operator import mul

import msgspec


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where one landmark is."""

    x: float
    y: float
    z: float
    visibility: float


_LANDMARKS = 64
"""Those that have a weight. A body has 33, and two hand points."""
_WEIGHTS = tuple(n * factor for n in range(1, _LANDMARKS + 1) for factor in (1.0, 1.7, 2.3, 3.1))
_decode = msgspec.json.Decoder(list[Place] | None).decode


def shown_pose(pose: msgspec.Raw | bytes) -> float | None:
    """The `pose_sum` of an output's pose, as JSON; None where it is none that can be read. Never raises."""
    try:
        places = _decode(pose)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if places is None else pose_sum(places)


def pose_sum(pose: Iterable[Place]) -> float:
    """All numbers of a pose in one sum, each with a weight of its own: a landmark that is elsewhere, absent, added or in
    another's place makes another sum. Of more than 64 landmarks, those beyond count for nothing but their number.
    """
    places = list(pose)
    numbers: Iterable[float] = chain.from_iterable(map(msgspec.structs.astuple, places))
    weighed: float = sum(map(mul, _WEIGHTS, numbers))
    return weighed + len(places) * (len(places) + 1) / 2
