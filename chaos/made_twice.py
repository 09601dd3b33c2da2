"""One run made twice, here and in another process: the same scenario, seed and code give the same history."""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from chaos.kernel.processes import die_with
from chaos.runner import Plan, WorkerDiedError, make_history
from chaos.temporary import temporary_folder

HASH_SEED = "PYTHONHASHSEED"
"""The environment's variable that decides about the order of a set of texts."""
ELSEWHERE = "import sys; from chaos.made_twice import record_elsewhere; record_elsewhere(*sys.argv[1:])"
"""What a process runs that makes one run again."""


@dataclass(frozen=True, slots=True)
class Twice:
    """One run made twice."""

    scenario: str
    seed: int
    digest: str
    """Of the first history."""
    difference: str | None
    """The first event that differs; None: the histories are equal."""


def perform_twice(plan: Plan) -> Twice:
    """Make the run here, and in a process whose sets have another order, and compare the histories."""
    first = make_history(plan)
    difference = _first_difference(tuple(first.lines()), _made_elsewhere(plan))
    return Twice(plan.scenario.name, plan.seed, first.digest(), difference)


def _made_elsewhere(plan: Plan) -> tuple[bytes, ...]:
    seed = "2" if os.environ.get(HASH_SEED) == "1" else "1"
    with temporary_folder() as folder:
        order, record = folder / "plan", folder / "record"
        order.write_bytes(pickle.dumps(plan))
        # Ended with us: an exception here, an interrupt too, kills it.
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", ELSEWHERE, str(order), str(record), str(os.getpid())],
            env={**os.environ, HASH_SEED: seed},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if not record.exists():
            raise WorkerDiedError(
                f"the process that made {plan.scenario.name}, seed {plan.seed}, again ended with {ended.returncode}:"
                " it was killed, for its memory perhaps, or the client ended it"
            )
        return tuple(record.read_bytes().splitlines(keepends=True))


def record_elsewhere(order: str, record: str, parent: str) -> None:
    """Make the pickled plan in the file `order`, and write its history to the file `record`; it ends with its parent."""
    die_with(int(parent))
    plan: Plan = pickle.loads(Path(order).read_bytes())  # noqa: S301 - our own, of a moment ago
    Path(record).write_bytes(b"".join(make_history(plan).lines()))


def _first_difference(first: Sequence[bytes], second: Sequence[bytes]) -> str | None:
    for line, (a, b) in enumerate(zip_longest(first, second, fillvalue=b"missing")):
        if a != b:
            what = f"event {line - 1}" if line else "the header"
            return f"{what} is {a.decode().strip()} in one run and {b.decode().strip()} in the other"
    return None
