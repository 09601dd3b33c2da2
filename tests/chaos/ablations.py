"""The tracker's safeguards, each removed by itself.

To see the laboratory find one of them: `simtool chaos reset --client tests.chaos.ablations:no_requeue`.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.chaos.ablated import Ablated, Misconfigured
from tracker import events
from tracker.access import Papers
from tracker.app import Tracker
from tracker.connection import LinkConnection
from tracker.link import Link
from tracker.liveness import Health, Liveness, Verdict
from tracker.messages import BadMessage, Control, Landmark, Pose, Reply, UpdateParameters
from tracker.opening import Opening
from tracker.outbox import Message, Outbox
from tracker.pipeline import VISIBLE, Pipeline, Step
from tracker.reconnect import Backoff, Failure
from tracker.retransmission import TCP_RTO_MAX_MS
from tracker.session import Session
from tracker.standstill import Standstill
from tracker.states import LinkState
from tracker.traffic import Incoming, Outgoing
from tracker.wire import Wire

NEVER = 1e6
"""Seconds: longer than any run."""
A_FRAME = 34.0
"""Milliseconds from one frame to the next, and a bit."""

# The outbox


class _NoRequeue(Outbox):
    """What was on the wire when the connection ended is forgotten."""

    def lost(self) -> int:
        returned = super().lost()
        for _ in range(returned):
            self._next_lane().popleft()
        return 0


class _RequeueAtTheTail(Outbox):
    """What was on the wire when the connection ended is sent again after all that came meanwhile."""

    def lost(self) -> int:
        again = list(self._in_flight.queue)
        self._in_flight.queue.clear()
        self._in_flight.bytes = 0
        for message in again:
            (self._essential if message.essential else self._plain).append(message)
        return super().lost() + len(again)


class _AnyPongConfirmsAll(Outbox):
    """A Pong confirms also what was sent after its Ping."""

    def confirm_barrier(self, number: int) -> int:
        self._barriers.clear()
        return self._confirm_through(self._next_seq) if number <= self._last_barrier else 0


class _DisplacesTouches(Outbox):
    """All messages are alike: what carries a touch gives way with the rest."""

    def put(self, message: Message) -> list[Message]:
        alike = replace(message, essential=False)
        return [message if old is alike else old for old in super().put(alike)]


class _DisplacesTheNewest(Outbox):
    """What is stale is kept, and the newest frames give way."""

    def _displace_for(self, message: Message) -> list[Message]:
        self._plain.queue.reverse()
        victims = super()._displace_for(message)
        self._plain.queue.reverse()
        return victims


class _PongConfirmsOneMore(Outbox):
    """A Pong confirms one message that was sent after its Ping."""

    def confirm_barrier(self, number: int) -> int:
        confirmed = super().confirm_barrier(number)
        flight = self._in_flight.queue
        return confirmed + (self._confirm_through(flight[0].seq) if confirmed and flight else 0)


class _AckConfirmsOneMore(Outbox):
    """An ack confirms one message after the one that it names."""

    def confirm_through(self, seq: int) -> int:
        return super().confirm_through(seq + 1)


class _AcksConfirmNothing(Outbox):
    """Acks are read and let go."""

    def confirm_through(self, seq: int) -> int:
        return super().confirm_through(min(seq, 0))


class _DropsInsteadOfWaiting(Outbox):
    """A full outbox displaces, although it was told to block."""

    def put(self, message: Message) -> list[Message]:
        self._overflow = "latest"
        return super().put(message)


class _AcksConfirmToo(Outbox):
    """An ack confirms, although Pongs were told to."""

    def confirm_through(self, seq: int) -> int:
        return self._confirm_through(seq)


class _OverfillsForWhatIsPlain(Outbox):
    """Where nothing can give way, a message is taken all the same."""

    def _displace_for(self, message: Message) -> list[Message]:
        return super()._displace_for(message) if self._plain.queue else []


# Liveness


class _AcksAreNoLife(Liveness):
    """Only a Pong is a sign of life of the upstream."""

    def confirmed(self, now: float) -> None:
        pass


class _BytesAreNoLife(Liveness):
    """Whatever comes, only a Pong moves a deadline."""

    def received(self, now: float) -> None:
        pass


class _NoProbeVerdicts(Liveness):
    """Probes are sent, and nothing follows when they go unanswered."""

    def check(self, now: float) -> Verdict:
        self._anchor = None
        return super().check(now)


class _NoSecondChance(Liveness):
    """The first missed deadline is the last."""

    def check(self, now: float) -> Verdict:
        verdict = super().check(now)
        return replace(verdict, health=Health.DEAD) if verdict.health is Health.SUSPECT else verdict


class _FixedDeadline(Liveness):
    """The deadline does not adapt to the measured round trip."""

    def _patience(self) -> float:
        return self._timing.probe_floor


class _HealsUnnoticed(Liveness):
    """An answer that an outage swallowed is waited for no longer than any other."""

    def path_healed(self, now: float) -> None:
        pass


class _EachProbeByItself(Liveness):
    """The deadline counts from the sending of the oldest unanswered probe, not from the last answer."""

    def probe_sent(self, now: float, number: int) -> None:
        vars(self).setdefault("sent", {})[number] = now
        super().probe_sent(now, number)

    def _restart(self, now: float) -> None:
        super()._restart(vars(self)["sent"].get(self._answered + 1, now))


class _SentBytesAreLife(Liveness):
    """A write buffer that drains passes for a sign of life."""

    def progress(self, now: float, *, flushed: int, buffered: int) -> None:
        if flushed > self._flushed:
            self._proven(now)
        super().progress(now, flushed=flushed, buffered=buffered)


class _DeadlinesByTheWallClock(Liveness):
    """Deadlines are read off the wall clock."""

    def check(self, now: float) -> Verdict:
        ahead = time.time() - now
        return super().check(now + ahead - vars(self).setdefault("ahead", ahead))

    def wake_at(self) -> float | None:
        return None


class _SleepsOn(Tracker):
    """That the machine stood still is nobody's business."""

    def _woke(self, stood: Standstill) -> None:
        pass


