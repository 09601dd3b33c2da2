import pytest

from simulator.sender import NUMBER, Sender, client_number, numbered
from tracker.messages import HoldState, Output, SessionState


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/ws/holds/", 0),
        (numbered("/ws/holds/", 7), 7),
        (numbered("/ws/holds/", 7) + "?client=4711", 7),
        (numbered("/ws/holds/", 7) + "/room", 7),
        (f"/ws/holds/?room=a&{NUMBER}=49&x", 49),
        ("/ws/holds/?client=4711", 0),
        (f"/ws/holds/?{NUMBER}=", 0),
        (f"/ws/holds/?{NUMBER}=seven", 0),
        (f"/ws/holds/?{NUMBER}=-1", 0),
        (f"/ws/holds/?not{NUMBER}=7", 0),
        (f"/ws/holds/?{NUMBER}=" + "9" * 5000, 0),
    ],
)
def test_a_request_says_which_client_it_comes_from_or_nothing(path: str, number: int) -> None:
    assert client_number(path) == number


def test_a_number_repeats_within_its_stream_only() -> None:
    sender = Sender()
    assert [sender.repeats(Output("a", n)) for n in (1, 2, 1)] == [False, False, True]
    assert not sender.repeats(Output("b", 1))
    assert not Sender().repeats(Output("a", 1))


def test_a_touch_is_new_once_whatever_the_session_is_spelt_like() -> None:
    sender = Sender()
    early = HoldState("hold_1", "start", "touched", "1970-01-01T00:00:05.000Z")
    late = HoldState("hold_2", "normal", "touched", "1970-01-01T00:00:07.500Z")
    before = SessionState("started", holds=(early, HoldState("hold_2", "normal", "untouched")))
    after = SessionState("started", holds=(early, late))
    shown = [sender.new_touches(Output("a", n, session)) for n, session in enumerate([before, before, after])]
    assert shown == [[("hold_1", 5000)], [], [("hold_2", 7500)]]
    assert sender.new_touches(Output("a", 4)) == []
    assert Sender().new_touches(Output("a", 1, after)) == [("hold_1", 5000), ("hold_2", 7500)]


def test_a_hold_that_is_touched_again_later_is_a_new_touch() -> None:
    def touched(time: str) -> SessionState:
        return SessionState("started", holds=(HoldState("hold_1", "start", "touched", time),))

    sender = Sender()
    sessions = [touched("1970-01-01T00:00:05.000Z"), touched("1970-01-01T00:00:09.000Z")]
    shown = [sender.new_touches(Output("a", n, session)) for n, session in enumerate(sessions)]
    assert shown == [[("hold_1", 5000)], [("hold_1", 9000)]]


def test_a_session_is_shown_anew_when_it_differs_from_the_one_before_and_a_reply_shows_none() -> None:
    sender = Sender()
    before, after = SessionState("started"), SessionState("completed")
    shown = [
        Output("a", n, session)
        for n, session in enumerate([before, before, None, SessionState("started"), after])
    ]
    assert [sender.shows_anew(output) for output in shown] == [True, False, False, False, True]
