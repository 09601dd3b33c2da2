import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chaos.faults import Fault
from chaos.history import Began, History, HistoryEvent, Reached, StoodStill
from chaos.judging.bounded import by_reports as bounded
from chaos.judging.checks import judge, valid_run
from chaos.judging.dedup_safe import by_reports as dedup_safe
from chaos.judging.detect import by_reports as detect
from chaos.judging.facts import Facts
from chaos.judging.frames import every_frame, silence
from chaos.judging.in_order import by_arrivals as in_order
from chaos.judging.measures import measures_of
from chaos.judging.no_false_kill import by_ends as no_false_kill
from chaos.judging.no_loss import by_reports as no_loss
from chaos.judging.promises import CHECKS
from chaos.judging.survives_input import by_reports as survives_input
from chaos.scenario import PROMISES
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    Parts,
    accepted,
    broke,
    closed,
    connected,
    connecting,
    delivered,
    died,
    fault,
    observed,
    opened,
    record,
    refused,
    said,
    scenario,
    sent,
    stopped,
    stopping,
    struck,
)
from tracker import events

FRAMES = range(1, 31)
"""One a second, for half a minute."""


# All of them


def test_every_promise_has_a_check_of_its_name() -> None:
    assert tuple(CHECKS) == PROMISES


@pytest.mark.parametrize("name", PROMISES)
def test_an_empty_history_says_nothing_about_any_promise(name: str) -> None:
    assert said(CHECKS[name].by_reports, record()) is None
    assert said(CHECKS[name].by_reports, record(STEADY)) is None


@pytest.mark.parametrize("name", PROMISES)
def test_a_stressed_promise_with_nothing_to_judge_is_unknown(name: str) -> None:
    judgement = judge(record(STEADY), scenario(stresses=[name]))
    assert judgement.verdict == "unknown"
    assert [check.verdict for check in judgement.checks if check.name == name] == ["unknown"]


def test_a_promise_that_is_not_stressed_and_has_nothing_to_judge_is_left_out() -> None:
    judgement = judge(record(STEADY), scenario())
    assert [check.name for check in judgement.checks] == ["valid-run"]
    assert judgement.verdict == "pass"


def test_a_run_is_as_bad_as_its_worst_check() -> None:
    lost = record(STEADY, accepted(1, 2, 3), delivered(1, 3))
    assert judge(lost, scenario(stresses=["no-loss", "detect"])).verdict == "fail"
    assert (
        judge(record(STEADY, accepted(1), delivered(1)), scenario(stresses=["detect"])).verdict == "unknown"
    )


# What a record needs


def test_an_empty_run_is_unknown() -> None:
    assert judge(record(), scenario(stresses=["no-loss"])).verdict == "unknown"


def test_a_run_that_never_was_steady_is_unknown_whatever_else_it_shows() -> None:
    lost = record(accepted(1, 2, 3), delivered(1, 3))
    assert judge(lost, scenario(stresses=["no-loss"])).verdict == "unknown"


def test_of_a_run_that_never_was_steady_it_is_said_what_the_peer_saw_instead() -> None:
    def said(*seen: peer.PeerEvent) -> str:
        check = valid_run(replace(record(*seen), role="relay"), scenario())
        assert check.verdict == "unknown"
        return check.observed.partition(": ")[2]

    reads = peer.Opened(t=0.1, link="input", connection=1)
    writes = peer.Opened(t=0.1, link="output", connection=2)
    strange = [
        peer.Unreadable(t=t, reason="no sequence", connection=2, begins='{"id":1' if t == 1.0 else "")
        for t in (1.0, 2.0)
    ]
    assert said() == "it never connected"
    assert said(reads) == "it connected to input alone"
    assert said(reads, writes) == "it connected, was offered 0 messages, and sent 0"
    assert said(reads, writes, *strange) == (
        "2 messages came that could not be read, the first, which begins '{\"id\":1': no sequence"
    )


def test_where_a_fault_is_in_force_from_the_start_no_steady_state_is_asked_for() -> None:
    early = scenario(fault("down", 0.0, 9.0))
    assert valid_run(record(), early).verdict == "pass"
    assert valid_run(record(), scenario(fault("down", 2.0, 9.0))).verdict == "unknown"


