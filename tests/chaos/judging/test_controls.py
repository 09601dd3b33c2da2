"""Controls on small histories: as offered, as obeyed, as answered."""

from typing import Any

import pytest

from chaos.controls import read_control
from chaos.history import HistoryEvent
from chaos.judging.checks import judge
from chaos.judging.controls import REPLIES, controls
from chaos.judging.facts import Facts
from chaos.judging.frames import every_frame
from chaos.judging.verdicts import Check
from simulator import events as peer
from tests.chaos.histories import STEADY, Parts, fault, record, scenario, stopped, stopping, struck
from tracker import events

END = [stopping(30.0), stopped(30.5)]


def offered(
    t: float, kind: str, link: peer.PeerLink = "control", over: int = 3, **rules: Any
) -> HistoryEvent:
    return peer.ControlOffered(t=t, link=link, connection=over, kind=kind, **rules)


def obeyed(t: float, kind: str) -> HistoryEvent:
    return events.Controlled(t=t, kind=kind)


def output(t: float, seq: int, reply: str = "", *, arrives: bool = True) -> list[HistoryEvent]:
    accepted = events.Accepted(t=t, seq=seq, size=100, essential=bool(reply))
    arrival = peer.Delivered(t=t, stream="s", seq=seq, size=100, digest=seq, connection=1, reply=reply)
    return [accepted, *([arrival] if arrives else [])]


def answered(t: float, seq: int, kind: str, **more: Any) -> list[HistoryEvent]:
    """Offered, obeyed and answered as `seq`, all at `t`."""
    return [offered(t, kind, **more), obeyed(t, kind), *output(t, seq, REPLIES[kind][0])]


def rules(t: float, seq: int, distance: float, seconds: float) -> HistoryEvent:
    return peer.Parameters(t=t, seq=seq, connection=1, proximity_threshold=distance, touch_duration=seconds)


def judged(*parts: Parts, faults: Any = ()) -> Check | None:
    asked = scenario(*faults)
    return controls(Facts(record(*parts, END, struck(*faults)), faults), asked)


def verdict(*parts: Parts, faults: Any = ()) -> tuple[str, str]:
    check = judged(*parts, faults=faults)
    assert check is not None
    return check.verdict, check.observed


def test_without_controls_there_is_nothing_to_judge() -> None:
    assert judged(output(2, 1)) is None


def test_controls_that_were_never_sent_are_unknown() -> None:
    asked = scenario()
    object.__setattr__(asked, "controls", (read_control({"at": 5, "message": "get_status"}),))
    check = controls(Facts(record(output(2, 1), END), ()), asked)
    assert check is not None
    assert check.verdict == "unknown"


def test_each_obeyed_and_answered_in_its_turn_passes() -> None:
    parts = [answered(2, 1, "get_status"), output(3, 2), answered(4, 3, "get_status"), output(5, 4)]
    assert verdict(*parts) == ("pass", "2 answered")


def test_one_on_the_input_must_be_left_alone() -> None:
    assert verdict(answered(2, 1, "get_status"), offered(3, "stop", "input")) == (
        "pass",
        "1 answered, 1 on the input left alone",
    )
    assert verdict(answered(3, 1, "get_status", link="input"))[0] == "fail"


def test_one_that_surely_came_must_be_obeyed() -> None:
    assert verdict(offered(2, "get_status"), answered(4, 1, "pause_output")) == (
        "fail",
        "get_status, sent at 2.0 s, was not obeyed, or not in its turn",
    )


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        ([], [fault("stall", 1.0, 3.0, on="control")]),
        ([peer.Ended(t=2.5, link="control", connection=3, code=1006, by="network")], []),
    ],
)
def test_one_that_a_fault_or_an_end_may_have_lost_need_not(more: list[HistoryEvent], faults: Any) -> None:
    parts = [offered(2, "get_status"), more, answered(8, 1, "pause_output", over=4)]
    assert verdict(*parts, faults=faults)[0] == "pass"


def test_one_just_before_the_end_need_not() -> None:
    assert verdict(answered(2, 1, "get_status"), offered(29, "get_status"))[0] == "pass"


