"""`recover`, on literal records, and on three whole runs beside what a reader counts in their records."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from chaos import catalogue
from chaos.faults import Fault
from chaos.history import History
from chaos.judging.disruptions import recoveries
from chaos.judging.peer_facts import facts_of
from chaos.judging.recover import by_reports as recover
from chaos.runner import Plan, perform
from simulator import events as peer
from tests.chaos.histories import (
    Parts,
    accepted,
    closed,
    connected,
    connecting,
    delivered,
    died,
    ended,
    fault,
    offered,
    opened,
    record,
    refused,
    said,
    scenario,
    stopped,
    stopping,
    struck,
    waiting,
)
from tracker import events

DOWN = fault("down", 10.0, 5.0)


def interrupted(
    back_at: float | None, *parts: Parts, by: tuple[Fault, ...] = (DOWN,), stops: float = 60.0
) -> History:
    """Deliveries up to 9.9 s, an end at 10 s, and again every 0.1 s from `back_at` on."""
    before = delivered(*range(1, 100), every=0.1)
    after = (
        ()
        if back_at is None
        else delivered(*range(round(back_at * 10), round(stops * 10)), every=0.1, over=2)
    )
    return record(connected(), before, struck(*by), closed(10.0), after, *parts, stopping(stops))


def test_a_delivery_within_the_announced_delay_and_a_handshake_is_a_recovery() -> None:
    assert said(recover, interrupted(17.9, waiting(14.0, 2.0)), DOWN) == "pass"
    assert said(recover, interrupted(18.2, waiting(14.0, 2.0)), DOWN) == "fail"


def test_a_link_that_was_away_already_has_the_rest_of_its_delay() -> None:
    gone = connected(0.1, 1, "input"), closed(8.0, link="input"), waiting(8.0, 9.0, link="input")
    assert said(recover, interrupted(17.9, gone), DOWN) == "pass"
    assert said(recover, interrupted(25.2, gone), DOWN) == "fail"


def test_nothing_is_asked_of_a_client_whose_machine_stands_still_or_that_is_told_to_send_nothing() -> None:
    asleep = fault("block_loop", 12.0, 8.0, None)
    assert said(recover, interrupted(20.9, by=(DOWN, asleep)), DOWN, asleep) == "pass"
    assert said(recover, interrupted(21.2, by=(DOWN, asleep)), DOWN, asleep) == "fail"
    told = [events.Controlled(t=12.0, kind="pause_output"), events.Controlled(t=20.0, kind="resume_output")]
    assert said(recover, interrupted(20.9, told), DOWN) == "pass"
    assert said(recover, interrupted(21.2, told), DOWN) == "fail"
    never_again = told[:1]
    assert said(recover, interrupted(None, never_again), DOWN) is None


def test_a_mild_burst_of_loss_leaves_open_what_was_due() -> None:
    mild = fault("rto", 14.0, 5.0, losses=2)
    assert said(recover, interrupted(16.2, by=(DOWN, mild)), DOWN, mild) == "unknown"
    assert said(recover, interrupted(15.9, by=(DOWN, mild)), DOWN, mild) == "pass"
    over = fault("rto", 11.0, 3.0, losses=2)
    assert said(recover, interrupted(16.2, by=(DOWN, over)), DOWN, over) == "fail"


def test_without_an_announced_delay_there_is_time_for_a_handshake_only() -> None:
    assert said(recover, interrupted(15.9), DOWN) == "pass"
    assert said(recover, interrupted(16.2), DOWN) == "fail"


def test_a_delay_of_the_other_link_does_not_stretch_the_limit() -> None:
    assert said(recover, interrupted(17.9, waiting(14.0, 2.0, link="input")), DOWN) == "fail"


def test_a_scenario_may_set_the_limit_both_ways() -> None:
    assert said(recover, interrupted(18.5, waiting(14.0, 2.0)), DOWN, recover_within=4.0) == "pass"
    assert said(recover, interrupted(17.5, waiting(14.0, 2.0)), DOWN, recover_within=2.0) == "fail"


def test_no_delivery_ever_after_is_a_failure_and_at_the_end_of_the_record_it_is_unknown() -> None:
    assert said(recover, interrupted(None), DOWN) == "fail"
    assert said(recover, interrupted(None, stops=15.5), DOWN) == "unknown"


def test_a_close_that_the_client_noticed_late_is_still_judged() -> None:
    before, after = delivered(*range(1, 100), every=0.1), delivered(250, every=0.1, over=2)
    unnoticed = record(connected(), before, struck(DOWN), closed(24.0), after, stopping(60.0))
    assert said(recover, unnoticed, DOWN) == "fail"


def test_what_a_connection_that_was_given_up_still_held_is_no_recovery() -> None:
    stale: list[Parts] = [opened(0.1, 1), delivered(100, at=15.1, over=1)]
    assert said(recover, interrupted(22.0, stale, opened(21.9, 2)), DOWN) == "fail"
    assert said(recover, interrupted(15.5, stale, opened(15.4, 2)), DOWN) == "pass"


def test_a_strike_that_interrupted_nothing_needs_no_recovery() -> None:
    steady = record(connected(), delivered(*range(1, 400), every=0.1), struck(DOWN), stopping(40.0))
    assert said(recover, steady, DOWN) is None


def test_a_stall_that_nobody_gave_up_recovers_when_what_it_held_arrives() -> None:
    short = fault("stall", 10.0, 3.0)
    before, after = delivered(*range(1, 100), every=0.1), delivered(*range(131, 400), every=0.1)
    assert said(recover, record(connected(), before, struck(short), after, stopping(40.0)), short) == "pass"
    # TCP tries again within as long as the outage lasted.
    soon, late = (delivered(*range(first, 400), every=0.1) for first in (169, 171))
    assert said(recover, record(connected(), before, struck(short), soon, stopping(40.0)), short) == "pass"
    assert said(recover, record(connected(), before, struck(short), late, stopping(40.0)), short) == "fail"


def test_after_a_fault_that_is_over_at_once_the_path_is_whole_at_once() -> None:
    bye = fault("close", 10.0, code=1001)
    assert said(recover, interrupted(10.9, by=(bye,)), bye) == "pass"
    # A delivery that waits longer is not to be hidden by the second after the fault.
    assert said(recover, interrupted(11.4, by=(bye,)), bye) == "fail"


def test_the_path_is_whole_only_when_no_strike_is_left() -> None:
    turned_away = fault("accept_then_close", 9.9, 15.0)
    bye = fault("close", 10.0, code=1001)
    assert said(recover, interrupted(25.5, by=(turned_away, bye)), turned_away, bye) == "pass"
    assert said(recover, interrupted(26.5, by=(turned_away, bye)), turned_away, bye) == "fail"


def test_a_path_struck_again_before_the_limit_is_judged_after_the_last_strike() -> None:
    flaps = fault("down", 10.0, 1.0), fault("down", 14.0, 1.0)
    announced = waiting(10.5, 4.0), waiting(14.6, 1.0)
    assert said(recover, interrupted(15.7, *announced, by=flaps), *flaps) == "pass"
    assert said(recover, interrupted(18.0, *announced, by=flaps), *flaps) == "fail"


def test_a_path_struck_again_only_after_the_limit_is_no_excuse() -> None:
    flaps = fault("down", 10.0, 1.0), fault("down", 14.0, 1.0)
    assert said(recover, interrupted(15.7, waiting(10.5, 1.0), by=flaps), *flaps) == "fail"


def test_a_restart_of_the_peer_concerns_both_links() -> None:
    restart = fault("restart", 10.0, 5.0, on=None)
    history = interrupted(17.9, waiting(14.0, 2.0, link="input"), by=(restart,))
    assert said(recover, history, restart) == "pass"


def test_a_fault_to_the_end_of_the_run_leaves_no_recovery_to_judge() -> None:
    forever = fault("down", 10.0)
    assert said(recover, interrupted(None, stopped(61.0), by=(forever,)), forever) is None


# What may have been in progress at the heal


def healed_into(*parts: Parts, back_at: float, timing: dict[str, float] | None = None) -> History:
    """The output is silent from 10 s to 13 s; deliveries come again every 0.1 s from `back_at` on."""
    before = delivered(*range(1, 100), every=0.1)
    after = delivered(*range(round(back_at * 10), 600), every=0.1, over=2)
    settings = {"timing": timing or {}}
    return record(connected(), before, struck(SHORT), parts, after, stopping(60.0), settings=settings)


SHORT = fault("stall", 10.0, 3.0)
NOTICED = died(14.5, 3.5), closed(14.5, "tracker")


def test_a_link_that_was_not_given_up_by_then_has_what_is_left_of_its_detection() -> None:
    # 1.5 s until it is given up, the delay, and the handshake.
    given_up = NOTICED, waiting(14.5, 2.0), connected(16.6, 2)
    assert said(recover, healed_into(given_up, back_at=17.5), SHORT) == "pass"
    assert said(recover, healed_into(given_up, back_at=17.6), SHORT) == "fail"


def test_a_link_that_is_given_up_later_than_promised_has_no_more_time_for_it() -> None:
    # Due at 15 s, or at 16 s where TCP's next try was waited for, so until 19 s; it went on until 16.5 s.
    late = died(16.5, 6.5), closed(16.5, "tracker"), waiting(16.5, 2.0)
    assert said(recover, healed_into(late, back_at=18.9), SHORT) == "pass"
    assert said(recover, healed_into(late, back_at=19.1), SHORT) == "fail"


def test_a_scenario_that_grants_more_for_the_detection_grants_more_here() -> None:
    late = died(16.5, 6.5), closed(16.5, "tracker"), waiting(16.5, 2.0)
    assert said(recover, healed_into(late, back_at=19.4), SHORT, detect_within=8.0) == "pass"
    assert said(recover, healed_into(late, back_at=19.6), SHORT, detect_within=8.0) == "fail"


def test_a_handshake_that_hung_at_the_heal_has_the_rest_of_its_time_and_no_more() -> None:
    def hung_until(end: float) -> list[Parts]:
        gone: list[Parts] = [closed(10.5, "tracker"), events.Connecting(t=11.0, link="output", attempt=2)]
        return [*gone, refused(end), waiting(end, 1.0)]

    patience = {"open_timeout": 5.0}
    assert said(recover, healed_into(hung_until(16.0), back_at=18.0, timing=patience), SHORT) == "pass"
    assert said(recover, healed_into(hung_until(16.0), back_at=18.1, timing=patience), SHORT) == "fail"
    assert said(recover, healed_into(hung_until(17.0), back_at=18.0, timing=patience), SHORT) == "pass"
    assert said(recover, healed_into(hung_until(17.0), back_at=18.1, timing=patience), SHORT) == "fail"


def test_a_handshake_that_was_over_by_then_or_began_later_adds_nothing() -> None:
    gone: list[Parts] = [closed(10.5, "tracker"), connecting(11.0), refused(13.0)]
    assert said(recover, healed_into(gone, back_at=14.0), SHORT) == "pass"
    assert said(recover, healed_into(gone, back_at=14.1), SHORT) == "fail"
    later: list[Parts] = [closed(10.5, "tracker"), connecting(13.0), connected(15.0, 2)]
    assert said(recover, healed_into(later, back_at=14.1), SHORT) == "fail"


def test_the_delay_that_counts_is_the_one_that_ran_at_the_heal_or_the_next() -> None:
    gone = closed(10.5, "tracker")
    over = waiting(10.5, 2.4)  # it ended before the heal
    assert said(recover, healed_into(gone, over, back_at=14.1), SHORT) == "fail"
    assert said(recover, healed_into(gone, waiting(10.5, 2.5), back_at=16.5), SHORT) == "pass"
    # A second one is one too many.
    twice = waiting(12.5, 0.6), waiting(13.2, 4.0)
    assert said(recover, healed_into(gone, twice, back_at=14.5), SHORT) == "pass"
    assert said(recover, healed_into(gone, twice, back_at=14.7), SHORT) == "fail"
    # And one that begins when the client is back has nothing to do with it.
    assert said(recover, healed_into(gone, waiting(14.0, 4.0), back_at=18.0), SHORT) == "pass"
    assert said(recover, healed_into(gone, waiting(18.1, 4.0), back_at=18.0), SHORT) == "fail"


def test_a_link_that_nothing_struck_has_nothing_to_notice() -> None:
    other = connected(link="input"), died(14.5, 3.5), closed(14.5, "tracker", link="input")
    gone = closed(10.5, "tracker")
    assert said(recover, healed_into(gone, other, back_at=14.1), SHORT) == "fail"


def test_a_fault_that_ends_the_connection_itself_leaves_nothing_to_notice() -> None:
    lasts = record(connected(), delivered(*range(1, 100), every=0.1), struck(DOWN), delivered(161, every=0.1))
    assert said(recover, lasts, DOWN) == "fail"


# What counts as a delivery


BYE = fault("close", 10.0, code=1000)


def told(*parts: Parts, by: Fault = BYE) -> History:
    """The peer's connection 1, on the output, is the client's first; both sides tell."""
    before = delivered(*range(1, 100), every=0.1)
    return record(opened(0.05, 1), connected(), before, struck(by), parts, stopping(60.0))


def begins_to_close(number: int, t: float = 10.0) -> peer.Misbehaved:
    return peer.Misbehaved(t=t, kind="close", link="output", connection=number)


def test_the_last_bytes_over_a_connection_that_is_being_closed_are_no_recovery() -> None:
    dying = begins_to_close(1), delivered(100, at=10.01), closed(10.02, "peer", code=1000)
    back = waiting(10.02, 7.0), opened(17.0, 2), connected(17.0, 2), delivered(101, at=17.1, over=2)
    assert said(recover, told(dying, back), BYE, recover_within=2.0) == "fail"
    assert recoveries(facts_of(told(dying, back), [BYE])) == (pytest.approx(7.1),)


def test_a_client_that_notices_late_that_the_peer_has_closed_does_not_recover_meanwhile() -> None:
    late = begins_to_close(1), delivered(100, at=10.01), closed(14.0, "peer", code=1000)
    back = opened(14.2, 2), connected(14.2, 2), delivered(101, at=14.3, over=2)
    assert recoveries(facts_of(told(late, back), [BYE])) == (pytest.approx(4.3),)


def test_a_close_of_another_connection_is_no_reason_to_doubt_this_one() -> None:
    earlier = begins_to_close(1, t=9.0), delivered(*range(112, 300), every=0.1)
    assert recoveries(facts_of(told(begins_to_close(7), delivered(112, every=0.1)), [BYE])) == (
        pytest.approx(1.2),
    )
    assert recoveries(facts_of(told(earlier), [BYE])) == (pytest.approx(1.2),)


def test_a_connection_that_outlives_the_fault_recovers_with_its_first_delivery() -> None:
    held = delivered(*range(101, 130), at=13.2), delivered(*range(133, 300), every=0.1)
    assert recoveries(facts_of(told(held, by=SHORT), [SHORT])) == (pytest.approx(0.2),)


def test_a_delivery_before_a_give_up_that_began_with_the_fault_is_no_recovery() -> None:
    given_up = delivered(101, at=13.2), died(14.5, 3.5), closed(14.5, "tracker")
    back = opened(15.0, 2), connected(15.0, 2), delivered(102, at=15.1, over=2)
    assert recoveries(facts_of(told(given_up, back, by=SHORT), [SHORT])) == (pytest.approx(2.1),)
    # One that is given up for a later silence had recovered.
    later = delivered(101, at=13.2), died(14.5, 1.4), closed(14.5, "tracker")
    assert recoveries(facts_of(told(later, back, by=SHORT), [SHORT])) == (pytest.approx(0.2),)


def test_what_arrives_after_the_client_had_given_the_connection_up_is_no_recovery() -> None:
    """It was given up for no reason of this fault's, which needs a recovery all the same."""
    elsewhere = fault("stall", 10.0, 3.0, on="input")
    gone = closed(9.5, "tracker"), delivered(101, at=13.2)
    back = opened(15.0, 2), connected(15.0, 2), delivered(102, at=15.1, over=2)
    assert recoveries(facts_of(told(gone, back, by=elsewhere), [elsewhere])) == (pytest.approx(2.1),)


