"""TCP in memory, as far as a client of a bad network can tell it from the real one.

A `Network` has listeners and paths. A `Path` leads from an address to a listener, like a proxy in front of it, and
carries the faults; connecting to a listener's own address goes by an undisturbed path. A connection is two
`SimTransport`s and two `Stream`s, one for each direction:

    write -> write buffer -> (window) -> on the way, subject to the path's effects -> unread -> data_received

What is on the way or unread occupies the window, so a receiver that does not read stops the sender: its write
buffer fills, and `pause_writing` is called at the high-water mark. FIN travels in order behind the data. RST
overtakes it: what is on the way is lost. A socket that is closed with unread data, or written to after it was closed,
answers with RST.

Not modelled: loss and reordering (TCP hides them; they show as stalls), slow start and Nagle, TLS, keepalive.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Direction = Literal["upstream", "downstream"]
P = TypeVar("P", bound=asyncio.BaseProtocol)

LATENCY = 0.0001
"""Seconds of one direction of an undisturbed path: loopback, roughly."""
WINDOW = 256 * 1024
"""Bytes that a direction takes before its sender has to keep them: the kernels' buffers together."""
GIVE_UP = 924.6
"""Seconds without an acknowledgement after which TCP tells its sender: Linux's default, tcp_retries2 = 15."""
PIECE = 0.1
"""Seconds: a slow path delivers at least this often."""


@dataclass(eq=False, slots=True)
class Effect:
    """One fault on one direction of a path, in force until it is removed."""

    kind: str
    attributes: Mapping[str, int]
    toxicity: float
    began: float
    touched: int = 0
    """Bytes that it held, delayed or dropped, or connections that it ended: its evidence."""


@dataclass(slots=True)
class Segment:
    """Something on its way: bytes, or the end of the stream."""

    data: bytes
    entered: float
    extra: float
    """Seconds of its own: jitter, its place among the pieces of a slice, a late end."""
    fin: bool = False


@dataclass(eq=False)
class Path:
    """The way to a listener, and what is wrong with it."""

    network: "Network"
    target: tuple[str, int]
    latency: float = LATENCY
    down: bool = False
    effects: dict[Direction, list[Effect]] = field(default_factory=lambda: {"upstream": [], "downstream": []})
    connections: "list[Connection]" = field(default_factory=list)

    def add(
        self, kind: str, direction: Direction, attributes: Mapping[str, int], toxicity: float = 1.0
    ) -> Effect:
        """Put an effect, with Toxiproxy's name and units, into force on present and future connections."""
        effect = Effect(kind, attributes, toxicity, self.network.now())
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
        ended = len(self.connections)
        for connection in tuple(self.connections):
            connection.finish()
        return ended

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

    def now(self) -> float:
        return asyncio.get_running_loop().time()

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
        self._listeners.pop(listener.address, None)

    async def connect(self, factory: Callable[[], P], host: str, port: int) -> "tuple[SimTransport, P]":
        """See `VirtualLoop.create_connection`. Toxiproxy's effects do not delay the connect, so none does here."""
        behind_proxy = (host, port) in self._paths
        path = self._paths.get((host, port)) or Path(self, (host, port))
        await asyncio.sleep(2 * path.latency)
        listener = self._listeners.get(path.target)
        if path.down or (listener is None and not behind_proxy):
            raise ConnectionRefusedError(111, f"Connect call failed ({host!r}, {port})")
        protocol = factory()
        connection = Connection(
            path, protocol, listener.factory() if listener else asyncio.Protocol(), (host, port)
        )
        path.connections.append(connection)
        await connection.establish()
        if listener is None:
            connection.finish()  # a proxy accepts, finds nobody behind it, and closes
        return connection.client, protocol


class Listener(asyncio.AbstractServer):
    """What `create_server` returns."""

    def __init__(
        self, network: Network, factory: Callable[[], asyncio.BaseProtocol], address: tuple[str, int]
    ) -> None:
        self.factory = factory
        self.address = address
        self._network = network
        self._serving = True

    @property
    def sockets(self) -> "tuple[Listener, ...]":
        """One, and it can say its name."""
        return (self,)

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

    def is_serving(self) -> bool:
        return self._serving

    async def wait_closed(self) -> None:
        """At once: the connections have owners of their own."""

    async def start_serving(self) -> None:
        """It serves from the beginning."""

    async def serve_forever(self) -> None:
        await asyncio.get_running_loop().create_future()


