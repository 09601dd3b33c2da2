"""The check `same-climb` on a climb as it should arrive, and with one thing wrong in it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from chaos.answer import Answer, Reset, Step
from chaos.faults import Fault
from chaos.history import History
from chaos.judging.facts import Facts
from chaos.judging.same_climb import same_climb
from chaos.judging.verdicts import Check
from chaos.scenario import Workload
from chaos.workloads import material
from simulator import events as peer
from tests.chaos.histories import accepted, connected, fault, record, scenario, stopped, stopping, struck
from tracker import events
from tracker.messages import HoldState, SessionState, iso_time, parse_iso_time

FPS, COUNT = 5, 110
"""A whole climb."""
RESET_AT = 50
Output = tuple[float | None, SessionState]
"""The pose and the session that one output shows."""
Wrong = Callable[[list[Output]], list[Output]]


@cache
def answers(*resets: int) -> tuple[Answer, ...]:
    steps: list[Step] = []
    for frame in range(COUNT):
        steps += [Reset(), frame] if frame in resets else [frame]
    return material(Workload(fps=FPS), 2).answers(steps)


def outputs(*resets: int) -> list[Output]:
    (answer,) = answers(*resets)
    return list(answer.outputs())


def arrived(shown: Sequence[Output], *others: Any, without: frozenset[int] = frozenset()) -> History:
    """Outputs from 1 on, one a second; the peer did not get those `without`."""
    parts: list[Any] = []
    before = None
    for seq, (pose, session) in enumerate(shown, 1):
        parts += accepted(seq)
        if seq not in without:
            parts.append(delivery(seq, pose=pose))
            if session != before:
                parts.append(peer.SessionShown(t=seq, seq=seq, connection=1, session=session))
            before = session
    return record(*parts, *others, reference=answers(RESET_AT))


def delivery(seq: int, **more: Any) -> peer.Delivered:
    return peer.Delivered(t=seq, stream="s", seq=seq, size=1, digest=seq, connection=1, **more)


def check(history: History, *faults: Fault) -> Check:
    found = same_climb(Facts(history, faults), scenario(*faults))
    assert found is not None
    return found


def last_touch() -> int:
    """The place of the output that shows the last touch, from 0."""
    (answer,) = answers(RESET_AT)
    return answer.sessions[-1].output


# Wrong climbs


def with_hold(change: Callable[[HoldState], HoldState], shown: list[Output]) -> list[Output]:
    """The hold that was touched last is shown otherwise, wherever it is touched."""
    name = next(
        now.id
        for now, before in zip(shown[last_touch()][1].holds, shown[last_touch() - 1][1].holds, strict=True)
        if now != before
    )

    def changed(hold: HoldState) -> HoldState:
        return change(hold) if hold.id == name and hold.status == "touched" else hold

    return [(pose, replace(session, holds=tuple(map(changed, session.holds)))) for pose, session in shown]


def a_touch_missing(shown: list[Output]) -> list[Output]:
    return with_hold(lambda hold: HoldState(hold.id, hold.type, "untouched"), shown)


def a_touch_a_frame_later(shown: list[Output]) -> list[Output]:
    return with_hold(
        lambda hold: replace(hold, time=iso_time(parse_iso_time(hold.time or "") + 1000 / FPS)), shown
    )


def a_touch_shown_a_frame_late(shown: list[Output]) -> list[Output]:
    place = last_touch()
    shown[place] = (shown[place][0], shown[place - 1][1])
    return shown


def a_touch_too_many(shown: list[Output]) -> list[Output]:
    for place in range(60, COUNT):
        pose, session = shown[place]
        first = next(n for n, hold in enumerate(session.holds) if hold.status == "untouched")
        holds = list(session.holds)
        holds[first] = replace(holds[first], status="touched", time=session.start_time)
        shown[place] = (pose, replace(session, holds=tuple(holds)))
    return shown


def another_type(shown: list[Output]) -> list[Output]:
    return with_hold(lambda hold: replace(hold, type="start"), shown)


def a_hold_less(shown: list[Output]) -> list[Output]:
    return [(pose, replace(session, holds=session.holds[:-1])) for pose, session in shown]


def with_session(shown: list[Output], **changes: Any) -> list[Output]:
    return [(pose, replace(session, **changes)) for pose, session in shown]


def never_completed(shown: list[Output]) -> list[Output]:
    return with_session(shown, status="started", end_time=None)


def completed_at_once(shown: list[Output]) -> list[Output]:
    return with_session(shown, status="completed")


def another_start(shown: list[Output]) -> list[Output]:
    return with_session(shown, start_time=iso_time(parse_iso_time(shown[0][1].start_time or "") + 1000 / FPS))


def the_first_start_for_ever(shown: list[Output]) -> list[Output]:
    return with_session(shown, start_time=shown[0][1].start_time)


def another_end(shown: list[Output]) -> list[Output]:
    return [
        (pose, replace(session, end_time=session.start_time) if session.end_time else session)
        for pose, session in shown
    ]


def poses_shifted(shown: list[Output]) -> list[Output]:
    return [(None if pose is None else pose + 1e-6, session) for pose, session in shown]


def a_pose_of_the_frame_before(shown: list[Output]) -> list[Output]:
    shown[20] = (shown[19][0], shown[20][1])
    return shown


def no_pose(shown: list[Output]) -> list[Output]:
    return [(None, session) for _, session in shown]


def a_frame_twice(shown: list[Output]) -> list[Output]:
    return [*shown[:30], shown[29], *shown[30:]]


def a_reset_too_few(_: list[Output]) -> list[Output]:
    return outputs()


def a_reset_too_many(_: list[Output]) -> list[Output]:
    return outputs(RESET_AT, 80)


def a_reset_a_frame_early(_: list[Output]) -> list[Output]:
    return outputs(RESET_AT - 1)


@pytest.mark.parametrize(
    "wrong",
    [
        a_touch_missing,
        a_touch_a_frame_later,
        a_touch_shown_a_frame_late,
        a_touch_too_many,
        another_type,
        a_hold_less,
        never_completed,
        completed_at_once,
        another_start,
        the_first_start_for_ever,
        another_end,
        poses_shifted,
        a_pose_of_the_frame_before,
        no_pose,
        a_frame_twice,
        a_reset_too_few,
        a_reset_too_many,
        a_reset_a_frame_early,
    ],
)
def test_another_climb_is_none_of_the_frames_that_were_taken(wrong: Wrong) -> None:
    assert check(arrived(wrong(outputs(RESET_AT)))).verdict == "fail"


def test_what_is_wrong_is_said_of_the_first_output_that_shows_it() -> None:
    place, time = last_touch(), answers(RESET_AT)[0].sessions[-1].session.end_time
    missing = check(arrived(a_touch_missing(outputs(RESET_AT)))).observed
    assert missing.startswith(f"output {place + 1} has hold_")
    assert "finish untouched - in place of hold_" in missing
    ended = check(arrived(another_end(outputs(RESET_AT)))).observed
    assert ended.endswith(f"in place of {time}")
    assert check(arrived(no_pose(outputs(RESET_AT)))).observed == "output 1 shows no pose"
    shifted = check(arrived(poses_shifted(outputs(RESET_AT)))).observed
    assert shifted == "output 1 shows a pose that no frame makes"


# The same climb


def test_what_the_frames_make_is_the_same_climb() -> None:
    found = check(arrived(outputs(RESET_AT)))
    assert (found.verdict, found.observed) == ("pass", f"{COUNT} outputs, each as it must be")


def test_an_output_that_gave_way_to_others_is_not_missed() -> None:
    quiet = frozenset({10, 11, 12, 60})
    displaced = [events.Displaced(t=seq, seq=seq) for seq in quiet]
    assert check(arrived(outputs(RESET_AT), displaced, without=quiet)).verdict == "pass"


def test_a_repeat_and_a_reply_are_no_outputs_of_the_climb() -> None:
    more = [delivery(4, repeat=True), delivery(COUNT + 1, reply="output_paused")]
    assert check(arrived(outputs(RESET_AT), more)).verdict == "pass"


def test_where_two_answers_are_right_either_is_the_same_climb() -> None:
    history = arrived(outputs(RESET_AT))
    doubtful = record(history.events, reference=(*answers(), *answers(RESET_AT)))
    assert check(doubtful).verdict == "pass"
    assert check(record(history.events, reference=(*answers(), *answers(80)))).verdict == "fail"


def test_where_no_frame_is_known_nothing_is_said() -> None:
    history = arrived(outputs(RESET_AT))
    assert same_climb(Facts(record(history.events), ()), scenario()) is None
    nameless = events.Received(t=1.0, timestamp=1.0)
    of_others = record(history.events, nameless, reference=answers(RESET_AT))
    assert same_climb(Facts(of_others, ()), scenario()) is None
    assert same_climb(Facts(record(reference=(Answer(),)), ()), scenario()) is None


# What did not arrive


def test_a_touch_that_no_output_shows_is_another_climb() -> None:
    found = check(arrived(outputs(RESET_AT)[: last_touch()]))
    assert (found.verdict, found.observed[:19]) == ("fail", "no output shows tha")


def test_a_touch_may_be_among_the_messages_still_in_flight() -> None:
    place = last_touch()
    in_flight = arrived(outputs(RESET_AT)[: place + 1], without=frozenset({place + 1}))
    assert check(in_flight).verdict == "unknown"
    wrong = arrived(a_reset_too_few([])[: place + 1], without=frozenset({place + 1}))
    assert check(wrong).verdict == "fail"


def test_a_touch_among_what_was_left_at_an_end_under_a_fault_is_no_other_climb() -> None:
    """Kept from delivery to the end, and the client says so."""
    place = last_touch()
    seq = place + 1
    before, after = answers(RESET_AT)[0].sessions[-2].session, answers(RESET_AT)[0].sessions[-1].session
    hold = next(now for now, then in zip(after.holds, before.holds, strict=True) if now != then)
    touched = events.Touched(t=place + 0.5, hold=hold.id, time=float(parse_iso_time(hold.time or "")))
    stall = fault("stall", place + 0.2)
    rest = [connected(), touched, struck(stall), stopping(seq + 1.0)]
    shown, without = outputs(RESET_AT)[:seq], frozenset({seq})
    left = arrived(shown, *rest, stopped(seq + 2.0, undelivered=1), without=without)
    assert check(left, stall).verdict == "pass"
    assert check(left, stall).observed.endswith(", 1 touches left at the end")
    not_said = arrived(shown, *rest, stopped(seq + 2.0), without=without)
    assert check(not_said, stall).verdict == "unknown"


def test_what_the_reply_to_a_control_showed_first_the_next_output_shows_too() -> None:
    """A reply shows a session as an output does, and then nothing changes with the output after it."""
    shown = outputs(RESET_AT)
    change = next(place for place in range(1, len(shown)) if shown[place][1] != shown[place - 1][1])
    parts: list[Any] = []
    before = None
    for place, (pose, session) in enumerate(shown):
        seq = place + 1 + (place >= change)
        if place == change:
            parts += [
                *accepted(seq - 1),
                delivery(seq - 1, reply="status_response"),
                peer.SessionShown(t=seq - 1, seq=seq - 1, connection=1, session=session),
            ]
            before = session
        parts += [*accepted(seq), delivery(seq, pose=pose)]
        if session != before:
            parts.append(peer.SessionShown(t=seq, seq=seq, connection=1, session=session))
        before = session
    assert check(record(*parts, reference=answers(RESET_AT))).verdict == "pass"
