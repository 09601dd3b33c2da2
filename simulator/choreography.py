"""The cycle of a climb: stand, go up the route hand by hand, match on the last hold, climb down.            pure"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from simulator.body import TORSO, Point, Stance, stance

_STAND_S, _RAISE_S, _TOP_S, _DOWN_S = 1.0, 0.7, 0.5, 0.3
_Pair: TypeAlias = tuple[Point, Point]  # left, right


class Key(NamedTuple):
    """The stance at `at` seconds into the cycle, and how far each hand leaves the wall on the way to it."""

    at: float
    stance: Stance
    left_lift: float = 0.0
    right_lift: float = 0.0

    @property
    def hands(self) -> _Pair:
        """The left and the right hand point."""
        s = self.stance
        return (s.left_hand_x, s.left_hand_y), (s.right_hand_x, s.right_hand_y)


def choreography(
    route: Sequence[Point], hand: int, ground: float, dwell_s: float, reach_s: float
) -> tuple[list[Key], float]:
    """The cycle's keys, the first at 0 s, and when the last hold of `route` has been dwelt on.

    `hand` takes the first hold, 0 for left and 1 for right, then hands take turns; `ground` is where the feet
    begin. Between two keys everything moves by one factor, in straight lines.
    """
    foot_of_wall = route[0][0]
    on_ground = (foot_of_wall - 130.0, ground), (foot_of_wall + 130.0, ground)
    chest = ground - TORSO - 790.0

    def arms(aside: float, below: float) -> Stance:
        hands = (foot_of_wall - aside, chest + below), (foot_of_wall + aside, chest + below)
        return stance(hands, (foot_of_wall, chest), on_ground)

    dance = _Choreography(arms(300.0, 565.0))
    dance.hold_still(_STAND_S)
    dance.move(arms(710.0, 40.0), _RAISE_S)  # outwards, or the elbows would have to cross the chest
    feet, hands = on_ground, _matched(route[0])
    dance.move(stance(hands, _chest(hands), feet), _RAISE_S)
    for i, hold in enumerate(route[1:], 1):
        mover = (hand + i) % 2
        target = _matched(hold)[mover] if i == len(route) - 1 else hold
        reached = _with(hands, mover, target)
        feet = dance.dwell_and_step(
            hands, feet, _between(_chest(hands), _chest(reached), 0.3), mover, dwell_s
        )
        hands = reached
        dance.move(stance(hands, _chest(hands), feet), reach_s)
    dance.hold_still(dwell_s * 0.3)
    last, hands = hands, _matched(route[-1])
    # Rising all the way would ask for longer legs: the feet stay where they are.
    dance.move(stance(hands, _between(_chest(last), _chest(hands), 0.3), feet), dwell_s * 0.4)
    dance.hold_still(dwell_s * 0.3)
    climb_s = dance.keys[-1].at
    dance.hold_still(_TOP_S)
    for key in reversed(dance.keys[:-1]):
        if key.stance != dance.keys[-1].stance:
            dance.move(key.stance, _DOWN_S)
    return dance.keys, climb_s


class _Choreography:
    """Collects keys: each move starts where the one before ended."""

    def __init__(self, first: Stance) -> None:
        self.keys = [Key(0.0, first)]

    def hold_still(self, seconds: float) -> None:
        last = self.keys[-1]
        self.keys.append(Key(last.at + seconds, last.stance))

    def move(self, to: Stance, seconds: float) -> None:
        last = self.keys[-1]
        lifts = [
            0.05 if abs(u[0] - v[0]) + abs(u[1] - v[1]) > 60 else 0.0
            for u, v in zip(last.hands, Key(0.0, to).hands, strict=True)
        ]
        self.keys.append(Key(last.at + seconds, to, *lifts))

    def dwell_and_step(self, hands: _Pair, feet: _Pair, chest: Point, first: int, seconds: float) -> _Pair:
        """Hang, then step up with one foot after the other, the body rising to `chest`; the new feet."""
        self.hold_still(seconds * 0.45)
        start = self.keys[-1].stance.chest
        below = chest[1] + TORSO + 540.0
        steps = (chest[0] - 190.0, below), (chest[0] + 190.0, below - 50.0)
        for share, foot, length in ((0.5, first, 0.3), (1.0, 1 - first, 0.25)):
            feet = _with(feet, foot, steps[foot])
            self.move(stance(hands, _between(start, chest, share), feet), seconds * length)
        return feet


def _matched(hold: Point) -> _Pair:
    """Where the left and the right hand share a hold."""
    return (hold[0] - 22.0, hold[1]), (hold[0] + 22.0, hold[1])


def _chest(hands: _Pair) -> Point:
    """The middle of the shoulders below hands that hold: both in reach, the lower arm bent."""
    (lx, ly), (rx, ry) = hands
    return (lx + rx) / 2, (ly + ry) / 2 + 340.0


def _with(pair: _Pair, index: int, point: Point) -> _Pair:
    return (point, pair[1]) if index == 0 else (pair[0], point)


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
