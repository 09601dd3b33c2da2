"""Where a scenario runs. An engine gives a world; everything else about a run is the same on all of them."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from chaos.faults import Fault
from chaos.kinds import Link

Heal = Callable[[], Awaitable[None]]
"""Ends one fault. Called once; the path is healed when it returns."""


class World(Protocol):
    """The network between a client and its peer while one run lasts. Its clock is the running loop's."""

    @property
    def scale(self) -> float:
        """Scenario seconds that pass in one second of the loop's clock."""

    async def open_link(self, link: Link, port: int) -> str:
        """Lead `link` to the peer at `port` of the loopback; returns the `host:port` that the client connects to."""

    async def begin(self, fault: Fault) -> Heal:
        """Put a network fault, written in scenario time, into force on its link."""


class EngineError(Exception):
    """The engine could not give a world, or not to the end; the text is one line that says why."""


class Engine(Protocol):
    """One way to run scenarios."""

    name: str

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """Run `life` in a fresh world to its end. Raises `EngineError`, and what `life` raises."""
