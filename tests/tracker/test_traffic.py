"""The outbox on the wire: order, window, barriers, confirms and what a loss brings back, on virtual time."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from simulator.network import Network
from tests.tracker.conftest import (
    LATENCY,
    OPEN,
    Record,
    Sink,
    cut,
    endpoint,
    exactly,
    linked,
    silent,
    virtual,
)
from tracker import events, messages
from tracker.config import Confirm, OutboxLimits, Timing
from tracker.liveness import UNANSWERED_AT_MOST
from tracker.outbox import Message, Outbox
from tracker.traffic import BARRIER_BYTES, Outgoing

RTT = 2 * LATENCY


class Output:
    """An outbox with its traffic, the link's record, and messages of any size."""

    def __init__(self, confirm: Confirm = "pong", **limits: int) -> None:
        self.outbox = Outbox(OutboxLimits(**limits), confirm=confirm)
        self.reported = Record()
        self.traffic = Outgoing(self.outbox, stream="s", report=self.reported.note)

    def put(self, count: int = 1, *, size: int = 100) -> None:
        for _ in range(count):
            seq = self.outbox.next_seq
            self.traffic.put(Message(seq, (b"%d" % seq).ljust(size), essential=False))

    def confirmed(self) -> list[tuple[float, int]]:
        return [(event.t, event.count) for event in self.reported.of(events.Confirmed)]

    def sent(self) -> list[int]:
        return [event.seq for event in self.reported.of(events.Sent)]


@asynccontextmanager
async def connected(output: Output) -> AsyncIterator[Record]:
    """Keep the output connected meanwhile; the link reports to the same record."""
    async with linked(output.traffic) as (link, _):
        link.report = output.reported.note
        await output.reported.until(events.Connected)
        yield output.reported


def numbers(sink: Sink) -> list[int]:
    return [int(body) for body in sink.got]


def of_kinds(record: Record, *kinds: type) -> str:
    """The order of events, a letter each."""
    return "".join(type(event).__name__[0] for event in record if type(event) in kinds)


# Barriers


@virtual
async def test_a_message_is_followed_by_a_barrier_at_once_and_confirmed_a_round_trip_later(
    network: Network,
) -> None:
    output, sink = Output(), Sink()
    async with endpoint(network, sink), connected(output) as record:
        await asyncio.sleep(0.5)
        output.put()
        await asyncio.sleep(1)
        assert record.of(events.Probed)[0].t == exactly(OPEN + 0.5)
        assert output.confirmed() == [(exactly(OPEN + 0.5 + RTT), 1)]
        assert sink.at == [exactly(OPEN + 0.5 + LATENCY)]
        assert len(output.outbox) == 0


@virtual
async def test_a_pong_confirms_what_went_before_its_ping_and_nothing_after(network: Network) -> None:
    output = Output()
    async with endpoint(network, Sink()), connected(output):
        await asyncio.sleep(0.5)
        output.put(3)
        await asyncio.sleep(RTT / 2)
        output.put(2)  # sent at once, behind the first barrier and before its answer
        await asyncio.sleep(1)
    at = OPEN + 0.5
    assert output.confirmed() == [(exactly(at + RTT), 3), (exactly(at + 0.2 + RTT), 2)]


@virtual
async def test_nothing_is_written_into_a_connection_that_has_just_ended(network: Network) -> None:
    output = Output()
    async with endpoint(network, Sink()) as way, connected(output) as record:
        await asyncio.sleep(0.5)
        output.put(20)  # its sender's turn comes before the library hears of the end
        (connection,) = way.connections
        connection.client.abort()
        await record.until(events.Connected, count=2)
        await asyncio.sleep(1)
    assert [event.seq for event in record.of(events.Sent) if event.connection == 1] == []
    assert output.sent() == list(range(1, 21))


@virtual
async def test_under_a_steady_stream_barriers_go_five_times_a_second(network: Network) -> None:
    output = Output()
    async with endpoint(network, Sink()), connected(output) as record:
        for _ in range(300):
            output.put()
            await asyncio.sleep(1 / 100)
    pace = [b.t - a.t for a, b in itertools.pairwise(record.of(events.Probed))]
    assert len(pace) > 10
    assert pace[1:-1] == [exactly(0.2)] * (len(pace) - 2)


@virtual
async def test_a_burst_has_a_barrier_after_every_32_kib(network: Network) -> None:
    output = Output()
    assert BARRIER_BYTES == 32 * 1024
    async with endpoint(network, Sink()), connected(output) as record:
        output.put(10, size=10_000)
        await asyncio.sleep(0.01)
        assert of_kinds(record, events.Sent, events.Probed) == "SSSSPSSSSPSS"
        await asyncio.sleep(0.8)  # the rest, below 32 KiB, has its barrier when it is due
        assert of_kinds(record, events.Sent, events.Probed) == "SSSSPSSSSPSSP"
        assert [count for _, count in output.confirmed()] == [4, 4, 2]


