"""Whether the machine itself stood still: a trickle of bytes through the same server, over a path that nothing strikes.

On real sockets time does not wait for a busy machine. Where it stood still for long, a link looks dead that is not, and a
record proves nothing about the client. The trickle has a thread of its own, so that a client that holds up the event
loop is not taken for the machine.
"""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from chaos.toxiproxy.server import ToxiproxyServer

EVERY = 0.01
"""Seconds between two bytes."""
GIVE_UP = 30.0
"""Seconds after which a byte is not waited for any longer: the server is gone, and others will say so."""


@asynccontextmanager
async def canary(
    server: ToxiproxyServer, *, patience: float, notice: Callable[[float], None]
) -> AsyncIterator[None]:
    """While this lasts, `notice` hears in the running loop of each pause above `patience`, in seconds."""
    loop, stop = asyncio.get_running_loop(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        proxy = await server.create(f"canary-{os.getpid()}", f"127.0.0.1:{port}")
        listener.settimeout(GIVE_UP)
        # The proxy accepts by itself, and then connects to us.
        with socket.create_connection((proxy.host, proxy.port), GIVE_UP) as near:
            far, _ = await asyncio.to_thread(listener.accept)
            with far:
                far.settimeout(GIVE_UP)

                def trickle() -> None:
                    last = time.monotonic()
                    while not stop.wait(EVERY):
                        try:
                            near.send(b".")
                            arrived = far.recv(1)
                        except OSError:
                            return
                        if not arrived:
                            return
                        now = time.monotonic()
                        if now - last > patience:
                            loop.call_soon_threadsafe(notice, now - last)
                        last = now

                thread = threading.Thread(target=trickle, name="canary", daemon=True)
                thread.start()
                try:
                    yield
                finally:
                    stop.set()
                    await asyncio.to_thread(thread.join)
