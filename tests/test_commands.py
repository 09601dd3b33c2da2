"""The commands as a person runs them: processes, signals, exit codes, what they print."""

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from websockets.asyncio.server import ServerConnection, serve

from chaos.toxiproxy.install import find_server
from chaos.toxiproxy.server import ToxiproxyServer
from chaos.toxiproxy.toxics import Latency, ResetPeer
from chaos.traces.reading import open_trace
from simulator import events as peer
from simulator.climber import Climb, generate_climb
from simulator.feeds import LiveFeed
from simulator.paths import FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer
from simulator.recording import write_recording
from tracker.events import Received

pytestmark = pytest.mark.commands

BIN = Path(sys.executable).parent
SHARED = Path(__file__).parents[1].parent / "shared" / "data"
CLIENTS = Path(__file__).parents[1] / "examples" / "clients"
HANGS = 300.0
"""Seconds after which a command is not waited for any longer: it hangs. A busy machine takes a few dozen for one."""


class Command:
    """A running command, its stderr line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def until(self, pattern: str) -> re.Match[str]:
        """The first line of stderr, said already or to come, in which `pattern` is found."""
        for line in self.said:
            if found := re.search(pattern, line):
                return found
        assert self.process.stderr is not None
        async with asyncio.timeout(HANGS):
            while raw := await self.process.stderr.readline():
                self.said.append(raw.decode().rstrip())
                if found := re.search(pattern, self.said[-1]):
                    return found
        raise AssertionError(f"{pattern!r} was never said, only: {self.said}")

    async def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, once it has ended."""
        async with asyncio.timeout(HANGS):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), "\n".join([*self.said, err.decode()])


