"""`accounts`: what is sent next, how much of it is on the wire, and what confirms it."""

from collections.abc import Iterable

import pytest

from chaos.history import History
from chaos.judging.accounts import accounts
from tests.chaos.histories import Parts, accepted, closed, connected, observed, record, said, sent
from tracker import events

LIMITS = {"window_messages": 3, "window_bytes": 1000}


def probed(t: float, number: int) -> events.Probed:
    return events.Probed(t=t, link="output", number=number)


def answered(t: float, number: int) -> events.Answered:
    return events.Answered(t=t, link="output", number=number, rtt=0.1)


def confirmed(t: float, count: int, left: int) -> events.Confirmed:
    return events.Confirmed(t=t, count=count, left=left)


def account(*parts: Parts, confirm: str = "pong") -> History:
    return record(connected(), *parts, settings={"confirm": confirm, "outbox": LIMITS})


TWO_ON_THE_WIRE = accepted(1, 2, every=0.1), sent(1, 2, every=0.3), probed(0.7, 1)


def test_nothing_is_said_of_a_client_that_declares_nothing() -> None:
    assert said(accounts, record(accepted(1))) is None


def test_an_answer_confirms_what_was_sent_before_its_probe_and_no_more() -> None:
    later = accepted(3, every=0.3), [events.Sent(t=0.95, seq=3, connection=1)], answered(1.0, 1)
    assert said(accounts, account(TWO_ON_THE_WIRE, later, confirmed(1.0, 2, 1))) == "pass"
    for count, left in ((1, 2), (3, 0)):
        history = account(TWO_ON_THE_WIRE, later, confirmed(1.0, count, left))
        assert observed(accounts, history) == (
            f"{count} messages were taken for confirmed, and 2 were at 1.0 s"
        )


def test_an_answer_after_which_nothing_is_confirmed_fails() -> None:
    history = account(TWO_ON_THE_WIRE, answered(1.0, 1), probed(1.2, 2))
    assert said(accounts, history) == "fail"


def test_without_an_answer_nothing_is_confirmed() -> None:
    assert said(accounts, account(TWO_ON_THE_WIRE, confirmed(1.0, 2, 0))) == "fail"


def test_a_probe_of_an_earlier_connection_confirms_nothing_over_this_one() -> None:
    again = closed(1.0), connected(2.0, 2), [events.Sent(t=2.1, seq=1, connection=2)]
    back = [events.Closed(t=1.0, link="output", connection=1, code=1006, by="network", unconfirmed=2)]
    late = [probed(2.2, 2), events.Sent(t=2.3, seq=2, connection=2), answered(2.4, 2)]
    assert said(accounts, account(TWO_ON_THE_WIRE, back, again[1:], late, confirmed(2.4, 1, 1))) == "pass"
    assert said(accounts, account(TWO_ON_THE_WIRE, back, again[1:], late, confirmed(2.4, 2, 0))) == "fail"
    stale = answered(2.15, 1), probed(2.2, 2)
    assert said(accounts, account(TWO_ON_THE_WIRE, back, again[1:], stale)) == "pass"
    assert (
        said(accounts, account(TWO_ON_THE_WIRE, back, again[1:], stale[0], confirmed(2.15, 1, 1))) == "fail"
    )


def test_what_a_lost_connection_leaves_unconfirmed_is_all_that_was_out() -> None:
    assert said(accounts, account(TWO_ON_THE_WIRE, closed(1.0))) == "fail"


def test_where_acks_confirm_an_answer_confirms_nothing_by_itself() -> None:
    history = account(TWO_ON_THE_WIRE, answered(1.0, 1), probed(1.2, 2), confirmed(1.3, 1, 1), confirm="ack")
    assert said(accounts, history) == "pass"
    assert said(accounts, account(TWO_ON_THE_WIRE, confirmed(1.3, 3, 0), confirm="ack")) == "fail"


def test_a_client_that_says_wrongly_how_many_it_holds_fails() -> None:
    assert said(accounts, account(TWO_ON_THE_WIRE, answered(1.0, 1), confirmed(1.0, 2, 1))) == "fail"


@pytest.mark.parametrize(
    ("sizes", "verdict"),
    [
        ((100, 100, 100), "pass"),
        ((100,) * 4, "fail"),
        ((500, 500), "pass"),
        ((500, 501), "fail"),
        ((2000,), "pass"),
    ],
)
def test_no_more_is_on_the_wire_than_the_window_takes_but_one_message_of_any_size_is(
    sizes: Iterable[int], verdict: str
) -> None:
    parts = [
        (
            events.Accepted(t=0.1 * seq, seq=seq, size=size),
            events.Sent(t=0.1 * seq, seq=seq, connection=1),
        )
        for seq, size in enumerate(sizes, 1)
    ]
    assert said(accounts, account(parts)) == verdict


def test_where_nothing_is_confirmed_there_is_no_window() -> None:
    many = range(1, 9)
    assert said(accounts, account(accepted(*many), sent(*many), confirm="none")) == "pass"


def test_messages_are_sent_in_the_order_of_their_numbers_and_once_each() -> None:
    three = accepted(1, 2, 3, every=0.1)
    assert said(accounts, account(three, sent(1, 2, 3))) == "pass"
    assert said(accounts, account(three, sent(1, 3))) == "fail"
    assert said(accounts, account(three, sent(1, 1))) == "fail"
    assert said(accounts, account(three, [events.Displaced(t=1.5, seq=2)], sent(1, 3))) == "pass"


def test_the_oldest_plain_message_that_is_not_on_the_wire_gives_way() -> None:
    held = (
        accepted(1, 2, every=0.1),
        sent(1),
        accepted(3, every=0.4, essential=True),
        accepted(4, 5, every=0.4),
    )

    def gives_way(seq: int) -> str | None:
        return said(accounts, account(held, [events.Displaced(t=3.0, seq=seq)]))

    assert [gives_way(seq) for seq in (2, 3, 4, 5)] == ["pass", "fail", "fail", "fail"]


def test_a_message_does_not_give_way_to_itself_once_it_is_accepted() -> None:
    alone = accepted(1), [events.Displaced(t=1.0, seq=1)]
    assert "gave way to itself" in observed(accounts, account(alone))


def test_a_message_is_turned_away_only_where_no_older_one_could_make_room() -> None:
    turned_away = [events.Displaced(t=3.0, seq=3)]
    limits = {"confirm": "pong", "outbox": {"messages": 2, "bytes": 10_000}}

    def verdict(*held: Parts, size: int = 100) -> str | None:
        small = {**limits, "outbox": {"messages": 2, "bytes": 10 * size}}
        return said(accounts, record(connected(), held, turned_away, settings=small))

    assert verdict(accepted(1, 2, every=0.1)) == "fail"
    assert verdict(accepted(1, 2, every=0.1, essential=True)) == "pass"
    assert verdict(accepted(1, 2, every=0.1), sent(1, 2, every=0.2)) == "pass"
    assert verdict(accepted(1, 2, every=0.1), size=30) == "pass"  # it may have needed more than they give


def test_a_message_is_accepted_once() -> None:
    assert said(accounts, account(accepted(1, 1))) == "fail"


def test_no_more_bytes_leave_and_wait_than_were_written() -> None:
    def carried(bytes_sent: int, buffered: int) -> events.Carried:
        return events.Carried(t=2.0, link="output", connection=1, sent=bytes_sent, buffered=buffered)

    written = accepted(1, size=200), sent(1)
    assert said(accounts, account(written, carried(150, 58))) == "pass"
    assert said(accounts, account(written, carried(208, 58))) == "fail"