def test_where_the_input_was_struck_what_had_come_in_before_is_no_recovery() -> None:
    hung_up = fault("close", 10.0, code=1000, on="input")
    frames: list[Parts] = [
        [connected(), connected(link="input"), closed(10.01, "peer", link="input", code=1000)],
        [delivered(*range(1, 100), every=0.1), accepted(*range(1, 101), every=0.1)],
        delivered(100, at=10.02),
        connected(12.0, 2, link="input"),
        [events.Accepted(t=12.3, seq=101, size=100), delivered(101, at=12.4)],
    ]
    history = record(frames, struck(hung_up), stopping(60.0))
    assert recoveries(facts_of(history, [hung_up])) == (pytest.approx(2.4),)
    assert said(recover, history, hung_up) == "fail"


def test_a_reply_to_a_control_shows_nothing_of_the_input() -> None:
    hung_up = fault("close", 10.0, code=1000, on="input")
    reply = peer.Delivered(
        t=12.1, stream="s", seq=101, size=9, digest=1, connection=1, reply="status_response"
    )
    frames: list[Parts] = [
        [connected(), connected(link="input"), closed(10.01, "peer", link="input", code=1000)],
        [delivered(*range(1, 100), every=0.1), connected(12.0, 2, link="input"), reply],
        [accepted(101, every=0.12), accepted(102, every=0.125), delivered(102, at=12.8)],
    ]
    history = record(frames, struck(hung_up), stopping(60.0))
    assert recoveries(facts_of(history, [hung_up])) == (pytest.approx(2.8),)


