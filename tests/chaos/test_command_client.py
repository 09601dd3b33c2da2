"""A program as a client: started, watched, stopped, whatever it does."""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.clients import Assignment, command
from chaos.clients.choose import COMMAND
from chaos.clients.command import CommandClient, ProgramFailed
from chaos.reports.results import RunResult
from chaos.runner import Plan, default_time_scale, perform
from chaos.scenario import ClientOverrides
from chaos.scenario_reading import parse
from chaos.toxiproxy.install import find_server

pytestmark = pytest.mark.commands

EXAMPLES = Path(__file__).parents[2] / "examples"


def assignment(scale: float = 10.0) -> Assignment:
    return Assignment(
        input_url="ws://in",
        output_url="ws://out",
        wall=Path(),
        calibration=Path(),
        route=Path(),
        overrides=ClientOverrides(),
        scale=scale,
        seed=0,
        report=lambda _: None,
        stop=asyncio.Event(),
    )


def python(folder: Path, program: str, *words: str) -> CommandClient:
    return CommandClient(shlex.join([sys.executable, "-u", "-c", program, *words]), folder / "output.txt")


async def until_written(folder: Path, text: str) -> str:
    async with asyncio.timeout(20):
        while text not in (written := (folder / "output.txt").read_text()):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    return written


def gone(pid: int) -> bool:
    """Ended, though nobody may have reaped it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


SAYS_WHAT_IT_GOT = """
import os, sys, time
print(*sys.argv[1:], os.environ["SIMTOOL_INPUT"], os.environ["SIMTOOL_OUTPUT"], os.environ["SIMTOOL_TIME_SCALE"], "all")
time.sleep(60)
"""


async def test_a_program_gets_the_urls_as_words_and_with_the_scale_in_its_environment(tmp_path: Path) -> None:
    told = assignment()
    (tmp_path / "output.txt").touch()
    client = python(tmp_path, SAYS_WHAT_IT_GOT, "--from={input}", "{output}", "{neither}")
    running = asyncio.create_task(client.run(told))
    written = await until_written(tmp_path, "all")
    told.stop.set()
    await running
    assert written.split() == ["--from=ws://in", "ws://out", "{neither}", "ws://in", "ws://out", "10", "all"]


async def test_a_program_gets_the_files_that_its_words_ask_for(tmp_path: Path) -> None:
    told = replace(
        assignment(), wall=Path("w.svg"), calibration=Path("c.json"), route=Path("r.json"), ca=Path("ca.pem")
    )
    (tmp_path / "output.txt").touch()
    echo = "import sys, time; print(sys.argv[1:], 'all'); time.sleep(60)"
    client = python(tmp_path, echo, "{url}", "{wall}", "{calibration}", "{route}", "--ca={ca}")
    running = asyncio.create_task(client.run(told))
    written = await until_written(tmp_path, "all")
    told.stop.set()
    await running
    assert written.strip() == "['ws://out', 'w.svg', 'c.json', 'r.json', '--ca=ca.pem'] all"


async def test_a_program_is_ended_with_the_signal_that_it_is_said_to_take(tmp_path: Path) -> None:
    told = replace(assignment(), stop_signal="SIGUSR1")
    (tmp_path / "output.txt").touch()
    takes = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (print('told'), sys.exit(0)))\n"
        "print('up'); time.sleep(60)"
    )
    running = asyncio.create_task(python(tmp_path, takes).run(told))
    await until_written(tmp_path, "up")
    told.stop.set()
    await running
    assert "told" in (tmp_path / "output.txt").read_text()


async def test_of_several_clients_each_programs_words_are_kept_by_themselves(tmp_path: Path) -> None:
    seventh = replace(assignment(), number=7)
    client = python(tmp_path, "import sys; sys.exit('the seventh')")
    with pytest.RaisesGroup(pytest.RaisesExc(ProgramFailed, match="it last wrote: the seventh")):
        await client.run(seventh)
    assert (tmp_path / "output.7.txt").read_text() == "the seventh\n"
    assert not (tmp_path / "output.txt").exists()


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import sys; print('a'); sys.exit('b\\nc\\nd')", "with exit code 1; it last wrote: b | c | d"),
        ("import os; os.kill(os.getpid(), 9)", "by SIGKILL; it wrote nothing"),
        ("pass", r"after \d+\.\d s with exit code 0; it wrote nothing"),
        ("{}['hold']", r"with exit code 1; the error: KeyError: 'hold'"),
        ("print('x' * 10_000_000); print('the end')", r"with exit code 0; it last wrote: x{200} | the end$"),
    ],
)
async def test_a_program_that_ends_by_itself_has_failed_with_its_last_lines(
    program: str, how: str, tmp_path: Path
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ProgramFailed, match=how.replace("|", r"\|"))):
        await python(tmp_path, program).run(assignment())


async def test_a_program_that_writes_without_end_is_killed_and_has_failed_with_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_WRITTEN", 1_000_000)
    endless = "import sys\nwhile True: print('woe', file=sys.stderr)"
    with pytest.RaisesGroup(
        pytest.RaisesExc(
            ProgramFailed, match=r"wrote more than 1 MB and was killed; it last wrote: woe \| woe"
        )
    ):
        await python(tmp_path, endless).run(assignment())


async def test_a_program_that_writes_without_end_once_it_is_told_to_stop_is_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_WRITTEN", 1_000_000)
    monkeypatch.setattr(command, "TERM_WITHIN", 1e6)
    told = assignment()
    (tmp_path / "output.txt").touch()
    wordy = (
        "import signal\n"
        "def lament(*_):\n"
        "    while True: print('woe')\n"
        "signal.signal(15, lament); print('up'); signal.pause()"
    )
    running = asyncio.create_task(python(tmp_path, wordy).run(told))
    await until_written(tmp_path, "up")
    told.stop.set()
    with pytest.RaisesGroup(pytest.RaisesExc(ProgramFailed, match="wrote more than 1 MB")):
        await running


async def test_what_is_no_program_has_failed_with_the_systems_own_words(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("no first line that says what runs it")
    script.chmod(0o755)
    with pytest.raises(ProgramFailed, match=r"could not be started: .*Exec format error"):
        await CommandClient(str(script), tmp_path / "output.txt").run(assignment())


async def test_a_program_stops_in_real_seconds_whatever_the_scale(tmp_path: Path) -> None:
    told = assignment(scale=command.TERM_WITHIN / 0.1)
    (tmp_path / "output.txt").touch()
    slow = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: (time.sleep(0.3), print('flushed'), sys.exit(0)))\n"
        "print('up'); time.sleep(60)"
    )
    running = asyncio.create_task(python(tmp_path, slow).run(told))
    await until_written(tmp_path, "up")
    told.stop.set()
    await running
    assert "flushed" in (tmp_path / "output.txt").read_text()


async def test_a_program_that_ignores_sigterm_is_killed_and_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TERM_WITHIN", 0.2)
    told = assignment(scale=50.0)
    (tmp_path / "output.txt").touch()
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    running = asyncio.create_task(python(tmp_path, stubborn).run(told))
    await until_written(tmp_path, "up")
    told.stop.set()
    with pytest.RaisesGroup(pytest.RaisesExc(ProgramFailed, match=r"ignored SIGTERM for 0\.2 s")):
        await running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc whether a process is gone")
@pytest.mark.parametrize("end", ["stop", "cancel"])
async def test_what_a_program_started_ends_with_it(end: str, tmp_path: Path) -> None:
    told = assignment()
    (tmp_path / "output.txt").touch()
    family = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)'])\n"
        "print(os.getpid(), child.pid, 'born'); time.sleep(60)"
    )
    running = asyncio.create_task(python(tmp_path, family).run(told))
    pids = [int(word) for word in (await until_written(tmp_path, "born")).split()[:2]]
    if end == "stop":
        told.stop.set()
        await running
    else:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    async with asyncio.timeout(10):
        while not all(map(gone, pids)):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.02)


# Whole runs, through Toxiproxy


CALM = """
name = "calm"
about = "Nothing goes wrong, for a little while, and not so fast that a busy machine would be judged."
stresses = ["no-loss", "in-order", "no-false-kill"]
duration = "12s"
"""


def judged(client: str, folder: Path) -> RunResult:
    if find_server(os.environ) is None:
        pytest.skip("no toxiproxy-server here")
    scale = 4.0 if default_time_scale(client, scales_itself=False) > 1 else 1.0
    return perform(Plan(parse(CALM, Path("calm.toml")), "toxiproxy", 0, scale, folder, client))


def node() -> str:
    """The command that starts a Node with a WebSocket."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node here")
    for words in ([program], [program, "--experimental-websocket"]):
        has = subprocess.run(
            [*words, "-p", "typeof WebSocket"], capture_output=True, text=True, check=False
        ).stdout
        if has.strip() == "function":
            return shlex.join(words)
    pytest.skip("this node has no WebSocket")


