"""What slows a link without ending its connection, told apart by when its Pongs come and how its confirms flow."""

from collections.abc import Iterable, Iterator

import pytest

from chaos.diagnosis.findings import Finding
from chaos.diagnosis.inference import diagnose
from chaos.timeline.from_events import observe
from tests.chaos.stories import Parts, closed, connected, pinged, trace
from tracker import events as e


def found(*parts: Parts) -> tuple[Finding, ...]:
    return diagnose(observe(trace(*parts))).findings


def answered_late(begin: float, end: float, *, by: float, healed: float, first: int) -> Iterator[e.AnyEvent]:
    """Pings of a link that delays Pongs `by` so many seconds, and lets go at `healed` of all that it holds."""
    for n in range(round((end - begin) / 0.2)):
        t = begin + n * 0.2
        came = min(t + by, max(t, healed))
        yield e.Probed(t=t, link="output", number=first + n)
        yield e.Answered(t=came, link="output", number=first + n, rtt=came - t)


def confirmed(times: Iterable[float], *, until: float) -> Iterator[e.AnyEvent]:
    """Thirty outputs a second up to `until`, confirmed one by one at these times."""
    accepted = [n / 30 for n in range(round(until * 30))]
    for seq, t in enumerate(accepted, start=1):
        yield e.Accepted(t=t, seq=seq, size=5700)
    for done, t in enumerate(times, start=1):
        left = sum(a <= t for a in accepted) - done
        yield e.Confirmed(t=t, count=1, left=left)


def test_confirms_that_pause_once_and_then_come_at_the_full_rate_are_a_latency() -> None:
    late = [n / 30 + (0.01 if n < 300 else 2.4 + (n - 300) / 1000) for n in range(450)]
    slow = pinged(10, 15, rtt=2.4, first=100)
    (finding,) = found(connected(0), pinged(0.1, 10), slow, confirmed(late, until=15))
    assert (finding.kind, finding.attributes["latency"]) == ("latency", pytest.approx(1195, abs=5))


def test_confirms_that_stay_below_what_there_is_to_send_are_a_narrow_link() -> None:
    slow = [n / 30 + 0.01 for n in range(300)] + [10 + n / 18 for n in range(180)]
    growing = [
        event
        for n in range(50)
        for event in (
            e.Probed(t=10 + n / 5, link="output", number=100 + n),
            e.Answered(t=10.3 + n / 4, link="output", number=100 + n, rtt=0.3 + n / 20),
        )
    ]
    (finding,) = found(connected(0), pinged(0.1, 10), growing, confirmed(slow, until=20))
    assert (finding.kind, finding.direction) == ("bandwidth", "upstream")
    assert finding.attributes["rate"] == pytest.approx(103, abs=3)  # 18 outputs of 5.7 KB a second


def test_one_latency_that_is_over_before_the_next_begins_is_two() -> None:
    first = answered_late(5, 10, by=0.6, healed=10, first=100)
    second = answered_late(10.01, 15, by=1.4, healed=15, first=200)
    one, other = found(connected(0), pinged(0.1, 5), first, second, pinged(15.1, 20, first=300))
    assert (one.end, other.begin) == (pytest.approx(10, abs=0.02), pytest.approx(10, abs=0.02))
    assert (one.attributes["latency"], other.attributes["latency"]) == (295, 695)


def test_a_latency_begins_no_earlier_than_its_connection() -> None:
    (end, slow) = found(
        connected(0),
        pinged(0.1, 10),
        closed(10, code=1001, by="peer"),
        connected(20, number=2),
        pinged(20.1, 30, rtt=0.4, first=200),
        pinged(30.5, 40, first=300),
    )
    assert (end.kind, slow.kind) == ("close", "latency")
    assert slow.begin == pytest.approx(20.1)


def test_a_handshake_that_was_slow_once_says_nothing_of_a_later_connection() -> None:
    findings = found(
        connected(2, took=2),
        pinged(2.1, 10),
        closed(10, code=1001, by="peer"),
        connected(20, number=2),
        pinged(20.1, 30, rtt=0.4, first=200),
        pinged(30.5, 40, first=300),
    )
    assert not any(finding.from_start for finding in findings if finding.kind == "latency")


def test_what_nobody_would_notice_is_no_finding() -> None:
    slow = pinged(10, 10.4, rtt=0.07, first=100)
    assert found(connected(0), pinged(0.1, 10), slow, pinged(10.4, 20, first=200)) == ()


def test_one_pong_that_came_a_little_late_is_no_stall() -> None:
    late = pinged(10, 10.2, rtt=0.2, first=100)
    assert found(connected(0), pinged(0.1, 10), late, pinged(11, 20, first=200)) == ()


def test_a_latency_lasts_on_while_what_connects_as_slowly_is_cut_before_a_first_pong() -> None:
    """The wire was slow for all of it, though no Pong came any more that could say so."""
    findings = found(
        connected(0),
        pinged(0.1, 6),
        pinged(6, 10, rtt=0.6, first=100),
        closed(10.2),
        connected(11, number=2, took=0.6),
        closed(11.3, number=2),
        connected(15, number=3, took=0.01),
        pinged(15.1, 20, first=200),
    )
    (latency,) = (finding for finding in findings if finding.kind == "latency")
    assert latency.end == 11.3
