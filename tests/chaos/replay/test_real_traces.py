"""What the tracker wrote when the mock server stood still for 10 s, or was killed for 5 s: traces of real processes."""

import pytest

from chaos.replay.cases import Pass, read_through
from chaos.traces.reading import open_trace
from tests.chaos.real_logs.kinds import DATA


def evening(what: str, *, since: float | None = None) -> Pass:
    return read_through(open_trace(DATA / f"evening-{what}-tracker.jsonl.gz"), since=since)


def texts(what: str, *, since: float | None = None) -> list[str]:
    return [line.text for line in evening(what, since=since).story.lines]


def test_a_server_that_stood_still_is_told_once_and_until_something_was_heard_again() -> None:
    (text,) = texts("frozen")[1:-1]
    assert text == (
        "the server's process stood still for 10.0 s: its port still accepted, nothing answered; input and output given up"
        " after 3.8 s and 4.5 s; then both links connected again in the same moment"
    )


def test_a_server_that_was_killed_is_told_once() -> None:
    (text,) = texts("killed")[1:-1]
    assert text == (
        "input and output: stream ended without a close frame on both in the same moment; then 8 times Connection refused;"
        " connected again after 13.0 s and 11.6 s"
    )


def test_both_silences_have_the_one_reason() -> None:
    findings = evening("frozen").diagnosis.findings
    assert [(f.kind, f.on, f.certainty) for f in findings] == [
        ("stall", "input", "likely"),
        ("stall", "output", "likely"),
    ]
    assert len({f.why for f in findings}) == 1


@pytest.mark.parametrize("since", [5.0, 18.0])
def test_a_part_of_a_trace_tells_no_begin_of_what_was_open_before(since: float) -> None:
    first, second, *_ = texts("frozen", since=since)
    assert first == "input and output open already, before what is told here"
    assert second.startswith("the server's process stood still for ")


def test_a_freeze_says_nothing_of_who_was_in_the_picture() -> None:
    read = evening("frozen")
    said = [*(line.text for line in read.story.lines), *read.diagnosis.unknown]
    assert not [text for text in said if "in the picture" in text]