class Connection:
    """Two ends and the two streams between them."""

    def __init__(
        self, path: Path, client: asyncio.BaseProtocol, server: asyncio.BaseProtocol, address: tuple[str, int]
    ) -> None:
        self.path = path
        near = ("127.0.0.1", path.network.free_port())
        self.client = SimTransport(client, near, address)
        self.server = SimTransport(server, path.target, near)
        self.opened = path.network.now()
        self.streams: dict[Direction, Stream] = {
            "upstream": Stream(self, self.client, self.server),
            "downstream": Stream(self, self.server, self.client),
        }
        self.client.join(self.streams["upstream"], self.streams["downstream"])
        self.server.join(self.streams["downstream"], self.streams["upstream"])
        for direction, stream in self.streams.items():
            for effect in path.effects[direction]:
                stream.strike(effect)

    async def establish(self) -> None:
        """Tell both protocols, in asyncio's order: made first, data later."""
        loop = asyncio.get_running_loop()
        for end in (self.server, self.client):
            loop.call_soon(end.made)
        await asyncio.sleep(0)

    def finish(self) -> None:
        """The path closes the connection in good order: FIN to both ends."""
        for stream in self.streams.values():
            stream.cut(fin=True)
        self.over()

    def reset(self) -> None:
        """The path cuts the connection: RST to both ends."""
        for stream in self.streams.values():
            stream.cut(fin=False)
        self.over()

    def over(self) -> None:
        """The path no longer has a part in it."""
        if self in self.path.connections:
            self.path.connections.remove(self)


