"""A relay on websocket-client, in threads: two apps that run for ever and reconnect by themselves, as it suggests."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

import websocket

from chaos.clients import Assignment
from chaos.history import Role
from chaos.scenario import ClientOverrides

PING_INTERVAL, PING_TIMEOUT, RECONNECT = 60.0, 10.0, 5.0
"""Seconds: those of the library's own examples."""
CLOSE_WITHIN = 5.0
"""Seconds that the close handshake may take."""
PAUSE = 0.5
"""Seconds between two attempts to send while there is no connection."""
WAITING = 1000
"""Messages between the two links."""


class WebsocketClientRelay:
    """See `Client`. Its threads are daemons: one that hangs in a dead socket holds up nobody."""

    name = "websocket-client"
    role: Role = "relay"
    real_sockets_only: str | None = "its threads run in real time"
    scales_itself = True

    async def run(self, assignment: Assignment) -> None:
        """Until told to stop; raises what a thread raises."""
        relay = _Threads(assignment)
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(_in_a_thread(work)) for work in (relay.read, relay.write, relay.send)
            ]
            stop = tasks.create_task(assignment.stop.wait())
            await asyncio.wait([*working, stop], return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            await _in_a_thread(relay.close)

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """None that anybody could be held to."""
        del overrides
        return {}


class _Threads:
    def __init__(self, assignment: Assignment) -> None:
        self._scale = assignment.scale
        self._queue: queue.Queue[str] = queue.Queue(WAITING)
        self._over = threading.Event()
        self._input = websocket.WebSocketApp(
            assignment.input_url, on_message=lambda _, message: self._queue.put(message)
        )
        self._output = websocket.WebSocketApp(assignment.output_url)

    def read(self) -> None:
        self._run(self._input)

    def write(self) -> None:
        self._run(self._output)

    def send(self) -> None:
        while not self._over.is_set():
            try:
                message = self._queue.get(timeout=PAUSE / self._scale)
            except queue.Empty:
                continue
            while not self._over.is_set():
                try:
                    # Before that, the library sends into the middle of its own handshake, and the message is gone.
                    if self._output.sock is not None and self._output.sock.connected:
                        self._output.send(message)
                        break
                except (websocket.WebSocketException, OSError):
                    pass
                self._over.wait(PAUSE / self._scale)

    def close(self) -> None:
        self._over.set()
        for app in (self._input, self._output):
            app.close(timeout=CLOSE_WITHIN / self._scale)

    def _run(self, app: websocket.WebSocketApp) -> None:
        reconnect: Any = RECONNECT / self._scale  # it only sleeps for so long, whatever its type says
        app.run_forever(
            ping_interval=PING_INTERVAL / self._scale,
            ping_timeout=PING_TIMEOUT / self._scale,
            reconnect=reconnect,
        )


async def _in_a_thread(work: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def over(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(None)

    def body() -> None:
        failure: BaseException | None = None
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is passed on
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(over, failure)

    threading.Thread(target=body, daemon=True).start()
    await done
