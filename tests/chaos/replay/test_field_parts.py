"""A long trace judged in parts comes to what it comes to as a whole."""

from typing import Any

import msgspec

from chaos.history import HistoryEvent
from chaos.judging.field_checks import field_measures, judge_field
from chaos.judging.verdicts import Judgement
from chaos.replay.field_parts import merged, merged_measures, parts
from tests.chaos.histories import accepted, closed, connected, record, sent, stopped, stopping
from tracker import events
from tracker.config import TrackerConfig

SETTINGS = msgspec.to_builtins(TrackerConfig("ws://a", "ws://b"))


def a_day(*, twice: bool = False) -> tuple[HistoryEvent, ...]:
    """Outputs, each confirmed at once; with `twice`, one in the middle is sent again."""
    found: list[Any] = [connected(0.1)]
    for n in range(1, 41):
        found += [accepted(n), sent(n), *([sent(n)] if twice and n == 20 else [])]
        found.append(events.Confirmed(t=n + 0.3, count=1, left=0))
    found += [stopping(50.0), closed(50.1, "tracker", code=1001), stopped(50.2)]
    return record(*found).events


def judged(found: tuple[HistoryEvent, ...], *, most: int) -> tuple[Judgement, dict[str, Any], int]:
    cut = list(parts(found, most=most))
    histories = [record(list(part.events), settings=SETTINGS) for part in cut]
    measures = [field_measures(history) for history in histories]
    carried = sum(part.carried for part in cut)
    return (
        merged([judge_field(history) for history in histories]),
        merged_measures(measures, carried=carried),
        len(cut),
    )


def test_verdicts_and_figures_are_those_of_the_whole() -> None:
    for twice in (False, True):
        whole, figures, _ = judged(a_day(twice=twice), most=10_000)
        in_parts, their_figures, number = judged(a_day(twice=twice), most=10)
        assert number > 5
        assert their_figures == figures
        assert {c.name: c.verdict for c in in_parts.checks} == {c.name: c.verdict for c in whole.checks}
        assert in_parts.verdict == whole.verdict == ("fail" if twice else "pass")


def test_a_part_ends_where_nothing_waits_for_a_confirm() -> None:
    for part in list(parts(a_day(), most=10))[:-1]:
        assert isinstance(part.events[-1], events.Confirmed)


def test_the_worst_part_is_told_and_how_many_are_like_it() -> None:
    (check,) = [c for c in judged(a_day(twice=True), most=10)[0].checks if c.name == "dedup-safe"]
    assert check.verdict == "fail"
    assert check.observed == (
        "1 were sent twice over one connection (in 1 of 1 parts of the trace; this is the first)"
    )


def test_a_trace_without_an_event_is_one_part() -> None:
    assert [part.events for part in parts([])] == [()]