def test_a_client_that_is_refused_for_good_is_right_to_give_up() -> None:
    asked = scenario(fault("refuse", 2.0, status=401))
    assert valid_run(record(STEADY, refused(4.0, fatal=True), broke("client")), asked).verdict == "pass"
    assert valid_run(record(STEADY, refused(6.0, fatal=True), broke("client")), asked).verdict == "fail"
    assert valid_run(record(STEADY, refused(4.0), broke("client")), asked).verdict == "fail"
    assert (
        valid_run(record(STEADY, refused(4.0, fatal=True), broke("laboratory")), asked).verdict == "unknown"
    )
    for other in (fault("refuse", 2.0, status=503), fault("refuse", 2.0, on="input", status=401)):
        gave_up = record(STEADY, refused(4.0, fatal=True), broke("client"))
        assert valid_run(gave_up, scenario(other)).verdict == "fail"


def test_a_client_that_broke_has_failed() -> None:
    assert valid_run(record(STEADY, broke("client")), scenario()).verdict == "fail"
    assert judge(record(STEADY, broke("client")), scenario()).verdict == "fail"
    assert judge(record(broke("client")), scenario()).verdict == "fail"


def test_where_the_laboratory_broke_nothing_is_held_against_the_client() -> None:
    cut_short = record(STEADY, accepted(1, 2, 3), delivered(1, 3), stopping(4.0), broke("laboratory"))
    judgement = judge(cut_short, scenario(stresses=["no-loss", "clean-stop"]))
    assert judgement.verdict == "unknown"
    assert "laboratory" in judgement.checks[0].observed


def test_what_hangs_on_a_clients_own_delays_is_unknown_at_another_scale_than_they_have() -> None:
    silent = replace(record(STEADY, Reached(t=40.0, phase="stopping")), role="relay", scales_itself=False)
    verdicts = {
        scale: {
            check.name: check
            for check in judge(replace(silent, time_scale=scale), scenario(longest_silence=3.0)).checks
        }
        for scale in (1.0, 10.0)
    }
    assert verdicts[1.0]["silence"].verdict == "fail"
    assert verdicts[10.0]["silence"].verdict == "unknown"
    assert "10 scenario seconds a second" in verdicts[10.0]["silence"].observed
    assert verdicts[10.0]["valid-run"] == verdicts[1.0]["valid-run"]


def test_a_fault_without_a_trace_makes_the_run_unknown() -> None:
    reset = fault("reset_peer", 10.0, 1.0)
    harmless = record(STEADY, connected(), accepted(*FRAMES), delivered(*FRAMES), struck(reset))
    assert judge(harmless, scenario(reset)).verdict == "unknown"
    assert judge(record(*[harmless.events], closed(10.5)), scenario(reset)).verdict == "pass"


def test_a_fault_that_never_began_makes_the_run_unknown() -> None:
    assert judge(record(STEADY), scenario(fault("reset_peer", 10.0, 1.0))).verdict == "unknown"


def test_a_peer_that_should_echo_all_along_and_does_not_makes_the_run_unknown() -> None:
    echoed = peer.Misbehaved(t=3.0, kind="echo", link="output", connection=1)
    assert judge(record(STEADY), scenario(echo=True)).verdict == "unknown"
    assert judge(record(STEADY, echoed), scenario(echo=True)).verdict == "pass"


# no-loss


def test_what_was_accepted_and_arrived_is_no_loss() -> None:
    assert said(no_loss, record(accepted(1, 2, 3), delivered(1, 2, 3), stopped(9.0))) == "pass"


def test_a_message_that_a_later_one_overtook_is_lost() -> None:
    history = record(accepted(1, 2, 3), delivered(1, 3))
    assert said(no_loss, history) == "fail"
    assert observed(no_loss, history) == "1 lost: seq 2"


def test_messages_in_flight_when_the_record_ends_are_not_lost_for_certain() -> None:
    assert said(no_loss, record(accepted(1, 2, 3), delivered(1))) == "unknown"
    assert said(no_loss, record(accepted(1, 2, 3), delivered(1), stopped(9.0, undelivered=2))) == "unknown"


def test_messages_that_the_client_no_longer_held_at_its_end_are_lost() -> None:
    history = record(accepted(1, 2, 3), delivered(1), stopped(9.0, undelivered=1))
    assert observed(no_loss, history) == "1 lost: seq 2"
    assert said(no_loss, record(accepted(1, 2), stopped(9.0))) == "fail"