@asynccontextmanager
async def started(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> AsyncIterator[Command]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    process = await asyncio.create_subprocess_exec(
        BIN / words[0],
        *map(str, words[1:]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**ours, "NO_COLOR": "1", "COLUMNS": "120", **(env or {})},
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    async with started(*words, cwd=cwd, env=env) as command:
        return await command.end()


@pytest.fixture(scope="module")
def climb() -> Climb:
    return generate_climb(3, holds=3, dwell_s=1.0)


@pytest.fixture(scope="module")
def wall(climb: Climb, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wall")
    svg, calibration, route = climb.write_files(folder)
    return ["--wall", str(svg), "--calibration", str(calibration), "--route-data", str(route)]


def endpoints(port: int, output: str | None = None) -> list[str]:
    feed, sink = f"ws://127.0.0.1:{port}{FEED_PATH}", f"ws://127.0.0.1:{port}{SINK_PATH}"
    return ["--input-websocket-url", feed, "--output-websocket-url", output or sink]


async def test_sigterm_with_a_healthy_peer_delivers_all_and_closes_with_1001(
    climb: Climb, wall: list[str]
) -> None:
    seen: list[peer.AnyPeerEvent] = []
    server = PoseServer(LiveFeed(climb.frame, interval=1 / 400), report=seen.append)
    port = await server.start()
    async with started("tracker", "run", *endpoints(port), *wall) as tracker:
        await tracker.until("touched")
        tracker.process.send_signal(signal.SIGTERM)
        left = int((await tracker.until(r"stopping why=SIGTERM left=(\d+)"))[1])
        code, _, err = await tracker.end()
    await server.stop()
    assert (code, left > 0) == (0, True)
    assert "tracker: stopped; all delivered" in err
    assert [(e.code, e.by) for e in seen if isinstance(e, peer.Ended)] == [(1001, "client")] * 2
    arrived = [e.seq for e in seen if isinstance(e, peer.Delivered)]
    assert arrived == list(range(1, len(arrived) + 1))


async def test_sigterm_with_a_dead_peer_keeps_the_deadline_and_says_how_many_were_left(
    climb: Climb, wall: list[str], tmp_path: Path
) -> None:
    async def dead(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    config = tmp_path / "tracker.toml"
    config.write_text("[timing]\nflush_timeout = 0.5\nclose_timeout = 0.3\n")
    server = PoseServer(LiveFeed(climb.frame, interval=1 / 100), report=lambda _: None)
    port = await server.start()
    async with serve(dead, "127.0.0.1", 0, close_timeout=0.1, ping_interval=None) as sink:
        silent = f"ws://127.0.0.1:{next(iter(sink.sockets)).getsockname()[1]}/"
        words = ("tracker", "run", *endpoints(port, silent), *wall, "--config", config)
        async with started(*words) as tracker:
            await tracker.until("touched")
            tracker.process.send_signal(signal.SIGTERM)
            await tracker.until("stopping why=SIGTERM")
            began = asyncio.get_running_loop().time()
            code, _, err = await tracker.end()
            took = asyncio.get_running_loop().time() - began
    await server.stop()
    assert code == 1
    assert re.search(r"tracker: stopped; \d+ messages left undelivered", err)
    assert took < 0.5 + 0.3 + 1.0  # the two deadlines, and a busy machine


async def test_a_refusal_for_good_is_one_line_and_exit_code_3(wall: list[str], climb: Climb) -> None:
    server = PoseServer(LiveFeed(climb.frame, interval=1 / 100), report=lambda _: None)
    port = await server.start()
    wrong = f"ws://127.0.0.1:{port}/ws/nothing/"
    code, _, err = await run("tracker", "run", *endpoints(port, wrong), *wall)
    await server.stop()
    assert code == 3
    assert "refused for good (HTTP 404): there is nothing at this path: check the URL" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["tracker", "check", "--wall", "no.svg", "--calibration", "no.json"], "no.svg"),
        (["tracker", "check"], "no --wall given"),
        (["tracker", "run", "--input-websocket-url", "http://x"], "--output-websocket-url"),
        (["simtool", "chaos", "stedy"], "did you mean 'steady'?"),
        (["simtool", "chaos", "no-such.toml"], "no-such.toml"),
        (["simtool", "chaos", "--engine", "warp"], "choose one of"),
        (["simtool", "chaos", "--check-determinism", "--engine", "toxiproxy"], "real sockets have no seed"),
        (["simtool", "chaos", "--preset", "3gg"], "did you mean '3g'?"),
        (["simtool", "chaos", "--client", "traker"], "did you mean 'tracker'?"),
        (["simtool", "chaos", "--client", "no_such:relay"], "no module 'no_such'"),
        (["simtool", "chaos", "--command", "no-such-program"], "there is no program"),
        (["simtool", "chaos", "--command", "true", "--client", "a:b"], "name one of them"),
        (["simtool", "chaos", "--command", "true", "--engine", "sim"], "use --engine toxiproxy"),
        (["simtool", "chaos", "--client", "aiohttp", "--kind", "duplx"], "did you mean 'duplex'?"),
        (["simtool", "chaos", "--kind", "duplex"], "the tracker is known"),
        (["simtool", "compare", "--profile", "no.toml"], "give the path of a profile's TOML file"),
        (["simtool", "try"], "say what to try"),
        (["simtool", "try", "--client", "tracker"], "the tracker is known"),
        (["simtool", "chaos", "steady", "--shard", "0/3"], "no part has that number"),
        (["simtool", "chaos", "steady", "--shard", "1/9", "--engine", "sim"], "take no more parts"),
        (["simtool", "chaos", "steady", "--junit", "no/junit.xml"], "cannot write --junit no/junit.xml"),
        (["simtool", "compare", "stedy"], "did you mean 'steady'?"),
        (["simtool", "compare", "--client", "traker"], "did you mean 'tracker'?"),
        (["simtool", "compare", "--engine", "all"], "choose one of auto, sim, toxiproxy"),
        (["simtool", "compare", "--into", "README.md"], "cannot read --into README.md"),
        (["simtool", "serve", "--feed", "no.jsonl"], "no.jsonl"),
        (["simtool", "serve", "--behaviour", "ecko"], "did you mean 'echo'?"),
    ],
)
async def test_a_users_mistake_is_one_line_and_exit_code_2(
    words: list[str], complaint: str, tmp_path: Path
) -> None:
    code, out, err = await run(*words, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert complaint in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


async def test_a_scenario_that_does_not_go_with_a_preset_is_left_out_with_the_reason(tmp_path: Path) -> None:
    words = ("simtool", "chaos", "latency-below-limit", "--engine", "sim", "--preset", "satellite")
    code, out, err = await run(*words, cwd=tmp_path)
    assert code == 3  # nothing was run
    assert "0 pass" in out
    assert "left out: latency-below-limit does not go with the preset satellite: " in err


async def test_a_port_in_use_is_said_with_the_remedy() -> None:
    taken = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    code, _, err = await run("simtool", "serve", "--port", str(port))
    taken.close()
    assert code == 2
    assert f"cannot listen at 127.0.0.1:{port}" in err
    assert "choose another --port" in err


async def test_toxiproxy_asked_for_and_absent_is_exit_code_3(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "toxiproxy-server")
    process = await asyncio.create_subprocess_exec(
        *(BIN / "simtool", "chaos", "--engine", "toxiproxy", "steady"),
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "TOXIPROXY_SERVER": nowhere},
    )
    _, err = await process.communicate()
    assert process.returncode == 3
    assert nowhere in err.decode()
    assert len(err.decode().strip().splitlines()) == 1


@pytest.mark.toxiproxy
async def test_a_scenario_from_a_file_ends_with_a_table_a_record_and_exit_code_0(tmp_path: Path) -> None:
    if find_server(os.environ) is None:
        pytest.skip("no toxiproxy-server here")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nabout = "mine"\nstresses = ["no-loss"]\nduration = "10s"\n'
        '[[faults]]\nat = "4s"\nfor = "2s"\non = "output"\nkind = "down"\n'
    )
    code, out, _ = await run(
        "simtool", "chaos", "mine.toml", "--engine", "toxiproxy", "--json", "out.json", cwd=tmp_path
    )
    assert code == 0
    assert "1 pass" in out
    (result,) = json.loads((tmp_path / "out.json").read_text())["runs"]
    assert (result["scenario"], result["verdict"]) == ("mine", "pass")
    header, *events = (tmp_path / "runs" / "latest" / "mine.toxiproxy.0.jsonl").read_text().splitlines()
    assert json.loads(header)["scenario"] == "mine"
    assert any(json.loads(event)["event"] == "fault-began" for event in events)


