"""When a link probes, doubts and gives up, to the instant."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from simulator.network import Network
from simulator.network import Path as Way
from tests.tracker.conftest import (
    LATENCY,
    OPEN,
    Converse,
    Reading,
    Record,
    endpoint,
    exactly,
    linked,
    machine,
    passed,
    quiet,
    silent,
    talkative,
    virtual,
)
from tracker import events
from tracker.config import Timing
from tracker.liveness import RoundTrip
from tracker.wire import Wire

TIMING = Timing()
FLOOR, CEILING = TIMING.probe_floor, TIMING.probe_ceiling
HEARTBEAT = FLOOR / 5
FIRST = OPEN + TIMING.probe_interval
"""When the first probe of a link goes on which nothing waits for a confirm."""


class Writing(Reading):
    """Traffic that writes thirty frames a second and reads."""

    async def converse(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write(wire))
            await super().converse(wire)
            writing.cancel()

    async def _write(self, wire: Wire) -> None:
        while await wire.send(b"x" * 13_000):  # noqa: ASYNC110 - a frame's interval, not a poll
            await asyncio.sleep(1 / 30)


async def absorbed(connection: ServerConnection) -> None:
    """A peer that talks, and after a second reads nothing more."""
    connection.loop.call_later(1, connection.transport.pause_reading)
    await talkative(connection)


@asynccontextmanager
async def met(
    network: Network, peer: Converse, traffic: Reading | None = None
) -> AsyncIterator[tuple[Way, Record]]:
    """A link and a peer that have met."""
    async with endpoint(network, peer) as way, linked(traffic or Reading()) as (_, record):
        await record.until(events.Connected)
        yield way, record


def silence(way: Way) -> None:
    """From now on nothing passes, and nobody is told."""
    way.add("stall", "upstream", {})
    way.add("stall", "downstream", {})


def deafen(way: Way) -> None:
    """From now on a proxy takes what goes up, acknowledges it, and drops it; what comes down still comes.

    A network that drops it would silence both directions: the peer's TCP waits for our acknowledgements.
    """
    way.add("timeout", "upstream", {"timeout": 0})


def moments(record: Record, kind: type) -> list[float]:
    return [event.t for event in record.of(kind)]


async def until(t: float) -> None:
    await asyncio.sleep(t - asyncio.get_running_loop().time())


# Probes


@virtual
async def test_an_idle_link_is_probed_once_a_second_from_a_second_after_it_opened(network: Network) -> None:
    async with met(network, quiet) as (_, record):
        await until(100)
        assert moments(record, events.Probed) == [exactly(FIRST + n) for n in range(99)]
        assert moments(record, events.Answered) == [exactly(FIRST + n + 2 * LATENCY) for n in range(99)]
        assert {round(event.rtt, 6) for event in record.of(events.Answered)} == {2 * LATENCY}


@virtual
async def test_a_link_with_something_to_confirm_is_probed_five_times_a_second(network: Network) -> None:
    traffic = Reading()
    traffic.urgent = True
    async with met(network, quiet, traffic) as (_, record):
        await until(10)
        expected = [exactly(OPEN + 0.2 * n) for n in range(1, 49)]
        assert moments(record, events.Probed)[:48] == expected


@virtual
async def test_other_intervals_are_kept_as_exactly(network: Network) -> None:
    slow = replace(TIMING, probe_interval=2.5)
    async with endpoint(network, quiet), linked(Reading(), timing=slow) as (_, record):
        await until(11)
        assert moments(record, events.Probed) == [exactly(OPEN + 2.5 * n) for n in range(1, 5)]


# A link that falls silent


@virtual
async def test_a_silent_link_is_suspect_at_the_first_deadline_and_dead_at_the_second(
    network: Network,
) -> None:
    async with met(network, quiet) as (way, record):
        await until(5)
        silence(way)
        died = await record.until(events.Died)
        closed = await record.until(events.Closed)
    probed = FIRST + 4  # the first that nobody answers
    (suspected,) = record.of(events.Suspected)
    assert (suspected.t, suspected.silence) == (exactly(probed + FLOOR), exactly(FLOOR))
    assert (died.t, died.silence) == (exactly(probed + 3.6), exactly(3.6))
    assert died.cause == "probes go unanswered"
    # No close handshake is waited for.
    assert (closed.t, closed.code, closed.by) == (exactly(died.t), 1006, "tracker")
    assert closed.why == "given up as dead"


@virtual
async def test_a_peer_that_was_never_heard_is_dead_3_6_s_after_the_first_probe(network: Network) -> None:
    async with met(network, silent) as (_, record):
        died = await record.until(events.Died)
    assert died.t == exactly(FIRST + 3.6)


@virtual
async def test_a_suspect_link_is_probed_five_times_a_second(network: Network) -> None:
    async with met(network, quiet) as (way, record):
        await until(5)
        silence(way)
        suspected = await record.until(events.Suspected)
        died = await record.until(events.Died)
    meanwhile = [t for t in moments(record, events.Probed) if suspected.t <= t < died.t - 0.1]
    assert meanwhile == [exactly(suspected.t + 0.2 * n) for n in range(12)]  # the first was overdue


@virtual
async def test_an_answer_before_the_second_deadline_revives_a_suspect_link(network: Network) -> None:
    async with met(network, quiet) as (way, record):
        await until(5)
        stall = way.add("stall", "downstream", {})
        await until(6.5)
        way.remove(stall, "downstream")
        await record.until(events.Revived)  # by the retransmission 2.1 s after the first lost Pong
        await until(30)
        assert not record.of(events.Died)
        assert len(record.of(events.Suspected)) == 1


@virtual
async def test_a_link_that_just_died_is_connected_anew_after_one_delay(network: Network) -> None:
    async with met(network, quiet) as (way, record):
        await until(5)
        stall = way.add("stall", "upstream", {})
        died = await record.until(events.Died)
        way.remove(stall, "upstream")
        again = await record.until(events.Connected, count=2)
    assert again.connection == 2
    assert again.t == exactly(died.t + record.of(events.Waiting)[0].delay + OPEN)
    assert moments(record, events.Probed)[-1] < again.t


# Slow links


@pytest.mark.parametrize("pace", ["slow", "quick"])
@virtual
async def test_a_round_trip_below_3_s_that_comes_suddenly_is_never_fatal(network: Network, pace: str) -> None:
    traffic = Reading()
    traffic.urgent = pace == "quick"
    async with met(network, quiet, traffic) as (way, record):
        await until(5)
        way.add("latency", "downstream", {"latency": 2850})
        await until(60)
        assert record.of(events.Suspected)  # so it was felt
        assert record.of(events.Revived)
        assert not record.of(events.Died)


@virtual
async def test_the_deadline_after_slow_answers_is_their_smoothed_time_and_four_variations(
    network: Network,
) -> None:
    async with met(network, quiet) as (way, record):
        way.add("latency", "downstream", {"latency": 2000})
        await until(20)
        silence(way)
        suspected = await record.until(events.Suspected, lambda event: event.t > 20)
        died = await record.until(events.Died)
    learnt = RoundTrip()
    for answered in record.of(events.Answered):
        learnt.sample(answered.rtt, answered.t)
    last = record.of(events.Answered)[-1].t
    assert 2.1 < learnt.timeout() < CEILING / 3
    # Two probes are always on their way here, so the count begins at the last answer.
    assert suspected.t == exactly(last + learnt.timeout())
    assert died.t == exactly(min(last + 3 * learnt.timeout(), last + CEILING))


@virtual
async def test_a_peer_that_talks_and_hears_nothing_is_dead_at_the_ceiling(network: Network) -> None:
    async with met(network, talkative) as (way, record):
        await until(5)
        deafen(way)
        died = await record.until(events.Died)
        assert not record.of(events.Suspected)  # its every word moved the deadline
    assert died.t == exactly(FIRST + 4 + CEILING)
    assert died.silence == exactly(CEILING)


@virtual
async def test_a_peer_that_falls_silent_after_having_talked_has_one_more_deadline(network: Network) -> None:
    async with met(network, talkative) as (way, record):
        await until(5)
        deafen(way)
        await until(9)
        way.add("stall", "downstream", {})
        suspected = await record.until(events.Suspected)
        died = await record.until(events.Died)
    # The last word was heard within half a second before, and noticed at the next heartbeat.
    assert 8.5 < suspected.t - FLOOR < 9 + HEARTBEAT
    assert died.t == exactly(suspected.t + 2 * FLOOR)


# A full write buffer


@virtual
async def test_a_write_buffer_that_no_byte_leaves_is_dead_4_s_after_the_last(network: Network) -> None:
    async with met(network, absorbed, Writing()) as (way, record):
        (connection,) = way.connections
        full = await passed(lambda: connection.client.get_write_buffer_size() > 0)
        died = await record.until(events.Died)
    assert died.cause == "no byte left the write buffer"
    assert full + TIMING.write_timeout - 0.002 <= died.t <= full + TIMING.write_timeout + HEARTBEAT
    assert died.t < FIRST + CEILING  # until then its every word would let the link live


@virtual
async def test_a_buffer_that_drains_slowly_is_not_dead_while_answers_come(network: Network) -> None:
    async with met(network, quiet, Writing()) as (way, record):
        # 390 kB/s are written, first 60 and then 22 kB/s pass: an answer takes the time in which the buffers drain, first
        # 2 and then 5.7 s.
        way.add("bandwidth", "upstream", {"rate": 60})
        await until(30)
        way.add("bandwidth", "upstream", {"rate": 22})
        await until(90)
        assert max(event.rtt for event in record.of(events.Answered)) > 5
        assert not record.of(events.Died)


@virtual
async def test_while_the_buffer_is_full_one_probe_at_most_is_on_its_way(network: Network) -> None:
    class Urgent(Writing):
        urgent = True

    async with met(network, absorbed, Urgent()) as (way, record):
        (connection,) = way.connections
        full = await passed(lambda: connection.client.get_write_buffer_size() > 32 * 1024)
        died = await record.until(events.Died)
    assert died.t > full + 3
    assert len([t for t in moments(record, events.Probed) if t > full]) == 1


@virtual
async def test_a_probe_that_waits_for_room_in_a_full_buffer_has_its_deadline_from_when_it_was_due(
    network: Network,
) -> None:
    class LargeOnce(Writing):
        async def _write(self, wire: Wire) -> None:
            await until(FIRST + 0.5)
            await wire.send(b"x" * 3_000_000)

    async def deaf(connection: ServerConnection) -> None:
        connection.loop.call_later(
            1.3, connection.transport.pause_reading
        )  # when it has answered the first probe
        await quiet(connection)

    async with met(network, deaf, LargeOnce()) as (_, record):
        died = await record.until(events.Died)
    assert [event.number for event in record.of(events.Answered)] == [1]
    assert record.of(events.Suspected)[0].t == exactly(FIRST + TIMING.probe_interval + FLOOR)
    assert died.t == exactly(FIRST + TIMING.probe_interval + 3 * FLOOR)


# Our own stalls


@virtual
async def test_a_stall_of_our_own_is_reported_and_credited(network: Network) -> None:
    async with met(network, silent) as (_, record):
        await until(FIRST + 0.1)
        machine().block(10)
        died = await record.until(events.Died)
    (lagged,) = record.of(events.Lagged)
    # The heartbeat was due at FIRST + 0.24, and came when the loop ran again.
    assert lagged.seconds == exactly(10.1 - HEARTBEAT)
    assert died.t == exactly(FIRST + 3.6 + lagged.seconds)
    assert record.of(events.Suspected)[0].t == exactly(FIRST + FLOOR + lagged.seconds)


@virtual
async def test_after_a_stall_no_verdict_is_passed_before_the_sockets_were_read(network: Network) -> None:
    async with met(network, quiet) as (way, record):
        way.add("latency", "downstream", {"latency": 1300})
        await until(FIRST + FLOOR - 0.05)
        # The deadline passes meanwhile, and the answer arrives right after it: credited as it is, the deadline
        # is over again at once.
        machine().block(0.05 + 0.13)
        await until(FIRST + FLOOR + 1)
        assert record.of(events.Lagged)[0].seconds == exactly(0.13)
        assert record.of(events.Answered)
        assert not record.of(events.Suspected)


@virtual
async def test_a_loop_that_is_a_little_late_credits_nothing(network: Network) -> None:
    async with met(network, silent) as (_, record):
        await until(FIRST + HEARTBEAT - 0.01)
        machine().block(0.01 + HEARTBEAT / 2 - 0.01)
        died = await record.until(events.Died)
        assert not record.of(events.Lagged)
    assert died.t == exactly(FIRST + 3.6)


# Our own silence


class Holding(Reading):
    """Traffic that stops reading for 20 s at the first message."""

    async def converse(self, wire: Wire) -> None:
        async for _ in wire.messages():
            with wire.held():
                await asyncio.sleep(20)


async def flooding(connection: ServerConnection) -> None:
    """A peer that sends more than anybody would take unread."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send("x" * 1000)
            await asyncio.sleep(0.01)


@virtual
async def test_while_we_do_not_read_on_purpose_nobody_is_given_up(network: Network) -> None:
    async with met(network, flooding, Holding()) as (_, record):
        await until(20)
        # The library has stopped the socket by then: no Pong was seen.
        assert len(record.of(events.Answered)) < 5
        assert not record.of(events.Suspected)
        assert not record.of(events.Died)


class Throttled(Reading):
    """Traffic that stops reading for 80 ms at each message, as under back-pressure."""

    async def converse(self, wire: Wire) -> None:
        async for _ in wire.messages():
            with wire.held():
                await asyncio.sleep(0.08)
            await asyncio.sleep(0.02)


@virtual
async def test_a_peer_whose_every_word_makes_us_wait_and_who_never_answers_is_dead_all_the_same(
    network: Network,
) -> None:
    async with met(network, flooding, Throttled()) as (way, record):
        deafen(way)
        died = await record.until(events.Died)
    # A fifth of the time we read, and in that time the ceiling passes.
    assert died.silence == pytest.approx(CEILING, abs=0.2)
    assert died.t == pytest.approx(FIRST + 5 * CEILING, rel=0.05)
