"""A frame's body on the wall, and its hands.                                                                pure"""

from math import isfinite, sqrt
from typing import NamedTuple

import msgspec

from simulator.shown import Place, pose_sum

VISIBLE = 0.2
"""A hand whose visibility is not above this is not there."""
_LEFT = {"wrist": 15, "pinky": 17, "index": 19, "thumb": 21, "elbow": 13}
_RIGHT = {"wrist": 16, "pinky": 18, "index": 20, "thumb": 22, "elbow": 14}


class Frame(msgspec.Struct, frozen=True):
    """An input message, as far as it counts."""

    timestamp: float
    landmarks: list[Place]


class Calibration(msgspec.Struct, frozen=True):
    """The calibration's file."""

    perspective_transform: list[list[float]]
    hand_extension_percent: float = 20.0


class Seen(NamedTuple):
    """What a frame shows on the wall."""

    time_ms: float
    pose: float
    """The `pose_sum` of its 35 landmarks."""
    hands: tuple[Place, ...]
    """Those that are in sight, in 0..1 of the wall."""


def seen(message: bytes, calibration: Calibration) -> Seen | None:
    """None: the calibration sends a landmark to infinity, and the frame does not count."""
    frame = msgspec.json.decode(message, type=Frame)
    try:
        body = [_mapped(place, calibration.perspective_transform) for place in frame.landmarks]
    except ZeroDivisionError:
        return None
    hands = [_hand(body, side, calibration.hand_extension_percent / 100) for side in (_LEFT, _RIGHT)]
    if not all(isfinite(place.x + place.y + place.z) for place in (*body, *hands)):
        return None
    in_sight = tuple(hand for hand in hands if hand.visibility > VISIBLE)
    return Seen(frame.timestamp, pose_sum([*body, *hands]), in_sight)


def _mapped(place: Place, homography: list[list[float]]) -> Place:
    u, v, w = (row[0] * place.x + row[1] * place.y + row[2] for row in homography)
    return Place(u / w, v / w, place.z, place.visibility)


def _hand(body: list[Place], side: dict[str, int], extension: float) -> Place:
    """The palm, moved on from the elbow by a share of the hand's width; by nothing where palm and elbow are one."""
    palm_of = [body[side[part]] for part in ("wrist", "pinky", "index", "thumb")]
    palm = [sum(values) / 4 for values in zip(*map(_coordinates, palm_of), strict=True)]
    forearm = [p - e for p, e in zip(palm, _coordinates(body[side["elbow"]]), strict=True)]
    width = _length(
        [p - i for p, i in zip(*(_coordinates(body[side[part]]) for part in ("pinky", "index")), strict=True)]
    )
    length = _length(forearm)
    reach = width * extension / length if length else 0.0
    x, y, z = (p + f * reach for p, f in zip(palm, forearm, strict=True))
    return Place(x, y, z, min(place.visibility for place in palm_of))


def _coordinates(place: Place) -> tuple[float, float, float]:
    return place.x, place.y, place.z


def _length(vector: list[float]) -> float:
    return sqrt(sum(part * part for part in vector))
