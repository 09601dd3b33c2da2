"""Where a scenario runs. An engine gives a world; everything else about a run is the same on all of them."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

from chaos.faults import Fault
from chaos.history import Counts, SocketsSeen
from chaos.kinds import Link

Heal = Callable[[], Awaitable[None]]
"""Ends one fault. Called once; the path is healed when it returns."""


def _unseen() -> None:
    """What an engine counts that cannot see what its faults do."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A fault from its begin on, and what it has done, which can be asked after its end too."""

    heal: Heal
    count: Callable[[], Counts | None] = _unseen
    """What it has done up to now; None where the engine cannot see it."""


class SocketObserver(Protocol):
    """Hears what the network sees of the clients' sockets, at the moment."""

    def attempted(self, link: Link, client: int) -> None:
        """A client began to connect."""

    def closed(self, link: Link, client: int, *, by_client: bool) -> None:
        """The socket of an attempt came to its end; by the client, or because a FIN, an RST or a refusal had come."""


class World(Protocol):
    """The client's machine and the network to its peer while one run lasts."""

    sockets_seen: SocketsSeen
    """What it tells the observer of `watch_sockets`."""

    @property
    def scale(self) -> float:
        """Scenario seconds that pass in one second of the loop's clock."""

    @property
    def now(self) -> float:
        """Its clock, which is the running loop's for everybody but clients whose clocks stopped for a while."""

    @property
    def clients_behind(self) -> float:
        """Seconds by which the clients' monotonic clocks are behind that."""

    async def open_link(self, link: Link, port: int, *, named: bool = False) -> str:
        """Lead `link` to the peer at `port` of the loopback; returns the `host:port` that the client connects to.

        `named`: the host is a name, which the client must look up, on an engine that has faults of that.
        """

    def client_context(self, number: int) -> Context | None:
        """Where this client's task must be started, so that it can be told from the rest; None: anywhere.

        Clients count from 0. All contexts are asked for before the first fault begins.
        """

    def watch_sockets(self, observer: SocketObserver) -> None:
        """Let `observer` hear of the clients' sockets, as far as this engine sees them. Before the first link is opened."""

    def on_standstill(self, notice: Callable[[float], None]) -> None:
        """Let `notice` hear, in the clock's seconds, how long the machine stood still, whenever it did for long.

        Never on an engine whose clock stands still with the machine.
        """

    async def begin(self, fault: Fault) -> InForce:
        """Put a fault of the network or of the clients' machines, written in scenario time, into force.

        Raises `EngineError` for a kind that the engine cannot do.
        """


class EngineError(Exception):
    """The engine could not give a world, or not to the end; the text is one line that says why."""


class ClientBrokeError(Exception):
    """Something of a client failed where nobody looked, as in a task that it did not await; one line says what."""

    def __init__(self, what: str, client: int) -> None:
        super().__init__(what)
        self.client = client
        """Its number."""


class Engine(Protocol):
    """One way to run scenarios."""

    name: str

    def require_able(self, faults: Iterable[Fault]) -> None:
        """Raises `EngineError` for the first of these faults that cannot be had on this engine."""

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """Run `life` in a fresh world to its end. Raises `EngineError`, and what `life` raises.

        Raises `ClientBrokeError`, once the run is over, where the client left an exception that nobody retrieved.
        """
