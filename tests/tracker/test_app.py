"""The whole tracker against a peer on loopback, twenty times as fast as in the field."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from simulator import events as peer
from simulator.climber import Climb
from simulator.feeds import LiveFeed
from simulator.pose_server import FEED_PATH, SINK_PATH, PoseServer
from tests.tracker.conftest import QUICK, Record, Running, seqs
from tracker import events
from tracker.config import OutboxLimits, Timing

pytestmark = pytest.mark.sockets


class Peer:
    """A pose server, its record and its URLs."""

    def __init__(self, climb: Climb, **behaviour: Any) -> None:
        self.record = Record()
        self.server = PoseServer(
            LiveFeed(climb.frame, interval=1 / 400), report=self.record.note, **behaviour
        )
        self.input = self.output = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Peer"]:
        port = await self.server.start()
        self.input, self.output = f"ws://127.0.0.1:{port}{FEED_PATH}", f"ws://127.0.0.1:{port}{SINK_PATH}"
        try:
            yield self
        finally:
            self.server.abort()
            await self.server.stop()

    def delivered(self) -> list[int]:
        return [event.seq for event in self.record.of(peer.Delivered) if not event.repeat]


@asynccontextmanager
async def endpoint(converse: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """A WebSocket endpoint of the test's own making."""
    quick = {"close_timeout": 0.1, "ping_interval": None, "compression": None, "max_size": None}
    async with serve(converse, "127.0.0.1", 0, **quick) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def silent(connection: ServerConnection) -> None:
    """A peer that is there and hears nothing: no Pong ever comes."""
    connection.transport.pause_reading()
    await connection.wait_closed()


async def quiet(connection: ServerConnection) -> None:
    """A peer that reads and says nothing."""
    async for _ in connection:
        pass


async def test_every_accepted_output_arrives_in_order_and_the_stop_says_so(
    climb: Climb, running: Running
) -> None:
    async with Peer(climb).listening() as there:
        async with running(there.input, there.output) as (_, record, outcome):
            await there.record.until(peer.Delivered, count=100)
        assert there.delivered() == seqs(record)
    assert outcome.result().undelivered == 0
    assert [event.code for event in record.of(events.Closed)] == [1001, 1001]


async def test_a_restart_of_the_server_loses_and_reorders_nothing(climb: Climb, running: Running) -> None:
    async with Peer(climb).listening() as there:
        async with running(there.input, there.output) as (_, record, outcome):
            await there.record.until(peer.Delivered, count=50)
            await there.server.go_away(1012)
            await record.until(events.Refused)
            await there.server.come_back()
            await record.until(events.Connected, lambda e: e.link == "output", count=2)
            await there.record.until(peer.Delivered, count=100)
        assert there.delivered() == seqs(record)
    assert outcome.result().undelivered == 0


async def test_a_clean_close_by_the_peer_is_answered_with_a_back_off(climb: Climb, running: Running) -> None:
    async with Peer(climb).listening() as there, running(there.input, there.output) as (_, record, _o):
        await record.until(events.Connected, lambda e: e.link == "input")
        await there.server.close_link("input", 1000)
        closed = await record.until(events.Closed, lambda e: e.link == "input")
        waiting = await record.until(events.Waiting, lambda e: e.link == "input")
        again = await record.until(events.Connecting, lambda e: e.link == "input", count=2)
    assert (closed.code, closed.by) == (1000, "peer")
    assert again.t >= closed.t + waiting.delay


async def test_a_peer_that_sends_everything_back_costs_no_connection(climb: Climb, running: Running) -> None:
    async with Peer(climb, echo=True).listening() as there:
        async with running(there.input, there.output) as (_, record, _o):
            await there.record.until(peer.Delivered, count=150)
        assert len(record.of(events.Connected)) == 2
    assert not record.of(events.Died)


async def test_acks_confirm_and_nothing_else_does_in_ack_mode(climb: Climb, running: Running) -> None:
    async with Peer(climb, confirm="ack").listening() as there:
        async with running(there.input, there.output, confirm="ack") as (_, record, outcome):
            await there.record.until(peer.Delivered, count=60)
        assert there.delivered() == seqs(record)
    assert outcome.result().undelivered == 0


async def test_without_acks_everything_is_still_held_in_ack_mode(climb: Climb, running: Running) -> None:
    async with (
        Peer(climb).listening() as deaf,
        running(deaf.input, deaf.output, confirm="ack") as (_, record, outcome),
    ):
        await deaf.record.until(peer.Delivered, count=20)
    assert outcome.result().undelivered == len(seqs(record)) > 0


async def test_a_dead_peer_is_given_up_within_the_bound_and_the_stop_counts_what_is_left(
    climb: Climb, running: Running
) -> None:
    async with Peer(climb).listening() as there, endpoint(silent) as dead:
        async with running(there.input, dead) as (_, record, outcome):
            died = await record.until(events.Died, lambda e: e.link == "output")
            first = next(event for event in record.of(events.Probed) if event.link == "output")
            assert died.t - first.t < 3.1 * QUICK.probe_floor + 0.1
        stopping = record.of(events.Stopping)[0]
        stopped = record.of(events.Stopped)[0]
    assert stopped.t - stopping.t < QUICK.flush_timeout + 2 * QUICK.close_timeout
    assert outcome.result().undelivered == len(seqs(record)) > 0


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
async def test_a_refusal_for_good_ends_the_tracker_with_the_reason(
    status: HTTPStatus, climb: Climb, running: Running
) -> None:
    async with (
        Peer(climb).listening() as there,
        serve(quiet, "127.0.0.1", 0, process_request=lambda c, _: c.respond(status, "no\n")) as server,
    ):
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        async with running(there.input, url) as (_, record, outcome):
            await record.until(events.Stopping)
    failure = outcome.result().failure
    assert failure is not None
    assert str(status.value) in failure
    assert len([e for e in record.of(events.Connecting) if e.link == "output"]) == 1


