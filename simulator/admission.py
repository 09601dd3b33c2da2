"""Keepers of the mock peer's door: what each does to a handshake."""

import asyncio
from email.utils import formatdate
from itertools import cycle
from math import ceil
from time import time
from typing import Literal

from websockets.datastructures import Headers
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

    Asked in whole seconds, or by a date, which is a second more, because a client's own clock may be anywhere within one;
    or by nonsense, of each kind in turn, which asks for nothing.
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
        return _answer(self.status, ("Retry-After", _date(self.asked + 1) if by_date else str(self.asked)))

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
