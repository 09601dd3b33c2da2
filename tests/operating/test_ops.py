"""A tracker under a service manager and in a container, as far as they can be played."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from simulator.climber import Climb, generate_climb
from tests.operating.processes import Endpoints, started
from tracker import events
from tracker.cli import EXIT_GAVE_UP
from tracker.config import ConfigError
from tracker.console import EXIT_USAGE
from tracker.supervisor import Supervisor

OPS = Path(__file__).parents[2] / "ops"
UNIT = OPS / "tracker@.service"
CONTAINERFILE = OPS / "Containerfile"


class Manager:
    """A service manager's socket."""

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard

    def told(self) -> list[str]:
        """All that has come since the last look."""
        lines = []
        while True:
            try:
                lines.append(self._heard.recv(4096).decode())
            except BlockingIOError:
                return lines

    async def hears(self, line: str) -> list[str]:
        """All that came up to and with `line`."""
        lines: list[str] = []
        async with asyncio.timeout(60):
            while line not in lines:
                lines += self.told()
                await asyncio.sleep(0.01)
        return lines


@contextmanager
def manager(address: str) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        heard.setblocking(False)
        yield Manager(heard)


# What is told


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_hears_what_becomes_of_the_tracker(
    tmp_path: Path,
    abstract: bool,  # noqa: FBT001 - a parametrised test's own argument
) -> None:
    address = f"@tracker-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with manager(address) as heard:
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"}
        with closing(Supervisor(environment)) as supervisor:
            assert supervisor.watchdog == 3.0
            supervisor.ready()
            supervisor.status("input open")
            supervisor.status("input open")
            supervisor.alive()
            supervisor.observe(events.Stopping(t=1.0, why="SIGTERM", left=0))
        assert heard.told() == ["READY=1", "STATUS=input open", "WATCHDOG=1", "STOPPING=1"]


def test_without_a_service_manager_nobody_is_told_and_nothing_watches() -> None:
    for environment in ({}, {"WATCHDOG_USEC": "3000000"}):
        supervisor = Supervisor(environment)
        supervisor.ready()
        supervisor.alive()
        assert supervisor.watchdog is None


def test_a_watchdog_for_another_process_is_none_of_ours(tmp_path: Path) -> None:
    meant = {"NOTIFY_SOCKET": str(tmp_path / "x"), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid())}
    with closing(Supervisor(meant)) as supervisor:
        assert supervisor.watchdog == 0.001
    with closing(Supervisor({**meant, "WATCHDOG_PID": "1"})) as supervisor:
        assert supervisor.watchdog is None


def test_a_service_manager_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    with closing(Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")})) as supervisor:
        supervisor.ready()


@pytest.mark.parametrize("period", ["soon", "0", "-5"])
def test_a_watchdog_without_a_sensible_period_is_refused(tmp_path: Path, period: str) -> None:
    with pytest.raises(ConfigError, match="WATCHDOG_USEC is"):
        Supervisor({"NOTIFY_SOCKET": str(tmp_path / "x"), "WATCHDOG_USEC": period})


# The unit


def setting(name: str) -> str:
    """Of the unit."""
    [value] = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return str(value)


@pytest.fixture(scope="module")
def climb() -> Climb:
    return generate_climb(7)


def configuration(folder: Path, climb: Climb, endpoints: Endpoints) -> Path:
    """A wall's configuration file, as the unit names one."""
    wall, calibration, route = climb.write_files(folder)
    path = folder / "north.toml"
    path.write_text(
        f'input_websocket_url = "{endpoints.url("in")}"\noutput_websocket_url = "{endpoints.url("out")}"\n'
        f'wall = "{wall}"\ncalibration = "{calibration}"\nroute_data = "{route}"\n'
    )
    return path


def exec_line(config: Path, state: Path) -> list[str]:
    """The options of the unit's command, with its specifiers replaced."""
    line = setting("ExecStart").replace("/etc/tracker/%i.toml", str(config)).replace("%S", str(state))
    words = shlex.split(line.replace("%i", "north"))
    assert "%" not in " ".join(words)
    assert words[:2] == ["/opt/tracker/bin/tracker", "run"]
    return words[2:]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/tracker/bin/tracker", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])


def test_what_does_not_heal_by_itself_is_not_started_again() -> None:
    assert setting("RestartPreventExitStatus").split() == [str(EXIT_USAGE), str(EXIT_GAVE_UP)]
    assert setting("Restart") == "on-failure"


@pytest.mark.commands
async def test_the_units_command_is_ready_gives_signs_of_life_and_says_that_it_stops(
    tmp_path: Path, climb: Climb
) -> None:
    (tmp_path / "tracker-north").mkdir()
    notify = str(tmp_path / "notify")
    with manager(notify) as heard:
        async with Endpoints(climb, fps=30).open() as there:
            words = exec_line(configuration(tmp_path, climb, there), tmp_path)
            async with started(*words, env={"NOTIFY_SOCKET": notify, "WATCHDOG_USEC": "600000"}) as tracker:
                await heard.hears("READY=1")
                await heard.hears("STATUS=input open, output open")
                for _ in range(3):
                    await heard.hears("WATCHDOG=1")
                tracker.process.send_signal(signal.SIGSTOP)  # a process that hangs gives none
                await asyncio.sleep(0.3)
                heard.told()
                await asyncio.sleep(0.5)
                assert heard.told() == []
                tracker.process.send_signal(signal.SIGCONT)
                await heard.hears("WATCHDOG=1")
                tracker.process.send_signal(signal.SIGTERM)
                await heard.hears("STOPPING=1")
                assert await tracker.ends() in (0, 1)
    assert sorted(path.name for path in (tmp_path / "tracker-north").iterdir()) == [
        "climb.state",
        "flight.trace",
    ]


# The container


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", CONTAINERFILE.read_text(), re.MULTILINE)


def json_words(text: str) -> list[str]:
    words: list[str] = json.loads(text[text.index("[") :])
    return words


def test_a_container_runs_for_somebody_who_is_not_root() -> None:
    assert instructions("USER") == ["10001"]


def test_a_container_copies_what_the_package_is_made_of() -> None:
    copied = {word for line in instructions("COPY")[:-1] for word in line.split()[:-1]}
    assert copied == {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "tracker",
        "simulator",
        "chaos",
    }
    assert all((OPS.parent / name).exists() for name in copied)


@pytest.mark.commands
async def test_a_containers_command_answers_its_health_check(tmp_path: Path, climb: Climb) -> None:
    [command], [check] = instructions("CMD"), instructions("HEALTHCHECK")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = json_words(command)
    assert words.pop(0) == "run"
    assert words[words.index("--metrics-port") + 1] == "9100"
    async with Endpoints(climb, fps=30).open() as there:
        config = configuration(tmp_path, climb, there)
        replaced = {"9100": str(port), "/wall/tracker.toml": str(config)}
        words = [replaced.get(word, word.replace("/state/", f"{tmp_path}/")) for word in words]
        python, *probe = [word.replace("9100", str(port)) for word in json_words(check)]
        assert python.endswith("/bin/python")
        async with started(*words) as tracker:
            await tracker.says('"event": "connected".*"output"')
            asked = await asyncio.create_subprocess_exec(shutil.which("python3") or "python3", *probe)
            assert await asked.wait() == 0
            await tracker.stops()
        asked = await asyncio.create_subprocess_exec(
            shutil.which("python3") or "python3", *probe, stderr=asyncio.subprocess.DEVNULL
        )
        assert await asked.wait() != 0
