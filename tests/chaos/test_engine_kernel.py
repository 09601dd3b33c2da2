"""Whole runs between network namespaces of the kernel, and what they leave behind: nothing, however they end."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from chaos.runner import Plan, perform
from chaos.scenario_reading import parse
from chaos.temporary import temporary_folder
from chaos.workers import perform_all

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("kernel")]

SIMTOOL = Path(sys.executable).parent / "simtool"
STRUCK = """
name = "struck"
about = "Each way in which a router strikes a link, once."
stresses = ["no-loss", "in-order", "dedup-safe"]
duration = "11s"

[[faults]]
at = "2s"
for = "500ms"
on = "output"
kind = "stall"

[[faults]]
at = "3.5s"
for = "500ms"
on = "input"
kind = "blackhole"

[[faults]]
at = "5s"
for = "300ms"
on = "output"
kind = "reset_peer"

[[faults]]
at = "7s"
for = "300ms"
on = "input"
kind = "down"
"""


def plan(folder: Path, text: str = STRUCK, client: str = "tracker") -> Plan:
    name = text.split('"')[1]
    return Plan(parse(text, Path(f"{name}.toml")), "kernel", 0, 1.0, folder, client)


def test_a_tracker_keeps_its_promises_whichever_way_a_router_strikes(tmp_path: Path) -> None:
    (result,) = perform_all([plan(tmp_path)], perform, jobs=None, done=lambda *_: None)
    assert (result.verdict, result.troubles()) == ("pass", ())


HEALED = """
name = "healed"
about = "What the peer answers is lost for 2.4 s, twice: its TCP sends it again only a while after the heal."
stresses = ["no-false-kill", "no-loss", "in-order"]
duration = "22s"

[[faults]]
at = "4s"
for = "2400ms"
every = "8.13s"
times = 2
on = "output"
kind = "stall"
direction = "downstream"

[expect]
keeps_connections = true
"""


def test_an_outage_that_heals_in_time_costs_only_those_a_connection_who_do_not_notice_the_heal(
    tmp_path: Path,
) -> None:
    """The kernel's RTO is some 0.24 s here, so the peer's fourth try comes when the link would be given up."""
    plans = [plan(tmp_path, HEALED), plan(tmp_path, HEALED, "tests.chaos.ablations:heals_unnoticed")]
    whole, ablated = perform_all(plans, perform, jobs=None, done=lambda *_: None)
    assert (whole.verdict, whole.troubles()) == ("pass", ())
    assert {check.name for check in ablated.checks if check.verdict == "fail"} == {"no-false-kill"}


# What is left behind


class Family:
    """Every process of one command, whoever has become its parent: each has the mark in its environment."""

    def __init__(self) -> None:
        self.mark = token_hex(8)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "FAMILY": self.mark}

    def members(self, within: str = "") -> dict[int, str]:
        """Those that run, and whose command line has this in it: the namespace of each."""
        return dict(self._members(within))

    def _members(self, within: str) -> Iterator[tuple[int, str]]:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    f"FAMILY={self.mark}".encode() in (process / "environ").read_bytes()
                    and within.encode() in (process / "cmdline").read_bytes()
                ):
                    yield int(process.name), str((process / "ns/net").readlink())
            except OSError:
                continue  # it has ended

    async def until(self, *, there: bool, within: str = "") -> dict[int, str]:
        """Wait until there are some, or none any more."""
        async with asyncio.timeout(30):
            while bool(found := self.members(within)) is not there:  # noqa: ASYNC110 - others' processes
                await asyncio.sleep(0.05)
        return found


@pytest.mark.parametrize(
    ("victim", "how", "code"),
    [
        ("simtool", signal.SIGKILL, -signal.SIGKILL),
        ("worker", signal.SIGKILL, 3),
        ("simtool", signal.SIGINT, 130),
        ("everybody", signal.SIGINT, 130),  # what Ctrl-C does
        ("simtool", signal.SIGTERM, 130),
    ],
)
async def test_what_is_ended_in_the_middle_of_a_run_leaves_no_process_no_namespace_and_no_file(
    victim: str, how: signal.Signals, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules and interfaces stand in the namespaces, and go with them; a file goes when the next run begins."""
    family, temporary = Family(), tmp_path / "temporary"
    temporary.mkdir()
    before = known_to_the_host()
    command = await asyncio.create_subprocess_exec(
        *(SIMTOOL, "chaos", "steady", "--engine", "kernel", "--command", "sleep 3600"),
        cwd=tmp_path,
        env=family.environment | {"TMPDIR": str(temporary)},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        # Tests that run in a shell's background ignore it, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    (program,) = await family.until(there=True, within="sleep\x003600")
    namespace = family.members()[program]
    # A command that the worker is about to run is a copy of the worker for a moment, and looks like it.
    (worker,) = (each for each in family.members("spawn_main") if parent(each) == command.pid)
    assert family.members()[worker] == namespace != str(Path("/proc/self/ns/net").readlink())
    if victim == "everybody":
        os.killpg(command.pid, how)
    else:
        os.kill(command.pid if victim == "simtool" else worker, how)
    _, said = await command.communicate()
    await family.until(there=False)
    assert command.returncode == code
    if how is not signal.SIGKILL:
        assert list(temporary.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with temporary_folder():
        pass
    assert list(temporary.iterdir()) == []
    assert known_to_the_host() == before
    if victim == "worker":
        assert "a worker process died" in said.decode()


def parent(process: int) -> int | None:
    """Who started it; None when it has ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may itself have blanks and parentheses.
    return int(status.rpartition(")")[2].split()[1])


def known_to_the_host() -> list[str]:
    """Its interfaces and rules, and the namespaces that have a name."""
    return [
        subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
        for words in (["-o", "link"], ["rule"], ["netns"])
    ]
