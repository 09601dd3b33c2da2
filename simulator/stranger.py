"""A WebSocket server that nobody meant: it takes what it is sent, as a peer would, and nobody ever sees it."""

from websockets.asyncio.server import Server, ServerConnection, serve

ADDRESS = "127.0.0.2"
"""Of the loopback, as the mock peer's is, and another host."""


class Stranger:
    """Serves any path; it answers Pings, and so says that it has all that it was sent."""

    def __init__(self) -> None:
        self._server: Server | None = None

    async def start(self) -> str:
        """Listen; returns its origin."""
        self._server = await serve(
            _swallow, ADDRESS, 0, compression=None, ping_interval=None, close_timeout=1.0
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://{ADDRESS}:{port}"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


async def _swallow(connection: ServerConnection) -> None:
    async for _ in connection:
        pass
