"""What the flight recorder costs: the full stack with it and without it, in turn. Always exits 0.

    python bench/recorder.py

Feed, tracker and sink run on virtual time, so that nothing waits and all of it is computing; the trace goes to a real
file. Figures are of the process's own time, in the quickest quarter of the rounds.
"""

import tempfile
from functools import partial
from pathlib import Path
from statistics import fmean
from time import process_time

from pipeline import DATA, Climb, made_climb, real_climb
from simulation import FPS, full_stack, ours

from tracker.config import TrackerConfig
from tracker.trace import Recorder

SECONDS = 20.0
ROUNDS = 24


def run(climb: Climb, folder: Path, how: str) -> tuple[float, int, int]:
    """Seconds of computing, outputs, and bytes of trace."""
    path = folder / "trace"
    path.unlink(missing_ok=True)
    config = TrackerConfig("ws://127.0.0.1/in", "ws://127.0.0.1/out")
    payloads = how == "with payloads"
    if how == "none":
        began = process_time()
        _, outputs, _ = ours(partial(full_stack, climb, SECONDS))
        return process_time() - began, outputs, 0
    with Recorder(path, config, stream="bench", payloads=payloads) as recorder:
        began = process_time()  # once a run, versions are looked up; a run is days
        _, outputs, _ = ours(partial(full_stack, climb, SECONDS, recorder=recorder, payloads=payloads))
    return process_time() - began, outputs, path.stat().st_size


def quickest(took: list[float]) -> float:
    """The mean of the quickest quarter: computing is never faster than it is, and other work only slows it."""
    return fmean(sorted(took)[: len(took) // 4])


def main() -> None:
    climb = real_climb() if DATA.is_dir() else made_climb()
    hows = ["none", "events", "with payloads"]
    took: dict[str, list[float]] = {how: [] for how in hows}
    size = dict.fromkeys(hows, 0)
    with tempfile.TemporaryDirectory() as folder:
        run(climb, Path(folder), "none")  # visits the cells of the wall's grid
        for number in range(ROUNDS):
            for how in hows if number % 2 else reversed(hows):
                seconds, outputs, size[how] = run(climb, Path(folder), how)
                took[how].append(seconds / outputs)
    print(f"\nthe flight recorder, full stack at {FPS} fps, {climb[0]}, {ROUNDS} rounds\n")
    print(f"{'trace':20}{'us/output':>12}{'cost':>10}{'kB/s at 30 fps':>18}")
    for how in hows:
        ratio = quickest(took[how]) / quickest(took["none"])
        cost = "" if how == "none" else f"{(ratio - 1) * 100:+.1f} %"
        print(f"{how:20}{quickest(took[how]) * 1e6:>12.1f}{cost:>10}{size[how] / SECONDS / 1000:>18.1f}")
    print("contract: the events cost less than 3 %")


if __name__ == "__main__":
    main()
