"""What a client's climb was made of: its frames, and between them what the peer had written."""

from typing import Any

from chaos.answer import NewRules, Reset, Step
from chaos.judging.climbed import climbed
from simulator import events as peer
from tests.chaos.histories import connected, offered, opened, record
from tracker import events

INPUT = [opened(0.0, 2, "input"), connected(0.1, 1, "input")]
AGAIN = [opened(4.6, 5, "input"), connected(4.7, 2, "input")]
CONTROL = [opened(0.0, 3, "control"), connected(0.1, 1, "control")]


def reset_offered(t: float, over: int = 2) -> peer.ResetOffered:
    return peer.ResetOffered(t=t, connection=over)


def received(*sequences: int) -> list[events.Received]:
    return [events.Received(t=n + 0.1, timestamp=n * 1000.0, sequence=n) for n in sequences]


def reset_taken(t: float, link: Any = "input") -> events.SessionReset:
    return events.SessionReset(t=t, link=link)


def asked(t: float, kind: str = "update_parameters", **rules: float) -> peer.ControlOffered:
    return peer.ControlOffered(t=t, link="control", connection=3, kind=kind, **rules)


def obeyed(t: float, kind: str = "update_parameters", **rules: float) -> events.Controlled:
    return events.Controlled(t=t, kind=kind, **rules)


def steps(*parts: Any) -> list[Step]:
    return list(climbed(record(*parts)))


def test_frames_count_that_the_client_took() -> None:
    assert steps(INPUT, offered(1, 2, 3, 4), received(1, 2, 4)) == [1, 2, 4]


def test_a_reset_counts_where_it_was_written_whatever_the_client_says_of_it() -> None:
    offers = [INPUT, offered(1, 2, 3), reset_offered(1.5), received(1, 2, 3)]
    assert steps(offers, reset_taken(1.6)) == [1, Reset(), 2, 3]
    assert steps(offers) == [1, Reset(), 2, 3]
    assert steps(offers, reset_taken(1.6), reset_taken(1.7)) == [1, Reset(), 2, 3]
    assert steps(offers, reset_taken(2.5)) == [1, Reset(), 2, 3]


def test_a_reset_that_nobody_offered_counts_for_nothing() -> None:
    assert steps(INPUT, offered(1, 2), received(1, 2), reset_taken(1.6)) == [1, 2]
    assert steps(received(1), reset_taken(1.6)) == [1]
    later = [
        INPUT,
        offered(1, 2, 3),
        reset_offered(2.5),
        received(1, 2, 3),
        reset_taken(1.6),
        reset_taken(2.6),
    ]
    assert steps(later) == [1, 2, Reset(), 3]


def test_of_the_last_reset_before_a_connection_broke_only_the_client_knows() -> None:
    broken = [
        INPUT,
        offered(1, 2),
        reset_offered(2.5),
        offered(3, 4),
        AGAIN,
        offered(5, over=5),
        received(1, 2, 5),
    ]
    assert steps(broken) == [1, 2, 5]
    assert steps(broken, reset_taken(2.6)) == [1, 2, Reset(), 5]


def test_a_reset_over_the_control_link_counts_when_the_client_took_it_if_it_was_offered() -> None:
    frames = [INPUT, CONTROL, offered(1, 2, 3), received(1, 2, 3)]
    assert steps(frames, asked(1.2, "reset_holds"), reset_taken(2.5, "control")) == [1, 2, Reset(), 3]
    assert steps(frames, asked(1.2, "get_status"), reset_taken(2.5, "control")) == [1, 2, 3]
    assert steps(
        frames, asked(2.7, "reset_holds"), reset_taken(2.5, "control"), reset_taken(2.8, "control")
    ) == [
        1,
        2,
        Reset(),
        3,
    ]


def test_new_rules_are_those_that_were_asked_for() -> None:
    frames = [INPUT, CONTROL, offered(1, 2, 3), received(1, 2, 3)]
    told = [asked(1.2, "get_status"), asked(1.3, touch_duration=1.0), asked(2.2, proximity_threshold=60.0)]
    took = [obeyed(1.2, "get_status"), obeyed(1.5, touch_duration=9.0), obeyed(2.5, proximity_threshold=9.0)]
    assert steps(frames, told, took) == [
        1,
        NewRules(touch_duration=1.0),
        2,
        NewRules(proximity_threshold=60.0),
        3,
    ]
    assert steps(frames, obeyed(1.5, touch_duration=9.0)) == [1, 2, 3]