def test_a_reply_that_never_came_fails_unless_outputs_are_missing_too() -> None:
    silent = [offered(2, "get_status"), obeyed(2, "get_status")]
    assert verdict(silent, output(3, 1)) == ("fail", "status_response never came")
    in_flight = [*silent, *output(2, 1, "status_response", arrives=False)]
    assert verdict(in_flight)[0] == "unknown"


def test_a_reply_out_of_its_turn_and_one_that_nobody_asked_for_fail() -> None:
    swapped = [
        *(
            offered(2, "pause_output"),
            obeyed(2, "pause_output"),
            offered(3, "get_status"),
            obeyed(3, "get_status"),
        ),
        *output(4, 1, "status_response"),
        *output(5, 2, "output_paused"),
    ]
    assert verdict(swapped) == ("fail", "status_response came where output_paused was due")
    assert verdict(answered(2, 1, "get_status"), output(3, 2, "status_response")) == (
        "fail",
        "status_response came, and nobody had asked",
    )


def test_a_pause_lets_replies_pass_and_nothing_else() -> None:
    pause = [answered(2, 1, "pause_output"), answered(3, 2, "get_status")]
    resume = answered(4, 4, "resume_output")
    assert verdict(pause, output(3.5, 3), resume, output(4.5, 5)) == (
        "fail",
        "1 outputs came during a pause, the first is seq 3",
    )
    assert verdict(pause, answered(4, 3, "resume_output"), output(4.5, 4))[0] == "pass"
    assert verdict(pause, output(4.5, 3))[0] == "fail"


def test_after_a_resume_outputs_go_on_at_once() -> None:
    parts = [answered(2, 1, "pause_output"), answered(4, 2, "resume_output")]
    frame = events.Received(t=4.4, timestamp=4400.0, sequence=44)
    assert verdict(parts, frame, output(6, 3)) == ("fail", "no output within 1 s of output_resumed, seq 2")
    assert verdict(parts, frame, output(4.5, 3))[0] == "pass"
    # Nor does one that comes in the next pause.
    again = answered(4.3, 3, "pause_output")
    assert verdict(parts, again, frame, answered(8, 4, "resume_output"))[0] == "pass"
    # An input that brings no frame makes no output.
    assert verdict(parts, output(6, 3))[0] == "pass"


def test_rules_are_those_that_were_asked_for_and_the_others_stay() -> None:
    first = answered(2, 1, "update_parameters", touch_duration=1.0)
    second = answered(4, 2, "update_parameters", proximity_threshold=60.0)
    assert verdict(first, rules(2, 1, 50.0, 1.0), second, rules(4, 2, 60.0, 1.0))[0] == "pass"
    assert verdict(first, rules(2, 1, 50.0, 2.0)) == (
        "fail",
        "touch_duration is 2.0 after update_parameters asked for 1.0",
    )
    assert verdict(first, rules(2, 1, 50.0, 1.0), second, rules(4, 2, 60.0, 2.0))[0] == "fail"


def test_a_reset_over_the_control_link_is_judged_as_any_reset() -> None:
    assert verdict(offered(2, "reset_holds"), answered(3, 1, "get_status")) == ("pass", "1 answered")


def test_frames_that_come_during_a_pause_make_no_output_and_a_reply_is_none_of_a_frame() -> None:
    frames = [
        *(peer.Offered(t=t, sequence=n, connection=2) for n, t in enumerate((2.0, 4.0, 6.0))),
        *(events.Received(t=t, timestamp=0, sequence=n) for n, t in enumerate((2.0, 4.0, 6.0))),
    ]
    pause, resume = answered(3, 2, "pause_output"), answered(5, 3, "resume_output")

    def seen(*parts: Parts) -> str | None:
        check = every_frame(Facts(record(frames, parts, END), ()), scenario())
        return None if check is None else check.verdict

    assert seen(output(2, 1), pause, resume, output(6, 4)) == "pass"
    assert seen(output(2, 1), pause, resume) == "fail"
    assert seen(output(2, 1), output(6, 2)) == "fail"


def test_a_judgement_of_a_whole_run_has_the_check() -> None:
    history = record(STEADY, answered(2, 1, "get_status"), END)
    names = [check.name for check in judge(history, scenario(stresses=["no-loss"])).checks]
    assert "controls" in names