async def test_a_server_error_is_tried_again(climb: Climb, running: Running) -> None:
    async with (
        Peer(climb).listening() as there,
        serve(
            quiet,
            "127.0.0.1",
            0,
            process_request=lambda c, _: c.respond(HTTPStatus.SERVICE_UNAVAILABLE, "\n"),
        ) as server,
    ):
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        async with running(there.input, url) as (_, record, outcome):
            await record.until(events.Refused, lambda e: e.status == 503, count=3)
    assert outcome.result().failure is None


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


async def test_no_input_stops_the_tracker_and_each_bad_one_is_counted(climb: Climb, running: Running) -> None:
    async def garbage(connection: ServerConnection) -> None:
        for body in BAD.values():
            await connection.send(body)  # binary
        for body in BAD.values():
            if body is not BAD["not-utf8"]:
                await connection.send(body.decode())
        await connection.send(climb.frame(0).decode())
        await connection.wait_closed()

    async with endpoint(garbage) as source, endpoint(quiet) as sink:
        # At the real pace: to read 50 MB takes longer than a link twenty times as impatient would bear.
        async with running(source, sink, timing=Timing()) as (tracker, record, _o):
            await record.until(events.Accepted)
        assert len([e for e in record.of(events.Connected) if e.link == "input"]) == 1
    assert set(tracker.counters.rejected) == set(BAD)


async def test_controls_are_obeyed_and_answered(climb: Climb, running: Running) -> None:
    orders = ["pause_output", "get_status", "update_parameters", "resume_output", "stop"]
    replies: list[str] = []

    async def commander(connection: ServerConnection) -> None:
        for order in orders:
            await connection.send(json.dumps({"type": order}))
        await connection.wait_closed()

    async def sink(connection: ServerConnection) -> None:
        async for message in connection:
            reply = json.loads(message)
            if "type" in reply:
                replies.append(reply["type"])

    async with (
        Peer(climb).listening() as there,
        endpoint(commander) as control,
        endpoint(sink) as output,
        running(there.input, output, control_url=control) as (_, record, outcome),
    ):
        await record.until(events.Stopped)
    assert replies == [
        "output_paused",
        "status_response",
        "parameters_updated",
        "output_resumed",
        "stop_acknowledged",
    ]
    assert outcome.result() == replace(outcome.result(), undelivered=0, failure=None)


async def test_a_full_outbox_under_block_pushes_back_on_the_sender_and_loses_nothing(
    climb: Climb, running: Running
) -> None:
    gate = asyncio.Event()
    arrived: list[int] = []

    async def slow_sink(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await gate.wait()
        connection.transport.resume_reading()
        arrived.extend([json.loads(message)["seq"] async for message in connection])

    async def source(connection: ServerConnection) -> None:
        for number in range(60):
            await connection.send(climb.frame(number).decode())
        await connection.wait_closed()

    limits = OutboxLimits(messages=20)
    # Long enough that the silent peer is not given up while the gate is shut.
    patient = replace(QUICK, probe_floor=5.0, probe_ceiling=15.0, write_timeout=15.0, flush_timeout=5.0)
    async with endpoint(source) as there, endpoint(slow_sink) as sink:
        async with running(there, sink, overflow="block", outbox=limits, timing=patient) as (
            _,
            record,
            outcome,
        ):
            await record.until(events.Accepted, count=20)
            assert len(seqs(record)) == 20
            gate.set()
            await record.until(events.Accepted, count=60)
        assert not record.of(events.Displaced)
    assert outcome.result().undelivered == 0
    assert arrived == list(range(1, 61))


async def test_a_full_outbox_under_fail_ends_the_tracker(climb: Climb, running: Running) -> None:
    async with Peer(climb).listening() as there, endpoint(silent) as dead:
        limits = OutboxLimits(messages=20)
        async with running(there.input, dead, overflow="fail", outbox=limits) as (_, record, outcome):
            await record.until(events.Stopping)
    result = outcome.result()
    assert result.failure is not None
    assert "outbox is full (20 messages" in result.failure
    assert result.undelivered == 20


async def test_what_is_displaced_is_announced_and_touches_never_are(climb: Climb, running: Running) -> None:
    nowhere, limits = "ws://127.0.0.1:9/", OutboxLimits(messages=10)
    async with (
        Peer(climb).listening() as there,
        running(there.input, nowhere, outbox=limits) as (_, record, outcome),
    ):
        await record.until(events.Touched)
        await record.until(events.Displaced, count=50)
    accepted, displaced = seqs(record), seqs(record, events.Displaced)
    essential = {event.seq for event in record.of(events.Accepted) if event.essential}
    assert essential
    assert not essential & set(displaced)
    assert outcome.result().undelivered == 10 == len(accepted) - len(displaced)


async def test_cancelling_the_tracker_leaves_no_connection_behind(climb: Climb, running: Running) -> None:
    async with Peer(climb).listening() as there:
        async with running(there.input, there.output) as (_, _r, outcome):
            await there.record.until(peer.Delivered)
            outcome.cancel()
        assert outcome.cancelled()
        await there.record.until(peer.Ended, count=2)