def test_a_client_that_crashed_may_have_held_the_last_messages() -> None:
    assert said(no_loss, record(accepted(1, 2), delivered(1), broke("client"))) == "unknown"
    assert said(no_loss, record(accepted(1, 2, 3), delivered(1, 3), broke("client"))) == "fail"


def test_fire_and_forget_does_not_know_what_is_on_the_wire_at_its_end() -> None:
    forgetful = {"confirm": "none"}
    tail = record(accepted(1, 2), delivered(1), stopped(9.0), settings=forgetful)
    assert said(no_loss, tail) == "unknown"
    assert said(no_loss, record(accepted(1, 2), delivered(2), settings=forgetful)) == "fail"


def test_displaced_is_not_lost() -> None:
    history = record(accepted(1, 2, 3), events.Displaced(t=2.5, seq=2), delivered(1, 3), stopped(9.0))
    assert said(no_loss, history) == "pass"
    assert observed(no_loss, history) == "2 delivered, 1 displaced"


def test_a_message_displaced_instead_of_accepted_does_not_lower_what_is_expected() -> None:
    history = record(accepted(1, 2), events.Displaced(t=3.0, seq=3), delivered(1, 2))
    check = no_loss(Facts(history, ()), scenario())
    assert check is not None
    assert check.expected.startswith("all 2 accepted")
    assert check.observed == "2 delivered, 0 displaced"


def test_the_numbers_of_two_streams_in_one_run_prove_nothing() -> None:
    other = peer.Delivered(t=2.0, stream="other", seq=2, size=1, digest=1, connection=1)
    assert said(no_loss, record(accepted(1, 2), delivered(1), other)) == "unknown"


# in-order


def test_first_deliveries_in_order_pass_whatever_is_repeated() -> None:
    again = delivered(1, at=2.5, over=2, repeat=True)
    assert said(in_order, record(delivered(1, 2), again, delivered(3))) == "pass"


def test_a_first_delivery_after_a_later_one_fails() -> None:
    history = record(delivered(1, 3), delivered(2, at=4.0))
    assert said(in_order, history) == "fail"
    assert observed(in_order, history) == "1 came late: seq 2"


def test_another_stream_has_an_order_of_its_own() -> None:
    other = peer.Delivered(t=6.0, stream="other", seq=1, size=1, digest=1, connection=1)
    assert said(in_order, record(delivered(1, 2, 3), other)) == "pass"


# dedup-safe


def test_the_same_body_again_over_another_connection_is_safe() -> None:
    history = record(delivered(1, 2), delivered(2, at=3.0, over=2, repeat=True))
    assert said(dedup_safe, history) == "pass"
    assert observed(dedup_safe, history) == "1 repeats, each as promised"


def test_another_body_under_the_same_number_fails() -> None:
    assert said(dedup_safe, record(delivered(1), delivered(1, at=2.0, over=2, body=7, repeat=True))) == "fail"


def test_a_repeat_over_the_same_connection_fails_also_without_any_reconnect() -> None:
    assert said(dedup_safe, record(delivered(1), delivered(1, at=2.0, over=1, repeat=True))) == "fail"


def test_a_repeat_over_the_same_connection_does_not_hide_behind_another_in_between() -> None:
    history = record(delivered(1, at=1.0, over=1), delivered(1, at=2.0, over=2), delivered(1, at=3.0, over=1))
    assert said(dedup_safe, history) == "fail"


def test_no_reconnect_and_no_repeat_says_nothing_about_repeats() -> None:
    assert said(dedup_safe, record(delivered(1, 2, 3))) is None
    assert said(dedup_safe, record(delivered(1, 2), delivered(3, over=2))) == "pass"


def test_what_is_taken_for_confirmed_before_it_has_arrived_fails_though_it_arrives_later() -> None:
    def verdict(t: float) -> str | None:
        confirmed = events.Confirmed(t=t, count=1, left=0)
        return said(no_loss, record(accepted(1), delivered(1, at=3.0), confirmed, stopped(9.0)))

    assert verdict(3.1) == "pass"
    assert verdict(2.9) == "fail"


# bounded


