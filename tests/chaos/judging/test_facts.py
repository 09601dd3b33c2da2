import pytest

from chaos.faults import Fault
from chaos.history import HistoryEvent
from chaos.judging.bounded import most_held
from chaos.judging.facts import Facts
from chaos.judging.frames import passed_over
from chaos.judging.measures import measures_of
from chaos.judging.no_loss import premature
from chaos.timeline.observed import Closed, Connection
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    Parts,
    accepted,
    closed,
    connected,
    delivered,
    fault,
    record,
    stopped,
    stopping,
    struck,
)
from tracker import events

DOWN = fault("down", 10.0, 2.0)


def facts(*parts: Parts, faults: tuple[Fault, ...] = ()) -> Facts:
    return Facts(record(*parts, struck(*faults)), faults)


def test_an_empty_record_has_figures_too() -> None:
    assert measures_of(facts()) == {
        "offered": 0,
        "delivered": 0,
        "lost": 0,
        "repeated": 0,
        "reordered": 0,
        "displaced": 0,
        "connections": 0,
        "detect_s": None,
        "recover_s": None,
        "longest_silence_s": None,
        "false_kills": 0,
    }


def test_the_figures_of_a_run_with_one_outage() -> None:
    parts: list[Parts] = [
        STEADY,
        connected(),
        connected(13.0, 2),
        closed(10.0),
        [peer.Offered(t=1.0, sequence=1, connection=1)],
        accepted(*range(1, 21)),
        delivered(*range(1, 10)),
        delivered(9, at=13.1234, over=2, repeat=True),
        delivered(*range(14, 21), over=2),
        delivered(13, at=20.0, over=2),
        events.Displaced(t=12.0, seq=10),
        stopping(21.0),
        stopped(22.0),
    ]
    assert measures_of(facts(*parts, faults=(DOWN,))) == {
        "offered": 1,
        "delivered": 17,
        "lost": 2,
        "repeated": 1,
        "reordered": 1,
        "displaced": 1,
        "connections": 2,
        "detect_s": 0.0,
        "recover_s": 1.123,
        "longest_silence_s": 4.123,
        "false_kills": 0,
    }


def test_a_connection_lasts_from_its_handshake_to_its_end_or_to_the_stop() -> None:
    found = facts(
        connected(1.0), closed(5.0), connected(6.0, 2), stopping(9.0), closed(9.5, number=2)
    ).connections
    assert [(c.number, c.opened, c.closed) for c in found] == [
        (1, 1.0, Closed(5.0, 1006, "network", stream_end=events.StreamEnd.ENDED)),
        (2, 6.0, None),
    ]


def test_the_last_event_of_a_record_without_a_stop_counts() -> None:
    found = facts(connected(), closed(5.0, "tracker"))
    assert [c.closed for c in found.false_kills] == [Closed(5.0, 1006, "client")]


@pytest.mark.parametrize(("end", "took"), [(10.0, (0.0,)), (12.9, (2.9,)), (9.9, ()), (13.1, ())])
def test_an_end_belongs_to_the_strike_before_it_for_a_while(end: float, took: tuple[float, ...]) -> None:
    found = facts(connected(), closed(end), stopping(20.0), faults=(DOWN,)).detections
    assert found == pytest.approx(took)


def test_an_end_after_the_link_was_struck_anew_belongs_to_the_later_strike() -> None:
    again = fault("down", 12.5, 2.0)
    found = facts(connected(), closed(12.8), stopping(20.0), faults=(DOWN, again)).detections
    assert found == pytest.approx((0.3,))


def test_a_strike_on_the_other_link_takes_nothing_over() -> None:
    elsewhere = fault("down", 12.5, 2.0, on="input")
    found = facts(connected(), closed(12.8), stopping(20.0), faults=(DOWN, elsewhere)).detections
    assert found == pytest.approx((2.8,))


