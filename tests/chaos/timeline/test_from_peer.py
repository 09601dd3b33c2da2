"""What a peer saw, in a tracker's words."""

from chaos.history import Reached
from chaos.timeline.from_peer import as_reported
from simulator import events as peer
from tracker import events


def test_a_handshake_is_an_attempt_that_came_to_a_connection() -> None:
    assert list(as_reported(peer.Opened(t=1.0, link="input", connection=3))) == [
        events.Connecting(t=1.0, link="input", attempt=1),
        events.Connected(t=1.0, link="input", connection=3, took=0.0),
    ]


def test_an_end_keeps_its_code_and_says_who_ended_it() -> None:
    ended = peer.Ended(t=2.0, link="output", connection=4, code=1001, by="client", why="bye")
    (closed,) = as_reported(ended)
    assert closed == events.Closed(t=2.0, link="output", connection=4, code=1001, by="tracker", why="bye")


def test_the_stop_of_a_run_is_the_client_s_and_other_phases_are_nothing() -> None:
    assert [type(event) for event in as_reported(Reached(t=9.0, phase="stopping"))] == [events.Stopping]
    assert list(as_reported(Reached(t=9.0, phase="steady"))) == []


def test_what_is_of_no_connection_means_nothing_for_one() -> None:
    assert list(as_reported(peer.Offered(t=1.0, sequence=1, connection=1))) == []
