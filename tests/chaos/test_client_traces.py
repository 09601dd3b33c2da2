"""What a client under test writes about itself is a trace like any other: told, replayed, exported, and tried again."""

import asyncio
import re
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from chaos import catalogue
from chaos.clients.traces import ScenarioClock
from chaos.commands.cli import app
from chaos.replay.cases import Case, Wanted, understand
from chaos.replay.playing import Replayed
from chaos.runner import Plan, perform
from chaos.scenario import ClientOverrides
from chaos.traces.reading import open_trace
from simulator.loop import VirtualLoop
from simulator.network import Network
from tracker import events

pytestmark = pytest.mark.scenarios


def traced(name: str, client: str, folder: Path) -> Path:
    """The trace of a run on virtual time."""
    plan = Plan(catalogue.find(name), "sim", 0, 1.0, folder, client=client, traces=folder)
    perform(plan)
    (trace,) = (path for path in folder.iterdir() if path.suffix in (".log", ".trace"))
    return trace


def without_ids(log: Path) -> Path:
    """The same log with the usual prefix, in which nothing tells connections apart."""
    log.write_text(re.sub(r"(?m)^(\S+ \S+ \S+ \S+) \S+:", r"\1:", log.read_text()))
    return log


def played(case: Case, client: str | None = None) -> Replayed:
    wanted = Wanted(client, ClientOverrides(), "sim", seed=0, time_scale=1.0)
    return wanted.play(case, minimised=False)[0]


@pytest.fixture(scope="module", params=["an id a connection", "one logger for all"])
def incident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("incident")
    log = traced("echo-backlog", "incident-after", folder)
    trace = open_trace(log if request.param == "an id a connection" else without_ids(log))
    return understand(trace, folder)


def test_the_log_of_the_incident_s_client_names_its_mistake(incident: Case) -> None:
    (line,) = [line.text for line in incident.story.lines if line.tone == "bad"]
    assert "the peer's messages were not read" in line
    assert "reading was paused, and the Pong was never processed: 1011 keepalive ping timeout" in line
    assert incident.made.scenario.peer.echo
    assert incident.made.faults == ()
    assert incident.diagnosis.unknown == ()


def test_the_incident_happens_again_to_a_client_that_does_not_read(incident: Case) -> None:
    comparison = played(incident).comparison
    assert comparison.verdict == "reproduced"
    assert "closed 1011 by client" in [str(row.entry.what) for row in comparison.rows if row.matched]


def test_the_incident_does_not_happen_to_the_tracker(incident: Case) -> None:
    done = played(incident, "tracker")
    assert done.judgement.verdict == "pass"
    assert not any(event.code == 1011 for event in done.history.of(events.Closed))


@pytest.mark.parametrize("name", ["half-open-output", "reset"])
def test_a_log_of_the_library_s_own_client_becomes_a_test_that_it_fails_and_the_tracker_passes(
    name: str, tmp_path: Path
) -> None:
    """The silence of half-open-output ended no connection of the library's: there the finding alone comes again."""
    log, again = traced(name, "websockets-iterator", tmp_path), tmp_path / "again.toml"
    said = CliRunner().invoke(app, ["replay", str(log), "--export", str(again)])
    assert said.exit_code == 0, said.output
    chaos = ["chaos", str(again), "--engine", "sim", "--report", str(tmp_path), "--jobs", "1"]
    assert CliRunner().invoke(app, [*chaos, "--client", "websockets-iterator"]).exit_code == 1
    assert CliRunner().invoke(app, [*chaos, "--client", "tracker"]).exit_code == 0


def test_the_tracker_s_own_trace_is_the_flight_recorder_s(tmp_path: Path) -> None:
    trace = open_trace(traced("steady", "tracker", tmp_path))
    found = list(trace.events())
    assert (trace.kind, trace.problems) == ("trace", [])
    assert trace.header.config is not None
    assert trace.header.config["timing"]["probe_floor"] == 1.2
    assert trace.header.versions["loop"] == "chaos.clients.traces.ScenarioClock"
    assert isinstance(found[-1], events.Stopped)
    assert found[-1].t > 25


def test_a_trace_of_a_run_ten_times_as_fast_tells_scenario_time() -> None:
    async def run() -> tuple[float, events.AnyEvent, float]:
        await asyncio.sleep(3)
        clock = ScenarioClock(10)
        called = asyncio.get_running_loop().create_future()
        clock.call_later(20, lambda: called.set_result(clock.time()))
        late = await called
        event = events.Answered(t=4.0, link="output", number=1, rtt=0.01)
        return late, clock.translated(event), clock.time()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Network(Random(1)))) as runner:
        late, event, now = runner.run(run())
    assert (late, now) == (20, 20)
    assert event == events.Answered(t=10, link="output", number=1, rtt=0.1)


def test_the_command_leaves_a_trace_of_each_run_in_the_folder(tmp_path: Path) -> None:
    chaos = ["chaos", "stop-under-fault", "--engine", "sim", "--report", str(tmp_path), "--jobs", "1"]
    assert CliRunner().invoke(app, [*chaos, "--trace", str(tmp_path / "traces")]).exit_code == 0
    assert [file.name for file in (tmp_path / "traces").iterdir()] == ["stop-under-fault.sim.0.trace"]
