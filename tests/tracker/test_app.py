"""The whole tracker on virtual time: from a pose to an endpoint, and an orderly end."""

import asyncio
import contextlib
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from simulator import events as peer
from simulator.climber import Climb
from simulator.network import Network
from tests.tracker.conftest import (
    LATENCY,
    OPEN,
    Peer,
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
    still_open,
    virtual,
)
from tracker import events
from tracker.config import Timing

TIMING = Timing()


# From one end to the other


@virtual
async def test_every_accepted_output_arrives_in_order_and_the_stop_says_so(
    network: Network, climb: Climb, running: Running
) -> None:
    async with Peer(climb, network).listening() as there:
        async with running(there.input, there.output) as (_, record, outcome):
            await there.record.until(peer.Delivered, count=100)
        assert [event.seq for event in there.record.of(peer.Delivered)] == seqs(record)
    assert (outcome.result().undelivered, outcome.result().failure) == (0, None)
    assert [event.code for event in record.of(events.Closed)] == [1001, 1001]


@virtual
async def test_an_output_leaves_in_the_instant_in_which_its_pose_came(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, sink, host="output"),
        running(),
    ):
        await asyncio.sleep(10)
    # A frame takes one path's latency to the tracker, its output another to the sink; computing takes no time here.
    first = OPEN - LATENCY + 2 * LATENCY  # the camera begins when it has answered the handshake
    assert sink.at[:200] == [exactly(first + n / 30) for n in range(200)]


@virtual
async def test_a_reset_of_both_links_loses_and_reorders_no_output(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb), host="input") as way_in,
        endpoint(network, sink, host="output") as way_out,
        running() as (_, record, outcome),
    ):
        for _ in range(5):
            await asyncio.sleep(9)  # longer than the longest delay
            cut(way_in)
            cut(way_out)
        await asyncio.sleep(10)
    first_arrivals = list(dict.fromkeys(output["seq"] for output in outputs(sink)))
    assert first_arrivals == seqs(record) == list(range(1, len(first_arrivals) + 1))
    assert outcome.result().undelivered == 0
    assert len(record.of(events.Connected)) == 12


@virtual
async def test_a_restart_of_the_server_loses_and_reorders_nothing(
    network: Network, climb: Climb, running: Running
) -> None:
    async with Peer(climb, network).listening() as there:
        async with running(there.input, there.output) as (_, record, outcome):
            await there.record.until(peer.Delivered, count=50)
            await there.server.go_away(1012)
            await record.until(events.Refused)
            await there.server.come_back()
            await record.until(events.Connected, lambda event: event.link == "output", count=2)
            await there.record.until(peer.Delivered, count=100)
        delivered = [event.seq for event in there.record.of(peer.Delivered) if not event.repeat]
    assert delivered == seqs(record)
    assert outcome.result().undelivered == 0


@virtual
async def test_the_end_of_one_link_is_not_the_others(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input") as way,
        endpoint(network, quiet, host="output"),
        running() as (_, record, _o),
    ):
        await asyncio.sleep(3)
        cut(way)
        await asyncio.sleep(10)
        assert len(record.of(events.Connected, "input")) == 2
        assert len(record.of(events.Connected, "output")) == 1


@virtual
async def test_a_reconnect_of_the_input_resets_nothing(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb), host="input") as way,
        endpoint(network, sink, host="output"),
        running() as (_, record, _o),
    ):
        await asyncio.sleep(1)
        cut(way)
        await record.until(events.Connected, lambda event: event.link == "input", count=2)
        before = len(sink.got)
        await asyncio.sleep(1)
        assert len(sink.got) > before
    assert not [output for output in outputs(sink) if "reset" in output]
    assert record.of(events.SessionReset) == []


@virtual
async def test_with_confirm_ack_a_pong_confirms_nothing(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb, count=30), host="input"),
        endpoint(network, quiet, host="output"),
        running(confirm="ack") as (_, record, outcome),
    ):
        await asyncio.sleep(5)
        assert record.of(events.Answered, "output")
    assert outcome.result().undelivered == 30


# Stop


@virtual
async def test_a_stop_flushes_and_closes_the_inputs_first(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output"),
        running() as (tracker, record, outcome),
    ):
        await asyncio.sleep(5)
        tracker.stop("enough")
        await outcome
        (stopping,), (stopped,) = record.of(events.Stopping), record.of(events.Stopped)
        ends = {event.link: event.t for event in record.of(events.Closed)}
        assert (stopping.why, stopping.t, stopping.left > 0) == ("enough", exactly(5), True)
        assert ends["input"] == exactly(5 + 2 * LATENCY)
        assert record.of(events.Confirmed)[-1].left == 0
        assert record.of(events.Confirmed)[-1].t <= ends["output"] == stopped.t
        assert stopped.t < 5 + 0.2 + 6 * LATENCY  # a barrier, its answer, and two handshakes
        assert outcome.result().undelivered == stopped.undelivered == 0


@virtual
async def test_a_pose_that_was_on_its_way_when_the_stop_began_is_delivered(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb, fps=1), host="input"),
        endpoint(network, sink, host="output"),
        running() as (tracker, record, outcome),
    ):
        await asyncio.sleep(OPEN - LATENCY + 2 + 0.01)  # the third frame has just left the camera
        tracker.stop("enough")
        await outcome
        assert record.of(events.Stopping)[0].left == 0
        assert outcome.result().undelivered == 0
        assert [output["seq"] for output in outputs(sink)] == [1, 2, 3]


