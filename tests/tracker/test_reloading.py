"""SIGHUP: what has changed is taken up, what is wrong is not, and nobody who is connected notices."""

import asyncio
import os
import pty
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.climber import Climb, generate_climb
from simulator.network import Network
from tests.operating.processes import Endpoints, started
from tests.tracker.conftest import (
    Commander,
    Record,
    Sink,
    camera,
    endpoint,
    exactly,
    outputs,
    quiet,
    running_with,
    virtual,
)
from tracker import events
from tracker.app import Tracker
from tracker.assembly import pipeline_of
from tracker.cli import _on_hang_up
from tracker.config import ConfigError
from tracker.pipeline import Pipeline
from tracker.reloading import SETTLING, Reloader, Setup, changes, need_a_restart
from tracker.settings import tracker_config

URLS = {"input_websocket_url": "ws://input:80/", "output_websocket_url": "ws://output:80/"}


class Files:
    """The settings of a tracker and the wall's files, which a test changes."""

    def __init__(self, climb: Climb, folder: Path) -> None:
        wall, calibration, route = climb.write_files(folder)
        self.wall, self.calibration, self.route = wall, calibration, route
        self.settings: dict[str, Any] = {
            **URLS,
            "wall": str(wall),
            "calibration": str(calibration),
            "route_data": str(route),
            "touch_duration": 0.3,
        }
        self.loads = 0

    def load(self) -> Setup:
        self.loads += 1
        return self.setup(self.pipeline())

    def pipeline(self) -> Pipeline:
        return pipeline_of(self.settings, "test")

    def setup(self, pipeline: Pipeline) -> Setup:
        return Setup.of(dict(self.settings), tracker_config(self.settings), pipeline)

    def draw_without(self, hold: str) -> None:
        """The wall loses a hold, and its route does too."""
        lines = self.wall.read_text().splitlines()
        self.wall.write_text("\n".join(line for line in lines if f'id="{hold}"' not in line))


@pytest.fixture
def files(climb: Climb, tmp_path: Path) -> Files:
    return Files(climb, tmp_path)


async def here(load: Callable[[], Setup]) -> Setup:
    """Virtual time has no threads."""
    return load()


@asynccontextmanager
async def reloadable(
    files: Files, **config: Any
) -> AsyncIterator[tuple[Tracker, Record, Reloader, Pipeline]]:
    pipeline = files.pipeline()
    async with running_with(pipeline)(**config) as (tracker, record, _):
        reloader = Reloader(tracker, pipeline, files.setup(pipeline), load=files.load, away=here)
        task = asyncio.create_task(reloader.run(), name="reloader")
        yield tracker, record, reloader, pipeline
        task.cancel()
        await asyncio.wait([task])


@virtual
async def test_other_files_are_taken_up_under_load_and_nothing_is_lost(
    network: Network, climb: Climb, files: Files
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, sink, host="output"),
        reloadable(files) as (_, record, reloader, pipeline),
    ):
        await record.until(events.Touched, count=2)
        touched = [hold["id"] for hold in pipeline.snapshot()["holds"] if hold["status"] == "touched"]
        unused = next(
            hold.id for hold in pipeline.wall.holds if pipeline.route and hold.id not in pipeline.route.holds
        )
        count = len(pipeline.wall.holds)
        files.draw_without(unused)
        files.settings |= {"proximity_threshold": 60, "confirm": "ack", "outbox_messages": 500}
        reloader.ask()
        asked = asyncio.get_running_loop().time()
        reloaded = await record.until(events.Reloaded)
        await record.until(events.Touched, count=3)
        assert len(record.of(events.Connected)) == 2
    assert reloaded.t == exactly(asked + SETTLING)
    assert reloaded.changed == (
        f"wall {count} -> {count - 1} holds, proximity_threshold 50 -> 60, outbox_messages 900 -> 500"
    )
    assert reloaded.needs_restart == "confirm"
    shown = outputs(sink)
    assert [output["seq"] for output in shown] == list(range(1, len(shown) + 1))
    assert unused not in [hold["id"] for hold in shown[-1]["session"]["holds"]]
    assert set(touched) <= {
        hold["id"] for hold in shown[-1]["session"]["holds"] if hold["status"] == "touched"
    }
    assert shown[-1]["session"]["startTime"] == shown[0]["session"]["startTime"]


