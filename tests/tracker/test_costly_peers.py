"""What a peer may cost: memory, and the time of the one event loop that serves the other links too.

Before there were these bounds, measured on real sockets: one read of 256 KiB of empty Pings kept the loop busy for 4 s
(now 0.02 s), and of `{}` for 1.2 s (now 0.04 s); Pongs for a peer that pings and does not read came to 218 MB (now 32 kB).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from random import Random

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from simulator.network import Network
from simulator.network import Path as Way
from tests.tracker.conftest import LATENCY, Reading, endpoint, exactly, lead, linked, passed, quiet, virtual
from tracker import events
from tracker.config import Timing
from tracker.connection import CONTROL_FRAMES_A_SECOND, CONTROL_FRAMES_AT_ONCE, PIECE, LinkConnection
from tracker.wire import MESSAGES_A_TURN, Wire

READ = 256 * 1024
"""Bytes that a socket is read for at once."""
TEXT = b"\x81\x02{}"
PING = b"\x89\x00"


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


@asynccontextmanager
async def answering(network: Network, answer: Callable[[asyncio.Transport], None]) -> AsyncIterator[Way]:
    """A listener at ws://peer:80/ that is no WebSocket server: it answers a request as it likes."""

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, _data: bytes) -> None:
            answer(self.transport)

        def eof_received(self) -> bool:
            return True  # it goes on talking

    way = lead(network, "peer")
    server = await asyncio.get_running_loop().create_server(Bare, "peer-itself", 80)
    try:
        yield way
    finally:
        server.close()


# The write buffer


