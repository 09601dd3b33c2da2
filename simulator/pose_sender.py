"""A recorded pose stream sent to a live server, at its recorded pace."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI
from websockets.uri import parse_uri

from simulator.recording import RecordingError, looped, read_recording, schedule

GOODBYE = 2.0
"""Seconds in which an interrupted sender closes."""

Say = Callable[[str], None]


class CannotSendError(Exception):
    """What was asked for cannot be sent; the text is one line for whoever asked."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that failed."""

    text: str
    retry_in: float | None
    """Seconds until the next; None: there is none, and `text` says what a person has to do."""


class Retries(Protocol):
    """When to try again."""

    def refused(self, error: Exception) -> Refusal:
        """After an attempt that failed with `error`."""

    def ended(self, lasted: float) -> float:
        """Seconds until the next attempt, after a connection of `lasted` seconds."""


@dataclass(frozen=True, slots=True)
class PosesToSend:
    """What is to be sent where. `speed` 2 is twice the recorded pace; `loop`: again and again, without end."""

    path: Path
    url: str
    speed: float = 1.0
    loop: bool = False
    repair: bool = False
    shown_url: str | None = None
    """As people may see it, without credentials; None: as it is."""

    @property
    def name(self) -> str:
        """Of the server, for people."""
        return self.shown_url or self.url


@dataclass(slots=True)
class Totals:
    """What came of it."""

    sent: int = 0
    connections: int = 0
    refusals: int = 0
    heard: int = 0
    """Messages that the server sent."""
    latest: float = 0.0
    """Seconds by which a message left behind its time, at most."""
    seconds: float = 0.0
    """From the first message to the last."""
    refused_for_good: str | None = None
    closed: bool = False
    """The server answered the close that followed the last message: its endpoint has read them all."""

    def __str__(self) -> str:
        return (
            f"{self.sent} messages sent in {self.seconds:.1f} s over {self.connections} connections"
            f" ({self.refusals} attempts refused), at most {self.latest * 1000:.0f} ms late;"
            f" {self.heard} messages came back"
        )


def opened(plan: PosesToSend, *, say: Say = lambda _: None) -> Iterator[tuple[float, bytes]]:
    """When each message is due, in seconds after the first, and its bytes. `say` is told what the timestamps count.

    The recording is read through once before: what is wrong with it is said now and not in the middle. Raises
    `CannotSendError`.
    """
    if not 0 < plan.speed < math.inf:
        raise CannotSendError(
            f"--speed is {plan.speed:g}: it must be a positive number, 1 for the recorded pace"
        )
    try:
        parse_uri(plan.url)
    except InvalidURI as error:
        raise CannotSendError(f"--to is {plan.name!r}: {error.msg}: give a ws:// or wss:// URL") from None
    try:
        trial = read_recording(plan.path, repair=plan.repair)
        for _ in trial:
            pass
        for line in trial.said:
            say(line)
        again = (
            looped(plan.path, repair=plan.repair)
            if plan.loop
            else read_recording(plan.path, repair=plan.repair)
        )
    except RecordingError as error:
        raise CannotSendError(str(error)) from None
    return schedule(again, plan.speed)


async def send_poses(
    plan: PosesToSend, due: Iterator[tuple[float, bytes]], totals: Totals, *, retries: Retries, say: Say
) -> None:
    """Send all of `due` to `plan.url`, keeping `totals`, until it ends or the server refuses for good.

    The recording waits while there is no connection, and goes on with the message that could not be sent. Whatever the
    server sends is read. Cancelling it closes the connection.
    """
    player = _Player(due, totals)
    while not player.ended:
        try:
            connection = await connect(plan.url, compression=None, proxy=None, close_timeout=GOODBYE)
        except Exception as error:  # noqa: BLE001 - whatever it was, the attempt failed
            refusal = retries.refused(error)
            totals.refusals += 1
            if refusal.retry_in is None:
                totals.refused_for_good = refusal.text
                return
            delay = refusal.retry_in
            say(f"{plan.name}: {refusal.text}; next attempt in {delay:.1f} s")
        else:
            totals.connections += 1
            say(f"connected to {plan.name}")
            lasted = await player.play(connection)
            if player.ended:
                return
            delay = retries.ended(lasted)
            say(f"the connection ended ({connection.close_code}); next attempt in {delay:.1f} s")
        await asyncio.sleep(delay)


class _Player:
    def __init__(self, due: Iterator[tuple[float, bytes]], totals: Totals) -> None:
        self._due = due
        self._totals = totals
        self._next = next(due, None)
        self._began: float | None = None

    @property
    def ended(self) -> bool:
        return self._next is None

    async def play(self, connection: ClientConnection) -> float:
        """Send from the next message on, until the end or the connection's; the seconds that it lasted."""
        loop = asyncio.get_running_loop()
        opened_at = loop.time()
        reader = asyncio.create_task(self._read(connection), name="reader")
        try:
            await self._send(connection, reader)
            await connection.close(1000 if self.ended else 1001)
            self._totals.closed = self.ended and connection.protocol.close_rcvd is not None
        except ConnectionClosed:
            pass  # the message that could not be sent is still the next
        finally:
            reader.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await connection.close(1001)  # closed already, unless we are cancelled
            connection.transport.abort()
        return loop.time() - opened_at

    async def _send(self, connection: ClientConnection, reader: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        totals = self._totals
        # The next message is due now: what the recording waited for a connection is no part of its time.
        zero = loop.time() - (0.0 if self._next is None else self._next[0])
        while self._next is not None:
            moment, data = self._next
            # Not a plain sleep: in a long pause of the recording nobody would notice that the connection ended.
            await asyncio.wait([reader], timeout=max(0.0, zero + moment - loop.time()))
            late = loop.time() - zero - moment
            await connection.send(data, text=True)
            now = loop.time()
            self._began = now if self._began is None else self._began
            totals.sent += 1
            totals.latest = max(totals.latest, late)
            totals.seconds = now - self._began
            self._next = next(self._due, None)

    async def _read(self, connection: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv(decode=False)
                self._totals.heard += 1