@pytest.mark.parametrize("spoilt", ["wall", "calibration", "route"])
@virtual
async def test_a_file_that_is_wrong_is_named_and_leaves_everything_in_force(
    network: Network, files: Files, spoilt: str
) -> None:
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, quiet, host="output"),
        reloadable(files) as (_, record, reloader, pipeline),
    ):
        before = (pipeline.wall, pipeline.calibration, pipeline.route, pipeline.rules)
        files.settings["proximity_threshold"] = 60
        path: Path = getattr(files, spoilt)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        reloader.ask()
        refused = await record.until(events.NotReloaded)
        assert (pipeline.wall, pipeline.calibration, pipeline.route, pipeline.rules) == before
        path.write_bytes(whole)
        reloader.ask()
        assert (await record.until(events.Reloaded)).changed == "proximity_threshold 50 -> 60"
    assert str(path) in refused.why
    assert len(refused.why.splitlines()) == 1


@virtual
async def test_a_route_of_a_control_that_the_new_wall_lacks_refuses_the_wall(
    network: Network, files: Files
) -> None:
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, quiet, host="output"),
        reloadable(files) as (_, record, reloader, pipeline),
    ):
        assert pipeline.route is not None
        unused = next(hold.id for hold in pipeline.wall.holds if hold.id not in pipeline.route.holds)
        pipeline.update(route={"problem": {"holds": [{"id": unused, "type": "finish"}]}})
        wall = pipeline.wall
        files.draw_without(unused)
        reloader.ask()
        refused = await record.until(events.NotReloaded)
        assert pipeline.wall is wall
    assert f"the route names {unused}, which the wall lacks" in refused.why


@virtual
async def test_two_signals_within_a_second_are_one_and_a_later_one_is_another(
    network: Network, files: Files
) -> None:
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, quiet, host="output"),
        reloadable(files) as (_, record, reloader, _),
    ):
        reloader.ask()
        await asyncio.sleep(0.9)
        files.settings["proximity_threshold"] = 60
        reloader.ask()
        await asyncio.sleep(5)
        assert [event.changed for event in record.of(events.Reloaded)] == ["proximity_threshold 50 -> 60"]
        reloader.ask()
        await asyncio.sleep(5)
        assert [event.changed for event in record.of(events.Reloaded)][1:] == ["nothing"]
    assert files.loads == 2


@virtual
async def test_what_a_control_has_set_holds_on_unless_the_files_changed_it_too(
    network: Network, climb: Climb, files: Files
) -> None:
    commander = Commander()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, commander, host="control"),
        endpoint(network, quiet, host="output"),
        reloadable(files, control_url="ws://control:80/") as (_, record, reloader, pipeline),
    ):
        commander.say("update_parameters", proximity_threshold=80, touch_duration=1.0)
        await record.until(events.Controlled)
        files.settings["touch_duration"] = 0.5
        reloader.ask()
        reloaded = await record.until(events.Reloaded)
        assert (pipeline.rules.proximity_threshold, pipeline.rules.touch_duration) == (80, 0.5)
    assert reloaded.changed == "touch_duration 0.3 -> 0.5"


@virtual
async def test_a_reload_that_a_bug_meets_changes_nothing_and_the_next_one_works(
    network: Network, files: Files
) -> None:
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, quiet, host="output"),
        reloadable(files) as (_, record, reloader, _),
    ):
        load, reloader._load = reloader._load, lambda: 1 / 0  # type: ignore[assignment, return-value]
        reloader.ask()
        await asyncio.sleep(2)
        assert not record.of(events.Reloaded)
        reloader._load = load
        reloader.ask()
        await record.until(events.Reloaded)


