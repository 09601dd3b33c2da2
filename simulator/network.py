"""TCP in memory, as far as a client of a bad network can tell it from Linux's.

A `Network` has listeners and paths. A `Path` leads from an address to a listener, like a router, or a proxy in front of
it, and carries the faults; connecting to a listener's own address goes by an undisturbed path. A connection is two
`SimTransport`s, two `Channel`s (the ways over the path) and two `Stream`s (the kernels' work), one for each direction:

    write -> write buffer -> send buffer -> on the way, subject to the path's effects -> receive buffer -> data_received

What is not acknowledged stays in the send buffer, so a path that falls silent, or a receiver that does not read, stops
the writer: its write buffer fills, and `pause_writing` is called at the high-water mark. FIN travels in order behind the
data and is sent again like it. RST follows what is on the way; what waits to be sent is thrown away. A socket that is
closed with unread data, or written to after it was closed, answers with RST. Ends are lost and delayed like bytes,
unless it is the path itself that cuts (down, reset_peer, limit_data, the end of a blackhole): then it closes its own
socket on each side, at once.

Not modelled: slow start and congestion control but for what follows an RTO, delayed acknowledgements, Nagle, reordering
inside a path, TLS.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol, TypeVar, cast

from simulator.channel import LATENCY, Channel
from simulator.effects import Effect
from simulator.handshake import Handshake
from simulator.hosts import Host, host_of
from simulator.hurdles import Idle, Orphan
from simulator.keepalive import Keepalive
from simulator.names import DEAD, Name, first_of
from simulator.stream import Stream
from simulator.tcp import Tcp
from simulator.transport import SimTransport

Direction = Literal["upstream", "downstream"]
FIN_HOP, SILENT_HOP = "idle_fin", "idle_silent"
"""Kinds of a hop that counts idle time, by what it does then."""
P = TypeVar("P", bound=asyncio.BaseProtocol)


class PathWatcher(Protocol):
    """Hears of those who connect over a path, by the hosts that they are on; None: the laboratory itself."""

    def attempted(self, host: Host | None) -> None:
        """It begins to connect."""

    def closed(self, host: Host | None, *, by_client: bool) -> None:
        """The socket of an attempt is closed; by the client's own wish, or because the network or the peer had ended it."""


@dataclass(eq=False, slots=True)
class Path:
    """The way to a listener, and what is wrong with it."""

    network: "Network"
    target: tuple[str, int]
    latency: float = LATENCY
    down: bool = False
    refused: int = 0
    """Connects that found it down."""
    effects: dict[Direction, list[Effect]] = field(default_factory=lambda: {"upstream": [], "downstream": []})
    hops: list[Effect] = field(default_factory=list)
    """Those that count the idle time of each connection; silent ones forget it, the others end it."""
    connections: "list[Connection]" = field(default_factory=list)
    attempts: "list[Connection]" = field(default_factory=list)
    """Connections whose handshake is not over."""
    watcher: PathWatcher | None = None

    def add(
        self, kind: str, direction: Direction, attributes: Mapping[str, int], toxicity: float = 1.0
    ) -> Effect:
        """Put an effect into force on present and future connections. Names and units are Toxiproxy's, and beside them

        - `stall` and `blackhole`: a router drops everything; at the end of a blackhole its connections die;
        - `unreachable`: the same, and the router says so: a connect fails at once, and no connection ends of it;
        - `loss` {percent}: of the packets, by chance;
        - `cut_after` {bytes}, `rto` {losses}, `bufferbloat` {rate, buffer}: see `simulator.hurdles`.
        """
        effect = Effect(kind, attributes, toxicity)
        self.effects[direction].append(effect)
        for connection in (*self.connections, *self.attempts):
            connection.channels[direction].strike(effect, at_birth=connection in self.attempts)
        return effect

    def remove(self, effect: Effect, direction: Direction) -> None:
        """End an effect: what it delayed goes on; a connection whose bytes a proxy or a blackhole dropped ends."""
        self.effects[direction].remove(effect)
        for connection in (*self.connections, *self.attempts):
            connection.channels[direction].relieve(effect)

    def cut_idle(self, milliseconds: int, *, silently: bool) -> Effect:
        """From now on a hop ends, or forgets, each connection that is idle for so long. `forget_hop` ends that."""
        hop = Effect(SILENT_HOP if silently else FIN_HOP, {"after": milliseconds})
        self.hops.append(hop)
        for connection in (*self.connections, *self.attempts):
            connection.pass_over(hop)
        return hop

    def forget_hop(self, hop: Effect) -> None:
        """Idle connections are left alone again; those that it has forgotten get RST."""
        self.hops.remove(hop)
        for connection in (*self.connections, *self.attempts):
            for channel in connection.channels.values():
                channel.relieve(hop)

    def rebind(self) -> Effect:
        """The clients have another address: of the present connections nothing arrives, and their next packets get RST."""
        effect = Effect("rst_after_rebind")
        effect.ends = sum(connection.orphan(effect) for connection in self.connections)
        return effect

    def half_close(self, direction: Direction, toxicity: float = 1.0) -> Effect:
        """FIN on one way of each present connection; what is sent there later is taken, and dropped."""
        effect = Effect("half_close", toxicity=toxicity)
        effect.ends = sum(connection.half_close(direction, effect) for connection in self.connections)
        return effect

    def disable(self) -> int:
        """FIN to every connection, and refusal from now on. Returns how many connections that ended."""
        self.down = True
        return sum(connection.finish() for connection in tuple(self.connections))

    def enable(self) -> None:
        """Take connections again."""
        self.down = False

    def forsake(self, *, silent: bool) -> int:
        """Their peers give up all connections; what the clients still send is answered with a reset, or, where it goes
        astray on a way that has forgotten them, `silent`ly by nobody. Returns how many connections that were.
        """
        forsaken = [connection for connection in self.connections if not connection.server.gone]
        for connection in forsaken:
            connection.forsake(silent=silent)
        return len(forsaken)


