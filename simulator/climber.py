"""A seeded body that climbs a seeded wall, frame by frame, for as long as anyone listens.

The climber stands, takes the first hold with both hands, goes up the route hand by hand, matches on the last
hold, climbs down and starts again. Frame k is a function of the seed and k alone.
"""

import json
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as count_from
from itertools import pairwise
from math import pi, sin
from pathlib import Path
from typing import Any, NamedTuple

from simulator.atomic import replacing
from simulator.body import Stance, landmarks
from simulator.choreography import Key, choreography
from simulator.drawn_wall import HEIGHT, WIDTH, Blob, Matrix, camera, draw_blob, scatter, svg

START_MS = 1_700_000_000_000
"""2023-11-14T22:13:20Z: where a climb's message time begins unless told."""

IMAGE_WIDTH, IMAGE_HEIGHT = 720, 1280
MIN_FPS, MAX_FPS, MIN_HOLDS, MAX_HOLDS = 5, 240, 2, 16
CLEARANCE = 110.0
"""A hand point's whole path keeps this far (wall units, less some 10 of sway and rounding) from the outlines
of all holds that are not on the route, and from those on it that the hand is not coming to or leaving."""

_WINDOW_S, _WINDOWS = 4.0, 61  # one hand may drop out of sight once in each window; the pattern repeats
_NOISE = 1009  # prime, so that neighbouring landmarks and frames do not share a rhythm

_FRAME = (
    '{"type":"pose","timestamp":%d,"sequence":%d,"width":'
    f'{IMAGE_WIDTH},"height":{IMAGE_HEIGHT},"landmarks":['
    + ",".join(['{"x":%.5f,"y":%.5f,"z":%.5f,"visibility":%.4f}'] * 33)
    + "]}"
)
_LEFT_HAND, _RIGHT_HAND = (15, 17, 19, 21), (16, 18, 20, 22)


