"""Attempts, back-off, ends: one supervised link on virtual time."""

import asyncio
from http import HTTPStatus
from random import Random
from typing import cast

import pytest
from websockets.asyncio.server import ServerConnection

from simulator.network import Network
from tests.tracker.conftest import (
    LATENCY,
    OPEN,
    Reading,
    cut,
    endpoint,
    exactly,
    lead,
    linked,
    quiet,
    silent,
    virtual,
)
from tracker import events
from tracker.access import Access, Papers
from tracker.config import Timing
from tracker.link import Link
from tracker.opening import NEXT_ADDRESS, Opening
from tracker.reconnect import Backoff, Failure
from tracker.states import LinkState
from tracker.wire import Wire

TIMING = Timing()


def delays(count: int, seed: int = 1) -> list[float]:
    """What a back-off draws that never starts over."""
    backoff = Backoff(TIMING, Random(seed))
    return [backoff.after_refusal(Failure("")) for _ in range(count)]


# Attempts


@virtual
async def test_a_connection_is_open_after_its_two_round_trips(network: Network) -> None:
    async with endpoint(network, quiet), linked(Reading()) as (link, record):
        connected = await record.until(events.Connected)
        assert (connected.t, connected.took, connected.connection) == (exactly(OPEN), exactly(OPEN), 1)
        assert link.state is LinkState.OPEN


@virtual
async def test_a_refused_port_is_tried_again_after_the_delays_that_the_seed_draws(network: Network) -> None:
    lead(network, "peer").down = True
    async with linked(Reading(), seed=5) as (_, record):
        await record.until(events.Refused, count=8)
    drawn = delays(7, seed=5)
    assert [event.delay for event in record.of(events.Waiting)][:7] == drawn
    at, expected = 0.0, []
    for delay in [*drawn, 0.0]:
        expected.append(exactly(at))
        at += 2 * LATENCY + delay  # a refusal takes TCP's round trip
    assert [event.t for event in record.of(events.Connecting)][:8] == expected
    assert [event.attempt for event in record.of(events.Connecting)][:8] == list(range(1, 9))
    assert not any(event.fatal for event in record.of(events.Refused))


@virtual
async def test_an_endpoint_that_does_not_answer_is_given_up_after_open_timeout(network: Network) -> None:
    lead(network, "peer").add("stall", "upstream", {})
    async with linked(Reading()) as (_, record):
        first = await record.until(events.Refused)
        second = await record.until(events.Refused, count=2)
    assert first.t == exactly(TIMING.open_timeout)
    assert second.t == exactly(2 * TIMING.open_timeout + delays(1)[0])
    assert "timed out" in first.why


@virtual
async def test_a_dead_first_address_of_a_host_costs_a_quarter_of_a_second(network: Network) -> None:
    async with endpoint(network, quiet):
        network.name("two.test", ("peer", 80)).begin("dead-first", 0)
        async with linked(Reading(), "ws://two.test:80/") as (_, record):
            connected = await record.until(events.Connected)
    assert connected.took == exactly(NEXT_ADDRESS + OPEN)


async def test_a_loop_that_knows_no_happy_eyeballs_is_not_asked_for_them() -> None:
    """uvloop's takes no such argument, and every attempt would fail."""
    here = asyncio.get_running_loop()
    asked = _opening().create_connection_kwargs
    asyncio._set_running_loop(cast(asyncio.AbstractEventLoop, object()))
    try:
        unasked = _opening().create_connection_kwargs
    finally:
        asyncio._set_running_loop(here)
    assert asked["happy_eyeballs_delay"] == NEXT_ADDRESS
    assert "happy_eyeballs_delay" not in unasked


def _opening() -> Opening:
    return Opening("ws://peer:80/", Access(), Papers(), timing=TIMING, redirected=lambda _: None)