class _VerdictsBeforeReading(Wire):
    """Our own stalls count as the peer's silence."""

    async def _sleep(self, heartbeat: float) -> None:
        due = self.liveness.wake_at()
        timer = None if due is None else self._loop.call_at(due, self._judge_at_once)
        try:
            await super()._sleep(heartbeat)
        finally:
            if timer is not None:
                timer.cancel()

    def _judge_at_once(self) -> None:
        if self.liveness.check(self._loop.time()).health is Health.DEAD:
            self.died = True
            self.abort()


class _WaitsForTheBuffer(Wire):
    """Nothing is judged while a probe waits for room in the write buffer."""

    async def _sleep(self, heartbeat: float) -> None:
        await super()._sleep(heartbeat)
        if self._pings:
            await asyncio.wait(self._pings)


# Reconnecting


class _BackoffRestartsOnConnect(Backoff):
    """A connect is success enough."""

    def after_close(self, lived: float) -> float:
        return super().after_close(max(lived, self._timing.stable_after))


class _NoJitter(Backoff):
    """Everybody waits equally long."""

    def _delay(self) -> float:
        return min(self._timing.reconnect_cap, self._timing.reconnect_delay * 2.0 ** (self._attempt - 1))


class _HalfJitter(Backoff):
    """Half of every delay is the same for everybody."""

    def _delay(self) -> float:
        ceiling = min(self._timing.reconnect_cap, self._timing.reconnect_delay * 2.0 ** (self._attempt - 1))
        return (ceiling + super()._delay()) / 2


class _NoGrowth(Backoff):
    """Every delay is drawn from the same range."""

    def _delay(self) -> float:
        return self._rng.uniform(0.0, self._timing.reconnect_delay)


