"""The homography from image to wall, and the hand points that it yields.                                    pure"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist, hypot, isfinite
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tracker.config import ConfigError
from tracker.messages import BadMessage, Landmark

LEFT_HAND = 33
RIGHT_HAND = 34

# Wrist, pinky, index, thumb and elbow, as MediaPipe numbers them.
_LEFT = (15, 17, 19, 21, 13)
_RIGHT = (16, 18, 20, 22, 14)

_Row = tuple[float, float, float]


class CalibrationError(ConfigError):
    """A calibration that cannot be used; one complete line."""


class Unmappable(BadMessage):
    """A pose that the calibration maps to infinity; the frame is skipped and counted like a bad message."""

    def __init__(self, detail: str) -> None:
        super().__init__("unmappable", detail)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A homography, normalised image 0..1 to normalised wall 0..1, and how far a hand reaches beyond its palm.

    Raises `CalibrationError` for a matrix with a number that is not finite or without an inverse, and for an
    extension that is negative or not finite.
    """

    matrix: tuple[_Row, _Row, _Row]
    hand_extension_percent: float = 20.0

    def __post_init__(self) -> None:
        if not all(isfinite(value) for row in self.matrix for value in row):
            raise CalibrationError(
                f"perspective_transform is {self.matrix}: every number must be finite; calibrate again"
            )
        if _is_singular(self.matrix):
            raise CalibrationError(
                f"perspective_transform is {self.matrix}: it has no inverse, so it maps the whole image"
                " onto a line; calibrate again with four points of which no three are in a line"
            )
        if not 0 <= self.hand_extension_percent < float("inf"):
            raise CalibrationError(
                f"hand_extension_percent is {self.hand_extension_percent!r}: it must be 0 or more; 20 is usual"
            )

    def map(self, landmarks: Sequence[Landmark]) -> list[Landmark]:
        """Map a body's 33 landmarks onto the wall and append its hand points, 33 (left) and 34 (right).

        z and visibility of the 33 are left alone. Raises `Unmappable` where any result is not finite.
        """
        (a, b, c), (d, e, f), (g, h, i) = self.matrix
        mapped = []
        total = 0.0  # infinity and NaN survive addition, so one look at the sum covers all
        try:
            for p in landmarks:
                x = p.x
                y = p.y
                w = g * x + h * y + i
                u = (a * x + b * y + c) / w
                v = (d * x + e * y + f) / w
                total += u + v
                mapped.append(Landmark(u, v, p.z, p.visibility))
        except ZeroDivisionError:
            raise Unmappable(f"landmark {len(mapped)} lies on the calibration's horizon (w = 0)") from None
        extension = self.hand_extension_percent / 100
        left = _hand(mapped, _LEFT, extension)
        right = _hand(mapped, _RIGHT, extension)
        if not isfinite(total + left.x + left.y + left.z + right.x + right.y + right.z):
            raise Unmappable("the calibration maps a landmark to infinity")
        mapped.append(left)
        mapped.append(right)
        return mapped


def parse_calibration(data: bytes) -> Calibration:
    """Parse a calibration file. Raises `CalibrationError`."""
    try:
        file = msgspec.json.decode(data, type=_File)
        return Calibration(file.perspective_transform, file.hand_extension_percent)
    except msgspec.ValidationError as error:
        raise CalibrationError(
            f"{error}; it needs perspective_transform (3 rows of 3 numbers) and may have"
            " hand_extension_percent (0 or more)"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalibrationError(
            f"not JSON ({error}); NaN and Infinity are no JSON numbers either, export it again"
        ) from None


class _File(Struct):
    perspective_transform: tuple[_Row, _Row, _Row]
    hand_extension_percent: Annotated[float, Meta(ge=0)] = 20.0


def _hand(body: list[Landmark], side: tuple[int, int, int, int, int], extension: float) -> Landmark:
    """The palm, moved on in the forearm's direction by a share of the hand's width."""
    wrist, pinky, index, thumb, elbow = [body[landmark] for landmark in side]
    x = (wrist.x + pinky.x + index.x + thumb.x) / 4
    y = (wrist.y + pinky.y + index.y + thumb.y) / 4
    z = (wrist.z + pinky.z + index.z + thumb.z) / 4
    visibility = min(wrist.visibility, pinky.visibility, index.visibility, thumb.visibility)
    dx = x - elbow.x
    dy = y - elbow.y
    dz = z - elbow.z
    forearm = hypot(dx, dy, dz)
    if forearm == 0:  # no direction to reach in: the palm itself
        return Landmark(x, y, z, visibility)
    width = dist((pinky.x, pinky.y, pinky.z), (index.x, index.y, index.z))
    reach = width * extension
    return Landmark(x + dx / forearm * reach, y + dy / forearm * reach, z + dz / forearm * reach, visibility)


def _is_singular(matrix: tuple[_Row, _Row, _Row]) -> bool:
    # Measured against the largest determinant that rows of these lengths can have, so that scale is no matter.
    rows = [hypot(*row) for row in matrix]
    if 0 in rows:
        return True
    (a, b, c), (d, e, f), (g, h, i) = [
        [value / size for value in row] for row, size in zip(matrix, rows, strict=True)
    ]
    return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) < 1e-12