def test_a_restart_is_detected_when_both_links_noticed() -> None:
    restart = fault("restart", 10.0, 5.0, on=None)
    both = [connected(), connected(link="input"), closed(10.1), closed(10.7, link="input"), stopping(20.0)]
    assert facts(*both, faults=(restart,)).detections == pytest.approx((0.7,))


def test_the_orderly_stop_is_no_detection() -> None:
    forever = fault("stall", 10.0)
    assert facts(connected(), stopping(12.0), closed(12.5), faults=(forever,)).detections == ()


def held(*parts: Parts, confirm: str = "pong") -> tuple[int, int]:
    return most_held(Facts(record(*parts, settings={"confirm": confirm}), ()))


def test_what_the_outbox_held_falls_with_confirms_in_the_order_of_seq() -> None:
    small, large = accepted(1, size=10), accepted(2, 3, size=100)
    assert held(small, large) == (3, 210)
    assert held(small, events.Confirmed(t=1.5, count=1, left=0), large) == (2, 200)


def test_what_was_never_accepted_and_is_displaced_frees_nothing() -> None:
    news: list[HistoryEvent] = [events.Displaced(t=1.5, seq=9)]
    assert held(accepted(1, 2), news) == (2, 200)


def test_silence_is_measured_from_the_steady_state_to_the_stop() -> None:
    assert facts(STEADY, delivered(2, 3), stopping(4.5)).longest_silence == 1.5
    assert facts(STEADY, delivered(4), stopping(4.5)).longest_silence == 3.0
    assert facts(STEADY, delivered(2), stopping(3.0), delivered(9)).longest_silence == 1.0
    assert facts(delivered(2, 9)).longest_silence is None


def test_a_peer_that_acknowledges_need_not_answer_pings() -> None:
    mute = fault("mute_pong", 2.0, 8.0), fault("mute_pong", 2.0, 8.0, on="input")

    def strikes(confirm: str, *acknowledged: float) -> int:
        shown = [events.Confirmed(t=t, count=1, left=0) for t in acknowledged]
        history = record(connected(), shown, struck(*mute), stopping(60.0), settings={"confirm": confirm})
        return len(Facts(history, mute).strikes)

    all_along = [2.5 + n / 2 for n in range(16)]
    assert strikes("pong", *all_along) == 2
    assert strikes("ack", *all_along) == 1
    # One that has nothing to acknowledge shows nothing.
    assert strikes("ack", *all_along[:10]) == 2


def test_what_is_confirmed_before_it_has_arrived_is_confirmed_too_early() -> None:
    def too_early(t: float) -> tuple[int, ...]:
        return premature(facts(accepted(1), delivered(1, at=3.0), events.Confirmed(t=t, count=1, left=0)))

    assert too_early(2.9) == (1,)
    assert too_early(3.1) == ()


def test_frames_of_the_last_seconds_before_the_stop_may_still_be_on_their_way() -> None:
    def unread(t: float) -> int:
        lost = peer.Offered(t=t, sequence=2, connection=2)
        taken = events.Received(t=1.0, timestamp=0.0, sequence=1)
        seen = facts(peer.Offered(t=1.0, sequence=1, connection=2), taken, lost, stopping(60.0))
        return passed_over(seen)[0]

    assert unread(54.9) == 1
    assert unread(55.1) == 0


def test_a_fault_that_is_over_ends_no_connection_that_opens_after_it() -> None:
    strike = facts(stopping(60.0), faults=(DOWN,)).strikes[0]
    assert strike.strikes(Connection("output", 2, 12.0))
    assert not strike.strikes(Connection("output", 2, 12.1))


def test_a_suspended_machine_has_lost_its_connections_for_good_unless_they_live() -> None:
    def kills(connections: str) -> int:
        asleep = fault("suspend", 10.0, 5.0, None, connections=connections)
        end = (
            events.Died(t=30.0, link="output", connection=1, cause="-", silence=4.0),
            closed(30.0, "tracker"),
        )
        return len(Facts(record(connected(), end, struck(asleep), stopping(60.0)), (asleep,)).false_kills)

    assert kills("silent") == 0
    assert kills("live") == 1
