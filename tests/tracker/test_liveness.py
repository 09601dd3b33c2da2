import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.config import Timing
from tracker.events import DeathCause
from tracker.liveness import UNANSWERED_AT_MOST, Health, Liveness, RoundTrip, Verdict

# Binary fractions, so that the exact times below are exact: SUSPECT after 1 s of silence, DEAD after 3 s.
EXACT = Timing(
    probe_floor=1.0, probe_ceiling=12.0, write_timeout=4.0, probe_interval=1.0, barrier_interval=0.25
)
DEFAULT = Timing()
MOMENT = 2.0**-20


def opened(at: float = 0.0, timing: Timing = EXACT) -> Liveness:
    return Liveness(timing, at)


def probed(at: float = 0.0, timing: Timing = EXACT) -> Liveness:
    """A link with one probe out, number 1, since `at`."""
    link = Liveness(timing, at)
    link.probe_sent(at, 1)
    return link


def turns(link: Liveness, health: Health, at: float) -> bool:
    """Whether `check` first says `health` at `at`: it does not a moment before."""
    before = link.check(at - MOMENT).health
    return before is not health and link.check(at).health is health


# Rule 1: the probe's deadline


def test_a_link_with_nothing_outstanding_is_alive_for_ever() -> None:
    link = opened()
    assert link.check(1e9) == Verdict(Health.ALIVE)
    assert link.wake_at() is None


def test_a_silent_link_is_suspect_after_one_floor_and_dead_after_exactly_three() -> None:
    link = probed(100.0)
    assert turns(link, Health.SUSPECT, 101.0)
    assert turns(link, Health.DEAD, 103.0)


def test_the_oldest_unanswered_probe_counts_however_many_follow() -> None:
    link = probed()
    for number in range(2, 12):
        link.probe_sent(number / 4, number)
    assert link.check(3 - MOMENT).health is Health.SUSPECT
    assert link.check(3).health is Health.DEAD


def test_a_verdict_says_the_cause_and_the_seconds_of_silence() -> None:
    link = probed(10.0)
    assert link.check(11.5) == Verdict(Health.SUSPECT, "probes go unanswered", 1.5)
    assert link.check(13.0) == Verdict(Health.DEAD, "probes go unanswered", 3.0)


def test_with_the_defaults_a_silent_link_is_dead_within_5_s_of_its_last_sign_of_life() -> None:
    link = opened(timing=DEFAULT)
    due = link.probe_due(urgent=False)
    link.probe_sent(due, 1)
    link.check(due + DEFAULT.probe_floor)
    assert link.check(5.0).health is Health.DEAD


def test_an_answer_makes_a_suspect_link_alive() -> None:
    link = probed()
    assert link.check(2).health is Health.SUSPECT
    link.pong(2, 1, 2.0)
    assert link.health is Health.ALIVE
    assert link.check(1e9).health is Health.ALIVE


def test_the_answer_to_the_newest_probe_answers_all() -> None:
    link = probed()
    link.probe_sent(0.5, 2)
    link.probe_sent(0.75, 3)
    link.pong(0.875, 3, 0.125)
    assert link.wake_at() is None


def test_after_the_answer_to_an_older_probe_the_newer_one_has_a_full_deadline_from_then() -> None:
    link = probed()
    link.probe_sent(0.5, 2)
    link.pong(0.75, 1, 0.25)
    assert turns(link, Health.SUSPECT, 1.75)
    assert turns(link, Health.DEAD, 3.75)


def test_an_answer_that_was_counted_already_proves_nothing() -> None:
    link = probed()
    link.pong(0.25, 1, 0.25)
    link.probe_sent(0.5, 2)
    link.pong(3, 1, 2.75)
    assert link.round_trip.smoothed == 0.25
    assert link.check(3.5).health is Health.DEAD