def test_where_both_links_were_struck_both_must_carry_again() -> None:
    restart = fault("restart", 10.0, 5.0, on=None)
    both: list[Parts] = [
        [connected(), connected(link="input"), closed(10.0, "peer"), closed(10.0, "peer", link="input")],
        [delivered(*range(1, 100), every=0.1), accepted(*range(1, 101), every=0.1)],
        [connected(15.5, 2), delivered(100, at=15.6, over=2)],
        [connected(18.0, 2, link="input"), accepted(181, every=0.1), delivered(181, at=18.2, over=2)],
    ]
    assert recoveries(facts_of(record(both, struck(restart), stopping(60.0)), [restart])) == (
        pytest.approx(3.2),
    )


def test_an_input_that_outlived_its_fault_needs_no_new_connection() -> None:
    silent = fault("stall", 10.0, 3.0, on="input")
    held: list[Parts] = [
        [connected(), connected(link="input"), delivered(*range(1, 100), every=0.1)],
        [accepted(*range(1, 100), every=0.1), accepted(131, every=0.1), delivered(131, at=13.2)],
    ]
    assert recoveries(facts_of(record(held, struck(silent), stopping(60.0)), [silent])) == (
        pytest.approx(0.2),
    )


def test_what_strikes_the_control_link_alone_interrupts_no_delivery() -> None:
    cut = fault("down", 10.0, 5.0, on="control")
    history = record(
        [connected(), connected(link="control"), closed(10.0, link="control")],
        [delivered(*range(1, 100), every=0.1), struck(cut), stopping(60.0)],
    )
    assert said(recover, history, cut) is None


