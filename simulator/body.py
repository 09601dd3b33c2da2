"""From a stance to the 33 landmarks of MediaPipe Pose.                                       pure

The climber faces the wall and the camera sees the back, so the body's left is the picture's left. Lengths
are wall units, near a millimetre each on the walls drawn here; y grows downwards. Limbs keep their lengths:
elbows and knees follow from two-bone inverse kinematics.
"""

from math import cos, hypot, sin, sqrt
from typing import NamedTuple, TypeAlias

Point: TypeAlias = tuple[float, float]

SHOULDER_HALF_WIDTH = 165.0
HIP_HALF_WIDTH = 105.0
TORSO = 470.0
ARM = (280.0, 315.0)  # to the elbow, and from there to the point that touches, some 60 beyond the wrist
LEG = (420.0, 405.0)

# From the wrist along the forearm and towards the thumb. The four's mean lies 11 units towards the thumb and
# 50.5 along; with an extension of 20 % the hand point is some 11.5 units further along (9 to 17, for it is
# reckoned in normalised coordinates, where the wall is not square).
_INDEX, _PINKY, _THUMB = (88.0, 28.0), (76.0, -30.0), (38.0, 46.0)
_POINT_ALONG, _POINT_ACROSS = 62.0, 11.0

# Right and up of the nose, and z: the eyes, ears and mouth of landmarks 0 to 10.
_FACE = (
    (0.0, 0.0, -0.16),
    (-14.0, 32.0, -0.15),
    (-26.0, 33.0, -0.15),
    (-38.0, 32.0, -0.15),
    (14.0, 32.0, -0.15),
    (26.0, 33.0, -0.15),
    (38.0, 32.0, -0.15),
    (-72.0, 12.0, -0.1),
    (72.0, 12.0, -0.1),
    (-22.0, -38.0, -0.14),
    (22.0, -38.0, -0.14),
)
_NECK_AND_CHIN = 225.0


class Stance(NamedTuple):
    """Where the body's ends are. Flat, because it is interpolated for every frame."""

    left_shoulder_x: float
    left_shoulder_y: float
    right_shoulder_x: float
    right_shoulder_y: float
    left_hand_x: float
    left_hand_y: float
    right_hand_x: float
    right_hand_y: float
    left_hip_x: float
    left_hip_y: float
    right_hip_x: float
    right_hip_y: float
    left_foot_x: float
    left_foot_y: float
    right_foot_x: float
    right_foot_y: float

    @property
    def chest(self) -> Point:
        """The middle of the shoulders."""
        return (
            (self.left_shoulder_x + self.right_shoulder_x) / 2,
            (self.left_shoulder_y + self.right_shoulder_y) / 2,
        )


def stance(hands: tuple[Point, Point], chest: Point, feet: tuple[Point, Point]) -> Stance:
    """A stance from its left and right hand points, the middle of the shoulders, and both ankles.

    The shoulders tilt to the higher hand, and the hips lean towards the feet.
    """
    (left_hand, right_hand), (left_foot, right_foot) = hands, feet
    tilt = max(-0.2, min(0.2, 0.0006 * (left_hand[1] - right_hand[1])))
    x, y = chest
    lean = max(-120.0, min(120.0, 0.3 * ((left_foot[0] + right_foot[0]) / 2 - x)))
    hip_x, hip_y = x + lean, y + sqrt(TORSO * TORSO - lean * lean)
    across, rise = SHOULDER_HALF_WIDTH * cos(tilt), SHOULDER_HALF_WIDTH * sin(tilt)
    hip_across, hip_rise = HIP_HALF_WIDTH * cos(0.4 * tilt), -HIP_HALF_WIDTH * sin(0.4 * tilt)
    return Stance(
        *(x - across, y + rise, x + across, y - rise),
        *left_hand,
        *right_hand,
        *(hip_x - hip_across, hip_y + hip_rise, hip_x + hip_across, hip_y - hip_rise),
        *left_foot,
        *right_foot,
    )


