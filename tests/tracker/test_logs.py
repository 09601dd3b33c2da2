import logging
import re
import subprocess
import sys
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import events
from tracker.logs import QUIET_PERIOD, EventLog, render

KINDS = get_args(events.AnyEvent)
BY_THE_FRAME: list[events.AnyEvent] = [
    events.Probed(t=0.0, link="input", number=1),
    events.Answered(t=0.0, link="input", number=1, rtt=0.1),
    events.Received(t=0.0, timestamp=1.0),
    events.Accepted(t=0.0, seq=1, size=1),
    events.Sent(t=0.0, seq=1, connection=1),
    events.Confirmed(t=0.0, count=1, left=0),
]


class Lines(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.levels: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.levels.append(record.levelno)


def logged(*facts: events.AnyEvent, level: int = logging.INFO) -> Lines:
    """What a log of this level shows of these events."""
    logger = logging.Logger("test", level)  # noqa: LOG001 - its own, and not the process's
    lines = Lines()
    logger.addHandler(lines)
    log = EventLog(logger)
    for fact in facts:
        log.observe(fact)
    return lines


def rejected(t: float, reason: str = "not-json") -> events.Rejected:
    return events.Rejected(t=t, link="input", reason=reason, detail="")


# What is shown


def test_an_event_is_one_line_of_its_name_and_its_fields() -> None:
    closed = events.Closed(t=5.0, link="output", connection=3, code=1012, by="peer", why="restart now")
    lines = logged(closed).lines
    assert lines == ["closed link=output connection=3 code=1012 by=peer why='restart now' unconfirmed=0"]


def test_a_text_that_is_empty_is_left_out() -> None:
    closed = events.Closed(t=5.0, link="output", connection=3, code=1000, by="peer")
    assert "why" not in logged(closed).lines[0]


def test_a_link_in_trouble_warns() -> None:
    trouble = (
        events.Refused(t=0.0, link="input", why="x"),
        events.Suspected(t=0.0, link="input", connection=1, silence=1.0),
        events.Died(t=0.0, link="input", connection=1, cause="x", silence=4.0),
        rejected(0.0),
        events.Displaced(t=0.0, seq=1),
    )
    assert logged(*trouble).levels == [logging.WARNING] * len(trouble)


@pytest.mark.parametrize("event", BY_THE_FRAME, ids=lambda event: type(event).__name__)
def test_what_comes_with_every_frame_or_probe_is_for_debug_only(event: events.AnyEvent) -> None:
    assert logged(event).lines == []
    assert len(logged(event, level=logging.DEBUG).lines) == 1


def test_seconds_have_three_decimals_and_no_trailing_zeros() -> None:
    line = render("lagged", {"a": 0.12345, "b": 1.5, "c": 2.0, "d": 100.0, "e": 30})
    assert line == "lagged a=0.123 b=1.5 c=2 d=100 e=30"


@pytest.mark.parametrize("text", ["two words", 'a"b', "a\nb", "a\rb", "\x1b[2Jb", "a\u2028b", "a\x00"])
def test_a_text_that_could_break_a_line_or_a_terminal_is_quoted(text: str) -> None:
    assert render("closed", {"why": text}) == f"closed why={text!r}"
    assert render("closed", {"why": text}).isprintable()


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.builds(kind, t=st.floats(0, 1e9))))
def test_whatever_an_event_holds_it_is_one_printable_line(event: events.AnyEvent) -> None:
    [line] = logged(event, level=logging.DEBUG).lines
    assert line.isprintable()


# The rate


def test_a_flood_of_one_kind_is_one_line_a_quiet_period_and_the_next_says_how_many_were_withheld() -> None:
    flood = [rejected(100 + n / 10) for n in range(101)]  # the last is exactly one period after the first
    lines = logged(*flood).lines
    assert lines == [
        "rejected link=input reason=not-json",
        "rejected link=input reason=not-json and_before_this=99",
    ]


def test_a_count_that_was_told_is_not_told_again() -> None:
    lines = logged(rejected(0), rejected(1), rejected(10), rejected(20)).lines
    assert [line.endswith("and_before_this=1") for line in lines] == [False, True, False]


def test_the_first_of_each_reason_is_shown_at_once() -> None:
    lines = logged(rejected(0), rejected(1, "bad-pose"), events.Displaced(t=2.0, seq=7)).lines
    assert len(lines) == 3


def test_displaced_messages_share_one_line_a_quiet_period() -> None:
    lines = logged(*(events.Displaced(t=n / 30, seq=n) for n in range(300))).lines
    assert lines == ["displaced seq=0"]


def test_link_events_are_all_shown_because_back_off_bounds_them() -> None:
    waiting = [events.Waiting(t=1.0, link="input", delay=0.5)] * 5
    assert len(logged(*waiting).lines) == 5


@given(st.lists(st.tuples(st.floats(0.0, 4.0), st.sampled_from(["not-json", "bad-pose"])), max_size=80))
def test_at_any_rate_the_lines_are_bounded_and_leave_out_less_than_one_quiet_period(
    steps: list[tuple[float, str]],
) -> None:
    t, flood = 0.0, []
    for pause, reason in steps:
        t += pause
        flood.append(rejected(t, reason))
    shown = logged(*flood).lines
    for reason in ("not-json", "bad-pose"):
        lines = [line for line in shown if f"reason={reason}" in line]
        assert len(lines) <= 1 + t / QUIET_PERIOD
        told = len(lines) + sum(int(n) for line in lines for n in re.findall(r"and_before_this=(\d+)", line))
        untold = [event.t for event in flood if event.reason == reason][told:]
        assert not untold or untold[-1] - untold[0] < QUIET_PERIOD


# Where it goes


@pytest.mark.parametrize("debug", [False, True])
def test_the_log_goes_to_stderr_without_the_librarys_own_lines_which_show_credentials(
    debug: bool,  # noqa: FBT001 - a parametrised test's own argument
) -> None:
    # In a process of its own: it configures the root logger.
    script = f"""if True:
        import logging
        from tracker.logs import to_stderr
        to_stderr(debug={debug})
        for name in ("tracker", "websockets.client"):
            logging.getLogger(name).error("hello")
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert [line.split()[-2] for line in done.stderr.splitlines()] == ["tracker"]
