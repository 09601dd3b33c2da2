"""What a frame costs: decode, map, touch, encode. Ratios side by side in one run; always exits 0.

    python bench/pipeline.py

Everything goes over the same climb in turn, round after round, so that a busy machine slows all alike; the
figures are medians over the rounds. The contract is docs/design.md's: at least 20 times as fast as the
straightforward version, and within 2.5 times of decoding and encoding alone.
"""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec
from straightforward import Straightforward

from tracker.calibration import Calibration
from tracker.files import load_calibration, load_route, load_wall
from tracker.messages import HoldState, Landmark, Pose, SessionState, decode_input
from tracker.pipeline import Pipeline
from tracker.session import Route, Rules
from tracker.timestamps import Clock
from tracker.wall import Wall, parse_wall

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
RULES = Rules(proximity_threshold=100.0, touch_duration=0.5)
ROUNDS = 9

Climb = tuple[str, Wall, Calibration, Route, list[bytes]]
Work = Callable[[list[bytes]], object]


class CodecOutput(msgspec.Struct):
    """A whole output message as structs, as it would be encoded without any cache."""

    session: SessionState
    pose: list[Landmark]
    stream: str
    seq: int


def real_climb() -> Climb:
    with gzip.open(DATA / "climb.jsonl.gz") as file:
        frames = file.read().splitlines()
    wall, calibration = load_wall(DATA / "wall.svg"), load_calibration(DATA / "calibration.json")
    return f"real climb, {len(frames)} frames", wall, calibration, load_route(DATA / "route.json"), frames


def made_climb() -> Climb:
    """A body that drifts over a wall of 140 round holds, for where the real climb is missing."""
    rows = [(x, y) for y in range(14) for x in range(10)]
    paths = "".join(
        f'<path class="hold" id="hold_{n}" d="M {200 + 230 * x} {150 + 230 * y} a 40 40 0 1 0 80 0 a 40 40 0 1 0 -80 0 z"/>'
        for n, (x, y) in enumerate(rows)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2500 3330">{paths}</svg>'
    wall = parse_wall(svg.encode())
    calibration = Calibration(((0.9, 0.02, 0.05), (0.01, 0.9, 0.05), (0.01, 0.02, 1.0)))
    route = Route(dict.fromkeys((f"hold_{n}" for n in range(len(rows))), "normal"))
    return "made climb, 648 frames", wall, calibration, route, [made_frame(k) for k in range(648)]


def made_frame(k: int) -> bytes:
    landmarks = [
        {
            "x": round(0.5 + 0.2 * math.sin(k / 97) + 0.1 * math.sin(n), 5),
            "y": round(0.9 - k / 1000 + 0.1 * math.cos(n), 5),
            "z": round(0.1 * math.sin(2 * n), 5),
            "visibility": round(0.6 + 0.39 * math.sin(k / 31 + n % 2), 5),
        }
        for n in range(33)
    ]
    pose = {"type": "pose", "timestamp": 1_760_000_000_000 + k * 1000 // 30, "landmarks": landmarks}
    return json.dumps(pose, separators=(",", ":")).encode()


def run_pipeline(pipeline: Pipeline, frames: list[bytes]) -> None:
    pipeline.reset()
    clock = Clock()
    for seq, data in enumerate(frames):
        pose = decode_input(data, clock)
        assert isinstance(pose, Pose)
        pipeline.step(pose)
        pipeline.encode(seq)


def codec(pipeline: Pipeline, *, cached: bool) -> Work:
    """Decoding and encoding with msgspec alone, no work between; with the hold list encoded anew or not."""
    state = msgspec.convert(pipeline.snapshot(), SessionState)
    assert isinstance(state.holds[0], HoldState)
    decode, encode = msgspec.json.Decoder(Pose).decode, msgspec.json.Encoder().encode
    session = msgspec.Raw(encode(state)) if cached else state

    def work(frames: list[bytes]) -> None:
        for seq, data in enumerate(frames):
            body = decode(data).landmarks
            body += body[:2]
            if cached:
                encode({"session": session, "pose": body, "stream": "bench", "seq": seq})
            else:
                encode(CodecOutput(state, body, "bench", seq))

    return work


def main() -> None:
    name, wall, calibration, route, frames = real_climb() if DATA.is_dir() else made_climb()
    pipeline = Pipeline(wall, calibration, route=route, rules=RULES, stream="bench")
    plain: list[Straightforward] = []

    def run_plain(frames: list[bytes]) -> None:
        plain[:] = [Straightforward(wall, calibration, route, RULES)]
        for seq, data in enumerate(frames):
            plain[0].frame(data, seq)

    def run_ours(frames: list[bytes]) -> None:
        run_pipeline(pipeline, frames)

    run_ours(frames)  # also visits the cells of the grid, which later frames find worked out
    works: dict[str, Work] = {
        "straightforward": run_plain,
        "pipeline": run_ours,
        "codec alone": codec(pipeline, cached=False),
        "codec alone, hold list cached": codec(pipeline, cached=True),
    }
    times: dict[str, list[float]] = {key: [] for key in works}
    for _ in range(ROUNDS):
        for key, work in works.items():
            begin = perf_counter()
            work(frames)
            times[key].append((perf_counter() - begin) / len(frames) * 1e6)
    report(name, times)
    ours = {h["id"]: h["time"] for h in pipeline.snapshot()["holds"] if h["time"]}
    theirs = {h["id"]: h["time"] for h in plain[0].output([], 0)["session"]["holds"] if h["time"]}
    same = "the same" if ours == theirs else f"NOT the same: {ours} and {theirs}"
    print(f"touches: {len(ours)} and {len(theirs)}, {same}")


def report(name: str, times: dict[str, list[float]]) -> None:
    print(f"pipeline, {name}, {ROUNDS} rounds\n")
    print(f"{'':32}{'us/frame':>10}{'pipeline is':>34}")
    ours = times["pipeline"]
    for key, values in times.items():
        ratio = median(theirs / mine for theirs, mine in zip(values, ours, strict=True))
        says = (
            ""
            if key == "pipeline"
            else f"{ratio:.1f} x as fast"
            if ratio > 1
            else f"{1 / ratio:.2f} x as long"
        )
        contract = {"straightforward": " (>= 20)", "codec alone": " (<= 2.5)"}.get(key, "")
        print(f"{key:32}{median(values):>10.1f}{says:>24}{contract:<10}")
    print()


if __name__ == "__main__":
    main()
