"""A run's own trace, replayed: what happened in the one happens in the other."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chaos import catalogue
from chaos.clients import Assignment
from chaos.clients.relay import Relay
from chaos.clients.tracker import TrackerClient
from chaos.diagnosis.inference import diagnose
from chaos.replay.building import ReplayScenario, replay_scenario
from chaos.replay.playing import Replayed, field_tracker, replay
from chaos.runner import Plan, make_history
from chaos.scenario import Peer
from chaos.timeline.from_events import observe
from chaos.timeline.observed import Observed
from tracker.config import Timing

pytestmark = pytest.mark.scenarios

TEN = (
    "accept-then-close",
    "clean-drop",
    "flapping",
    "half-open-input",
    "half-open-output",
    "latency-below-limit",
    "latency-spike",
    "reset",
    "server-restart",
    "slow-link",
)


class DoesNotComeBack(Relay):
    """Relays until a link ends, and then does nothing more."""

    name = "once"

    async def relay(self, assignment: Assignment) -> None:
        with suppress(ConnectionClosed):
            async with (
                connect(assignment.input_url, proxy=None) as frames,
                connect(assignment.output_url, proxy=None) as output,
            ):
                async for frame in frames:
                    await output.send(frame)
        await asyncio.Event().wait()


class Breaks(TrackerClient):
    async def run(self, assignment: Assignment) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run(assignment))
            await asyncio.sleep(5)
            raise RuntimeError("it broke")


def in_the_field(name: str) -> tuple[Observed, ReplayScenario]:
    """A run of the catalogue's scenario, of which only the tracker's own events are known."""
    history = make_history(Plan(catalogue.find(name), "sim", 7, 10.0, Path()))
    seen = observe(history.events)
    return seen, replay_scenario(seen, diagnose(seen), name=name, config=history.settings)


def again(name: str) -> Replayed:
    seen, made = in_the_field(name)
    return replay(seen, made, field_tracker(seen, Timing(**made.scenario.client.timing)))


@pytest.mark.parametrize("name", TEN)
def test_the_tracker_s_own_events_are_enough_to_reproduce(name: str) -> None:
    comparison = again(name).comparison
    assert comparison.verdict == "reproduced", [row for row in comparison.rows if not row.matched]
    assert comparison.matched == comparison.expected > 0


def test_without_the_field_s_draws_the_story_is_still_the_same() -> None:
    seen, made = in_the_field("clean-drop")
    comparison = replay(seen, made, TrackerClient(), seed=3).comparison
    assert [row.field.what for row in comparison.rows if row.field] == [
        row.replay.what for row in comparison.rows if row.replay
    ]


def test_what_a_trace_leaves_out_is_not_reproduced() -> None:
    seen, made = in_the_field("half-open-output")
    without = ReplayScenario(scenario=catalogue.find("steady"), zero=made.zero, faults=())
    assert replay(seen, without, TrackerClient()).comparison.verdict == "not"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("latency-ramp", "not"),
        ("slow-link", "not"),
        ("echo-backlog", "not"),
        ("crowded-pongs", "not"),
        # Nothing of these is seen in a trace: no fault is found, and none is missed.
        ("lossy-link", "no-evidence"),
        ("acks-without-pongs", "no-evidence"),
        ("sliced", "no-evidence"),
    ],
)
def test_a_fault_that_ended_no_connection_is_not_reproduced_without_it(name: str, verdict: str) -> None:
    seen, made = in_the_field(name)
    bare = replace(made, scenario=replace(made.scenario, faults=(), peer=Peer(made.scenario.peer.confirm)))
    comparison = replay(seen, bare, field_tracker(seen, Timing(**made.scenario.client.timing))).comparison
    assert all(row.matched for row in comparison.rows if row.counts)
    assert comparison.verdict == verdict


def test_a_client_that_breaks_in_a_replay_is_told_as_one_that_breaks_in_a_run() -> None:
    seen, made = in_the_field("clean-drop")
    broken = replay(seen, made, Breaks()).broken
    assert broken is not None
    assert (broken.who, broken.what) == ("client", "RuntimeError: it broke")


def test_a_client_that_does_not_come_back_is_silent_to_the_end_and_has_not_recovered() -> None:
    seen, made = in_the_field("clean-drop")
    done = replay(seen, made, DoesNotComeBack())
    assert done.outcome.recovered is None
    assert done.outcome.silence > 20