def test_a_peer_that_confirms_in_its_own_words_is_alive_without_a_pong() -> None:
    link = probed()
    link.check(2)
    link.confirmed(2)
    assert link.health is Health.ALIVE
    assert turns(link, Health.SUSPECT, 3.0)


def test_a_late_check_finds_both_missed_deadlines_at_once() -> None:
    assert probed().check(3).health is Health.DEAD


def test_the_second_deadline_counts_from_the_first_and_not_from_a_late_check() -> None:
    link = probed()
    assert link.check(2.5).health is Health.SUSPECT
    assert turns(link, Health.DEAD, 3.0)


def test_asking_twice_at_the_same_moment_changes_nothing() -> None:
    link = probed()
    assert link.check(1) == link.check(1)
    assert link.check(1).health is Health.SUSPECT


# A downstream that lives


def test_anything_received_extends_the_deadline() -> None:
    link = probed()
    link.received(0.75)
    assert turns(link, Health.SUSPECT, 1.75)
    assert turns(link, Health.DEAD, 3.75)


def test_a_peer_that_talks_and_never_answers_is_dead_at_the_ceiling_and_neither_before_nor_later() -> None:
    link = probed()
    for eighths in range(1, 12 * 8):
        link.received(eighths / 8)
        assert link.check(eighths / 8).health is Health.ALIVE
    assert turns(link, Health.DEAD, 12.0)


def test_a_suspect_link_whose_peer_goes_on_talking_lives_to_the_ceiling_too() -> None:
    link = probed()
    link.check(1)
    for eighths in range(9, 12 * 8):
        link.received(eighths / 8)
        assert link.check(eighths / 8).health is Health.SUSPECT
    assert turns(link, Health.DEAD, 12.0)


@pytest.mark.parametrize("at", [-math.inf, -50.0, 0.0])
def test_what_was_received_before_the_probe_went_extends_nothing(at: float) -> None:
    link = probed()
    link.received(at)
    assert turns(link, Health.SUSPECT, 1.0)


def test_what_is_received_while_nothing_is_outstanding_extends_no_later_deadline() -> None:
    link = opened()
    link.received(5)
    link.probe_sent(5, 1)
    assert turns(link, Health.SUSPECT, 6.0)


# The adaptive deadline


def test_the_round_trip_is_smoothed_as_rfc_6298_says() -> None:
    round_trip = RoundTrip()
    assert round_trip.timeout() == 0.0
    round_trip.sample(1.0, now=10.0)
    assert (round_trip.smoothed, round_trip.variation, round_trip.timeout()) == (1.0, 0.5, 3.0)
    round_trip.sample(2.0, now=20.0)
    # variation first, with the old mean: 3/4 * 0.5 + 1/4 * |1 - 2|; then 7/8 * 1 + 1/8 * 2
    assert (round_trip.smoothed, round_trip.variation, round_trip.timeout()) == (1.125, 0.625, 3.625)


def test_of_answers_that_an_outage_has_held_up_together_only_the_last_measures_the_way() -> None:
    link = probed()
    link.pong(0.1, 1, rtt=0.1)
    for number, sent in ((2, 1.0), (3, 2.0), (4, 4.9)):
        link.probe_sent(sent, number)
    for number, sent in ((2, 1.0), (3, 2.0), (4, 4.9)):
        link.pong(5.0, number, rtt=5.0 - sent)
    assert link.round_trip.smoothed == pytest.approx(0.1)
    # What comes one by one, as late as it may be, is the way's own slowness.
    link.probe_sent(6.0, 5)
    link.probe_sent(6.2, 6)
    link.pong(8.0, 5, rtt=2.0)
    link.pong(8.2, 6, rtt=2.0)
    assert link.round_trip.smoothed == pytest.approx(0.1 + 1.9 / 8 + (1.9 - 1.9 / 8) / 8)


