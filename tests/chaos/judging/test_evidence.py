from typing import Any

import pytest

from chaos.faults import Fault
from chaos.history import Began, Counted, Counts, History, HistoryEvent
from chaos.judging.evidence import AFTERMATH, SMALLEST_FRAME, Window, evidence, windows
from chaos.kinds import KINDS
from simulator import events as peer
from tests.chaos.histories import (
    accepted,
    closed,
    connected,
    delivered,
    fault,
    opened,
    record,
    refused,
    sent,
    stopping,
    struck,
)
from tracker import events

STALL = fault("stall", 10.0, 5.0)
TENTHS = range(1, 300)
"""Ten messages a second, for half a minute."""


def seen(history: History, one: Fault) -> str | None:
    return evidence(history, one, windows(history, [one])[0])


def test_a_fault_that_never_began_has_no_window() -> None:
    assert windows(record(), [STALL]) == {}
    assert windows(record(Began(t=10.0, fault=0, planned=10.0)), [STALL, STALL]).keys() == {0}


def test_a_window_is_as_achieved_and_not_as_planned() -> None:
    late = fault("stall", 9.0, 6.0)
    assert windows(record(struck(STALL)), [late]) == {0: Window(10.0, 15.0)}


def test_what_is_over_at_once_gets_its_aftermath() -> None:
    bye = fault("close", 10.0, code=1000)
    assert windows(record(struck(bye)), [bye]) == {0: Window(10.0, 10.0 + AFTERMATH)}


def test_what_was_not_healed_lasts_to_the_end_of_the_record() -> None:
    history = record(Began(t=10.0, fault=0, planned=10.0), stopping(33.0))
    assert windows(history, [fault("stall", 10.0)]) == {0: Window(10.0, 33.0)}


# Counted


def counted(index: int = 0, **counts: Any) -> Counted:
    return Counted(t=25.0, fault=index, counts=Counts(**counts))


@pytest.mark.parametrize(
    ("kind", "more", "counts", "trace"),
    [
        ("stall", {}, {"bytes": 10}, "10 bytes lost on the way"),
        ("blackhole", {}, {"bytes": 10, "ends": 1}, "10 bytes dropped, 1 connections ended"),
        ("latency", {"latency": 1}, {"bytes": 10}, "10 bytes delayed"),
        ("bandwidth", {"rate": 1}, {"bytes": 10}, "10 bytes slowed"),
        ("slicer", {"average_size": 1}, {"bytes": 10}, "10 bytes cut in pieces"),
        ("slow_close", {"delay": 1}, {"ends": 2}, "2 ends of connections delayed"),
        ("down", {}, {"refused": 3}, "3 attempts refused"),
        ("reset_peer", {}, {"ends": 1}, "1 connections ended"),
        ("dns", {}, {"lookups": 2}, "2 look-ups answered wrongly, late or not at all"),
        ("rto", {"losses": 2}, {"bytes": 10}, "10 bytes lost on the way"),
        ("bufferbloat", {"rate": 1, "buffer": 1}, {"bytes": 10}, "10 bytes that had to queue"),
        (
            "cut_after",
            {"bytes": 9},
            {"bytes": 10, "silenced": (3.0,)},
            "10 bytes lost for their size, 1 connections fell silent",
        ),
        (
            "idle_cut",
            {"after": 500},
            {"ends": 1, "watched": 2, "idle": 0.5},
            "1 connections ended, 2 connections watched, idle for 0.50 s at most",
        ),
    ],
)
def test_what_the_engine_counted_is_the_evidence(
    kind: str, more: dict[str, Any], counts: dict[str, Any], trace: str
) -> None:
    one = fault(kind, 10.0, 5.0, **more)
    assert seen(record(struck(one), counted(**counts)), one) == trace


def test_an_engine_that_counted_nothing_is_not_overruled_by_the_endpoints() -> None:
    late = messages(held=Window(10.0, 15.0))
    assert seen(record(late, struck(STALL)), STALL) is not None
    assert seen(record(late, struck(STALL), counted()), STALL) is None


def test_the_endpoints_words_follow_those_of_the_engine() -> None:
    history = record(messages(held=Window(10.0, 15.0)), struck(STALL), counted(bytes=4800))
    assert (
        seen(history, STALL) == "4800 bytes lost on the way, 48 messages went in and did not come out in time"
    )


