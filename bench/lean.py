"""What a cheap run costs, in seconds of a core, and how that compares with two bare endpoints. Always exits 0.

    python bench/lean.py [--catalogue]

A lean run is made and judged whole: feed, tracker, sink, record, checks. The full stack is feed, tracker and sink over a
climb. Beside each two endpoints of the library on the same loop exchange the same messages: one is read, and one is
written for it over a second connection, without outbox, probes or record. All in turn, round after round, in CPU time of
this process: what others take does not count, though they do use the same caches.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

from pipeline import Climb, made_climb
from simulation import FPS, full_stack, ours
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from chaos import catalogue
from chaos.runner import Plan, make_and_judge
from chaos.scenario import Scenario
from chaos.scenario_reading import parse
from simulator import events as peer
from simulator.idle import idle_frame

ROUNDS = 7
LEAN_OUTPUT = 250
"""Bytes of one, about."""
SECONDS = 30
LEAN = """name = "lean"
about = "-"
stresses = ["no-loss", "in-order"]
duration = "30s"
[workload]
kind = "lean"
"""


async def bare(frames: list[bytes], outputs: list[bytes], every: float) -> None:
    """The same messages, there and back, between two endpoints of the library."""
    arrived = 0

    async def speak(connection: ServerConnection) -> None:
        nonlocal arrived
        assert connection.request is not None
        if connection.request.path == "/in":
            for frame in frames:
                await connection.send(frame, text=True)
                await asyncio.sleep(every)
            return
        async for _ in connection:
            arrived += 1

    address = "ws://127.0.0.1:8000"
    told = {"proxy": None, "compression": None, "ping_interval": None}
    async with (
        serve(speak, "127.0.0.1", 8000, compression=None, ping_interval=None),
        connect(f"{address}/in", **told) as reading,
        connect(f"{address}/out", **told) as writing,
    ):
        for output in outputs:
            try:
                await reading.recv(decode=False)
            except ConnectionClosed:
                break
            await writing.send(output, text=True)
    assert arrived == len(outputs), f"{arrived} of {len(outputs)} arrived"


def lean_run(scenario: Scenario, seed: int) -> int:
    """How many outputs were delivered."""
    made = make_and_judge(Plan(scenario, "sim", seed, 1.0))
    assert made.judgement.verdict == "pass", made.judgement
    return sum(1 for _ in made.history.of(peer.Delivered))


def climb_run(climb: Climb) -> int:
    """Likewise, of feed, tracker and sink alone."""
    _, messages, _ = ours(partial(full_stack, climb, float(SECONDS)))
    return messages


def bare_run(frames: list[bytes], size: int, every: float) -> int:
    outputs = [b"x" * size] * len(frames)
    ours(partial(bare, frames, outputs, every))
    return len(outputs)


def spent(run: Callable[[], int]) -> tuple[float, int]:
    """Seconds of a core, and outputs."""
    gc.collect()
    began = process_time()
    outputs = run()
    return process_time() - began, outputs


def beside_bare_endpoints() -> None:
    climb = made_climb()
    _, messages, size = ours(partial(full_stack, climb, float(SECONDS)))
    frames = (climb[4] * (1 + SECONDS * FPS // len(climb[4])))[: SECONDS * FPS]
    lean = parse(LEAN, Path("lean.toml"))
    idle = [idle_frame(lean.workload.fps, k) for k in range(int(SECONDS * lean.workload.fps))]
    rows: dict[str, tuple[Callable[[], int], Callable[[], int]]] = {
        "a lean run, made and judged": (
            partial(lean_run, lean, 0),
            partial(bare_run, idle, LEAN_OUTPUT, 1 / lean.workload.fps),
        ),
        f"the full stack, {climb[0]}": (
            partial(climb_run, climb),
            partial(bare_run, frames, size // messages, 1 / FPS),
        ),
    }
    print(f"{SECONDS} s on virtual time beside two bare endpoints with the same messages, {ROUNDS} rounds\n")
    print(f"{'':40}{'ms of a core':>14}{'runs/s, core':>14}{'us/output':>11}{'bare':>8}{'ratio':>8}")
    for name, (whole, plain) in rows.items():
        whole()
        both = [(spent(whole), spent(plain)) for _ in range(ROUNDS)]
        took = median(seconds for (seconds, _), _ in both)
        an_output, a_bare_one = (
            median(pair[side][0] / pair[side][1] for pair in both) * 1e6 for side in (0, 1)
        )
        ratio = median(a / m / (b / n) for (a, m), (b, n) in both)
        print(
            f"{name:40}{took * 1e3:>14.0f}{1 / took:>14.1f}{an_output:>11.0f}{a_bare_one:>8.0f}{ratio:>7.2f}x"
        )
    print("contract: a lean run 20 times a second and core\n")


def whole_catalogue() -> None:
    began = process_time()
    for scenario in catalogue.everything():
        make_and_judge(Plan(scenario, "sim", 0, 1.0))
    print(f"the whole catalogue on virtual time: {process_time() - began:.1f} s of a core")


def main() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    beside_bare_endpoints()
    if sys.argv[1:] == ["--catalogue"]:
        whole_catalogue()


if __name__ == "__main__":
    main()
