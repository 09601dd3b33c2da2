"""One direction of a connection as TCP carries it, from the sender's kernel over a channel to the receiver's.

The sender's kernel takes bytes until its send buffer is full. They stay in it until they are acknowledged: what was
lost on the way is sent again once the RTO has passed without an acknowledgement, and then after twice as long each time
(RFC 6298), as Linux does it. Meanwhile nothing new goes out, because the congestion window is one packet. So a path
that heals carries again only after the next retransmission, and one that never does ends the connection.

Acknowledgements take the other direction's channel, and are lost with it. On a path where nothing is wrong nobody waits
for them, and so they cost no timers: each is noted with the moment of its coming, and looked at when it matters.
"""

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Protocol

from simulator.channel import ROUNDING, Channel
from simulator.hosts import world
from simulator.segments import Mark, Segment, rest_of
from simulator.tcp import RoundTrip, Tcp
from simulator.transport import SimTransport

BOTTOMLESS = 2**40


class Parent(Protocol):
    """The connection, as its streams see it."""

    @property
    def latency(self) -> float:
        """Of one direction, undisturbed."""

    @property
    def tcp(self) -> Tcp:
        """What the kernels are set to."""

    def perish(self) -> None:
        """One end has learnt of a reset: nothing more will pass, either way."""

    def forget_if_over(self) -> None:
        """Something ended."""