class Network:
    """Addresses, and who listens there. Times are the running loop's; `tcp` is what all kernels are set to."""

    def __init__(self, rng: random.Random, tcp: Tcp = Tcp()) -> None:  # noqa: B008 - it cannot change
        self.rng = rng
        self.tcp = tcp
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._paths: dict[tuple[str, int], Path] = {}
        self._names: dict[str, Name] = {}
        self._next_port = 40_000

    def free_port(self) -> int:
        """A port that nobody has had yet."""
        self._next_port += 1
        return self._next_port

    def path(self, host: str, port: int, *, to: tuple[str, int]) -> Path:
        """From now on, whoever connects to `host`:`port` is led to `to` by the returned path."""
        made = self._paths[host, port] = Path(self, to)
        return made

    def name(self, name: str, address: tuple[str, int]) -> Name:
        """From now on the name leads to this address; beside it there is one to which no packet comes."""
        host, port = address
        dead = self.path(DEAD, port, to=address)
        for direction in dead.effects:
            dead.add("stall", direction, {})
        made = self._names[name] = Name(host)
        return made

    async def look_up(self, host: str) -> tuple[str, ...]:
        """The addresses of a host. Raises `socket.gaierror`. What was given no address is one itself."""
        return await self._names[host].look_up() if host in self._names else (host,)

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

    async def connect(
        self, factory: Callable[[], P], host: str, port: int, *, stagger: float | None = None
    ) -> "tuple[SimTransport, P]":
        """See `VirtualLoop.create_connection`; `stagger` is its `happy_eyeballs_delay`."""
        if host not in self._names:
            return await self._connect(factory, host, port)
        addresses = await self.look_up(host)
        return await first_of(
            lambda address: self._connect(factory, address, port), addresses, stagger=stagger
        )

    async def _connect(self, factory: Callable[[], P], host: str, port: int) -> "tuple[SimTransport, P]":
        """The handshake meets what any packet meets on the path."""
        behind_proxy = (host, port) in self._paths
        path = self._paths.get((host, port)) or Path(self, (host, port))
        listener = self._listeners.get(path.target)

        def refuses() -> bool:
            nonlocal listener
            listener = self._listeners.get(path.target)
            return path.down or (listener is None and not behind_proxy)

        machine = host_of()
        if path.watcher is not None:
            path.watcher.attempted(machine)
        connection = Connection(path)
        try:
            round_trip = await connection.shake_hands(refuses)
        except asyncio.CancelledError:
            if path.watcher is not None:
                path.watcher.closed(machine, by_client=True)
            raise
        except OSError as error:
            if path.watcher is not None:
                path.watcher.closed(machine, by_client=False)
            path.refused += behind_proxy and isinstance(error, ConnectionRefusedError)
            raise type(error)(error.errno, f"Connect call failed ({host!r}, {port})") from None
        protocol = await connection.establish(factory, listener, (host, port), round_trip)
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


