"""A mock peer on virtual time, for tests of what a client meets there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, TypeVar

from websockets.asyncio.client import ClientConnection, connect

from simulator import events
from simulator.events import PeerLink
from simulator.feeds import LiveFeed
from simulator.paths import CONTROL_PATH, FEED_PATH, SINK_PATH
from simulator.pose_server import PoseServer

Confirm = Literal["pong", "ack"]
E = TypeVar("E")
PATH: dict[PeerLink, str] = {"input": FEED_PATH, "output": SINK_PATH, "control": CONTROL_PATH}


class Served:
    """A mock peer and what it reported."""

    def __init__(self, interval: float, confirm: Confirm) -> None:
        self.seen: list[events.AnyPeerEvent] = []
        self.feed = LiveFeed(lambda n: b"%d" % n, interval=interval)
        self.server = PoseServer(self.feed, report=self._note, confirm=confirm, poses=True)
        self.port = 0
        self.react: Callable[[events.AnyPeerEvent], None] = lambda _: None
        """Called with each report as it is made."""

    def _note(self, event: events.AnyPeerEvent) -> None:
        self.seen.append(event)
        self.react(event)

    async def connect(
        self, link: PeerLink = "output", *, query: str = "", open_timeout: float = 10.0
    ) -> ClientConnection:
        return await connect(
            f"ws://127.0.0.1:{self.port}{PATH[link]}{query}",
            ping_interval=None,
            compression=None,
            proxy=None,
            open_timeout=open_timeout,
        )

    def told(self, kind: type[E]) -> list[E]:
        """Its reports of this kind."""
        return [event for event in self.seen if isinstance(event, kind)]

    def misbehaved(self) -> list[events.Misbehaved]:
        """Its reports of misdeeds."""
        return self.told(events.Misbehaved)

    def misdeeds(self) -> list[tuple[str, str, int]]:
        return [(e.kind, e.link, e.connection) for e in self.seen if isinstance(e, events.Misbehaved)]


class Serve(Protocol):
    """`served(main)` runs `main(peer)` beside a mock peer on virtual time, with a frame each `interval` seconds."""

    def __call__(
        self, main: Callable[[Served], Awaitable[Any]], *, interval: float = 0.1, confirm: Confirm = "pong"
    ) -> Any: ...


async def is_answered(client: ClientConnection) -> bool:
    try:
        async with asyncio.timeout(1):
            await (await client.ping())
    except TimeoutError:
        return False
    return True
