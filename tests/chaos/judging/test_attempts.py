"""What a refusal asked for, as the peer sees it."""

import pytest

from chaos.judging.attempts import came_too_soon
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.polite import by_peer as polite_as_seen
from simulator import events as peer
from tests.chaos.histories import opened, record, scenario


def refused(t: float, patience: float = 0.0, link: peer.PeerLink = "output") -> peer.Misbehaved:
    return peer.Misbehaved(t=t, kind="refuse", link=link, retry_after=patience)


def test_who_comes_back_when_the_time_is_over_is_welcome() -> None:
    history = record(opened(1.0, 1), refused(5.0, 10.0), refused(15.0, 10.0), opened(25.0, 2))
    assert came_too_soon(history) is None


@pytest.mark.parametrize("again", [refused(14.0, 10.0), opened(14.0, 2)])
def test_who_comes_back_before_is_told_when_and_by_how_much(again: peer.PeerEvent) -> None:
    assert came_too_soon(record(refused(5.0, 10.0), again)) == (
        "asked again on output at 14.0 s, 1.0 s before the time it was told"
    )


def test_a_refusal_that_asks_for_nothing_and_one_on_another_link_are_no_matter() -> None:
    assert came_too_soon(record(refused(5.0), refused(5.2), opened(5.4, 1))) is None
    assert came_too_soon(record(refused(5.0, 10.0, link="input"), refused(5.2))) is None


def test_a_client_that_reports_nothing_is_held_to_it_too() -> None:
    history = record(opened(1.0, 1), refused(5.0, 10.0), opened(6.0, 2), role="relay")
    check = polite_as_seen(PeerFacts(history, ()), scenario())
    assert check is not None
    assert check.verdict == "fail"
