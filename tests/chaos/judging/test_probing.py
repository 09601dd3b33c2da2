"""`probes`: when the next one goes, and how long each may go unanswered."""

from collections.abc import Iterable

import pytest

from chaos.history import History, HistoryEvent
from chaos.judging.probing import UNANSWERED_AT_MOST, probes
from tests.chaos.histories import (
    Parts,
    connected,
    fault,
    observed,
    record,
    said,
    stopping,
    struck,
)
from tracker import events

TIMING = {
    "probe_interval": 1.0,
    "barrier_interval": 0.2,
    "probe_floor": 1.2,
    "probe_ceiling": 12.0,
    "write_timeout": 4.0,
}


def run(*parts: Parts, confirm: str = "pong") -> History:
    return record(connected(0.0), parts, settings={"timing": TIMING, "confirm": confirm})


def probed(*times: float, first: int = 1) -> list[HistoryEvent]:
    return [events.Probed(t=t, link="output", number=n) for n, t in enumerate(times, first)]


def answered(t: float, number: int, rtt: float = 0.1) -> events.Answered:
    return events.Answered(t=t, link="output", number=number, rtt=rtt)


def in_turn(times: Iterable[float]) -> list[HistoryEvent]:
    """A probe at each of the times, answered 0.1 s later."""
    return [
        event
        for number, t in enumerate(times, 1)
        for event in (events.Probed(t=t, link="output", number=number), answered(t + 0.1, number))
    ]


def sent(t: float, seq: int, size: int = 100) -> list[HistoryEvent]:
    return [events.Accepted(t=t, seq=seq, size=size), events.Sent(t=t, seq=seq, connection=1)]


def suspected(t: float) -> events.Suspected:
    return events.Suspected(t=t, link="output", connection=1, silence=1.0)


def revived(t: float) -> events.Revived:
    return events.Revived(t=t, link="output", connection=1)


def died(t: float, silence: float) -> events.Died:
    return events.Died(t=t, link="output", connection=1, cause="-", silence=silence)


# The pace


def test_nothing_is_said_of_a_client_that_declares_nothing() -> None:
    assert said(probes, record(connected(), probed(1.0))) is None


@pytest.mark.parametrize(("step", "verdict"), [(1.0, "pass"), (1.25, "pass"), (1.4, "fail")])
def test_while_nothing_waits_a_probe_goes_every_probe_interval(step: float, verdict: str) -> None:
    assert said(probes, run(in_turn(step * n for n in range(1, 6)))) == verdict


@pytest.mark.parametrize(("late", "verdict"), [(0.2, "pass"), (0.6, "fail")])
def test_while_messages_wait_for_a_confirm_a_probe_goes_every_barrier_interval(
    late: float, verdict: str
) -> None:
    # One message right after each probe.
    steps = [n * (0.2 + late) for n in range(1, 6)]
    messages = [sent(t + 0.01, n) for n, t in enumerate(steps, 1)]
    assert said(probes, run(in_turn(steps), messages)) == verdict


def test_the_first_message_after_a_quiet_time_is_followed_by_a_probe_at_once() -> None:
    messages = [sent(n + 0.3, n) for n in range(1, 6)]
    assert said(probes, run(in_turn([n + 0.31 for n in range(1, 6)]), messages)) == "pass"
    assert said(probes, run(in_turn([n + 0.9 for n in range(1, 6)]), messages)) == "fail"


def test_one_probe_that_is_late_says_nothing() -> None:
    assert said(probes, run(in_turn([1.0, 2.0, 5.0, 6.0, 7.0]))) == "pass"


def test_a_probe_that_may_have_waited_for_room_says_nothing_about_the_pace() -> None:
    stall = fault("stall", 0.5, 30.0)
    assert said(probes, run(struck(stall), in_turn([3.0, 6.0, 9.0])), stall) is None


def test_while_an_answer_is_overdue_a_probe_goes_every_barrier_interval() -> None:
    begin = probed(1.0), suspected(2.2)
    assert said(probes, run(begin, probed(2.25, 2.45, 2.65, first=2))) == "pass"
    assert said(probes, run(begin, probed(3.0, 4.0, 4.4, first=2))) == "fail"


def test_after_32_kib_a_probe_comes_before_the_next_message() -> None:
    first = sent(0.1, 1, size=32_768)
    assert said(probes, run(first, probed(0.1), sent(0.11, 2))) == "pass"
    assert "no probe after the 32768 bytes" in observed(probes, run(first, sent(0.11, 2), probed(0.12)))


def test_no_more_probes_are_on_their_way_than_a_bound() -> None:
    enough = [0.2 * n for n in range(1, UNANSWERED_AT_MOST + 1)]
    acks = [events.Confirmed(t=t + 0.05, count=1, left=0) for t in enough]
    assert said(probes, run(probed(*enough), acks, confirm="ack")) == "pass"
    assert said(probes, run(probed(*enough, 60.0), acks, confirm="ack")) == "fail"


# The deadlines


@pytest.mark.parametrize(("t", "verdict"), [(2.2, "pass"), (2.1, "fail")])
def test_a_link_is_suspect_no_sooner_than_the_floor_after_the_first_unanswered_probe(
    t: float, verdict: str
) -> None:
    assert said(probes, run(probed(1.0, 1.5), suspected(t))) == verdict


