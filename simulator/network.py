"""TCP in memory, as far as a client of a bad network can tell it from the real one.

A `Network` has listeners and paths. A `Path` leads from an address to a listener, like a proxy in front of it, and
carries the faults; connecting to a listener's own address goes by an undisturbed path. A connection is two
`SimTransport`s and two `Stream`s, one for each direction:

    write -> write buffer -> (window) -> on the way, subject to the path's effects -> unread -> data_received

What is on the way or unread occupies the window, so a receiver that does not read stops the sender: its write
buffer fills, and `pause_writing` is called at the high-water mark. FIN travels in order behind the data. RST
overtakes it: what is on the way is lost. A socket that is closed with unread data, or written to after it was closed,
answers with RST. The ends of a connection are held, delayed and dropped like its bytes, unless it is the path itself
that cuts (down, reset_peer, limit_data, the end of a blackhole): then it closes its own socket on each side, at once.

Not modelled: loss and reordering (TCP hides them; they show as stalls), slow start and Nagle, TLS, keepalive.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

from simulator.stream import LATENCY, Effect, Stream
from simulator.transport import SimTransport

Direction = Literal["upstream", "downstream"]
P = TypeVar("P", bound=asyncio.BaseProtocol)

SYN_RETRIES = 6
"""How often TCP repeats an unanswered connect, after 1, 2, 4 ... seconds: it fails after 127 s."""


@dataclass(eq=False)
class Path:
    """The way to a listener, and what is wrong with it."""

    network: "Network"
    target: tuple[str, int]
    latency: float = LATENCY
    down: bool = False
    refused: int = 0
    """Connects that found it down."""
    unreachable: bool = False
    """Connects get no answer at all; open connections are not touched."""
    effects: dict[Direction, list[Effect]] = field(default_factory=lambda: {"upstream": [], "downstream": []})
    connections: "list[Connection]" = field(default_factory=list)

    def add(
        self, kind: str, direction: Direction, attributes: Mapping[str, int], toxicity: float = 1.0
    ) -> Effect:
        """Put an effect, with Toxiproxy's name and units, into force on present and future connections."""
        effect = Effect(kind, attributes, toxicity)
        self.effects[direction].append(effect)
        for connection in self.connections:
            connection.streams[direction].strike(effect)
        return effect

    def remove(self, effect: Effect, direction: Direction) -> None:
        """End an effect: what it held goes on; a connection whose bytes it dropped ends."""
        self.effects[direction].remove(effect)
        for connection in tuple(self.connections):
            connection.streams[direction].relieve(effect)

    def disable(self) -> int:
        """FIN to every connection, and refusal from now on. Returns how many connections that ended."""
        self.down = True
        return sum(connection.finish() for connection in tuple(self.connections))

    def enable(self) -> None:
        """Take connections again."""
        self.down = False


class Network:
    """Addresses, and who listens there. Times are the running loop's."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._paths: dict[tuple[str, int], Path] = {}
        self._next_port = 40_000

    def free_port(self) -> int:
        """A port that nobody has had yet."""
        self._next_port += 1
        return self._next_port

    def path(self, host: str, port: int, *, to: tuple[str, int]) -> Path:
        """From now on, whoever connects to `host`:`port` is led to `to` by the returned path."""
        made = self._paths[host, port] = Path(self, to)
        return made

    def listen(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> "Listener":
        """See `VirtualLoop.create_server`."""
        port = port or self.free_port()
        if (host, port) in self._listeners:
            raise OSError(98, f"address {host}:{port} already in use")
        listener = self._listeners[host, port] = Listener(self, factory, (host, port))
        return listener

    def forget(self, listener: "Listener") -> None:
        """The listener no longer listens."""
        if self._listeners.get(listener.address) is listener:
            del self._listeners[listener.address]

    async def connect(self, factory: Callable[[], P], host: str, port: int) -> "tuple[SimTransport, P]":
        """See `VirtualLoop.create_connection`. Toxiproxy's effects do not delay the connect, so none does here."""
        behind_proxy = (host, port) in self._paths
        path = self._paths.get((host, port)) or Path(self, (host, port))
        await _handshake(path)
        listener = self._listeners.get(path.target)
        if path.down:
            path.refused += 1
        if path.down or (listener is None and not behind_proxy):
            raise ConnectionRefusedError(111, f"Connect call failed ({host!r}, {port})")
        connection = Connection(path, factory, listener, (host, port))
        protocol = await connection.establish()
        if listener is None:
            connection.finish()  # a proxy accepts, finds nobody behind it, and closes
        return connection.client, cast(P, protocol)


