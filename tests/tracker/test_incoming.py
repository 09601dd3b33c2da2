"""What comes in: bad messages, resets and controls, on virtual time."""

import asyncio
import contextlib
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.climber import Climb
from simulator.network import Network
from tests.tracker.conftest import (
    Commander,
    Converse,
    Running,
    Sink,
    camera,
    endpoint,
    outputs,
    quiet,
    virtual,
)
from tracker import events
from tracker.logs import EventLog
from tracker.pipeline import Pipeline
from tracker.quiet import FIRST_PERIOD


def saying(*bodies: bytes) -> Converse:
    """A peer that says these, one after the other, and reads."""

    async def converse(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for body in bodies:
                await connection.send(body, text=True)
        await quiet(connection)

    return converse


def order(name: str, **fields: object) -> bytes:
    return json.dumps({"type": name, **fields}).encode()


# Input of all kinds


BAD = {
    "not-json": b"{",
    "not-utf8": b'{"type":"\xff"}',
    "wrong-type": b"[1,2,3]",
    "not-finite": b'{"timestamp":NaN,"landmarks":[]}',
    "too-deep": b'{"extra":' + b"[" * 100_000,
    "unknown-type": b'{"type":"hello"}',
    "control-on-input": b'{"type":"stop"}',
    "too-large": b" " * 50_000_000,
}


@virtual
async def test_no_input_stops_the_tracker_and_each_bad_one_is_counted(
    network: Network, climb: Climb, running: Running
) -> None:
    async def garbage(connection: ServerConnection) -> None:
        for body in BAD.values():
            await connection.send(body)  # binary
            await connection.send(body, text=True)
        await connection.send(climb.frame(0), text=True)
        await quiet(connection)

    async with (
        endpoint(network, garbage, host="input"),
        endpoint(network, quiet, host="output"),
        running() as (tracker, record, _),
    ):
        await record.until(events.Accepted)
        assert len(record.of(events.Connected, "input")) == 1
        assert tracker.counters.rejected == dict.fromkeys(BAD, 2)
        assert [event.link for event in record.of(events.Rejected)] == ["input"] * 2 * len(BAD)


@virtual
async def test_bad_messages_are_logged_at_a_bounded_rate(
    network: Network, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async def garbage(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send("{")
                await connection.send("[]")
                await asyncio.sleep(0.1)

    caplog.set_level(logging.INFO, logger="tracker")
    async with (
        endpoint(network, garbage, host="input"),
        endpoint(network, quiet, host="output"),
        running() as (tracker, _, _o),
    ):
        tracker._observers += (EventLog(logging.getLogger("tracker")).observe,)
        await asyncio.sleep(7.5 * FIRST_PERIOD)
        assert tracker.counters.rejected["not-json"] > 500
    lines = [line for line in caplog.messages if line.startswith("rejected")]
    assert len(lines) == 2 * 5  # two kinds: at once, 10 s, 20 s and 40 s later, and the rest at the end


@virtual
async def test_a_bug_of_ours_costs_one_message_and_is_logged_once(
    network: Network, climb: Climb, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output"),
        running() as (tracker, record, outcome),
    ):
        working = tracker._pipeline.step
        tracker._pipeline.step = lambda _: 1 // 0
        await record.until(events.Rejected, count=5)
        tracker._pipeline.step = working
        await record.until(events.Accepted)
    assert {event.reason for event in record.of(events.Rejected)} == {"internal-error"}
    assert len([line for line in caplog.records if line.exc_info]) == 1
    assert outcome.result().failure is None


@virtual
async def test_a_reset_on_the_input_is_announced_in_the_next_output_only(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    source = saying(climb.frame(0), order("reset_holds"), climb.frame(1), climb.frame(2))
    async with endpoint(network, source, host="input"), endpoint(network, sink, host="output"), running():
        await asyncio.sleep(3)
    assert ["reset" in output for output in outputs(sink)] == [False, True, False]
    assert outputs(sink)[1]["reset"] is True


# Controls


@contextlib.asynccontextmanager
async def commanded(network: Network, climb: Climb, running: Running, **config: Any) -> Any:
    """A tracker at work: its commander, its sink, itself."""
    commander, sink = Commander(), Sink()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, sink, host="output"),
        endpoint(network, commander, host="control"),
        running(control_url="ws://control:80/", **config) as (_, record, outcome),
    ):
        await asyncio.sleep(1)
        yield commander, sink, record, outcome


def replies(sink: Sink) -> dict[str, dict[str, Any]]:
    return {output["type"]: output for output in outputs(sink) if "type" in output}


def refusals(sink: Sink) -> list[dict[str, Any]]:
    return [output for output in outputs(sink) if output.get("type") == "control_refused"]


@virtual
async def test_a_paused_output_sends_replies_only_until_it_is_resumed(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("pause_output")
        await asyncio.sleep(0.5)
        before = len(sink.got)
        assert outputs(sink)[-1]["type"] == "output_paused"
        await asyncio.sleep(5)
        assert len(sink.got) == before
        commander.say("get_status")
        await asyncio.sleep(0.5)
        assert len(sink.got) == before + 1
        commander.say("resume_output")
        await asyncio.sleep(1)
        assert outputs(sink)[before + 1]["type"] == "output_resumed"
        assert len(sink.got) > before + 20
        assert [output["seq"] for output in outputs(sink)] == list(range(1, len(sink.got) + 1))
        assert len(record.of(events.Received)) > len(sink.got)  # poses went on being judged


@virtual
async def test_what_is_touched_while_the_output_is_paused_shows_when_it_is_resumed(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("pause_output")
        touch = await record.until(events.Touched)
        commander.say("resume_output")
        await asyncio.sleep(1)
    shown = outputs(sink)
    (pause,) = (place for place, output in enumerate(shown) if output.get("type") == "output_paused")
    before, after = (
        {hold["id"] for hold in output["session"]["holds"] if hold["status"] == "touched"}
        for output in (shown[pause - 1], shown[-1])
    )
    assert (before, after) == (set(), {touch.hold})


@virtual
async def test_parameters_are_changed_and_the_reply_says_them(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, _, _o):
        commander.say("update_parameters", proximity_threshold=75.0, touch_duration=0.5)
        await asyncio.sleep(1)
        reply = replies(sink)["parameters_updated"]
        assert (reply["proximity_threshold"], reply["touch_duration"]) == (75.0, 0.5)


@virtual
async def test_parameters_that_make_no_sense_change_nothing_and_are_counted(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("update_parameters", touch_duration=-1.0)
        commander.say("update_parameters", route={"problem": {"holds": [{"id": "nowhere", "type": "start"}]}})
        commander.say("dance")
        commander.say("get_status")
        await asyncio.sleep(1)
        assert [(r["control"], r["reason"]) for r in refusals(sink)] == [
            ("update_parameters", "bad-parameters"),
            ("update_parameters", "bad-parameters"),
            ("dance", "unknown-control"),
        ]
        details = [reply["detail"] for reply in refusals(sink)]
        assert details[0].startswith("touch_duration is -1.0")
        assert "nowhere" in details[1]
        assert replies(sink)["status_response"]["parameters"]["touch_duration"] == 2.0
    rejected = [(event.link, event.reason) for event in record.of(events.Rejected)]
    assert rejected == [("control", "bad-parameters")] * 2 + [("control", "unknown-control")]


@virtual
async def test_a_control_that_changes_nothing_is_not_confirmed_as_an_update(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("update_parameters", parameters={"proximity_threshold": 75, "touch_duration": 1.5})
        commander.say("update_parameters", parameters={"touch_duration": 1.5})
        commander.say("update_parameters", proximity=75)
        commander.say("update_parameters")
        await asyncio.sleep(1)
    answers = [output for output in outputs(sink) if "type" in output]
    assert [answer["type"] for answer in answers] == [
        "parameters_updated",
        "parameters_unchanged",
        "control_refused",
        "control_refused",
    ]
    assert [(a["proximity_threshold"], a["touch_duration"]) for a in answers[:2]] == [(75, 1.5)] * 2
    assert answers[2]["reason"] == "nothing-asked"
    assert answers[2]["detail"].endswith("not understood: proximity")
    assert [event.changed for event in record.of(events.Controlled)] == [True, False]


@virtual
async def test_what_of_a_control_is_not_understood_is_named(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("update_parameters", touch_duration=0.5, grace=1, parameters={"speed\x1b[2J": 2})
        commander.say("pause_output", until="noon")
        commander.say("get_status")
        commander.say("reset_holds", why="lunch")
        await asyncio.sleep(1)
    answers = {output["type"]: output.get("not_understood") for output in outputs(sink) if "type" in output}
    assert answers == {
        "parameters_updated": ["grace", "parameters.speed?[2J"],
        "output_paused": ["until"],
        "status_response": None,
    }
    assert [event.not_understood for event in record.of(events.SessionReset)] == ["why"]
    assert [event.not_understood for event in record.of(events.Controlled)] == [
        "grace, parameters.speed?[2J",
        "until",
        "",
    ]


@virtual
async def test_what_is_no_control_is_not_answered_or_two_trackers_would_talk_for_ever(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("pose", landmarks=[])
        commander.say("control_refused", stream="another", seq=7)
        for text in (b"hello", b"[1]", b'{"type": 7}'):
            commander.orders.put_nowait(text)
        await asyncio.sleep(1)
    assert replies(sink) == {}
    assert [event.answered for event in record.of(events.Rejected)] == [None] * 5


@virtual
async def test_a_control_that_meets_a_bug_of_ours_is_counted_and_the_next_is_obeyed(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(Pipeline, "parameters", lambda _: 1 // 0)
            commander.say("get_status")
            await asyncio.sleep(0.5)
        commander.say("pause_output")
        await asyncio.sleep(0.5)
        assert list(replies(sink)) == ["output_paused"]
    assert [(event.link, event.reason) for event in record.of(events.Rejected)] == [
        ("control", "internal-error")
    ]


@virtual
async def test_the_status_says_how_things_stand(network: Network, climb: Climb, running: Running) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("get_status")
        await asyncio.sleep(1)
        status = replies(sink)["status_response"]
    assert status["links"] == {"input": "open", "control": "open", "output": "open"}
    assert status["paused"] is False
    assert status["outbox"]["held"] >= status["outbox"]["in_flight"] > 0
    (replied,) = [event for event in record.of(events.Accepted) if event.essential]
    before = record[: record.index(replied)]
    assert status["counters"]["received"] == len([e for e in before if type(e) is events.Received]) > 0
    assert status["session"]["status"] == "started"


@virtual
async def test_a_reset_on_the_control_socket_is_announced_in_the_next_output(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, _):
        commander.say("reset_holds")
        await asyncio.sleep(1)
    resets = [output["seq"] for output in outputs(sink) if "reset" in output]
    assert len(resets) == 1
    assert [event.seq for event in record.of(events.Accepted) if event.essential] == resets
    assert replies(sink) == {}


@virtual
async def test_a_stop_by_control_is_acknowledged_before_the_end(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, sink, record, outcome):
        commander.say("stop")
        await outcome
        assert "stop_acknowledged" in replies(sink)
        assert outcome.result() == replace(outcome.result(), undelivered=0, failure=None)
        stopping = record.of(events.Stopping)[0]
        assert (stopping.why, stopping.cause) == ("stop control", "stop-control")


@virtual
async def test_each_control_is_reported_with_the_rules_that_it_changed(
    network: Network, climb: Climb, running: Running
) -> None:
    async with commanded(network, climb, running) as (commander, _, record, _):
        commander.say("pause_output")
        commander.say("update_parameters", parameters={"touch_duration": 0.5})
        commander.say("resume_output")
        commander.say("reset_holds")
        await asyncio.sleep(0.5)
    told = [(e.kind, e.touch_duration, e.proximity_threshold) for e in record.of(events.Controlled)]
    assert told == [
        ("pause_output", None, None),
        ("update_parameters", 0.5, 50.0),
        ("resume_output", None, None),
    ]
    assert [event.link for event in record.of(events.SessionReset)] == ["control"]