CUT = (
    'name = "cut"\nabout = "cut"\nstresses = ["no-loss"]\nduration = "20s"\n'
    '[[faults]]\nat = "8s"\nfor = "500ms"\non = "output"\nkind = "reset_peer"\ntimeout = 0\n'
)


@pytest.mark.scenarios
async def test_a_failing_run_says_in_the_table_in_junit_and_on_github_how_to_make_it_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "cut.toml").write_text(CUT)
    words = ["chaos", "./cut.toml", "--engine", "sim", "--client", "incident-after"]
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}
    code, out, err = await run("simtool", *words, "--junit", "junit.xml", cwd=tmp_path, env=github)
    assert code == 1
    again = "simtool chaos ./cut.toml --engine sim --client incident-after --seed 0"
    assert f"command   {again}" in out
    (case,) = ET.parse(tmp_path / "junit.xml").iter("testcase")  # noqa: S314 - we wrote it
    assert [child.tag for child in case] == ["properties", "failure"]
    assert again in (case[1].text or "")
    assert "::error title=fail%3A cut on sim%2C seed 0" in err
    assert again in (tmp_path / "summary.md").read_text()
    code, same, err = await run(*shlex.split(again), cwd=tmp_path)
    assert code == 1
    assert [line for line in same.splitlines() if "observed" in line] == [
        line for line in out.splitlines() if "observed" in line
    ]
    assert "::error" not in err


@pytest.mark.scenarios
async def test_the_shards_together_make_every_run_once(tmp_path: Path) -> None:
    made = []
    for part in ("1/2", "2/2"):
        words = ["chaos", "steady", "burst", "sliced", "--engine", "sim", "--shard", part]
        code, out, _ = await run("simtool", *words, "--json", "-", cwd=tmp_path)
        assert code == 0
        made.append([result["scenario"] for result in json.loads(out)["runs"]])
    assert made == [["steady", "sliced"], ["burst"]]


