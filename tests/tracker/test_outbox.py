from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tracker.config import Confirm, OutboxLimits, Overflow
from tracker.outbox import Message, Outbox, OutboxFull


def outbox(
    messages: int = 100,
    *,
    size: int = 1000,
    window: int = 100,
    window_size: int = 1000,
    confirm: Confirm = "pong",
    overflow: Overflow = "latest",
) -> Outbox:
    limits = OutboxLimits(messages=messages, bytes=size, window_messages=window, window_bytes=window_size)
    return Outbox(limits, confirm=confirm, overflow=overflow)


def put(box: Outbox, *sizes: int, essential: bool = False) -> list[int]:
    """Put one message of each size; return the numbers of all that was displaced."""
    displaced = []
    for size in sizes:
        displaced += [old.seq for old in box.put(Message(box.next_seq, bytes(size), essential))]
    return displaced


def take_all(box: Outbox) -> list[int]:
    """Take until nothing comes; return the numbers."""
    taken = []
    while (message := box.take()) is not None:
        taken.append(message.seq)
    return taken


def held(box: Outbox) -> list[int]:
    return [message.seq for message in box.unconfirmed()]


# Order and loss


def test_messages_leave_in_the_order_they_came() -> None:
    box = outbox()
    put(box, 1)
    put(box, 1, essential=True)
    put(box, 1)
    assert take_all(box) == [1, 2, 3]


def test_a_number_out_of_turn_is_a_bug_that_names_both_numbers() -> None:
    with pytest.raises(AssertionError, match="seq 7 put where 1 was due"):
        outbox().put(Message(7, b"", essential=False))


def test_a_sent_message_is_held_until_it_is_confirmed() -> None:
    box = outbox()
    put(box, 10)
    take_all(box)
    assert (len(box), box.bytes, box.in_flight, box.waiting) == (1, 10, 1, 0)


def test_unconfirmed_messages_return_to_the_front_in_order() -> None:
    box = outbox()
    put(box, 1, 1)
    put(box, 1, essential=True)
    take_all(box)
    put(box, 1)
    assert box.lost() == 3
    assert take_all(box) == [1, 2, 3, 4]


def test_what_was_confirmed_before_the_loss_does_not_come_again() -> None:
    box = outbox()
    put(box, 1, 1)
    box.take()
    box.confirm_barrier(box.barrier())
    box.take()
    box.lost()
    assert take_all(box) == [2]


def test_losing_a_connection_on_which_nothing_was_sent_changes_nothing() -> None:
    box = outbox()
    put(box, 1, 1)
    assert box.lost() == 0
    assert held(box) == [1, 2]


# Confirming by barrier


def test_the_pong_of_a_barrier_confirms_what_was_sent_before_it_and_no_more() -> None:
    box = outbox()
    put(box, 5, 6, 7)
    box.take()
    box.take()
    number = box.barrier()
    box.take()
    assert box.confirm_barrier(number) == 2
    assert held(box) == [3]
    assert box.bytes == 7


def test_the_pong_of_the_newest_barrier_confirms_every_earlier_one() -> None:
    box = outbox()
    put(box, 1, 1)
    box.take()
    box.barrier()
    box.take()
    assert box.confirm_barrier(box.barrier()) == 2


def test_a_second_pong_of_the_same_barrier_confirms_nothing() -> None:
    box = outbox()
    put(box, 1, 1)
    box.take()
    number = box.barrier()
    box.confirm_barrier(number)
    box.take()
    assert box.confirm_barrier(number) == 0
    assert held(box) == [2]


def test_a_pong_from_before_a_loss_confirms_nothing() -> None:
    box = outbox()
    put(box, 1)
    box.take()
    stale = box.barrier()
    box.lost()
    box.take()
    fresh = box.barrier()
    assert box.confirm_barrier(stale) == 0
    assert box.confirm_barrier(fresh) == 1


@pytest.mark.parametrize("number", [-1, 0, 2, 10**9])
def test_a_number_that_was_never_issued_confirms_nothing(number: int) -> None:
    box = outbox()
    put(box, 1)
    box.take()
    assert box.barrier() == 1
    assert box.confirm_barrier(number) == 0
    assert held(box) == [1]