def test_no_delivery_is_a_failure_from_the_limit_on_and_unknown_before() -> None:
    def verdict(stops: float) -> str | None:
        return said(recover, interrupted(None, stops=stops), DOWN)

    assert verdict(15.9) == "unknown"
    assert verdict(16.0) == "fail"


def test_the_worst_recovery_is_told_with_its_own_limit() -> None:
    flaps = fault("down", 10.0, 1.0), fault("down", 20.0, 1.0)
    history = record(
        [connected(), delivered(*range(1, 100), every=0.1), struck(*flaps), closed(10.0)],
        [waiting(10.5, 1.0), connected(11.5, 2), delivered(*range(116, 200), every=0.1)],
        [
            closed(20.0, number=2),
            waiting(20.5, 3.0),
            connected(21.1, 3),
            delivered(*range(212, 300), every=0.1),
        ],
        stopping(40.0),
    )
    check = recover(facts_of(history, flaps), scenario(*flaps))
    assert check is not None
    assert (check.verdict, check.expected, check.observed) == (
        "pass",
        "a delivery within 2.00 s of healing",
        "0.60 s at most",
    )


# A client that reports nothing


def test_what_a_relay_still_sends_over_a_connection_that_ends_is_no_recovery() -> None:
    relayed: list[Parts] = [
        [opened(0.1, 1), opened(0.2, 2, link="input"), offered(*range(1, 300), every=0.1)],
        [delivered(*range(1, 100), every=0.1), delivered(100, at=10.01), ended(10.02, "peer", number=1)],
        [begins_to_close(1), opened(12.0, 3), delivered(*range(121, 300), every=0.1, over=3), stopping(60.0)],
    ]
    history = record(relayed, struck(BYE), role="relay")
    assert recoveries(facts_of(history, [BYE])) == (pytest.approx(2.1),)


