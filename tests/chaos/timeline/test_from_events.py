"""A tracker's events taken in: typed causes, connections by their numbers, and the stop."""

import pytest

from chaos.diagnosis.symptoms import Kind, outages
from chaos.timeline.from_events import links_of, observe
from chaos.timeline.observed import Attempt, Connection
from tests.chaos.histories import closed, connected, stopping
from tracker import events
from tracker.events import RefusalCause, StreamEnd


def attempt(why: str, cause: RefusalCause | None = None) -> Attempt:
    begun = events.Connecting(t=1.0, link="output", attempt=1)
    refused = events.Refused(t=1.1, link="output", why=why, cause=cause)
    return observe([begun, refused]).link("output").attempts[0]


def cut(why: str, end: StreamEnd | None = None) -> Connection:
    over = events.Closed(t=9.0, link="output", connection=1, code=1006, by="network", why=why, stream_end=end)
    return observe([connected(1.0), over]).link("output").connections[0]


@pytest.mark.parametrize("cause", RefusalCause)
def test_the_typed_cause_of_a_refusal_counts_whatever_its_words(cause: RefusalCause) -> None:
    assert attempt("connection refused, timed out", cause).cause is cause


def test_a_refusal_of_an_older_trace_is_told_by_its_words() -> None:
    found = [attempt(why).cause for why in ("[Errno 111] x", "timed out", "the peer said something odd")]
    assert found == [RefusalCause.NOBODY_THERE, RefusalCause.TIMED_OUT, RefusalCause.BROKEN_OFF]


def test_how_a_stream_ended_is_typed_and_of_an_older_trace_told_by_its_words() -> None:
    found = [
        cut("reset", StreamEnd.ENDED),
        cut("over", StreamEnd.RESET),
        cut("Connection reset"),
        cut("over"),
    ]
    assert [connection.closed and connection.closed.stream_end for connection in found] == [
        *(StreamEnd.ENDED, StreamEnd.RESET),
        *(StreamEnd.RESET, StreamEnd.ENDED),
    ]


def test_rewording_why_changes_no_diagnosis() -> None:
    def kinds(why: str, cut_why: str) -> list[Kind]:
        seen = observe(
            [
                connected(1.0),
                events.Answered(t=1.5, link="output", number=1, rtt=0.01),
                events.Closed(
                    t=9.0,
                    link="output",
                    connection=1,
                    code=1006,
                    by="network",
                    why=cut_why,
                    stream_end=StreamEnd.RESET,
                ),
                events.Connecting(t=9.5, link="output", attempt=1),
                events.Refused(t=9.6, link="output", why=why, cause=RefusalCause.NOBODY_THERE),
            ]
        )
        return [symptom.kind for outage in outages(seen, "output") for symptom in outage.symptoms]

    assert kinds("connection refused", "connection reset") == [Kind.STREAM_RESET, Kind.NOBODY_THERE]
    assert kinds("es war niemand da", "aus") == [Kind.STREAM_RESET, Kind.NOBODY_THERE]


def test_an_end_is_that_of_the_connection_with_its_number() -> None:
    found = observe([connected(1.0, 1), connected(2.0, 2), closed(3.0, number=1)]).link("output").connections
    assert [connection.closed is None for connection in found] == [False, True]


def test_what_was_there_before_the_trace_began_may_have_any_number() -> None:
    found = observe([events.Probed(t=1.0, link="output", number=5), closed(3.0, number=7)])
    (connection,) = found.link("output").connections
    assert (connection.opened, connection.closed and connection.closed.t) == (1.0, 3.0)


def test_of_the_links_up_to_the_stop_what_ends_then_is_open() -> None:
    links = links_of([connected(1.0), stopping(5.0), closed(5.0, "tracker", code=1001)])
    assert links["output"].open is not None