class _BackoffNeverStartsOver(Backoff):
    """A failure counts for ever, however stable the link has been since."""

    def after_close(self, lived: float) -> float:
        return super().after_close(min(lived, 0.0))


class _IgnoresRetryAfter(Backoff):
    """A server that asks for patience is asked again as soon as any other."""

    def after_refusal(self, failure: Failure) -> float:
        return super().after_refusal(replace(failure, retry_after=None))


class _WaitsAsLongAsAsked(Backoff):
    """A server may ask for hours, and gets them."""

    def after_refusal(self, failure: Failure) -> float:
        asked = failure.retry_after or 0.0
        return asked + super().after_refusal(replace(failure, retry_after=None))


class _NoDelayForNonsense(Backoff):
    """An answer with HTTP 429 whose Retry-After cannot be read asks for no delay at all."""

    def after_refusal(self, failure: Failure) -> float:
        delay = super().after_refusal(failure)
        return delay if failure.status != 429 or failure.retry_after else 0.0


class _AgeIsLife(Wire):
    """A connection is as stable as it is old, silent or not."""

    @property
    def lived(self) -> float:
        return self._loop.time() - self.opened_at


class _StopsBetweenAttempts(Link):
    """The stop waits for a connect or a delay to end by itself."""

    async def run(self) -> None:
        keeper = asyncio.ensure_future(self._keep_connected())
        keeper.add_done_callback(lambda _: self._stop.set())
        await self._stop.wait()
        if self._wire is not None:
            self.enter("stop")
            await self._wire.close(1001)
        await keeper


class _LeavesTheLate(Link):
    """A handshake is given up after half its time, and its connection, should it come late, is left alone."""

    async def _open(self, papers: Papers) -> LinkConnection:
        attempt = asyncio.ensure_future(super()._open(papers))
        attempt.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        done, _ = await asyncio.wait([attempt], timeout=self.timing.open_timeout / 2)
        if not done:
            raise TimeoutError
        return attempt.result()


class _GoesWhereItIsSent(Link):
    """A redirect to another host is followed."""

    async def _open(self, papers: Papers) -> LinkConnection:
        self._access = replace(self._access, allow_redirects=True)
        return await super()._open(papers)


class _ShowsOldPapers(Link):
    """What is shown is read once, and shown for ever."""

    async def _open(self, papers: Papers) -> LinkConnection:
        return await super()._open(vars(self).setdefault("first_papers", papers))


class _ABadAnswerIsForGood(Link):
    """An answer to the handshake that is none, or agrees to what was not offered, is the last."""

    def _refused(self, failure: Failure) -> float | None:
        delay = super()._refused(failure)
        return NEVER if failure.cause is events.RefusalCause.BROKEN_OFF else delay


class _ForgetsWhatWaits(Link):
    """What waits for a connection is forgotten when one is refused."""

    def _refused(self, failure: Failure) -> float | None:
        if isinstance(self.traffic, Outgoing):
            while (lane := self.traffic._outbox._next_lane()) is not None:
                lane.popleft()
        return super()._refused(failure)


class _ControlLinkStaysAway(Link):
    """A control link that ended once is not opened again."""

    async def _connect_and_serve(self) -> float | None:
        delay = await super()._connect_and_serve()
        return NEVER if self.name == "control" else delay


class _RestsEverLonger(Link):
    """TCP doubles its pauses as long as it likes."""

    async def _serve(self, wire: Wire) -> None:
        own = wire._connection.transport.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, 120_000)
        await super()._serve(wire)


class _NoBackoffAfterCleanClose(Link):
    """Who was told goodbye comes back at once."""

    _clean = False

    async def _serve(self, wire: Wire) -> None:
        await super()._serve(wire)
        self._clean = wire.epilogue()[0] in (1000, 1001)

    async def _connect_and_serve(self) -> float | None:
        self._clean = False
        delay = await super()._connect_and_serve()
        return 0.0 if self._clean else delay


