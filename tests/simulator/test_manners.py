"""How the mock peer's frames come, as a client meets them."""

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, NegotiationError
from websockets.frames import Frame, Opcode

from simulator.admission import Compression
from simulator.garbage import huge
from simulator.manners import fragments
from tests.simulator.served import PATH, Serve, Served, is_answered


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", b"abcdefgh"])
def test_the_fragments_of_a_message_are_the_message(data: bytes) -> None:
    first, *others = fragments(Frame(Opcode.TEXT, data))
    assert first.opcode is Opcode.TEXT
    assert {other.opcode for other in others} <= {Opcode.CONT}
    assert b"".join(bytes(each.data) for each in (first, *others)) == data
    assert [each.fin for each in (first, *others)] == [False] * len(others) + [True]


def test_a_wrong_pong_answers_no_ping_until_it_is_healed(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        heal = peer.server.manners["output"].wrong_pongs.begin(None)
        assert not await is_answered(client)
        heal()
        assert await is_answered(client)
        assert peer.misdeeds() == [("wrong_pong", "output", 1)]

    served(main)


def test_messages_in_fragments_come_whole_with_pings_between_them(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.manners["input"].fragments.begin(None)
        client = await peer.connect("input")
        pings = _pings_of(client)
        for _ in range(30):  # of the first ten, each is too short to have fragments
            got = await client.recv(decode=False)
        assert got == b"29"
        assert pings[0] == b"between"
        assert len(pings) in range(6, 10)  # four a second, at most
        assert {kind for kind, *_ in peer.misdeeds()} == {"fragment"}

    served(main)


def _pings_of(client: ClientConnection) -> list[bytes]:
    """What comes as Pings from now on."""
    seen: list[bytes] = []
    process = client.process_event

    def note(event: object) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            seen.append(bytes(event.data))
        process(event)  # type: ignore[arg-type]

    client.process_event = note  # type: ignore[method-assign]
    return seen


def test_a_close_comes_byte_by_byte_and_is_understood_all_the_same(served: Serve) -> None:
    async def main(peer: Served) -> list[int]:
        client = await peer.connect()
        peer.server.manners["output"].fragments.begin(None)
        reads: list[int] = []
        receive = client.data_received

        def note(data: bytes) -> None:
            reads.append(len(data))
            receive(data)

        client.data_received = note  # type: ignore[method-assign]
        closing = asyncio.create_task(peer.server.close_link("output", 1012))
        with pytest.raises(ConnectionClosedError) as closed:
            await client.recv()
        await closing
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        return reads

    assert served(main) == [1, 1, 1, 1]


def test_what_overlaps_heals_by_itself_and_in_any_order(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        manners = peer.server.manners["output"]
        muted, again, wrong = (
            manners.muted.begin(None),
            manners.muted.begin(None),
            manners.wrong_pongs.begin(None),
        )
        muted()
        assert not await is_answered(client)
        wrong()
        assert not await is_answered(client)
        again()
        assert await is_answered(client)

    served(main)


def test_a_message_above_a_low_limit_is_refused_with_1009_until_it_is_healed(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        heal = peer.server.manners["output"].limits.begin(10)
        await client.send("short")
        await client.send("longer than ten")
        await client.wait_closed()
        assert client.close_code == 1009
        heal()
        again = await peer.connect()
        await again.send("longer than ten")
        assert await is_answered(again)
        assert peer.misdeeds() == [("low_limit", "output", 1)]

    served(main)


def test_a_huge_message_goes_to_each_connection_once(served: Serve) -> None:
    async def main(peer: Served) -> None:
        one, two = await peer.connect(), await peer.connect()
        peer.server.shout("output", 3)
        with pytest.raises(ConnectionClosedError, match="exceeds limit of 1048576 bytes"):
            await one.recv()
        await two.wait_closed()
        assert peer.misdeeds() == [("huge", "output", 1), ("huge", "output", 2)]

    served(main)


def test_a_bomb_is_an_error_to_who_agreed_to_no_compression(served: Serve) -> None:
    async def main(peer: Served) -> None:
        client = await peer.connect()
        peer.server.bomb("output", 1)
        with pytest.raises(ConnectionClosedError, match="reserved bits"):
            await client.recv()
        assert peer.misdeeds() == [("bomb", "output", 1)]

    served(main)


def test_a_bomb_unfolds_at_who_agreed_to_compression_and_what_follows_is_read(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("input", Compression())
        url = f"ws://127.0.0.1:{peer.port}{PATH['input']}"
        client = await connect(url, proxy=None, ping_interval=None, max_size=None)
        assert [await client.recv(decode=False) for _ in range(2)] == [b"0", b"1"]
        peer.server.bomb("input", 2)
        assert await client.recv(decode=False) == huge(2)
        assert await client.recv(decode=False) == b"2"

    served(main)


def test_compression_that_nobody_offered_is_imposed_until_it_is_healed(served: Serve) -> None:
    async def main(peer: Served) -> None:
        heal = peer.server.door.keep("output", Compression())
        with pytest.raises(NegotiationError):
            await peer.connect()
        heal()
        assert await is_answered(await peer.connect())

    served(main)