class Stream:
    """See the module. Bytes are numbered from 0; the end of the stream counts as one more.

    It is the kernels' and the network's work, so its timers belong to no host and go on when both ends are blocked.
    """

    def __init__(
        self,
        connection: Parent,
        sender: SimTransport,
        receiver: SimTransport,
        *,
        over: Channel,
        back: Channel,
        round_trip: float,
    ) -> None:
        self._connection = connection
        self._tcp = connection.tcp
        self._loop = world()
        self._outside = Context()  # of every host
        self._sender = sender
        self._receiver = receiver
        self._channel = over
        self._back = back
        self._trip = RoundTrip(round_trip)  # as the handshake measured it
        # The sender's kernel
        self._unsent: deque[bytes] = deque()
        self._unsent_size = 0
        self._fin_unsent = False
        self._sent = 0
        self._acknowledged = 0
        self._room = connection.tcp.send_buffer
        self._round = 0  # when so much is acknowledged, a round trip has passed
        self._lost: list[Segment] = []  # to be sent again, in order
        self._anchor = 0.0  # the RTO counts from here
        self._backoff = 0  # retransmissions since the last acknowledgement
        self._unheard_since: float | None = None
        self._first_retransmission = 0.0
        self._slept_from: float | None = None  # when its RTO passed while the sender's machine was suspended
        self._timer: asyncio.TimerHandle | None = None  # of the RTO
        self._ack_timer: asyncio.TimerHandle | None = None
        # On their way back: when each is there, how much it acknowledges, when that was sent (None: more than once)
        self._acks: deque[tuple[float, int, float | None]] = deque()
        self._heard = self._loop.now  # the last of them
        # The receiver's kernel
        self._arrived = 0
        self._read = 0
        self._read_known = 0  # to the sender
        self._window = connection.tcp.receive_buffer
        self._early: list[Segment] = []  # arrived, and something before it has not
        self._latest: Segment | None = None
        self.last_arrival = self._heard
        """When something last arrived."""
        self._finished = False  # FIN has arrived
        self._dead = False  # nothing passes any more, not even RST
        over.lead_to(self)

    # What the ends do

    def room(self) -> int:
        if self._dead:
            # It takes all, only to answer it: what its receiver never reads must not keep the sender waiting.
            return BOTTOMLESS
        if self._acks:
            self._take_acks()
        room = self._room - (self._sent - self._acknowledged) - self._unsent_size
        if room <= 0:
            self._await_ack()
        return room

    def carry(self, data: bytes) -> None:
        if self._dead:
            # The path has closed this connection; its socket answers as any closed one.
            self._later(2 * self._connection.latency, self._tell, self._sender, "rst")
            return
        size = len(data)
        held_up = self._unsent or (self._backoff and self._acknowledged < self._sent)  # one packet at a time
        if held_up or size > self._window - (self._sent - self._read_known):
            self._unsent.append(data)
            self._unsent_size += size
            self._flush()
        else:
            self._transmit(Segment(data, self._loop.now), size)

    def carry_fin(self) -> None:
        if not self._dead:
            self._fin_unsent = True
            self._flush()

    def carry_rst(self) -> None:
        """It follows the bytes that were sent, and is never sent again; what has not been sent is thrown away."""
        if self._dead:
            return
        self._unsent.clear()
        self._unsent_size = 0
        self._fin_unsent = False
        self._lost.clear()
        self._acknowledged = self._sent  # nobody waits for it any more
        self._acks.clear()
        self._stop_timers()
        self._channel.enter(Segment(b"", self._loop.now, "rst"))

    def release(self, size: int) -> None:
        """The reader has taken bytes, and there is room for others."""
        if self._unsent and self._read + size == self._arrived:
            # It keeps up, and the window is what holds up the sender.
            self._window = min(2 * self._window, self._tcp.receive_buffer_limit)
        self._read += size
        if not self._back.silent:
            self._read_known = self._read
            if self._unsent:
                if self._acknowledged == self._sent:
                    self._calm()
                self._later(self._back.delay, self._flush)

    def left(self) -> None:
        self._connection.forget_if_over()

    @property
    def silent(self) -> bool:
        """Whether nothing will ever arrive again."""
        return self._dead or (
            self._sender.gone and self._channel.empty and not (self._lost or self._unsent or self._fin_unsent)
        )

    @property
    def unanswered(self) -> bool:
        """Whether something was sent, or waits for room at the receiver, and is not acknowledged."""
        return self._acknowledged < self._sent or bool(self._unsent)

    def tries_in_vain(self) -> int:
        """How often in a row what was sent has been sent again and not been acknowledged."""
        self._take_acks()
        return self._backoff if self._acknowledged < self._sent else 0

    @property
    def heard(self) -> float:
        """When the last acknowledgement came."""
        self._take_acks()
        return self._heard

    def probe(self) -> None:
        """Ask for an acknowledgement of what is there, as keepalive does."""
        if not self._dead:
            self._channel.enter(Segment(b"", self._loop.now, "probe", again=True))

    # Sending

    def _flush(self) -> None:
        """Send what may be sent."""
        if self._dead or (self._backoff and self._acknowledged < self._sent):
            return
        while self._unsent and (window := self._window - (self._sent - self._read_known)) > 0:
            data = self._unsent.popleft()
            if len(data) > window:
                self._unsent.appendleft(data[window:])
                data = data[:window]
            self._unsent_size -= len(data)
            self._transmit(Segment(data, self._loop.now), len(data))
        if self._fin_unsent and not self._unsent:
            self._fin_unsent = False
            self._transmit(Segment(b"", self._loop.now, "fin"), 1)
        if self._unsent:
            self._watch()

    def _transmit(self, segment: Segment, size: int) -> None:
        if self._sent == self._acknowledged:
            self._anchor = segment.entered
        segment.number = self._sent
        self._sent += size
        self._channel.enter(segment)
        if self._channel.effects or self._back.effects:
            self._watch()

    def _resend(self) -> None:
        """All that was lost goes out again, unless an RTO has passed and the congestion window forbids it."""
        if self._backoff:
            return
        lost, self._lost = self._lost, []
        for segment in lost:
            segment.entered, segment.again = self._loop.now, True
            self._channel.enter(segment)

    # Acknowledgements

    def _acknowledge(self, segment: Segment, now: float) -> None:
        """The receiver's kernel says how much has arrived."""
        if self._back.silent:
            return
        fresh = None if segment.again else segment.entered
        self._acks.append((now + self._back.delay, self._arrived, fresh))
        if self._unsent or self._lost or self._backoff or self._sender.waits_to_send:
            self._await_ack()

    def _await_ack(self) -> None:
        if self._ack_timer is None and self._acks:
            self._ack_timer = self._loop.call_at(self._acks[0][0], self._ack_came, context=self._outside)

    def _ack_came(self) -> None:
        self._ack_timer = None
        self._take_acks()
        self._flush()
        # As on Linux, a socket is writable when a third of its buffer is free.
        if self._sender.waits_to_send and 3 * self.room() >= self._room:
            self._sender.on_host(self._sender.pump)
        if self._unsent or self._lost or self._backoff or self._sender.waits_to_send:
            self._await_ack()

    def _take_acks(self) -> None:
        """Look at the acknowledgements that have come."""
        now = self._loop.now + ROUNDING
        while self._acks and self._acks[0][0] <= now:
            self._heard, total, sent_at = self._acks.popleft()
            self._read_known = self._read
            if total > self._acknowledged:
                self._progress(total, sent_at)
            elif not self._sender.socket.user_timeout:
                self._unheard_since = None  # the peer lives, and has no room

    def _progress(self, total: int, sent_at: float | None) -> None:
        if sent_at is not None:
            self._trip.sample(self._heard - sent_at)
        if total >= self._round:
            if 2 * (self._sent - self._acknowledged) > self._room:
                self._grow()
            self._round = self._sent
        self._acknowledged = total
        self._anchor = self._heard
        if self._backoff:
            self._calm()
            if self._lost:
                self._later(0, self._resend)

    def _grow(self) -> None:
        """Let the send buffer hold twice what a round trip carried, without what waited in a queue on the way."""
        if not (self._unsent or self._sender.waits_to_send):
            return
        queueless = min(1.0, (self._channel.delay + self._back.delay) / self._trip.smoothed)
        carried = int(2 * (self._sent - self._acknowledged) * queueless)
        self._room = min(max(self._room, carried), self._tcp.send_buffer_limit)

    def _calm(self) -> None:
        """The peer has been heard: the next RTO is a fresh one."""
        self._backoff = 0
        self._unheard_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Silence

    def changed(self) -> None:
        """The path is another: acknowledgements may be lost or late, and somebody has to notice."""
        if self._dead:
            return
        if self._slept_from is not None and not self._sender.asleep:
            slept, self._slept_from = self._loop.now - self._slept_from, None
            self._anchor += slept
            if self._unheard_since is not None:  # its kernel has not counted this
                self._unheard_since += slept
                self._first_retransmission += slept
        if self._back.silent:
            now = self._loop.now
            self._acks = deque(ack for ack in self._acks if ack[0] <= now)
        if self.unanswered:
            self._watch()

    @property
    def round_trip(self) -> float:
        return self._trip.smoothed

    @property
    def timeout(self) -> float:
        """The RTO, backed off."""
        return min(self._trip.timeout(self._tcp) * 2.0**self._backoff, self._longest_pause)

    @property
    def _longest_pause(self) -> float:
        """Between two tries."""
        return self._sender.socket.rto_max or self._tcp.rto_max

    def _watch(self) -> None:
        """See to it that the RTO does not pass unnoticed."""
        if self._timer is None:
            due = self._anchor + self.timeout
            patience = self._sender.socket.user_timeout
            if patience and self._unheard_since is not None:
                due = min(due, self._first_retransmission + patience)
            self._timer = self._loop.call_at(max(due, self._loop.now), self._timed_out, context=self._outside)

    def _timed_out(self) -> None:
        self._timer = None
        if self._sender.asleep:
            self._slept_from = self._slept_from or self._loop.now
            return  # `changed` comes when its network is back
        self._take_acks()
        self._flush()
        if not self.unanswered:
            return
        now = self._loop.now + ROUNDING
        if self._unheard_since is None:
            if self._anchor + self.timeout > now:
                self._watch()
                return
            self._unheard_since, self._first_retransmission = self._anchor, now
        elif self._spent(now):
            self.give_up()
            return
        self._backoff += 1
        self._anchor = now
        self._send_again()
        self._watch()
        self._await_ack()

    def _spent(self, now: float) -> bool:
        """Whether the sender's kernel has waited long enough."""
        assert self._unheard_since is not None, "asked only after a retransmission"
        patience = self._sender.socket.user_timeout
        if patience:
            return now >= self._first_retransmission + patience
        retries = self._tcp.orphan_retries if self._sender.gone else self._tcp.retries
        return now >= self._unheard_since + self._tcp.patience(retries, self._longest_pause)

    def _send_again(self) -> None:
        """One packet, the oldest that is not acknowledged."""
        if self._lost and self._lost[0].number == self._arrived == self._acknowledged:
            segment = self._lost.pop(0)
            if len(segment.data) > self._tcp.segment:
                self._lost.insert(0, rest_of(segment, self._tcp.segment))
            segment.entered, segment.again = self._loop.now, True
            self._channel.enter(segment)
        elif self._acknowledged < self._arrived or self._acknowledged == self._sent:
            # It is there, and the acknowledgement was lost; or there was no room for it.
            self.probe()
        # Else it is on its way, and late.

    def give_up(self) -> None:
        """The sender's kernel has waited long enough, and says so to whoever holds its socket."""
        self._forget()
        error = (
            OSError(113, "No route to host")
            if self._channel.unreachable
            else TimeoutError(110, "Connection timed out")
        )
        self._sender.failed(error)
        self._connection.forget_if_over()  # the sender may be long gone, and what was given up its farewell

    # What the channel reports

    def arrived(self, segment: Segment) -> None:
        """It is there."""
        gone = self._receiver.gone
        self._latest = None if gone and segment.mark != "fin" else segment
        if segment.mark == "data" and segment.number == self._arrived and not self._early:  # as nearly always
            self._take_in(segment)
        elif segment.mark == "rst":
            self._receiver.arrived_rst()
            self._connection.perish()
        elif segment.mark == "probe":
            if gone and not self._finished:
                self._receiver.arrived(b"")  # a socket that is gone answers anything with RST
        elif segment.number == self._arrived:
            self._take_in(segment)
            while self._early and self._early[0].number == self._arrived:
                self._take_in(self._early.pop(0))
        elif segment.number > self._arrived:
            insort(self._early, segment, key=_number)
            if not self._back.silent:  # it is told of the gap, and sends again what is missing
                self._later(self._back.delay, self._resend)

    def _take_in(self, segment: Segment) -> None:
        if segment.mark == "data":
            self._arrived += len(segment.data)
            self._receiver.arrived(segment.data)
        else:
            self._arrived += 1
            self._finished = True
            self._receiver.arrived_fin()

    def swallowed(self, segment: Segment) -> None:
        """It is gone, and the sender's kernel will think that it arrived."""
        end = segment.number + (len(segment.data) if segment.mark == "data" else segment.mark == "fin")
        if end > self._arrived:
            self._read += end - self._arrived
            self._arrived = end
        self._latest = segment

    def lost(self, segment: Segment) -> None:
        """It is gone; a kernel sends again what counts."""
        if segment.mark in ("data", "fin"):
            insort(self._lost, segment, key=_number)
            self._watch()

    def all_arrived(self) -> None:
        """So much for this moment: it is acknowledged, and the receiver may read."""
        now = self.last_arrival = self._loop.now
        if self._latest is not None and not self._dead:
            self._acknowledge(self._latest, now)
            self._latest = None
        self._receiver.on_host(self._receiver.read_ready)
        if self._receiver.gone or self._sender.gone:
            self._connection.forget_if_over()

    # The end

    def cut(self, *, fin: bool) -> None:
        """The path closes its two sockets: what is on the way is lost, and the receiver is told.

        It is told after the plain latency, whatever holds up the others: these sockets are on its own side.
        """
        latency = self._connection.latency
        told = self._finished and fin
        self.perish()
        if not told:
            self._later(latency, self._tell, self._receiver, "fin" if fin else "rst")
        if self._sender.waits_to_send:  # into a closed socket
            self._later(latency, self._sender.on_host, self._sender.pump)

    def end_early(self) -> bool:
        """The path says FIN in the sender's place, who may go on. False if there was one already."""
        if self._finished or self._dead:
            return False
        self._finished = True
        self._later(self._connection.latency, self._tell, self._receiver, "fin")
        return True

    def refuse(self) -> None:
        """What was sent is answered by RST, and nobody waits for an acknowledgement any more."""
        self._forget()
        self._later(2 * self._connection.latency, self._tell, self._sender, "rst")

    def perish(self) -> None:
        """Nothing passes any more."""
        self._dead = True
        self._forget()
        self._channel.close()

    def _forget(self) -> None:
        """Everything that was to be sent."""
        self._lost.clear()
        self._unsent.clear()
        self._unsent_size = 0
        self._fin_unsent = False
        self._acks.clear()
        self._acknowledged = self._sent
        self._stop_timers()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._ack_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._ack_timer = None

    def _later(self, seconds: float, callback: Callable[..., object], *args: object) -> None:
        self._loop.call_later(seconds, callback, *args, context=self._outside)

    @staticmethod
    def _tell(end: SimTransport, mark: Mark) -> None:
        if mark == "fin":
            end.arrived_fin()
        else:
            end.arrived_rst()
        end.on_host(end.read_ready)


def _number(segment: Segment) -> int:
    return segment.number
