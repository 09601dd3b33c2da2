"""What the mock peer speaks with clients of other kinds than the tracker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from simulator import events
from simulator.dialect import Dialect
from simulator.entrance import Entrance, Opening
from simulator.events import PeerLink
from simulator.feeds import LiveFeed
from simulator.identity import ByPath
from simulator.network import Network
from simulator.pose_server import PoseServer

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]
E = TypeVar("E")
CHAT: dict[str, PeerLink] = {"/chat": "output"}


class Spoken:
    """A mock peer of this dialect, and what it reported."""

    def __init__(self, dialect: Dialect) -> None:
        self.seen: list[events.AnyPeerEvent] = []
        feed = LiveFeed(lambda n: b'{"sequence": %d}' % n, interval=0.1)
        self.server = PoseServer(feed, report=self.seen.append, dialect=dialect)
        self.port = 0

    async def connect(self, path: str, **how: Any) -> ClientConnection:
        return await connect(
            f"ws://127.0.0.1:{self.port}{path}", ping_interval=None, compression=None, proxy=None, **how
        )

    def told(self, kind: type[E]) -> list[E]:
        """Its reports of this kind."""
        return [event for event in self.seen if isinstance(event, kind)]


Speak = Callable[[Dialect, Callable[[Spoken], Awaitable[Any]]], Any]


@pytest.fixture
def speak(simulate: Simulate) -> Speak:
    """`speak(dialect, main)` runs `main(peer)` beside a mock peer on virtual time."""

    def run(dialect: Dialect, main: Callable[[Spoken], Awaitable[Any]]) -> Any:
        async def speaking(_: Network) -> Any:
            peer = Spoken(dialect)
            peer.port = await peer.server.start()
            try:
                return await main(peer)
            finally:
                peer.server.abort()
                await peer.server.stop()

        return simulate(speaking)

    return run


def test_a_duplex_is_sent_messages_and_collected_from_over_one_connection(speak: Speak) -> None:
    async def main(peer: Spoken) -> None:
        client = await peer.connect("/chat")
        await client.send('{"id": 7}')
        assert await client.recv() == '{"sequence": 0}'
        await client.close()

    dialect = Dialect(paths=CHAT, feeds="output", poses=False, identity=ByPath("id"), own_numbers=True)
    seen: list[Spoken] = []

    async def and_keep(peer: Spoken) -> None:
        seen.append(peer)
        await main(peer)

    speak(dialect, and_keep)
    (delivered,) = seen[0].told(events.Delivered)
    assert (delivered.stream, delivered.seq, delivered.connection) == ("own", 7, 1)
    assert {event.connection for event in seen[0].told(events.Offered)} == {1}


def test_nothing_is_sent_before_a_message_that_matches_the_subscription(speak: Speak) -> None:
    opening = Opening("welcome", '"subscribe"', "subscribed")

    async def main(peer: Spoken) -> list[Any]:
        client = await peer.connect("/chat")
        heard = [await client.recv()]
        await client.send('{"type": "hello", "sequence": 1}')
        await asyncio.sleep(5)
        assert peer.told(events.Offered) == []
        await client.send('{"type": "subscribe", "sequence": 2}')
        heard += [await client.recv(), await client.recv()]
        # What subscribes is none of the client's messages.
        assert [event.seq for event in peer.told(events.Delivered)] == [1]
        return heard

    dialect = Dialect(paths=CHAT, feeds="output", poses=False, opening=opening)
    welcome, answer, first = speak(dialect, main)
    assert (welcome, answer) == ("welcome", "subscribed")
    assert first.startswith('{"sequence": ')


def test_each_connection_subscribes_for_itself(speak: Speak) -> None:
    async def main(peer: Spoken) -> None:
        first = await peer.connect("/ws/pose/")
        await first.send("please")
        await first.recv()
        await first.close()
        await peer.connect("/ws/pose/")
        before = len(peer.told(events.Offered))
        await asyncio.sleep(5)
        assert len(peer.told(events.Offered)) == before

    speak(Dialect(poses=False, opening=Opening(subscription="please")), main)


def test_who_brings_no_token_is_turned_away_and_that_is_reported(speak: Speak) -> None:
    entrance = Entrance(headers=(("Authorization", "Bearer s3cret"),))

    async def main(peer: Spoken) -> None:
        with pytest.raises(InvalidStatus) as caught:
            await peer.connect("/chat")
        assert caught.value.response.status_code == 401
        (away,) = peer.told(events.TurnedAway)
        assert (away.link, away.status, away.why) == ("output", 401, "the header Authorization is missing")
        client = await peer.connect("/chat", additional_headers={"Authorization": "Bearer s3cret"})
        await client.close()
        assert len(peer.told(events.TurnedAway)) == 1

    speak(Dialect(paths=CHAT, entrance=entrance), main)


def test_a_subprotocol_is_agreed_on_or_the_handshake_refused(speak: Speak) -> None:
    async def main(peer: Spoken) -> None:
        client = await peer.connect("/chat", subprotocols=["chat.v1", "chat.v2"])
        assert client.subprotocol == "chat.v2"
        with pytest.raises(InvalidStatus) as caught:
            await peer.connect("/chat", subprotocols=["chat.v1"])
        assert caught.value.response.status_code == 400

    speak(Dialect(paths=CHAT, entrance=Entrance(subprotocol="chat.v2")), main)


def test_messages_without_a_number_are_counted_as_they_come(speak: Speak) -> None:
    async def main(peer: Spoken) -> list[tuple[str, int, bool]]:
        client = await peer.connect("/ws/holds/")
        for _ in range(2):
            await client.send(b"\xff\x00")
        await client.close()
        await asyncio.sleep(1)
        return [(event.stream, event.seq, event.repeat) for event in peer.told(events.Delivered)]

    came = speak(Dialect(poses=False, binary=True, identity=None), main)
    assert came == [("unnumbered", 0, False), ("unnumbered", 1, False)]


def test_what_is_binary_is_sent_as_binary(speak: Speak) -> None:
    async def main(peer: Spoken) -> object:
        return await (await peer.connect("/ws/pose/")).recv()

    assert speak(Dialect(poses=False, binary=True), main) == b'{"sequence": 0}'


def test_of_what_has_no_number_the_first_is_shown(speak: Speak) -> None:
    async def main(peer: Spoken) -> list[tuple[str, str]]:
        client = await peer.connect("/ws/holds/")
        await client.send('{"n": 1}')
        await client.send(b"\xff\x01")
        await client.close()
        await asyncio.sleep(1)
        return [(event.reason, event.begins) for event in peer.told(events.Unreadable)]

    why = "no number at sequence"
    assert speak(Dialect(poses=False), main) == [(why, '{"n": 1}'), (why, "")]
