"""The two clients of the incident that this laboratory was built after, each with its mistakes.

Both relay frames. Neither ever reads its output socket: once 16 messages wait there unread, the library stops
reading the socket, no Pong is processed any more, and its own keepalive ends the connection with 1011.
"""

import asyncio

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Data

from chaos.clients import Assignment
from chaos.clients.relay import Relay

FIRST_DELAY, LONGEST_DELAY = 5.0, 60.0
"""Seconds before a reconnect."""
LIBRARY_TIMEOUT = 10.0
"""Seconds: the library's own limit for opening and for closing a connection."""

_Queue = asyncio.Queue[Data]


class IncidentAfter(Relay):
    """The client as it was "fixed": it survives short tests."""

    name = "incident-after"
    ping_interval, ping_timeout = 10.0, 30.0
    manual_ping = 10.0

    async def relay(self, assignment: Assignment) -> None:
        queue: _Queue = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_input(assignment, queue))
            tasks.create_task(self._write_output(assignment, queue))

    def _connect(self, url: str, scale: float) -> connect:
        return connect(
            url,
            ping_interval=self.ping_interval / scale,
            ping_timeout=self.ping_timeout / scale,
            open_timeout=LIBRARY_TIMEOUT / scale,
            close_timeout=LIBRARY_TIMEOUT / scale,
            proxy=None,
        )

    async def _read_input(self, assignment: Assignment, queue: _Queue) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                async with self._connect(assignment.input_url, assignment.scale) as connection:
                    delay = FIRST_DELAY
                    # A close with 1000 or 1001 ends the loop without an exception: connect again, without any delay.
                    async for message in connection:
                        queue.put_nowait(message)
            except (OSError, WebSocketException):
                await asyncio.sleep(delay / assignment.scale)
                delay = min(2 * delay, LONGEST_DELAY)

    async def _write_output(self, assignment: Assignment, queue: _Queue) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                async with self._connect(assignment.output_url, assignment.scale) as connection:
                    delay = FIRST_DELAY
                    sender = asyncio.create_task(self._send(connection, queue))
                    try:
                        # Both: the close goes unnoticed until the next manual ping.
                        await asyncio.gather(
                            connection.wait_closed(), self._keep_alive(connection, assignment.scale)
                        )
                    finally:
                        sender.cancel()  # and with it the message that it has in hand
                        await asyncio.gather(sender, return_exceptions=True)
            except (OSError, WebSocketException):
                await asyncio.sleep(delay / assignment.scale)
                delay = min(2 * delay, LONGEST_DELAY)

    async def _keep_alive(self, connection: ClientConnection, scale: float) -> None:
        while True:
            await asyncio.sleep(self.manual_ping / scale)
            try:
                await connection.ping()
            except ConnectionClosed:
                return

    async def _send(self, connection: ClientConnection, queue: _Queue) -> None:
        while True:
            message = await queue.get()
            try:
                await connection.send(message)
            except ConnectionClosed:
                queue.put_nowait(message)  # behind all that came meanwhile
                return


class IncidentBefore(IncidentAfter):
    """The client before its fix.

    The connection's main loop is the manual ping, whose guard asks for an attribute that a connection does not have.
    So it raises when the first ping is due, and the client connects anew: the old connection is never closed, and its
    sender goes on beside the new one until a send fails.
    """

    name = "incident-before"
    ping_interval, ping_timeout = 20.0, 20.0
    manual_ping = 20.0

    async def _write_output(self, assignment: Assignment, queue: _Queue) -> None:
        connections: list[ClientConnection] = []
        senders: list[asyncio.Task[None]] = []
        try:
            while True:
                try:
                    connection = await self._connect(assignment.output_url, assignment.scale)
                    connections.append(connection)
                    senders.append(asyncio.create_task(self._send(connection, queue)))
                    await self._keep_alive(connection, assignment.scale)
                except (OSError, WebSocketException, AttributeError):
                    await asyncio.sleep(FIRST_DELAY / assignment.scale)
        finally:
            for sender in senders:
                sender.cancel()
            # Also those that failed long ago: nobody else asks what became of them.
            await asyncio.gather(*senders, return_exceptions=True)
            await asyncio.gather(*(connection.close(1001) for connection in connections))

    async def _keep_alive(self, connection: ClientConnection, scale: float) -> None:
        while True:
            await asyncio.sleep(self.manual_ping / scale)
            if connection.open:  # type: ignore[attr-defined]  # it is the mistake
                await connection.ping()

    async def _send(self, connection: ClientConnection, queue: _Queue) -> None:
        while True:
            message = await queue.get()
            try:
                await connection.send(message)
            except ConnectionClosed:
                queue.put_nowait(message)
                raise