@pytest.mark.scenarios
async def test_a_comparison_is_a_table_a_document_and_the_marked_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "cut.toml").write_text(CUT)
    (tmp_path / "notes.md").write_text("a\n<!-- compare: begin -->\nold\n<!-- compare: end -->\nb\n")
    words = ["compare", "steady", "cut.toml", "--client", "tracker", "--client", "incident-after"]
    code, out, err = await run(
        "simtool", *words, "--json", "out.json", "--into", "notes.md", "--markdown", "table.md", cwd=tmp_path
    )
    assert code == 1  # a client failed, as in `simtool chaos`
    assert re.search(r"^cut +pass [0-9.]+ s +fail ", out, re.MULTILINE)
    assert re.search(r"^ +2 pass +1 pass 1 fail", out, re.MULTILINE)
    assert "[4/4]" in err
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == "simtool.chaos/1"
    assert [(run["client"], run["scenario"]) for run in document["runs"]] == [
        ("tracker", "steady"),
        ("tracker", "cut"),
        ("incident-after", "steady"),
        ("incident-after", "cut"),
    ]
    table = (tmp_path / "table.md").read_text()
    assert table.startswith("| scenario | tracker | incident-after |\n")
    assert (tmp_path / "notes.md").read_text() == (
        f"a\n<!-- compare: begin -->\n\n{table.strip()}\n\n<!-- compare: end -->\nb\n"
    )


@pytest.mark.scenarios
async def test_a_comparison_in_which_all_pass_is_exit_code_0(tmp_path: Path) -> None:
    clients = ("--client", "tracker", "--client", "websockets-iterator")
    code, out, _ = await run(
        "simtool", "compare", "steady", *clients, "--engine", "sim", "--markdown", "-", cwd=tmp_path
    )
    assert code == 0
    assert out.startswith("| scenario | tracker | websockets-iterator |")


@pytest.mark.scenarios
async def test_a_comparison_of_all_that_are_there_says_who_is_left_out(tmp_path: Path) -> None:
    _, out, _ = await run("simtool", "compare", "steady", "--engine", "sim", "--markdown", "-", cwd=tmp_path)
    assert out.startswith("| scenario | tracker | incident-before |")
    assert "left out: aiohttp" in out


@pytest.mark.toxiproxy
async def test_a_league_is_built_played_in_true_time_and_put_into_a_file_without_who_cannot_be_built(
    tmp_path: Path,
) -> None:
    if find_server(os.environ) is None:
        pytest.skip("no toxiproxy-server here")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nabout = "mine"\nstresses = ["no-loss"]\nduration = "8s"\n'
    )
    (tmp_path / "notes.md").write_text("<!-- league: begin -->\n<!-- league: end -->\n")
    (tmp_path / "relay.py").write_text((CLIENTS / "python" / "websockets_iterator.py").read_text())
    language = 'version = "{python} --version"\nrun = "{python} {folder}/{source} {input} {output}"\n'
    client = 'source = "relay.py"\nlibrary = "websockets"\n'
    (tmp_path / "league.toml").write_text(
        f'scenarios = ["mine.toml"]\n[languages.Python]\n{language}'
        f'[languages.Other]\nneeds = ["no-such-compiler"]\n{language}'
        f'[[clients]]\nname = "iterator"\nlanguage = "Python"\n{client}'
        f'[[clients]]\nname = "other"\nlanguage = "Other"\n{client}'
    )
    words = ["league", "--file", "league.toml", "--into", "notes.md"]
    code, out, err = await run("simtool", *words, cwd=tmp_path)
    assert code == 0
    absent = "left out: other: there is no program 'no-such-compiler' on this machine"
    assert f"simtool: {absent}" in err
    assert re.search(r"^iterator +Python +websockets +1 +0 +0 *$", out, re.MULTILINE)
    table = (tmp_path / "notes.md").read_text()
    assert "| iterator | Python | websockets | 1 | 0 | 0 |" in table
    assert "| mine | pass |" in table
    assert absent in table
    assert str(tmp_path) not in table


async def test_a_league_that_cannot_be_played_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "league.toml").write_text('scenarios = ["steady"]\nclient = 3')
    for words, complaint in (
        (["--file", "league.toml"], "league.toml: the key 'client' means nothing here"),
        (
            ["--file", "none.toml"],
            "none.toml: no such file or directory; give the path of a league's TOML file",
        ),
    ):
        code, _, err = await run("simtool", "league", *words, cwd=tmp_path)
        assert code == 2
        assert complaint in err
        assert len(err.strip().splitlines()) == 1


async def test_a_file_without_the_marks_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("no marks")
    (tmp_path / "binary.md").write_bytes(b"\xff")
    for file, complaint in (
        ("notes.md", "it needs one line <!-- compare: begin -->"),
        ("binary.md", "not UTF-8"),
    ):
        code, _, err = await run("simtool", "compare", "steady", "--into", file, cwd=tmp_path)
        assert code == 2
        assert complaint in err
        assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


