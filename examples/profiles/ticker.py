"""A reader that subscribes on each connection. What it trusts is in SSL_CERT_FILE, where Python looks by itself."""

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TOKEN = "s3cret"  # noqa: S105 - of the example's own peer


async def read(url: str) -> None:
    """Read until cancelled."""
    async for connection in connect(
        url,
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        ping_interval=1,
        ping_timeout=3,
        close_timeout=1,
        proxy=None,
    ):
        try:
            await connection.send('{"type": "subscribe", "what": "all"}')
            async for _ in connection:
                pass
        except ConnectionClosed:
            pass
