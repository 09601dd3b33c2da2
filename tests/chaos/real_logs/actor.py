"""One side of a run, a process of its own under one version of the library: `actor.py SIDE KIND PORT LOG`.

Nothing is imported but the library and Python's own, because this runs where nothing else is installed.
"""

import asyncio
import http
import logging
import sys
import time
from contextlib import suppress
from typing import Any

import websockets

VERSION = int(websockets.version.version.partition(".")[0])
if VERSION >= 13:
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.sync.client import connect as connect_in_thread
else:
    from websockets import connect, serve  # type: ignore[no-redef,attr-defined]

SIDE, KIND, PORT, LOG = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
PATH = "/live"
FORMAT = "%(asctime)s %(name)s %(levelname)s %(message)s"
if KIND == "two-links":
    FORMAT = "%(asctime)s [%(threadName)s] %(name)s %(levelname)s %(message)s"
TICK = 0.5
KEEPALIVE: dict[str, Any] = {"ping_interval": 1, "ping_timeout": 2, "close_timeout": 1}
NO_KEEPALIVE: dict[str, Any] = {"ping_interval": None, "close_timeout": 1}


# The server


async def handler(connection: Any, *_: Any) -> None:
    match KIND:
        case "idle-timeout":
            async for _ in connection:
                pass
        case "close-with-a-reason":
            await connection.send('{"error":"session limit"}')
            await connection.close(1008, "too many sessions")
        case "max-size":
            await connection.send("x" * 70_000)
            await connection.wait_closed()
        case "own-failure":
            await asyncio.sleep(1)
            raise RuntimeError("no such player")
        case "two-links":
            await asyncio.sleep(2.5)
            await connection.close(1008, "token expired")
        case "storm":
            await connection.close(1013, "overloaded")
        case "stream-ended":
            await asyncio.sleep(2.3)
            connection.transport.abort()
        case _:
            for n in range(100):
                await connection.send(f"tick {n}")
                await asyncio.sleep(TICK)


def refuse_old(*_: Any) -> Any:
    return http.HTTPStatus.FORBIDDEN, [], b"no\n"


def refuse(connection: Any, *_: Any) -> Any:
    return connection.respond(http.HTTPStatus.FORBIDDEN, "no\n")


async def server() -> None:
    options = dict(NO_KEEPALIVE)
    if KIND == "blocked-loop":
        options |= KEEPALIVE
    if KIND == "refused-for-good":
        options["process_request"] = refuse if VERSION >= 13 else refuse_old
    async with serve(handler, "127.0.0.1", PORT, **options):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Future()


# The client


async def reads(connection: Any) -> None:
    async for message in connection:
        if KIND == "blocked-loop" and message == "tick 5":
            time.sleep(7)  # noqa: ASYNC251 - this is the mistake


async def once(**options: Any) -> None:
    async with connect(f"ws://127.0.0.1:{PORT}{PATH}", **options) as connection:
        if KIND in ("idle-timeout", "server-died"):
            await connection.send("hello")
        await reads(connection)


def in_a_thread(path: str) -> None:
    """A client for threads: who sends, who receives and who pings are three."""
    options = {"ping_interval": 1} if VERSION >= 15 else {}
    for _ in range(2):
        with (
            connect_in_thread(f"ws://127.0.0.1:{PORT}{path}", **options) as connection,
            suppress(websockets.ConnectionClosed),
        ):
            connection.recv()


async def two_links() -> None:
    if VERSION >= 13:
        await asyncio.gather(*(asyncio.to_thread(in_a_thread, path) for path in ("/a", "/b")))
        return

    async def link(path: str) -> None:
        for _ in range(2):
            async with connect(f"ws://127.0.0.1:{PORT}{path}", **KEEPALIVE) as connection:
                await connection.wait_closed()

    await asyncio.gather(link("/a"), link("/b"))


async def client() -> None:
    if KIND == "two-links":
        await two_links()
        return
    rounds = {"idle-timeout": 3, "storm": 18, "refused-for-good": 3, "server-died": 12, "no-upgrade": 3}.get(
        KIND, 1
    )
    quiet = KIND in (
        "idle-timeout",
        "close-with-a-reason",
        "max-size",
        "own-failure",
        "storm",
        "stream-ended",
    )
    options = dict(NO_KEEPALIVE if quiet else KEEPALIVE)
    if KIND == "max-size":
        options["max_size"] = 50_000
    for _ in range(rounds):
        try:
            await asyncio.wait_for(once(**options), 13)
        except Exception as error:  # noqa: BLE001 - as programs do
            logging.getLogger("app").error(  # noqa: TRY400 - as programs do
                "%s: %s", type(error).__name__, error
            )
        await asyncio.sleep({"storm": 0.05, "idle-timeout": 0.3}.get(KIND, 0.7))


if __name__ == "__main__":
    logging.basicConfig(filename=LOG, level=logging.DEBUG, format=FORMAT)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(server() if SIDE == "server" else client())