def test_a_relay_recovers_from_a_struck_input_with_a_frame_that_was_offered_after() -> None:
    hung_up = fault("close", 10.0, code=1000, on="input")
    relayed: list[Parts] = [
        [opened(0.1, 1), opened(0.2, 2, link="input"), offered(*range(1, 101), every=0.1)],
        [delivered(*range(1, 100), every=0.1), ended(10.02, "peer", number=2, link="input")],
        [opened(12.0, 3, link="input"), offered(121, 122, every=0.1, over=3)],
        [delivered(100, at=12.05), delivered(121, at=12.15), delivered(122, at=12.3), stopping(60.0)],
    ]
    history = record(relayed, struck(hung_up), role="relay")
    assert recoveries(facts_of(history, [hung_up])) == (pytest.approx(2.15),)


def test_a_receiver_recovers_when_it_is_offered_a_frame_again() -> None:
    hung_up = fault("close", 10.0, code=1000, on="input")
    received: list[Parts] = [
        [opened(0.2, 2, link="input"), offered(*range(1, 100), every=0.1)],
        [ended(10.02, "peer", number=2, link="input"), opened(12.0, 3, link="input")],
        [offered(121, 122, every=0.1, over=3), stopping(60.0)],
    ]
    history = record(received, struck(hung_up), role="receiver")
    assert recoveries(facts_of(history, [hung_up])) == (pytest.approx(2.1),)