def test_a_machine_that_stood_still_and_a_clock_that_was_set_show_in_the_engines_figures() -> None:
    suspended = fault("suspend", 10.0, 60.0, on=None)
    ended = record(struck(suspended), counted(stood=60.0, ends=2))
    assert seen(ended, suspended) == "2 connections ended, the machine stood still for 60.00 s"
    set_back = fault("clock_step", 10.0, 60.0, on=None, by=2500, to="back")
    history = record(struck(set_back), counted(stepped=-2.5, looks=3))
    assert seen(history, set_back) == "the wall clock was 2.5 s slow, and 3 looks were taken at it"


def test_each_of_several_faults_has_its_own_count() -> None:
    two = [STALL, fault("stall", 20.0, 5.0)]
    history = record(struck(*two), counted(0, bytes=1), counted(1))
    found = windows(history, two)
    assert [evidence(history, one, found[n]) for n, one in enumerate(two)] == [
        "1 bytes lost on the way",
        None,
    ]


def test_every_kind_that_is_not_the_peers_can_leave_a_trace() -> None:
    for kind, spec in KINDS.items():
        if spec.where != "peer":
            attributes = {name: 1 for name, one in spec.attributes.items() if one.required}
            lasts = None if spec.lasts == "never" else 5.0
            one = fault(kind, 10.0, lasts, on="output" if spec.links else None, **attributes)
            assert seen(record(struck(one)), one) is None


# Held


def messages(*, held: Window | None = None) -> list[HistoryEvent]:
    """Ten a second, 50 ms on their way; those sent in `held` arrive at its end."""
    arrive = [
        delivered(n, at=held.end if held is not None and n / 10 in held else n / 10 + 0.05)[0] for n in TENTHS
    ]
    return [*sent(*TENTHS, every=0.1), *arrive]


def test_a_stall_shows_in_messages_that_did_not_arrive_in_time() -> None:
    history = record(messages(held=Window(10.0, 15.0)), struck(STALL))
    assert seen(history, STALL) == "48 messages went in and did not come out in time"


def test_a_stall_that_did_nothing_shows_nothing_though_some_messages_were_on_their_way() -> None:
    assert seen(record(messages(), struck(STALL)), STALL) is None
    assert seen(record(struck(STALL)), STALL) is None


def test_a_short_stall_shows_too() -> None:
    short = fault("stall", 10.0, 0.4)
    assert seen(record(messages(held=Window(10.0, 10.4)), struck(short)), short) is not None
    assert seen(record(messages(), struck(short)), short) is None


def test_a_message_that_is_sent_again_because_it_was_held_is_held_all_the_same() -> None:
    again = [*sent(1, every=11.0), *sent(1, every=16.0, over=2), *delivered(1, at=16.1, over=2)]
    assert seen(record(again, struck(STALL)), STALL) == "1 messages went in and did not come out in time"


def test_a_stalled_input_shows_in_frames() -> None:
    deaf = fault("blackhole", 10.0, 5.0, on="input")
    frames = [peer.Offered(t=n / 10, sequence=n, connection=1) for n in TENTHS]
    taken = [events.Received(t=n / 10, timestamp=0.0, sequence=n) for n in TENTHS]
    assert seen(record(frames, taken, struck(deaf)), deaf) is None
    assert seen(record(frames, taken[:99], struck(deaf)), deaf) == (
        "48 frames went in and did not come out in time"
    )


def test_where_only_answers_are_held_probes_show_it() -> None:
    mute = fault("stall", 10.0, 5.0, direction="downstream")
    probes = [events.Probed(t=n / 10, link="output", number=n) for n in TENTHS]
    answers = [events.Answered(t=n / 10 + 0.01, link="output", number=n, rtt=0.01) for n in TENTHS]
    other = [events.Probed(t=n / 10, link="input", number=n + 1000) for n in TENTHS]
    assert seen(record(probes, answers, other, struck(mute)), mute) is None
    held = seen(record(probes, answers[:99], struck(mute)), mute)
    assert held == "48 probes went in and did not come out in time"


# Cut


@pytest.mark.parametrize("kind", ["down", "reset_peer"])
@pytest.mark.parametrize(
    "trace",
    [
        closed(11.0),
        closed(15.5),
        refused(12.0),
        peer.Ended(t=11.0, link="output", connection=1, code=1006, by="network"),
    ],
)
def test_a_cut_shows_in_connections_that_ended_or_were_refused(kind: str, trace: HistoryEvent) -> None:
    cut = fault(kind, 10.0, 5.0)
    assert seen(record(trace, struck(cut)), cut) is not None
    assert seen(record(struck(cut)), cut) is None


