"""What a client that confirms nothing owes: all but what was on the wire when a connection ended."""

from chaos.judging.facts import Facts
from chaos.judging.fire_and_forget import on_the_wire
from chaos.judging.no_loss import by_reports as no_loss
from chaos.judging.verdicts import Check
from tests.chaos.histories import (
    Parts,
    accepted,
    closed,
    connected,
    delivered,
    record,
    scenario,
    sent,
    stopped,
    stopping,
)
from tracker import events

END = [stopping(30.0), stopped(30.5)]


def probe(t: float, number: int, *, answered_at: float | None = None) -> list[events.Event]:
    probed = events.Probed(t=t, link="output", number=number)
    if answered_at is None:
        return [probed]
    return [probed, events.Answered(t=answered_at, link="output", number=number, rtt=answered_at - t)]


def facts(*parts: Parts) -> Facts:
    return Facts(record(connected(), *parts, settings={"confirm": "none"}), ())


def judged(*parts: Parts) -> Check:
    check = no_loss(facts(*parts), scenario())
    assert check is not None
    return check


def test_what_was_on_the_wire_when_the_connection_ended_may_be_lost() -> None:
    parts = [accepted(1, 2, 3), sent(1, 2), delivered(1), closed(2.5), sent(3, over=2), delivered(3)]
    assert on_the_wire(facts(*parts, END)) == {1, 2}
    assert judged(*parts, END).verdict == "pass"
    assert judged(*parts, END).observed == "2 delivered, 1 of 2 that were on the wire are lost"


def test_what_waited_for_a_connection_may_not() -> None:
    parts = [accepted(1, 2, 3), sent(1), delivered(1), closed(1.5), sent(3, over=2), delivered(3)]
    assert judged(*parts, END).verdict == "fail"
    assert judged(*parts, END).observed == "1 lost: seq 2"


def test_what_a_later_probe_was_answered_for_may_not_either() -> None:
    parts = [accepted(1, 2, 3), sent(1, 2), probe(2.2, 1, answered_at=2.4), closed(2.5), delivered(1)]
    assert on_the_wire(facts(*parts)) == set()
    assert judged(*parts, sent(3, over=2), delivered(3), END).observed == "1 lost: seq 2"


def test_a_probe_that_was_not_answered_or_sent_before_proves_nothing() -> None:
    before = [accepted(1, 2), probe(0.5, 1, answered_at=1.5), sent(1, 2), probe(2.2, 2), closed(2.5)]
    assert on_the_wire(facts(*before)) == {1, 2}


def test_after_our_own_farewell_everything_has_arrived() -> None:
    assert on_the_wire(facts(accepted(1), sent(1), closed(31.0, "tracker", code=1001))) == set()
    assert on_the_wire(facts(accepted(1), sent(1), closed(31.0, "peer", code=1001))) == {1}


def test_what_the_client_still_held_at_its_end_is_no_loss_and_what_it_did_not_is_unknown() -> None:
    parts = [accepted(1, 2), sent(1), delivered(1), stopping(30.0)]
    assert judged(*parts, stopped(30.5, undelivered=1)).verdict == "pass"
    assert judged(*parts, stopped(30.5)).verdict == "unknown"