def landmarks(stance: Stance, left_lift: float, right_lift: float) -> list[tuple[float, float, float]]:
    """The 33 landmarks as (x, y, z): x and y in wall units, z on the scale of a picture's width.

    `left_lift` and `right_lift` say how far each hand is off the wall, on the scale of z.
    """
    (lsx, lsy, rsx, rsy, lhx, lhy, rhx, rhy, lpx, lpy, rpx, rpy, lfx, lfy, rfx, rfy) = stance
    left_elbow = _joint((lsx, lsy), (lhx, lhy), ARM, -1.0)
    right_elbow = _joint((rsx, rsy), (rhx, rhy), ARM, 1.0)
    left_knee = _joint((lpx, lpy), (lfx, lfy), LEG, 1.0)
    right_knee = _joint((rpx, rpy), (rfx, rfy), LEG, -1.0)
    left_wrist, left_pinky, left_index, left_thumb = _hand(left_elbow, lhx, lhy, 1.0, left_lift)
    right_wrist, right_pinky, right_index, right_thumb = _hand(right_elbow, rhx, rhy, -1.0, right_lift)
    return [
        *_face((lsx + rsx) / 2, (lsy + rsy) / 2, (lpx + rpx) / 2, (lpy + rpy) / 2),
        (lsx, lsy, -0.1),
        (rsx, rsy, -0.1),
        (*left_elbow, -0.13),
        (*right_elbow, -0.13),
        left_wrist,
        right_wrist,
        left_pinky,
        right_pinky,
        left_index,
        right_index,
        left_thumb,
        right_thumb,
        (lpx, lpy, 0.0),
        (rpx, rpy, 0.0),
        (*left_knee, -0.08),
        (*right_knee, -0.08),
        (lfx, lfy, 0.06),
        (rfx, rfy, 0.06),
        (lfx + 14.0, lfy + 36.0, 0.07),
        (rfx - 14.0, rfy + 36.0, 0.07),
        (lfx - 68.0, lfy + 40.0, 0.02),
        (rfx + 68.0, rfy + 40.0, 0.02),
    ]


def _joint(begin: Point, end: Point, bones: Point, bend: float) -> Point:
    """The elbow or knee of two bones between two points; `bend` is the side it goes to.

    Points too far apart leave the limb straight and its second bone stretched: stances are chosen so that
    only the sway of the body ever asks for that, by a few units.
    """
    first, second = bones
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    apart = hypot(dx, dy) or 1e-9
    reach = max(abs(first - second), min(first + second, apart))
    along = (first * first - second * second + reach * reach) / (2.0 * reach)
    aside = bend * sqrt(max(0.0, first * first - along * along))
    dx, dy = dx / apart, dy / apart
    return begin[0] + dx * along - dy * aside, begin[1] + dy * along + dx * aside


def _hand(
    elbow: Point, x: float, y: float, thumb_side: float, lift: float
) -> tuple[tuple[float, float, float], ...]:
    """Wrist, pinky, index and thumb of the hand whose touching point is (x, y)."""
    dx, dy = x - elbow[0], y - elbow[1]
    length = hypot(dx, dy)
    dx, dy = dx / length, dy / length
    nx, ny = -dy * thumb_side, dx * thumb_side
    wx = x - dx * _POINT_ALONG - nx * _POINT_ACROSS
    wy = y - dy * _POINT_ALONG - ny * _POINT_ACROSS
    z = -0.15 - lift
    return (
        (wx, wy, z),
        *((wx + dx * u + nx * v, wy + dy * u + ny * v, z - 0.01) for u, v in (_PINKY, _INDEX, _THUMB)),
    )


def _face(neck_x: float, neck_y: float, hip_x: float, hip_y: float) -> list[tuple[float, float, float]]:
    """Landmarks 0 to 10: the head goes on where the spine points."""
    ux, uy = neck_x - hip_x, neck_y - hip_y
    length = hypot(ux, uy)
    ux, uy = ux / length, uy / length
    nose_x, nose_y = neck_x + ux * _NECK_AND_CHIN, neck_y + uy * _NECK_AND_CHIN
    return [(nose_x - uy * r + ux * u, nose_y + ux * r + uy * u, z) for r, u, z in _FACE]