@virtual
async def test_a_handshake_that_is_never_answered_is_given_up_after_open_timeout(network: Network) -> None:
    async with endpoint(network, quiet) as way:
        way.add("stall", "downstream", {})
        async with linked(Reading()) as (_, record):
            refused = await record.until(events.Refused)
    assert refused.t == exactly(TIMING.open_timeout)


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
@virtual
async def test_a_refusal_for_good_ends_the_link_with_what_to_do(network: Network, status: HTTPStatus) -> None:
    async with (
        endpoint(network, quiet, process_request=lambda c, _: c.respond(status, "no\n")),
        linked(Reading(), "ws://user:secret@peer:80/?key=1") as (link, record),
    ):
        refused = await record.until(events.Refused)
        await asyncio.sleep(60)
        assert link.state is LinkState.FAILED
        assert "the link" not in {task.get_name() for task in asyncio.all_tasks()}  # it needs no stop
        assert len(record.of(events.Connecting)) == 1
    assert (refused.status, refused.fatal) == (status.value, True)
    assert link.refusal is not None
    assert link.refusal.startswith(f"output endpoint ws://peer:80/ refused for good (HTTP {status.value}): ")


@virtual
async def test_a_server_that_names_its_patience_is_tried_after_it_and_the_jitter(network: Network) -> None:
    def refuse(connection: ServerConnection, _: object) -> object:
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n")
        response.headers["Retry-After"] = "7"
        return response

    async with endpoint(network, quiet, process_request=refuse), linked(Reading()) as (link, record):
        await record.until(events.Refused, count=3)
        assert link.refusal is None
    assert [event.delay for event in record.of(events.Waiting)][:2] == [7 + delay for delay in delays(2)]
    first, second, _ = record.of(events.Connecting)
    assert second.t - first.t == exactly(OPEN + 7 + delays(1)[0])


@virtual
async def test_a_server_that_names_a_date_is_tried_after_it_by_its_own_clock(network: Network) -> None:
    def refuse(connection: ServerConnection, _: object) -> object:
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n")
        del response.headers["Date"]
        response.headers["Date"] = "Wed, 21 Oct 2015 07:28:00 GMT"
        response.headers["Retry-After"] = "Wed, 21 Oct 2015 07:28:09 GMT"
        return response

    async with endpoint(network, quiet, process_request=refuse), linked(Reading()) as (_, record):
        await record.until(events.Refused, count=2)
    assert record.of(events.Waiting)[0].delay == 9 + delays(1)[0]


@virtual
async def test_what_an_attempt_failed_for_is_told_without_the_credentials_of_a_url(network: Network) -> None:
    def redirect(connection: ServerConnection, _: object) -> object:
        response = connection.respond(HTTPStatus.FOUND, "there\n")
        response.headers["Location"] = "http://anna:s3cret@wall/?token=s3cret"
        return response

    async with endpoint(network, quiet, process_request=redirect), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
    assert "ws://wall/" in refused.why
    assert "s3cret" not in refused.why


# When the back-off starts over


@virtual
async def test_a_peer_that_accepts_and_closes_is_tried_ever_more_rarely(network: Network) -> None:
    async def close_at_once(connection: ServerConnection) -> None:
        await connection.close(1000)

    async with endpoint(network, close_at_once), linked(Reading()) as (_, record):
        await record.until(events.Closed, count=8)
    assert [event.delay for event in record.of(events.Waiting)][:7] == delays(7)
    assert [event.attempt for event in record.of(events.Connecting)][:8] == list(range(1, 9))
    for closed, waiting, again in zip(
        record.of(events.Closed), record.of(events.Waiting), record.of(events.Connecting)[1:], strict=False
    ):
        assert again.t == exactly(closed.t + waiting.delay)


@pytest.mark.parametrize(("life", "attempt"), [(9.9, 3), (10.1, 1)])
@virtual
async def test_only_a_connection_that_lived_stable_after_starts_the_back_off_over(
    network: Network, life: float, attempt: int
) -> None:
    async def close_later(connection: ServerConnection) -> None:
        await asyncio.sleep(life)
        await connection.close(1012)

    lead(network, "peer").down = True
    async with linked(Reading()) as (_, record):
        await record.until(events.Refused)
        async with endpoint(network, close_later):
            again = await record.until(events.Connecting, count=3)
    # Attempt 1 was refused, attempt 2 lived.
    assert again.attempt == attempt