def test_a_slow_link_gets_a_longer_deadline() -> None:
    link = probed()
    link.pong(0.5, 1, 0.75)  # 0.75 + 4 * 0.375
    link.probe_sent(10, 2)
    assert turns(link, Health.SUSPECT, 12.25)
    assert turns(link, Health.DEAD, 16.75)


def test_however_slow_the_link_was_the_first_deadline_is_a_third_of_the_ceiling_at_most() -> None:
    link = probed()
    link.pong(2, 1, 1000.0)
    link.probe_sent(10, 2)
    assert turns(link, Health.SUSPECT, 14.0)
    assert turns(link, Health.DEAD, 22.0)


def test_a_fast_link_has_the_floor() -> None:
    link = probed()
    link.pong(0.0, 1, 0.0)
    link.probe_sent(10, 2)
    assert turns(link, Health.SUSPECT, 11.0)


# Rule 2: the write buffer


def test_a_write_buffer_from_which_no_byte_leaves_is_dead() -> None:
    link = opened()
    link.progress(1, flushed=10, buffered=0)
    link.progress(2, flushed=10, buffered=500)
    for now in range(3, 6):
        link.progress(now, flushed=10, buffered=500 + now)
    assert turns(link, Health.DEAD, 6.0)
    assert link.check(6.5) == Verdict(Health.DEAD, "no byte left the write buffer", 4.5)


def test_an_answer_says_that_bytes_have_left_though_the_buffer_does_not_show_it() -> None:
    link = opened()
    link.probe_sent(1, 1)
    link.progress(2, flushed=10, buffered=500)
    link.pong(5, 1, 4.0)
    link.progress(6, flushed=10, buffered=500)
    assert turns(link, Health.DEAD, 9.0)


def test_one_byte_that_leaves_restarts_the_deadline() -> None:
    link = opened()
    link.progress(0, flushed=10, buffered=500)
    link.progress(3, flushed=11, buffered=499)
    assert turns(link, Health.DEAD, 7.0)


def test_an_empty_write_buffer_has_no_deadline() -> None:
    link = opened()
    link.progress(0, flushed=0, buffered=500)
    link.progress(3, flushed=500, buffered=0)
    assert link.wake_at() is None
    assert link.check(1e9).health is Health.ALIVE


def test_a_buffer_that_fills_again_has_its_own_deadline() -> None:
    link = opened()
    link.progress(0, flushed=0, buffered=5)
    link.progress(3, flushed=5, buffered=0)
    link.progress(10, flushed=5, buffered=5)
    assert turns(link, Health.DEAD, 14.0)


# Rule 3: a path that has healed


def test_a_suspect_link_whose_path_has_healed_gets_its_second_deadline_anew() -> None:
    link = probed()
    link.check(1)
    link.path_healed(2.5)
    assert turns(link, Health.DEAD, 4.5)


def test_a_link_whose_path_has_healed_before_the_first_deadline_gets_both_anew() -> None:
    link = probed()
    link.path_healed(0.5)
    assert turns(link, Health.SUSPECT, 1.5)
    assert turns(link, Health.DEAD, 3.5)


def test_a_path_that_heals_again_and_again_and_brings_no_answer_is_dead_at_the_ceiling() -> None:
    link = probed()
    for half_seconds in range(2, 24):
        assert link.check(half_seconds / 2).health is Health.SUSPECT
        link.path_healed(half_seconds / 2)
    assert turns(link, Health.DEAD, 12.0)


def test_a_path_that_has_healed_while_nothing_is_outstanding_extends_no_later_deadline() -> None:
    link = opened()
    link.path_healed(5)
    link.probe_sent(5.5, 1)
    assert turns(link, Health.SUSPECT, 6.5)


# Rule 4: our own stalls, and our own silence


def test_a_stall_of_our_own_is_credited_to_every_deadline() -> None:
    link = probed()
    link.progress(0, flushed=0, buffered=5)
    link.stalled(20, 20)
    assert turns(link, Health.SUSPECT, 21.0)
    assert turns(link, Health.DEAD, 23.0)


