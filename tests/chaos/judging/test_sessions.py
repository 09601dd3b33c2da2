"""Resets of the session: taken as they were offered, over which connection, and told by the next output."""

import pytest

from chaos.judging.facts import Facts
from chaos.judging.sessions import every_reset
from simulator import events as peer
from tests.chaos.histories import (
    Parts,
    accepted,
    closed,
    connected,
    delivered,
    ended,
    fault,
    observed,
    offered,
    opened,
    record,
    said,
    scenario,
    stopped,
    stopping,
    struck,
)
from tracker import events

FEED = [opened(0.1, 2, "input"), connected(0.1, link="input")]
"""The client's first connection to the input; the peer calls it 2."""


def received(*sequences: int, late: float = 0.1) -> list[events.Received]:
    return [events.Received(t=n + late, timestamp=0.0, sequence=n) for n in sequences]


def taken(*times: float, link: events.LinkName = "input") -> list[events.SessionReset]:
    return [events.SessionReset(t=t, link=link) for t in times]


def asked(*times: float, over: int = 2) -> list[peer.ResetOffered]:
    return [peer.ResetOffered(t=t, connection=over) for t in times]


def told(seq: int, *, at: float | None = None, repeat: bool = False) -> peer.Delivered:
    t = float(seq) if at is None else at
    return peer.Delivered(
        t=t, stream="s", seq=seq, size=100, digest=0, connection=1, repeat=repeat, reset=True
    )


# Told


RESET = [FEED, asked(2.5), taken(2.6), offered(2, 3), received(2, 3), accepted(1, 2, 3, 4), stopping(60.0)]


def test_a_reset_is_told_by_the_next_output_and_by_no_other() -> None:
    assert said(every_reset, record(RESET, delivered(1, 2, 4), told(3))) == "pass"
    assert (
        said(every_reset, record(RESET, delivered(1, 2, 4), told(3), told(3, at=9.0, repeat=True))) == "pass"
    )
    assert said(every_reset, record(RESET, delivered(1, 2, 3), told(4))) == "fail"
    assert said(every_reset, record(RESET, delivered(1, 2), told(3), told(4))) == "fail"
    assert said(every_reset, record(RESET, delivered(1, 2, 3, 4))) == "fail"
    assert said(every_reset, record(RESET, delivered(1, 2, 4), told(3), told(3, at=9.0))) == "fail"
    assert said(every_reset, record(accepted(1), delivered(1))) is None
    assert said(every_reset, record(accepted(1), told(1))) == "fail"


def test_a_reply_comes_between_and_tells_of_no_reset() -> None:
    reply = peer.Delivered(t=3.0, stream="s", seq=3, size=100, digest=3, connection=1, reply="output_resumed")
    assert said(every_reset, record(RESET, delivered(1, 2), reply, told(4))) == "pass"
    assert said(every_reset, record(RESET, delivered(1, 2, 4), reply)) == "fail"


def test_two_resets_before_one_output_are_told_as_one() -> None:
    history = record(RESET, asked(2.7), taken(2.8), delivered(1, 2, 4), told(3))
    assert said(every_reset, history) == "pass"


def test_a_reset_that_was_still_in_flight_is_not_known_to_be_told() -> None:
    assert said(every_reset, record(RESET, delivered(1, 2))) == "unknown"


def test_a_reset_that_a_fault_kept_from_the_peer_to_the_end_may_stay_untold_if_the_client_says_so() -> None:
    stall = fault("stall", 2.0)
    history = record(RESET[:-1], connected(), delivered(1, 2), struck(stall), stopping(5.0), stopped(6.0, 2))
    assert said(every_reset, history, stall) == "pass"


# Taken


FRAMES = [FEED, offered(1, 2, 3), accepted(1, 2, 3), stopping(60.0)]


def judged(*parts: Parts, due: int | None = None) -> str:
    """What is said of resets that were told as they were taken: by output `due`."""
    seqs = [1, 2, 3]
    outputs = [told(seq) if seq == due else delivered(seq) for seq in seqs]
    return observed(every_reset, record(FRAMES, parts, outputs))


def test_a_reset_before_a_frame_that_was_taken_surely_came() -> None:
    came = asked(1.5), received(1, 2, 3)
    assert judged(came, taken(1.6), due=2) == "1 told"
    assert judged(came) == "1 too few were taken before frame 2"


