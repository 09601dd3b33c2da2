import pytest

from chaos.faults import Fault
from chaos.judging.disruptions import disruptions, recoveries
from chaos.judging.facts import Facts
from simulator import events as peer
from tests.chaos.histories import Parts, closed, connected, delivered, fault, opened, record, stopping, struck

DOWN = fault("down", 10.0, 2.0)


def facts(*parts: Parts, faults: tuple[Fault, ...] = ()) -> Facts:
    return Facts(record(*parts, struck(*faults)), faults)


def found(*faults: Fault) -> list[tuple[float, float, float]]:
    return [(o.begin, o.end, o.until) for o in disruptions(facts(stopping(50.0), faults=faults))]


def test_strikes_that_overlap_are_one_outage_on_whichever_links_and_in_whichever_order() -> None:
    longer, inside = fault("stall", 10.0, 20.0), fault("down", 12.0, 1.0, on="input")
    assert found(longer, inside) == found(inside, longer) == [(10.0, 30.0, 50.0)]


def test_an_outage_ends_its_time_to_recover_when_the_next_one_begins() -> None:
    assert found(DOWN, fault("down", 20.0, 2.0)) == [(10.0, 12.0, 20.0), (20.0, 22.0, 50.0)]


def test_what_is_over_at_once_is_an_outage_without_length() -> None:
    assert found(fault("close", 10.0, code=1000)) == [(10.0, 10.0, 50.0)]


def test_what_only_slows_is_no_outage() -> None:
    assert found(fault("latency", 10.0, 5.0, latency=100)) == []


def test_only_an_outage_that_interrupted_something_has_a_recovery() -> None:
    flow = delivered(*range(1, 300), every=0.1)
    assert recoveries(facts(connected(), flow, stopping(30.0), faults=(DOWN,))) == ()
    assert recoveries(facts(connected(), flow, closed(10.5), stopping(30.0), faults=(DOWN,))) != ()


def test_what_arrives_over_a_connection_that_the_client_gave_up_is_no_recovery() -> None:
    parts: list[Parts] = [
        [opened(0.1, 1), opened(14.9, 2), connected(), closed(10.5)],
        [delivered(5, at=12.0, over=1), delivered(6, at=15.0, over=2)],
    ]
    assert recoveries(facts(*parts, stopping(30.0), faults=(DOWN,))) == (3.0,)


def test_without_the_peers_view_of_connections_every_delivery_counts() -> None:
    assert recoveries(facts(connected(), closed(10.5), delivered(13), stopping(30.0), faults=(DOWN,))) == (
        1.0,
    )


def test_the_links_of_an_outage_are_those_that_it_struck() -> None:
    def links(*faults: Fault) -> list[tuple[str, ...]]:
        return [outage.links for outage in disruptions(facts(stopping(50.0), faults=faults))]

    assert links(DOWN) == [("output",)]
    assert links(DOWN, fault("stall", 11.0, 5.0, on="input")) == [("input", "output")]
    assert links(fault("restart", 10.0, 5.0, on=None)) == [("input", "output")]
    assert links(fault("down", 10.0, 5.0, on="control")) == []


@pytest.mark.parametrize(("last", "found"), [(99, ()), (90, (1.0,))])
def test_a_pause_across_the_heal_is_an_interruption(last: int, found: tuple[float, ...]) -> None:
    """Deliveries pause from `last` tenths of a second to 10.9 s; the strike is over at once, at 9.9 s."""
    bye = fault("close", 9.9, code=1000)
    flow = delivered(*range(1, last + 1), every=0.1), delivered(109, 110, every=0.1)
    assert recoveries(facts(flow, stopping(30.0), faults=(bye,))) == pytest.approx(found)


def test_what_comes_over_a_connection_that_the_peer_closes_is_no_recovery_whoever_else_knows_of_it() -> None:
    bye = fault("close", 10.0, code=1000)
    began = peer.Misbehaved(t=10.0, kind="close", link="output", connection=1)
    flow = delivered(1, at=9.9), delivered(2, at=10.05), delivered(3, at=12.0, over=2)
    assert recoveries(facts(opened(0.1, 1), began, flow, stopping(30.0), faults=(bye,))) == (2.0,)


def test_what_comes_after_the_next_strike_is_no_recovery_from_the_first() -> None:
    again = fault("down", 20.0, 2.0)
    flow = connected(), closed(10.5), delivered(25)
    assert recoveries(facts(flow, stopping(50.0), faults=(DOWN, again))) == (3.0,)
