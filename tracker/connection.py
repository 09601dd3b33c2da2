"""The library's connection, with bounds on what its peer may cost.

One event loop serves every link, so no peer may keep it busy: what was read is handed to the library in pieces, and once
more messages wait than are read in a turn of the loop, the rest waits too. Until then the socket is not read, and TCP
pushes back. Pings, which nobody reads, are bounded in number.
"""

import asyncio
import math

from websockets.asyncio.client import ClientConnection
from websockets.frames import PING, PONG, CloseCode, Frame
from websockets.protocol import CONNECTING, OPEN, Event

PIECE = 2048
"""Bytes that are handed to the library at once: a thousand frames at most."""
CONTROL_FRAMES_A_SECOND = 100
"""Pings, and Pongs that nobody asked for, on average: any keepalive sends fewer than one."""
CONTROL_FRAMES_AT_ONCE = 1000

_PONG = bytes([0x80 | PONG])


class LinkConnection(ClientConnection):
    """Notes when bytes last came, for any byte is life of the downstream; and how many.

    Two Close frames end it: nothing can follow them, so the peer's FIN, for which the library waits up to its
    `close_timeout`, holds up no reconnect (RFC 6455, section 7.1.1, lets a client close the connection itself). So does
    an answer to the handshake that is none: its peer may go on to send it for ever.
    """

    last_received = -math.inf
    received = 0
    _rest: memoryview | bytes = b""
    """Read, and not yet handed to the library."""
    _next_turn: asyncio.Handle | None = None
    _control_frames = 0.0  # that came, less those that time has made up for
    _control_at = -math.inf
    _owed: bytes | None = None
    """The Pong that waits for room in the write buffer."""

    # In

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.recv_messages.resume = self._reader_has_room

    def data_received(self, data: bytes) -> None:
        self.last_received = self.loop.time()
        self.received += len(data)
        if len(data) <= PIECE and not self._rest:
            self._take(data)
        else:
            self._rest = memoryview(bytes(self._rest) + data if self._rest else data)
            self._take_pieces()

    def _take_pieces(self) -> None:
        """Hand over what was read, until the reader has enough; it calls when it has room for more."""
        self._next_turn = None
        while self._rest and not self.recv_messages.paused:
            piece, self._rest = bytes(self._rest[:PIECE]), self._rest[PIECE:]
            self._take(piece)
        if not self.recv_messages.paused:
            self.transport.resume_reading()

    def _reader_has_room(self) -> None:
        if not self._rest:
            self.transport.resume_reading()
        elif self._next_turn is None:
            self._next_turn = self.loop.call_soon(self._take_pieces)  # behind whatever else is due

    def _take(self, data: bytes) -> None:
        super().data_received(data)
        protocol = self.protocol
        if protocol.close_rcvd is not None and protocol.close_sent is not None:
            self.transport.close()  # sends first what is still buffered, our Close frame at the end of it
        elif protocol.state is CONNECTING and protocol.handshake_exc is not None and self.response is None:
            self.transport.abort()
        elif self._control_frames > CONTROL_FRAMES_AT_ONCE and protocol.state is OPEN:
            protocol.fail(CloseCode.POLICY_VIOLATION, f"more than {CONTROL_FRAMES_A_SECOND} Pings a second")
            self.send_data()
            self.transport.close()

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and (
            event.opcode is PING or (event.opcode is PONG and bytes(event.data) not in self.pending_pings)
        ):
            self._count_control_frame()
        super().process_event(event)

    def _count_control_frame(self) -> None:
        made_up_for = (self.last_received - self._control_at) * CONTROL_FRAMES_A_SECOND
        self._control_at = self.last_received
        self._control_frames = max(0.0, self._control_frames - made_up_for) + 1

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_turn is not None:
            self._next_turn.cancel()
        self._rest = b""
        super().connection_lost(exc)

    # Out

    def send_data(self) -> None:
        if self.transport.is_closing():
            self.protocol.data_to_send()  # nobody will see it, and asyncio would complain
            return
        writes = self.protocol.writes
        if self.paused and any(frame[:1] == _PONG for frame in writes):
            # Whoever pings and does not read is owed the answer to the latest Ping only (RFC 6455, section 5.5.3).
            self._owed = [frame for frame in writes if frame[:1] == _PONG][-1]
            self.protocol.writes = [frame for frame in writes if frame[:1] != _PONG]
        elif len(writes) > 1 and all(writes):  # an empty one stands for the end of the stream
            self.protocol.writes = [b"".join(writes)]
        super().send_data()

    def resume_writing(self) -> None:
        super().resume_writing()
        owed, self._owed = self._owed, None
        if owed is not None and self.protocol.state is OPEN:
            self.transport.write(owed)