def test_barrier_numbers_rise_over_a_loss() -> None:
    box = outbox()
    first = box.barrier()
    box.lost()
    assert box.barrier() > first


def test_unbarriered_bytes_are_what_was_sent_since_the_last_barrier() -> None:
    box = outbox()
    put(box, 5, 6)
    assert box.unbarriered_bytes == 0
    box.take()
    assert box.unbarriered_bytes == 5
    box.barrier()
    box.take()
    assert box.unbarriered_bytes == 6
    box.lost()
    assert box.unbarriered_bytes == 0


# The other modes


def test_an_ack_is_cumulative() -> None:
    box = outbox(confirm="ack")
    put(box, 1, 1, 1)
    take_all(box)
    assert box.confirm_through(2) == 2
    assert held(box) == [3]


def test_an_ack_of_the_future_confirms_only_what_was_sent() -> None:
    box = outbox(confirm="ack")
    put(box, 1, 1)
    box.take()
    assert box.confirm_through(99) == 1
    assert held(box) == [2]


def test_where_acks_confirm_a_pong_does_not_and_no_barrier_is_owed() -> None:
    box = outbox(confirm="ack")
    put(box, 1)
    box.take()
    assert box.unbarriered_bytes == 0
    assert box.confirm_barrier(box.barrier()) == 0


def test_where_pongs_confirm_an_ack_does_not() -> None:
    box = outbox()
    put(box, 1)
    box.take()
    assert box.confirm_through(1) == 0


def test_without_confirms_a_message_is_gone_once_it_is_sent() -> None:
    box = outbox(confirm="none", window=1, window_size=1)
    put(box, 5, 5, 5)
    assert take_all(box) == [1, 2, 3]
    assert (len(box), box.bytes, box.unbarriered_bytes, box.lost()) == (0, 0, 0, 0)


# The window


def test_the_window_closes_at_its_bound_in_messages_and_opens_with_a_confirm() -> None:
    box = outbox(window=2)
    put(box, 1, 1, 1)
    assert take_all(box) == [1, 2]
    box.confirm_barrier(box.barrier())
    assert take_all(box) == [3]


def test_the_window_is_full_at_exactly_its_bound_in_bytes() -> None:
    box = outbox(window_size=10)
    put(box, 4, 6, 1)
    assert take_all(box) == [1, 2]


def test_a_message_larger_than_the_window_goes_alone() -> None:
    box = outbox(window_size=10)
    put(box, 1, 50, 1)
    assert take_all(box) == [1]
    box.confirm_barrier(box.barrier())
    assert take_all(box) == [2]
    box.confirm_barrier(box.barrier())
    assert take_all(box) == [3]


def test_a_message_that_does_not_fit_the_window_is_not_overtaken_by_one_that_does() -> None:
    box = outbox(window_size=10)
    put(box, 6, 6)
    put(box, 1, essential=True)
    assert take_all(box) == [1]


# Overflow


def test_at_the_bound_the_oldest_plain_message_gives_way() -> None:
    box = outbox(3)
    assert put(box, 1, 1, 1, 1) == [1]
    assert held(box) == [2, 3, 4]


def test_a_large_message_displaces_as_many_as_it_needs_and_no_more() -> None:
    box = outbox(size=10)
    assert put(box, 3, 3, 3, 6) == [1, 2]
    assert held(box) == [3, 4]
    assert box.bytes == 9


def test_essential_messages_are_passed_over() -> None:
    box = outbox(3)
    put(box, 1, essential=True)
    put(box, 1)
    put(box, 1, essential=True)
    assert put(box, 1) == [2]
    assert held(box) == [1, 3, 4]


def test_what_is_on_the_wire_is_passed_over() -> None:
    box = outbox(3)
    put(box, 1, 1, 1)
    box.take()
    assert put(box, 1) == [2]


def test_where_nothing_older_can_give_way_a_plain_message_does_and_uses_up_its_number() -> None:
    box = outbox(2)
    put(box, 1, 1, essential=True)
    assert put(box, 1) == [3]
    assert held(box) == [1, 2]
    assert box.next_seq == 4


