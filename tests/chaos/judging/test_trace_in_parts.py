"""A long trace judged in parts comes to what it comes to as a whole."""

from typing import Any

import msgspec

from chaos.history import HistoryEvent
from chaos.judging.field_checks import field_measures, judge_field, merged, merged_measures
from chaos.judging.verdicts import Judgement
from chaos.timeline.parts import Part, parts
from tests.chaos.histories import accepted, closed, connected, record, sent, stopped, stopping
from tracker import events
from tracker.config import TrackerConfig

SETTINGS = msgspec.to_builtins(TrackerConfig("ws://a", "ws://b"))


def a_day(*, twice: bool = False) -> tuple[HistoryEvent, ...]:
    """An output a minute, each confirmed at once; with `twice`, one in the middle is sent again."""
    found: list[Any] = [connected(0.1)]
    for n in range(1, 101):
        found += [
            accepted(n, every=60),
            sent(n, every=60),
            *([sent(n, every=60)] if twice and n == 50 else []),
        ]
        found.append(events.Confirmed(t=60 * n + 0.3, count=1, left=0))
    found += [stopping(6010.0), closed(6010.1, "tracker", code=1001), stopped(6010.2)]
    return record(*found).events


def judged(cut: list[Part]) -> tuple[Judgement, dict[str, Any]]:
    histories = [record(list(part.events), settings=SETTINGS) for part in cut]
    measures = [field_measures(history) for history in histories]
    carried = sum(part.carried for part in cut)
    return (
        merged([judge_field(history) for history in histories]),
        merged_measures(measures, carried=carried),
    )


def test_verdicts_and_figures_are_those_of_the_whole() -> None:
    for twice in (False, True):
        day = a_day(twice=twice)
        cut = list(parts(day))
        whole, figures = judged([Part(day)])
        in_parts, their_figures = judged(cut)
        assert len(cut) > 5
        assert their_figures == figures
        assert {c.name: c.verdict for c in in_parts.checks} == {c.name: c.verdict for c in whole.checks}
        assert in_parts.verdict == whole.verdict == ("fail" if twice else "pass")


def test_a_part_ends_where_nothing_waits_for_a_confirm() -> None:
    for part in list(parts(a_day()))[:-1]:
        assert isinstance(part.events[-1], events.Confirmed)


def test_a_part_with_too_many_events_ends_all_the_same() -> None:
    waiting = (connected(0.1), *accepted(*range(1, 40), every=0.1))
    assert [len(part.events) - part.carried for part in parts(waiting, most=20)] == [20, 19, 1]


def test_every_event_is_in_one_part() -> None:
    day = a_day()
    assert tuple(event for part in parts(day) for event in part.events[part.carried :]) == day


def test_the_worst_part_is_told_and_how_many_are_like_it() -> None:
    (check,) = [c for c in judged(list(parts(a_day(twice=True))))[0].checks if c.name == "dedup-safe"]
    assert check.verdict == "fail"
    assert check.observed == (
        "1 were sent twice over one connection (in 1 of 1 parts of the trace; this is the first)"
    )


def test_a_trace_without_an_event_is_one_part() -> None:
    assert [part.events for part in parts([])] == [()]
