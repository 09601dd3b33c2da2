"""One connection of the mock peer: the library's, with eyes and with ways to misbehave."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple, cast

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.protocol import Event

from simulator.manners import Manners, fragments, matches_no_ping

CLOSE_WITHIN = 10.0
"""Seconds for a close handshake, after which the connection is dropped: a client that reads nothing would hold it up."""
MAX_MESSAGE = 16 * 2**20
"""Bytes that it takes of one message; a larger one is answered with 1009."""
BETWEEN_BYTES = 0.001
"""Seconds between two bytes of a control frame that comes byte by byte: each is a read of its own, and the frames behind it
are not late for it.
"""
INTERJECTS_EVERY = 0.25
"""Seconds, at least, between two messages with control frames between their fragments: a client may bound those."""

_COMPRESSED = 0x40
"""The bit of a frame's first byte that says so: the first of those that are reserved (RFC 6455, section 5.2)."""
_TOO_BIG = CloseCode.MESSAGE_TOO_BIG.to_bytes(2, "big")
_FIN_AND_CONTROL = 0x88
"""The bits of a frame's first byte that a control frame has; no answer to a handshake begins with them."""


class _Piece(NamedTuple):
    data: bytes
    """Empty: the end of the stream."""
    pause: float = 0.0
    """Seconds to wait behind it."""


class PeerConnection(ServerConnection):
    """Tells of each whole message when it is parsed, before anybody reads it, and behaves as its `manners` say.

    It can stop reading its socket, from any moment and until told otherwise, and let its answer to the handshake trickle.
    """

    on_parsed: Callable[[bytes], object] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = 0
        self.client = 0
        self.manners = Manners()
        """Those of its link, once the handshake says which that is."""
        self.misbehaves: Callable[[str], object] = lambda _: None
        """Told the kind of each misdeed."""
        self.imposes_compression = False
        """Whether its answer to the handshake says that compression was agreed, whatever the client offered."""
        self.subscribed = asyncio.Event()
        """Set with the client's first message that asks for the peer's, where the peer waits for one."""
        self.pings = 0
        """Pings that came over it."""
        self._full_since: float | None = None
        self._untaken = 0.0
        self._fragments: list[bytes] = []
        self._reads = True
        self._interjected = -inf
        self._trickle = 0.0
        self._pieces: deque[_Piece] = deque()
        """What is still to be written, behind what is written slowly."""
        self._next_piece: asyncio.TimerHandle | None = None
        # The library answers a Ping where it parses it; this is the one place that every frame passes.
        self.protocol.send_frame = self._send_frame  # type: ignore[method-assign]

    # In

    def data_received(self, data: bytes) -> None:
        self.protocol.max_message_size = self.manners.limits.latest or MAX_MESSAGE
        super().data_received(data)

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if not isinstance(event, Frame):
            return
        if event.opcode is Opcode.PING:
            self.pings += 1
        elif self.on_parsed is not None and event.opcode in DATA_OPCODES:
            self._fragments.append(bytes(event.data))
            if event.fin:
                body = b"".join(self._fragments)
                self._fragments.clear()
                self.on_parsed(body)

    def stop_reading(self) -> None:
        """Take no more bytes from the socket: TCP then pushes back on the client."""
        self._reads = False
        self.transport.pause_reading()

    def read_again(self) -> None:
        """Read on, unless the library itself waits for its reader."""
        self._reads = True
        if not self.recv_messages.paused:
            self.transport.resume_reading()

    # Out

    def _send_frame(self, frame: Frame) -> None:
        manners = self.manners
        if frame.opcode is Opcode.CLOSE and manners.limits and frame.data[:2] == _TOO_BIG:
            self.misbehaves("low_limit")
        if frame.opcode is Opcode.PONG and manners.muted:
            self.misbehaves("mute_pong")
        elif frame.opcode is Opcode.PONG and manners.wrong_pongs:
            self.misbehaves("wrong_pong")
            self._write_frame(matches_no_ping(frame))
        elif manners.fragments:
            self.misbehaves("fragment")
            self._write_fragments(frame)
        else:
            self._write_frame(frame)

    def _write_fragments(self, frame: Frame) -> None:
        if frame.opcode not in DATA_OPCODES or not frame.fin:
            self._write_frame(frame)  # a control frame is never fragmented; `send_data` cuts its bytes
            return
        before = len(self.protocol.writes)
        first, *others = fragments(frame)
        self._write_frame(first)
        now = self.loop.time()
        if others and now >= self._interjected + INTERJECTS_EVERY:
            self._interjected = now
            self._write_frame(Frame(Opcode.PING, b"between"))
            self._write_frame(Frame(Opcode.PONG, b"unasked"))
        for other in others:
            self._write_frame(other)
        # As one, which `send_data` does not cut: it is the message that takes the time.
        self.protocol.writes[before:] = [b"".join(self.protocol.writes[before:])]

    def _write_frame(self, frame: Frame) -> None:
        type(self.protocol).send_frame(self.protocol, frame)

    def send_compressed(self, data: bytes) -> None:
        """Send a text that is compressed already; to a client with which no compression was agreed that is an error."""
        frame = bytearray(Frame(Opcode.TEXT, data).serialize(mask=False))
        frame[0] |= _COMPRESSED
        self.protocol.writes.append(bytes(frame))
        self.send_data()

    def trickle(self, pause: float) -> None:
        """Write the answer to the handshake byte by byte, with so many seconds between two."""
        self._trickle = pause

    def send_data(self) -> None:
        if not (self._pieces or self._next_piece or self._trickle or self.manners.fragments):
            super().send_data()
            return
        for data in self.protocol.data_to_send():
            self._pieces.extend(self._cut(data))
        if self._next_piece is None:
            self._write_on()

    def _cut(self, data: bytes) -> Iterator[_Piece]:
        pause, self._trickle = (
            self._trickle,
            0.0,
        )  # of all that is written, the answer to the handshake is the first
        if not pause and self.manners.fragments and _is_control_frame(data):
            pause = BETWEEN_BYTES
        if not pause:
            yield _Piece(data)
        else:
            yield from (_Piece(data[place : place + 1], pause) for place in range(len(data)))

    def _write_on(self) -> None:
        """Write what waits, up to the next pause."""
        self._next_piece = None
        while self._pieces and not self.transport.is_closing():
            piece = self._pieces.popleft()
            if piece.data:
                self.transport.write(piece.data)
            elif self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()
            if piece.pause:
                self._next_piece = self.loop.call_later(piece.pause, self._write_on)
                return

    def pause_writing(self) -> None:
        self._full_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._untaken, self._full_since = self.untaken, None
        super().resume_writing()

    @property
    def untaken(self) -> float:
        """Seconds at a stretch, at most, for which its write buffer was full."""
        since = self._full_since
        return self._untaken if since is None else max(self._untaken, self.loop.time() - since)

    # Its begin and its end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        resume = cast(asyncio.Transport, transport).resume_reading

        def resume_if_allowed() -> None:
            if self._reads:
                resume()

        # The library resumes when its queue has run low, and knows nothing of our stop.
        self.recv_messages.resume = resume_if_allowed

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await super().close(code, reason)
        except TimeoutError:  # the library waits without end for room to write the close frame
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._pieces.clear()
        if self._next_piece is not None:
            self._next_piece.cancel()
        super().connection_lost(exc)


def _is_control_frame(data: bytes) -> bool:
    return bool(data) and data[0] & _FIN_AND_CONTROL == _FIN_AND_CONTROL
