"""What went wrong on a link, and what it costs to find that out."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from chaos.diagnosis.inference import diagnose
from chaos.diagnosis.symptoms import Kind, outages
from chaos.replay.alignment import entries
from chaos.timeline.from_events import observe
from chaos.timeline.observed import Observed
from tests.chaos.stories import closed, connected, gave_up, pinged, refused, trace, unanswered
from tracker import events as e


def steps(work: Callable[[], object]) -> int:
    """How many instructions the interpreter carries out for it; loops inside of expressions count too."""
    count = 0

    def trace_it(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace_it

    before = sys.gettrace()
    sys.settrace(trace_it)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def many(connections: int) -> Observed:
    """Each is pinged once, and ended by one of four things."""
    parts: list[list[e.AnyEvent]] = []
    for n in range(1, connections + 1):
        t = 10.0 * n
        for link in ("input", "output"):
            ends = (
                closed(t + 5, link, number=n),
                closed(t + 5, link, code=1012, by="peer", number=n),
                gave_up(t + 8, link, number=n),
                closed(t + 0.1, link, code=1013, by="peer", number=n),
            )
            parts += [
                list(connected(t, link, n)),
                list(pinged(t + 0.02, t + 0.22, link, first=n)),
                list(ends[n % 4]),
                list(refused(t + 9, link)),
            ]
    return observe(trace(*parts))


@pytest.mark.parametrize(
    "work",
    [
        lambda seen: outages(seen, "output"),
        diagnose,
        lambda seen: entries(seen, zero=0.0, until=seen.ended),
    ],
    ids=["outages", "diagnosis", "entries"],
)
def test_twice_as_many_connections_are_twice_the_work(work: Callable[[Observed], object]) -> None:
    few, twice = many(60), many(120)
    assert steps(lambda: work(twice)) < 2.2 * steps(lambda: work(few))


WORDS = {
    "[Errno 111] Connect call failed ('127.0.0.1', 8765)": Kind.NOBODY_THERE,
    "Multiple exceptions: [Errno 111] Connect call failed": Kind.NOBODY_THERE,
    "[Errno -2] Name or service not known": Kind.NOBODY_THERE,
    "did not receive a valid HTTP response": Kind.BROKEN_OFF,
}


@pytest.mark.parametrize(("why", "kind"), WORDS.items())
def test_a_quick_failure_is_known_by_its_exception(why: str, kind: Kind) -> None:
    (outage,) = outages(observe(trace(refused(0.1, why=why), connected(3))), "output")
    assert [symptom.kind for symptom in outage.symptoms] == [kind]


@pytest.mark.parametrize(
    ("why", "broken_off"),
    [("timed out during opening handshake", False), ("TimeoutError", False), ("no valid response", True)],
)
def test_a_handshake_that_hung_timed_out_or_was_broken_off(why: str, *, broken_off: bool) -> None:
    (outage,) = outages(observe(trace(refused(6, took=5, why=why), connected(7))), "output")
    (symptom,) = outage.symptoms
    assert (symptom.kind, symptom.broken_off) == (Kind.HUNG, broken_off)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (e.DeathCause.UNANSWERED, Kind.NO_PONGS),
        (e.DeathCause.WRITES_STUCK, Kind.NOTHING_TAKEN),
        ("a reason of another program's", Kind.NO_PONGS),
    ],
)
def test_a_connection_that_never_answered_is_known_by_what_it_lacked(cause: str, kind: Kind) -> None:
    died = [e.Died(t=3.7, link="output", connection=1, cause=cause, silence=3.6)]
    ended = closed(3.7, code=1006, by="tracker")
    (outage,) = outages(observe(trace(connected(0), unanswered(0.1, 3.5), died, ended)), "output")
    assert [symptom.kind for symptom in outage.symptoms] == [kind]