class Connection:
    """The ways over the path, and, once the handshake is done, two ends and the two streams between them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rng = path.network.rng
        self.tcp = path.network.tcp
        self.latency = path.latency
        """Of one direction, undisturbed."""
        self.channels: dict[Direction, Channel] = {"upstream": Channel(self), "downstream": Channel(self)}
        self._streams: tuple[Stream, ...] = ()
        self._keepalives: tuple[Keepalive, ...] = ()
        self.client: SimTransport
        self.server: SimTransport
        for direction, channel in self.channels.items():
            for effect in path.effects[direction]:
                channel.strike(effect, at_birth=True)
        self._idle: list[Idle] = []
        for hop in path.hops:
            self.pass_over(hop)

    async def shake_hands(self, refuses: Callable[[], bool]) -> float:
        """See `Handshake.run`; `refuses` is asked whenever a SYN reaches the other side."""
        up, down = self.channels.values()
        self._path.attempts.append(self)
        try:
            return await Handshake(self.tcp, up, down, refuses=refuses).run()
        finally:
            self._path.attempts.remove(self)

    async def establish(
        self,
        factory: Callable[[], asyncio.BaseProtocol],
        listener: Listener | None,
        address: tuple[str, int],
        round_trip: float,
    ) -> asyncio.BaseProtocol:
        """Make both ends, and tell their protocols, in asyncio's order: made first, data later. Returns the client's."""
        near = ("127.0.0.1", self._path.network.free_port())
        client = self.client = SimTransport(factory, copy_context(), near, address)
        accept = (listener.factory, listener.context.copy()) if listener else (asyncio.Protocol, Context())
        server = self.server = SimTransport(*accept, self._path.target, near)
        if self._path.watcher is not None:
            client.when_gone = partial(_tell_end, self._path.watcher, client)
        up, down = self.channels.values()
        there = Stream(self, client, server, over=up, back=down, round_trip=round_trip)
        back = Stream(self, server, client, over=down, back=up, round_trip=round_trip)
        self._streams = (there, back)
        client.join(there, back)
        server.join(back, there)
        self._keepalives = (Keepalive(client, there, back), Keepalive(server, back, there))
        for end, keepalive, stream in zip((client, server), self._keepalives, self._streams, strict=True):
            end.socket.changed = keepalive.option_changed
            end.socket.tries_in_vain = stream.tries_in_vain
        self._path.connections.append(self)
        for idle in self._idle:
            idle.begin()
        for end in (server, client):
            end.make()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            client.close()  # nobody will ever hold it
            raise
        return client.get_protocol()

    def pass_over(self, hop: Effect) -> None:
        """A hop keeps an account of this connection from now on, or from its handshake on."""
        idle = Idle(hop, self, silently=hop.kind == SILENT_HOP)
        for channel in self.channels.values():
            channel.strike(hop, hurdle=idle)
        if self._streams:
            idle.begin()
        else:
            self._idle.append(idle)

    def fall_silent(self) -> None:
        """From now on nothing passes, either way."""
        for channel in self.channels.values():
            channel.fall_silent()

    def orphan(self, effect: Effect) -> bool:
        """The client's address is another. False if it is so already."""
        up, down = self.channels.values()
        if effect.kind in (each.kind for each in up.effects):
            return False
        up.strike(effect, hurdle=Orphan(self._streams[0].refuse))
        down.fall_silent()
        return True

    def half_close(self, direction: Direction, effect: Effect) -> bool:
        """FIN on one way. False if it was so already, or is spared."""
        stream = self._streams[0 if direction == "upstream" else 1]
        return self.channels[direction].strike(effect) and stream.end_early()

    def changed(self) -> None:
        """An effect began or ended on one of its directions."""
        for stream in self._streams:
            stream.changed()

    def finish(self) -> bool:
        """The path closes the connection in good order: FIN to both ends. False if it was over before."""
        return self._cut(fin=True)

    def reset(self) -> bool:
        """The path cuts the connection: RST to both ends. False if it was over before."""
        return self._cut(fin=False)

    def forsake(self, *, silent: bool) -> None:
        """See `Path.forsake`."""
        if silent:
            astray = Effect("stall", {}, 1.0)
            for channel in self.channels.values():
                channel.strike(astray)
        self._streams[1].give_up()

    def _cut(self, *, fin: bool) -> bool:
        if self not in self._path.connections:
            return False
        for stream in self._streams:
            stream.cut(fin=fin)
        self._forget()
        return True

    def perish(self) -> None:
        """One end has learnt of a reset: nothing more will pass, either way."""
        for stream in self._streams:
            stream.perish()
        self.forget_if_over()

    def forget_if_over(self) -> None:
        """When nothing can arrive any more, the path has no part in it."""
        if self in self._path.connections and all(stream.silent for stream in self._streams):
            for stream in self._streams:
                stream.perish()  # its timers
            self._forget()

    def _forget(self) -> None:
        for keepalive in self._keepalives:
            keepalive.stop()
        self._path.connections.remove(self)


def _tell_end(watcher: PathWatcher, client: SimTransport) -> None:
    watcher.closed(client.host, by_client=not client.peer_ended)
