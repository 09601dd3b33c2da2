"""One end of a connection in memory, with the behaviour of asyncio's own socket transport on Linux.

Protocols are called by the loop only, never from inside a `write` or a read of the other end, in the context in which
their connection was asked for, and so while their host runs.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol

from simulator.hosts import host_of
from simulator.sockets import SimSocket

READ_AT_MOST = 256 * 1024
"""Bytes of one `data_received`, as in asyncio."""


class Way(Protocol):
    """One direction of a connection, as its two ends see it."""

    def room(self) -> int:
        """Bytes that it takes before the sender has to keep them; `pump` is called when there is room again."""

    def carry(self, data: bytes) -> None:
        """Take bytes, for which there is room."""

    def carry_fin(self) -> None:
        """The sender has no more to say."""

    def carry_rst(self) -> None:
        """The sender's socket is gone without an orderly end."""

    def release(self, size: int) -> None:
        """The receiver has taken `size` bytes: so much room is there again."""

    def left(self) -> None:
        """One of the two sockets is closed."""


class SimTransport(asyncio.Transport):
    """What `create_connection` returns, and what a server's protocol gets."""

    def __init__(
        self,
        factory: Callable[[], asyncio.BaseProtocol],
        context: Context,
        own: tuple[str, int],
        peer: tuple[str, int],
    ) -> None:
        self.socket = SimSocket(own, peer)
        """Its options."""
        super().__init__({"sockname": own, "peername": peer, "socket": self.socket})
        self._loop = asyncio.get_running_loop()
        self._factory = factory
        self._protocol: Any = None
        self._context = context
        self.host = host_of(context)
        """The machine that this end is on; None: the laboratory's own."""
        self._out: Way
        self._in: Way
        # Writing
        self._buffer: deque[bytes | memoryview] = deque()
        self._buffered = 0
        self._high, self._low = 64 * 1024, 16 * 1024
        self._writing_paused = False
        self._eof_written = False
        self._fin_sent = False
        # Reading: what waits in the socket
        self._unread: deque[bytes] = deque()
        self._fin_unread = False
        self._rst_unread = False
        self._reading_paused = False
        self._eof_read = False
        # The end
        self._closing = False
        self.peer_ended = False
        """A FIN or an RST had come, or the kernel had given up, before this end was closed."""
        self._lost = False  # connection_lost was called, or will be in the next step of the loop
        self._broken = False  # the kernel knows that there is nobody to say anything to
        self.gone = False
        """The socket is closed."""
        self.when_gone: Callable[[], None] | None = None
        """Called when it is."""

    def join(self, out: Way, into: Way) -> None:
        """The ways that this end writes to and reads from."""
        self._out, self._in = out, into

    def make(self) -> None:
        """The connection is there: in the next turn of the loop the protocol is made, and told."""
        self._loop.call_soon(self._made, context=self._context)

    def _made(self) -> None:
        self._protocol = self._factory()
        self._protocol.connection_made(self)

    @property
    def asleep(self) -> bool:
        """Whether its kernel stands still."""
        return self.host is not None and self.host.suspended

    def on_host(self, look: Callable[[], None]) -> None:
        """Something happened to the socket: let the host have a `look`, now, or when it runs again."""
        if self.host is not None and self.host.blocked:
            self.host.keep_socket(look, self._context)
        else:
            self._context.run(look)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._lost:
            return
        if self._rst_unread:
            self._reset()
            return
        self._buffer.append(bytes(data))
        self._buffered += len(data)
        if len(self._buffer) == 1:  # else it is full, and `pump` is called when there is room
            self._send()
        self._pause_if_full()

    def _pause_if_full(self) -> None:
        if self._buffered > self._high and not self._writing_paused:
            self._writing_paused = True
            self._tell(self._protocol.pause_writing)

    def _send(self) -> None:
        """Hand on what there is room for."""
        while self._buffer and (room := self._out.room()) > 0:
            data = self._buffer.popleft()
            if len(data) > room:
                rest = memoryview(data)  # or a large write would be copied once for each window
                self._buffer.appendleft(rest[room:])
                data = rest[:room]
            self._buffered -= len(data)
            self._out.carry(bytes(data))

    @property
    def waits_to_send(self) -> bool:
        """Whether more room would be used."""
        return bool(self._buffer)

    def pump(self) -> None:
        """There is room again. Runs on the host."""
        if self._lost:
            return
        if self._rst_unread and self._buffer:
            self._reset()
            return
        self._send()
        if self._writing_paused and self._buffered <= self._low:
            self._writing_paused = False
            self._tell(self._protocol.resume_writing)
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
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._pause_if_full()

    # What arrives in the socket; after it the way lets the host look, with `read_ready`

    def arrived(self, data: bytes) -> None:
        """Bytes, which nobody will ever read if the socket is closed: the answer is then RST."""
        if self.gone:
            self._out.carry_rst()
        else:
            self._unread.append(data)

    def arrived_fin(self) -> None:
        """The peer has no more to say."""
        self._fin_unread = True

    def arrived_rst(self) -> None:
        """The peer's socket is gone. What came before can still be read, as on Linux."""
        self._rst_unread = True

    def failed(self, error: OSError) -> None:
        """The kernel has given the connection up."""
        self._broken = True
        self._force(error)

    # Reading

    def read_ready(self) -> None:
        """One read, as when a selector says that there is something. Runs on the host."""
        if self._lost:
            return
        if not self.is_reading() or self._eof_read:
            # Nobody looks, except who waits for room to write.
            if self._rst_unread and self._buffer:
                self._reset()
            return
        if self._unread:
            data = self._take()
            self._in.release(len(data))
            buffered = isinstance(self._protocol, asyncio.BufferedProtocol)
            self._guarded(self._fill_buffer if buffered else self._protocol.data_received, data)
            if self._unread or self._fin_unread or self._rst_unread:
                self._loop.call_soon(self.read_ready, context=self._context)
        elif self._fin_unread:  # first, even where RST has followed it
            self._fin_unread = False
            self._eof_read = True
            if not self._guarded(self._protocol.eof_received):
                self.close()
        elif self._rst_unread:
            self._reset()

    def _fill_buffer(self, data: bytes) -> None:
        """For a protocol that wants it in a buffer of its own, as TLS does."""
        rest = memoryview(data)
        while rest and not self._closing:
            room = memoryview(self._protocol.get_buffer(len(rest)))
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            self._protocol.buffer_updated(size)
            rest = rest[size:]

    def _take(self) -> bytes:
        data = self._unread.popleft()
        if not self._unread and len(data) <= READ_AT_MOST:
            return data
        parts, size = [data], len(data)
        while self._unread and size < READ_AT_MOST:
            parts.append(self._unread.popleft())
            size += len(parts[-1])
        data = b"".join(parts)
        if size > READ_AT_MOST:
            self._unread.appendleft(data[READ_AT_MOST:])
            data = data[:READ_AT_MOST]
        return data

    def is_reading(self) -> bool:
        return not self._reading_paused and not self._closing

    def pause_reading(self) -> None:
        if self.is_reading():
            self._reading_paused = True

    def resume_reading(self) -> None:
        if self._reading_paused and not self._closing:
            self._reading_paused = False
            self._loop.call_soon(self.read_ready, context=self._context)

    def _guarded(self, callback: Callable[..., object], *args: object) -> object:
        """What the protocol raises is its own mistake: it is reported, and ends the connection."""
        try:
            return callback(*args)
        except Exception as error:  # noqa: BLE001 - as asyncio does
            self._report(callback, error)
            self._force(error)
            return None

    def _tell(self, callback: Callable[[], object]) -> None:
        """What the protocol raises when it is told to pause or to go on is reported, and no more, as by asyncio."""
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - as asyncio does
            self._report(callback, error)

    def _report(self, callback: Callable[..., object], error: Exception) -> None:
        self._loop.call_exception_handler(
            {
                "message": f"{callback.__name__} of the protocol failed",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )

    # The end

    def is_closing(self) -> bool:
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def close(self) -> None:
        """Flush, then end."""
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._lose(None)
            elif self._rst_unread:
                self._reset()

    def abort(self) -> None:
        """Drop what is not sent, and end."""
        self._force(None)

    def _reset(self) -> None:
        self._broken = True
        ended = self._fin_unread or self._eof_read  # then Linux says it otherwise
        self._force(
            BrokenPipeError(32, "Broken pipe")
            if ended
            else ConnectionResetError(104, "Connection reset by peer")
        )

    def _force_close(self, error: Exception | None) -> None:
        """By this name asyncio's TLS asks for it."""
        self._force(error)

    def _force(self, error: Exception | None) -> None:
        self._closing = True
        self._buffer.clear()
        self._buffered = 0
        self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self.peer_ended = self._broken or self._fin_unread or self._eof_read or self._rst_unread
            self._loop.call_soon(self._end, error, context=self._context)

    def _end(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._close_socket()

    def _close_socket(self) -> None:
        self.gone = True
        if self.when_gone is not None:
            self.when_gone()
        if not self._broken and not self._rst_unread:
            if self._unread:  # they will never be read, and TCP says so
                self._out.carry_rst()
            else:
                self._shut_down()
        self._unread.clear()
        self._out.left()
        self._in.left()