def bound(messages: int, size: int = 10**6, confirm: str = "pong") -> dict[str, object]:
    return {"outbox": {"messages": messages, "bytes": size}, "confirm": confirm}


def test_an_outbox_within_its_bound_passes() -> None:
    confirmed = events.Confirmed(t=2.5, count=2, left=0)
    assert said(bounded, record(accepted(1, 2), confirmed, accepted(3), settings=bound(2))) == "pass"


@pytest.mark.parametrize("limits", [bound(2), bound(100, size=299)])
def test_an_outbox_over_its_bound_fails(limits: dict[str, object]) -> None:
    assert said(bounded, record(accepted(1, 2, 3), settings=limits)) == "fail"


def test_at_the_bound_a_message_that_gives_way_is_announced_after_the_one_that_it_gave_way_to() -> None:
    history = record(accepted(1, 2, 3), events.Displaced(t=3.0, seq=1), settings=bound(2))
    assert said(bounded, history) == "pass"


@pytest.mark.parametrize("overflow", ["block", "fail"])
def test_a_client_that_was_told_to_block_or_to_fail_displaces_nothing(overflow: str) -> None:
    settings = {**bound(2), "overflow": overflow}
    gone = events.Displaced(t=3.0, seq=1)
    assert said(bounded, record(accepted(1, 2, 3), gone, settings=settings)) == "fail"
    assert said(bounded, record(accepted(1, 2), settings=settings)) == "pass"


def test_an_essential_message_must_not_be_displaced() -> None:
    full = accepted(1, essential=True), accepted(2, 3)
    assert said(bounded, record(full, events.Displaced(t=3.0, seq=1), settings=bound(2))) == "fail"
    assert said(bounded, record(full, events.Displaced(t=3.0, seq=2), settings=bound(2))) == "pass"


def test_the_oldest_plain_message_that_was_never_sent_gives_way_first() -> None:
    def verdict(*parts: Parts, gone: int) -> str | None:
        return said(
            bounded, record(*parts, accepted(4), events.Displaced(t=4.0, seq=gone), settings=bound(3))
        )

    assert verdict(accepted(1, 2, 3), gone=1) == "pass"
    assert verdict(accepted(1, 2, 3), gone=2) == "fail"
    assert verdict(accepted(1, 2, 3), sent(1), gone=2) == "pass"
    assert verdict(accepted(1, essential=True), accepted(2, 3), gone=2) == "pass"


def test_what_was_not_accepted_may_have_been_larger_than_all_that_waited() -> None:
    refused_at_once = events.Displaced(t=3.5, seq=4)
    assert said(bounded, record(accepted(1, 2, 3), refused_at_once, settings=bound(3))) == "pass"


def test_with_fire_and_forget_the_outbox_holds_what_was_not_sent() -> None:
    history = record(accepted(1, 2, 3), sent(1, 2, 3), settings=bound(1, confirm="none"))
    assert said(bounded, history) == "pass"
    assert said(bounded, record(accepted(1, 2), sent(1, 2), settings=bound(1))) == "fail"


def test_a_client_that_declares_no_bound_is_not_judged_by_one() -> None:
    assert said(bounded, record(accepted(1, 2))) is None


# detect


STALL = fault("stall", 10.0, 20.0)
"""30 messages leave, those from 10 s on do not arrive."""


CEILING = {"timing": {"probe_ceiling": 12.0, "probe_interval": 1.0}}


def stalled(
    *parts: Parts, by: Fault = STALL, stops: float = 40.0, settings: Mapping[str, Any] | None = None
) -> History:
    arriving = delivered(*range(1, 10))
    return record(
        STEADY, connected(), sent(*FRAMES), arriving, struck(by), *parts, stopping(stops), settings=settings
    )


def test_a_silent_link_given_up_within_the_bound_passes() -> None:
    assert said(detect, stalled(closed(13.8, "tracker")), STALL) == "pass"


def test_a_silent_link_given_up_too_late_or_never_fails() -> None:
    assert said(detect, stalled(closed(15.1, "tracker")), STALL) == "fail"
    assert said(detect, stalled(), STALL) == "fail"


def test_a_scenario_may_set_another_bound() -> None:
    assert said(detect, stalled(closed(15.1, "tracker")), STALL, detect_within=6.0) == "pass"


