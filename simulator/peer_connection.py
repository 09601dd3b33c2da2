"""One connection of the mock peer: the library's, with eyes and with ways to misbehave."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.protocol import Event

CLOSE_WITHIN = 10.0
"""Seconds for a close handshake, after which the connection is dropped: a client that reads nothing would hold it up."""


class PeerConnection(ServerConnection):
    """Tells of each whole message when it is parsed, before anybody reads it.

    It can leave Pings unanswered and stop reading its socket, from any moment and until told otherwise.
    """

    on_parsed: Callable[[bytes], object] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = 0
        self.client = 0
        self.subscribed = asyncio.Event()
        """Set with the client's first message that asks for the peer's, where the peer waits for one."""
        self.pings = 0
        """Pings that came over it."""
        self._full_since: float | None = None
        self._untaken = 0.0
        self._fragments: list[bytes] = []
        self._reads = True

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

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await super().close(code, reason)
        except TimeoutError:  # the library waits without end for room to write the close frame
            self.transport.abort()

    def mute(self, swallowed: Callable[[], object]) -> None:
        """Answer no Ping from now on; `swallowed` is called in place of each Pong."""

        def send_frame(frame: Frame) -> None:
            if frame.opcode is Opcode.PONG:
                swallowed()
            else:
                type(self.protocol).send_frame(self.protocol, frame)

        # The library answers a Ping where it parses it; this is the one place that every Pong passes.
        self.protocol.send_frame = send_frame  # type: ignore[method-assign]

    def unmute(self) -> None:
        """Answer Pings again."""
        vars(self.protocol).pop("send_frame", None)

    def stop_reading(self) -> None:
        """Take no more bytes from the socket: TCP then pushes back on the client."""
        self._reads = False
        self.transport.pause_reading()

    def read_again(self) -> None:
        """Read on, unless the library itself waits for its reader."""
        self._reads = True
        if not self.recv_messages.paused:
            self.transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        resume = cast(asyncio.Transport, transport).resume_reading

        def resume_if_allowed() -> None:
            if self._reads:
                resume()

        # The library resumes when its queue has run low, and knows nothing of our stop.
        self.recv_messages.resume = resume_if_allowed
