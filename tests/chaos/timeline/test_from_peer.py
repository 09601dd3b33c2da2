"""A client's connections as its peer saw them."""

from chaos.history import Reached
from chaos.timeline.from_peer import observe_as_peer
from chaos.timeline.observed import Change, Closed
from simulator import events as peer
from tests.chaos.histories import ended, offered, opened


def test_a_handshake_is_an_attempt_that_came_to_a_connection() -> None:
    record = observe_as_peer([opened(1.0, 3, "input")]).link("input")
    assert [(a.began, a.ended, a.outcome) for a in record.attempts] == [(1.0, 1.0, "connected")]
    assert [(c.link, c.number, c.opened, c.closed) for c in record.connections] == [("input", 3, 1.0, None)]


def test_an_end_keeps_its_code_and_says_who_ended_it() -> None:
    seen = observe_as_peer([opened(1.0, 4), ended(2.0, number=4, code=1001, why="bye")])
    assert seen.link("output").connections[0].closed == Closed(2.0, 1001, "client", "bye")
    assert [change.kind for change in seen.link("output").changes] == [Change.CONNECTED, Change.CLOSED]


def test_an_old_connection_may_end_after_the_next_one_opened() -> None:
    seen = observe_as_peer([opened(1.0, 1), opened(2.0, 2), ended(3.0, "network", number=1)])
    assert [c.closed is None for c in seen.link("output").connections] == [False, True]


def test_what_ends_after_the_stop_was_open_at_the_stop() -> None:
    stop = Reached(t=9.0, phase="stopping")
    seen = observe_as_peer([opened(1.0, 1), Reached(t=2.0, phase="steady"), stop, ended(9.1)])
    assert (seen.stopping, seen.ended) == (9.0, 9.0)
    assert seen.link("output").open is not None


def test_what_is_of_no_connection_means_nothing_for_one() -> None:
    seen = observe_as_peer([*offered(1), peer.Misbehaved(t=1.0, kind="refuse", link="input")])
    assert not seen.links
