"""The tracker: input link -> pipeline -> outbox -> output link, and an orderly end."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tracker import control_replies, events, messages, standstill
from tracker.access import Access
from tracker.config import ConfigError, OutboxLimits, TrackerConfig
from tracker.counters import Counters
from tracker.link import Link
from tracker.messages import BadMessage, Control, Pose
from tracker.outbox import Message, Outbox, OutboxFull
from tracker.pipeline import Pipeline
from tracker.standstill import Standstill
from tracker.timestamps import Clock
from tracker.traffic import Incoming, Outgoing
from tracker.wire import Wire

log = logging.getLogger("tracker")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    undelivered: int
    """Accepted messages that were not confirmed when the tracker stopped."""
    failure: str | None
    """Why it could not go on; None after an orderly stop."""


class Tracker:
    """One wall's tracker. Create it inside a running event loop, `run` it once, `stop` it from the same loop."""

    def __init__(
        self,
        config: TrackerConfig,
        pipeline: Pipeline,
        *,
        rng: Random,
        observers: tuple[events.Observer, ...] = (),
        keep: Callable[[events.LinkName, bytes], None] | None = None,
        access: Mapping[events.LinkName, Access] | None = None,
    ) -> None:
        """`access` to the endpoints, where one wants more than its URL; `keep` is given every message of the input and the control link as it came, before it is decoded."""
        self._config = config
        self._access = access or {}
        self._pipeline = pipeline
        self.counters = Counters()
        self._observers = (self.counters.observe, *observers)
        self._keep_message = keep
        self._outbox = Outbox(config.outbox, confirm=config.confirm, overflow=config.overflow)
        self._out = Outgoing(self._outbox, stream=pipeline.stream, report=self._report)
        self._output = self._link("output", config.output_url, self._out, rng)
        self._inputs = [self._link("input", config.input_url, Incoming(self._on_input), rng)]
        if config.control_url is not None:
            self._inputs.append(self._link("control", config.control_url, Incoming(self._on_control), rng))
        self._clock = Clock(lambda said: log.info("%s", said))
        self._paused = False
        self._turn = asyncio.Lock()  # numbers are given and messages put in one order, by whichever link
        self._stopping = asyncio.Event()
        self._stop_reason = ""
        self._stop_cause: events.StopCause = "asked"
        self._failure: str | None = None
        self._bugs: set[type[Exception]] = set()

    def _link(self, name: events.LinkName, url: str, traffic: Incoming | Outgoing, rng: Random) -> Link:
        return Link(
            name,
            url,
            traffic,
            timing=self._config.timing,
            rng=rng,
            report=self._report,
            access=self._access.get(name, Access()),
        )

    @property
    def stopping(self) -> bool:
        """Whether an orderly stop has begun."""
        return self._stopping.is_set()

    @property
    def links(self) -> tuple[Link, ...]:
        """The input, the control link if there is one, and the output."""
        return (*self._inputs, self._output)

    @property
    def outbox(self) -> Outbox:
        """What is accepted and not confirmed; to be looked at only."""
        return self._outbox

    @property
    def paused(self) -> bool:
        """Whether a control has paused the output."""
        return self._paused

    def stop(self, why: str) -> None:
        """Begin the orderly stop; idempotent, the first reason counts."""
        self._come_to_an_end("asked", why)

    def _come_to_an_end(self, cause: events.StopCause, why: str) -> None:
        if not self._stopping.is_set():
            self._stop_cause, self._stop_reason = cause, why
            self._stopping.set()

    def report(self, event: events.AnyEvent) -> None:
        """Tell its observers of what happened beside it."""
        self._report(event)

    def limit_outbox(self, limits: OutboxLimits) -> None:
        """Hold so many outputs from now on; what is held already stays until it gives way."""
        self._out.limit(limits)

    async def run(self) -> Outcome:
        """Until `stop`, a `stop` control, a refusal for good, or an overflow under the policy ``fail``.

        Then: the inputs are closed, the outbox is flushed within `flush_timeout`, the output is closed with 1001.
        Cancelling it instead drops the connections at once.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(self._keep(link)) for link in self._inputs]
            output_keeper = tasks.create_task(self._keep(self._output))
            timing = self._config.timing
            # Whoever stood still for longer than any silence is borne has to find out anew what lives.
            waking = standstill.watch(timing.probe_interval / 2, timing.probe_ceiling, self._woke)
            watcher = tasks.create_task(waking, name="standstill")
            await self._stopping.wait()
            watcher.cancel()
            self._report(
                events.Stopping(
                    t=loop.time(), why=self._stop_reason, left=len(self._outbox), cause=self._stop_cause
                )
            )
            for link in self._inputs:
                link.stop()
            try:
                async with asyncio.timeout(self._config.timing.flush_timeout):
                    await asyncio.wait(keepers)  # each is bounded by its link's close_timeout
                    if not output_keeper.done():
                        await self._out.flushed()
            except TimeoutError:
                pass  # what is left is counted and said below
            self._output.stop()
        undelivered = len(self._outbox)
        self._report(events.Stopped(t=loop.time(), undelivered=undelivered))
        return Outcome(undelivered, self._failure)

    def _woke(self, stood: Standstill) -> None:
        for link in self.links:
            link.woke(stood)

    async def _keep(self, link: Link) -> None:
        await link.run()
        if link.refusal is not None:
            self._fail("refused", link.refusal)

    def _fail(self, cause: events.StopCause, why: str) -> None:
        self._failure = self._failure or why
        self._come_to_an_end(cause, why)

    def _report(self, event: events.AnyEvent) -> None:
        for observer in self._observers:
            observer(event)

    # In

    async def _on_input(self, data: bytes, wire: Wire) -> None:
        if self._keep_message is not None:
            self._keep_message("input", data)
        try:
            message = messages.decode_input(data, self._clock)
            if isinstance(message, Pose):
                await self._on_pose(message, wire)
            else:
                self._reset("input")
        except BadMessage as bad:
            self._reject("input", bad.reason, bad.detail)
        except OutboxFull:
            self._fail(
                "outbox-full",
                f"outbox is full ({len(self._outbox)} messages, {self._outbox.bytes} bytes) and overflow is 'fail':"
                " allow more (--outbox-messages) or choose --overflow latest",
            )
        except Exception as bug:  # noqa: BLE001 - see `_met_a_bug`
            self._met_a_bug("input", bug)

    async def _on_pose(self, pose: Pose, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        self._report(events.Received(t=loop.time(), timestamp=pose.timestamp, sequence=pose.sequence))
        step = self._pipeline.step(pose)
        for touch in step.touched:
            self._report(events.Touched(t=loop.time(), hold=touch.hold_id, time=touch.time_ms))
        if not self._paused:
            await self._send(self._pipeline.encode, essential=step.essential, wire=wire)

    def _reset(self, link: events.LinkName, *, not_understood: str = "") -> None:
        self._pipeline.reset()
        now = asyncio.get_running_loop().time()
        self._report(events.SessionReset(t=now, link=link, not_understood=not_understood))

    async def _send(self, encode: Callable[[int], bytes], *, essential: bool, wire: Wire) -> None:
        """Give the next number to what `encode` makes and put it into the outbox; wait for room where the policy says.

        Raises `OutboxFull` under the policy ``fail``.
        """
        if self._turn.locked():
            with wire.held():  # another link's message waits for room; this one comes after it
                await self._turn.acquire()
        else:
            await self._turn.acquire()
        try:
            seq = self._outbox.next_seq
            message = Message(seq, encode(seq), essential)
            try:
                self._out.put(message)
            except OutboxFull:
                if self._config.overflow == "fail":
                    raise
                with wire.held():
                    await self._wait_for_room(message)
        finally:
            self._turn.release()

    async def _wait_for_room(self, message: Message) -> None:
        """Put `message` when there is room; an orderly stop ends the wait, and then it is counted as rejected."""
        putting = asyncio.ensure_future(self._out.put_when_room(message))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait([putting, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Also when we are cancelled; a put that is already done is not undone by this.
            putting.cancel()
            stopping.cancel()
            await asyncio.wait([putting, stopping])
        if putting.cancelled():
            self._reject("input", "stopping", f"output {message.seq} found no room before the stop")

    async def _on_control(self, data: bytes, wire: Wire) -> None:
        if self._keep_message is not None:
            self._keep_message("control", data)
        try:
            try:
                reply = self._obey(messages.decode_control(data), control_replies.not_understood(data))
            except (BadMessage, ConfigError) as bad:
                await self._refuse(
                    bad if isinstance(bad, BadMessage) else BadMessage("bad-parameters", str(bad)), data, wire
                )
            else:
                await self._answer(reply, essential=True, wire=wire)
        except OutboxFull:
            self._fail(
                "outbox-full", "outbox is full and a control's reply found no room: overflow is 'fail'"
            )
        except Exception as bug:  # noqa: BLE001 - see `_met_a_bug`
            self._met_a_bug("control", bug)

    async def _answer(self, reply: messages.Reply | None, *, essential: bool, wire: Wire) -> None:
        if reply is not None:
            await self._send(
                lambda seq: messages.encode_reply(reply, stream=self._pipeline.stream, seq=seq),
                essential=essential,
                wire=wire,
            )

    async def _refuse(self, bad: BadMessage, data: bytes, wire: Wire) -> None:
        """Say so to whoever sent it. Others may send anything without end, so the reply gives way as a frame does."""
        reply = control_replies.refusal(bad, data)
        self._reject("control", bad.reason, bad.detail, answered=None if reply is None else True)
        await self._answer(reply, essential=False, wire=wire)

    def _obey(self, control: Control, strange: tuple[str, ...]) -> messages.Reply | None:
        """Carry out a control; the reply, for those that have one. `strange` is what of it was not understood."""
        said = ", ".join(strange)
        reply: messages.Reply
        match control:
            case messages.ResetHolds():
                self._reset("control", not_understood=said)
                return None
            case messages.PauseOutput():
                self._paused = True
                reply = messages.Reply("output_paused")
                self._controlled("pause_output", not_understood=said)
            case messages.ResumeOutput():
                self._paused = False
                reply = messages.Reply("output_resumed")
                self._controlled("resume_output", not_understood=said)
            case messages.UpdateParameters():
                reply = self._update(control.asked, said)
            case messages.GetStatus():
                self._controlled("get_status", not_understood=said)
                reply = messages.Reply("status_response", self._status())
            case messages.Stop():
                self._controlled("stop", not_understood=said)
                self._come_to_an_end("stop-control", "stop control")
                reply = messages.Reply("stop_acknowledged")
        return control_replies.with_not_understood(reply, strange)

    def _update(self, asked: messages.Parameters, not_understood: str) -> messages.Reply:
        if asked == messages.Parameters():
            raise BadMessage(
                "nothing-asked",
                "it names none of proximity_threshold, touch_duration and route"
                + (f"; not understood: {not_understood}" if not_understood else ""),
            )
        before = self._pipeline.parameters()
        self._pipeline.update(
            proximity_threshold=asked.proximity_threshold,
            touch_duration=asked.touch_duration,
            route=asked.route,
        )
        now = self._pipeline.parameters()
        rules = self._pipeline.rules
        self._report(
            events.Controlled(
                t=asyncio.get_running_loop().time(),
                kind="update_parameters",
                proximity_threshold=rules.proximity_threshold,
                touch_duration=rules.touch_duration,
                changed=now != before,
                not_understood=not_understood,
            )
        )
        return messages.Reply("parameters_updated" if now != before else "parameters_unchanged", now)

    def _controlled(self, kind: str, *, not_understood: str) -> None:
        now = asyncio.get_running_loop().time()
        self._report(events.Controlled(t=now, kind=kind, not_understood=not_understood))

    def _status(self) -> dict[str, object]:
        return {
            "session": self._pipeline.snapshot(),
            "parameters": self._pipeline.parameters(),
            "paused": self._paused,
            "links": {link.name: link.state.value for link in self.links},
            "outbox": {
                "held": len(self._outbox),
                "in_flight": self._outbox.in_flight,
                "bytes": self._outbox.bytes,
            },
            "counters": self.counters.as_dict(),
        }

    def _met_a_bug(self, link: events.LinkName, bug: Exception) -> None:
        """No input stops a tracker, and that includes the input that meets a bug of ours. Each kind is logged once."""
        if type(bug) not in self._bugs:
            self._bugs.add(type(bug))
            log.error("a bug met a message; it is skipped, and so are others like it", exc_info=bug)
        self._reject(link, events.MET_A_BUG, repr(bug))

    def _reject(
        self, link: events.LinkName, reason: str, detail: str, *, answered: bool | None = None
    ) -> None:
        now = asyncio.get_running_loop().time()
        self._report(events.Rejected(t=now, link=link, reason=reason, detail=detail, answered=answered))