def test_a_stall_is_credited_to_the_ceiling() -> None:
    link = probed()
    link.stalled(20, 20)
    for second in range(21, 32):
        link.received(second)
        assert link.check(second).health is Health.ALIVE
    assert turns(link, Health.DEAD, 32.0)


def test_a_stall_is_credited_to_the_write_buffer() -> None:
    link = opened()
    link.progress(0, flushed=0, buffered=5)
    link.stalled(20, 20)
    assert turns(link, Health.DEAD, 24.0)


def test_a_stall_with_nothing_outstanding_is_credited_to_nobody() -> None:
    link = opened()
    link.stalled(25, 20)
    link.probe_sent(30, 1)
    assert turns(link, Health.SUSPECT, 31.0)


def test_what_began_after_a_stall_is_not_credited_with_it() -> None:
    link = probed()
    link.pong(20, 1, 0.25)  # it waited in the socket, and is read before the stall is told
    link.probe_sent(20, 2)
    link.progress(20, flushed=0, buffered=5)
    link.stalled(20, 20)
    assert turns(link, Health.SUSPECT, 21.0)
    assert turns(link, Health.DEAD, 23.0)


def test_while_we_do_not_read_on_purpose_no_verdict_is_passed() -> None:
    link = probed()
    link.hold(0)
    assert link.wake_at() is None
    assert link.check(1e9).health is Health.ALIVE


def test_reading_again_gives_every_answer_a_full_deadline() -> None:
    link = probed()
    link.hold(0)
    link.resume(50)
    assert turns(link, Health.SUSPECT, 51.0)
    assert turns(link, Health.DEAD, 53.0)


def test_an_answer_that_waited_because_we_did_not_read_is_no_measure_of_the_round_trip() -> None:
    link = probed()
    link.hold(5)
    link.resume(50)
    link.pong(50, 1, rtt=50)
    assert link.round_trip.smoothed is None
    link.probe_sent(50, 2)
    link.pong(50.5, 2, rtt=0.5)
    assert link.round_trip.smoothed == 0.5


def test_reading_again_gives_a_link_that_was_suspect_both_its_chances() -> None:
    link = probed()
    assert link.check(1).health is Health.SUSPECT
    link.hold(1)
    assert link.health is Health.ALIVE
    link.resume(50)
    assert link.check(50).health is Health.ALIVE
    assert turns(link, Health.SUSPECT, 51.0)
    assert turns(link, Health.DEAD, 53.0)


def test_what_was_held_is_credited_to_the_ceiling_and_no_more_than_that() -> None:
    link = probed()
    for second in range(11):  # eleven seconds in which we read, and as many in which we did not
        link.received(2 * second + 0.5)
        assert link.check(2 * second + 0.5).health is Health.ALIVE
        link.hold(2 * second + 1)
        link.resume(2 * second + 2)
    link.received(22.5)
    assert turns(link, Health.DEAD, 23.0)


def test_what_went_out_while_we_did_not_read_has_waited_only_since_then() -> None:
    link = opened()
    link.hold(0)
    link.probe_sent(10, 1)
    link.resume(15)
    for second in range(15, 27):
        link.received(second)
        assert link.check(second).health is Health.ALIVE
    assert turns(link, Health.DEAD, 27.0)


def test_a_stall_while_we_did_not_read_is_credited_once() -> None:
    link = probed()
    link.received(7)
    link.hold(8)
    link.stalled(13, 5)
    link.resume(20)
    for second in range(20, 24):
        link.received(second)
    assert turns(link, Health.DEAD, 24.0)


def test_reading_again_with_nothing_outstanding_starts_no_deadline() -> None:
    link = opened()
    link.hold(0)
    link.resume(50)
    assert link.wake_at() is None


