"""A log whose newest lines come first, as log stores list them, is no log to read."""

from pathlib import Path

import pytest

from chaos.traces.reading import TraceError, open_trace
from tests.chaos.logs import Log

DAY = Log().opens(0).gets(1).sends(2).pings(20, "01 02").ends(30).text().splitlines()


def test_a_log_with_its_newest_lines_first_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(reversed(DAY)))
    with pytest.raises(TraceError, match="its newest lines come first: put the oldest first"):
        open_trace(tmp_path / "log")


def test_so_is_one_of_exceptions_alone(tmp_path: Path) -> None:
    lines = [
        f"2026-05-11 06:{minute}:00 ERROR websockets.exceptions.ConnectionClosedError: no close frame received or sent"
        for minute in range(40, 30, -2)
    ]
    (tmp_path / "log").write_text("\n".join(lines))
    with pytest.raises(TraceError, match="newest lines come first"):
        open_trace(tmp_path / "log")
    (tmp_path / "log").write_text("\n".join(reversed(lines)))
    open_trace(tmp_path / "log")


def test_a_clock_that_was_set_back_once_or_twice_is_told_and_not_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join([*DAY, *DAY, *DAY]))
    trace = open_trace(tmp_path / "log")
    assert list(trace.entries())
    assert any("times go back" in said for said in trace.problems)