@pytest.mark.toxiproxy
def test_the_example_in_node_passes_while_nothing_goes_wrong(tmp_path: Path) -> None:
    script = shlex.quote(str(EXAMPLES / "relay.mjs"))
    result = judged(f"{COMMAND}{node()} {script} {{input}} {{output}}", tmp_path)
    assert (result.verdict, result.troubles()) == ("pass", ())


@pytest.mark.toxiproxy
def test_a_program_killed_in_the_middle_fails_with_what_it_wrote_and_leaves_it_in_the_folder(
    tmp_path: Path,
) -> None:
    program = "import os, sys, time; print('so far', file=sys.stderr); time.sleep(1); os.kill(os.getpid(), 9)"
    result = judged(f"{COMMAND}{shlex.join([sys.executable, '-c', program])}", tmp_path)
    (valid_run,) = (check for check in result.checks if check.name == "valid-run")
    assert result.verdict == "fail"
    assert signal.SIGKILL.name in valid_run.observed
    assert "it last wrote: so far" in valid_run.observed
    (kept,) = tmp_path.glob("*.txt")
    assert kept.read_text() == "so far\n"
    assert result.output == str(kept)


@pytest.mark.toxiproxy
@pytest.mark.parametrize("client", ["aiohttp", "websocket-client"])
def test_the_clients_of_other_libraries_pass_while_nothing_goes_wrong(client: str, tmp_path: Path) -> None:
    pytest.importorskip({"aiohttp": "aiohttp", "websocket-client": "websocket"}[client])
    result = judged(client, tmp_path)
    assert (result.verdict, result.troubles()) == ("pass", ())
