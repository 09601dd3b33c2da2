"""Who stands at the mock peer's door: what becomes of a handshake before it is answered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from websockets.http11 import Request, Response

from simulator import events
from simulator.events import PeerLink, PeerObserver
from simulator.peer_connection import PeerConnection
from simulator.sender import client_number
from simulator.standing import Standing


@dataclass(frozen=True, slots=True)
class Visit:
    """A handshake that waits for its answer."""

    connection: PeerConnection
    request: Request
    link: PeerLink
    report: PeerObserver

    @property
    def client(self) -> int:
        """Whose it is, of several."""
        return client_number(self.request.path)

    def misbehaved(self, kind: str, *, retry_after: float = 0.0, by_date: bool = False) -> None:
        """Report what was done to it."""
        now = self.connection.loop.time()
        self.report(
            events.Misbehaved(
                t=now,
                kind=kind,
                link=self.link,
                client=self.client,
                retry_after=retry_after,
                by_date=by_date,
            )
        )

    async def waits_for(self, word: asyncio.Event) -> None:
        """Until `word` is given, or the client is gone."""
        gone = self.connection.connection_lost_waiter
        given = asyncio.ensure_future(word.wait())
        gone.add_done_callback(lambda _: given.cancel())
        try:
            await asyncio.wait([given])
        finally:
            given.cancel()


class Keeper(Protocol):
    """One who stands there."""

    async def answer(self, visit: Visit) -> Response | None:
        """What the handshake is answered with instead; None: it may pass."""

    def leave(self) -> None:
        """Go: whoever is held up goes on."""


class Door:
    """The keepers of every link. Of several, the one who came last is asked first."""

    def __init__(self) -> None:
        self._keepers: dict[PeerLink, Standing[Keeper]] = {}

    def keep(self, link: PeerLink, keeper: Keeper) -> Callable[[], None]:
        """Let `keeper` look at every handshake of `link`; what is returned ends it."""
        end = self._keepers.setdefault(link, Standing()).begin(keeper)

        def leave() -> None:
            end()
            keeper.leave()

        return leave

    def keepers(self, link: PeerLink) -> tuple[Keeper, ...]:
        """Those of `link`, in the order in which they are asked."""
        standing = self._keepers.get(link)
        return () if standing is None else standing.newest_first

    async def answer(self, visit: Visit) -> Response | None:
        """What the handshake is answered with; None: it may pass."""
        for keeper in self.keepers(visit.link):
            if (response := await keeper.answer(visit)) is not None:
                return response
        return None