class _GoodbyeForGood(Link):
    """Who was told 1000 does not come back."""

    async def _serve(self, wire: Wire) -> None:
        await super()._serve(wire)
        if wire.epilogue()[0] == 1000:
            self._backoff._delay = lambda: NEVER


class _IgnoresRefusals(Link):
    """A refusal for good is one to ask again after."""

    def _refused(self, failure: Failure) -> float:
        now = asyncio.get_running_loop().time()
        self.report(
            events.Refused(t=now, link=self.name, why=failure.text, status=failure.status, fatal=False)
        )
        self.enter("unreachable")
        return self._backoff.after_refusal(failure)


class _AnyPongIsAnAnswer(LinkConnection):
    """A Pong that matches no Ping answers the newest."""

    def acknowledge_pings(self, data: bytes) -> None:
        newest = next(reversed(self.pending_pings), data)
        super().acknowledge_pings(data if data in self.pending_pings else newest)


class _NotFoundIsForGood(Link):
    """Whoever is not found once is not looked for again."""

    def _refused(self, failure: Failure) -> float | None:
        if failure.cause is events.RefusalCause.NOBODY_THERE:
            failure = replace(failure, status=404)
        return super()._refused(failure)


class _OneAddressAtATime(Link):
    """The next of a host's addresses is tried when the one before it has failed, which takes longer than an attempt may."""

    def _opening(self, papers: Papers) -> Opening:
        opening = super()._opening(papers)
        del opening.create_connection_kwargs["happy_eyeballs_delay"]
        return opening


class _FinIsNoEnd(LinkConnection):
    """Who hears a FIN goes on to speak: the other way may still be open."""

    def eof_received(self) -> bool:
        return True


class _WaitsForTheEnd(LinkConnection):
    """After both Close frames the peer's FIN is waited for."""

    def _take(self, data: bytes) -> None:
        ClientConnection.data_received(self, data)


# Reading and writing


class _UsualMaxSize(LinkConnection):
    """A message above a library's usual limit of 1 MiB ends the connection."""

    def data_received(self, data: bytes) -> None:
        self.protocol.max_message_size = 2**20
        super().data_received(data)


class _NoDrain(Outgoing):
    """What the output's peer sends back is not read."""

    async def converse(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send_all(wire))
            await wire._connection.wait_closed()
            sender.cancel()


class _SentIsDelivered(Wire):
    """`send()` returning passes for a confirm."""

    async def send(self, body: bytes) -> bool:
        sent = await super().send(body)
        traffic = self._link.traffic
        traffic._confirmed(traffic._outbox._confirm_through(traffic._outbox.next_seq))
        return sent


