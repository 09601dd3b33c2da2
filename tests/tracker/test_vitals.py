from tracker import events
from tracker.vitals import MOST_CODES, Vitals


def after(*facts: events.AnyEvent) -> Vitals:
    vitals = Vitals()
    for fact in facts:
        vitals.observe(fact)
    return vitals


def accepted(t: float, seq: int) -> events.Accepted:
    return events.Accepted(t=t, seq=seq, size=1)


def test_the_display_is_behind_by_the_age_of_the_oldest_output_that_is_not_confirmed() -> None:
    vitals = after(accepted(1.0, 1), accepted(2.0, 2), accepted(4.0, 3))
    assert vitals.behind(5.0) == 4.0
    vitals.observe(events.Confirmed(t=5.0, count=2, left=1))
    assert vitals.behind(5.0) == 1.0


def test_an_output_that_gave_way_keeps_nobody_waiting() -> None:
    vitals = after(accepted(1.0, 1), accepted(2.0, 2), events.Displaced(t=3.0, seq=1))
    assert vitals.behind(5.0) == 3.0
    vitals.observe(events.Confirmed(t=5.0, count=1, left=0))
    assert vitals.behind(9.0) == 0.0


def test_where_nothing_is_confirmed_an_output_waits_until_it_is_sent() -> None:
    vitals = Vitals(confirm="none")
    vitals.observe(accepted(1.0, 1))
    assert vitals.behind(3.0) == 2.0
    vitals.observe(events.Sent(t=3.0, seq=1, connection=1))
    assert vitals.behind(9.0) == 0.0


def test_an_output_on_its_second_way_is_a_repeat() -> None:
    sent = [events.Sent(t=1.0, seq=seq, connection=1) for seq in (1, 2, 3)]
    again = [events.Sent(t=2.0, seq=seq, connection=2) for seq in (2, 3, 4)]
    vitals = after(*sent, *again)
    assert (vitals.sent, vitals.repeated) == (6, 2)


def test_bugs_count_until_a_frame_comes_through() -> None:
    frame, bug = events.Received(t=1.0, timestamp=1.0), rejected(events.MET_A_BUG)
    assert after(frame, bug, frame, bug, frame).bugs_in_a_row == 2
    assert after(frame, bug, frame, accepted(1.0, 1)).bugs_in_a_row == 0
    assert after(frame, bug, frame, frame).bugs_in_a_row == 0  # the output is paused


def test_a_bad_message_neither_is_a_bug_nor_excuses_one() -> None:
    frame, bug = events.Received(t=1.0, timestamp=1.0), rejected(events.MET_A_BUG)
    assert after(frame, bug, rejected("not-json"), frame, bug).bugs_in_a_row == 2


def rejected(reason: str) -> events.Rejected:
    return events.Rejected(t=1.0, link="input", reason=reason, detail="")


def test_a_peer_with_a_thousand_close_codes_makes_no_thousand_totals() -> None:
    closes = [
        events.Closed(t=1.0, link="output", connection=1, code=code, by="peer") for code in range(3000, 4000)
    ]
    totals = after(*closes).of("output").closes
    assert totals["3000", "peer"] == 1
    assert totals["other", "peer"] == 1000 - MOST_CODES
    assert len(totals) == MOST_CODES + 1
