"""One late Pong is no latency all along, and a freeze says nothing of who was in the picture."""

from chaos.diagnosis.delay_findings import delays, usual_trip
from chaos.diagnosis.findings import Finding
from chaos.diagnosis.inference import explains_gap
from chaos.timeline.observed import Connection, Gap, Observed


def with_one_late_pong() -> Observed:
    seen = Observed(began=0.0, ended=40.0)
    record = seen.link("output")
    record.connections.append(Connection("output", 1, 0.03, 0.03))
    record.sent.append(20.0)
    record.trips.append(5.0)
    return seen


def test_a_handshake_that_was_quick_says_what_is_usual() -> None:
    assert usual_trip(with_one_late_pong().link("output")) == 0.03


def test_one_late_pong_is_a_stall_and_no_latency_all_along() -> None:
    assert [f.kind for f in delays(with_one_late_pong(), "output")] == ["stall"]


def test_a_gap_that_a_stall_explains_says_nothing_of_the_picture() -> None:
    stall = Finding("stall", 9.0, 14.0, "no Pong", on="output")
    assert explains_gap(Gap(10.0, 13.0), [stall])
    assert not explains_gap(Gap(20.0, 23.0), [stall])
