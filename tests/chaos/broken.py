"""A tracker that is broken in twenty places at once, each of which lets it look alive and well.

    simtool chaos --engine sim --client tests.chaos.broken:tracker

It is built as production builds it; then its objects become ones of the subclasses below, as in `tests.chaos.ablated`.
What is wrong is numbered. It is held to what a whole tracker declares.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from chaos.clients import Assignment
from chaos.clients.tracker import TrackerClient
from tests.chaos.ablated import parts
from tracker import events, messages
from tracker.app import Tracker
from tracker.link import Link
from tracker.liveness import Liveness
from tracker.messages import Control, Landmark, Reply
from tracker.outbox import Message, Outbox
from tracker.pipeline import Pipeline
from tracker.reconnect import Backoff, Failure
from tracker.session import Session
from tracker.wire import Wire


class _Outbox(Outbox):
    def put(self, message: Message) -> list[Message]:
        """1. Messages that carry a touch may be displaced. 2. What gives way is not announced."""
        alike = replace(message, essential=False)
        return [message for displaced in super().put(alike) if displaced is alike]

    def has_room(self, size: int) -> bool:
        """3. It holds one message more than its bound."""
        return super().has_room(size) or len(self) == self._limits.messages

    def _confirm_through(self, seq: int) -> int:
        """4. A Pong, and an ack too, confirms one message too many."""
        return super()._confirm_through(seq + 1)


class _Liveness(Liveness):
    def progress(self, now: float, *, flushed: int, buffered: int) -> None:
        """5. There is no deadline for a write buffer that stays full."""

    def received(self, now: float) -> None:
        """6. A peer that talks is alive, whatever goes unanswered."""
        if self._anchor is not None:
            self._anchor = max(self._anchor, now)
        super().received(now)

    def stalled(self, now: float, seconds: float) -> None:
        """7. Stalls of our own loop count as the peer's silence."""

    def probe_due(self, *, urgent: bool) -> float:  # noqa: ARG002 - that is the mistake
        """8. Messages that wait for a confirm do not hurry the next probe."""
        return super().probe_due(urgent=False)


class _Backoff(Backoff):
    def after_close(self, lived: float) -> float:
        """9. The back-off never starts over."""
        return super().after_close(min(lived, 0.0))

    def after_refusal(self, failure: Failure) -> float:
        """10. A server that asks for patience is asked again as soon as any other."""
        return super().after_refusal(replace(failure, retry_after=None))


class _Link(Link):
    async def _serve(self, wire: Wire) -> None:
        """11. Every reconnect of the input resets the session."""
        _break([wire.liveness])
        if self.name == "input" and wire.number > 1:
            self.traffic._handle.__self__._reset("input")
        await super()._serve(wire)

    def _refused(self, failure: Failure) -> float | None:
        """12. A 403 is not final. 13. Neither is a 404."""
        if failure.status not in (403, 404):
            return super()._refused(failure)
        now = asyncio.get_running_loop().time()
        self.report(
            events.Refused(t=now, link=self.name, why=failure.text, status=failure.status, fatal=False)
        )
        self.enter("unreachable")
        return self._backoff.after_refusal(failure)


class _Tracker(Tracker):
    def _obey(self, control: Control) -> Reply | None:
        """14. `pause_output` is acknowledged, and outputs go on. 15. A `stop` is acknowledged and not obeyed."""
        if isinstance(control, messages.Stop):
            self._controlled("stop")
            return Reply("stop_acknowledged")
        reply = super()._obey(control)
        self._paused = False
        return reply


class _Pipeline(Pipeline):
    def encode(self, seq: int) -> bytes:
        """16. A reset is not announced."""
        self._reset_due = False
        return super().encode(seq)

    def _contacts(self, hand: Landmark) -> list[int]:
        """17. A hidden hand counts."""
        return super()._contacts(msgspec.structs.replace(hand, visibility=1.0))

    def update(self, **asked: Any) -> None:
        """18. A new threshold is shown and not applied."""
        grid = self._grid
        super().update(**asked)
        self._grid = grid


class _Session(Session):
    def reset(self) -> None:
        """19. A reset leaves the start time. 20. A hand that rests on a hold meanwhile has touched it already."""
        start, contacts = self._start, dict(self._contacts)
        super().reset()
        self._start = start
        self._contacts.update(contacts)


_BROKEN: dict[type, type] = {
    kind.__base__: kind for kind in (_Outbox, _Liveness, _Backoff, _Link, _Tracker, _Pipeline, _Session)
}


def _break(parts: Iterable[Any]) -> None:
    for part in parts:
        part.__class__ = _BROKEN.get(type(part), type(part))


class Broken(TrackerClient):
    """See the module."""

    name = "broken"

    def assemble(self, assignment: Assignment) -> Tracker:
        whole = super().assemble(assignment)
        _break(parts(whole))
        return whole


tracker = Broken()