def test_a_link_that_healed_before_the_bound_need_not_be_given_up() -> None:
    short = fault("stall", 10.0, 3.0)
    assert said(detect, stalled(by=short), short) is None


def test_bytes_that_come_after_the_heal_are_no_life_during_the_silence() -> None:
    late = events.Carried(t=35.0, link="output", connection=1, received=100)
    assert said(detect, stalled(closed(16.0, "tracker"), late), STALL) == "fail"
    early = events.Carried(t=15.0, link="output", connection=1, received=100)
    assert said(detect, stalled(closed(16.0, "tracker"), early, settings=CEILING), STALL) == "pass"


def test_a_link_that_was_down_already_has_nothing_to_detect() -> None:
    down_before = record(
        connected(), closed(9.0), struck(STALL), connected(31.0, 2), delivered(40), stopping(50.0)
    )
    assert said(detect, down_before, STALL) is None


def test_a_connection_that_opens_into_the_silence_has_the_bound_from_there() -> None:
    mute = fault("mute_pong", 10.0, 20.0)
    told = [peer.Misbehaved(t=t, kind="mute_pong", link="output", connection=1) for t in (11.0, 20.0)]
    first = closed(13.0, "tracker")
    second = [connected(14.0, 2), closed(18.0, "tracker", number=2)]
    assert said(detect, stalled(told, first, second, by=mute), mute) == "pass"
    assert said(detect, stalled(told, first, connected(14.0, 2), by=mute), mute) == "fail"


def test_another_strikes_end_does_not_count_for_a_silence_that_nobody_noticed() -> None:
    again = fault("stall", 35.0, 2.0)
    begun_again = [*struck(STALL), Began(t=35.0, fault=1, planned=35.0)]
    history = record(connected(), sent(*FRAMES), begun_again, closed(38.0, "tracker"), stopping(50.0))
    assert said(detect, history, STALL, again) == "fail"


def test_the_peer_closing_the_connection_is_no_detection() -> None:
    assert said(detect, stalled(closed(12.0, "peer", code=1012)), STALL) is None


def test_a_silence_to_the_end_of_the_run_counts_up_to_the_stop() -> None:
    forever = fault("stall", 10.0)
    late = record(STEADY, connected(), sent(*FRAMES), struck(forever), stopping(13.0), stopped(20.0))
    assert said(detect, late, forever) is None
    assert said(detect, stalled(by=forever), forever) == "fail"


def test_a_stall_that_held_nothing_back_is_not_held_against_the_client() -> None:
    history = record(connected(), sent(*FRAMES), delivered(*FRAMES), struck(STALL), stopping(40.0))
    assert said(detect, history, STALL) == "unknown"


def test_a_toxicity_below_1_may_have_spared_the_connection() -> None:
    some = fault("stall", 10.0, 20.0, toxicity=0.5)
    assert said(detect, stalled(by=some), some) is None


def test_the_silence_of_one_link_is_not_held_against_the_other() -> None:
    both: list[Parts] = [connected(), connected(link="input"), sent(*FRAMES), struck(STALL), stopping(40.0)]
    assert said(detect, record(*both, closed(13.0, "tracker")), STALL) == "pass"
    assert said(detect, record(*both, closed(13.0, "tracker", link="input")), STALL) == "fail"


# no-false-kill


def test_connections_that_last_are_no_false_kill() -> None:
    assert (
        said(no_false_kill, record(connected(), delivered(1), stopping(5.0), closed(6.0, "tracker")))
        == "pass"
    )


def test_a_connection_given_up_without_a_fault_is_a_false_kill() -> None:
    assert said(no_false_kill, record(connected(), died(8.0, 3.6), closed(8.0, "tracker"))) == "fail"


def test_a_fault_excuses_giving_up_the_link_that_it_struck_and_no_other() -> None:
    assert said(no_false_kill, stalled(closed(13.8, "tracker")), STALL) == "pass"
    assert said(no_false_kill, stalled(closed(13.8, "tracker", link="input")), STALL) == "fail"


def test_a_slow_link_excuses_nothing() -> None:
    slow = fault("latency", 10.0, 20.0, latency=1400)
    assert said(no_false_kill, stalled(closed(13.8, "tracker"), by=slow), slow) == "fail"


