"""A task that shows that the event loop turns, and how late it is."""

import asyncio
from collections.abc import Callable

BEAT = 0.5
"""Seconds from one beat to the next."""


class Heartbeat:
    """Beats every `BEAT` seconds, or more often where a watchdog wants it; `on_beat` is called with each."""

    def __init__(self, *, every: float = BEAT, on_beat: Callable[[], object] = lambda: None) -> None:
        self._every = every
        self._on_beat = on_beat
        self._due: float | None = None
        self._lag = 0.0
        self.late_in_all = 0.0
        """Seconds by which all beats together came late."""

    def lag(self, now: float) -> float:
        """Seconds by which the last beat came late; or the next one is late by now, if that is more."""
        return self._lag if self._due is None else max(self._lag, now - self._due)

    async def run(self) -> None:
        """Beat until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._on_beat()
            self._due = loop.time() + self._every
            await asyncio.sleep(self._every)
            self._lag = max(0.0, loop.time() - self._due)
            self.late_in_all += self._lag