@pytest.mark.parametrize(
    "trace",
    [
        closed(9.0),
        closed(16.5),
        closed(11.0, link="input"),
        peer.Ended(t=11.0, link="output", connection=1, code=1000, by="peer"),
    ],
)
def test_ends_at_other_times_of_other_links_or_by_the_peer_show_no_cut(trace: HistoryEvent) -> None:
    cut = fault("down", 10.0, 5.0)
    assert seen(record(trace, struck(cut)), cut) is None


def test_the_orderly_stop_is_no_trace_of_a_cut_that_lasts_to_the_end() -> None:
    cut = fault("reset_peer", 10.0)
    assert seen(record(struck(cut), stopping(20.0), closed(20.5, "tracker")), cut) is None


# Slow


def answered(t: float, rtt: float, link: events.LinkName = "output") -> events.Answered:
    return events.Answered(t=t, link=link, number=1, rtt=rtt)


def test_a_latency_shows_in_round_trips_of_what_was_asked_both_ways() -> None:
    both = fault("latency", 10.0, 5.0, latency=1000)
    one = fault("latency", 10.0, 5.0, latency=1000, direction="upstream")
    for slow, enough, short in ((both, 1.7, 1.5), (one, 0.9, 0.7)):
        assert seen(record(answered(12.0, enough), struck(slow)), slow) is not None
        assert seen(record(answered(12.0, short), struck(slow)), slow) is None
        assert seen(record(answered(9.0, enough), struck(slow)), slow) is None
        assert seen(record(answered(12.0, enough, "input"), struck(slow)), slow) is None
        assert seen(record(struck(slow)), slow) is None


def test_a_latency_longer_than_the_fault_shows_just_after_it() -> None:
    slow = fault("latency", 10.0, 1.0, latency=800)
    assert seen(record(answered(11.2, 1.5), struck(slow)), slow) is not None


def throttled(delay: float) -> list[HistoryEvent]:
    """1 KB/s, each message `delay` seconds on its way."""
    arrive = [delivered(n, at=n / 10 + delay)[0] for n in TENTHS]
    return [*sent(*TENTHS, every=0.1), *arrive]


def test_a_bandwidth_shows_where_messages_are_late_and_no_more_than_its_rate_arrives() -> None:
    narrow = fault("bandwidth", 10.0, 5.0, rate=1)
    assert seen(record(throttled(0.5), struck(narrow)), narrow) == (
        "1 KB/s arrived, messages took up to 0.50 s"
    )
    assert seen(record(throttled(0.1), struck(narrow)), narrow) is None
    big = [peer.Delivered(t=12.0, stream="s", seq=999, size=9000, digest=1, connection=1)]
    assert seen(record(throttled(0.5), big, struck(narrow)), narrow) is None


def test_a_bandwidth_on_the_input_shows_in_late_frames() -> None:
    narrow = fault("bandwidth", 10.0, 5.0, on="input", rate=1)
    frames = [peer.Offered(t=n / 10, sequence=n, connection=1) for n in TENTHS]
    taken = [events.Received(t=n / 10 + 0.5, timestamp=0.0, sequence=n) for n in TENTHS]
    assert seen(record(frames, taken, struck(narrow)), narrow) == "frames took up to 0.50 s"
    assert seen(record(throttled(0.5), struck(narrow)), narrow) is None


def test_a_fault_that_began_with_the_last_event_shows_nothing() -> None:
    narrow = fault("bandwidth", 10.0, rate=1)
    for one in (narrow, fault("stall", 10.0), fault("latency", 10.0, latency=9)):
        assert seen(record(accepted(1), struck(one)), one) is None


# Ends that come late


SLOW_CLOSE = fault("slow_close", 10.0, 5.0, delay=2000)


def ended(t: float, number: int = 1, by: Any = "network") -> peer.Ended:
    return peer.Ended(t=t, link="output", connection=number, code=1006, by=by)


@pytest.mark.parametrize(
    ("ends", "shows"),
    [
        ([closed(11.0), ended(13.0, 7)], True),
        ([closed(13.0), ended(11.0, 7)], True),
        ([closed(14.9), ended(16.6, 7)], True),
        ([closed(11.0), ended(11.5, 7)], False),
        ([closed(11.0)], False),
        ([closed(8.0), ended(12.0, 7)], False),
        ([closed(11.0), ended(13.0, 8)], False),
    ],
)
def test_a_slow_close_shows_where_one_side_learns_of_an_end_late(
    ends: list[HistoryEvent], *, shows: bool
) -> None:
    pair = [opened(0.1, 7, "output"), connected(0.2), opened(9.0, 8, "input")]
    assert (seen(record(pair, ends, struck(SLOW_CLOSE)), SLOW_CLOSE) is not None) is shows