@virtual
async def test_a_silent_end_does_not_count_as_life(network: Network) -> None:
    lead(network, "peer").down = True
    async with linked(Reading()) as (_, record):
        await record.until(events.Refused)
        async with endpoint(network, quiet) as way:
            opened = await record.until(events.Connected)
            await asyncio.sleep(9.5)  # the last sign of life is then 9.1 s after the opening
            way.add("stall", "downstream", {})
            died = await record.until(events.Died)
            assert died.t > opened.t + TIMING.stable_after
            again = await record.until(events.Connecting, count=3)
    assert again.attempt == 3


# How connections end


@virtual
async def test_a_close_by_the_peer_is_reported_with_its_code_and_answered_with_a_back_off(
    network: Network,
) -> None:
    async def close(connection: ServerConnection) -> None:
        await asyncio.sleep(3)
        await connection.close(1000, "good night")

    async with endpoint(network, close), linked(Reading()) as (link, record):
        closed = await record.until(events.Closed)
        assert link.state is LinkState.WAITING
        again = await record.until(events.Connecting, count=2)
    assert (closed.code, closed.by, closed.why) == (1000, "peer", "good night")
    assert again.t == exactly(closed.t + delays(1)[0])


@virtual
async def test_two_close_frames_end_a_connection_however_late_the_peers_fin(network: Network) -> None:
    said: list[float] = []
    answers: list[int] = []

    async def close(connection: ServerConnection) -> None:
        await asyncio.sleep(3)
        said.append(asyncio.get_running_loop().time())
        await connection.close(1001)
        assert connection.protocol.close_rcvd is not None
        answers.append(connection.protocol.close_rcvd.code)

    async with endpoint(network, close, close_timeout=5) as way, linked(Reading()) as (_, record):
        way.add("slow_close", "downstream", {"delay": 4000})
        closed = await record.until(events.Closed)
        await asyncio.sleep(1)
    assert closed.t == exactly(said[0] + LATENCY)
    assert answers[:1] == [1001]


@virtual
async def test_a_reset_is_reported_as_the_networks_doing(network: Network) -> None:
    async with endpoint(network, quiet) as way, linked(Reading()) as (_, record):
        await asyncio.sleep(1)
        cut(way)
        closed = await record.until(events.Closed)
    assert (closed.code, closed.by) == (1006, "network")
    assert closed.t == exactly(1 + LATENCY)


@virtual
async def test_a_stream_that_ends_without_a_close_frame_is_the_networks_doing(network: Network) -> None:
    async with endpoint(network, quiet) as way, linked(Reading()) as (_, record):
        await asyncio.sleep(1)
        way.disable()
        closed = await record.until(events.Closed)
    assert (closed.code, closed.by) == (1006, "network")


@virtual
async def test_a_frame_above_the_limit_ends_the_connection_by_our_own_hand(network: Network) -> None:
    async def shout(connection: ServerConnection) -> None:
        # A head that announces 65 MiB; the library does not wait for the rest.
        connection.transport.write(b"\x82\x7f" + (65 * 2**20).to_bytes(8, "big"))
        await connection.wait_closed()

    async with endpoint(network, shout), linked(Reading()) as (_, record):
        closed = await record.until(events.Closed)
    assert (closed.code, closed.by) == (1009, "tracker")


@virtual
async def test_texts_and_bytes_are_handed_over_as_they_came(network: Network) -> None:
    async def speak(connection: ServerConnection) -> None:
        await connection.send("text")
        await connection.send(b"\xff\xfe")
        await connection.send(b"\xff", text=True)  # no UTF-8: the traffic's to judge
        await connection.wait_closed()

    traffic = Reading()
    async with endpoint(network, speak), linked(traffic) as (_, record):
        await asyncio.sleep(5)
        assert not record.of(events.Closed)
    assert traffic.got == [b"text", b"\xff\xfe", b"\xff"]


# Stop