class _AReadIsAMessage(LinkConnection):
    """What a read leaves over is forgotten, and the next one begins with a new frame."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        del self.protocol.reader.buffer[:]
        self.protocol.parser = self.protocol.parse()
        next(self.protocol.parser)


class _AFragmentIsAMessage(Wire):
    """Each fragment of a message passes for one."""

    async def messages(self) -> AsyncIterator[bytes]:
        with contextlib.suppress(ConnectionClosed):
            while True:
                async for fragment in self._connection.recv_streaming(decode=False):
                    yield fragment


# Input


class _BadInputStops(Tracker):
    """A bad message is the end."""

    def _reject(self, link: events.LinkName, reason: str, detail: str) -> None:
        super()._reject(link, reason, detail)
        self._fail("refused", reason)


class _RetriesABadMessage(Incoming):
    """A message that was refused is tried again, and again, before the next one is read."""

    async def converse(self, wire: Wire) -> None:
        rejected = self._handle.__self__.counters.rejected
        async for data in wire.messages():
            before = -1
            while rejected.total() > before:
                before = rejected.total()
                await self._handle(data, wire)
                await asyncio.sleep(rejected.total() - before)  # seconds: 1 or 0


class _OneHandOutOfSight(Pipeline):
    """A frame in which a hand is hidden is refused."""

    def _contacts(self, hand: Landmark) -> list[int]:
        if hand.visibility <= VISIBLE:
            raise BadMessage("hidden-hand", "")
        return super()._contacts(hand)


class _OwnClock(Pipeline):
    """The touch rule counts in our own time, from the first frame on."""

    _began: tuple[float, float] | None = None

    def step(self, pose: Pose) -> Step:
        now = asyncio.get_running_loop().time() * 1000
        self._began = began = self._began or (now, pose.timestamp)
        return super().step(msgspec.structs.replace(pose, timestamp=began[1] + now - began[0]))


class _GapsBreakContact(Session):
    """One frame without contact starts the touch over."""

    def _in_contact(self, hold: int, now: float) -> bool:
        contact = self._contacts.get(hold)
        if contact is not None and now - contact.until > A_FRAME:
            del self._contacts[hold]
        return super()._in_contact(hold, now)


class _ResetsNeedALink(Tracker):
    """A reset of which nobody can be told at present is not carried out."""

    def _reset(self, link: events.LinkName) -> None:
        if self._output.state is LinkState.OPEN:
            super()._reset(link)
        else:
            self._report(events.SessionReset(t=asyncio.get_running_loop().time(), link=link))


class _ResetsOnConnect(Incoming):
    """Whoever connects the input anew starts a new session."""

    async def converse(self, wire: Wire) -> None:
        if wire.number > 1:
            await self._handle(b'{"type":"reset_holds"}', wire)
        await super().converse(wire)


class _ResetsMayBeDisplaced(Pipeline):
    """The output that tells of a reset is one like any other."""

    def step(self, pose: Pose) -> Step:
        step = super().step(pose)
        return replace(step, essential=bool(step.touched) or step.completed)


class _StopsByTheClock(Outgoing):
    """A stop takes all the time that it has, whether anything is left or not."""

    async def flushed(self) -> None:
        await asyncio.Event().wait()


class _FlushesOnce(Outgoing):
    """The flush ends with the first confirm."""

    async def flushed(self) -> None:
        self._room.clear()
        await self._room.wait()


class _WaitsForRoomForEver(Tracker):
    """What waits for room waits on after the stop."""

    async def _wait_for_room(self, message: Message) -> None:
        await self._out.put_when_room(message)


class _FailGoesOn(Tracker):
    """What finds no room in the outbox is left out, although the tracker was told to fail."""

    def _fail(self, cause: events.StopCause, why: str) -> None:
        if cause != "outbox-full":
            super()._fail(cause, why)


# Controls


class _ObeysTheInput(Incoming):
    """Controls are taken from the input too."""

    async def converse(self, wire: Wire) -> None:
        tracker = self._handle.__self__
        async for data in wire.messages():
            pose = b'"landmarks"' in data or b"reset_holds" in data
            await (self._handle(data, wire) if pose else tracker._on_control(data, wire))


class _SilentWhilePaused(Tracker):
    """While outputs are paused, replies are too."""

    def _obey(self, control: Control) -> Reply | None:
        paused = self._paused
        reply = super()._obey(control)
        return None if paused and self._paused else reply


class _PauseStopsTheClimb(Tracker):
    """While outputs are paused, poses are not looked at."""

    async def _on_pose(self, pose: Pose, wire: Wire) -> None:
        if not self._paused:
            await super()._on_pose(pose, wire)
            return
        now = asyncio.get_running_loop().time()
        self._report(events.Received(t=now, timestamp=pose.timestamp, sequence=pose.sequence))


class _FlatRulesOnly(Tracker):
    """Rules inside `parameters` are not seen."""

    def _obey(self, control: Control) -> Reply | None:
        if isinstance(control, UpdateParameters):
            control = msgspec.structs.replace(control, parameters=None)
        return super()._obey(control)


no_requeue = Ablated("no-requeue", _NoRequeue)
requeue_at_the_tail = Ablated("requeue-at-the-tail", _RequeueAtTheTail)
sent_is_delivered = Ablated("sent-is-delivered", _SentIsDelivered)
any_pong_confirms_all = Ablated("any-pong-confirms-all", _AnyPongConfirmsAll)
displaces_touches = Ablated("displaces-touches", _DisplacesTouches)
displaces_the_newest = Ablated("displaces-the-newest", _DisplacesTheNewest)
pong_confirms_one_more = Ablated("pong-confirms-one-more", _PongConfirmsOneMore)
ack_confirms_one_more = Ablated("ack-confirms-one-more", _AckConfirmsOneMore)
acks_confirm_nothing = Ablated("acks-confirm-nothing", _AcksConfirmNothing)
forgets_what_waits = Ablated("forgets-what-waits", _ForgetsWhatWaits)
drops_instead_of_waiting = Ablated("drops-instead-of-waiting", _DropsInsteadOfWaiting)
acks_confirm_too = Ablated("acks-confirm-too", _AcksConfirmToo)
overfills_for_what_is_plain = Ablated("overfills-for-what-is-plain", _OverfillsForWhatIsPlain)
unbounded_outbox = Misconfigured(
    "unbounded-outbox",
    "Everything is kept, however long the outage",
    outbox={"messages": 10**9, "bytes": 10**12},
)

no_probe_verdicts = Ablated("no-probe-verdicts", _NoProbeVerdicts)
no_second_chance = Ablated("no-second-chance", _NoSecondChance)
fixed_deadline = Ablated("fixed-deadline", _FixedDeadline)
heals_unnoticed = Ablated("heals-unnoticed", _HealsUnnoticed)
rests_ever_longer = Ablated("rests-ever-longer", _RestsEverLonger)
each_probe_by_itself = Ablated("each-probe-by-itself", _EachProbeByItself)
acks_are_no_life = Ablated("acks-are-no-life", _AcksAreNoLife)
bytes_are_no_life = Ablated("bytes-are-no-life", _BytesAreNoLife)
sent_bytes_are_life = Ablated("sent-bytes-are-life", _SentBytesAreLife)
rarely_probes = Misconfigured(
    "rarely-probes",
    "A link that has nothing to say is probed every ten minutes",
    timing={"probe_interval": 600.0},
)
no_ceiling = Misconfigured(
    "no-ceiling",
    "Whoever talks is alive, for ever, whatever goes unanswered",
    timing={"probe_ceiling": NEVER},
)
no_write_deadline = Misconfigured(
    "no-write-deadline", "A write buffer may stay full for ever", timing={"write_timeout": NEVER}
)
no_time_for_a_retransmission = Misconfigured(
    "no-time-for-a-retransmission",
    "A silence of 150 ms is a death: TCP needs 200 ms to send a lost packet again",
    timing={"probe_floor": 0.05},
)
waits_for_the_buffer = Ablated("waits-for-the-buffer", _WaitsForTheBuffer)
deadlines_by_the_wall_clock = Ablated("deadlines-by-the-wall-clock", _DeadlinesByTheWallClock)
sleeps_on = Ablated("sleeps-on", _SleepsOn)
verdicts_before_reading = Ablated("verdicts-before-reading", _VerdictsBeforeReading)

backoff_restarts_on_connect = Ablated("backoff-restarts-on-connect", _BackoffRestartsOnConnect)
no_jitter = Ablated("no-jitter", _NoJitter)
half_jitter = Ablated("half-jitter", _HalfJitter)
no_growth = Ablated("no-growth", _NoGrowth)
no_cap = Misconfigured("no-cap", "Delays double without end", timing={"reconnect_cap": NEVER})
backoff_never_starts_over = Ablated("backoff-never-starts-over", _BackoffNeverStartsOver)
ignores_retry_after = Ablated("ignores-retry-after", _IgnoresRetryAfter)
waits_as_long_as_asked = Ablated("waits-as-long-as-asked", _WaitsAsLongAsAsked)
age_is_life = Ablated("age-is-life", _AgeIsLife)
stops_between_attempts = Ablated("stops-between-attempts", _StopsBetweenAttempts)
control_link_stays_away = Ablated("control-link-stays-away", _ControlLinkStaysAway)
no_backoff_after_clean_close = Ablated("no-backoff-after-clean-close", _NoBackoffAfterCleanClose)
goodbye_for_good = Ablated("goodbye-for-good", _GoodbyeForGood)
ignores_refusals = Ablated("ignores-refusals", _IgnoresRefusals)
impatient_open = Misconfigured(
    "impatient-open",
    "A handshake gets 2 s, less than the 3 s of a slow round trip",
    timing={"open_timeout": 2.0},
)
no_limit_to_a_handshake = Misconfigured(
    "no-limit-to-a-handshake", "A handshake may take for ever", timing={"open_timeout": NEVER}
)
a_bad_answer_is_for_good = Ablated("a-bad-answer-is-for-good", _ABadAnswerIsForGood)
leaves_the_late = Ablated("leaves-the-late", _LeavesTheLate)
goes_where_it_is_sent = Ablated("goes-where-it-is-sent", _GoesWhereItIsSent)
shows_old_papers = Ablated("shows-old-papers", _ShowsOldPapers)
no_delay_for_nonsense = Ablated("no-delay-for-nonsense", _NoDelayForNonsense)
any_pong_is_an_answer = Ablated("any-pong-is-an-answer", _AnyPongIsAnAnswer)
a_fragment_is_a_message = Ablated("a-fragment-is-a-message", _AFragmentIsAMessage)
not_found_is_for_good = Ablated("not-found-is-for-good", _NotFoundIsForGood)
one_address_at_a_time = Ablated("one-address-at-a-time", _OneAddressAtATime)
fin_is_no_end = Ablated("fin-is-no-end", _FinIsNoEnd)
waits_for_the_end = Ablated("waits-for-the-end", _WaitsForTheEnd)
waits_for_the_flush = Misconfigured(
    "waits-for-the-flush", "The stop waits for confirms, however long", timing={"flush_timeout": NEVER}
)
flushes_once = Ablated("flushes-once", _FlushesOnce)
waits_for_room_for_ever = Ablated("waits-for-room-for-ever", _WaitsForRoomForEver)
stops_by_the_clock = Ablated("stops-by-the-clock", _StopsByTheClock)

usual_max_size = Ablated("usual-max-size", _UsualMaxSize)
no_drain = Ablated("no-drain", _NoDrain)
a_read_is_a_message = Ablated("a-read-is-a-message", _AReadIsAMessage)
bad_input_stops = Ablated("bad-input-stops", _BadInputStops)
retries_a_bad_message = Ablated("retries-a-bad-message", _RetriesABadMessage)
one_hand_out_of_sight = Ablated("one-hand-out-of-sight", _OneHandOutOfSight)
own_clock = Ablated("own-clock", _OwnClock)
gaps_break_contact = Ablated("gaps-break-contact", _GapsBreakContact)
resets_need_a_link = Ablated("resets-need-a-link", _ResetsNeedALink)
resets_may_be_displaced = Ablated("resets-may-be-displaced", _ResetsMayBeDisplaced)
resets_on_connect = Ablated("resets-on-connect", _ResetsOnConnect)
fail_goes_on = Ablated("fail-goes-on", _FailGoesOn)

obeys_the_input = Ablated("obeys-the-input", _ObeysTheInput)
silent_while_paused = Ablated("silent-while-paused", _SilentWhilePaused)
pause_stops_the_climb = Ablated("pause-stops-the-climb", _PauseStopsTheClimb)
flat_rules_only = Ablated("flat-rules-only", _FlatRulesOnly)


ALL = tuple(client for client in vars().values() if isinstance(client, Ablated | Misconfigured))
