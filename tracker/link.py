"""One supervised WebSocket link: it connects, keeps alive, gives up, waits, and connects again.

The shell around `liveness`, `reconnect` and `states`. It knows nothing of poses or outboxes: what goes over the
link is a `Traffic`, and one open connection is a `Wire`.

The library's own keepalive is off: it counts only its own Pong, and waits without bound for a full write buffer.
"""

import asyncio
import contextlib
from random import Random
from typing import cast

from tracker import events, states
from tracker.access import Access, AccessError, Papers
from tracker.config import Timing, redacted
from tracker.connection import LinkConnection
from tracker.failures import failure_of
from tracker.opening import Opening
from tracker.reconnect import Backoff, Failure, remedy
from tracker.standstill import Standstill
from tracker.states import LinkState
from tracker.wire import Traffic, Wire

RENEWAL_PATIENCE = 60.0
"""Seconds, beside the jitter, until papers that were refused and come from a file are shown again as they are."""
RENEWAL_LOOK = 1.0
"""Seconds between two looks whether they were renewed meanwhile."""

_MAY_BE_RENEWED = (401, 403)


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
        access: Access = Access(),  # noqa: B008 - frozen
    ) -> None:
        self.name = name
        self.url = url
        self.traffic = traffic
        self.timing = timing
        self.report = report
        self.state = LinkState.CONNECTING
        self.refusal: str | None = None
        """Why there will be no more attempts, once the state is FAILED."""
        self._access = access
        self._papers = Papers()  # of the latest attempt
        self._refused_until: float | None = None
        """They were refused, and are not shown again as they are before this moment."""
        self._backoff = Backoff(timing, rng)
        self._connections = 0
        self._wire: Wire | None = None
        self._stop = asyncio.Event()
        self._began = 0.0  # the latest attempt
        self._attempt: asyncio.Timeout | None = None
        self._patient = False  # the peer has asked for the delay
        self._woken = asyncio.Event()

    def enter(self, event: str) -> None:
        """Follow the table of states."""
        self.state = states.after(self.state, event)

    def stop(self) -> None:
        """Close with 1001 and end `run`; idempotent."""
        self._stop.set()

    def woke(self, stood: Standstill) -> None:
        """The machine stood still for long: what was there before may be gone, and nothing would say so.

        A connection must answer now, an attempt that hangs is made anew, and nobody waits out a delay.
        """
        if stood.unseen:
            self.report(events.Lagged(t=_now(), link=self.name, seconds=stood.seconds))
        if self._wire is not None:
            self._wire.woke()
            return
        self._woken.set()
        attempt = self._attempt
        if attempt is not None and not attempt.expired() and self._began <= stood.began:
            attempt.reschedule(_now())

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
            again, self._refused_until = self._refused_until, None
            await self._wait(delay)
            if again is not None:
                await self._renewed(again)
            self.enter("delay over")

    async def _wait(self, delay: float) -> None:
        """So many seconds, or a short delay from when the machine woke; patience that the peer asked for is kept."""
        if not self._patient:
            if not self._woken.is_set():
                self.report(events.Waiting(t=_now(), link=self.name, delay=delay))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._woken.wait()
            if not self._woken.is_set():
                return
            delay = self._backoff.after_standstill()
        self.report(events.Waiting(t=_now(), link=self.name, delay=delay))
        await asyncio.sleep(delay)

    async def _renewed(self, until: float) -> None:
        """Wait until there are other papers to show than those that were refused, and no longer than `until`."""
        while (left := until - _now()) > 0:
            try:
                if self._access.papers() != self._papers:
                    return
            except AccessError:
                pass  # they are being written; the next attempt says what is wrong with them, if it still is
            await asyncio.sleep(min(left, RENEWAL_LOOK))

    async def _connect_and_serve(self) -> float | None:
        """One attempt and all that follows from it: seconds to wait before the next, None when there is none."""
        began = self._began = _now()
        self._woken.clear()
        self._patient = False
        self.report(events.Connecting(t=began, link=self.name, attempt=self._backoff.attempt))
        try:
            self._papers = self._access.papers()
            async with asyncio.timeout(None) as self._attempt:
                connection = await self._open(self._papers)
        except Exception as error:  # noqa: BLE001 - an endpoint can answer with anything: a redirect to no URL, a name
            # that cannot be encoded, two headers where one belongs. Whatever it was, the attempt failed, and
            # there is a next one.
            return self._refused(failure_of(error))
        finally:
            self._attempt = None
        self._connections += 1
        wire = Wire(self, connection, self._connections)
        self.enter("opened")
        self.report(events.Connected(t=_now(), link=self.name, connection=wire.number, took=_now() - began))
        self._wire = wire
        try:
            await self._serve(wire)
        finally:
            wire.abort()  # closed already, unless we are cancelled
            self._wire = None
            unconfirmed = self.traffic.lost()
        if wire.liveness.waking:  # that it ended says nothing about the peer
            self._woken.set()
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

    async def _open(self, papers: Papers) -> LinkConnection:
        return cast(LinkConnection, await self._opening(papers))

    def _opening(self, papers: Papers) -> Opening:
        return Opening(self.url, self._access, papers, timing=self.timing, redirected=self._redirected)

    async def _serve(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(wire.watch(tasks), name=f"{self.name} watch")
            await self.traffic.converse(wire)
            watch.cancel()

    def _redirected(self, url: str) -> None:
        self.report(events.Redirected(t=_now(), link=self.name, to=url))

    def _refused(self, failure: Failure) -> float | None:
        renewable = failure.status in _MAY_BE_RENEWED and self._access.renewable
        cure = None if renewable else remedy(failure)
        if renewable:
            self._refused_until = _now() + RENEWAL_PATIENCE
        self.report(
            events.Refused(
                t=_now(),
                link=self.name,
                why=failure.text,
                status=failure.status,
                fatal=cure is not None,
                cause=failure.cause,
                renewable=renewable,
            )
        )
        if cure is None:
            self.enter("unreachable")
            self._patient = failure.retry_after is not None
            return self._backoff.after_refusal(failure)
        self.refusal = f"{self.name} endpoint {redacted(self.url)} refused for good ({failure.text}): {cure}"
        self.enter("refused for good")
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
