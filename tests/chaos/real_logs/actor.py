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
if KIND in ("client-restarted", "two-links-frozen"):
    FORMAT = "%(asctime)s %(process)d %(name)s %(levelname)s %(message)s"
TICK = 0.5
EVENING: dict[str, Any] = {"ping_interval": 4, "ping_timeout": 20}
KEEPALIVE: dict[str, Any] = {"ping_interval": 1, "ping_timeout": 2, "close_timeout": 1}
NO_KEEPALIVE: dict[str, Any] = {"ping_interval": None, "close_timeout": 1}


# The server


async def handler(connection: Any, *_: Any) -> None:  # noqa: C901, PLR0912 - a table of the kinds
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
        case "server-blocked":
            for n in range(12):
                await connection.send(f"tick {n}")
                await asyncio.sleep(TICK)
                if n == 7:
                    time.sleep(7)  # noqa: ASYNC251 - this is the mistake
        case "stream-cut":
            await connection.wait_closed()
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
    if KIND in ("blocked-loop", "server-blocked", "wrong-pongs-of-a-client"):
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
        if KIND == "told-by-the-program":
            logging.getLogger("app").info("connected to the feed")
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


async def evening() -> None:
    """The relay of this repository, or where the library is too old for it, one that does the same."""
    feed, sink = (f"ws://127.0.0.1:{PORT}/ws/{link}/" for link in ("pose", "holds"))

    def options(url: str) -> dict[str, Any]:
        if KIND != "evening-killed":
            return EVENING
        return EVENING | {"logger": logging.getLogger("feed" if url == feed else "sink")}

    if VERSION >= 13:
        import relay  # noqa: PLC0415 - it needs this version

        relay.connect = lambda url: connect(url, **options(url))
        await relay.relay(feed, sink)
        return
    queue: asyncio.Queue[Any] = asyncio.Queue(1000)

    async def link(url: str) -> None:
        while True:
            with suppress(OSError, websockets.WebSocketException):
                async with connect(url, **options(url)) as connection:
                    if url == feed:
                        async for message in connection:
                            await queue.put(message)
                    else:
                        while True:
                            await connection.send(await queue.get())
            await asyncio.sleep(0.7)

    await asyncio.gather(link(feed), link(sink))


async def two_links_again_and_again() -> None:
    async def link(path: str) -> None:
        while True:
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with connect(f"ws://127.0.0.1:{PORT}{path}", **KEEPALIVE) as connection:
                    await reads(connection)
            await asyncio.sleep(0.5)

    await asyncio.gather(link("/a"), link("/b"))


async def writes_that_it_lives() -> None:
    while True:
        await asyncio.sleep(2)
        logging.getLogger("app").info("queue is empty")


async def client() -> None:
    if KIND == "two-links":
        await two_links()
        return
    if KIND.startswith("evening"):
        await evening()
        return
    if KIND == "two-links-frozen":
        await two_links_again_and_again()
        return
    alive = asyncio.create_task(writes_that_it_lives()) if KIND == "fell-silent" else None
    rounds = {
        "idle-timeout": 3,
        "storm": 18,
        "refused-for-good": 3,
        "server-died": 12,
        "told-by-the-program": 12,
        "client-frozen-pinging": 4,
        "no-upgrade": 3,
    }.get(KIND, 1)
    quiet = KIND in (
        "idle-timeout",
        "close-with-a-reason",
        "max-size",
        "own-failure",
        "storm",
        "stream-ended",
        "fell-silent",
    )
    options = dict(NO_KEEPALIVE if quiet else KEEPALIVE)
    if KIND == "max-size":
        options["max_size"] = 50_000
    for _ in range(rounds):
        try:
            await asyncio.wait_for(once(**options), 60 if KIND == "fell-silent" else 13)
        except Exception as error:  # noqa: BLE001 - as programs do
            logging.getLogger("app").error(  # noqa: TRY400 - as programs do
                "%s: %s", type(error).__name__, error
            )
        await asyncio.sleep({"storm": 0.05, "idle-timeout": 0.3}.get(KIND, 0.7))
    if alive is not None:
        alive.cancel()


if __name__ == "__main__":
    logging.basicConfig(filename=LOG, level=logging.DEBUG, format=FORMAT)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if KIND == "told-by-the-program":
        logging.getLogger("websockets").setLevel(logging.INFO)
    asyncio.run(server() if SIDE == "server" else client())