@virtual
async def test_a_stop_gives_a_dead_output_flush_timeout_and_says_what_is_left(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, silent, host="output"),
        running() as (tracker, record, outcome),
    ):
        await asyncio.sleep(3)
        tracker.stop("enough")
        await outcome
        # The flush's time is over, and then that of a close handshake which nobody answers, unless the link is
        # found dead and is between two attempts.
        assert 0 <= record.of(events.Stopped)[0].t - (3 + TIMING.flush_timeout) <= TIMING.close_timeout
        assert outcome.result().undelivered == len(seqs(record)) > 0
        assert outcome.result().failure is None


@virtual
async def test_a_stop_with_an_output_that_was_never_there_takes_flush_timeout(
    network: Network, climb: Climb, running: Running
) -> None:
    lead(network, "output").down = True
    async with endpoint(network, camera(climb), host="input"), running() as (tracker, record, outcome):
        await asyncio.sleep(3)
        tracker.stop("enough")
        await outcome
        assert record.of(events.Stopped)[0].t == exactly(3 + TIMING.flush_timeout)
        assert outcome.result().undelivered == len(seqs(record)) > 0


@virtual
async def test_a_stop_with_nothing_to_flush_and_nobody_there_ends_at_once(
    network: Network, running: Running
) -> None:
    lead(network, "input").add("stall", "upstream", {})
    lead(network, "output").down = True
    async with running() as (tracker, record, outcome):
        await asyncio.sleep(3)
        tracker.stop("enough")
        await outcome
        assert record.of(events.Stopped)[0].t == exactly(3)
        assert outcome.result().undelivered == 0


@virtual
async def test_a_message_that_reconnects_within_the_flush_is_delivered(
    network: Network, climb: Climb, running: Running
) -> None:
    sink = Sink()
    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, sink, host="output") as way,
        running() as (tracker, record, outcome),
    ):
        await asyncio.sleep(3)
        cut(way)
        tracker.stop("enough")
        await outcome
        assert outcome.result().undelivered == 0
        assert len(record.of(events.Connected, "output")) == 2
        assert {output["seq"] for output in outputs(sink)} == set(seqs(record))


@virtual
async def test_stopping_twice_keeps_the_first_reason(
    network: Network, climb: Climb, running: Running
) -> None:
    async with (
        Peer(climb, network).listening() as there,
        running(there.input, there.output) as (tracker, record, outcome),
    ):
        await asyncio.sleep(1)
        assert not tracker.stopping
        tracker.stop("first")
        tracker.stop("second")
        assert tracker.stopping
        await outcome
        tracker.stop("third")
        assert [event.why for event in record.of(events.Stopping)] == ["first"]


@virtual
async def test_after_its_end_nothing_of_a_tracker_is_left(
    network: Network, climb: Climb, running: Running
) -> None:
    loop: Any = asyncio.get_running_loop()
    async with (
        endpoint(network, camera(climb, count=30), host="input"),
        endpoint(network, silent, host="output"),
        endpoint(network, quiet, host="control"),
    ):
        before = asyncio.all_tasks()
        async with running(control_url="ws://control:80/") as (tracker, _, outcome):
            await asyncio.sleep(10)
            tracker.stop("enough")
            await outcome
            await asyncio.sleep(0)
            ours = {task.get_coro().__qualname__ for task in asyncio.all_tasks() - before}  # type: ignore[union-attr]
            assert not {name for name in ours if name.startswith(("Tracker", "Link", "Wire", "Outgoing"))}
            assert still_open(network) == 0
    await asyncio.sleep(20)  # whatever the peers still had to do
    assert [handle for handle in loop._scheduled if not handle.cancelled()] == []


@virtual
async def test_cancelling_the_tracker_leaves_no_connection_behind(
    network: Network, climb: Climb, running: Running
) -> None:
    async with Peer(climb, network).listening() as there:
        async with running(there.input, there.output) as (_, _r, outcome):
            await there.record.until(peer.Delivered)
            outcome.cancel()
        assert outcome.cancelled()
        await there.record.until(peer.Ended, count=2)


# Refused for good


@pytest.mark.parametrize("link", ["input", "output", "control"])
@virtual
async def test_a_refusal_for_good_of_any_link_ends_the_tracker_with_the_reason(
    network: Network, running: Running, link: str
) -> None:
    def refuse(connection: ServerConnection, _: object) -> Any:
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n")

    async with contextlib.AsyncExitStack() as stack:
        for name in ("input", "output", "control"):
            options = {"process_request": refuse} if name == link else {}
            await stack.enter_async_context(endpoint(network, quiet, host=name, **options))
        async with running(control_url="ws://control:80/") as (_, record, outcome):
            await outcome
            assert record.of(events.Stopped)[0].t < 1
    failure = outcome.result().failure
    assert failure is not None
    assert failure.startswith(f"{link} endpoint ws://{link}:80/ refused for good (HTTP 403): ")


@virtual
async def test_nothing_is_flushed_to_an_output_that_has_refused_for_good(
    network: Network, climb: Climb, running: Running
) -> None:
    async def refuse_late(connection: ServerConnection, _: object) -> Any:
        await asyncio.sleep(2)
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n")

    async with (
        endpoint(network, camera(climb), host="input"),
        endpoint(network, quiet, host="output", process_request=refuse_late),
        running() as (_, record, outcome),
    ):
        await outcome
        assert record.of(events.Stopping)[0].t == exactly(OPEN + 2)
        assert record.of(events.Stopped)[0].t == exactly(OPEN + 2 + 2 * LATENCY)  # the input's close
        assert outcome.result().undelivered == len(seqs(record)) > 0
