"""A client of `websockets` that waits before each attempt as long as the program waited whose log is replayed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from statistics import median
from traceback import format_exception_only

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake

from chaos.clients import Assignment
from chaos.clients.traces import LIBRARY
from chaos.clients.websockets_iterator import CLOSE, PING, UNREAD, WebsocketsIterator
from chaos.timeline.observed import LinkRecord, Observed
from tracker.events import LinkName

_LOGGER = logging.getLogger(LIBRARY)
SHORTEST = 0.05
"""Seconds, so that a client that is turned away at once does not ask without end."""
UNKNOWN = 5.0
"""Seconds, where the log shows no second attempt."""


def pauses(record: LinkRecord) -> tuple[float, ...]:
    """Seconds from what came before, the end of a connection or of an attempt, to each attempt but the first."""
    ends = sorted(
        [
            attempt.ended
            for attempt in record.attempts
            if attempt.outcome == "refused" and attempt.ended is not None
        ]
        + [connection.closed.t for connection in record.connections if connection.closed is not None]
    )
    begins = [attempt.began for attempt in record.attempts]
    first = len(record.connections) - sum(attempt.outcome == "connected" for attempt in record.attempts)
    return tuple(
        max(0.0, began - ended) for began, ended in zip(begins[0 if first else 1 :], ends, strict=False)
    )


class FieldPauses(WebsocketsIterator):
    """See `Client`. When the log's pauses are used up, it goes on with their median."""

    def __init__(
        self,
        seen: Observed,
        ping_interval: float = PING,
        ping_timeout: float = PING,
        close_timeout: float = CLOSE,
        *,
        reads: bool = True,
        unread: int = UNREAD,
    ) -> None:
        """Raises nothing; a link that `seen` does not show is tried again after `UNKNOWN` seconds."""
        super().__init__(ping_interval, ping_timeout, close_timeout, reads=reads, unread=unread)
        self.name = f"{self.name}, waiting as in the log"
        self._pauses: Mapping[LinkName, Sequence[float]] = {
            name: pauses(record) for name, record in seen.links.items()
        }
        self._iterated: list[AsyncGenerator[ClientConnection]] = []

    async def relay(self, assignment: Assignment) -> None:
        """See `Relay`."""
        try:
            await super().relay(assignment)
        finally:
            for iterated in self._iterated:
                await iterated.aclose()

    def connections(self, url: str, assignment: Assignment) -> AsyncIterable[ClientConnection]:
        """See `WebsocketsIterator`."""
        iterated = self._one_after_another(url, assignment)
        self._iterated.append(iterated)
        return iterated

    async def _one_after_another(self, url: str, assignment: Assignment) -> AsyncGenerator[ClientConnection]:
        link: LinkName = "input" if url == assignment.input_url else "output"
        shown = self._pauses.get(link, ())
        usual = median(shown) if shown else UNKNOWN
        left = iter(shown)
        while True:
            pause = max(SHORTEST, next(left, usual))
            try:
                async with self.connect(url, assignment) as connection:
                    yield connection
            except (OSError, TimeoutError, InvalidHandshake) as error:
                # In the library's own words, so that the run's log tells of it as another log does.
                why = format_exception_only(error)[0].strip()
                _LOGGER.info("connect failed; reconnecting in %.1f seconds: %s", pause, why)
            await asyncio.sleep(pause / assignment.scale)
