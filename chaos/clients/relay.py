"""The frame around a client that reports nothing: its life, from the start to the cancellation at the run's end."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from chaos.clients import Assignment
from chaos.clients.traces import debug_log
from chaos.history import Role
from chaos.scenario import ClientOverrides


class Relay(ABC):
    """A client whose work is one coroutine. See `Client`."""

    name: str
    role: Role = "relay"
    real_sockets_only: str | None = None
    scales_itself = True

    @abstractmethod
    async def relay(self, assignment: Assignment) -> None:
        """Work for ever. A cancellation is the run's end: close what is open, and let it pass on."""

    async def run(self, assignment: Assignment) -> None:
        """Raises what `relay` raises."""
        with debug_log(assignment):
            async with asyncio.TaskGroup() as tasks:
                relaying = tasks.create_task(self.relay(assignment), name=f"client {self.name}")
                stop = tasks.create_task(assignment.stop.wait())
                await asyncio.wait([relaying, stop], return_when=asyncio.FIRST_COMPLETED)
                relaying.cancel()
                stop.cancel()

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """None that anybody could be held to."""
        del overrides
        return {}