class Stream:
    """One direction of one connection."""

    def __init__(self, connection: Connection, sender: "SimTransport", receiver: "SimTransport") -> None:
        self.connection = connection
        self._loop = asyncio.get_running_loop()
        self._sender = sender
        self._receiver = receiver
        self._on_the_way: deque[Segment] = deque()
        self._occupied = 0  # bytes on the way or unread
        self._effects: list[Effect] = []
        self._passed: dict[Effect, int] = {}  # for limit_data
        self._timer: asyncio.TimerHandle | None = None
        self._free_at = 0.0  # when a path of limited rate has passed on what it began with
        self._stuck_since: float | None = None
        self._ended = False

    # What the sender does

    @property
    def room(self) -> int:
        """Bytes that fit into the window."""
        return WINDOW - self._occupied

    def carry(self, data: bytes) -> None:
        """Take bytes, for which there is room, on the way."""
        now = self._loop.time()
        self._occupied += len(data)
        jitter = sum(
            self.connection.path.network.rng.uniform(-1, 1) * effect.attributes["jitter"] / 1000
            for effect in self._effects
            if effect.kind == "latency" and effect.attributes["jitter"]
        )
        for piece, delay in self._sliced(data):
            self._on_the_way.append(Segment(piece, now, jitter + delay))
        self._schedule()

    def carry_fin(self) -> None:
        """The sender has no more to say."""
        delay = sum(e.attributes["delay"] / 1000 for e in self._effects if e.kind == "slow_close")
        self._on_the_way.append(Segment(b"", self._loop.time(), delay, fin=True))
        self._schedule()

    def carry_rst(self) -> None:
        """The sender's socket is gone without an orderly end: what is on the way is lost."""
        self.cut(fin=False)

    def _sliced(self, data: bytes) -> list[tuple[bytes, float]]:
        slicer = next((effect for effect in self._effects if effect.kind == "slicer"), None)
        if slicer is None:
            return [(data, 0.0)]
        average, variation = slicer.attributes["average_size"], slicer.attributes["size_variation"]
        pause = slicer.attributes["delay"] / 1e6
        rng = self.connection.path.network.rng
        pieces: list[tuple[bytes, float]] = []
        start = 0
        while start < len(data):
            size = max(1, average + rng.randint(-variation, variation))
            pieces.append((data[start : start + size], len(pieces) * pause))
            start += size
        slicer.touched += len(data)
        return pieces

    # What the path does

    def strike(self, effect: Effect) -> None:
        """An effect comes into force; whether it hits this stream is drawn here."""
        if effect.toxicity < 1 and self.connection.path.network.rng.random() >= effect.toxicity:
            return
        self._effects.append(effect)
        self._schedule()

    def relieve(self, effect: Effect) -> None:
        """An effect ends."""
        if effect not in self._effects:
            return
        self._effects.remove(effect)
        if effect.kind in ("timeout", "blackhole"):
            self.connection.finish()
            return
        self._free_at = self._loop.time()
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ended or not self._on_the_way:
            self._stuck_since = None
            return
        now = self._loop.time()
        kinds = {effect.kind for effect in self._effects}
        if "stall" in kinds:
            if self._stuck_since is None:
                self._stuck_since = now
            # Nothing is acknowledged any more; in the end the sender's kernel gives up.
            self._timer = self._loop.call_at(self._stuck_since + GIVE_UP, self._give_up)
            for effect in self._effects:
                if effect.kind == "stall":
                    effect.touched = max(effect.touched, self._occupied)
            return
        self._stuck_since = None
        self._timer = self._loop.call_at(max(now, self._due()), self._arrive)

    def _due(self) -> float:
        """When the head of the way arrives, as things stand."""
        head = self._on_the_way[0]
        latency = self.connection.path.latency + head.extra
        rates = []
        for effect in self._effects:
            if effect.kind == "latency":
                latency += effect.attributes["latency"] / 1000
                effect.touched += len(head.data)
            elif effect.kind == "bandwidth":
                rates.append(effect.attributes["rate"] * 1000)
                effect.touched += len(head.data)
        due = head.entered + max(0.0, latency)
        if not rates or not head.data:
            return due
        head = self._split(max(1, int(min(rates) * PIECE)))
        return max(due, self._free_at) + len(head.data) / min(rates)

    def _split(self, size: int) -> Segment:
        """Let at most `size` bytes stand at the head of the way."""
        head = self._on_the_way[0]
        if len(head.data) > size:
            self._on_the_way.popleft()
            self._on_the_way.appendleft(Segment(head.data[size:], head.entered, head.extra, head.fin))
            self._on_the_way.appendleft(Segment(head.data[:size], head.entered, head.extra))
        return self._on_the_way[0]

    def _arrive(self) -> None:
        self._timer = None
        segment = self._on_the_way.popleft()
        self._free_at = self._loop.time()
        for effect in tuple(self._effects):
            if effect.kind in ("timeout", "blackhole"):
                self._swallow(effect, segment)
                return
            if effect.kind == "reset_peer" and segment.data:
                effect.touched += 1
                self._loop.call_later(effect.attributes["timeout"] / 1000, self._cut_by, effect)
                self._swallow(effect, segment)
                return
            if effect.kind == "limit_data" and segment.data and not self._within_limit(effect, segment):
                return
        if segment.fin:
            self._ended = True
            self._receiver.receive_fin()
        else:
            self._receiver.receive(segment.data)
        self._schedule()

    def _swallow(self, effect: Effect, segment: Segment) -> None:
        """The bytes are gone, and nobody is told; the sender's kernel thinks that they arrived."""
        effect.touched += len(segment.data)
        self.release(len(segment.data))
        self._schedule()

    def _cut_by(self, effect: Effect) -> None:
        if self.connection.opened >= effect.began:
            self.connection.reset()
        else:
            self.connection.finish()

    def _within_limit(self, effect: Effect, segment: Segment) -> bool:
        passed = self._passed.get(effect, 0)
        left = effect.attributes["bytes"] - passed
        self._passed[effect] = passed + len(segment.data)
        if len(segment.data) < left:
            return True
        effect.touched += 1
        if left > 0:
            self._receiver.receive(segment.data[:left])
        self.connection.finish()
        return False

    def _give_up(self) -> None:
        self._sender.fail(TimeoutError(110, "Connection timed out"))

    def cut(self, *, fin: bool) -> None:
        """What is on the way is lost, and the receiver is told that the stream has ended, one way or the other."""
        if self._ended:
            return
        self._ended = True
        self._on_the_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tell = self._receiver.receive_fin if fin else self._receiver.receive_rst
        self._loop.call_later(self.connection.path.latency, tell)

    # What the receiver does

    def release(self, size: int) -> None:
        """The receiver has taken `size` bytes: so much room is in the window again."""
        self._occupied -= size
        self._sender.pump()


