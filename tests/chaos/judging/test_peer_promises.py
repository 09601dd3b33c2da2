"""A client that reports nothing: what the peer saw is enough, or nothing is said."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.faults import Fault
from chaos.history import Attempted, Began, Healed, History, Reached, Role, SocketClosed, SocketsSeen
from chaos.judging.checks import judge, valid_run
from chaos.judging.facts import IN_FLIGHT, Facts
from chaos.judging.peer_evidence import peer_evidence
from chaos.judging.peer_facts import LAST_MOMENTS, PeerFacts, facts_of
from chaos.judging.polite import ATTEMPTS
from chaos.judging.promises import CHECKS
from chaos.scenario import PROMISES
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    Parts,
    broke,
    delivered,
    ended,
    fault,
    offered,
    opened,
    record,
    scenario,
    struck,
)

FRAMES = range(1, 31)
"""One a second, for half a minute."""
STOP = Reached(t=40.0, phase="stopping")
BOTH: list[Parts] = [STEADY, opened(0.1, 1), opened(0.2, 2, "input"), STOP]
STALL = fault("stall", 10.0, 15.0)


def seen(*parts: Parts, by: Fault | None = None, role: Role = "relay") -> History:
    """A healthy begin on both links, the stop at 40 s, and `parts`."""
    return record(*BOTH, *parts, struck(*([by] if by else [])), role=role)


def said(name: str, history: History, *faults: Fault, **expect: Any) -> str | None:
    check = CHECKS[name].by_peer(PeerFacts(history, faults), scenario(*faults, **expect))
    return None if check is None else check.verdict


def observed(name: str, history: History, *faults: Fault) -> str:
    check = CHECKS[name].by_peer(PeerFacts(history, faults), scenario(*faults))
    assert check is not None
    return check.observed


def test_every_promise_has_a_check() -> None:
    assert tuple(CHECKS) == PROMISES


@pytest.mark.parametrize("name", PROMISES)
def test_an_empty_history_says_nothing(name: str) -> None:
    assert said(name, record(role="relay")) is None
    assert said(name, record(STEADY, role="relay")) is None


@pytest.mark.parametrize("name", ["bounded", "same-climb"])
def test_what_the_peer_cannot_know_never_applies(name: str) -> None:
    assert said(name, seen(offered(*FRAMES), delivered(*FRAMES))) is None


# no-loss


def test_frames_that_all_came_are_no_loss_however_late() -> None:
    assert said("no-loss", seen(offered(*FRAMES), delivered(*FRAMES))) == "pass"
    assert (
        said("no-loss", seen(offered(*FRAMES), delivered(*FRAMES[5:]), delivered(*FRAMES[:5], at=39.0)))
        == "pass"
    )


def test_a_frame_that_later_ones_overtook_and_that_never_came_is_lost() -> None:
    history = seen(offered(*FRAMES), delivered(*(n for n in FRAMES if n != 12)))
    assert said("no-loss", history) == "fail"
    assert observed("no-loss", history) == "1 lost, the first is 12"


def test_frames_that_nothing_overtook_may_still_be_in_flight() -> None:
    assert said("no-loss", seen(offered(*FRAMES), delivered(*FRAMES[:20]))) == "unknown"


@pytest.mark.parametrize(("status", "verdict"), [(401, "pass"), (503, "unknown")])
def test_after_a_refusal_for_good_nothing_is_owed(status: int, verdict: str) -> None:
    refuses = fault("refuse", 2.0, status=status)
    refused = peer.Misbehaved(t=2.5, kind="refuse", link="output", client=0)
    assert said("no-loss", seen(offered(1, 2, 3), delivered(1), refused), refuses) == verdict


def test_a_frame_offered_just_before_the_stop_is_not_counted() -> None:
    late = [peer.Offered(t=STOP.t - IN_FLIGHT + 0.1, sequence=31, connection=2)]
    assert said("no-loss", seen(offered(*FRAMES), late, delivered(*FRAMES))) == "pass"


@pytest.mark.parametrize(("before", "verdict"), [(LAST_MOMENTS / 2, "pass"), (LAST_MOMENTS * 1.5, "fail")])
def test_only_the_last_moments_of_a_feed_connection_are_indefinite(before: float, verdict: str) -> None:
    came = delivered(*(n for n in FRAMES if n != 12))
    assert (
        said("no-loss", seen(offered(*FRAMES), came, ended(12.0 + before, number=2, link="input"))) == verdict
    )


@pytest.mark.parametrize(("on", "verdict"), [("input", "pass"), ("output", "fail")])
def test_a_frame_offered_while_the_input_was_under_a_fault_is_indefinite(on: str, verdict: str) -> None:
    hole = fault("blackhole", 11.5, 5.0, on=on)
    history = seen(offered(*FRAMES), delivered(*(n for n in FRAMES if n != 12)), by=hole)
    assert said("no-loss", history, hole) == verdict


@pytest.mark.parametrize(
    "kind",
    [
        {"kind": "latency", "latency": 300},
        {"kind": "slicer", "average_size": 100, "size_variation": 50, "delay": 0},
    ],
    ids=["late", "cut"],
)
def test_a_frame_that_is_only_late_or_in_pieces_reaches_the_client_all_the_same(kind: dict[str, Any]) -> None:
    slow = fault(kind.pop("kind"), 5.0, 30.0, on="input", **kind)
    history = seen(offered(*FRAMES), delivered(*(n for n in FRAMES if n != 12)), by=slow)
    assert said("no-loss", history, slow) == "fail"


@pytest.mark.parametrize(("begins", "verdict"), [(12.5, "pass"), (13.5, "fail")])
def test_the_last_moments_before_a_fault_on_the_input_are_indefinite_too(begins: float, verdict: str) -> None:
    hole = fault("blackhole", begins, 5.0, on="input")
    history = seen(offered(*FRAMES), delivered(*(n for n in FRAMES if n != 12)), by=hole)
    assert said("no-loss", history, hole) == verdict


# in-order, dedup-safe


def test_a_frame_put_back_behind_later_ones_is_out_of_order() -> None:
    assert said("in-order", seen(delivered(1, 2, 3))) == "pass"
    assert said("in-order", seen(delivered(1, 3), delivered(2, at=4.0))) == "fail"


def test_a_frame_sent_twice_over_one_connection_is_an_unsafe_repeat() -> None:
    assert said("dedup-safe", seen(offered(1, 2), delivered(1, 2), delivered(2, at=3.0))) == "fail"
    assert said("dedup-safe", seen(offered(1, 2), delivered(1, 2), delivered(2, at=3.0, over=3))) == "pass"


def test_a_repeat_with_another_body_is_unsafe() -> None:
    assert said("dedup-safe", seen(offered(1), delivered(1), delivered(1, at=3.0, over=3, body=1))) == "fail"


def test_a_frame_that_was_offered_twice_may_come_twice() -> None:
    twice = [offered(1, 2), offered(2, every=1.1, over=4), opened(2.1, 4, "input")]
    assert said("dedup-safe", seen(*twice, delivered(1, 2), delivered(2, at=3.0))) is None


# detect


def test_a_connection_that_outlived_the_silence_was_never_given_up() -> None:
    history = seen(delivered(1, 2, 26, 27, over=1), by=STALL)
    assert said("detect", history, STALL) == "fail"
    assert observed("detect", history, STALL) == "still there after 15.00 s of silence"


def test_an_end_that_only_shows_when_the_path_heals_says_nothing_of_when_it_was() -> None:
    assert said("detect", seen(ended(25.01), by=STALL), STALL) is None


@pytest.mark.parametrize("healed", [25.0, 25.2])
def test_a_new_connection_that_was_held_until_the_heal_says_nothing_of_when_it_was_begun(
    healed: float,
) -> None:
    """What was held is let go when the heal is due, and on real sockets before it is done."""
    stall: list[Parts] = [Began(t=10.0, fault=0, planned=10.0), Healed(t=healed, fault=0, planned=25.0)]
    assert said("detect", seen(*stall, opened(25.0, 3), ended(25.01)), STALL) is None


@pytest.mark.parametrize(("at", "verdict"), [(13.0, "pass"), (18.0, "fail")])
def test_a_new_connection_during_the_silence_dates_the_detection(at: float, verdict: str) -> None:
    assert said("detect", seen(opened(at, 3), by=STALL), STALL) == verdict
    assert said("detect", seen(ended(at), by=STALL), STALL) == verdict


def test_a_connection_dropped_without_a_close_frame_during_the_silence_was_given_up() -> None:
    """Before the client comes back, which may take it a while."""
    history = seen(ended(14.0, "network", code=1006), opened(17.0, 3), by=STALL)
    assert said("detect", history, STALL) == "pass"


@pytest.mark.parametrize(("kind", "verdict"), [("stall", "pass"), ("mute_pong", "fail")])
def test_a_handshake_into_a_silent_network_is_no_connection_to_give_up(kind: str, verdict: str) -> None:
    """A peer that mutes its Pongs answers a handshake."""
    silent = fault(kind, 10.0, 15.0)
    assert said("detect", seen(opened(13.0, 3), opened(19.0, 4), by=silent), silent) == verdict


def test_a_new_connection_of_the_other_link_detects_nothing() -> None:
    history = seen(opened(13.0, 3, "input"), delivered(26, 27, over=1), by=STALL)
    assert said("detect", history, STALL) == "fail"


def test_a_silence_that_may_have_spared_the_connection_is_not_judged() -> None:
    some = fault("stall", 10.0, 15.0, toxicity=0.5)
    assert said("detect", seen(delivered(1, 2, 27, over=1), by=some), some) is None


def test_what_comes_at_the_heal_over_a_connection_was_held_and_says_not_that_it_went_on() -> None:
    assert said("detect", seen(delivered(1, 2, over=1), delivered(3, at=25.5), by=STALL), STALL) is None


def test_a_silence_that_begins_just_before_the_stop_is_not_judged() -> None:
    late = fault("stall", 37.0)
    assert said("detect", seen(opened(43.0, 3), by=late), late) is None


def test_a_silence_shorter_than_the_bound_is_not_judged() -> None:
    short = fault("stall", 10.0, 3.0)
    assert said("detect", seen(delivered(20, over=1), by=short), short) is None


# no-false-kill


def test_a_close_that_the_rfc_demands_for_a_bad_message_is_no_false_kill() -> None:
    broken_text = fault("garbage", 10, 5, on="input", kinds=["not-utf8"])
    failed = seen(ended(12.0, number=2, link="input", code=1007), by=broken_text)
    assert said("no-false-kill", failed, broken_text) == "pass"
    later = seen(ended(20.0, number=2, link="input", code=1007), by=broken_text)
    assert said("no-false-kill", later, broken_text) == "fail"
    not_json = fault("garbage", 10, 5, on="input", kinds=["not-json"])
    touchy = seen(ended(12.0, number=2, link="input", code=1007), by=not_json)
    assert said("no-false-kill", touchy, not_json) == "fail"
    other = seen(ended(12.0, number=1, code=1007), by=broken_text)
    assert said("no-false-kill", other, broken_text) == "fail"


def test_where_connections_are_to_be_kept_a_large_message_is_no_reason_to_end_one() -> None:
    large = fault("garbage", 10, 5, on="input", kinds=["too-large"])
    ended_it = seen(ended(12.0, number=2, link="input", code=1009), by=large)
    verdicts = [
        check.verdict
        for excuse in (True, False)
        if (
            check := CHECKS["no-false-kill"].by_peer(
                PeerFacts(ended_it, [large], excuse=excuse), scenario(large)
            )
        )
    ]
    assert verdicts == ["pass", "fail"]


def test_connections_that_last_are_no_false_kill() -> None:
    assert said("no-false-kill", seen(ended(41.0))) == "pass"


def test_a_connection_that_the_client_ended_for_nothing_is_told_with_code_reason_time_and_count() -> None:
    killed = [ended(t, number=n, code=1011, why="keepalive ping timeout") for t, n in ((21.0, 1), (35.0, 3))]
    history = seen(killed, opened(22.0, 3))
    assert said("no-false-kill", history) == "fail"
    assert (
        observed("no-false-kill", history)
        == "1011 keepalive ping timeout by the client on output at 21.0 s, 2 times"
    )


@pytest.mark.parametrize(("at", "verdict"), [(29.5, "pass"), (40.0 - 0.1, "fail")])
def test_a_ping_that_was_never_answered_excuses_an_end_for_a_while(at: float, verdict: str) -> None:
    muted = fault("mute_pong", 10.0, 15.0)
    history = seen(ended(at, code=1011, why="keepalive ping timeout"), by=muted)
    assert said("no-false-kill", history, muted) == verdict


def test_a_connection_dropped_without_a_close_frame_is_one_too() -> None:
    assert observed("no-false-kill", seen(ended(9.0, "network", code=1006))) == (
        "1006 without a close frame on output at 9.0 s"
    )


def test_what_the_peer_ended_and_what_was_struck_are_none() -> None:
    assert said("no-false-kill", seen(ended(9.0, "peer"))) == "pass"
    assert said("no-false-kill", seen(ended(25.5, number=2, link="input"), by=STALL), STALL) == "pass"
    assert said("no-false-kill", seen(ended(26.5), by=STALL), STALL) == "fail"


# recover


def test_recovery_has_the_scenarios_limit_or_the_longest_back_off_that_anybody_may_have() -> None:
    cut = fault("reset_peer", 10.0, 0.5)
    back = seen(
        delivered(*range(1, 10)), ended(10.1, "network"), opened(14.0, 3), delivered(15, 16, over=3), by=cut
    )
    assert said("recover", back, cut) == "pass"
    still_away = seen(delivered(*range(1, 10)), ended(10.1, "network"), by=cut)
    assert (
        said("recover", still_away, cut) == "unknown"
    )  # it may be waiting: the run was over after half a minute
    assert said("recover", still_away, cut, recover_within=5.0) == "fail"
    assert said("recover", back, cut, recover_within=5.0) == "pass"
    assert said("recover", back, cut, recover_within=4.0) == "fail"


@pytest.mark.parametrize("arrives", [25.1, 26.2])
def test_what_a_connection_still_held_that_ends_upon_it_is_no_recovery(arrives: float) -> None:
    held = [
        delivered(*range(1, 10)),
        delivered(11, at=arrives),
        ended(arrives + 0.1),
        opened(29.0, 3),
        delivered(30, over=3),
    ]
    assert said("recover", seen(*held, by=STALL), STALL, recover_within=3.0) == "fail"


def test_a_receiver_recovers_when_frames_can_be_offered_to_it_again() -> None:
    down = fault("down", 10.0, 2.0, on="input")
    back = [offered(*range(1, 10)), ended(10.0, "network", 2, "input"), opened(14.0, 3, "input")]
    history = seen(*back, offered(*range(15, 30), over=3), by=down, role="receiver")
    assert said("recover", history, down, recover_within=4.0) == "pass"
    assert said("recover", history, down, recover_within=2.0) == "fail"
    assert facts_of(history, (down,)).longest_silence == 11.0  # after the last frame, up to the stop


def test_a_receiver_is_not_asked_for_what_it_does_not_send() -> None:
    history = seen(offered(*FRAMES), role="receiver")
    assert [said(name, history) for name in ("no-loss", "in-order", "dedup-safe")] == [None] * 3


# polite


def test_whoever_asks_again_after_a_refusal_for_good_is_not_polite() -> None:
    unwelcome = fault("refuse", 10, status=401)
    turned_away = [peer.Misbehaved(t=t, kind="refuse", link="output") for t in (11.0, 14.0)]
    assert said("polite", seen(turned_away[:1], by=unwelcome), unwelcome) == "pass"
    assert said("polite", seen(turned_away, by=unwelcome), unwelcome) == "fail"
    overloaded = fault("refuse", 10, status=503)
    assert said("polite", seen(turned_away, by=overloaded), overloaded) is None


def test_a_client_that_the_peer_refused_for_good_may_come_to_its_end() -> None:
    unwelcome = fault("refuse", 10, status=401)
    refused = peer.Misbehaved(t=11.0, kind="refuse", link="output")
    assert valid_run(seen(refused, broke("client", 12.0)), scenario(unwelcome)).verdict == "pass"
    assert valid_run(seen(broke("client", 12.0)), scenario(unwelcome)).verdict == "fail"
    overloaded = fault("refuse", 10, status=503)
    assert valid_run(seen(refused, broke("client", 12.0)), scenario(overloaded)).verdict == "fail"


def test_connections_in_a_rush_are_not_polite() -> None:
    rush = [opened(5.0 + n * 0.002, 10 + n, "input") for n in range(1600)]
    assert said("polite", seen(rush)) == "fail"
    assert said("polite", seen([opened(5.0 + n, 10 + n, "input") for n in range(9)])) == "pass"
    assert said("polite", seen()) is None


@pytest.mark.parametrize(("count", "verdict"), [(ATTEMPTS, "pass"), (ATTEMPTS + 1, "fail")])
def test_so_many_connections_in_ten_seconds_and_no_more_are_polite(count: int, verdict: str) -> None:
    assert said("polite", seen([opened(20.0 + n * 0.5, 10 + n) for n in range(count)])) == verdict


# clean-stop


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_a_close_frame_on_each_link_is_a_clean_stop(code: int) -> None:
    both = [ended(40.1, code=code), ended(40.1, number=2, link="input", code=code)]
    assert said("clean-stop", seen(both)) == "pass"


def test_a_connection_that_is_dropped_at_the_stop_or_left_open_is_not_clean() -> None:
    dropped = ended(40.1, "network", code=1006)
    assert said("clean-stop", seen(dropped, ended(40.1, number=2, link="input"))) == "fail"
    assert said("clean-stop", seen(ended(40.1))) == "fail"


def test_with_a_fault_in_force_the_peer_cannot_know_how_it_stopped() -> None:
    forever = fault("stall", 10.0)
    assert said("clean-stop", seen(by=forever), forever) is None


# survives-input


def garbage(t: float) -> peer.Misbehaved:
    return peer.Misbehaved(t=t, kind="garbage", link="input", connection=2)


def test_frames_after_the_last_bad_message_show_that_it_was_survived() -> None:
    assert said("survives-input", seen(garbage(5.5), delivered(*FRAMES))) == "pass"
    assert said("survives-input", seen(garbage(5.5), delivered(1, 2, 3))) == "fail"
    assert said("survives-input", seen(garbage(39.5), delivered(1, 2, 3))) == "unknown"


def test_frames_between_two_bad_messages_do_not_show_that_the_last_was_survived() -> None:
    assert said("survives-input", seen(garbage(2.5), garbage(5.5), delivered(1, 2, 3, 4, 5))) == "fail"


# The whole


def test_a_promise_that_does_not_show_from_the_peer_makes_nothing_unknown() -> None:
    history = seen(offered(*FRAMES), delivered(*FRAMES), ended(40.1), ended(40.1, number=2, link="input"))
    judgement = judge(history, scenario(stresses=["no-loss", "bounded", "same-climb"]))
    assert judgement.verdict == "pass"
    assert not {"bounded", "same-climb", "every-frame"} & {check.name for check in judgement.checks}


def test_where_nothing_that_is_stressed_shows_the_verdict_is_unknown() -> None:
    history = seen(ended(40.1), ended(40.1, number=2, link="input"))
    assert judge(history, scenario(stresses=["bounded", "same-climb"])).verdict == "unknown"


def test_the_same_record_of_a_tracker_is_not_judged_so() -> None:
    assert type(facts_of(record(role="tracker"), ())) is Facts


# Evidence


def shown(*parts: Parts, by: Fault) -> str | None:
    facts = facts_of(seen(*parts, by=by), (by,))
    ((one, during),) = facts.in_force
    return peer_evidence(facts, one, during)


def test_a_latency_shows_in_how_long_frames_take_through_the_client() -> None:
    slow = fault("latency", 10.0, 5.0, latency=1000)
    slowly = [event for n in FRAMES for event in delivered(n, at=n + (1.0 if 10 <= n < 15 else 0.01))]
    assert shown(offered(*FRAMES), slowly, by=slow) == "frames took up to 1.00 s through the client"
    assert shown(offered(*FRAMES), delivered(*FRAMES), by=slow) is None


def test_a_cut_shows_in_connections_that_ended() -> None:
    assert shown(ended(12.0), by=STALL) == "1 connections ended"
    assert shown(ended(12.0, number=2, link="input"), by=STALL) is None


@pytest.mark.parametrize(
    ("seen_of", "t", "evidence"),
    [("all", 12.0, "1 attempts refused"), ("accepted", 12.0, None), ("all", 16.0, None)],
)
def test_a_closed_port_shows_in_the_attempts_that_it_refused_where_those_are_seen(
    seen_of: SocketsSeen, t: float, evidence: str | None
) -> None:
    down = fault("down", 10.0, 5.0)
    history = replace(seen(Attempted(t=t, link="output"), by=down), sockets_seen=seen_of)
    ((one, during),) = facts_of(history, (down,)).in_force
    assert peer_evidence(facts_of(history, (down,)), one, during) == evidence


def test_a_repeat_beside_a_connection_that_still_carries_is_none_that_a_reconnect_explains() -> None:
    again = delivered(5, at=10.5, over=3)
    assert said("dedup-safe", seen(offered(*FRAMES), delivered(*FRAMES, every=0.5), again[:0])) is None
    beside = seen(offered(*FRAMES, every=0.5), delivered(*FRAMES, every=0.5), again)
    assert said("dedup-safe", beside) == "fail"


def test_what_the_network_still_brings_of_a_connection_that_was_silent_makes_no_repeat_wrong() -> None:
    late = [delivered(*range(1, 6)), delivered(5, at=20.0, over=3), delivered(6, at=25.0)]
    assert said("dedup-safe", seen(offered(*FRAMES), *late)) == "pass"


def test_a_connection_is_given_up_when_the_client_closes_its_socket_whenever_the_peer_learns_of_it() -> None:
    late = ended(35.0, "network")
    closed = SocketClosed(t=24.0, link="output", by="client")
    assert said("no-false-kill", seen(late, by=STALL), STALL) == "fail"
    assert said("no-false-kill", seen(late, closed, by=STALL), STALL) == "pass"


def test_what_the_network_still_brings_of_a_connection_that_the_client_had_closed_makes_no_repeat_wrong() -> (
    None
):
    held = [delivered(*range(1, 12)), delivered(8, at=8.5, over=3)]
    assert said("dedup-safe", seen(offered(*FRAMES), *held)) == "fail"
    closed = SocketClosed(t=8.2, link="output", by="client")
    assert said("dedup-safe", seen(offered(*FRAMES), *held, closed)) == "pass"


# What the network saw of the client's sockets


def with_sockets(*parts: Parts, by: Fault, seen_of: SocketsSeen = "all") -> History:
    return replace(seen(*parts, by=by), sockets_seen=seen_of)


@pytest.mark.parametrize(("at", "verdict"), [(13.0, "pass"), (18.0, "fail")])
def test_a_socket_that_the_client_closed_or_opened_during_the_silence_dates_the_detection(
    at: float, verdict: str
) -> None:
    learnt = ended(25.01, "client")  # the peer learns of either only when the path heals
    closed = SocketClosed(t=at, link="output", by="client")
    assert said("detect", with_sockets(learnt, closed, by=STALL), STALL) == verdict
    assert said("detect", with_sockets(learnt, Attempted(t=at, link="output"), by=STALL), STALL) == verdict
    other = SocketClosed(t=at, link="input", by="client")
    assert said("detect", with_sockets(learnt, other, by=STALL), STALL) == "fail"


@pytest.mark.parametrize(("count", "verdict"), [(ATTEMPTS, "pass"), (ATTEMPTS + 1, "fail")])
def test_attempts_that_were_turned_away_are_attempts(count: int, verdict: str) -> None:
    down = fault("down", 10.0, 10.0)
    attempts = [Attempted(t=10.5 + n * 0.5, link="output") for n in range(count)]
    assert said("polite", with_sockets(attempts, by=down), down) == verdict


def test_where_attempts_may_have_been_made_unseen_only_a_rush_is_judged() -> None:
    down = fault("down", 10.0, 10.0)
    few = [Attempted(t=21.0 + n, link="output") for n in range(3)]
    assert said("polite", with_sockets(few, by=down, seen_of="accepted"), down) == "unknown"
    rush = [Attempted(t=21.0 + n * 0.1, link="output") for n in range(ATTEMPTS + 1)]
    assert said("polite", with_sockets(rush, by=down, seen_of="accepted"), down) == "fail"