def test_a_healed_fault_excuses_what_was_silent_since_then_and_nothing_later() -> None:
    short = fault("stall", 10.0, 3.0)
    since_then = [died(13.5, 3.0), closed(13.5, "tracker")]
    later = [died(19.0, 3.0), closed(19.0, "tracker")]
    assert said(no_false_kill, stalled(since_then, by=short), short) == "pass"
    assert said(no_false_kill, stalled(later, by=short), short) == "fail"


def test_where_connections_are_to_be_kept_no_fault_excuses_a_lost_one() -> None:
    lost = stalled(died(13.5, 3.0), closed(13.5, "tracker"))
    asked = scenario(STALL)
    kept = replace(asked, expect=replace(asked.expect, keeps_connections=True))
    verdicts = [
        next(check.verdict for check in judge(lost, each).checks if check.name == "no-false-kill")
        for each in (asked, kept)
    ]
    assert verdicts == ["pass", "fail"]


def test_a_peer_that_turns_newcomers_away_excuses_nothing_for_the_connection_that_was_there() -> None:
    turned_away = fault("accept_then_close", 10.0, 20.0)
    assert said(no_false_kill, stalled(closed(13.8, "tracker"), by=turned_away), turned_away) == "fail"


def test_a_connection_that_the_peer_ended_is_no_false_kill() -> None:
    assert said(no_false_kill, record(connected(), closed(8.0, "peer"))) == "pass"


def test_a_connection_that_the_network_ended_is_one_where_nothing_had_struck_it() -> None:
    down = fault("down", 7.5, 2.0)
    assert said(no_false_kill, record(connected(), closed(8.0, "network"))) == "fail"
    assert said(no_false_kill, stalled(closed(8.0, "network"), by=down), down) == "pass"


def test_a_handshake_given_up_is_a_false_kill_where_no_fault_may_have_broken_it() -> None:
    slow = fault("latency", 10.0, 20.0, latency=1000)
    attempt = connecting(12.0), refused(14.0)
    assert said(no_false_kill, stalled(attempt, by=slow), slow) == "fail"
    assert said(no_false_kill, stalled(attempt), STALL) == "pass"
    assert said(no_false_kill, stalled(connecting(32.0), refused(34.0)), STALL) == "fail"
    assert said(no_false_kill, stalled(connecting(29.0), refused(34.0)), STALL) == "pass"


def test_a_handshake_that_the_peer_refused_was_not_given_up() -> None:
    status = events.Refused(t=14.0, link="output", why="HTTP 503", status=503)
    assert said(no_false_kill, record(connected(), connecting(12.0), status, stopping(20.0))) == "pass"


def test_a_client_that_reports_no_connection_is_not_praised_for_keeping_it() -> None:
    assert said(no_false_kill, record(delivered(*FRAMES))) is None


# survives-input


def bad(t: float, reason: str = "not-json") -> events.Rejected:
    return events.Rejected(t=t, link="input", reason=reason, detail="")


def test_outputs_after_the_last_bad_message_show_that_it_was_survived() -> None:
    assert said(survives_input, record(bad(1.5), accepted(1, 2), stopping(9.0))) == "pass"


def test_a_tracker_that_fell_silent_with_a_bad_message_fails_though_old_outputs_still_arrive() -> None:
    assert said(survives_input, record(bad(2.5), accepted(1, 2), delivered(3), stopping(9.0))) == "fail"


def test_a_bug_met_by_an_input_fails_though_it_was_skipped() -> None:
    assert said(survives_input, record(bad(1.5, "internal-error"), accepted(1, 2), stopping(9.0))) == "fail"


def test_a_bad_message_at_the_very_end_leaves_no_time_to_go_on() -> None:
    assert said(survives_input, record(accepted(1, 2), bad(8.9), stopping(9.0))) == "unknown"


def test_a_tracker_that_tries_a_bad_message_again_and_again_to_the_end_fails() -> None:
    again = [bad(t / 2) for t in range(5, 18)]
    assert said(survives_input, record(accepted(1, 2), again, stopping(9.0))) == "fail"


def test_a_tracker_that_a_bad_message_stopped_has_not_survived_it() -> None:
    asked = Reached(t=20.0, phase="stopping")
    assert said(survives_input, record(accepted(1, 2), bad(8.9), stopping(9.0), asked)) == "fail"


