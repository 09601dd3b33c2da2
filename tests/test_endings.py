"""How the laboratory ends before its time: a signal, a kill, a full disk. Nothing outlives it, and nothing made is lost."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from chaos.toxiproxy.install import find_server

pytestmark = pytest.mark.commands

SIMTOOL = Path(sys.executable).parent / "simtool"
MARK = "SIMTOOL_ENDINGS_TEST"
"""A variable of the environment by which all that a test started is known."""
GENEROUS = 30.0
"""Seconds: two are promised on a machine that is free, and this one need not be."""

CLIENTS = """
import asyncio, sys, time
from pathlib import Path

async def blocks(input_url, output_url):
    Path("began").touch()
    while True:
        pass

async def waits(input_url, output_url):
    Path("began").touch()
    await asyncio.Event().wait()
"""
STUBBORN = """
import signal, time
from pathlib import Path

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
Path("began").touch()
while True:
    time.sleep(1)
"""


class Running:
    """A simtool in a folder of its own, and everything that it starts."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.mark = uuid4().hex
        self.folder = folder
        (folder / "clients.py").write_text(CLIENTS)
        (folder / "stubborn.py").write_text(STUBBORN)
        self.process = subprocess.Popen(
            [SIMTOOL, *words],
            cwd=folder,
            env={**os.environ, MARK: self.mark, "NO_COLOR": "1", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Tests that run in a shell's background ignore it, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it has no threads
        )

    def wait_until_it_began(self) -> None:
        while not (self.folder / "began").exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def alive(self) -> set[int]:
        found = set()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"{MARK}={self.mark}".encode() in (place / "environ").read_bytes()
                zombie = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if ours and not zombie:
                found.add(int(place.name))
        return found

    def wait_until_all_are_gone(self) -> None:
        until = time.monotonic() + GENEROUS
        while left := self.alive():
            assert time.monotonic() < until, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
            time.sleep(0.05)

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=GENEROUS)
        return self.process.returncode, out, err


@pytest.fixture
def started(tmp_path: Path) -> Iterator[type[Running]]:
    runs: list[Running] = []

    class Here(Running):
        def __init__(self, *words: str) -> None:
            super().__init__(tmp_path, *words)
            runs.append(self)

    yield Here
    for run in runs:
        for pid in run.alive():
            os.kill(pid, signal.SIGKILL)
        run.process.communicate()


CLIENT_CASES = [
    pytest.param(("--client", "clients:blocks", "--engine", "sim"), id="blocks its loop"),
]
if find_server(os.environ) is not None:
    CLIENT_CASES += [
        pytest.param(
            ("--client", "clients:blocks", "--engine", "toxiproxy"), id="blocks its loop on real sockets"
        ),
        pytest.param(("--client", "clients:waits", "--engine", "toxiproxy"), id="waits"),
        pytest.param(("--command", f"{sys.executable} stubborn.py"), id="a program that hears no signal"),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("client", CLIENT_CASES)
def test_a_signal_ends_all_of_it_with_the_table_of_what_there_is(
    started: type[Running], client: tuple[str, ...], number: signal.Signals
) -> None:
    run = started("chaos", "steady", *client)
    run.wait_until_it_began()
    run.process.send_signal(number)
    code, out, err = run.end()
    assert code == 130
    assert err.rstrip().endswith("simtool: interrupted")
    assert "Traceback" not in err
    assert "0 of 1 runs were made: records in runs/" in out
    run.wait_until_all_are_gone()


@pytest.mark.parametrize("client", CLIENT_CASES)
def test_what_is_killed_takes_all_that_it_started_with_it(
    started: type[Running], client: tuple[str, ...]
) -> None:
    run = started("chaos", "steady", *client)
    run.wait_until_it_began()
    assert len(run.alive()) > 1
    run.process.kill()
    run.wait_until_all_are_gone()


def test_what_was_made_before_an_interrupt_is_in_the_table_and_in_its_folder(
    started: type[Running], tmp_path: Path
) -> None:
    run = started("chaos", "steady", "reset", "--engine", "sim", "--jobs", "2", "--seeds", "90")
    assert run.process.stderr is not None
    assert any(line.startswith("[2/") for line in run.process.stderr)
    run.process.send_signal(signal.SIGTERM)
    code, out, _ = run.end()
    assert code == 130
    written = json.loads((tmp_path / "runs" / "latest" / "results.json").read_text())["runs"]
    assert 2 <= len(written) < 180
    assert f"{len(written)} of 180 runs were made: records in runs/" in out
    records = list((tmp_path / "runs" / "latest").glob("*.jsonl"))
    assert len(records) >= len(written)


def test_a_trial_of_a_client_that_blocks_its_loop_can_be_interrupted(started: type[Running]) -> None:
    run = started("try", "--client", "clients:blocks", "--engine", "sim")
    run.wait_until_it_began()
    run.process.send_signal(signal.SIGINT)
    code, _, err = run.end()
    assert (code, err) == (130, "simtool: interrupted\n")
    run.wait_until_all_are_gone()


# A full disk


def limited(size: int) -> None:
    """No file may become larger: what happens then is what a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


async def test_a_full_disk_is_one_line_and_an_exit_code_of_its_own_and_loses_nothing(tmp_path: Path) -> None:
    words = ("chaos", "steady", "long-outage", "--engine", "sim", "--jobs", "2", "--report", "records")
    process = await asyncio.create_subprocess_exec(
        SIMTOOL, *words, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: limited(2_000_000),
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 4, err
    last = err.decode().splitlines()[-1]
    assert last.startswith("simtool: the disk is full (File too large): ")
    assert "1 of 2 runs were made: records in records" in out.decode()
    names = {path.name for path in (tmp_path / "records").iterdir()}
    assert names == {"steady.sim.0.jsonl", "results.json"}  # nothing half written


@pytest.mark.parametrize("words", [("list",), ("chaos", "steady", "--engine", "sim", "--json", "-")])
def test_an_output_that_takes_no_more_is_the_same_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [SIMTOOL, *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("simtool: the disk is full (No space left on device): ")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