RULES = ["--touch-duration", "0.5", "--proximity-threshold", "100"]


def touches(session: dict[str, object]) -> set[tuple[str, str]]:
    holds = session["holds"]
    assert isinstance(holds, list)
    return {(hold["id"], hold["time"]) for hold in holds if hold["status"] == "touched"}


@pytest.mark.toxiproxy
@pytest.mark.parametrize("source", ["generated", "real"])
async def test_a_climb_through_latency_and_resets_is_the_climb_of_the_recording(
    source: str, climb: Climb, wall: list[str], tmp_path: Path
) -> None:
    binary = find_server(os.environ)
    if binary is None:
        pytest.skip("no toxiproxy-server here")
    recording = tmp_path / "climb.jsonl.gz"
    if source == "generated":
        write_recording(recording, climb.frames(count=int(climb.climb_s * climb.fps)))
        files = wall
    else:
        if not SHARED.exists():
            pytest.skip("the real climb is not on this machine")
        recording = SHARED / "climb.jsonl.gz"
        names = {"--wall": "wall.svg", "--calibration": "calibration.json", "--route-data": "route.json"}
        files = [word for flag, name in names.items() for word in (flag, str(SHARED / name))]
    code, solved, _ = await run("tracker", "solve", recording, *files, *RULES)
    assert code == 0
    expected = touches(json.loads(solved))
    assert expected

    speed = ("--speed", "6", "--port", "0")
    async with (
        started("simtool", "serve", "--feed", recording, *speed) as server,
        ToxiproxyServer(binary) as toxiproxy,
    ):
        port = int((await server.until(r"feed ws://127\.0\.0\.1:(\d+)/"))[1])
        feed = await toxiproxy.create("feed", f"127.0.0.1:{port}")
        sink = await toxiproxy.create("sink", f"127.0.0.1:{port}")
        for proxy in (feed, sink):
            for stream in ("upstream", "downstream"):
                await proxy.add(Latency(stream=stream, latency=30, jitter=10))
        urls = endpoints(feed.port, f"ws://127.0.0.1:{sink.port}{SINK_PATH}")
        async with started("tracker", "run", *urls, *files, *RULES) as tracker:
            await tracker.until("touched")
            for proxy in (feed, sink):
                await proxy.add(ResetPeer(stream="downstream", timeout=0), "reset")
            for link in ("input", "output"):
                await tracker.until(rf"closed link={link}")
            for proxy in (feed, sink):
                await proxy.remove("reset")
            await server.until("its client has all of it")
            tracker.process.send_signal(signal.SIGTERM)
            tracker_code, _, said = await tracker.end()
        server.process.send_signal(signal.SIGINT)
        server_code, arrived, _ = await server.end()
    assert (tracker_code, server_code) == (0, 0), said
    assert {tuple(line.split()[1:3]) for line in arrived.splitlines()} == expected


async def test_a_trace_with_payloads_holds_the_run_and_is_judged_from_the_file(
    climb: Climb, wall: list[str], tmp_path: Path
) -> None:
    server = PoseServer(LiveFeed(climb.frame, interval=1 / 100), report=lambda _: None)
    port = await server.start()
    path = tmp_path / "site.trace"
    words = ("--trace", path, "--trace-payloads", "--trace-bytes", "1000000")
    async with started("tracker", "run", *endpoints(port), *wall, *words) as tracker:
        await tracker.until("touched")
        tracker.process.send_signal(signal.SIGTERM)
        code, _, err = await tracker.end()
    await server.stop()
    assert code == 0, err
    trace = open_trace(path)
    received = [event.timestamp for event in trace.events() if isinstance(event, Received)]
    kept = [json.loads(payload.data or b"")["timestamp"] for payload in trace.payloads()]
    assert kept[: len(received)] == received
    assert len(received) > 10
    assert trace.header.content("wall") == Path(wall[1]).read_bytes()
    assert trace.problems == []
    code, out, err = await run("simtool", "check", path)
    assert code == 0, out
    assert re.search(r"site.trace +field +pass +0 +0", out)
    code, _, err = await run("tracker", "run", *endpoints(port), *wall, "--trace-payloads")
    assert (code, err) == (2, "tracker: --trace-payloads without a trace: name its file, --trace FILE\n")
