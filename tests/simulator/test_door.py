"""What becomes of a handshake at the mock peer's door."""

import asyncio
from contextlib import nullcontext
from email.utils import parsedate_to_datetime

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus, SecurityError

from simulator import events
from simulator.admission import (
    NONSENSE,
    Credentials,
    DeadBackend,
    LateAnswer,
    Redirect,
    Refusal,
    Trickle,
    Unanswered,
)
from simulator.sender import NUMBER
from simulator.stranger import Stranger
from tests.simulator.served import PATH, Serve, Served, is_answered


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


def test_a_refusal_by_a_date_names_it_beside_the_date_of_the_answer(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("output", Refusal(429, retry_after=10, retry_after_as="date"))
        with pytest.raises(InvalidStatus) as refused:
            await peer.connect()
        headers = refused.value.response.headers
        until, now = (parsedate_to_datetime(headers[name]) for name in ("Retry-After", "Date"))
        assert (until - now).total_seconds() == 10
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


def test_of_two_backends_each_client_meets_the_dead_one_every_second_time(served: Serve) -> None:
    async def main(peer: Served) -> list[str]:
        heal = peer.server.door.keep("output", DeadBackend("refused"))
        found = []
        for client in (1, 1, 2, 1, 2):
            try:
                await peer.connect(query=f"?{NUMBER}={client}")
                found.append(f"{client} in")
            except InvalidStatus as refused:
                found.append(f"{client} {refused.response.status_code}")
        heal()
        assert await is_answered(await peer.connect(query=f"?{NUMBER}=1"))
        return found

    assert served(main) == ["1 502", "1 in", "2 502", "1 502", "2 in"]


def test_a_dead_backend_that_is_silent_never_answers(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("output", DeadBackend("silent"))
        with pytest.raises(TimeoutError):
            await peer.connect(open_timeout=30)
        assert await is_answered(await peer.connect())

    served(main)


def test_a_handshake_is_answered_late_once_the_next_one_was_begun(served: Serve) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("output", LateAnswer())
        first = asyncio.create_task(peer.connect(open_timeout=100))
        other = asyncio.create_task(peer.connect(query=f"?{NUMBER}=7", open_timeout=100))
        await asyncio.sleep(20)
        assert not first.done()
        second = await peer.connect()
        assert [await is_answered(await first), await is_answered(second)] == [True, True]
        assert not other.done()  # another client's begins nothing for it
        other.cancel()

    served(main)


def test_who_waits_for_a_next_handshake_is_answered_when_the_fault_is_over(served: Serve) -> None:
    async def main(peer: Served) -> None:
        heal = peer.server.door.keep("output", LateAnswer())
        first = asyncio.create_task(peer.connect(open_timeout=100))
        await asyncio.sleep(1)
        heal()
        assert await is_answered(await first)

    served(main)


def test_a_redirect_within_the_peer_is_let_in_where_it_leads(served: Serve) -> None:
    async def main(peer: Served) -> list[tuple[str, str, int]]:
        peer.server.door.keep("output", Redirect())
        assert await is_answered(await peer.connect(query=f"?{NUMBER}=7"))
        (opened,) = peer.told(events.Opened)
        assert opened.client == 7
        return peer.misdeeds()

    assert served(main) == [("redirect", "output", 0)]


def test_a_redirect_in_a_loop_lets_nobody_in(served: Serve) -> None:
    async def main(peer: Served) -> int:
        peer.server.door.keep("output", Redirect(loop=True))
        with pytest.raises(SecurityError, match="more than 10 redirects"):
            await peer.connect()
        return len(peer.misdeeds())

    assert served(main) == 10


def test_who_is_sent_to_a_stranger_is_taken_for_served_there_and_never_seen_here(served: Serve) -> None:
    async def main(peer: Served) -> list[events.Opened]:
        stranger = Stranger()
        peer.server.door.keep("output", Redirect(await stranger.start()))
        client = await peer.connect()
        await client.send("a message")
        assert await is_answered(client)
        await stranger.stop()
        return peer.told(events.Opened)

    assert served(main) == []


@pytest.mark.parametrize(
    ("shown", "answer"),
    [(None, 401), ("simtool-token-1", 401), ("simtool-token-2", 101), ("other", 401)],
)
def test_a_token_must_be_as_new_as_is_asked_for(served: Serve, shown: str | None, answer: int) -> None:
    async def main(peer: Served) -> None:
        peer.server.door.keep("output", Credentials(2))
        headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
        url = f"ws://127.0.0.1:{peer.port}{PATH['output']}"
        with nullcontext() if answer == 101 else pytest.raises(InvalidStatus, match="401"):
            await connect(url, additional_headers=headers, proxy=None, ping_interval=None)

    served(main)


def test_a_drain_closes_who_is_there_one_after_the_other_and_lets_newcomers_be(served: Serve) -> None:
    async def main(peer: Served) -> None:
        olds = [await peer.connect() for _ in range(3)]
        heal = peer.server.drain("output", 1012, 4.0)
        new = await peer.connect()
        left = []
        for _ in range(4):
            left.append(sum(old.close_code is None for old in olds))
            await asyncio.sleep(1.01)
        assert left == [3, 2, 1, 0]
        assert {old.close_code for old in olds} == {1012}
        heal()
        assert await is_answered(new)
        assert peer.misdeeds() == [("drain", "output", n) for n in (1, 2, 3)]

    served(main)


def test_a_drain_that_is_cut_short_closes_at_once_who_is_left(served: Serve) -> None:
    async def main(peer: Served) -> int | None:
        old = await peer.connect()
        peer.server.drain("output", 1001, 100.0)()
        await old.wait_closed()
        return old.close_code

    assert served(main) == 1001
