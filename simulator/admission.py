"""Keepers of the mock peer's door: what each does to a handshake."""

import asyncio
from email.utils import formatdate
from itertools import cycle
from math import ceil
from time import time
from typing import Literal

from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Response

from simulator.door import Visit

RetryAfterAs = Literal["seconds", "date", "nonsense"]

NONSENSE = (
    "-30",
    "soon",
    "",
    "1e9",
    "12.5",
    "+20",
    "0x10",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 32 Foo 2026 25:61:61 GMT",
    "9999-12-31",
)
"""What a `Retry-After` may hold that asks for no time at all: neither whole seconds nor a date to come (RFC 9110, 10.2.3)."""


def _answer(status: int, *headers: tuple[str, str]) -> Response:
    """Made by hand: the library takes registered statuses only."""
    given = [("Date", _date(0)), ("Connection", "close"), ("Content-Length", "0"), *headers]
    return Response(status, "Refused", Headers(given))


def _date(later: int) -> str:
    """The wall clock's date, so many seconds later; the one place of a run where it shows, in bytes that no record holds."""
    return formatdate(int(time()) + later, usegmt=True)


class Refusal:
    """A handshake is refused: the HTTP status, and how many seconds the client is asked to stay away, if any.

    Asked in whole seconds; or by a date, beside the one of the answer itself; or by nonsense, of each kind in turn, which
    asks for nothing.
    """

    def __init__(
        self, status: int, retry_after: float = 0.0, retry_after_as: RetryAfterAs = "seconds"
    ) -> None:
        self.status = status
        self._as = retry_after_as
        self._nonsense = cycle(NONSENSE)
        self.asked = 0 if retry_after_as == "nonsense" else ceil(retry_after)
        """Whole seconds that the client is asked to stay away, no less than `retry_after`."""

    async def answer(self, visit: Visit) -> Response:
        """Refuse it."""
        by_date = self._as == "date"
        visit.misbehaved("refuse", retry_after=float(self.asked), by_date=by_date)
        if self._as == "nonsense":
            return _answer(self.status, ("Retry-After", next(self._nonsense)))
        if not self.asked:
            return _answer(self.status)
        return _answer(self.status, ("Retry-After", _date(self.asked) if by_date else str(self.asked)))

    def leave(self) -> None:
        """Nobody waits."""


class Unanswered:
    """A handshake gets no answer, not even when the fault is over: who waits without a limit waits for ever."""

    async def answer(self, visit: Visit) -> None:
        """Hold it until its client is gone."""
        visit.misbehaved("accept_tcp_only")
        await visit.waits_for(asyncio.Event())

    def leave(self) -> None:
        """Those who wait have been forgotten."""


class Trickle:
    """The answer to a handshake comes a byte at a time; one that has begun goes on like that when the fault is over."""

    def __init__(self, pause: float) -> None:
        """`pause` is the seconds between two bytes."""
        self._pause = pause

    async def answer(self, visit: Visit) -> None:
        """Let it pass, slowly."""
        visit.misbehaved("trickle")
        visit.connection.trickle(self._pause)

    def leave(self) -> None:
        """Answers that are under way are not hurried."""


class DeadBackend:
    """Behind the name stand a live backend and a dead one, and each client meets them in turn, the dead one first."""

    def __init__(self, how: Literal["silent", "refused"]) -> None:
        """`silent`: no handshake that meets the dead one is ever answered; `refused`: a proxy says 502 for it."""
        self._how = how
        self._meets_the_dead: dict[int, bool] = {}

    async def answer(self, visit: Visit) -> Response | None:
        """Let each client in every second time."""
        dead = self._meets_the_dead.get(visit.client, True)
        self._meets_the_dead[visit.client] = not dead
        if not dead:
            return None
        visit.misbehaved("dead_backend")
        if self._how == "refused":
            return _answer(502)
        await visit.waits_for(asyncio.Event())
        return None

    def leave(self) -> None:
        """Who waits for the dead one goes on waiting."""


class LateAnswer:
    """A handshake is answered only once the same client has begun another, which is answered at once; and so on."""

    def __init__(self) -> None:
        self._held: dict[int, asyncio.Event] = {}

    async def answer(self, visit: Visit) -> None:
        """Hold every second handshake of a client until the next one."""
        successor_came = self._held.pop(visit.client, None)
        if successor_came is not None:
            successor_came.set()
            return
        visit.misbehaved("late_accept")
        self._held[visit.client] = held = asyncio.Event()
        await visit.waits_for(held)

    def leave(self) -> None:
        """Answer those that are held."""
        for held in self._held.values():
            held.set()


class Compression:
    """Compression (RFC 7692) is agreed with whoever offers it, and imposed on whoever does not."""

    async def answer(self, visit: Visit) -> None:
        """Let it pass."""
        visit.misbehaved("deflate")
        protocol = visit.connection.protocol
        # Each message by itself: a bomb between two of them is none of the compressor's.
        protocol.available_extensions = [ServerPerMessageDeflateFactory(server_no_context_takeover=True)]
        visit.connection.imposes_compression = True

    def leave(self) -> None:
        """What was agreed lasts as long as the connection."""


FOLLOWED = "simtool-redirected"
"""The query's key by which a handshake says that it was redirected before."""


class Redirect:
    """A handshake is sent elsewhere: to a place where it is let in, to where it came from, or to a stranger."""

    def __init__(self, stranger: str | None = None, *, loop: bool = False) -> None:
        """`stranger` is an origin, as in ``ws://127.0.0.2:80``; without one, within the peer's own."""
        self._stranger = stranger
        self._loop = loop

    async def answer(self, visit: Visit) -> Response | None:
        """Redirect it, unless it has been already."""
        path = visit.request.path
        if f"{FOLLOWED}=1" in path and not self._loop:
            return None
        visit.misbehaved("redirect")
        there = path if self._loop else f"{path}{'&' if '?' in path else '?'}{FOLLOWED}=1"
        return _answer(307, ("Location", f"{self._stranger or ''}{there}"))

    def leave(self) -> None:
        """Nobody waits."""


class Credentials:
    """A handshake must show a token that is not older than `oldest`; any other is answered with 401."""

    def __init__(self, oldest: int) -> None:
        self._oldest = oldest

    async def answer(self, visit: Visit) -> Response | None:
        """Look at its token."""
        shown = visit.request.headers.get("Authorization", "").removeprefix(f"Bearer {NUMBERED}")
        if shown.isdecimal() and int(shown) >= self._oldest:
            return None
        visit.misbehaved("credentials_expire")
        return _answer(401, ("WWW-Authenticate", "Bearer"))

    def leave(self) -> None:
        """Nobody waits."""


NUMBERED = "simtool-token-"
"""What a token begins with; the rest is its number, and the newest has the greatest."""