def test_an_answer_moves_the_deadline() -> None:
    history = run(probed(1.0, 1.5), answered(2.0, 1), suspected(2.5))
    assert observed(probes, history) == "suspected 0.70 s before the first deadline on output at 2.5 s"
    assert said(probes, run(probed(1.0, 1.5), answered(2.0, 1), suspected(3.2))) == "pass"


@pytest.mark.parametrize(("t", "verdict"), [(5.0, "pass"), (4.9, "fail")])
def test_the_deadline_is_the_round_trip_and_four_times_its_variation(t: float, verdict: str) -> None:
    # 1 s and half a second of variation: 3 s.
    assert (
        said(probes, run(probed(1.0), answered(2.0, 1, rtt=1.0), probed(2.0, first=2), suspected(t)))
        == verdict
    )


@pytest.mark.parametrize(("t", "verdict"), [(9.0, "pass"), (8.9, "fail")])
def test_however_slow_the_link_the_first_deadline_is_a_third_of_the_ceiling(t: float, verdict: str) -> None:
    assert (
        said(
            probes,
            run(probed(1.0, 2.0, 3.0, 4.0), answered(4.5, 4, rtt=3.0), probed(5.0, first=5), suspected(t)),
        )
        == verdict
    )


def test_without_a_probe_on_its_way_nothing_is_suspect() -> None:
    assert said(probes, run(probed(1.0), answered(1.1, 1), suspected(2.5))) == "fail"


def test_a_stall_of_the_clients_own_loop_is_credited() -> None:
    def stalled(t: float) -> History:
        return run(probed(1.0), events.Lagged(t=2.0, link="output", seconds=0.8), suspected(t))

    assert said(probes, stalled(3.0)) == "pass"
    assert said(probes, stalled(2.9)) == "fail"


@pytest.mark.parametrize(("seconds", "verdict"), [(2.8, "pass"), (1.0, "fail"), (None, "fail")])
def test_a_long_stall_of_the_clients_own_loop_is_told(seconds: float | None, verdict: str) -> None:
    block = fault("block_loop", 5.0, 3.0, on=None)
    told = [] if seconds is None else [events.Lagged(t=8.0, link="output", seconds=seconds)]
    steady = in_turn([1.0, 2.0, 3.0, 4.0]), stopping(30.0)
    assert said(probes, run(struck(block), steady, told), block) == verdict


def test_a_stall_that_a_watch_may_have_slept_through_need_not_be_told() -> None:
    block = fault("block_loop", 5.0, 1.2, on=None)
    assert said(probes, run(struck(block), in_turn([1.0, 2.0]), stopping(30.0)), block) == "pass"


@pytest.mark.parametrize(("t", "verdict"), [(4.6, "pass"), (4.5, "fail")])
def test_the_second_deadline_is_twice_the_first(t: float, verdict: str) -> None:
    assert said(probes, run(probed(1.0), suspected(2.2), died(t, silence=t - 1.0))) == verdict


def test_a_write_buffer_that_takes_nothing_is_another_reason_to_give_up() -> None:
    assert said(probes, run(probed(1.0), suspected(2.2), died(4.5, silence=4.0))) == "pass"


def test_a_lag_of_the_client_is_credited_only_to_an_answer_that_was_awaited_meanwhile() -> None:
    lag = events.Lagged(t=1.1, link="output", seconds=0.5)
    assert said(probes, run(probed(1.0), lag, suspected(2.31))) == "pass"
    assert said(probes, run(probed(1.0), lag, suspected(2.2))) == "fail"


def test_a_link_is_suspected_and_cleared_in_turn() -> None:
    begin = probed(1.0), suspected(2.2), probed(2.3, first=2)
    over = answered(2.5, 2), revived(2.6)
    assert said(probes, run(begin, over, probed(3.3, first=3), suspected(4.6))) == "pass"
    assert said(probes, run(begin, over, revived(2.7))) == "fail"
    assert said(probes, run(begin, suspected(3.0))) == "fail"


def test_of_answers_that_came_together_only_the_last_measures_the_way() -> None:
    def held_up(second: float) -> History:
        first = probed(1.0), answered(1.1, 1, rtt=0.1), probed(2.0, 3.0, 4.9, first=2), suspected(4.9)
        come = (
            answered(5.0, 2, rtt=3.0),
            answered(5.0 + second, 3, rtt=2.0 + second),
            answered(5.0 + 2 * second, 4, rtt=0.1 + 2 * second),
        )
        return run(first, come, revived(5.2), probed(5.9, first=5), suspected(7.1))

    assert said(probes, held_up(0.01)) == "pass"
    assert said(probes, held_up(0.04)) == "fail"


def test_an_answer_that_waited_because_the_client_did_not_read_is_no_measure_of_the_round_trip() -> None:
    def later(held: float) -> History:
        carried = events.Carried(t=2.0, link="output", connection=1, held=held)
        return run(
            carried, probed(1.0, 2.0, 3.0), answered(3.5, 3, rtt=2.5), probed(4.0, first=4), suspected(5.2)
        )

    assert said(probes, later(held=0.5)) == "pass"
    assert said(probes, later(held=0.0)) == "fail"


def test_a_client_that_does_not_read_on_purpose_starts_its_deadlines_anew() -> None:
    history = run(probed(1.0), suspected(2.2), revived(2.3), suspected(3.6), died(6.0, silence=4.5))
    assert said(probes, history) == "pass"


def test_what_a_client_does_while_it_stops_says_nothing() -> None:
    assert said(probes, run(in_turn([1.0, 2.0]), stopping(2.5), suspected(2.6))) == "pass"