def test_what_found_no_room_before_the_stop_was_no_bad_message() -> None:
    assert said(survives_input, record(accepted(1), bad(8.9, "stopping"), stopping(9.0))) is None


# silence


def test_a_silence_up_to_the_limit_passes_and_a_longer_one_fails() -> None:
    history = record(STEADY, delivered(1, 2, 5, 6), stopping(7.0))
    assert said(silence, history, longest_silence=3.0) == "pass"
    assert said(silence, history, longest_silence=2.9) == "fail"


def test_silence_counts_from_the_steady_state_and_up_to_the_stop() -> None:
    assert said(silence, record(STEADY, delivered(5, 6), stopping(7.0)), longest_silence=3.0) == "fail"
    assert said(silence, record(STEADY, delivered(1, 2), stopping(7.0)), longest_silence=3.0) == "fail"
    assert said(silence, record(STEADY, stopping(7.0)), longest_silence=3.0) == "fail"


def test_silence_with_nothing_to_measure_is_unknown() -> None:
    assert said(silence, record(delivered(1, 2)), longest_silence=3.0) == "unknown"


def test_silence_is_judged_only_where_the_scenario_sets_a_limit() -> None:
    history = record(STEADY, delivered(1, 50), stopping(60.0), stopped(60.5))
    assert said(silence, history) is None
    assert "silence" not in CHECKS
    assert judge(history, scenario(longest_silence=3.0)).verdict == "fail"
    assert judge(history, scenario()).verdict == "pass"


# A whole run


