"""Whether the machine itself stood still: a trickle of bytes over a path that nothing strikes.

On real sockets time does not wait for a busy machine. Where it stood still for long, a link looks dead that is not, and a
record proves nothing about the client. The trickle has a thread of its own, so that a client that holds up the event
loop is not taken for the machine.
"""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

CALM = 1.0
"""Scenario seconds for which a machine may stand still unnoticed: less than the first deadline of any probe."""
EVERY = 0.01
"""Seconds between two bytes."""
GIVE_UP = 30.0
"""Seconds after which a byte is not waited for any longer: the server is gone, and others will say so."""


@asynccontextmanager
async def canary(
    lead: Callable[[int], Awaitable[tuple[str, int]]],
    *,
    patience: float,
    notice: Callable[[float], None],
) -> AsyncIterator[None]:
    """While this lasts, `notice` hears in the running loop of each pause above `patience`, in seconds.

    `lead` prepares a path to a port of the loopback, and gives the host and the port at which it begins.
    """
    loop, stop = asyncio.get_running_loop(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(GIVE_UP)
        # Whoever is on the path may accept by itself, and connect to us afterwards.
        with socket.create_connection(await lead(listener.getsockname()[1]), GIVE_UP) as near:
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