@virtual
async def test_a_message_is_never_confirmed_before_the_peer_has_parsed_it(network: Network) -> None:
    """Chance moves every put and every reset; whatever happens, the outbox forgets nothing that has not arrived."""
    for seed in range(20):
        rng = Random(seed)
        output, sink = Output(), Sink()
        async with endpoint(network, sink, host="peer") as way, connected(output):
            for _ in range(60):
                output.put(rng.randrange(4), size=rng.choice([100, 20_000]))
                await asyncio.sleep(rng.expovariate(20))
                if rng.random() < 0.05:
                    cut(way)
                held = {message.seq for message in output.outbox.unconfirmed()}
                assert set(range(1, output.outbox.next_seq)) - held <= set(numbers(sink))
            await output.traffic.flushed()
        assert sorted(set(numbers(sink))) == list(range(1, output.outbox.next_seq))


# The window


@virtual
async def test_no_more_than_the_window_is_on_the_wire(network: Network) -> None:
    output = Output(window_messages=5)
    async with endpoint(network, silent), connected(output):
        output.put(20)
        await asyncio.sleep(2)
        assert output.sent() == [1, 2, 3, 4, 5]
        assert (output.outbox.in_flight, output.outbox.waiting) == (5, 15)


@virtual
async def test_no_more_bytes_than_the_window_are_on_the_wire(network: Network) -> None:
    output = Output(window_bytes=1000)
    async with endpoint(network, silent), connected(output):
        output.put(20, size=300)
        await asyncio.sleep(2)
        assert output.sent() == [1, 2, 3]


@virtual
async def test_a_confirm_opens_the_window_again(network: Network) -> None:
    output, sink = Output(window_messages=5), Sink()
    async with endpoint(network, sink), connected(output):
        await asyncio.sleep(0.5)
        output.put(12)
        await asyncio.sleep(3)
    at = OPEN + 0.5 + LATENCY
    # A barrier follows at once, or else 0.2 s after the one before.
    assert sink.at == [exactly(at)] * 5 + [exactly(at + RTT)] * 5 + [exactly(at + 0.2 + RTT)] * 2
    assert numbers(sink) == list(range(1, 13))


@virtual
async def test_what_gives_way_at_once_is_not_reported_as_accepted(network: Network) -> None:
    output = Output(messages=3)
    async with endpoint(network, silent), connected(output) as record:
        await asyncio.sleep(0.5)
        output.put(3)
        await asyncio.sleep(0.1)
        output.put()  # everything older is on the wire
        assert [event.seq for event in record.of(events.Accepted)] == [1, 2, 3]
        assert [event.seq for event in record.of(events.Displaced)] == [4]


@virtual
async def test_messages_are_texts(network: Network) -> None:
    got: list[str | bytes] = []

    async def receive(connection: ServerConnection) -> None:
        got.append(await connection.recv())
        await connection.wait_closed()

    output = Output()
    async with endpoint(network, receive), connected(output):
        output.put()
        await asyncio.sleep(1)
    assert got == ["1".ljust(100)]


# Loss


@virtual
async def test_what_a_reset_left_unconfirmed_is_sent_again_first_and_in_order(network: Network) -> None:
    output, sink = Output(), Sink()
    async with endpoint(network, sink) as way, connected(output) as record:
        output.put(3)
        await asyncio.sleep(1)
        stall = way.add("stall", "upstream", {})
        output.put(4)
        await asyncio.sleep(0.5)
        cut(way)
        way.remove(stall, "upstream")
        closed = await record.until(events.Closed)
        output.put(2)
        await record.until(events.Confirmed, lambda event: event.left == 0, count=2)
    assert closed.unconfirmed == 4
    assert output.sent() == [1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9]
    assert numbers(sink) == list(range(1, 10))


@virtual
async def test_what_arrived_and_was_not_confirmed_is_repeated_with_the_same_body(network: Network) -> None:
    output, sink = Output(), Sink()
    async with endpoint(network, sink) as way, connected(output) as record:
        stall = way.add("stall", "downstream", {})
        output.put(3)
        await asyncio.sleep(0.5)
        cut(way)
        way.remove(stall, "downstream")
        await record.until(events.Confirmed)
    assert numbers(sink) == [1, 2, 3, 1, 2, 3]
    assert sink.got[:3] == sink.got[3:]


