"""What the peer did beside answering: it talks, it sends back, it says goodbye and lets its end wait."""

import pytest

from chaos.diagnosis.findings import Diagnosis
from chaos.diagnosis.inference import diagnose
from chaos.timeline.from_events import observe
from tests.chaos.stories import Parts, closed, connected, gave_up, outputs, pinged, trace, unanswered
from tracker import events as e


def told(*parts: Parts) -> Diagnosis:
    return diagnose(observe(trace(*parts)))


def came(begin: int, end: int, *, each: int) -> list[e.AnyEvent]:
    """Messages that nobody asked for, so many a second."""
    return [
        e.Carried(t=t, link="output", connection=1, received=99 * each, messages=each, unasked=each)
        for t in range(begin, end)
    ]


def healthy() -> tuple[Parts, ...]:
    return connected(0), pinged(0.1, 40), outputs(0.1, 40)


def test_a_peer_that_sends_back_for_a_while_echoes_for_a_while() -> None:
    diagnosis = told(*healthy(), came(10, 20, each=30))
    (finding,) = diagnosis.findings
    assert (finding.kind, finding.on, finding.begin, finding.end) == ("echo", "output", 9.5, 19.5)
    assert not diagnosis.echo


def test_a_peer_that_talks_of_its_own_accord_is_no_echo() -> None:
    diagnosis = told(*healthy(), came(10, 20, each=4))
    (finding,) = diagnosis.findings
    assert (finding.kind, finding.attributes) == ("garbage", {"kinds": ("unknown-type",)})
    assert not diagnosis.echo


def test_a_peer_that_gets_nothing_sends_nothing_back_whatever_it_says() -> None:
    deaf = (connected(0), pinged(0.1, 10), outputs(0.1, 10), unanswered(10, 22), gave_up(22, silence=12.0))
    lost = outputs(10, 22, confirmed=False)
    kinds = [finding.kind for finding in told(*deaf, lost, came(11, 22, each=4)).findings]
    assert kinds == ["timeout", "garbage"]


def test_a_word_or_two_is_of_no_account() -> None:
    assert told(*healthy(), came(10, 12, each=1)).findings == ()


def test_a_goodbye_whose_end_comes_late_is_told_with_how_late() -> None:
    late = (connected(0), pinged(0.1, 10), unanswered(10, 12), closed(12, code=1001, by="peer"))
    slow, close = told(*late, connected(12.5, number=2), pinged(12.6, 20, first=3000)).findings
    assert (slow.kind, close.kind, close.attributes) == ("slow_close", "close", {"code": 1001})
    assert close.begin == pytest.approx(9.9, abs=0.15)
    assert slow.attributes["delay"] == pytest.approx(2100, abs=150)


def test_a_peer_that_gave_up_its_own_keepalive_had_heard_nothing_before() -> None:
    deaf = (connected(0), pinged(0.1, 10), unanswered(10, 12), closed(12, code=1011, by="peer"))
    (finding,) = told(*deaf, connected(12.5, number=2), pinged(12.6, 20, first=3000)).findings
    assert (finding.kind, finding.begin) == ("close", 12)
