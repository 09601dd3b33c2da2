"""Two diagnoses side by side."""

from dataclasses import replace

import pytest

from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.replay.same_findings import FindingRow, compare_findings, on_clock

STALL = Finding("stall", 10.0, 30.0, "silence", on="output")
LATENCY = Finding("latency", 8.0, 12.0, "longer", on="output")


def matched(field: Finding, replay: Finding, *, until: float = 60.0) -> list[bool]:
    return [row.matched for row in compare_findings([field], [replay], until=until)]


@pytest.mark.parametrize(
    "other",
    [
        replace(STALL, kind="down"),
        replace(STALL, on="input"),
        replace(STALL, direction="upstream"),
        replace(STALL, begin=12.5),
        replace(STALL, end=33.0),
        replace(STALL, end=None),
    ],
)
def test_another_kind_link_direction_or_time_is_another_finding(other: Finding) -> None:
    assert matched(STALL, STALL) == [True]
    assert matched(STALL, other) == [False, False]


def test_the_longer_it_lasted_the_farther_apart_its_times_may_be() -> None:
    assert matched(STALL, replace(STALL, begin=11.9)) == [True]
    assert matched(LATENCY, replace(LATENCY, begin=9.9)) == [False, False]


def test_what_lasts_to_the_end_of_the_field_s_trace_may_go_on_in_the_replay() -> None:
    assert matched(replace(STALL, end=None), replace(STALL, end=61.0)) == [True]


def test_what_the_replay_shows_after_the_field_s_end_has_nothing_to_be_compared_with() -> None:
    assert matched(STALL, replace(STALL, begin=70.0, end=None)) == [False]


def test_the_steps_of_a_latency_are_one_finding() -> None:
    steps = [LATENCY, replace(LATENCY, begin=12.2, end=20.0), replace(LATENCY, begin=20.0, end=32.0)]
    (joined,) = on_clock(Diagnosis(tuple(steps), ()), zero=0.0)
    assert (joined.begin, joined.end) == (8.0, 32.0)
    apart = [LATENCY, replace(LATENCY, begin=15.0, end=20.0)]
    assert len(on_clock(Diagnosis(tuple(apart), ()), zero=0.0)) == 2


def test_two_resets_in_a_row_are_two() -> None:
    closes = [Finding("close", t, t, "1001", on="output") for t in (10.0, 10.5)]
    assert len(on_clock(Diagnosis(tuple(closes), ()), zero=0.0)) == 2


def test_what_is_too_short_to_be_told_from_nothing_counts_only_where_it_ends_connections() -> None:
    short = Finding("block_loop", 10.0, 10.5, "late")
    rows = [
        FindingRow(found, None)
        for found in (
            short,
            replace(short, end=11.5),
            Finding("down", 10.0, 10.05, "ended"),
            Finding("close", 10.0, 10.0, "1001"),
        )
    ]
    assert [row.counts for row in rows] == [False, True, True, True]
    assert FindingRow(short, short).counts


def test_both_sides_are_put_on_the_scenario_s_clock() -> None:
    (moved,) = on_clock(Diagnosis((STALL,), ()), zero=7.0)
    assert (moved.begin, moved.end) == (3.0, 23.0)


def test_a_standing_echo_is_a_finding() -> None:
    (echo,) = on_clock(Diagnosis((), (), echo=True), zero=0.0)
    assert (echo.kind, echo.on, echo.from_start) == ("echo", "output", True)