def test_a_stuck_write_buffer_is_dead_even_while_we_do_not_read() -> None:
    link = opened()
    link.hold(0)
    link.progress(0, flushed=0, buffered=5)
    assert link.wake_at() == 4.0
    assert turns(link, Health.DEAD, 4.0)


# When to probe and when to wake


def test_probes_go_at_the_slow_pace_and_at_the_quick_one_while_a_confirm_is_awaited() -> None:
    link = opened(10.0)
    assert link.probe_due(urgent=False) == 11.0
    assert link.probe_due(urgent=True) == 10.25
    link.probe_sent(10.5, 1)
    assert link.probe_due(urgent=False) == 11.5


def test_a_peer_that_confirms_in_its_own_words_and_answers_no_probe_gets_a_bounded_number_of_them() -> None:
    link = opened()
    for number in range(1, UNANSWERED_AT_MOST + 1):
        assert link.probe_due(urgent=True) < math.inf
        link.probe_sent(number, number)
        link.confirmed(number)
    assert link.probe_due(urgent=True) == math.inf
    link.pong(300, 1, 0.1)
    assert link.probe_due(urgent=False) == UNANSWERED_AT_MOST + 1


def test_what_other_connections_probed_is_not_counted() -> None:
    link = opened()
    link.probe_sent(1, 1000)
    assert link.probe_due(urgent=False) == 2.0


def test_a_suspect_link_is_probed_at_the_quick_pace() -> None:
    link = probed()
    link.check(1)
    assert link.probe_due(urgent=False) == 0.25
    link.pong(2, 1, 0.25)
    assert link.probe_due(urgent=False) == 1.0


def test_it_wakes_at_the_earliest_deadline() -> None:
    link = probed()
    assert link.wake_at() == 1.0
    link.check(1)
    assert link.wake_at() == 3.0
    link.progress(1, flushed=0, buffered=5)
    assert link.wake_at() == 3.0
    link.received(4)
    assert link.wake_at() == 5.0


# Rule 5: a machine that stood still for long


def test_a_link_of_a_machine_that_woke_has_one_deadline_and_no_second_chance() -> None:
    link = opened()
    link.woke(50)
    assert link.probe_due(urgent=False) < 50
    link.probe_sent(50, 1)
    assert link.check(50.9).health is Health.ALIVE
    assert link.check(51) == Verdict(Health.DEAD, DeathCause.UNANSWERED, 51)


def test_an_answer_after_waking_makes_it_a_link_like_any_other() -> None:
    link = opened()
    link.woke(50)
    link.probe_sent(50, 1)
    link.pong(50.5, 1, 0.25)
    link.probe_sent(60, 2)
    assert turns(link, Health.SUSPECT, 61.0)
    assert turns(link, Health.DEAD, 63.0)


def test_the_stall_of_a_machine_that_woke_may_be_told_after_it() -> None:
    link = probed()
    link.woke(50)
    link.stalled(50, 50)
    assert turns(link, Health.DEAD, 51.0)


# Any order of events