def test_where_nothing_can_give_way_an_essential_message_is_refused_and_its_number_stays() -> None:
    box = outbox(2)
    put(box, 1, 1, essential=True)
    with pytest.raises(OutboxFull):
        put(box, 1, essential=True)
    assert box.next_seq == 3
    box.take()
    box.confirm_barrier(box.barrier())
    assert put(box, 1, essential=True) == []
    assert held(box) == [2, 3]


def test_nothing_is_displaced_in_vain() -> None:
    box = outbox(size=10)
    put(box, 8, essential=True)
    put(box, 1, 1)
    assert put(box, 5) == [4]
    with pytest.raises(OutboxFull):
        put(box, 5, essential=True)
    assert held(box) == [1, 2, 3]


@pytest.mark.parametrize("overflow", get_args(Overflow))
@pytest.mark.parametrize("essential", [False, True])
def test_a_message_larger_than_the_whole_bound_is_displaced_at_once(
    overflow: Overflow,
    essential: bool,  # noqa: FBT001 - a parametrised test's own argument
) -> None:
    # It could never be accepted, so refusing it would block or end the tracker for one message.
    box = outbox(size=10, overflow=overflow)
    assert put(box, 11, essential=essential) == [1]
    assert put(box, 10, essential=essential) == []
    assert held(box) == [2]


@pytest.mark.parametrize("overflow", ["block", "fail"])
def test_the_other_policies_refuse_and_keep_what_they_hold(overflow: Overflow) -> None:
    box = outbox(2, overflow=overflow)
    put(box, 1, 1)
    with pytest.raises(OutboxFull):
        put(box, 1)
    assert held(box) == [1, 2]
    assert box.next_seq == 3


def test_room_is_counted_in_messages_and_in_bytes_of_all_that_is_held() -> None:
    box = outbox(2, size=10)
    put(box, 4)
    box.take()
    assert box.has_room(6)
    assert not box.has_room(7)
    put(box, 1)
    assert not box.has_room(0)


# Any interleaving, against an obvious model


@dataclass
class Entry:
    """What the model knows of one accepted message."""

    message: Message
    on_wire: bool = False

    @property
    def size(self) -> int:
        return len(self.message.body)