def steps_to_judge(frames: range) -> int:
    """How many calls it takes to judge a record of so many frames, with 35 outages in it; it fails."""
    faults = [fault("down", float(n), 1.0) for n in range(10, 150, 4)]
    every = 160 / len(frames)
    history = record(
        STEADY,
        connected(),
        accepted(*frames, every=every),
        sent(*frames, every=every),
        delivered(*frames, every=every),
        [events.Probed(t=n * every, link="output", number=n) for n in frames],
        connecting(*(3 + n * every / 10 for n in range(len(frames) // 3))),
        struck(*faults),
        [closed(one.at + 0.1, number=n) for n, one in enumerate(faults)],
        settings=bound(900),
    )
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        judgement = judge(history, scenario(*faults, stresses=PROMISES))
        measures_of(Facts(history, faults))
    finally:
        sys.setprofile(None)
    assert judgement.verdict == "fail"
    return calls


def test_a_record_twice_as_long_takes_about_twice_the_steps_to_judge() -> None:
    once, twice = steps_to_judge(range(1, 2001)), steps_to_judge(range(1, 4001))
    assert twice < 2.2 * once


# every-frame


def relayed(*, offered: int, received: int, made: int) -> list[HistoryEvent]:
    return [
        *(peer.Offered(t=1.0 + n / 100, sequence=n, connection=1) for n in range(offered)),
        *(events.Received(t=1.0 + n / 100, timestamp=n, sequence=n) for n in range(received)),
        *accepted(*range(1, made + 1), every=0.1),
    ]


def test_a_frame_that_a_healthy_input_lost_or_that_made_no_output_is_missed() -> None:
    def verdict(**frames: int) -> str | None:
        return said(every_frame, record(relayed(**frames), stopping(20.0)))

    assert verdict(offered=9, received=9, made=9) == "pass"
    assert verdict(offered=9, received=6, made=6) == "fail"
    assert verdict(offered=9, received=9, made=6) == "fail"


def test_a_frame_offered_over_a_struck_input_may_get_lost() -> None:
    lossy = fault("stall", 1.0, 5.0, on="input")
    frames = record(relayed(offered=9, received=6, made=6), struck(lossy), stopping(20.0))
    assert said(every_frame, frames, lossy) == "pass"


def test_a_good_frame_must_not_be_refused() -> None:
    litter = peer.Misbehaved(t=2.0, link="input", connection=1, kind="garbage")
    frames = relayed(offered=9, received=9, made=9)
    assert said(every_frame, record(frames, bad(2.0), litter, stopping(20.0))) == "pass"
    assert said(every_frame, record(frames, bad(2.0), stopping(20.0))) == "fail"


def test_displacing_with_room_left_breaks_the_bound() -> None:
    settings = {"outbox": {"messages": 3, "bytes": 10_000}}
    gone = events.Displaced(t=4.0, seq=1)  # said right after what it gave way to was accepted
    assert said(bounded, record(accepted(1, 2), gone, settings=settings)) == "fail"
    assert said(bounded, record(accepted(1, 2, 3, 4), gone, settings=settings)) == "pass"


# What is left at an end under a fault


def test_what_a_fault_kept_from_delivery_to_the_end_is_no_loss_if_the_client_says_so() -> None:
    stall = fault("stall", 2.5)
    begun = [struck(stall), connected(), accepted(1, 2, 3, 4), delivered(1, 2), stopping(5.0)]
    assert said(no_loss, record(begun, stopped(6.0, undelivered=2)), stall) == "pass"
    assert said(no_loss, record(begun, stopped(6.0, undelivered=1)), stall) == "fail"
    healed = fault("stall", 2.5, 1.0)
    early = record(begun[2:], connected(), struck(healed), stopped(6.0, undelivered=2))
    assert said(no_loss, early, healed) == "unknown"


def test_a_refusal_of_newcomers_is_no_reason_to_leave_anything_on_an_open_connection() -> None:
    refusal = fault("refuse", 2.5)
    begun = [struck(refusal), connected(), accepted(1, 2), delivered(1), stopping(5.0)]
    assert said(no_loss, record(begun, stopped(6.0, undelivered=1)), refusal) == "unknown"


def test_a_connection_that_the_peer_closed_is_not_killed_by_the_client_even_if_no_close_frame_arrived() -> (
    None
):
    bye = fault("close", 10.0, code=1001)
    told_to = peer.Misbehaved(t=10.0, kind="close", link="output", connection=3)
    late = [opened(0.05, 3), connected(), struck(bye), closed(13.0)]
    assert said(no_false_kill, record(late, told_to), bye) == "pass"
    assert said(no_false_kill, record(late), bye) == "fail"
    other = record(opened(0.04, 2), late, peer.Misbehaved(t=10.0, kind="close", link="output", connection=2))
    assert said(no_false_kill, other, bye) == "fail"


# A machine that stood still


def late_recovery(*more: HistoryEvent) -> History:
    """A delivery 10 s after the path was healed, where one is due within 1 s."""
    down = fault("down", 10, 2)
    return record(
        STEADY,
        connected(),
        accepted(*range(1, 31)),
        sent(*range(1, 31)),
        delivered(*range(1, 10)),
        struck(down),
        closed(10.0),
        connected(21.9, number=2),
        delivered(*range(10, 22), at=22.0, over=2),
        delivered(*range(22, 31), over=2),
        more,
    )


def judged_late_recovery(*more: HistoryEvent) -> dict[str, str]:
    judgement = judge(late_recovery(*more), scenario(fault("down", 10, 2), recover_within=1.0))
    return {"verdict": judgement.verdict} | {check.name: check.verdict for check in judgement.checks}


def test_lateness_on_a_machine_that_stood_still_is_unknown() -> None:
    certain = judged_late_recovery()
    assert (certain["verdict"], certain["recover"], "host-paused" in certain) == ("fail", "fail", False)
    doubtful = judged_late_recovery(StoodStill(t=20.0, seconds=5.2))
    assert (doubtful["verdict"], doubtful["recover"], doubtful["host-paused"]) == (
        "unknown",
        "unknown",
        "unknown",
    )


def test_a_loss_is_a_loss_on_any_machine() -> None:
    lossy = record(
        STEADY, connected(), accepted(1, 2, 3), sent(1, 2, 3), delivered(1, 3), StoodStill(t=2.5, seconds=5.2)
    )
    judgement = judge(lossy, scenario())
    assert judgement.verdict == "fail"
    assert not judgement.in_doubt


def test_what_passes_although_the_machine_stood_still_passes() -> None:
    fine = record(
        STEADY,
        connected(),
        accepted(1, 2, 3),
        sent(1, 2, 3),
        delivered(1, 2, 3),
        StoodStill(t=2.5, seconds=5.2),
    )
    judgement = judge(fine, scenario())
    assert judgement.verdict == "pass"
    assert all(check.name != "host-paused" for check in judgement.checks)
