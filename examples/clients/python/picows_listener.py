"""A relay on picows: listeners that are called with each frame, its own Pings, and a loop that connects anew."""

import asyncio
import contextlib
import signal
import sys
from collections import deque

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

RECONNECT_AFTER = 1.0
waiting: deque[tuple[WSMsgType, bytes, bool]] = deque()


class Link(WSListener):
    open: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.open = transport
        self.flush()

    def on_ws_disconnected(self, _: WSTransport) -> None:
        self.open = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self.open = None
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif self is input_link and frame.msg_type not in (WSMsgType.PING, WSMsgType.PONG):
            waiting.append((frame.msg_type, frame.get_payload_as_bytes(), frame.fin))
            output_link.flush()

    def flush(self) -> None:
        while self is output_link and self.open is not None and waiting:
            self.open.send(*waiting.popleft())


async def keep_connected(url: str, link: Link) -> None:
    while True:
        with contextlib.suppress(WSError, OSError):
            transport, _ = await ws_connect(lambda: link, url, enable_auto_ping=True)
            try:
                await transport.wait_disconnected()
            finally:
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()
        await asyncio.sleep(RECONNECT_AFTER)


async def main(input_url: str, output_url: str) -> None:
    relay = asyncio.gather(keep_connected(input_url, input_link), keep_connected(output_url, output_link))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await relay


input_link, output_link = Link(), Link()
asyncio.run(main(*sys.argv[1:]))
