"""What is under test."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chaos.scenario import ClientOverrides
from tracker.events import Observer


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a client is told for one run."""

    input_url: str
    output_url: str
    wall: Path
    calibration: Path
    route: Path
    overrides: ClientOverrides
    scale: float
    """Scenario seconds that pass in one second of the loop's clock: a client divides its own durations by it."""
    seed: int
    report: Observer
    """Takes what the client has to say about itself, if anything, stamped by the loop's clock."""
    stop: asyncio.Event
    """When set, the client comes to an orderly end."""


class Client(Protocol):
    """A client of the pose server: poses in over one WebSocket, something out for each over another."""

    name: str

    async def run(self, assignment: Assignment) -> None:
        """Until `assignment.stop`; returns when all connections are closed."""

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """The configuration that checks may hold it to, durations in scenario seconds; empty if it has none."""