def test_a_slow_close_shows_where_both_sides_learn_late_that_the_peer_closes() -> None:
    pair = [opened(0.1, 7, "output"), connected(0.2), closed(13.0), ended(13.1, 7, "peer")]
    closing = peer.Misbehaved(t=11.0, kind="close", link="output", connection=7)
    assert seen(record(pair, struck(SLOW_CLOSE)), SLOW_CLOSE) is None
    assert seen(record(pair, closing, struck(SLOW_CLOSE)), SLOW_CLOSE) == (
        "1 ends were known on both sides only after up to 2.10 s"
    )


# Pieces


def test_a_slicer_with_a_pause_shows_in_messages_as_late_as_their_pieces_ask() -> None:
    slow = fault("slicer", 10.0, 5.0, average_size=8, size_variation=2, delay=50_000)
    sizes = accepted(*TENTHS, every=0.1)  # 100 bytes: ten pieces at the least, nine pauses
    assert seen(record(sizes, throttled(0.45), struck(slow)), slow) == (
        "46 messages of 10 pieces or more passed, in up to 0.45 s"
    )
    assert seen(record(sizes, throttled(0.3), struck(slow)), slow) is None


def test_a_slicer_without_a_pause_shows_only_that_there_was_something_to_cut() -> None:
    fine, coarse = (fault("slicer", 10.0, 5.0, average_size=size) for size in (20, 80))
    sizes = accepted(*TENTHS, every=0.1)
    assert seen(record(sizes, messages(), struck(fine)), fine) is not None
    assert seen(record(sizes, messages(), struck(coarse)), coarse) is None
    assert seen(record(sizes, struck(fine)), fine) is None


def test_a_slicer_that_may_have_spared_the_connection_needs_a_pause_to_show() -> None:
    some = fault("slicer", 10.0, 5.0, average_size=20, toxicity=0.5)
    sizes = accepted(*TENTHS, every=0.1)
    assert seen(record(sizes, messages(), struck(some)), some) is None


def test_frames_are_cut_where_a_piece_is_smaller_than_the_smallest_frame() -> None:
    frames = [peer.Offered(t=n / 10, sequence=n, connection=1) for n in TENTHS]
    taken = [events.Received(t=n / 10, timestamp=0.0, sequence=n) for n in TENTHS]
    for size, shows in ((SMALLEST_FRAME // 2, True), (SMALLEST_FRAME, False)):
        cut = fault("slicer", 10.0, 5.0, on="input", average_size=size)
        assert (seen(record(frames, taken, struck(cut)), cut) is not None) is shows


# The client's and the peer's


def test_a_blocked_loop_shows_where_the_client_says_so() -> None:
    block = fault("block_loop", 10.0, 2.0, on=None)
    lag = events.Lagged(t=12.1, link="output", seconds=1.9)
    assert seen(record(lag, struck(block)), block) == "the loop stood still for 1.90 s"
    assert seen(record(struck(block)), block) is None


def test_a_peer_says_what_it_did_wrong() -> None:
    bye = fault("close", 10.0, code=1000)
    did = peer.Misbehaved(t=10.0, kind="close", link="output", connection=1)
    assert seen(record(struck(bye), did), bye) == "the peer did it 1 times"
    for t, kind in ((10.0, "echo"), (12.0, "close")):
        assert seen(record(struck(bye), peer.Misbehaved(t=t, kind=kind, link="output")), bye) is None


def test_what_the_peer_did_on_one_link_is_no_trace_on_the_other() -> None:
    did = peer.Misbehaved(t=10.0, kind="close", link="input", connection=1)
    for link, found in (("input", True), ("output", False)):
        bye = fault("close", 10.0, on=link, code=1000)
        assert (seen(record(struck(bye), did), bye) is not None) is found


def test_a_burst_shows_where_frames_went_out_at_the_rate() -> None:
    burst = fault("burst", 10.0, 2.0, on="input", fps=10)
    offered = [peer.Offered(t=10 + n * 0.15, sequence=n, connection=1) for n in range(20)]
    assert seen(record(struck(burst), offered), burst) == "7 frames a second went out"
    assert seen(record(struck(burst), offered[::2]), burst) is None


def test_a_window_holds_its_begin_and_not_its_end() -> None:
    assert [t in Window(10.0, 12.0) for t in (9.9, 10.0, 11.9, 12.0)] == [False, True, True, False]
