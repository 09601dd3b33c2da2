"""One open connection, as its traffic and its watch see it.

Two tasks live as long as a connection does:

- *converse* (the traffic's): it must always read, because the library stops the socket once 16 frames wait
  unread, and then no Pong is ever processed;
- *watch*: it probes, judges and aborts. It never awaits the transport, so a full write buffer cannot stop it.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Protocol

from websockets.exceptions import ConnectionClosed

from tracker import events
from tracker.connection import LinkConnection
from tracker.liveness import Health, Liveness
from tracker.meter import Meter
from tracker.retransmission import Retransmission
from tracker.states import LinkState

if TYPE_CHECKING:
    from tracker.link import Link


MESSAGES_A_TURN = 32
"""Messages that are read in one turn of the loop, at most; then others have theirs."""


class Traffic(Protocol):
    """What goes over a link."""

    @property
    def urgent(self) -> bool:
        """Whether something waits for a confirm that only a probe can bring."""

    def next_probe(self) -> int:
        """The number for a probe that is about to be written; numbers rise."""

    def answered(self, number: int) -> None:
        """The peer answered probe `number`, and so has everything that was written before it."""

    async def converse(self, wire: "Wire") -> None:
        """Read (always) and write until the connection is over; return then, raise only for bugs."""

    def lost(self) -> int:
        """The connection is over. Returns how many unconfirmed messages went back to the front."""


def _masked_frame_size(payload: int) -> int:
    """Bytes on the wire for one unfragmented client frame (RFC 6455, section 5.2)."""
    return payload + (6 if payload < 126 else 8 if payload < 65536 else 14)


class Wire:
    """One open connection, as its traffic and its watch see it."""

    def __init__(self, link: "Link", connection: LinkConnection, number: int) -> None:
        self.number = number
        self._link = link
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self.opened_at = self._loop.time()
        self.liveness = Liveness(link.timing, self.opened_at)
        self._retransmission = Retransmission(connection.transport)
        self._handed = 0  # bytes given to the transport since it opened
        self._flushed = self._buffered = 0  # of these, as of the last look: gone, and still waiting
        self.meter = Meter(link.name, number)
        self._pings: set[asyncio.Task[None]] = set()
        self.kick = asyncio.Event()  # the watch has something to reconsider
        self.died = False

    # For the traffic

    async def messages(self) -> AsyncIterator[bytes]:
        """Every message until the connection is over, text and binary alike, undecoded: a broken text is one bad
        message and not the end of a connection.
        """
        while True:
            if self.meter.messages % MESSAGES_A_TURN == 0:
                await asyncio.sleep(0)  # where many wait unread, reading the next does not
            try:
                message = await self._connection.recv(decode=False)
            except ConnectionClosed:
                return
            self.meter.messages += 1
            yield message

    @property
    def over(self) -> bool:
        """Whether what is written now goes nowhere: the transport has ended, and the library has yet to hear of it."""
        return self._connection.transport.is_closing()

    async def send(self, body: bytes) -> bool:
        """Write one text message; wait while the write buffer is over its mark. False: the connection is over."""
        self._handed += _masked_frame_size(len(body))
        try:
            await self._connection.send(body, text=True)
        except ConnectionClosed:
            return False
        return True

    async def probe(self) -> None:
        """Write a probe behind all that was sent, and wait while the write buffer is over its mark."""
        number = self._link.traffic.next_probe()
        self._handed += _masked_frame_size(len(b"%d" % number))
        now = self._loop.time()
        self.liveness.probe_sent(now, number)
        self._link.report(events.Probed(t=now, link=self._link.name, number=number))
        try:
            pong = await self._connection.ping(b"%d" % number)
        except ConnectionClosed:
            return
        asyncio.ensure_future(pong).add_done_callback(lambda future: self._answered(number, future))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts the traffic does not read, on purpose; silence then proves nothing."""
        self.liveness.hold(self._loop.time())
        self.meter.hold(self._loop.time())
        try:
            yield
        finally:
            now = self._loop.time()
            self.meter.resume(now)
            self.liveness.resume(now)
            self.kick.set()

    def alive(self) -> None:
        """The peer confirmed a message in its own words."""
        self.liveness.confirmed(self._loop.time())

    # For the link

    def woke(self) -> None:
        """The machine stood still for long: see at once whether anybody is still there."""
        self.liveness.woke(self._loop.time())
        self.kick.set()

    def _answered(self, number: int, future: "asyncio.Future[float]") -> None:
        if future.cancelled() or future.exception() is not None:
            return  # the connection ended first
        now = self._loop.time()
        rtt = future.result()
        self.liveness.pong(now, number, rtt)
        self._link.report(events.Answered(t=now, link=self._link.name, number=number, rtt=rtt))
        self._link.traffic.answered(number)

    async def watch(self, tasks: asyncio.TaskGroup) -> None:
        """Probe, judge, and abort the transport of a dead link; return when it is dead."""
        heartbeat = self._link.timing.probe_floor / 5
        report_due = self.opened_at + self._link.timing.probe_interval
        while True:
            now = self._loop.time()
            self._look_at_the_buffer()
            if now >= report_due:
                self.report_carried()
                report_due = now + self._link.timing.probe_interval
            if self._judge(now):
                self.died = True
                # No close handshake: on a dead link it could only wait. Everybody who waits for this connection,
                # for reading, writing or a Pong, is woken by the transport's connection_lost.
                self.abort()
                return
            if now >= self.liveness.probe_due(urgent=self._link.traffic.urgent) and not self._pings:
                # In a task of its own, because with a full write buffer it waits; at most one does.
                ping = tasks.create_task(self.probe())
                self._pings.add(ping)
                ping.add_done_callback(self._pings.discard)
                await asyncio.sleep(0)
                continue
            await self._sleep(heartbeat)

    def _judge(self, now: float) -> bool:
        link, liveness = self._link, self.liveness
        liveness.progress(now, flushed=self._flushed, buffered=self._buffered)
        liveness.received(self._connection.last_received)
        if self._retransmission.got_through():
            liveness.path_healed(now)
        verdict = liveness.check(now)
        if verdict.health is Health.DEAD:
            link.report(
                events.Died(
                    t=now,
                    link=link.name,
                    connection=self.number,
                    cause=verdict.cause,
                    silence=verdict.silent_for,
                )
            )
        elif verdict.health is Health.SUSPECT and link.state is LinkState.OPEN:
            link.enter("deadline missed")
            link.report(
                events.Suspected(t=now, link=link.name, connection=self.number, silence=verdict.silent_for)
            )
        elif verdict.health is Health.ALIVE and link.state is LinkState.SUSPECT:
            link.enter("answered")
            link.report(events.Revived(t=now, link=link.name, connection=self.number))
        return verdict.health is Health.DEAD

    def _look_at_the_buffer(self) -> None:
        self._buffered = self._connection.transport.get_write_buffer_size()
        self._flushed = self._handed - self._buffered

    def report_carried(self) -> None:
        """Report what went over since the last report. Once it has ended there is no buffer: the last look counts."""
        self._link.report(
            self.meter.report(
                self._loop.time(),
                received=self._connection.received,
                flushed=self._flushed,
                buffered=self._buffered,
            )
        )

    async def _sleep(self, heartbeat: float) -> None:
        """Until a verdict, a probe or a kick is due; while an answer is awaited, a heartbeat at most."""
        now = self._loop.time()
        due = self.liveness.probe_due(urgent=self._link.traffic.urgent)
        if self._pings and due <= now:
            due = math.inf  # overdue, but the last one still waits for room in the write buffer
        verdict_due = self.liveness.wake_at()
        if verdict_due is not None or self._pings:
            beat = now + heartbeat
            due = min(due, beat, verdict_due or beat)
        self.kick.clear()
        # A kick by a timer: a time-out of asyncio's costs a cancellation each time, and there are several a second.
        timer = self._loop.call_at(due, self.kick.set) if due < math.inf else None
        try:
            await self.kick.wait()
        finally:
            if timer is not None:
                timer.cancel()
        lag = self._loop.time() - due
        if lag > heartbeat / 2:
            # Our own loop stood still, or ran late. What came meanwhile waits in the socket: it is read
            # before the next heartbeat, and no verdict is passed until then.
            self.liveness.stalled(self._loop.time(), lag)
            self._link.report(events.Lagged(t=self._loop.time(), link=self._link.name, seconds=lag))
            await asyncio.sleep(heartbeat)

    async def close(self, code: int) -> None:
        """Close handshake within `close_timeout`, then the transport is aborted."""
        # The library's own time-out does not cover a full write buffer, so there is one around it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._link.timing.close_timeout):
                await self._connection.close(code)
        self.abort()

    def abort(self) -> None:
        """Drop the connection now; whoever waits for it is woken."""
        self._connection.transport.abort()

    def epilogue(self) -> tuple[int, events.Ender, str, events.StreamEnd | None]:
        """Close code, who ended it, why, and how TCP ended if it was the network, once the connection is over."""
        protocol = self._connection.protocol
        received, sent = protocol.close_rcvd, protocol.close_sent
        if self.died:
            return 1006, "tracker", "given up as dead", None
        if received is not None and protocol.close_rcvd_then_sent is not False:
            return received.code, "peer", received.reason, None
        if sent is not None:
            return sent.code, "tracker", sent.reason, None
        cause = self._connection.connection_exc
        was_reset = isinstance(cause, ConnectionResetError)
        end = events.StreamEnd.RESET if was_reset else events.StreamEnd.ENDED
        return 1006, "network", "stream ended without a close frame" if cause is None else str(cause), end

    @property
    def lived(self) -> float:
        """Seconds from opening to the last sign of life."""
        return max(0.0, self._connection.last_received - self.opened_at)