@dataclass
class Driven:
    """A link and a driver that polls it at every moment that `wake_at` names, and wherever else it is told to."""

    timing: Timing = DEFAULT
    now: float = 0.0
    dead_at: float | None = None
    next_number: int = 1
    flushed: int = 0
    due: list[tuple[float, int, float]] = field(default_factory=list)
    """Answers under way: when, to which probe, and when that was sent."""

    def __post_init__(self) -> None:
        self.link = Liveness(self.timing, self.now)
        self.proven_at = self.now
        """The oldest moment that the current run of silence can have begun, credits included."""

    def check(self) -> None:
        if self.dead_at is not None:
            return
        if self.link.check(self.now).health is Health.DEAD:
            self.dead_at = self.now
            return
        wake = self.link.wake_at()
        assert wake is None or wake > self.now, "a driver that sleeps until wake_at would spin"

    def until(self, then: float) -> None:
        """Let time pass: poll at every `wake_at`, and hand over the answers that come meanwhile."""
        while self.dead_at is None:
            wake = self.link.wake_at()
            answer = min(self.due, default=None)
            if answer is not None and answer[0] <= then and (wake is None or answer[0] < wake):
                self.due.remove(answer)
                self.now = max(self.now, answer[0])
                self.link.pong(self.now, answer[1], self.now - answer[2])
            elif wake is not None and wake <= then:
                self.now = max(self.now, wake)
                self.check()
            else:
                break
        self.now = max(self.now, then)

    def probe(self, answered_after: float | None) -> None:
        number, self.next_number = self.next_number, self.next_number + 1
        self.link.probe_sent(self.now, number)
        if answered_after is not None:
            self.due.append((self.now + answered_after, number, self.now))

    def stall(self, seconds: float) -> None:
        """The loop does not run, and says so when it does."""
        self.now += seconds
        self.link.stalled(self.now, seconds)

    def write(self, moved: int, buffered: int) -> None:
        self.flushed += moved
        self.link.progress(self.now, flushed=self.flushed, buffered=buffered)


Step = tuple[float, Callable[[Driven], None]]

pauses = st.floats(0.0, 1.0)
received = st.just(lambda d: d.link.received(d.now))
received_earlier = st.floats(0.0, 5.0).map(lambda ago: lambda d: d.link.received(d.now - ago))
moving_writes = st.tuples(st.integers(1, 9), st.integers(0, 9)).map(lambda w: lambda d: d.write(*w))
any_writes = st.tuples(st.integers(0, 2), st.integers(0, 9)).map(lambda w: lambda d: d.write(*w))
stalls = st.floats(0.0, 10.0).map(lambda seconds: lambda d: d.stall(seconds))
holds = st.just(lambda d: d.link.hold(d.now))
resumes = st.just(lambda d: d.link.resume(d.now))
heals = st.just(lambda d: d.link.path_healed(d.now))
confirms = st.just(lambda d: d.link.confirmed(d.now))
silent_probes = st.just(lambda d: d.probe(None))
any_answers = st.integers(-2, 3).map(lambda n: lambda d: d.link.pong(d.now, d.next_number - n, 0.5))


def answered_probes(slowest: float) -> st.SearchStrategy[Callable[[Driven], None]]:
    return st.floats(0.0, slowest).map(lambda after: lambda d: d.probe(after))


def timelines(*events: st.SearchStrategy[Callable[[Driven], None]]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(pauses, st.one_of(*events)), max_size=40)


@given(timelines(answered_probes(3.0), received, received_earlier, stalls, holds, resumes), st.data())
def test_a_link_whose_every_probe_is_answered_within_3_s_is_never_given_up(
    steps: list[Step], data: st.DataObject
) -> None:
    driven = Driven(now=data.draw(st.floats(0.0, 1e6)))
    for pause, event in steps:
        driven.until(driven.now + pause)
        driven.write(1, data.draw(st.integers(0, 9)))
        event(driven)
        driven.check()
    driven.write(1, 0)
    driven.until(driven.now + 60)
    assert driven.dead_at is None


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize("before", [0.001, 0.1, 1.0])
def test_a_round_trip_that_jumps_to_2_9_s_never_kills_with_the_defaults(
    before: float,
    urgent: bool,  # noqa: FBT001 - a parametrised test's own argument
) -> None:
    driven = Driven()
    suspected = False
    while driven.now < 60:
        driven.until(driven.link.probe_due(urgent=urgent))
        driven.probe(before if driven.now < 20 else 2.9)
        suspected |= driven.link.health is Health.SUSPECT
    assert driven.dead_at is None
    assert suspected  # so the jump was felt