class SimTransport(asyncio.Transport):
    """One end of a connection, with the behaviour of asyncio's own socket transport."""

    def __init__(self, protocol: asyncio.BaseProtocol, own: tuple[str, int], peer: tuple[str, int]) -> None:
        super().__init__({"sockname": own, "peername": peer})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._buffer: deque[bytes] = deque()
        self._buffered = 0
        self._high, self._low = 64 * 1024, 16 * 1024
        self._writing_paused = False
        self._reading_paused = False
        self._unread: deque[bytes] = deque()
        self._fin_unread = False
        self._fin_sent = False
        self._rst_unread = False
        self._closing = False
        self._lost = False  # connection_lost was called, or will be in the next step of the loop
        self._socket_closed = False
        self._eof_written = False
        self._out: Stream
        self._in: Stream

    def join(self, out: Stream, into: Stream) -> None:
        """The streams that this end writes to and reads from."""
        self._out, self._in = out, into

    def made(self) -> None:
        """The connection is there."""
        self._protocol.connection_made(self)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._lost:
            return
        if self._rst_unread:
            self.fail(ConnectionResetError(104, "Connection reset by peer"))
            return
        self._buffer.append(bytes(data))
        self._buffered += len(data)
        self.pump()
        if self._buffered > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def pump(self) -> None:
        """Send what fits into the window."""
        while self._buffer and not self._lost and (room := self._out.room) > 0:
            data = self._buffer.popleft()
            if len(data) > room:
                self._buffer.appendleft(data[room:])
                data = data[:room]
            self._buffered -= len(data)
            self._out.carry(data)
        if self._writing_paused and self._buffered <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
        if not self._buffer and not self._lost:
            if self._closing:
                self._lose(None)
            elif self._eof_written:
                self._shut_down()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._eof_written:
            return
        self._eof_written = True
        if not self._buffer:
            self._shut_down()

    def _shut_down(self) -> None:
        """The half of the connection that is ours to close."""
        if not self._fin_sent:
            self._fin_sent = True
            self._out.carry_fin()

    def get_write_buffer_size(self) -> int:
        return self._buffered

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        self._high, self._low = high, high // 4 if low is None else low

    # Reading

    def receive(self, data: bytes) -> None:
        """Bytes arrive."""
        if self._socket_closed:
            # Nobody will ever read them: the answer is RST.
            self._in.release(len(data))
            self._out.carry_rst()
            return
        if self._reading_paused or self._closing or self._unread:
            self._unread.append(data)
            return
        self._in.release(len(data))
        self._protocol.data_received(data)  # type: ignore[attr-defined]

    def receive_fin(self) -> None:
        """The peer has no more to say."""
        self._fin_unread = True
        self._read()

    def receive_rst(self) -> None:
        """The peer's socket is gone. What was not read is lost; who does not read notices when it writes."""
        self._unread.clear()
        self._rst_unread = True
        if not self._reading_paused:
            self.fail(ConnectionResetError(104, "Connection reset by peer"))

    def _read(self) -> None:
        """Take what waits, as long as somebody reads."""
        while self._unread and not self._reading_paused and not self._closing:
            data = self._unread.popleft()
            self._in.release(len(data))
            self._protocol.data_received(data)  # type: ignore[attr-defined]
        if self._unread or self._reading_paused or self._closing:
            return
        if self._rst_unread:
            self.fail(ConnectionResetError(104, "Connection reset by peer"))
        elif self._fin_unread:
            self._fin_unread = False
            if not self._protocol.eof_received():  # type: ignore[attr-defined]
                self.close()

    def is_reading(self) -> bool:
        return not self._reading_paused and not self._closing

    def pause_reading(self) -> None:
        self._reading_paused = True

    def resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._loop.call_soon(self._read)

    # The end

    def is_closing(self) -> bool:
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def close(self) -> None:
        """Flush, then end."""
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._lose(None)

    def abort(self) -> None:
        """Drop what is not sent, and end."""
        self._drop()
        self._lose(None)

    def fail(self, error: OSError) -> None:
        """The connection broke."""
        self._drop()
        self._lose(error)

    def _drop(self) -> None:
        self._closing = True
        self._buffer.clear()
        self._buffered = 0

    def _lose(self, error: OSError | None) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._end, error)

    def _end(self, error: OSError | None) -> None:
        self._protocol.connection_lost(error)
        self._socket_closed = True
        self._in.connection.over()
        if error is not None:
            return
        if self._unread:
            self._out.carry_rst()
        else:
            self._shut_down()