@pytest.mark.parametrize(
    ("times", "where"),
    [
        ((0.5,), "1 too many were taken before frame 1"),
        ((1.6, 1.7), "1 too many were taken before frame 2"),
        ((2.6,), "1 too few were taken before frame 2"),
        ((1.6, 3.5), "1 too many were taken at the end of a connection"),
    ],
)
def test_a_reset_that_nobody_offered_there_is_one_too_many(times: tuple[float, ...], where: str) -> None:
    assert judged(asked(1.5), received(1, 2, 3), taken(*times)) == where


def test_a_reset_before_there_was_any_connection_is_one_too_many() -> None:
    early = record(taken(0.05), FRAMES, received(1, 2, 3), told(1), delivered(2, 3))
    assert observed(every_reset, early) == "1 too many were taken at the end of a connection"


CUT = fault("down", 3.2, 2.0, on="input")
AGAIN = [
    ended(3.3, "network", 2, "input"),
    closed(3.3, number=1, link="input"),
    opened(6.0, 5, "input"),
    connected(6.0, 2, "input"),
]


def over_two_connections(*parts: Parts) -> tuple[str, str] | None:
    """The verdict, and what was observed. The first ends just after 3 s, and frames 7 and 8 come over the second."""
    after = [AGAIN, offered(7, 8, over=5), received(7, 8), accepted(7, 8)]
    due = {event.t for event in [*record(parts).of(events.SessionReset)]}
    reset_by = {min((seq for seq in (1, 2, 3, 7, 8) if seq >= t), default=8) for t in due}
    outputs = [told(seq) if seq in reset_by else delivered(seq) for seq in (1, 2, 3, 7, 8)]
    history = record(FRAMES, after, parts, struck(CUT), outputs)
    check = every_reset(Facts(history, [CUT]), scenario(CUT))
    return None if check is None else (check.verdict, check.observed)


def test_a_reset_just_before_a_cut_may_have_arrived_or_not() -> None:
    assert over_two_connections(received(1, 2, 3), asked(3.1), taken(3.2)) == ("pass", "1 told")
    assert over_two_connections(received(1, 2, 3), asked(3.1)) == (
        "unknown",
        "1 not taken, which may have arrived",
    )


def test_a_reset_behind_a_frame_that_never_came_did_not_come_either() -> None:
    assert over_two_connections(received(1, 2), asked(3.1)) is None
    assert over_two_connections(received(1, 2), asked(3.1), taken(3.2)) == (
        "fail",
        "1 too many were taken at the end of a connection",
    )


def test_a_reset_that_was_offered_over_the_last_connection_is_none_over_the_next() -> None:
    late = over_two_connections(received(1, 2, 3), asked(3.1), taken(6.5))
    assert late == ("fail", "1 too many were taken before frame 7")


def test_a_reset_with_every_connection_is_one_too_many() -> None:
    each_time = over_two_connections(received(1, 2, 3), taken(6.0))
    assert each_time == ("fail", "1 too many were taken before frame 7")


def test_a_reset_on_a_link_that_stayed_whole_must_be_taken_though_nothing_came_behind_it() -> None:
    assert judged(received(1, 2, 3), asked(3.5)) == "1 too few were taken at the end of a connection"


def test_a_reset_just_before_the_stop_may_be_left() -> None:
    parts = [FRAMES[:-1], received(1, 2, 3), asked(3.5), stopping(5.0)]
    assert said(every_reset, record(parts, delivered(1, 2, 3))) is None


# Over the control link


CONTROL = [opened(0.2, 7, "control"), connected(0.2, link="control")]


def control(t: float, kind: str = "reset_holds", link: peer.PeerLink = "control") -> peer.ControlOffered:
    return peer.ControlOffered(t=t, link=link, connection=7, kind=kind)


def test_resets_over_the_control_link_are_held_to_what_it_carried() -> None:
    frames = CONTROL, received(1, 2, 3)
    assert judged(frames, control(1.5), taken(1.6, link="control"), due=2) == "1 told"
    assert judged(frames, control(1.5)) == "1 too few were taken at the end of a connection"
    assert judged(frames, asked(1.5), taken(1.6, link="control")) == "1 too few were taken before frame 2"
    status = control(2.5, "get_status"), events.Controlled(t=2.6, kind="get_status")
    assert judged(frames, control(1.5), status) == "1 too few were taken before get_status"


def test_a_control_on_the_input_asks_for_no_reset() -> None:
    meant_for_the_control_link = peer.ControlOffered(t=1.5, link="input", connection=2, kind="get_status")
    assert judged(received(1, 2, 3), meant_for_the_control_link, asked(1.7), taken(1.8), due=2) == "1 told"
