"""A long trace in parts: where it is cut, what is told of it, and what is counted."""

import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from chaos.diagnosis.inference import diagnose
from chaos.replay.cases import understand
from chaos.replay.story import MOST_LINES, Story
from chaos.timeline.observed import Observed
from chaos.timeline.parts import LONG, MOST_CHANGES, QUIET, WITHOUT_QUIET, observe_parts
from chaos.traces.reading import open_trace
from tests.chaos.stories import closed, connected, gave_up, pinged, stopped, trace, unanswered
from tracker import events as e

DATA = Path(__file__).parents[1] / "data"


def told(found: Iterable[e.AnyEvent]) -> tuple[list[Observed], Story]:
    seen = list(observe_parts(found))
    story = Story()
    for part in seen:
        story.add(part, diagnose(part), last=part is seen[-1])
    return seen, story


def quiet(begin: float, end: float, number: int = 1) -> Iterator[e.AnyEvent]:
    return pinged(begin, end, every=1, first=number * 100_000)


def dropped(t: float, number: int) -> list[e.AnyEvent]:
    """A connection that the peer closes at `t`, and the next one."""
    return [*closed(t, code=1001, by="peer", number=number), *connected(t + 1, number=number + 1)]


def test_a_quiet_trace_is_cut_into_parts_of_ten_minutes() -> None:
    seen, story = told(trace(connected(0), quiet(0.1, 3 * LONG)))
    assert [round(part.began) for part in seen] == pytest.approx([0, LONG, 2 * LONG], abs=2)
    assert [line.text for line in story.lines] == [
        "output connected in 10 ms",
        "the trace ends here without an orderly stop",
    ]


def test_no_part_ends_in_trouble_nor_soon_after() -> None:
    silent = (unanswered(LONG - 2, LONG + 1.6), gave_up(LONG + 1.6))
    again = (connected(LONG + 9, number=2), quiet(LONG + 9.1, 2 * LONG, 2))
    (first, second) = told(trace(connected(0), quiet(0.1, LONG - 2), *silent, *again))[0]
    assert first.ended == pytest.approx(LONG + 9 + QUIET, abs=1.1)
    assert len(first.link("output").connections) == 2
    assert second.link("output").open is not None


def test_a_part_without_calm_ends_when_all_is_well() -> None:
    ends = [
        part
        for n in range(40)
        for part in (dropped(100.0 * n + 90, n + 1), quiet(100 * n + 92, 100 * n + 190, n + 2))
    ]
    first = told(trace(connected(0), quiet(0.1, 90), *ends))[0][0]
    assert first.ended == pytest.approx(WITHOUT_QUIET + 2, abs=3)
    assert first.link("output").open is not None


def test_a_part_that_has_too_much_to_hold_ends_all_the_same() -> None:
    flapping = [
        event
        for n in range(MOST_CHANGES)
        for event in (*connected(n / 10, number=n), *closed(n / 10 + 0.05, number=n))
    ]
    assert [len(part.link("output").changes) for part in observe_parts(flapping)] == [
        MOST_CHANGES,
        MOST_CHANGES,
    ]


def test_connections_that_go_on_are_counted_once() -> None:
    _, story = told(
        trace(connected(0), quiet(0.1, 700), dropped(700, 1), quiet(701.1, 3000, 2), stopped(3001))
    )
    assert story.parts > 2
    assert dict(story.figures)["output"].startswith("2 connections, 2999 round trips")


def test_a_page_is_enough_for_a_year() -> None:
    ends = [
        part
        for n in range(60)
        for part in (dropped(50.0 + 1000 * n, n + 1), quiet(52 + 1000 * n, 1040 + 1000 * n, n + 2))
    ]
    _, story = told(trace(connected(0), quiet(0.1, 50), *ends))
    assert len(story.lines) == MOST_LINES + 1
    (left_out,) = [line.text for line in story.lines if line.text.startswith("...")]
    assert left_out == "... 22 more lines of this kind, 22 of them trouble ..."


def test_the_part_with_the_first_trouble_is_replayed_and_said(tmp_path: Path) -> None:
    header = (DATA / "trace-1.jsonl").read_bytes().splitlines(keepends=True)[0]
    found = trace(connected(0), quiet(0.1, 1500), dropped(1500, 1), quiet(1501.1, 4000, 2))
    (tmp_path / "site.trace").write_bytes(header + b"".join(_line(event) for event in found))
    case = understand(open_trace(tmp_path / "site.trace"), tmp_path)
    assert [fault.kind for fault, _ in case.made.faults] == ["close"]
    assert case.cut is not None
    assert case.cut.startswith("+20:0")
    assert "one of 7 parts: the first trouble is there" in case.cut
    assert understand(open_trace(tmp_path / "site.trace"), tmp_path, until=300).cut is None


def test_memory_does_not_grow_with_the_trace() -> None:
    def peak(seconds: float) -> int:
        tracemalloc.start()
        story = Story()
        before = None
        for part in observe_parts(_stream(seconds)):
            if before is not None:
                story.add(before, diagnose(before), last=False)
            before = part
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20 * LONG) < 1.2 * peak(4 * LONG)


def _stream(seconds: float) -> Iterator[e.AnyEvent]:
    yield from connected(0)
    yield from quiet(0.1, seconds)


def _line(event: e.AnyEvent) -> bytes:
    return msgspec.json.encode(event) + b"\n"
