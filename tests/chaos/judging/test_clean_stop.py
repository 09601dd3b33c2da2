"""`clean-stop`: the stop flushes within a deadline, says goodbye, and its accounts are right."""

from chaos.history import Reached
from chaos.judging.clean_stop import by_reports as clean_stop
from tests.chaos.histories import (
    Parts,
    accepted,
    closed,
    connected,
    delivered,
    fault,
    record,
    refused,
    said,
    stopped,
    stopping,
    struck,
)
from tracker import events

STALL = fault("stall", 10.0, 20.0)


def test_a_stop_that_flushed_and_said_goodbye_is_clean() -> None:
    assert (
        said(clean_stop, record(connected(), stopping(9.0), closed(9.5, "tracker", code=1001), stopped(9.6)))
        == "pass"
    )


def test_a_stop_with_something_left_over_a_healthy_connection_is_not_clean() -> None:
    history = record(
        connected(), stopping(9.0), closed(9.5, "tracker", code=1001), stopped(9.6, undelivered=3)
    )
    assert said(clean_stop, history) == "fail"


def test_a_stop_without_a_1001_over_a_healthy_connection_is_not_clean() -> None:
    assert (
        said(clean_stop, record(connected(), stopping(9.0), closed(9.5, code=1006), stopped(9.6))) == "fail"
    )
    assert said(clean_stop, record(connected(), stopping(9.0), stopped(9.6))) == "fail"


def test_a_stop_that_the_peer_is_said_to_have_begun_is_not_clean() -> None:
    history = record(connected(), stopping(9.0), closed(9.5, "peer", code=1001), stopped(9.6))
    assert said(clean_stop, history) == "fail"


def test_a_stop_that_never_ends_is_not_clean() -> None:
    assert said(clean_stop, record(connected(), stopping(9.0))) == "fail"


def test_without_a_healthy_connection_the_stop_has_to_be_in_time_and_say_what_is_left() -> None:
    timing = {"timing": {"flush_timeout": 5.0, "close_timeout": 2.0}}
    gone: list[Parts] = [connected(), closed(8.0), stopping(9.0)]
    assert said(clean_stop, record(gone, stopped(14.5, undelivered=7), settings=timing)) == "pass"
    assert said(clean_stop, record(gone, stopped(17.5, undelivered=7), settings=timing)) == "fail"


def test_a_fault_that_lasts_through_the_stop_excuses_what_is_left_on_its_link() -> None:
    stop: list[Parts] = [connected(), stopping(40.0), closed(45.0), stopped(45.0, undelivered=7)]
    forever, elsewhere = fault("stall", 10.0), fault("stall", 10.0, on="input")
    assert said(clean_stop, record(*stop, struck(forever)), forever) == "pass"
    assert said(clean_stop, record(*stop, struck(elsewhere)), elsewhere) == "fail"
    assert said(clean_stop, record(*stop, struck(STALL)), STALL) == "fail"  # it was healed by then


TIMING = {"barrier_interval": 0.2, "flush_timeout": 5.0, "close_timeout": 2.0}


def healthy(took: float, rtt: float = 0.1, *, goodbye: float = 0.1) -> list[Parts]:
    """A stop at 9 s over connections that answered until then."""
    answers = [events.Answered(t=8.0, link=link, number=1, rtt=rtt) for link in ("input", "output")]
    both = connected(), connected(link="input", number=2)
    ends = (
        closed(9.0 + goodbye, "tracker", code=1001),
        closed(9.0 + goodbye, code=1001, link="input", number=2),
    )
    return [both, answers, stopping(9.0), ends, stopped(9.0 + took)]


def test_a_healthy_stop_takes_about_a_round_trip_and_not_its_deadline() -> None:
    def verdict(took: float, rtt: float = 0.1) -> str | None:
        return said(clean_stop, record(healthy(took, rtt), settings={"timing": TIMING}))

    assert verdict(1.4) == "pass"  # 0.2 s, three round trips, and a second's grace
    assert verdict(1.6) == "fail"
    assert verdict(1.6, rtt=0.2) == "pass"


def test_a_link_without_a_connection_holds_up_no_healthy_stop() -> None:
    timing = {"flush_timeout": 5.0, "close_timeout": 2.0, "barrier_interval": 0.2}
    trip = events.Answered(t=8.9, link="output", number=1, rtt=0.1)

    def verdict(took: float) -> str | None:
        down = fault("down", 2.0, on="input")
        begin = connected(), connected(link="input", number=1), closed(2.0, link="input"), trip, stopping(9.0)
        end = closed(9.0 + took, "tracker", code=1001), stopped(9.0 + took)
        return said(clean_stop, record(begin, end, struck(down), settings={"timing": timing}), down)

    assert verdict(1.4) == "pass"
    assert verdict(1.6) == "fail"


def test_a_stop_has_its_deadline_where_a_fault_was_in_force_a_moment_ago() -> None:
    before, long_ago = fault("stall", 4.0, 1.0, on="input"), fault("stall", 2.0, 1.0, on="input")
    history = record(healthy(4.0), struck(before), settings={"timing": TIMING})
    assert said(clean_stop, history, before) == "pass"
    history = record(healthy(4.0), struck(long_ago), settings={"timing": TIMING})
    assert said(clean_stop, history, long_ago) == "fail"


def test_what_a_stop_says_that_it_holds_is_what_it_took_and_neither_displaced_nor_confirmed() -> None:
    def verdict(left: int, undelivered: int, *, confirmed: int = 1) -> str | None:
        begin = [Reached(t=8.9, phase="stopping"), events.Stopping(t=9.0, why="asked", left=left)]
        confirm = events.Confirmed(t=9.2, count=confirmed, left=0)
        gave_way = events.Displaced(t=7.0, seq=1)
        parts = accepted(1, 2, 3), delivered(2, 3), gave_way, begin, confirm, stopped(14.5, undelivered)
        return said(clean_stop, record(parts, settings={"timing": TIMING}))

    assert verdict(left=2, undelivered=1) == "pass"
    assert verdict(left=2, undelivered=0) == "fail"
    assert verdict(left=3, undelivered=1) == "fail"
    assert verdict(left=2, undelivered=0, confirmed=2) == "pass"


def test_more_may_not_be_missing_than_a_stop_says_that_it_left() -> None:
    begin = [Reached(t=8.9, phase="stopping"), events.Stopping(t=9.0, why="asked", left=2)]
    confirm = events.Confirmed(t=9.2, count=1, left=1)
    parts = accepted(1, 2), begin, confirm, stopped(14.5, undelivered=1)
    assert said(clean_stop, record(parts, delivered(1), settings={"timing": TIMING})) == "pass"
    assert said(clean_stop, record(parts, settings={"timing": TIMING})) == "fail"


def test_what_is_left_had_all_the_time_that_the_stop_has_or_was_refused_for_good() -> None:
    def verdict(took: float, *more: Parts) -> str | None:
        gone: list[Parts] = [connected(), closed(8.0), stopping(9.0), stopped(9.0 + took, undelivered=7)]
        return said(clean_stop, record(gone, *more, settings={"timing": TIMING}))

    assert verdict(5.0) == "pass"
    assert verdict(4.0) == "fail"
    assert verdict(0.1, refused(8.5, fatal=True)) == "pass"
