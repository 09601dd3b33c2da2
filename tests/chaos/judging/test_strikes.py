"""Which connections a fault may have ended, and since when."""

from typing import Any

import pytest

from chaos.history import Counted, Counts, History
from chaos.judging.detect import by_reports as detect
from chaos.judging.facts import Facts
from chaos.judging.no_false_kill import by_ends as no_false_kill
from tests.chaos.histories import (
    STEADY,
    Parts,
    closed,
    connected,
    delivered,
    fault,
    record,
    said,
    sent,
    stopping,
    struck,
)

FORGOTTEN = fault("idle_cut", 10.0, 20.0, after=3000, how="silent")
ENDED = fault("idle_cut", 10.0, 20.0, after=3000)
LARGE = fault("cut_after", 10.0, 20.0, bytes=1300)
REBOUND = fault("rst_after_rebind", 10.0)


def counted(**counts: Any) -> Counted:
    return Counted(t=40.0, fault=0, counts=Counts(**counts))


def over_one_connection(*parts: Parts) -> History:
    return record(STEADY, connected(), sent(*range(1, 31)), delivered(*range(1, 10)), *parts, stopping(40.0))


@pytest.mark.parametrize("one", [FORGOTTEN, LARGE], ids=str)
def test_a_link_that_fell_silent_during_a_fault_is_due_from_then_on(one: Any) -> None:
    late = counted(bytes=1, silenced=(8.0,))  # at 18 s
    assert said(detect, over_one_connection(struck(one), late, closed(22.9, "client")), one) == "pass"
    assert said(detect, over_one_connection(struck(one), late, closed(23.1, "client")), one) == "fail"


@pytest.mark.parametrize("one", [FORGOTTEN, LARGE], ids=str)
def test_a_link_that_never_fell_silent_had_nothing_to_detect(one: Any) -> None:
    never = counted(watched=1, silenced=())
    assert said(detect, over_one_connection(struck(one), never, closed(29.0, "client")), one) is None


def test_where_nobody_counts_a_link_is_due_from_the_begin_on() -> None:
    packets = counted(packets=7)
    assert said(detect, over_one_connection(struck(LARGE), packets, closed(14.9, "client")), LARGE) == "pass"
    assert said(detect, over_one_connection(struck(LARGE), packets, closed(15.1, "client")), LARGE) == "fail"


def test_a_hop_that_says_fin_asks_nobody_to_detect_anything() -> None:
    cut = counted(ends=1, silenced=())
    assert said(detect, over_one_connection(struck(ENDED), cut, closed(29.0)), ENDED) is None


def test_a_connection_whose_address_changed_may_end_whenever_its_client_speaks() -> None:
    late = closed(38.0)
    assert said(no_false_kill, over_one_connection(struck(REBOUND), late), REBOUND) == "pass"


def test_a_change_of_address_excuses_nothing_that_was_opened_later() -> None:
    parts = [struck(REBOUND), closed(10.1), connected(11.0, 2), closed(38.0, number=2)]
    assert said(no_false_kill, over_one_connection(*parts), REBOUND) == "fail"


def test_a_name_that_is_not_found_excuses_no_connection_that_is_lost() -> None:
    """Neither one that was there before nor one that was made meanwhile: a connection needs no name."""
    lost = fault("dns", 10.0, 20.0)
    for at in (0.5, 12.0):
        history = record(STEADY, connected(at), struck(lost), closed(20.0, "client"), stopping(40.0))
        assert said(no_false_kill, history, lost) == "fail"


@pytest.mark.parametrize(("toxicity", "broken"), [(1.0, True), (0.5, False)])
def test_a_toxicity_below_1_may_have_spared_what_it_would_have_broken(
    toxicity: float, *, broken: bool
) -> None:
    half = fault("half_close", 10.0, toxicity=toxicity)
    facts = Facts(over_one_connection(struck(half)), [half])
    (strike,), (connection,) = facts.strikes, facts.connections
    assert facts.ends(strike, connection) is broken
    assert strike.spoils(connection)
