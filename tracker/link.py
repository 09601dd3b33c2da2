"""One supervised WebSocket link: it connects, keeps alive, gives up, waits, and connects again.

The shell around `liveness`, `reconnect` and `states`. It knows nothing of poses or outboxes: what goes over the
link is a `Traffic`, and one open connection is a `Wire`.

The library's own keepalive is off: it counts only its own Pong, and waits without bound for a full write buffer.
"""

import asyncio
from importlib.metadata import version
from random import Random
from typing import cast

from websockets.asyncio.client import connect

from tracker import events, states
from tracker.config import Timing, redacted
from tracker.connection import LinkConnection
from tracker.failures import failure_of
from tracker.reconnect import Backoff, Failure, remedy
from tracker.states import LinkState
from tracker.wire import Traffic, Wire

MAX_FRAME_BYTES = 64 * 2**20
"""A larger message ends the connection with 1009; a smaller bad one is read and skipped."""

USER_AGENT = f"pose-session-tracker/{version('pose-session-tracker')}"


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
                create_connection=LinkConnection,
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
        wire = Wire(self, cast(LinkConnection, connection), self._connections)
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