@virtual
async def test_a_reload_while_the_tracker_stops_does_nothing(network: Network, files: Files) -> None:
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, quiet, host="output"),
        reloadable(files) as (tracker, record, reloader, _),
    ):
        files.settings["proximity_threshold"] = 60
        reloader.ask()
        await asyncio.sleep(0.95)
        tracker.stop("the test is over")
        await asyncio.sleep(3)
    assert not record.of(events.Reloaded)


def test_what_needs_a_restart_is_named_each_time_and_never_shown(files: Files) -> None:
    before = files.load()
    files.settings |= {
        "output_websocket_url": "ws://u:s3cret@wall/",
        "header": ["X-Key: s3cret"],
        "debug": True,
    }
    named = need_a_restart(before, files.load())
    assert named == ["output_websocket_url", "header", "debug"]


def test_each_kind_of_change_is_told_with_old_and_new(files: Files) -> None:
    before = files.load()
    hands = replace(before.calibration, hand_extension_percent=35.0)
    row = before.calibration.matrix[0]
    moved = replace(before.calibration, matrix=((row[0] * 1.1, *row[1:]), *before.calibration.matrix[1:]))
    assert changes(before, replace(before, calibration=hands)) == ["calibration hands 20 -> 35 %"]
    assert changes(before, replace(before, calibration=moved)) == ["calibration measured anew"]
    assert before.route is not None
    assert changes(before, replace(before, route=None)) == [f"route {len(before.route.holds)} holds -> none"]
    assert changes(before, replace(before, shows=(False, False))) == ["stream_landmarks true -> false"]
    assert changes(before, before) == []


# As a process


@pytest.mark.commands
@pytest.mark.sockets
async def test_a_signal_at_any_time_ends_no_tracker_and_a_reload_keeps_its_connections(
    tmp_path: Path,
) -> None:
    climb = generate_climb(7)
    wall, calibration, route = climb.write_files(tmp_path)
    config = tmp_path / "tracker.toml"
    config.write_text("touch_duration = 0.3\n")
    async with Endpoints(climb, fps=60).open() as there:
        files = ("--wall", wall, "--calibration", calibration, "--route-data", route, "--config", config)
        async with started(*there.urls, *files) as tracker:
            await tracker.says("starting")
            tracker.process.send_signal(signal.SIGHUP)  # it has not begun to listen for it
            await there.shown(lambda output: "session" in output)
            config.write_text("touch_duration = 0.4\nconfirm = 'none'\n")
            tracker.process.send_signal(signal.SIGHUP)
            tracker.process.send_signal(signal.SIGHUP)
            said = await tracker.says("reloaded changed=.*touch.*")
            tracker.process.send_signal(signal.SIGTERM)
            tracker.process.send_signal(signal.SIGHUP)
            code = await tracker.ends()
    assert "'touch_duration 0.3 -> 0.4' needs_restart=confirm" in said[0]
    assert code == 0
    assert sum(" connected " in line for line in tracker.said) == 2
    seqs = [output["seq"] for output in there.outputs]
    assert seqs == list(range(1, len(seqs) + 1))


class _Asked(Reloader):
    def __init__(self) -> None:
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1


class _Told(Tracker):
    def __init__(self) -> None:
        self.told: list[str] = []

    def stop(self, why: str) -> None:
        self.told.append(why)


def test_a_hang_up_of_its_terminal_stops_a_tracker_and_any_other_asks_for_a_reload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracker, reloader = _Told(), _Asked()
    ours, its = pty.openpty()
    with os.fdopen(its, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        _on_hang_up(tracker, reloader, in_terminal=True)
        assert (reloader.asked, tracker.told) == (1, [])
        os.close(ours)
        _on_hang_up(tracker, reloader, in_terminal=True)
        assert (reloader.asked, tracker.told) == (1, ["SIGHUP: its terminal is gone"])
        _on_hang_up(tracker, reloader, in_terminal=False)
        assert reloader.asked == 2


def test_a_setup_that_cannot_be_read_is_a_mistake_in_one_line(files: Files) -> None:
    files.wall.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        files.load()