@given(
    timelines(silent_probes, any_answers, received, heals, any_writes, stalls, holds, resumes, confirms),
    st.lists(st.tuples(st.floats(0.01, 1.0), st.one_of(silent_probes, received, heals, stalls)), max_size=40),
    st.floats(0.0, 1e6),
)
def test_a_link_that_no_longer_proves_its_upstream_is_dead_by_the_ceiling_and_the_credited_stalls(
    before: list[Step], after: list[Step], start: float
) -> None:
    driven = Driven(now=start)
    for pause, event in before:
        driven.until(driven.now + pause)
        event(driven)
    if driven.dead_at is not None:
        return
    # A proof starts the count afresh, and whoever held before reads again.
    driven.probe(None)
    driven.link.confirmed(driven.now)
    driven.link.resume(driven.now)
    proven, credited = driven.now, 0.0
    for pause, event in after:
        driven.until(driven.now + pause)
        if driven.dead_at is not None:
            break
        anchor = driven.link._anchor
        assert anchor is not None
        event(driven)
        credited += (driven.link._anchor or 0.0) - anchor
    driven.until(driven.now + 1e4)
    assert driven.dead_at is not None
    assert driven.dead_at <= proven + DEFAULT.probe_ceiling + credited + 1e-6


@given(
    timelines(
        silent_probes,
        answered_probes(6.0),
        any_answers,
        received,
        received_earlier,
        heals,
        any_writes,
        stalls,
        holds,
        resumes,
        confirms,
    ),
    st.lists(st.lists(st.floats(0.0, 1.0), max_size=3), max_size=40),
    st.floats(0.0, 1e6),
)
def test_checking_at_other_times_too_changes_nothing_about_when_a_link_is_dead(
    steps: list[Step], extra: list[list[float]], start: float
) -> None:
    plain, nervous = Driven(now=start), Driven(now=start)
    for index, (pause, event) in enumerate(steps):
        shares = sorted(extra[index]) if index < len(extra) else []
        then = plain.now + pause
        for share in shares:
            nervous.until(min(then, nervous.now + pause * share / len(shares)))
            nervous.check()
        for driven in (plain, nervous):
            driven.until(then)
            event(driven)
    for driven in (plain, nervous):
        driven.until(driven.now + 100)
    assert nervous.dead_at == plain.dead_at


@given(
    st.floats(0.0, 1e6),
    st.floats(0.001, 5.0),
    st.floats(3.0, 10.0),
    st.floats(0.001, 10.0),
    st.lists(st.floats(0.0, 10.0), max_size=3),
)
def test_a_driver_that_sleeps_until_wake_at_gets_its_verdict_in_a_few_steps(
    start: float, floor: float, ceiling_in_floors: float, write_timeout: float, credits_: list[float]
) -> None:
    # Seconds are binary floats: start + 4.0 - start is now and then a little less than 4.0.
    timing = Timing(
        probe_floor=floor, probe_ceiling=floor * ceiling_in_floors + 1e-9, write_timeout=write_timeout
    )
    for stuck_write in (False, True):
        driven = Driven(timing, now=start)
        if stuck_write:
            driven.write(0, 1)
        else:
            driven.probe(None)
        for seconds in credits_:
            driven.stall(seconds)
        for _ in range(3):
            driven.now = max(driven.now, driven.link.wake_at() or 0.0)
            driven.check()
        assert driven.dead_at is not None


@given(st.floats(0.0, 1e6), st.lists(st.floats(0.0, 10.0), max_size=3))
@example(52.3, [7.4])  # 52.3 + 12.0 + 7.4 is a little more than 52.3 + 7.4 + 12.0
def test_a_peer_that_talked_before_a_stall_and_never_answers_is_dead_at_the_ceiling_after_it(
    start: float, credits_: list[float]
) -> None:
    driven = Driven(now=start)
    driven.probe(None)
    driven.link.received(start + DEFAULT.probe_ceiling)
    for seconds in credits_:
        driven.stall(seconds)
    driven.until(start + 100)
    assert driven.dead_at == pytest.approx(start + DEFAULT.probe_ceiling + sum(credits_), abs=1e-6)
