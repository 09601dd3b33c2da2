"""One supervised WebSocket link: it connects, keeps alive, gives up, waits, and connects again.

The shell around `liveness`, `reconnect` and `states`. It knows nothing of poses or outboxes: what goes over the
link is a `Traffic`. Two tasks live as long as a connection does:

- *converse* (the traffic's): it must always read, because the library stops the socket once 16 frames wait
  unread, and then no Pong is ever processed;
- *watch*: it probes, judges and aborts. It never awaits the transport, so a full write buffer cannot stop it.

The library's own keepalive is off: it counts only its own Pong, and waits without bound for a full write buffer.
"""

import asyncio
import contextlib
import errno
import math
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from random import Random
from typing import Protocol, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tracker import events, states
from tracker.config import Timing, redacted, without_credentials
from tracker.liveness import Health, Liveness
from tracker.meter import Meter
from tracker.reconnect import Backoff, Failure, remedy
from tracker.retransmission import Retransmission
from tracker.states import LinkState

MAX_FRAME_BYTES = 64 * 2**20
"""A larger message ends the connection with 1009; a smaller bad one is read and skipped."""

_NOBODY_THERE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)

USER_AGENT = f"pose-session-tracker/{version('pose-session-tracker')}"


class _Connection(ClientConnection):
    """The library's connection, noting when bytes last came, for any byte is life of the downstream; and how many.

    Two Close frames end it: nothing can follow them, so the peer's FIN, for which the library waits up to its
    `close_timeout`, holds up no reconnect (RFC 6455, section 7.1.1, lets a client close the connection itself).
    """

    last_received = -math.inf
    received = 0

    def data_received(self, data: bytes) -> None:
        self.last_received = self.loop.time()
        self.received += len(data)
        super().data_received(data)
        if self.protocol.close_rcvd is not None and self.protocol.close_sent is not None:
            self.transport.close()  # sends first what is still buffered, our Close frame at the end of it


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

    def __init__(self, link: "Link", connection: _Connection, number: int) -> None:
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
        try:
            async with asyncio.timeout_at(due if due < math.inf else None):
                await self.kick.wait()
        except TimeoutError:
            lag = self._loop.time() - due
            if lag > heartbeat / 2:
                # Our own loop stood still, or ran late. What came meanwhile waits in the socket: it is read
                # before the next heartbeat, and no verdict is passed until then.
                self.liveness.stalled(lag)
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


