"""What a frame costs on a wall of 5,000 round holds; always exits 0.

    python bench/many_holds.py

Two hands climb over it once, so that almost each frame is in a part of the wall where none was before. The contract is
docs/walls.md's: less than 10 ms at the worst. Times are a core's, and not the clock's.
"""

import gc
import math
from statistics import median
from time import process_time

from tracker.calibration import Calibration
from tracker.messages import Landmark, Pose
from tracker.pipeline import Pipeline
from tracker.session import Rules
from tracker.wall import Wall, parse_wall

HOLDS, COLUMNS, ROWS = 5000, 63, 80
FRAMES = 600


def drawing() -> bytes:
    holds = "".join(
        f'<circle class="hold" id="hold_{n}" cx="{(n % COLUMNS + 0.5) * 2500 / COLUMNS:.2f}"'
        f' cy="{(n // COLUMNS + 0.5) * 3330 / ROWS:.2f}" r="18"/>'
        for n in range(HOLDS)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2500 3330">{holds}</svg>'.encode()


def pose(frame: int) -> Pose:
    left = Landmark(0.5 + 0.36 * math.sin(frame / 23), 0.9 - frame * 0.00135, 0.0, 1.0)
    right = Landmark(0.5 + 0.36 * math.sin(frame / 29 + 1), 0.87 - frame * 0.0013, 0.0, 1.0)
    return Pose(
        timestamp=1_760_000_000_000.0 + frame * 1000 // 30,
        landmarks=[left if n % 2 else right for n in range(33)],
    )


def climb(wall: Wall, threshold: float) -> list[float]:
    """Return the milliseconds of each frame, from the pose to the encoded output."""
    identity = Calibration(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    rules = Rules(proximity_threshold=threshold, touch_duration=0.5)
    pipeline = Pipeline(wall, identity, rules=rules, stream="bench")
    poses = [pose(frame) for frame in range(FRAMES)]
    times = []
    for frame, one in enumerate(poses):
        begin = process_time()
        pipeline.step(one)
        pipeline.encode(frame)
        times.append((process_time() - begin) * 1000)
    return times


def main() -> None:
    data = drawing()
    begin = process_time()
    wall = parse_wall(data)
    seconds = process_time() - begin
    points = sum(len(ring) for hold in wall.holds for ring in hold.outline)
    print(f"{len(wall.holds)} holds of {points} points, read in {seconds:.2f} s\n")
    print(f"{'':24}{'median ms':>12}{'worst ms':>12}")
    for threshold in (50.0, 300.0):
        wall = parse_wall(data)  # anew, for a wall keeps what was worked out
        gc.collect()
        gc.freeze()  # as `tracker run` does
        times = climb(wall, threshold)
        gc.unfreeze()
        print(f"{f'threshold {threshold:.0f}':24}{median(times):>12.2f}{max(times):>12.2f} (< 10)")
    print()


if __name__ == "__main__":
    main()
