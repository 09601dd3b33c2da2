"""A full outbox under each policy, with the whole tracker on virtual time."""

import asyncio
import contextlib

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.climber import Climb
from simulator.network import Network
from simulator.tcp import Tcp
from tests.tracker.conftest import (
    OPEN,
    Commander,
    Running,
    Sink,
    camera,
    cut,
    endpoint,
    exactly,
    lead,
    outputs,
    quiet,
    seqs,
    silent,
    virtual,
)
from tracker import events
from tracker.config import OutboxLimits, Timing

TIMING = Timing()


# A full outbox


@virtual
async def test_block_stops_reading_the_input_and_pushes_back_on_the_sender(
    network: Network, climb: Climb, running: Running
) -> None:
    network.tcp = Tcp(send_buffer_limit=100_000, receive_buffer_limit=200_000)
    fat = b" " * 100_000 + climb.frame(0)  # so that they are soon full
    sent: list[float] = []

    async def source(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(60):
                await connection.send(fat, text=True)
                sent.append(connection.loop.time())
        await quiet(connection)

    sink = Sink()
    async with (
        endpoint(network, source, host="input"),
        endpoint(network, sink, host="output") as way,
        running(overflow="block", outbox=OutboxLimits(messages=20)) as (_, record, outcome),
    ):
        outage = way.add("stall", "upstream", {})
        cut(way)
        await asyncio.sleep(30)
        assert len(seqs(record)) == 20
        assert 20 < len(sent) < 60
        assert not record.of(events.Died, "input")  # though no Pong was read in all that time
        way.remove(outage, "upstream")
        await record.until(events.Accepted, lambda event: event.seq == 60)
    assert not record.of(events.Displaced)
    assert outcome.result().undelivered == 0
    assert [output["seq"] for output in outputs(sink)] == list(range(1, 61))


@virtual
async def test_a_control_link_that_waits_behind_a_blocked_input_is_not_given_up(
    network: Network, climb: Climb, running: Running
) -> None:
    commander, sink = Commander(), Sink()
    lead(network, "output").down = True
    async with (
        endpoint(network, camera(climb, count=60), host="input"),
        endpoint(network, commander, host="control"),
        running(control_url="ws://control:80/", overflow="block", outbox=OutboxLimits(messages=20)) as (
            _,
            record,
            _o,
        ),
    ):
        await asyncio.sleep(2)
        for _ in range(40):  # more than the library keeps unread: then no Pong is processed
            commander.say("get_status")
        await asyncio.sleep(60)
        assert len(seqs(record)) == 20
        assert not record.of(events.Died)
        async with endpoint(network, sink, host="output"):
            await record.until(events.Accepted, count=100)
            await asyncio.sleep(1)
        assert [output["seq"] for output in outputs(sink)] == list(range(1, 101))
        assert len([output for output in outputs(sink) if "type" in output]) == 40


@virtual
async def test_a_stop_ends_the_wait_for_room(network: Network, climb: Climb, running: Running) -> None:
    lead(network, "output").down = True
    async with (
        endpoint(network, camera(climb), host="input"),
        running(overflow="block", outbox=OutboxLimits(messages=20)) as (tracker, record, outcome),
    ):
        await asyncio.sleep(5)
        tracker.stop("enough")
        await outcome
        assert outcome.result().undelivered == 20
        assert record.of(events.Stopped)[0].t == exactly(5 + TIMING.flush_timeout)
        assert seqs(record) == list(range(1, 21))
        assert {event.reason for event in record.of(events.Rejected)} == {"stopping"}


@virtual
async def test_fail_ends_the_tracker_and_says_what_to_do(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, silent, host="output"),
        running(overflow="fail", outbox=OutboxLimits(messages=20)) as (_, record, outcome),
    ):
        await outcome
        (stopping,) = record.of(events.Stopping)
    assert stopping.cause == "outbox-full"
    assert stopping.t == exactly(OPEN + 20 / 30)  # the frame that found no room
    result = outcome.result()
    assert result.failure is not None
    assert "outbox is full (20 messages" in result.failure
    assert "--outbox-messages" in result.failure
    assert result.undelivered == 20


@virtual
async def test_latest_displaces_the_oldest_plain_outputs_announces_them_and_no_touch(
    network: Network, climb: Climb, running: Running
) -> None:
    lead(network, "output").down = True
    async with (
        endpoint(network, camera(climb), host="input"),
        running(outbox=OutboxLimits(messages=10)) as (tracker, record, outcome),
    ):
        await record.until(events.Touched, count=2)
        await asyncio.sleep(5)
        held = [message.seq for message in tracker._outbox.unconfirmed()]
        accepted, displaced = seqs(record), seqs(record, events.Displaced)
        essential = [event.seq for event in record.of(events.Accepted) if event.essential]
    assert 2 <= len(essential) < 10
    plain = [seq for seq in accepted if seq not in essential]
    newest = plain[len(essential) - 10 :]
    assert held == sorted(essential + newest)
    assert displaced == plain[: -len(newest)]
    assert outcome.result().undelivered == 10


@virtual
async def test_latest_waits_where_only_essential_outputs_are_left(network: Network, running: Running) -> None:
    lead(network, "output").down = True
    commander = Commander()
    for _ in range(8):
        commander.say("get_status")
    async with (
        endpoint(network, quiet, host="input"),
        endpoint(network, commander, host="control"),
        running(control_url="ws://control:80/", outbox=OutboxLimits(messages=5)) as (_, record, outcome),
    ):
        await asyncio.sleep(5)
        assert seqs(record) == [1, 2, 3, 4, 5]
        sink = Sink()
        async with endpoint(network, sink, host="output"):
            await record.until(events.Accepted, count=8)
            await asyncio.sleep(1)
            assert [output["seq"] for output in outputs(sink)] == list(range(1, 9))
    assert not record.of(events.Displaced)
    assert outcome.result().undelivered == 0
