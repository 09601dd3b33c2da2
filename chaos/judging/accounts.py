"""A client's account of its output, held to its own rules: what it sends next, how much of it, what is confirmed.    pure

Messages leave in the order of their numbers, after a reconnect too, and the oldest plain one gives way. No more of them are on the wire than the declared window
takes; a message that is larger goes alone. A Pong confirms what was sent before its Ping, over the same connection: all of
it, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from typing import Any

from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from tracker import events

_FRAME, _PROBE = 14, 32
"""Bytes that a message takes beyond its own, and that a probe takes, at most (RFC 6455, section 5.2)."""
_MOVES = frozenset(
    {
        events.Accepted,
        events.Displaced,
        events.Sent,
        events.Confirmed,
        events.Probed,
        events.Answered,
        events.Carried,
        events.Closed,
    }
)
EXPECTED = "sent in turn and within the window, confirmed by an answer and by nothing else"


def accounts(facts: Facts, _: Scenario) -> Check | None:
    """Of every message that the client accepted."""
    settings = facts.history.settings
    if "confirm" not in settings or not facts.accepted:
        return None
    account = _Account(settings["confirm"], settings.get("outbox", {}))
    for event in facts.history.events:
        # Whatever the client reports may show that it forgot to confirm; else most of a record moves no message.
        wrong = account.takes(event) if account.owed or type(event) in _MOVES else None
        if wrong is not None:
            where = f"{wrong} at {event.t:.1f} s"
            return Check("accounts", "fail", EXPECTED, where)
    return decided(
        "accounts",
        ok=True,
        expected=EXPECTED,
        observed=f"at most {account.most} messages on the wire",
    )


@dataclass(slots=True)
class _Waiting:
    """What is accepted and not on the wire. A long outage leaves much of it, so nothing here looks at all of it."""

    sizes: dict[int, int] = field(default_factory=dict)
    """Bytes by number."""
    bytes: int = 0
    _order: list[int] = field(default_factory=list)
    """A heap of numbers, and below of those that may give way; some may no longer wait."""
    _plain: list[int] = field(default_factory=list)

    def add(self, seq: int, size: int, *, plain: bool) -> None:
        self.sizes[seq] = size
        self.bytes += size
        heappush(self._order, seq)
        if plain:
            heappush(self._plain, seq)

    def remove(self, seq: int) -> int:
        """Returns its bytes."""
        size = self.sizes.pop(seq)
        self.bytes -= size
        return size

    def first(self) -> int | None:
        """What is due to be sent."""
        return self._top(self._order)

    def first_plain(self) -> int | None:
        """What is due to give way."""
        return self._top(self._plain)

    def _top(self, heap: list[int]) -> int | None:
        while heap and heap[0] not in self.sizes:
            heappop(heap)
        return heap[0] if heap else None


@dataclass(slots=True)
class _Account:
    """What the outbox holds, as its owner reports it."""

    confirm: str
    limits: Mapping[str, Any]
    waiting: _Waiting = field(default_factory=_Waiting)
    wire: dict[int, int] = field(default_factory=dict)
    """Bytes by number, of what was sent over the present connection and is not confirmed; in the order of their numbers."""
    newest: int = 0
    """The number that was accepted last."""
    essential: set[int] = field(default_factory=set)
    """Numbers of what must not give way."""
    largest: int = 0
    """Bytes of the largest message so far."""
    covered: dict[int, int] = field(default_factory=dict)
    """By probe of this connection, the newest message that was sent before it."""
    owed: int = 0
    """Messages that the last answer confirms, and that are not reported as confirmed yet."""
    most: int = 0
    handed: int = 0
    """Bytes that were written to the present connection, at most."""
    left: int = 0
    """Those of them that the client says to have left its write buffer."""

    def takes(self, event: object) -> str | None:
        """Take one event of the record into account; returns what is wrong with it."""
        if self.owed and isinstance(event, events.Event) and not isinstance(event, events.Confirmed):
            return f"an answer came, and {self.owed} messages sent before its probe were not confirmed"
        wrong: str | None = None
        match event:
            case events.Accepted():
                wrong = self._accepted(event)
            case events.Displaced():
                wrong = self._displaced(event)
            case events.Sent():
                wrong = self._sent(event)
            case events.Confirmed():
                wrong = self._confirmed(event)
            case events.Probed(link="output", number=number):
                self.handed += _PROBE
                self.covered[number] = next(reversed(self.wire), 0)
            case events.Answered(link="output", number=number) if self.confirm == "pong":
                newest = self.covered.get(number, 0)
                self.owed = sum(seq <= newest for seq in self.wire)
            case events.Carried(link="output"):
                wrong = self._carried(event)
            case events.Closed(link="output"):
                wrong = self._closed(event)
            case _:
                pass
        return wrong

    def _accepted(self, event: events.Accepted) -> str | None:
        if event.seq in self.waiting.sizes or event.seq in self.wire:
            return f"seq {event.seq} was accepted twice"
        self.newest = event.seq
        self.waiting.add(event.seq, event.size, plain=not event.essential)
        if event.essential:
            self.essential.add(event.seq)
        self.largest = max(self.largest, event.size)
        return None

    def _displaced(self, event: events.Displaced) -> str | None:
        oldest = self.waiting.first_plain()
        if event.seq in self.waiting.sizes:
            if event.seq == self.newest:
                return f"seq {event.seq} was accepted, and gave way to itself"
            self.waiting.remove(event.seq)
            return None if event.seq == oldest else f"seq {event.seq} gave way, and seq {oldest} was due"
        # It was not accepted, so nobody knows how many bytes it needs.
        held = self.waiting.bytes + sum(self.wire.values())
        if oldest is None or held + 2 * self.largest > self.limits.get("bytes", 0):
            return None
        return f"seq {event.seq} was turned away, and seq {oldest} was due to give way"

    def _sent(self, event: events.Sent) -> str | None:
        if event.seq not in self.waiting.sizes:
            return f"seq {event.seq} was sent, and did not wait to be"
        first = self.waiting.first()
        if event.seq != first:
            return f"seq {event.seq} was sent before seq {first}"
        size = self.waiting.remove(event.seq)
        self.handed += size + _FRAME
        if self.confirm == "none":
            return None
        messages, total = len(self.wire) + 1, sum(self.wire.values()) + size
        self.wire[event.seq] = size
        self.most = max(self.most, messages)
        if messages > 1 and (
            messages > self.limits.get("window_messages", inf) or total > self.limits.get("window_bytes", inf)
        ):
            return f"{messages} messages of {total} bytes were on the wire"
        return None

    def _carried(self, event: events.Carried) -> str | None:
        self.left += event.sent
        if self.left + event.buffered <= self.handed:
            return None
        return f"{self.left} bytes had left and {event.buffered} waited, of {self.handed} that were written"

    def _confirmed(self, event: events.Confirmed) -> str | None:
        if self.confirm == "pong" and event.count != self.owed:
            return f"{event.count} messages were taken for confirmed, and {self.owed} were"
        if event.count > len(self.wire):
            return f"{event.count} messages were taken for confirmed, and {len(self.wire)} were on the wire"
        for seq in list(self.wire)[: event.count]:
            del self.wire[seq]
        self.owed = 0
        held = len(self.wire) + len(self.waiting.sizes)
        return None if event.left == held else f"it says that it holds {event.left}, and it holds {held}"

    def _closed(self, event: events.Closed) -> str | None:
        back = len(self.wire)
        for seq, size in self.wire.items():
            self.waiting.add(seq, size, plain=seq not in self.essential)
        self.handed = self.left = 0
        self.wire.clear()
        self.covered.clear()
        return (
            None
            if event.unconfirmed == back
            else f"{event.unconfirmed} messages came back, and {back} were out"
        )