class _Dropout(NamedTuple):
    """One hand out of sight, for a part of a window."""

    begin: float
    end: float
    hand: tuple[int, ...]
    visibility: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """A wall, the camera that looks at it, a route, and the endless stream of frames of its climber."""

    seed: int
    fps: float
    start_ms: int
    wall_svg: str
    calibration: dict[str, Any]
    route: dict[str, Any]
    climb_s: float
    """From the first frame until the last hold of the route has been dwelt on."""
    cycle_s: float
    """From the first frame until the climber stands at the foot of the wall again."""
    _keys: tuple[Key, ...]
    _times: tuple[float, ...]
    _to_image: Matrix
    _sway: tuple[tuple[float, float, float], ...]
    _noise: tuple[float, ...]
    _visibility: tuple[float, ...]
    _dropouts: tuple[_Dropout | None, ...]

    def frames(self, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Encoded input messages from frame `first` on: `count` of them, or without end."""
        numbers = count_from(first) if count is None else range(first, first + count)
        return map(self.frame, numbers)

    def timestamp(self, k: int) -> int:
        """Message time of frame `k`, whole milliseconds."""
        return self.start_ms + round(k * 1000 / self.fps)

    def frame(self, k: int) -> bytes:
        """The encoded input message of frame `k`; `sequence` is `k`."""
        t = k / self.fps
        body, left_lift, right_lift = self._at(t)
        (a, b, c), (d, e, f), (g, h, i) = self._to_image
        noise, n = self._noise, k * 67
        values: list[float] = [self.timestamp(k), k]
        for (x, y, z), visibility in zip(
            landmarks(body, left_lift, right_lift), self._visible(t), strict=True
        ):
            w = g * x + h * y + i
            u, v = noise[n % _NOISE], noise[(n + 1) % _NOISE]
            n += 2
            values += (
                (a * x + b * y + c) / w + u,
                (d * x + e * y + f) / w + v,
                z + u,
                visibility - v * v * 1e4,
            )
        return (_FRAME % tuple(values)).encode()

    def write_files(self, directory: Path) -> tuple[Path, Path, Path]:
        """Write wall.svg, calibration.json and route.json, each whole or not at all, and return their paths.

        `directory` is made when it is missing. OSError as the system raises it.
        """
        directory.mkdir(parents=True, exist_ok=True)
        texts = {
            "wall.svg": self.wall_svg,
            "calibration.json": json.dumps(self.calibration, indent=1) + "\n",
            "route.json": json.dumps(self.route, indent=1) + "\n",
        }
        for name, text in texts.items():
            with replacing(directory / name) as file:
                file.write(text.encode())
        return directory / "wall.svg", directory / "calibration.json", directory / "route.json"

    def _at(self, t: float) -> tuple[Stance, float, float]:
        """The stance at `t` seconds from the start, swaying, and the lift of each hand."""
        into = t % self.cycle_s
        index = min(bisect_right(self._times, into), len(self._keys) - 1)
        before, after = self._keys[index - 1], self._keys[index]
        p = (into - before.at) / (after.at - before.at)
        p = p * p * (3.0 - 2.0 * p)
        off_wall = 4.0 * p * (1.0 - p)
        # One factor for all points: a hand that is in reach at both ends then is in reach all the way.
        at = [u + (v - u) * p for u, v in zip(before.stance, after.stance, strict=True)]
        sx, sy = (
            sum(size * sin(rate * t + phase) for size, rate, phase in s)
            for s in (self._sway[:2], self._sway[2:])
        )
        at[0] += sx
        at[1] += sy
        at[2] += sx
        at[3] += sy
        at[8] += sx * 0.5
        at[9] += sy
        at[10] += sx * 0.5
        at[11] += sy
        return Stance._make(at), after.left_lift * off_wall, after.right_lift * off_wall

    def _visible(self, t: float) -> Sequence[float]:
        """The 33 visibilities at `t` seconds from the start."""
        window, into = divmod(t, _WINDOW_S)
        dropout = self._dropouts[int(window) % _WINDOWS]
        if dropout is None or not dropout.begin <= into < dropout.end:
            return self._visibility
        hidden = list(self._visibility)
        for landmark in dropout.hand:
            hidden[landmark] = dropout.visibility
        return hidden


def generate_climb(
    seed: int,
    *,
    fps: float = 30,
    holds: int = 5,
    start_ms: int = START_MS,
    dwell_s: float = 2.6,
    reach_s: float = 0.9,
) -> Climb:
    """A climb over a route of `holds` holds, one every `dwell_s + reach_s` seconds.

    By construction: on the way up a hand point stays within some 10 wall units of its place on each hold of
    the route, in route order, for at least `dwell_s`, and never comes near a hold that is not on the route
    (`CLEARANCE`). So with any touch duration up to `dwell_s - 0.4` and any proximity threshold from 20 to 90
    exactly the route's holds are touched, the last one before `climb_s`. One hand drops out of sight now and
    then, for less than a contact grace of 0.25 s. With 16 holds a climb still fits into 60 s.

    ValueError: a parameter out of its range, in one line.
    """
    for name, value, low, high in (
        ("fps", fps, MIN_FPS, MAX_FPS),
        ("holds", holds, MIN_HOLDS, MAX_HOLDS),
        ("dwell_s", dwell_s, 0.2, 60.0),
        ("reach_s", reach_s, 0.3, 1.5),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} is {value!r}: a generated climb takes {low} to {high}")
    rng = random.Random(seed)
    hand = rng.randrange(2)
    blobs = _route(rng, holds, hand)
    keys, climb_s = choreography([(b.x, b.y) for b in blobs], hand, HEIGHT - 90.0, dwell_s, reach_s)
    wall_svg, ids = _wall(rng, blobs, keys)
    to_image, to_wall = camera(rng)
    kinds = ["start", *["normal"] * (holds - 2), "finish"]
    return Climb(
        seed=seed,
        fps=fps,
        start_ms=start_ms,
        wall_svg=wall_svg,
        calibration={"perspective_transform": [list(row) for row in to_wall], "hand_extension_percent": 20},
        route={
            "grade": "",
            "author": "",
            "problem": {"holds": [{"id": i, "type": kind} for i, kind in zip(ids, kinds, strict=True)]},
        },
        climb_s=climb_s,
        cycle_s=keys[-1].at,
        _keys=tuple(keys),
        _times=tuple(key.at for key in keys),
        _to_image=_from_wall_units(to_image),
        _sway=tuple((rng.uniform(3, 7), rng.uniform(0.6, 2.4), rng.uniform(0, 2 * pi)) for _ in range(4)),
        _noise=tuple(max(-6e-4, min(6e-4, rng.gauss(0, 2e-4))) for _ in range(_NOISE)),
        _visibility=tuple(rng.uniform(0.93, 0.999) for _ in range(33)),
        _dropouts=tuple(_dropout(rng, fps) for _ in range(_WINDOWS)),
    )


def _route(rng: random.Random, holds: int, hand: int) -> list[Blob]:
    """The route's holds from below: left and right by turns, shoulder-wide, around a line that wanders."""
    rise = min(300.0, 1300.0 / (holds - 1))
    x, y = rng.uniform(1050, 1450), rng.uniform(1600, 1660)
    blobs = []
    for i in range(holds):
        blobs.append(draw_blob(rng, x + (190 if (hand + i) % 2 else -190), y - rise * i, rng.uniform(36, 46)))
        x = max(800.0, min(WIDTH - 800.0, x + rng.uniform(-85, 85)))
    return blobs


def _wall(rng: random.Random, route: list[Blob], keys: list[Key]) -> tuple[str, list[str]]:
    """The SVG with the route's holds among others, and the route's ids."""
    paths = {
        (u, v) for before, after in pairwise(keys) for u, v in zip(before.hands, after.hands, strict=True)
    }
    wanted = max(rng.randint(30, 52) - len(route), 14)
    blobs = [*route, *scatter(rng, wanted, route, sorted(paths), CLEARANCE)]
    numbers = list(range(1, len(blobs) + 1))
    rng.shuffle(numbers)
    named = sorted((number, blob.d, blob) for number, blob in zip(numbers, blobs, strict=True))
    return svg((f"hold_{number}", blob) for number, _, blob in named), [
        f"hold_{n}" for n in numbers[: len(route)]
    ]


def _dropout(rng: random.Random, fps: float) -> _Dropout | None:
    """Half of the windows have one. With a frame's interval on either side it stays below 0.2 s."""
    longest = 0.2 - 2 / fps
    length, begin = rng.uniform(0.03, 0.14), rng.uniform(0.5, _WINDOW_S - 0.5)
    hand, visibility = rng.choice((_LEFT_HAND, _RIGHT_HAND)), rng.uniform(0.03, 0.17)
    if rng.random() < 0.5 or longest <= 0:
        return None
    return _Dropout(begin, begin + min(length, longest), hand, visibility)


def _from_wall_units(to_image: Matrix) -> Matrix:
    """The same homography for points in wall units in place of normalised ones."""
    first, second, third = ((a / WIDTH, b / HEIGHT, c) for a, b, c in to_image)
    return first, second, third
