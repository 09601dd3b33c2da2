"""The first and the last moment of a command: an interrupt during the imports, an end during a look-up."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.climber import generate_climb

pytestmark = pytest.mark.commands

INTERRUPTED_BY_AN_IMPORT = """
import sys
from {package}.start import main

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "{commands}":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
main()
"""

A_LOOK_UP_THAT_HANGS = """
import socket, sys, time

def hang(*words, **options):
    print("looking up", file=sys.stderr, flush=True)
    time.sleep(30)

socket.getaddrinfo = hang
sys.modules["uvloop"] = None  # its look-ups are not Python's
from tracker.start import main
main()
"""


@pytest.mark.parametrize(
    ("package", "commands", "name", "code"),
    [("tracker", "tracker.cli", "tracker", 1), ("chaos", "chaos.commands.cli", "simtool", 130)],
)
def test_an_interrupt_during_the_imports_is_one_line(
    package: str, commands: str, name: str, code: int
) -> None:
    program = INTERRUPTED_BY_AN_IMPORT.format(package=package, commands=commands)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout, done.returncode) == (f"{name}: interrupted\n", "", code)


@pytest.mark.parametrize("package", ["tracker", "chaos"])
def test_what_catches_the_interrupt_imports_nothing_that_takes_long(package: str) -> None:
    program = (
        f"import sys, {package}.start; sys.exit(bool({{'typer', 'asyncio', 'msgspec'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_look_up_that_hangs_does_not_delay_the_end(tmp_path: Path) -> None:
    wall, calibration, _ = generate_climb(3, holds=3).write_files(tmp_path)
    urls = ["--input-websocket-url", "ws://nowhere.test/", "--output-websocket-url", "ws://nowhere.test/"]
    words = ["run", *urls, "--wall", wall, "--calibration", calibration]
    with subprocess.Popen(
        [sys.executable, "-c", A_LOOK_UP_THAT_HANGS, *words], stderr=subprocess.PIPE, text=True
    ) as tracker:
        assert tracker.stderr is not None
        while "looking up" not in tracker.stderr.readline():
            assert tracker.poll() is None
        began = time.monotonic()
        tracker.send_signal(signal.SIGTERM)
        rest = tracker.stderr.read()
    assert time.monotonic() - began < 10
    assert "tracker: stopped; all delivered" in rest
    assert tracker.returncode == 0
