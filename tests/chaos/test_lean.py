import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import runner
from chaos.clients.relay import Relay
from chaos.clients.tracker import TrackerClient
from chaos.engines.sim import SimEngine
from chaos.history import History
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.life import Life
from chaos.runner import Plan, make_and_judge
from chaos.scenario import Scenario
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from simulator import events as peer
from simulator.idle import idle_frame
from tests.chaos.histories import fault
from tracker import events
from tracker.messages import Pose, decode_input

TEXT = """name = "lean"
about = "-"
stresses = ["no-loss", "in-order"]
duration = "20s"
[workload]
kind = "lean"
"""
FILE = Path("lean.toml")
LEAN = parse(TEXT, FILE)
CUT = replace(
    LEAN, stresses=("no-loss", "in-order", "recover"), faults=(fault("stall", 5.0, 6.0, on="output"),)
)


def judged(scenario: Scenario, client: str = "tracker") -> tuple[History, Judgement]:
    made = make_and_judge(Plan(scenario, "sim", 0, 1.0, client=client))
    return made.history, made.judgement


@pytest.fixture
def no_folder_to_write_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there-is-none"))


@pytest.mark.usefixtures("no_folder_to_write_to")
def test_a_lean_run_goes_the_way_of_all_runs_and_writes_no_file() -> None:
    history, judgement = judged(CUT)
    assert judgement.verdict == "pass"
    names = {check.name for check in judgement.checks}
    assert {"no-loss", "in-order", "accounts", "probes", "recover", "detect", "every-frame"} <= names
    assert "same-climb" not in names
    assert [event.connection for event in history.of(events.Connected) if event.link == "output"] == [1, 2]
    delivered = [event for event in history.of(peer.Delivered) if not event.repeat]
    assert len(delivered) > 10 * LEAN.duration
    assert max(event.size for event in delivered) < 300
    assert not history.reference


@pytest.mark.usefixtures("no_folder_to_write_to")
def test_what_goes_wrong_in_it_is_told() -> None:
    _, judgement = judged(CUT, "tests.chaos.ablations:no_requeue")
    assert [check.name for check in judgement.checks if check.verdict == "fail"][:1] == ["no-loss"]


def test_it_takes_resets_and_several_clients() -> None:
    history, judgement = judged(
        replace(LEAN, workload=replace(LEAN.workload, reset_at=(5.0,), clients=2), duration=10.0)
    )
    assert judgement.verdict == "pass"
    assert sum(event.reset for event in history.of(peer.Delivered)) == 2


def test_another_client_gets_its_own_messages_short() -> None:
    history, judgement = judged(replace(LEAN, duration=5.0), "websockets-iterator")
    assert judgement.verdict == "pass"
    assert max(event.size for event in history.of(peer.Delivered)) < 64


class DoesNothing(TrackerClient):
    """It is there, and that is all."""

    async def run(self, assignment: object) -> None:
        await assignment.stop.wait()  # type: ignore[attr-defined]


class OnlyLooks(Relay):
    """It is there, and that is all."""

    name = "only-looks"

    async def relay(self, assignment: object) -> None:  # noqa: ARG002 - it does nothing
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("client", [DoesNothing(), OnlyLooks()])
@pytest.mark.parametrize("begins", [5.0, 0.0])
def test_a_client_that_does_nothing_in_it_is_said(client: TrackerClient, begins: float) -> None:
    scenario = replace(CUT, faults=(fault("down", begins, 2.0, on="output"),))
    life = Life(scenario, client, engine="sim", seed=0)
    SimEngine(seed=0).run(life.live)
    judgement = judge(life.history(), scenario)
    assert judgement.verdict != "pass"
    start = judgement.checks[0]
    assert (start.name, start.verdict) == ("valid-run", "unknown")
    assert ("did nothing" if begins == 0 else "never connected") in start.observed


def test_ten_messages_a_second_unless_told_otherwise_and_it_is_written_as_it_was_read() -> None:
    assert LEAN.workload.fps == 10
    assert parse(write(LEAN), FILE) == LEAN
    faster = parse(TEXT + "fps = 30\n", FILE)
    assert faster.workload.fps == 30
    assert parse(write(faster), FILE) == faster


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT + "holds = 5\n", "workload.holds is given, but workload.kind is 'lean'"),
        (TEXT + 'recording = "climb.jsonl"\n', "workload.kind is given beside workload.recording"),
        (
            TEXT.replace('"in-order"', '"same-climb"'),
            "stresses has 'same-climb', but workload.kind is 'lean'",
        ),
        (
            TEXT.replace('"lean"\n', '"leen"\n').replace('name = "leen"', 'name = "lean"'),
            "workload.kind is 'leen'",
        ),
    ],
)
def test_what_does_not_go_with_it_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"lean\.toml") as refused:
        parse(text, FILE)
    assert says in str(refused.value)


def test_its_frames_are_poses_whose_times_follow_the_rate() -> None:
    first, later = decode_input(idle_frame(10, 0)), decode_input(idle_frame(10, 25))
    assert isinstance(first, Pose)
    assert isinstance(later, Pose)
    assert (later.sequence, later.timestamp - first.timestamp) == (25, 2500)


def test_the_record_of_a_run_that_is_judged_in_memory_is_written_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner.make_and_judge(Plan(replace(LEAN, duration=5.0), "sim", 0, 1.0))
    assert not list(tmp_path.iterdir())