class Link:
    """Keeps one URL connected until told to stop, and reports all that happens to it."""

    def __init__(
        self,
        name: events.LinkName,
        url: str,
        traffic: Traffic,
        *,
        timing: Timing,
        rng: Random,
        report: events.Observer,
    ) -> None:
        self.name = name
        self.url = url
        self.traffic = traffic
        self.timing = timing
        self.report = report
        self.state = LinkState.CONNECTING
        self.refusal: str | None = None
        """Why there will be no more attempts, once the state is FAILED."""
        self._backoff = Backoff(timing, rng)
        self._connections = 0
        self._wire: Wire | None = None
        self._stop = asyncio.Event()

    def enter(self, event: str) -> None:
        """Follow the table of states."""
        self.state = states.after(self.state, event)

    def stop(self) -> None:
        """Close with 1001 and end `run`; idempotent."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`, or until the endpoint refuses for good (then `refusal` says why)."""
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(self._keep_connected(), name=f"{self.name} link")
            keeper.add_done_callback(lambda _: self._stop.set())
            await self._stop.wait()
            if self.state is LinkState.FAILED:
                return
            self.enter("stop")
            if self._wire is None:
                keeper.cancel()  # it was waiting or connecting
            else:
                # The traffic goes on reading meanwhile, or the peer's close frame would never be seen; the end
                # of the connection ends the keeper.
                await self._wire.close(1001)

    async def _keep_connected(self) -> None:
        while True:
            delay = await self._connect_and_serve()
            if delay is None or self._stop.is_set():
                return
            self.report(events.Waiting(t=_now(), link=self.name, delay=delay))
            await asyncio.sleep(delay)
            self.enter("delay over")

    async def _connect_and_serve(self) -> float | None:
        """One attempt and all that follows from it: seconds to wait before the next, None when there is none."""
        began = _now()
        self.report(events.Connecting(t=began, link=self.name, attempt=self._backoff.attempt))
        try:
            connection = await connect(
                self.url,
                create_connection=_Connection,
                open_timeout=self.timing.open_timeout,
                close_timeout=self.timing.close_timeout,
                ping_interval=None,
                max_size=MAX_FRAME_BYTES,
                compression=None,
                proxy=None,
                user_agent_header=USER_AGENT,
            )
        except Exception as error:  # noqa: BLE001 - an endpoint can answer with anything: a redirect to no URL, a name
            # that cannot be encoded, two headers where one belongs. Whatever it was, the attempt failed, and
            # there is a next one.
            return self._refused(failure_of(error))
        self._connections += 1
        wire = Wire(self, cast(_Connection, connection), self._connections)
        self.enter("opened")
        self.report(events.Connected(t=_now(), link=self.name, connection=wire.number, took=_now() - began))
        self._wire = wire
        try:
            await self._serve(wire)
        finally:
            wire.abort()  # closed already, unless we are cancelled
            self._wire = None
            unconfirmed = self.traffic.lost()
        wire.report_carried()
        code, by, why, stream_end = wire.epilogue()
        self.enter("dead" if wire.died else "closed")
        self.report(
            events.Closed(
                t=_now(),
                link=self.name,
                connection=wire.number,
                code=code,
                by=by,
                why=why,
                unconfirmed=unconfirmed,
                stream_end=stream_end,
            )
        )
        return self._backoff.after_close(wire.lived)

    async def _serve(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(wire.watch(tasks), name=f"{self.name} watch")
            await self.traffic.converse(wire)
            watch.cancel()

    def _refused(self, failure: Failure) -> float | None:
        cure = remedy(failure)
        self.report(
            events.Refused(
                t=_now(),
                link=self.name,
                why=failure.text,
                status=failure.status,
                fatal=cure is not None,
                cause=failure.cause,
            )
        )
        if cure is None:
            self.enter("unreachable")
            return self._backoff.after_refusal(failure)
        self.refusal = f"{self.name} endpoint {redacted(self.url)} refused for good ({failure.text}): {cure}"
        self.enter("refused for good")
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()


def failure_of(error: Exception) -> Failure:
    """The library's exception as the facts that `reconnect` decides on."""
    if isinstance(error, InvalidStatus):
        response = error.response
        patience = next(iter(response.headers.get_all("Retry-After")), "")
        return Failure(
            f"HTTP {response.status_code}",
            status=response.status_code,
            # The other form of the header is a date, which would need a wall clock; plain back-off serves as well.
            retry_after=float(patience) if patience.isdecimal() else None,
            cause=events.RefusalCause.STATUS,
        )
    text = str(error) or type(error).__name__
    return Failure(
        without_credentials(text),
        bad_certificate=isinstance(error, ssl.SSLCertVerificationError),
        cause=_cause_of(error),
    )


def _cause_of(error: Exception) -> events.RefusalCause:
    if isinstance(error, TimeoutError):
        return events.RefusalCause.TIMED_OUT
    # asyncio puts the errors of a host's several addresses into one, and that one has no number.
    of_all_addresses = type(error) is OSError and error.errno is None
    if isinstance(error, socket.gaierror) or of_all_addresses:
        return events.RefusalCause.NOBODY_THERE
    if isinstance(error, OSError) and error.errno in _NOBODY_THERE:
        return events.RefusalCause.NOBODY_THERE
    return events.RefusalCause.BROKEN_OFF
