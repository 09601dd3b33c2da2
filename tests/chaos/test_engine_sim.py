"""The catalogue on virtual time: verdicts, and the same history wherever it is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.history import Counted
from chaos.made_twice import perform_twice
from chaos.runner import Plan, make_history, perform

pytestmark = pytest.mark.scenarios


def plan(name: str, folder: Path = Path(), seed: int = 0) -> Plan:
    return Plan(catalogue.find(name), "sim", seed, 10.0, folder)


@pytest.mark.parametrize("name", catalogue.names())
def test_the_tracker_keeps_its_promises_in(name: str, tmp_path: Path) -> None:
    result = perform(plan(name, tmp_path))
    assert (result.verdict, result.troubles()) == ("pass", ())


def test_each_block_of_the_clients_loop_is_counted_by_itself() -> None:
    counted = {event.fault: event.counts for event in make_history(plan("blocked-loop")).of(Counted)}
    assert [round(counted[fault].stood, 6) for fault in range(3)] == [1, 2, 6]
    assert all(counted[fault].callbacks for fault in range(3))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_history_and_another_gives_another(seed: int) -> None:
    twice = perform_twice(plan("reset", seed=seed))
    assert twice.difference is None
    assert make_history(plan("reset", seed=seed + 10)).digest() != twice.digest


def test_the_history_is_the_same_in_any_process() -> None:
    program = (
        "from pathlib import Path; from chaos import catalogue; from chaos.runner import Plan, make_history\n"
        "print(make_history(Plan(catalogue.find('flapping'), 'sim', 3, 10.0, Path())).digest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(digests) == 1
