"""A log cut anywhere, written twice, with other prefixes, or without times says nothing that the whole log contradicts."""

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.diagnosis.causes import HARMLESS, Cause
from chaos.diagnosis.endings import WITHOUT_CLOSE_FRAME, End, Ending
from chaos.diagnosis.explaining import Diagnosis
from chaos.diagnosis.telling import tell
from tests.chaos.logs import understood

DATA = Path(__file__).parents[1] / "data"
LOGS = sorted([*DATA.glob("real/*.log"), *DATA.glob("websockets-*.log")])
OF_THE_CUT = (*HARMLESS, Cause.PING_WAITS, Cause.LAST_LINES, Cause.CLOSES_TOLD)
"""What a cut itself brings about: the rest is not shown, or exceptions alone repeat what is not shown any more."""
STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")


@cache
def lines_of(log: Path) -> tuple[str, ...]:
    return tuple(log.read_text().splitlines())


@cache
def whole(log: Path) -> Diagnosis:
    return understood(log.read_text())


def understood_and_told(lines: list[str]) -> Diagnosis:
    """Told too, because words may fail where causes do not."""
    found = understood("\n".join(lines))
    assert tell(found).headline
    return found


def certain(found: Diagnosis) -> set[Cause]:
    return {f.cause for f in found.findings if f.confidence == "certain"} - set(OF_THE_CUT)


def ends(found: Diagnosis) -> list[tuple[str, End, int | None]]:
    return [(e.connection.path, e.what, e.code) for e in found.endings]


def agrees(part: Ending, of: Ending) -> bool:
    """Whether an end in a part of a log says the same as in the whole, or less."""
    if part.what in (End.OPEN, End.CLOSING, End.UNFINISHED, End.LAST_LINES) or part.what is of.what:
        return True
    return part.what in WITHOUT_CLOSE_FRAME and of.what in WITHOUT_CLOSE_FRAME


logs = st.sampled_from(LOGS)


@settings(deadline=None, max_examples=150)
@given(logs, st.data())
def test_a_log_that_is_cut_off_contradicts_nothing(log: Path, data: st.DataObject) -> None:
    lines = lines_of(log)
    cut = data.draw(st.integers(1, len(lines)))
    part = understood_and_told(list(lines[:cut]))
    assert certain(part) <= {f.cause for f in whole(log).findings}
    for mine, its in zip(part.endings, whole(log).endings, strict=False):
        assert agrees(mine, its)


@settings(deadline=None, max_examples=150)
@given(logs, st.data())
def test_a_log_that_begins_in_the_middle_contradicts_nothing(log: Path, data: st.DataObject) -> None:
    lines = lines_of(log)
    begin = data.draw(st.integers(0, len(lines) - 1))
    part = understood_and_told(list(lines[begin:]))
    assert certain(part) <= {f.cause for f in whole(log).findings}


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_every_line_twice_is_every_line_once(log: Path) -> None:
    found = understood_and_told([line for line in lines_of(log) for _ in range(2)])
    assert ends(found) == ends(whole(log))
    assert [f.cause for f in found.findings] == [f.cause for f in whole(log).findings]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_a_prefix_of_threads_or_functions_tears_nothing_apart(log: Path) -> None:
    lines = []
    for line in lines_of(log):
        function = "send" if " > " in line else "receive" if " < " in line else "run"
        lines.append(STAMP.sub(lambda stamp, name=function: f"{stamp[0]}[{name}] ", line))
    found = understood_and_told(lines)
    assert ends(found) == ends(whole(log))
    assert [f.cause for f in found.findings] == [f.cause for f in whole(log).findings]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_without_times_the_same_ends_are_told_and_no_duration(log: Path) -> None:
    found = understood_and_told([STAMP.sub("", line) for line in lines_of(log)])
    assert certain(found) <= {f.cause for f in whole(log).findings}
    assert ends(found) == ends(whole(log))
    said = [finding.text for finding in tell(found).findings]
    assert not [text for text in said if re.search(r"\d (?:s|ms|min)\b|\+\d", text)]


@settings(deadline=None, max_examples=100)
@given(logs, st.data())
def test_lines_that_lost_their_time_change_no_end(log: Path, data: st.DataObject) -> None:
    lines = list(lines_of(log))
    for place in data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=30)):
        lines[place] = STAMP.sub("", lines[place])
    found = understood_and_told(lines)
    assert ends(found) == ends(whole(log))
    assert certain(found) <= {f.cause for f in whole(log).findings}


@settings(deadline=None, max_examples=100)
@given(logs, st.data())
def test_any_lines_in_any_order_are_no_traceback(log: Path, data: st.DataObject) -> None:
    lines = lines_of(log)
    chosen = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=60))
    understood_and_told([lines[place] for place in chosen] or [""])
