from tracker.events import Carried
from tracker.meter import Meter


def test_a_report_covers_what_came_since_the_one_before() -> None:
    meter = Meter("output", 3)
    meter.messages, meter.unasked = 4, 1
    first = meter.report(1.0, received=100, flushed=50, buffered=7)
    meter.messages = 9
    second = meter.report(2.0, received=130, flushed=50, buffered=9)
    assert first == Carried(
        t=1.0, link="output", connection=3, received=100, sent=50, buffered=7, messages=4, unasked=1
    )
    assert second == Carried(t=2.0, link="output", connection=3, received=30, buffered=9, messages=5)


def test_time_without_reading_is_reported_while_it_lasts_and_once_only() -> None:
    meter = Meter("input", 1)
    meter.hold(0.5)
    assert meter.report(1.0, received=0, flushed=0, buffered=0).held == 0.5
    meter.resume(1.25)
    assert meter.report(2.0, received=0, flushed=0, buffered=0).held == 0.25
    assert meter.report(3.0, received=0, flushed=0, buffered=0).held == 0.0


def test_bytes_that_seem_to_return_to_the_buffer_are_not_taken_back() -> None:
    # The library answers Pings into the same buffer, and those bytes were never handed over by us.
    meter = Meter("output", 1)
    meter.report(1.0, received=0, flushed=100, buffered=0)
    assert meter.report(2.0, received=0, flushed=90, buffered=10).sent == 0
    assert meter.report(3.0, received=0, flushed=120, buffered=0).sent == 20