class Listener(asyncio.AbstractServer):
    """What `create_server` returns."""

    def __init__(
        self, network: Network, factory: Callable[[], asyncio.BaseProtocol], address: tuple[str, int]
    ) -> None:
        self.factory = factory
        self.address = address
        self.context = copy_context()
        """Whoever listens accepts in this context: what it serves belongs to its host."""
        self._network = network
        self._serving = True
        self._forever: asyncio.Future[None] | None = None

    @property
    def sockets(self) -> "tuple[Listener, ...]":
        """One that can say its name, and none once it is closed."""
        return (self,) if self._serving else ()

    def getsockname(self) -> tuple[str, int]:
        return self.address

    @property
    def family(self) -> int:
        return 2

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def close(self) -> None:
        self._serving = False
        self._network.forget(self)
        if self._forever is not None:
            self._forever.cancel()

    def is_serving(self) -> bool:
        return self._serving

    async def wait_closed(self) -> None:
        """At once: the connections have owners of their own."""

    async def start_serving(self) -> None:
        """It serves from the beginning."""

    async def serve_forever(self) -> None:
        """Until it is closed, or cancelled and thereby closed; either ends in CancelledError, as in asyncio."""
        self._forever = asyncio.get_running_loop().create_future()
        try:
            await self._forever
        finally:
            self.close()


async def _handshake(path: Path) -> None:
    for retry in range(SYN_RETRIES + 1):
        if not path.unreachable:
            await asyncio.sleep(2 * path.latency)
            return
        await asyncio.sleep(2**retry)
    raise TimeoutError(110, "Connect call failed: no answer")


class Connection:
    """Two ends and the two streams between them."""

    def __init__(
        self,
        path: Path,
        factory: Callable[[], asyncio.BaseProtocol],
        listener: Listener | None,
        address: tuple[str, int],
    ) -> None:
        self._path = path
        self.rng = path.network.rng
        near = ("127.0.0.1", path.network.free_port())
        self.client = SimTransport(factory, copy_context(), near, address)
        accept = (listener.factory, listener.context.copy()) if listener else (asyncio.Protocol, Context())
        self.server = SimTransport(*accept, path.target, near)
        self.streams: dict[Direction, Stream] = {
            "upstream": Stream(self, self.client, self.server),
            "downstream": Stream(self, self.server, self.client),
        }
        self.client.join(self.streams["upstream"], self.streams["downstream"])
        self.server.join(self.streams["downstream"], self.streams["upstream"])
        path.connections.append(self)
        for direction, stream in self.streams.items():
            for effect in path.effects[direction]:
                stream.strike(effect, at_birth=True)

    @property
    def latency(self) -> float:
        """Of one direction, undisturbed."""
        return self._path.latency

    async def establish(self) -> asyncio.BaseProtocol:
        """Tell both protocols, in asyncio's order: made first, data later. Returns the client's."""
        for end in (self.server, self.client):
            end.make()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.client.close()  # nobody will ever hold it
            raise
        return self.client.get_protocol()

    def finish(self) -> bool:
        """The path closes the connection in good order: FIN to both ends. False if it was over before."""
        return self._cut(fin=True)

    def reset(self) -> bool:
        """The path cuts the connection: RST to both ends. False if it was over before."""
        return self._cut(fin=False)

    def _cut(self, *, fin: bool) -> bool:
        if self not in self._path.connections:
            return False
        for stream in self.streams.values():
            stream.cut(fin=fin)
        self._path.connections.remove(self)
        return True

    def perish(self) -> None:
        """One end has learnt of a reset: nothing more will pass, either way."""
        for stream in self.streams.values():
            stream.perish()
        self.forget_if_over()

    def forget_if_over(self) -> None:
        """When nothing can arrive any more, the path has no part in it."""
        if self in self._path.connections and all(stream.silent for stream in self.streams.values()):
            for stream in self.streams.values():
                stream.perish()  # its timers
            self._path.connections.remove(self)