class PingsAndDoesNotRead:
    """It guesses the numbers of our probes, so that its answers keep the link alive, and reads when the test says."""

    def __init__(self, a_second: int) -> None:
        self.a_second = a_second
        self.sent = 0
        self.reads = asyncio.Event()
        self.heard: list[bytes] = []

    async def __call__(self, connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        acknowledge = connection.acknowledge_pings
        connection.acknowledge_pings = lambda data: (self.heard.append(data), acknowledge(data))[1]  # type: ignore[method-assign, func-returns-value]
        waiting = asyncio.create_task(self.reads.wait(), name="the peer does not read yet")
        while not waiting.done() and not connection.transport.is_closing():
            with contextlib.suppress(ConnectionError):
                self.sent += 1
                connection.transport.write(frame(Opcode.PING, b"%0125d" % self.sent))
                if self.sent % self.a_second == 0:
                    connection.transport.write(frame(Opcode.PONG, b"%d" % (self.sent // self.a_second - 1)))
            await asyncio.wait([waiting], timeout=1 / self.a_second)
        if waiting.done():
            connection.transport.resume_reading()
        waiting.cancel()
        await quiet(connection)


@virtual
async def test_a_peer_that_pings_and_does_not_read_fills_no_memory_and_gets_the_latest_answer(
    network: Network,
) -> None:
    peer = PingsAndDoesNotRead(a_second=CONTROL_FRAMES_A_SECOND * 3 // 4)
    largest = 0
    async with endpoint(network, peer), linked(Reading()) as (link, record):
        await record.until(events.Connected)
        wire = link._wire
        assert wire is not None
        await passed(lambda: wire._connection.paused)
        sent = peer.sent
        for _ in range(30):
            await asyncio.sleep(0.1)
            largest = max(largest, wire._connection.transport.get_write_buffer_size())
        assert (peer.sent - sent) * 131 > 25_000  # what the Pongs since would have come to
        assert 32_000 < largest < 40_000
        peer.reads.set()
        sent = peer.sent
        await asyncio.sleep(5)
        assert not record.of(events.Closed)
    assert peer.heard[-1] == b"%0125d" % sent


@virtual
async def test_a_peer_that_reads_gets_the_answer_to_each_of_its_pings(network: Network) -> None:
    answered: list[float] = []

    async def ping(connection: ServerConnection) -> None:
        for _ in range(20):
            await (await connection.ping())
            answered.append(connection.loop.time())
        await quiet(connection)

    async with endpoint(network, ping), linked(Reading()):
        await asyncio.sleep(10)
    assert len(answered) == 20


# Floods


@virtual
async def test_a_flood_of_pings_ends_the_connection_with_1008_and_the_reason(network: Network) -> None:
    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(PING * (READ // 2))
        await quiet(connection)

    async with endpoint(network, flood), linked(Reading()) as (_, record):
        closed = await record.until(events.Closed, count=2)
        first, second = record.of(events.Connecting)[:2]
    assert (closed.code, closed.by) == (1008, "tracker")
    assert closed.why == "more than 100 Pings a second"
    assert second.t > first.t  # after a back-off, as after any other end


@pytest.mark.parametrize(("a_second", "closes"), [(99, 0), (130, 1)])
@virtual
async def test_pings_below_the_bound_cost_no_connection_however_long_they_go_on(
    network: Network, a_second: int, closes: int
) -> None:
    async def ping(connection: ServerConnection) -> None:
        while not connection.transport.is_closing():
            connection.transport.write(PING)
            await asyncio.sleep(1 / a_second)

    async with endpoint(network, ping), linked(Reading()) as (_, record):
        await asyncio.sleep(40)
        assert len(record.of(events.Closed)) == closes


@virtual
async def test_pongs_that_nobody_asked_for_count_as_pings_do(network: Network) -> None:
    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(b"\x8a\x00" * 5000)
        await quiet(connection)

    async with endpoint(network, flood), linked(Reading()) as (_, record):
        assert (await record.until(events.Closed)).code == 1008


@pytest.mark.parametrize("small", [TEXT, PING, b"\x8a\x00"])
@virtual
async def test_a_turn_of_the_loop_takes_up_a_bounded_number_of_frames(network: Network, small: bytes) -> None:
    loop = asyncio.get_running_loop()
    in_turns = [0]

    class Watched(LinkConnection):
        def process_event(self, event: Event) -> None:
            if in_turns[-1] == 0:
                loop.call_soon(in_turns.append, 0)
            in_turns[-1] += 1
            super().process_event(event)

    async def peer(connection: ServerConnection) -> None:
        await asyncio.sleep(1)
        connection.transport.write(small * (READ // len(small)))
        await quiet(connection)

    class Watching(Reading):
        async def converse(self, wire: Wire) -> None:
            wire._connection.__class__ = Watched
            await super().converse(wire)

    async with endpoint(network, peer), linked(Watching()):
        await asyncio.sleep(3)
    assert sum(in_turns) > CONTROL_FRAMES_AT_ONCE
    assert max(in_turns) <= CONTROL_FRAMES_AT_ONCE + PIECE // 2


@virtual
async def test_other_tasks_have_their_turn_while_a_link_is_flooded(network: Network) -> None:
    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(TEXT * (READ // len(TEXT)))
        await quiet(connection)

    class Timed(Reading):
        """How many are read in each turn of the loop."""

        def __init__(self) -> None:
            super().__init__()
            self.in_turns: list[int] = []
            self._in_turn = 0

        def _turn_over(self) -> None:
            self.in_turns.append(self._in_turn)
            self._in_turn = 0

        async def converse(self, wire: Wire) -> None:
            async for message in wire.messages():
                self.got.append(message)
                if self._in_turn == 0:
                    asyncio.get_running_loop().call_soon(self._turn_over)
                self._in_turn += 1

    timed = Timed()
    async with endpoint(network, flood), linked(timed):
        async with asyncio.timeout(60):
            while len(timed.got) < READ // len(TEXT):  # noqa: ASYNC110 - what is watched tells nobody
                await asyncio.sleep(0.1)
    assert set(timed.got) == {b"{}"}
    assert max(timed.in_turns) <= MESSAGES_A_TURN


def batches() -> Iterator[list[bytes]]:
    rng = Random(3)
    for _ in range(20):
        sizes = [rng.choice([0, 1, 125, 126, 2000, 5000, 70_000]) for _ in range(rng.randrange(1, 60))]
        yield [rng.randbytes(size) for size in sizes]


@virtual
async def test_what_is_read_in_pieces_arrives_whole_and_in_order(network: Network) -> None:
    said = [body for batch in batches() for body in batch]

    async def talk(connection: ServerConnection) -> None:
        for batch in batches():
            connection.transport.write(b"".join(frame(Opcode.BINARY, body) for body in batch))
            await asyncio.sleep(0.01)
        await connection.close(1001, "that was all")

    traffic = Reading()
    async with endpoint(network, talk), linked(traffic) as (_, record):
        closed = await record.until(events.Closed)
    assert traffic.got[: len(said)] == said
    assert (closed.code, closed.why) == (1001, "that was all")


@virtual
async def test_a_reader_that_waits_leaves_the_rest_of_a_read_where_it_is(network: Network) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(b"".join(frame(Opcode.TEXT, b"%d" % number) for number in range(5000)))
        await quiet(connection)

    class Slow(Reading):
        async def converse(self, wire: Wire) -> None:
            async for message in wire.messages():
                self.got.append(message)
                if len(self.got) == 1:
                    with wire.held():
                        await asyncio.sleep(30)
                    waiting.append(len(wire._connection.recv_messages.frames))

    waiting: list[int] = []
    slow = Slow()
    async with endpoint(network, talk), linked(slow) as (_, record):
        await asyncio.sleep(60)
        assert not record.of(events.Closed)
    assert slow.got == [b"%d" % number for number in range(5000)]
    assert waiting[0] < PIECE


@virtual
async def test_a_message_in_thousands_of_fragments_ends_the_connection_with_1009(network: Network) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(frame(Opcode.TEXT, b"", fin=False))
        connection.transport.write(frame(Opcode.CONT, b"", fin=False) * 100_000)
        await quiet(connection)

    async with endpoint(network, talk), linked(Reading()) as (_, record):
        closed = await record.until(events.Closed)
    assert (closed.code, closed.by, closed.why) == (1009, "tracker", "too many fragments")


# Compression, which nobody asked for


@virtual
async def test_a_compressed_frame_is_a_mistake_of_its_peer_and_is_not_unfolded(network: Network) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.write(b"\xc1\x05\x00\x00\x00\xff\xff")
        await quiet(connection)

    async with endpoint(network, talk), linked(Reading()) as (_, record):
        closed = await record.until(events.Closed)
    assert (closed.code, closed.by) == (1002, "tracker")


@virtual
async def test_a_peer_that_insists_on_compression_is_not_connected_to(network: Network) -> None:
    def insist(_connection: ServerConnection, _request: object, response: object) -> None:
        response.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"  # type: ignore[attr-defined]

    async with endpoint(network, quiet, process_response=insist), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
    assert "no extensions supported" in refused.why
    assert not refused.fatal


# The handshake

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n"


@pytest.mark.parametrize(
    ("begin", "again", "why"),
    [
        (HEAD, b"X-More: yes\r\n" * 100, "expected no more than 128 headers"),
        (HEAD + b"X-Long: ", b"x" * 1000, "bytes"),
        (b"", b"no line ever ends ", "bytes"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", b"and more\r\n", "HTTP"),
    ],
)
@virtual
async def test_an_answer_that_never_ends_is_cut_off_at_once(
    network: Network, begin: bytes, again: bytes, why: str
) -> None:
    written = 0

    def answer(transport: asyncio.Transport) -> None:
        async def talk() -> None:
            nonlocal written
            transport.write(begin)
            while not transport.is_closing():
                transport.write(again)
                written += len(again)
                await asyncio.sleep(0.001)

        talking.append(asyncio.create_task(talk(), name="the peer talks on"))

    talking: list[asyncio.Task[None]] = []
    async with answering(network, answer), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
        assert refused.t < 1  # ten seconds, if it were left to the time that a handshake has
        await asyncio.sleep(3 * LATENCY)
        assert written < 1_000_000
    for task in talking:
        await task
    assert why in refused.why


@virtual
async def test_an_answer_that_trickles_has_the_time_of_a_handshake_and_no_more(network: Network) -> None:
    def answer(transport: asyncio.Transport) -> None:
        async def trickle() -> None:
            transport.write(HEAD)
            for number in count():
                if transport.is_closing():
                    return
                transport.write(b"X-%d: still here\r\n" % number)
                await asyncio.sleep(0.5)

        trickling.append(asyncio.create_task(trickle(), name="the peer trickles"))

    trickling: list[asyncio.Task[None]] = []
    async with answering(network, answer), linked(Reading()) as (_, record):
        refused = await record.until(events.Refused)
    await asyncio.wait(trickling, timeout=5)
    assert refused.t == exactly(Timing().open_timeout)
    assert "timed out" in refused.why