class AgainstAList(RuleBasedStateMachine):
    """The outbox beside a plain list that is filtered and summed afresh for every question."""

    limits = OutboxLimits(messages=6, bytes=40, window_messages=3, window_bytes=15)

    def __init__(self, confirm: Confirm, overflow: Overflow) -> None:
        super().__init__()
        self.confirm = confirm
        self.overflow = overflow
        self.box = Outbox(self.limits, confirm=confirm, overflow=overflow)
        self.entries: list[Entry] = []
        self.offered = 0
        self.displaced: list[Message] = []
        self.confirmed: list[int] = []
        self.last_taken = 0  # on this connection
        self.sent_since_barrier: list[int] = []
        self.barriers: dict[int, int] = {}  # of this connection: number -> highest seq before it
        self.last_barrier = 0

    def on_wire(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.on_wire]

    def waiting(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.on_wire]

    def fits(self, size: int, without: list[Entry]) -> bool:
        kept = [entry for entry in self.entries if entry not in without]
        in_bytes = sum(entry.size for entry in kept) + size <= self.limits.bytes
        return len(kept) < self.limits.messages and in_bytes

    def expected_victims(self, message: Message) -> list[Entry] | None:
        """Who gives way for it; None when even all of them would not be enough."""
        victims: list[Entry] = []
        candidates = [entry for entry in self.waiting() if not entry.message.essential]
        while not self.fits(len(message.body), without=victims):
            if self.overflow != "latest" or not candidates:
                return None
            victims.append(candidates.pop(0))
        return victims

    @rule(size=st.integers(0, 20) | st.integers(38, 42), essential=st.booleans())
    def put(self, size: int, essential: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        message = Message(self.offered + 1, bytes(size), essential)
        assert self.box.has_room(size) == self.fits(size, without=[])
        too_large = size > self.limits.bytes
        victims = None if too_large else self.expected_victims(message)
        if victims is None and not too_large and (essential or self.overflow != "latest"):
            with pytest.raises(OutboxFull):
                self.box.put(message)
            return
        gone = self.box.put(message)
        self.offered += 1
        self.displaced += gone
        if victims is None:
            assert gone == [message]
        else:
            assert gone == [entry.message for entry in victims]
            self.entries = [entry for entry in self.entries if entry not in victims]
            self.entries.append(Entry(message))

    @rule()
    def take(self) -> None:
        message = self.box.take()
        wire = self.on_wire()
        head = next(iter(self.waiting()), None)
        closed = (
            head is not None
            and bool(wire)
            and (
                len(wire) == self.limits.window_messages
                or sum(entry.size for entry in wire) + head.size > self.limits.window_bytes
            )
        )
        if head is None or closed:
            assert message is None
            return
        assert message is head.message
        assert message.seq > self.last_taken
        self.last_taken = message.seq
        if self.confirm == "none":
            self.entries.remove(head)
            self.confirmed.append(message.seq)
        else:
            head.on_wire = True
        if self.confirm == "pong":
            self.sent_since_barrier.append(head.size)

    @rule()
    def barrier(self) -> None:
        number = self.box.barrier()
        assert number > self.last_barrier
        self.last_barrier = number
        self.sent_since_barrier = []
        self.barriers[number] = max((entry.message.seq for entry in self.on_wire()), default=0)

    def arrived(self, through: int) -> int:
        """The model's confirm: how many messages it takes off the wire."""
        gone = [entry for entry in self.on_wire() if entry.message.seq <= through]
        self.confirmed += [entry.message.seq for entry in gone]
        self.entries = [entry for entry in self.entries if entry not in gone]
        return len(gone)

    @rule(distance=st.integers(-4, 3))
    def confirm_barrier(self, distance: int) -> None:
        number = self.last_barrier + distance  # stale, twice the same, and never issued are among these
        through = 0
        if self.confirm == "pong" and number <= self.last_barrier:
            through = max((seq for n, seq in self.barriers.items() if n <= number), default=0)
        assert self.box.confirm_barrier(number) == self.arrived(through)

    @rule(distance=st.integers(-5, 3))
    def confirm_through(self, distance: int) -> None:
        seq = self.offered + distance
        assert self.box.confirm_through(seq) == self.arrived(seq if self.confirm == "ack" else 0)

    @rule()
    def lost(self) -> None:
        assert self.box.lost() == len(self.on_wire())
        for entry in self.entries:
            entry.on_wire = False
        self.last_taken = 0
        self.sent_since_barrier = []
        self.barriers = {}

    @invariant()
    def it_holds_what_the_list_holds_in_order(self) -> None:
        assert list(self.box.unconfirmed()) == [entry.message for entry in self.entries]
        assert len(self.box) == len(self.entries)
        assert self.box.bytes == sum(entry.size for entry in self.entries)
        assert self.box.in_flight == len(self.on_wire())
        assert self.box.waiting == len(self.waiting())
        assert self.box.next_seq == self.offered + 1
        assert self.box.unbarriered_bytes == sum(self.sent_since_barrier)

    @invariant()
    def it_stays_within_its_bounds(self) -> None:
        assert len(self.box) <= self.limits.messages
        assert self.box.bytes <= self.limits.bytes
        assert self.box.in_flight <= self.limits.window_messages
        wire_bytes = sum(entry.size for entry in self.on_wire())
        assert wire_bytes <= self.limits.window_bytes or self.box.in_flight == 1

    @invariant()
    def nothing_vanishes_unless_confirmed_or_displaced(self) -> None:
        accounted = [
            *self.confirmed,
            *(m.seq for m in self.displaced),
            *(m.seq for m in self.box.unconfirmed()),
        ]
        assert sorted(accounted) == list(range(1, self.offered + 1))

    @invariant()
    def nothing_essential_is_displaced_that_could_ever_fit(self) -> None:
        assert not [m for m in self.displaced if m.essential and len(m.body) <= self.limits.bytes]


@pytest.mark.parametrize("overflow", get_args(Overflow))
@pytest.mark.parametrize("confirm", get_args(Confirm))
def test_under_any_interleaving_it_agrees_with_a_plain_list(confirm: Confirm, overflow: Overflow) -> None:
    def machine() -> AgainstAList:
        return AgainstAList(confirm, overflow)

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # it asks for a class and documents any factory
        settings=settings(max_examples=15, stateful_step_count=40),
    )