@virtual
async def test_resending_after_a_loss_is_paced_by_the_window(network: Network) -> None:
    output, sink = Output(window_messages=5), Sink()
    async with endpoint(network, sink) as way, connected(output) as record:
        way.add("stall", "upstream", {})
        output.put(15)
        await asyncio.sleep(0.5)
        cut(way)
        way.effects["upstream"].clear()
        await record.until(events.Connected, count=2)
        await asyncio.sleep(0.001)
        assert output.outbox.in_flight == 5
        await output.traffic.flushed()
    assert numbers(sink) == list(range(1, 16))


# Modes


@virtual
async def test_without_confirms_a_message_is_forgotten_when_it_is_sent(network: Network) -> None:
    output, sink = Output(confirm="none"), Sink()
    async with endpoint(network, sink), connected(output) as record:
        output.put(50, size=10_000)
        await asyncio.sleep(2.5)
        assert len(output.outbox) == 0
        # No barriers: the link is probed at its idle pace.
        assert [event.t for event in record.of(events.Probed)] == [exactly(OPEN + 1), exactly(OPEN + 2)]
    assert numbers(sink) == list(range(1, 51))


def acknowledging(stream: str = "s", *, every: int = 1, pongs: bool = True):  # noqa: ANN201 - a handler
    """A peer that acknowledges every so many messages; it may be one that answers no Ping."""

    async def converse(connection: ServerConnection) -> None:
        send = connection.protocol.send_frame
        if not pongs:
            connection.protocol.send_frame = lambda frame: (
                None if frame.opcode is Opcode.PONG else send(frame)
            )
        try:
            while True:
                seq = int(await connection.recv(decode=False))
                if seq % every == 0:
                    await connection.send(messages.encode_ack(stream, seq), text=True)
        except ConnectionClosed:
            return

    return converse


@virtual
async def test_an_ack_confirms_everything_up_to_it(network: Network) -> None:
    output = Output(confirm="ack")
    async with endpoint(network, acknowledging(every=3)), connected(output):
        await asyncio.sleep(0.5)
        output.put(8)
        await asyncio.sleep(5)
        assert output.confirmed() == [(exactly(OPEN + 0.5 + RTT), 3)] * 2
        assert len(output.outbox) == 2  # Pongs came, and they confirm nothing here


@virtual
async def test_acks_of_another_stream_and_other_messages_confirm_nothing(network: Network) -> None:
    async def babble(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "ack", "seq": 1}))
        await connection.send("[]")
        await acknowledging("other")(connection)

    output = Output(confirm="ack")
    async with endpoint(network, babble), connected(output):
        output.put(3)
        await asyncio.sleep(5)
        assert output.confirmed() == []


@virtual
async def test_acks_confirm_nothing_where_pongs_do(network: Network) -> None:
    output = Output()
    async with endpoint(network, acknowledging(pongs=False)), connected(output):
        output.put(3)
        await asyncio.sleep(3)
        assert output.confirmed() == []


@virtual
async def test_a_peer_that_acknowledges_is_alive_though_it_answers_no_ping(network: Network) -> None:
    output = Output(confirm="ack")
    async with endpoint(network, acknowledging(pongs=False)), connected(output) as record:
        for _ in range(60):
            output.put()
            await asyncio.sleep(1)
        assert not record.of(events.Died)
        last = record.of(events.Confirmed)[-1].t
        died = await record.until(events.Died)
    # Its acks are all that speaks for it: with the last one the count begins.
    assert died.t == exactly(last + 3 * Timing().probe_floor)


@virtual
async def test_a_peer_that_acknowledges_and_never_answers_a_ping_gets_a_bounded_number_of_them(
    network: Network,
) -> None:
    output = Output(confirm="ack")
    async with endpoint(network, acknowledging(pongs=False)), connected(output) as record:
        for _ in range(1000):
            output.put()
            await asyncio.sleep(1)
        assert len(record.of(events.Probed)) == UNANSWERED_AT_MOST
        assert not record.of(events.Died)
        last = record.of(events.Confirmed)[-1].t
        died = await record.until(events.Died)
    assert died.t == exactly(last + 3 * Timing().probe_floor)


@pytest.mark.parametrize("confirm", ["pong", "ack", "none"])
@virtual
async def test_whatever_the_peer_sends_back_is_read(network: Network, confirm: Confirm) -> None:
    async def echo(connection: ServerConnection) -> None:
        try:
            while True:
                await connection.send(await connection.recv(decode=False))
        except ConnectionClosed:
            return

    output = Output(confirm)
    async with endpoint(network, echo), connected(output) as record:
        for _ in range(100):
            output.put(5)
            await asyncio.sleep(0.1)
        assert not record.of(events.Suspected)
        assert max(event.rtt for event in record.of(events.Answered)) == exactly(RTT)
