"""A client that ends by itself: rightly, where the scenario says so and for that reason; else not."""

from typing import Any

import pytest

from chaos.history import Reached, Role
from chaos.judging.checks import valid_run
from chaos.judging.verdicts import Check
from tests.chaos.histories import STEADY, broke, record, scenario, stopped
from tracker import events
from tracker.events import StopCause


def judged(
    cause: StopCause, expected: StopCause | None, *, at: float = 20.0, role: Role = "tracker"
) -> Check:
    """The client stops at 20 s; a client that did so before it was asked is told of as broken."""
    stopping = events.Stopping(t=at, why="why", left=3, cause=cause)
    early: list[Any] = [] if cause == "asked" else [broke("client", t=at + 0.5)]
    history = record(STEADY, stopping, stopped(at + 0.4), early, Reached(t=30.0, phase="stopping"), role=role)
    return valid_run(history, scenario(stresses=["bounded"], ends=expected))


@pytest.mark.parametrize("cause", ["stop-control", "outbox-full"])
def test_an_end_of_the_kind_that_is_expected_passes_and_says_why(cause: StopCause) -> None:
    check = judged(cause, cause)
    assert (check.verdict, check.observed) == ("pass", "steady after 1.0 s, stopped at 20.0 s: why")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("outbox-full", None),
        ("stop-control", None),
        ("asked", "outbox-full"),
        ("asked", "stop-control"),
        ("refused", "outbox-full"),
        ("outbox-full", "stop-control"),
    ],
)
def test_an_end_that_nobody_expects_or_one_that_does_not_come_fails(
    cause: StopCause, expected: StopCause | None
) -> None:
    assert judged(cause, expected).verdict == "fail"


def test_a_client_that_broke_before_its_expected_end_failed() -> None:
    stopping = events.Stopping(t=20.0, why="why", left=3, cause="outbox-full")
    history = record(STEADY, broke("client", t=10.0), stopping, stopped(20.5))
    assert valid_run(history, scenario(ends="outbox-full")).verdict == "fail"


def test_a_client_that_reports_nothing_has_no_end_of_its_own() -> None:
    history = record(STEADY, Reached(t=30.0, phase="stopping"), role="relay")
    assert valid_run(history, scenario(ends="outbox-full")).verdict == "pass"
    broken = record(STEADY, broke("client", t=10.0), Reached(t=30.0, phase="stopping"), role="relay")
    assert valid_run(broken, scenario(ends="outbox-full")).verdict == "fail"