@virtual
async def test_a_stop_closes_with_1001_in_one_round_trip(network: Network) -> None:
    codes = []

    async def note_code(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with endpoint(network, note_code):
        async with linked(Reading()) as (link, record):
            await asyncio.sleep(5)
            link.stop()
            closed = await record.until(events.Closed)
            assert link.state is LinkState.STOPPED
        await asyncio.sleep(1)
    assert (closed.code, closed.by) == (1001, "tracker")
    assert closed.t == exactly(5 + 2 * LATENCY)
    assert codes == [1001]


@virtual
async def test_a_stop_while_connecting_ends_at_once(network: Network) -> None:
    lead(network, "peer").add("stall", "upstream", {})
    async with linked(Reading()) as (link, _):
        await asyncio.sleep(2)
        assert link.state is LinkState.CONNECTING
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() == began
    assert link.state is LinkState.STOPPED


@virtual
async def test_a_stop_in_the_middle_of_a_handshake_leaves_no_connection(network: Network) -> None:
    async with endpoint(network, quiet) as way:
        async with linked(Reading()) as (link, _):
            await asyncio.sleep(3 * LATENCY)  # TCP is there, the answer is under way
            assert len(way.connections) == 1
        assert link.state is LinkState.STOPPED
        await asyncio.sleep(1)
        assert not way.connections


@virtual
async def test_a_stop_while_waiting_ends_at_once(network: Network) -> None:
    lead(network, "peer").down = True
    async with linked(Reading()) as (link, record):
        await record.until(events.Waiting)
        await asyncio.sleep(0.001)
        assert link.state is LinkState.WAITING
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() == began
    assert link.state is LinkState.STOPPED
    assert len(record.of(events.Connecting)) == 1


@virtual
async def test_a_stop_on_a_half_open_link_takes_close_timeout(network: Network) -> None:
    async with endpoint(network, quiet) as way, linked(Reading()) as (link, record):
        await asyncio.sleep(5)
        way.add("stall", "upstream", {})
        way.add("stall", "downstream", {})
        link.stop()
        closed = await record.until(events.Closed)
    assert closed.t == exactly(5 + TIMING.close_timeout)
    assert (closed.code, closed.by) == (1001, "tracker")
    assert link.state is LinkState.STOPPED


@virtual
async def test_a_stop_with_a_full_write_buffer_takes_close_timeout(network: Network) -> None:
    class Flood(Reading):
        async def converse(self, wire: Wire) -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(wire))
                await super().converse(wire)

        async def _write(self, wire: Wire) -> None:
            while await wire.send(b"x" * 100_000):
                pass

    async with endpoint(network, silent), linked(Flood()) as (link, record):
        await asyncio.sleep(
            1.5
        )  # a probe waits for room by then, and nothing that the library does has a time-out
        link.stop()
        closed = await record.until(events.Closed)
    assert closed.t == exactly(1.5 + TIMING.close_timeout)


@virtual
async def test_a_link_that_dies_while_it_closes_is_aborted_then(network: Network) -> None:
    async with endpoint(network, silent), linked(Reading()) as (link, record):
        await asyncio.sleep(4)  # the first probe went at 1.2: dead at 4.8
        link.stop()
        closed = await record.until(events.Closed)
    assert closed.t == exactly(OPEN + TIMING.probe_interval + 3 * TIMING.probe_floor)
    assert link.state is LinkState.STOPPED


@virtual
async def test_a_second_stop_changes_nothing(network: Network) -> None:
    async with endpoint(network, quiet), linked(Reading()) as (link, record):
        await asyncio.sleep(1)
        link.stop()
        link.stop()
        await record.until(events.Closed)
        link.stop()
    assert len(record.of(events.Closed)) == 1


@virtual
async def test_cancelling_a_link_drops_its_connection_at_once(network: Network) -> None:
    async with endpoint(network, quiet) as way:
        link = Link("output", "ws://peer:80/", Reading(), timing=TIMING, rng=Random(1), report=lambda _: None)
        running = asyncio.create_task(link.run())
        await asyncio.sleep(5)
        assert len(way.connections) == 1
        running.cancel()
        await asyncio.wait([running])
        await asyncio.sleep(2 * LATENCY)
        assert not way.connections
