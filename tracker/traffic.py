"""What goes over the tracker's links: poses and controls in, session state out."""

import asyncio
from collections.abc import Awaitable, Callable

from tracker import events, messages
from tracker.config import OutboxLimits
from tracker.outbox import Message, Outbox, OutboxFull
from tracker.wire import Wire

BARRIER_BYTES = 32_768
"""A barrier follows at least this often, so that on a slow link confirms keep coming while a burst drains."""


class Incoming:
    """Messages of one link, each handed to `handle`, which may wait (back-pressure) inside `wire.held()`."""

    urgent = False  # nothing waits for a confirm on a link that only reads

    def __init__(self, handle: Callable[[bytes, Wire], Awaitable[None]]) -> None:
        self._handle = handle
        self._probes = 0

    def next_probe(self) -> int:
        """See `wire.Traffic`."""
        self._probes += 1
        return self._probes

    def answered(self, number: int) -> None:
        """See `wire.Traffic`."""

    def lost(self) -> int:
        """See `wire.Traffic`."""
        return 0

    async def converse(self, wire: Wire) -> None:
        """Hand over every message until the connection is over."""
        async for data in wire.messages():
            await self._handle(data, wire)


class Outgoing:
    """Drains the outbox over whatever connection there is, and reads all that the peer sends back."""

    def __init__(self, outbox: Outbox, *, stream: str, report: events.Observer) -> None:
        self._outbox = outbox
        self._stream = stream
        self._report = report
        self._sendable = asyncio.Event()
        self._room = asyncio.Event()
        self._wire: Wire | None = None

    # For the application

    def put(self, message: Message) -> None:
        """Accept a message and report it and what it displaced. Raises `OutboxFull`, having reported nothing."""
        displaced = self._outbox.put(message)
        now = asyncio.get_running_loop().time()
        if not displaced or displaced[-1] is not message:
            self._report(
                events.Accepted(t=now, seq=message.seq, size=len(message.body), essential=message.essential)
            )
        for old in displaced:
            self._report(events.Displaced(t=now, seq=old.seq))
        self._sendable.set()

    def limit(self, limits: OutboxLimits) -> None:
        """Hold so much from now on; who waits for room or for the window looks again."""
        self._outbox.limit(limits)
        self._sendable.set()
        self._room.set()

    async def put_when_room(self, message: Message) -> None:
        """Like `put`, but waits for room."""
        while True:
            try:
                self.put(message)
            except OutboxFull:
                self._room.clear()
                await self._room.wait()
            else:
                return

    async def flushed(self) -> None:
        """Wait until nothing is unconfirmed."""
        while len(self._outbox):
            self._room.clear()
            await self._room.wait()

    # For the link

    @property
    def urgent(self) -> bool:
        """Whether something was sent that no probe has followed yet."""
        return self._outbox.unbarriered_bytes > 0

    def next_probe(self) -> int:
        """See `wire.Traffic`: the probe is the barrier."""
        return self._outbox.barrier()

    def answered(self, number: int) -> None:
        """See `wire.Traffic`."""
        self._confirmed(self._outbox.confirm_barrier(number))

    def lost(self) -> int:
        """See `wire.Traffic`."""
        return self._outbox.lost()

    async def converse(self, wire: Wire) -> None:
        """Send in one task, read in this one: whatever the sender waits for, the socket is drained."""
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send_all(wire), name="output sender")
            async for data in wire.messages():
                ack = messages.decode_ack(data)
                if ack is not None and ack.stream == self._stream:
                    wire.alive()
                    self._confirmed(self._outbox.confirm_through(ack.seq))
                else:
                    wire.meter.unasked += 1  # a peer that broadcasts to its sender: read, and let go
            sender.cancel()

    async def _send_all(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        outbox = self._outbox
        while not wire.over:
            quiet = not self.urgent
            # `take` and the write inside `send` happen in one step of the loop, and so do `barrier` and the write
            # of its Ping: no other task can put a barrier between a message's number and its bytes.
            message = outbox.take()
            if message is None:
                self._sendable.clear()
                await self._sendable.wait()
                continue
            self._report(events.Sent(t=loop.time(), seq=message.seq, connection=wire.number))
            if not await wire.send(message.body):
                return
            if outbox.unbarriered_bytes >= BARRIER_BYTES:
                await wire.probe()
            elif quiet and self.urgent:
                wire.kick.set()

    def _confirmed(self, count: int) -> None:
        if count:
            now = asyncio.get_running_loop().time()
            self._report(events.Confirmed(t=now, count=count, left=len(self._outbox)))
            self._sendable.set()
            self._room.set()
