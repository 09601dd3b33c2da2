"""What becomes of a handshake at the mock peer's door."""

import asyncio
from email.utils import parsedate_to_datetime

import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus

from simulator.admission import NONSENSE, Refusal, Trickle, Unanswered
from tests.simulator.served import Serve, Served, is_answered


def test_of_two_refusals_the_later_one_answers_and_the_other_stays_when_it_ends(served: Serve) -> None:
    async def main(peer: Served) -> list[int]:
        statuses = []
        first = peer.server.door.keep("output", Refusal(503))
        second = peer.server.door.keep("output", Refusal(429))
        for heal in second, first:
            with pytest.raises(InvalidStatus) as refused:
                await peer.connect()
            statuses.append(refused.value.response.status_code)
            heal()
        assert await is_answered(await peer.connect())
        return statuses

    assert served(main) == [429, 503]


def test_a_refusal_by_a_date_names_it_beside_its_own_and_asks_for_a_second_more(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("output", Refusal(429, retry_after=10, retry_after_as="date"))
        with pytest.raises(InvalidStatus) as refused:
            await peer.connect()
        headers = refused.value.response.headers
        until, now = (parsedate_to_datetime(headers[name]) for name in ("Retry-After", "Date"))
        assert (until - now).total_seconds() == 11
        assert [(e.retry_after, e.by_date) for e in peer.misbehaved()] == [(10.0, True)]

    served(main)


def test_a_refusal_by_nonsense_has_all_of_it_in_turn_and_asks_for_nothing(served: Serve) -> None:
    async def main(peer: Served) -> list[str]:
        peer.server.door.keep("output", Refusal(429, retry_after=10, retry_after_as="nonsense"))
        found = []
        for _ in NONSENSE:
            with pytest.raises(InvalidStatus) as refused:
                await peer.connect()
            found.append(refused.value.response.headers["Retry-After"])
        assert {e.retry_after for e in peer.misbehaved()} == {0.0}
        return found

    assert served(main) == list(NONSENSE)


def test_a_handshake_that_was_not_answered_is_not_answered_later_either(served: Serve) -> None:
    async def main(peer: Served) -> None:
        old = await peer.connect()
        heal = peer.server.door.keep("output", Unanswered())
        waiting = asyncio.create_task(peer.connect(open_timeout=30))
        await asyncio.sleep(5)
        heal()
        assert await is_answered(old)
        assert await is_answered(await peer.connect())
        with pytest.raises(TimeoutError):
            await waiting
        assert peer.misdeeds() == [("accept_tcp_only", "output", 0)]

    served(main)


def test_a_peer_that_stops_drops_those_who_wait_at_its_door(served: Serve) -> None:
    async def main(peer: Served) -> float:
        peer.server.door.keep("output", Unanswered())
        waiting = asyncio.create_task(peer.connect(open_timeout=100))
        await asyncio.sleep(1)
        begin = asyncio.get_running_loop().time()
        await peer.server.stop()
        with pytest.raises((InvalidMessage, ConnectionError)):
            await waiting
        return asyncio.get_running_loop().time() - begin

    assert served(main) < 1


def test_an_answer_that_trickles_comes_whole_in_the_end_and_frames_behind_it(served: Serve) -> None:
    async def main(peer: Served) -> float:
        peer.server.door.keep("input", Trickle(0.1))
        began = asyncio.get_running_loop().time()
        client = await peer.connect("input", open_timeout=100)
        took = asyncio.get_running_loop().time() - began
        assert [await client.recv(decode=False) for _ in range(2)] == [b"0", b"1"]
        return took

    assert 10 < served(main) < 30
