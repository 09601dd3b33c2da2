"""The events of a trace taken in, one after another, in one pass.                                             pure"""

from collections.abc import Iterable, Mapping
from typing import Any

from chaos.timeline.observed import (
    LONG_GAP,
    STEADY_AFTER,
    UNKNOWN,
    Attempt,
    Change,
    Closed,
    Connection,
    Draw,
    Ender,
    Gap,
    LinkChange,
    LinkRecord,
    Observed,
)
from chaos.timeline.untyped_causes import refusal_cause_by_words, stream_end_by_words
from tracker import events

MAX_REJECTED = 10_000
"""Rejections whose times are kept; the counts go on."""


class Watcher:
    """Takes one event after another; what no tracker reported is passed over.

    `handlers` has a method for each kind of event that is of interest.
    """

    def __init__(self, handlers: Mapping[type, Any] | None = None) -> None:
        self.seen = Observed()
        self._handlers = _ALL if handlers is None else handlers
        self._frame: float | None = None
        self._confirm: float | None = None
        self._news: float | None = None
        self._unconfirmed = 0
        self._sent = 0
        self._announced: dict[str, events.Waiting] = {}
        self._out: dict[str, dict[int, float]] = {}

    def take(self, event: Any) -> None:
        seen = self.seen
        if not seen.count:
            seen.began = event.t
        seen.count += 1
        seen.ended = max(seen.ended, event.t) if seen.count > 1 else event.t
        handle = self._handlers.get(type(event))
        if handle is not None:
            handle(self, event)

    # Links

    def connecting(self, event: events.Connecting) -> None:
        record = self.seen.link(event.link)
        record.attempts.append(Attempt(event.link, event.t, event.attempt))
        waited = self._announced.pop(event.link, None)
        if waited is not None:
            record.draws.append(Draw(waited.t, waited.delay, event.attempt))

    def connected(self, event: events.Connected) -> None:
        self.seen.link(event.link).has_connected(event.connection, event.t, event.took)
        self._out[event.link] = {}

    def refused(self, event: events.Refused) -> None:
        record = self.seen.link(event.link)
        record.changes.append(LinkChange(event.t, Change.REFUSED, event.status, for_good=event.fatal))
        if not record.attempts or record.attempts[-1].outcome != "pending":
            record.attempts.append(Attempt(event.link, event.t, 1))
        attempt = record.attempts[-1]
        attempt.ended, attempt.outcome = event.t, "refused"
        attempt.why, attempt.status, attempt.fatal = event.why, event.status, event.fatal
        attempt.cause = event.cause or refusal_cause_by_words(event.why, event.status)

    def waiting(self, event: events.Waiting) -> None:
        self._announced[event.link] = event

    def suspected(self, event: events.Suspected) -> None:
        self._open(event.link)
        self.seen.link(event.link).changes.append(LinkChange(event.t, Change.SUSPECTED))

    def revived(self, event: events.Revived) -> None:
        self._open(event.link)
        self.seen.link(event.link).changes.append(LinkChange(event.t, Change.REVIVED))

    def died(self, event: events.Died) -> None:
        connection = self._open(event.link)
        self.seen.link(event.link).changes.append(LinkChange(event.t, Change.DIED))
        if connection is not None:
            connection.died = event

    def closed(self, event: events.Closed) -> None:
        self._open(event.link)
        by: Ender = "client" if event.by == "tracker" else event.by
        end = event.stream_end
        if by == "network" and end is None:
            end = stream_end_by_words(event.why)
        closed = Closed(event.t, event.code, by, event.why, event.unconfirmed, end)
        self.seen.link(event.link).has_closed(event.connection, closed)
        if event.link == "input":
            self._frame = None

    def _open(self, link: events.LinkName) -> Connection | None:
        """The open connection; one that was there before the trace began, where nothing has been said of one."""
        record = self.seen.link(link)
        if not record.connections and not record.attempts:
            record.was_open(UNKNOWN, self.seen.began)
            record.changes.append(LinkChange(self.seen.began, Change.CONNECTED))
        return record.open

    def probed(self, event: events.Probed) -> None:
        connection = self._open(event.link)
        self._out.setdefault(event.link, {})[event.number] = event.t
        if connection is not None:
            connection.probes += 1
            if connection.first_probe is None:
                connection.first_probe = event.t
            if connection.unanswered is None:
                connection.unanswered = event.t

    def answered(self, event: events.Answered) -> None:
        record = self.seen.link(event.link)
        record.sent.append(event.t - event.rtt)
        record.trips.append(event.rtt)
        # A Pong answers every earlier Ping too.
        out = self._out.setdefault(event.link, {})
        for number in [number for number in out if number <= event.number]:
            del out[number]
        connection = self._open(event.link)
        if connection is not None:
            connection.answers += 1
            connection.last_answer = event.t
            if connection.first_answer is None:
                connection.first_answer = event.t
            connection.unanswered = min(out.values(), default=None)

    def lagged(self, event: events.Lagged) -> None:
        self.seen.link(event.link).lags.append((event.t, event.seconds))

    def carried(self, event: events.Carried) -> None:
        connection = self._open(event.link)
        if connection is None:
            return
        if event.received:
            connection.last_heard = event.t
        connection.unasked += event.unasked
        if event.link == "output" and event.unasked:
            self.seen.unasked.add(event.t, event.unasked)
        connection.stuck = event.buffered

    # Messages

    def received(self, event: events.Received) -> None:
        if self._frame is not None and event.t - self._frame > LONG_GAP:
            self.seen.input_gaps.append(Gap(self._frame, event.t))
        self._frame = event.t
        self.seen.received.add(event.t)
        connection = self._open("input")
        if connection is not None:
            connection.last_frame = event.t

    def accepted(self, event: events.Accepted) -> None:
        seen = self.seen
        seen.accepted.add(event.t)
        seen.sizes += event.size
        if self._unconfirmed == 0:
            self._confirm = event.t  # from now on a confirm is due
        self._unconfirmed += 1

    def sent(self, event: events.Sent) -> None:
        self.seen.sends.add(event.t)
        connection = self._open("output")
        if connection is not None:
            connection.sent += 1
        self._sent += 1
        if self._sent == STEADY_AFTER:
            self.seen.steady = event.t

    def confirmed(self, event: events.Confirmed) -> None:
        seen = self.seen
        seen.confirmed.add(event.t, event.count)
        seen.left[int(event.t // 1)] = event.left
        self._silent_until(event.t)
        self._unconfirmed = event.left
        self._confirm = self._news = event.t

    def _silent_until(self, t: float) -> None:
        if self._news is not None and t - self._news > LONG_GAP:
            self.seen.quiet.append(Gap(self._news, t))
        if self._confirm is not None and self._unconfirmed and t - self._confirm > LONG_GAP:
            self.seen.silences.append(Gap(self._confirm, t))

    def displaced(self, event: events.Displaced) -> None:
        self.seen.displaced.append(event.t)
        self._unconfirmed = max(0, self._unconfirmed - 1)

    def rejected(self, event: events.Rejected) -> None:
        seen = self.seen
        seen.rejections[event.reason] = seen.rejections.get(event.reason, 0) + 1
        if len(seen.rejected) < MAX_REJECTED:
            seen.rejected.append((event.t, event.reason))

    def reset(self, event: events.SessionReset) -> None:
        self.seen.resets.append(event.t)

    def touched(self, _: events.Touched) -> None:
        self.seen.touches += 1

    def stopping(self, event: events.Stopping) -> None:
        self.seen.stopping = event.t
        self._silent_until(event.t)
        self._unconfirmed = 0
        self._news = None

    def stopped(self, event: events.Stopped) -> None:
        self.seen.stopped = event

    def finish(self) -> Observed:
        self._silent_until(self.seen.ended)
        return self.seen


ABOUT_LINKS: Mapping[type, Any] = {
    events.Connecting: Watcher.connecting,
    events.Connected: Watcher.connected,
    events.Refused: Watcher.refused,
    events.Waiting: Watcher.waiting,
    events.Suspected: Watcher.suspected,
    events.Revived: Watcher.revived,
    events.Died: Watcher.died,
    events.Closed: Watcher.closed,
    events.Probed: Watcher.probed,
    events.Answered: Watcher.answered,
}
_ALL: Mapping[type, Any] = {
    **ABOUT_LINKS,
    events.Lagged: Watcher.lagged,
    events.Carried: Watcher.carried,
    events.Received: Watcher.received,
    events.Accepted: Watcher.accepted,
    events.Sent: Watcher.sent,
    events.Confirmed: Watcher.confirmed,
    events.Displaced: Watcher.displaced,
    events.Rejected: Watcher.rejected,
    events.SessionReset: Watcher.reset,
    events.Touched: Watcher.touched,
    events.Stopping: Watcher.stopping,
    events.Stopped: Watcher.stopped,
}


def observe(history: Iterable[Any]) -> Observed:
    """All of a trace or of a laboratory's record at once; what no tracker reported is passed over."""
    watcher = Watcher()
    for event in history:
        if isinstance(event, events.Event):
            watcher.take(event)
    return watcher.finish()


def links_of(history: Iterable[Any]) -> Mapping[events.LinkName, LinkRecord]:
    """What became of each link up to the orderly stop; what ended then was open."""
    watcher = Watcher(ABOUT_LINKS)
    for event in history:
        kind = type(event)
        if kind is events.Stopping:
            break
        if kind in ABOUT_LINKS:
            watcher.take(event)
    return watcher.seen.links
