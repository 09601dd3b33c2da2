"""What is under test: the tracker, or any other client of the pose server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol

from chaos.history import Reported, Role
from chaos.scenario import ClientOverrides
from simulator.sender import numbered
from tracker.events import Observer


class ClientError(Exception):
    """There is no such client, or it cannot be used; the text is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a client is told for one run."""

    input_url: str
    output_url: str
    wall: Path | None
    """The files of the wall; None where the peer sends no poses."""
    calibration: Path | None
    route: Path | None
    overrides: ClientOverrides
    scale: float
    """Scenario seconds that pass in one second of the loop's clock: a client divides its own durations by it."""
    seed: int
    report: Observer
    """Takes what the client has to say about itself, if anything, stamped by the loop's clock."""
    stop: asyncio.Event
    """When set, the client comes to an orderly end."""
    control_url: str | None = None
    """Where controls come from, in scenarios that send some; a client that takes none leaves it alone."""
    landmarks: bool = True
    """Whether a tracker's outputs show the body's landmarks."""
    number: int = 0
    """Of several clients in one run, counted from 0; the URLs of the others than the first say it too."""
    ca: Path | None = None
    """The file of the authority that signed the peer's certificate; None: there is none, the URLs begin with ws."""
    token_file: Path | None = None
    """What the tracker shows as its token, where the peer asks for one; read anew for each attempt."""
    stop_signal: str = "SIGTERM"
    """What tells a program to come to its end."""
    trace: Path | None = None
    """Where it writes a trace of its own, the file's name without a suffix; None: it writes none."""

    def of_another(self, number: int, note: Callable[[Reported], None]) -> "Assignment":
        """The same for one more client, who is told apart by its URLs, by what it draws, and by what `note` hears of it."""
        return replace(
            self,
            input_url=numbered(self.input_url, number),
            output_url=numbered(self.output_url, number),
            control_url=None if self.control_url is None else numbered(self.control_url, number),
            seed=Random(f"{self.seed}/client-{number}").getrandbits(32),
            report=lambda event: note(Reported(t=event.t, client=number, report=event)),
            trace=None if self.trace is None else self.trace.with_name(f"{self.trace.name}.{number}"),
            number=number,
        )

    @property
    def wall_files(self) -> tuple[Path, Path, Path]:
        """Wall, calibration and route, for a client that is sent poses."""
        assert self.wall is not None, "poses come with a wall"
        assert self.calibration is not None, "poses come with a calibration"
        assert self.route is not None, "poses come with a route"
        return self.wall, self.calibration, self.route


class Client(Protocol):
    """A client of the pose server: poses in over one WebSocket, something out for each over another.

    A `relay` sends every message that it reads on, unchanged or at least with its `sequence`; a `receiver` reads the
    input only. Both are judged by what the peer sees of them.
    """

    name: str
    role: Role
    real_sockets_only: str | None
    """Why it cannot run on virtual time, as in "its threads run in real time"; None: it can."""
    scales_itself: bool
    """Whether it divides its own durations by the assignment's scale; one that does not is itself in true time only."""

    async def run(self, assignment: Assignment) -> None:
        """Until `assignment.stop`; returns when all connections are closed.

        A scenario with several clients has several of these at once, and each keeps its state to itself.
        """

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """The configuration that checks may hold it to, durations in scenario seconds; empty if it has none."""