# Whole runs


def read_by_hand(lines: list[bytes]) -> float:
    """Of each fault that ends a connection, from its end, or its begin where it has none, to the first delivery over a
    connection of the output that was opened later; the longest.
    """
    events_ = [msgspec.json.decode(line) for line in lines[1:]]
    begins = {e["fault"]: e["t"] for e in events_ if e["event"] == "fault-began"}
    heals = {e["fault"]: e["t"] for e in events_ if e["event"] == "fault-healed"}
    closes = {e["t"] for e in events_ if e["event"] == "misbehaved" and e["kind"] == "close"}
    found = []
    for number, begin in begins.items():
        if begin not in closes and number not in heals:
            continue
        since = begin if begin in closes else heals[number]
        link = next((e["link"] for e in events_ if e["event"] == "misbehaved" and e["t"] == begin), "output")
        if link != "output":
            continue  # told by the frames that come in again, which is another story
        anew = next((e for e in events_ if e["event"] == "peer-opened" and e["t"] >= since), None)
        if anew is not None:
            came = (
                e["t"] for e in events_ if e["event"] == "delivered" and e["connection"] == anew["connection"]
            )
            found.append(next(came) - since)
    return max(found)


@pytest.mark.scenarios
@pytest.mark.parametrize("name", ["close-codes", "slow-close", "clean-drop"])
def test_the_figure_of_a_run_is_what_a_reader_counts_in_its_record(name: str, tmp_path: Path) -> None:
    result = perform(Plan(catalogue.find(name), "sim", 0, 1.0, tmp_path))
    counted = read_by_hand(Path(result.record).read_bytes().splitlines())
    assert counted > 0.1
    assert result.measures["recover_s"] == pytest.approx(counted, abs=0.001)


def test_a_connection_whose_end_nobody_saw_was_interrupted_all_the_same() -> None:
    """The client's address changed: the peer never hears of it, and a client that reports nothing tells nobody."""
    rebound = fault("rst_after_rebind", 10.0)
    late = delivered(*range(130, 300), every=0.1, over=2)
    told = record(
        opened(0.1, 1), delivered(*range(1, 100), every=0.1), struck(rebound), opened(12.9, 2), late
    )
    seen = facts_of(replace(told, role="relay"), [rebound])
    assert recoveries(seen) == (pytest.approx(3.0),)
