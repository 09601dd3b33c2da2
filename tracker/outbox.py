"""The outbox: every message stays here until the peer's endpoint is known to have it.                    pure

`send()` returning means only that bytes were buffered, so a message leaves the outbox when it is
*confirmed*, never when it is sent. On loss of the connection all that is unconfirmed goes back to the front,
in `seq` order.

The outbox does not know sockets, clocks or formats. One owner feeds it and drains it:

    put -> take -> (barrier -> confirm_barrier | confirm_through) | lost
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from tracker.config import Confirm, OutboxLimits, Overflow


@dataclass(frozen=True, slots=True)
class Message:
    """One encoded output. `essential` ones carry what no later message repeats: they are never displaced."""

    seq: int
    body: bytes
    essential: bool


class OutboxFull(Exception):
    """There is no room and nothing that may be displaced; the message was not accepted."""


class _Lane:
    """Messages of one kind waiting to be sent, in `seq` order, with their size in bytes."""

    __slots__ = ("bytes", "queue")

    def __init__(self) -> None:
        self.queue: deque[Message] = deque()
        self.bytes = 0

    def append(self, message: Message) -> None:
        self.queue.append(message)
        self.bytes += len(message.body)

    def appendleft(self, message: Message) -> None:
        self.queue.appendleft(message)
        self.bytes += len(message.body)

    def popleft(self) -> Message:
        message = self.queue.popleft()
        self.bytes -= len(message.body)
        return message


class Outbox:
    """Bounded, ordered, at-least-once.

    `limits.messages` and `limits.bytes` bound everything held, unconfirmed messages included;
    `limits.window_*` bound what is on the wire and unconfirmed. The overflow policy says what gives way:

    - ``latest``: the oldest plain message that is not on the wire is displaced. Where there is none, a new plain
      message is itself displaced, and a new essential one is refused with `OutboxFull`.
    - ``block``: `put` refuses with `OutboxFull`; the caller stops reading its input until there is room.
    - ``fail``: the same refusal; the caller gives up.
    """

    def __init__(
        self, limits: OutboxLimits, *, confirm: Confirm = "pong", overflow: Overflow = "latest"
    ) -> None:
        self._limits = limits
        self._confirm = confirm
        self._overflow = overflow
        # Two lanes, each in seq order, so that the oldest plain message is found without a search; `take`
        # merges them by seq, and an essential message never overtakes a plain one.
        self._plain = _Lane()
        self._essential = _Lane()
        self._in_flight = _Lane()
        self._barriers: deque[tuple[int, int]] = deque()  # (number, highest seq sent before it)
        self._last_barrier = 0
        self._unbarriered = 0
        self._next_seq = 1

    def limit(self, limits: OutboxLimits) -> None:
        """Hold so much from now on. What is held already stays; the next message displaces what is above it."""
        self._limits = limits

    # What it holds

    @property
    def next_seq(self) -> int:
        """The number that the next accepted message must carry. It counts from 1; a number is never reused."""
        return self._next_seq

    def __len__(self) -> int:
        return len(self._plain.queue) + len(self._essential.queue) + len(self._in_flight.queue)

    @property
    def bytes(self) -> int:
        """Size of all bodies held."""
        return self._plain.bytes + self._essential.bytes + self._in_flight.bytes

    @property
    def in_flight(self) -> int:
        """How many messages are sent and unconfirmed."""
        return len(self._in_flight.queue)

    @property
    def waiting(self) -> int:
        """How many messages are accepted and not sent on this connection."""
        return len(self) - self.in_flight

    @property
    def unbarriered_bytes(self) -> int:
        """Size of what was sent since the last barrier; 0 where barriers confirm nothing."""
        return self._unbarriered

    def unconfirmed(self) -> Iterator[Message]:
        """Everything held, in `seq` order."""
        yield from self._in_flight.queue
        yield from sorted([*self._plain.queue, *self._essential.queue], key=lambda m: m.seq)

    # In

    def has_room(self, size: int) -> bool:
        """Whether a body of `size` bytes fits without anything giving way."""
        return len(self) < self._limits.messages and self.bytes + size <= self._limits.bytes

    def put(self, message: Message) -> list[Message]:
        """Accept `message`, whose `seq` must be `next_seq`; return what was displaced for it, oldest first.

        The returned list holds `message` itself when it is plain and nothing older could give way, or when it
        alone is larger than the whole bound. Raises `OutboxFull` as the policy says; the number is then not used up.
        """
        assert message.seq == self._next_seq, f"seq {message.seq} put where {self._next_seq} was due"
        size = len(message.body)
        displaced: list[Message] = []
        if size > self._limits.bytes:
            displaced.append(message)
        elif not self.has_room(size):
            if self._overflow != "latest":
                raise OutboxFull
            displaced = self._displace_for(message)
        self._next_seq += 1
        if not displaced or displaced[-1] is not message:
            (self._essential if message.essential else self._plain).append(message)
        return displaced

    def _displace_for(self, message: Message) -> list[Message]:
        size = len(message.body)
        excess_messages = len(self) + 1 - self._limits.messages
        excess_bytes = self.bytes + size - self._limits.bytes
        victims = 0
        freed = 0
        for old in self._plain.queue:
            if victims >= excess_messages and freed >= excess_bytes:
                break
            victims += 1
            freed += len(old.body)
        if victims < excess_messages or freed < excess_bytes:
            # Even displacing every plain message would not make room: nothing is displaced in vain.
            if message.essential:
                raise OutboxFull
            return [message]
        return [self._plain.popleft() for _ in range(victims)]

    # Out

    def _next_lane(self) -> _Lane | None:
        plain, essential = self._plain.queue, self._essential.queue
        if not plain:
            return self._essential if essential else None
        if not essential or plain[0].seq < essential[0].seq:
            return self._plain
        return self._essential

    def take(self) -> Message | None:
        """The next message to put on the wire, now in flight; None when nothing waits or the window is closed.

        With confirm ``none`` the message leaves the outbox here. The window always admits one message, however large.
        """
        lane = self._next_lane()
        if lane is None:
            return None
        flight = self._in_flight
        if flight.queue and (
            len(flight.queue) >= self._limits.window_messages
            or flight.bytes + len(lane.queue[0].body) > self._limits.window_bytes
        ):
            return None
        message = lane.popleft()
        if self._confirm != "none":
            flight.append(message)
        if self._confirm == "pong":
            self._unbarriered += len(message.body)
        return message

    def barrier(self) -> int:
        """The number for a Ping that is about to follow all that `take` gave out so far."""
        self._last_barrier += 1
        self._unbarriered = 0
        if self._confirm == "pong" and self._in_flight.queue:
            self._barriers.append((self._last_barrier, self._in_flight.queue[-1].seq))
        return self._last_barrier

    def confirm_barrier(self, number: int) -> int:
        """The Pong of barrier `number` came: it and every earlier one hold. Returns how many messages that confirms.

        A number from before a loss, one confirmed already, or one that was never issued confirms nothing.
        """
        if number > self._last_barrier:
            return 0
        through = 0
        while self._barriers and self._barriers[0][0] <= number:
            through = self._barriers.popleft()[1]
        return self._confirm_through(through)

    def confirm_through(self, seq: int) -> int:
        """The peer says (`ack`) that it has processed everything up to `seq`. Returns how many that confirms.

        Only what is in flight can be confirmed; a peer that acknowledges the future confirms no more than that.
        """
        return self._confirm_through(seq) if self._confirm == "ack" else 0

    def _confirm_through(self, seq: int) -> int:
        confirmed = 0
        flight = self._in_flight
        while flight.queue and flight.queue[0].seq <= seq:
            flight.popleft()
            confirmed += 1
        return confirmed

    def lost(self) -> int:
        """The connection is gone: all that is unconfirmed returns to the front, in order. Returns how many."""
        self._barriers.clear()
        self._unbarriered = 0
        returned = 0
        while self._in_flight.queue:
            message = self._in_flight.queue.pop()
            self._in_flight.bytes -= len(message.body)
            (self._essential if message.essential else self._plain).appendleft(message)
            returned += 1
        return returned
