import asyncio
import io
import json
import logging
import re
import subprocess
import sys
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.network import Network
from tests.tracker.conftest import Record, virtual
from tracker import events
from tracker.app import Tracker
from tracker.config import TrackerConfig
from tracker.logs import EventLog, JsonLines, render
from tracker.pipeline import Pipeline
from tracker.quiet import FIRST_PERIOD, MOST_CONTENTS
from tracker.vitals import Vitals

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


def rejected(t: float, reason: str = "not-json", *, detail: str = "") -> events.Rejected:
    return events.Rejected(t=t, link="input", reason=reason, detail=detail)


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


def test_a_flood_is_its_first_line_and_then_the_newest_with_the_number_of_the_others() -> None:
    flood = [rejected(100 + n / 10) for n in range(101)]  # the last comes when the quiet period is over
    lines = logged(*flood).lines
    assert lines == [
        "rejected link=input reason=not-json",
        "rejected link=input reason=not-json times=99 within=10",
    ]


def test_what_was_withheld_is_said_even_when_nothing_like_it_comes_again() -> None:
    assert logged(rejected(0), rejected(1), probed(9.9)).lines == ["rejected link=input reason=not-json"]
    assert logged(rejected(0), rejected(1), probed(10)).lines[1:] == [
        "rejected link=input reason=not-json times=1 within=10"
    ]


def test_at_the_end_all_that_was_withheld_is_said() -> None:
    lines = logged(rejected(0), rejected(1), events.Stopped(t=2.0, undelivered=0)).lines
    assert lines[1:] == ["rejected link=input reason=not-json times=1 within=2", "stopped undelivered=0"]


def test_what_is_different_is_shown_at_once() -> None:
    different = [
        rejected(0.0),
        rejected(0.1, "bad-pose"),
        rejected(0.2, "bad-pose", detail="landmarks: 32 of 33"),
        events.Rejected(t=0.3, link="control", reason="not-json", detail=""),
        refused(0.4, "HTTP 401"),
        refused(0.5, "HTTP 503"),
        refused(0.6, "HTTP 503", link="output"),
    ]
    assert len(logged(*different).lines) == len(different)


def test_what_differs_only_by_its_number_is_the_same_again() -> None:
    closes = [
        events.Closed(
            t=n / 10, link="output", connection=n, code=1012, by="peer", why="restart", unconfirmed=n
        )
        for n in range(50)
    ]
    assert len(logged(*closes).lines) == 1


def test_displaced_messages_share_one_line_a_quiet_period() -> None:
    lines = logged(*(events.Displaced(t=n / 30, seq=n) for n in range(299))).lines
    assert lines == ["displaced seq=0"]


def test_each_control_is_shown() -> None:
    kinds = ["pause_output", "resume_output", "get_status"]
    lines = logged(*(events.Controlled(t=1.0, kind=kind) for kind in kinds)).lines
    assert lines == [f"controlled kind={kind}" for kind in kinds]


def test_who_makes_each_refusal_different_neither_floods_the_log_nor_hides_another_kind() -> None:
    flood = [rejected(n / 30, detail=f"byte {n}") for n in range(30 * 3600)]
    flood[5000] = rejected(5000 / 30, "bad-pose", detail="32 landmarks")
    lines = logged(*flood, events.Stopped(t=3600.0, undelivered=0)).lines
    assert "rejected link=input reason=bad-pose detail='32 landmarks'" in lines
    floods = [line for line in lines if "reason=not-json" in line]
    assert len(floods) <= MOST_CONTENTS + 15
    told = sum(int(n) for line in floods for n in re.findall(r"others_of_its_kind=(\d+)", line))
    assert told + MOST_CONTENTS == len(flood) - 1


@given(st.lists(st.tuples(st.floats(0.0, 4.0), st.sampled_from(["not-json", "bad-pose"])), max_size=80))
def test_every_event_is_shown_or_counted_and_the_lines_are_bounded(steps: list[tuple[float, str]]) -> None:
    t, flood = 0.0, []
    for pause, reason in steps:
        t += pause
        flood.append(rejected(t, reason))
    shown = logged(*flood, events.Stopped(t=t, undelivered=0)).lines
    for reason in ("not-json", "bad-pose"):
        lines = [line for line in shown if f"reason={reason}" in line]
        counts = [int(found[1]) if (found := re.search(r"times=(\d+)", line)) else 1 for line in lines]
        assert sum(counts) == sum(event.reason == reason for event in flood)
        assert len(lines) <= 2 + t / FIRST_PERIOD


@virtual
async def test_an_hour_in_which_both_endpoints_refuse_is_at_most_a_hundred_lines(
    network: Network, pipeline: Pipeline
) -> None:
    lines, record = Lines(), Record()
    logger = logging.Logger("test", logging.INFO)  # noqa: LOG001 - its own, and not the process's
    logger.addHandler(lines)
    config = TrackerConfig("ws://input:80/", "ws://output:80/")
    tracker = Tracker(config, pipeline, rng=Random(1), observers=(record.note, EventLog(logger).observe))
    running = asyncio.create_task(tracker.run())
    await asyncio.sleep(3600)
    tracker.stop("the hour is over")
    await running
    assert len(record.of(events.Refused)) > 1000
    assert 10 < len(lines.lines) <= 100
    for link in ("input", "output"):
        told = [line for line in lines.lines if f"refused link={link}" in line]
        counts = [int(found[1]) if (found := re.search(r"times=(\d+)", line)) else 1 for line in told]
        assert sum(counts) == len(record.of(events.Refused, link))


def refused(t: float, why: str, link: events.LinkName = "input") -> events.Refused:
    return events.Refused(t=t, link=link, why=why)


def probed(t: float) -> events.Probed:
    return events.Probed(t=t, link="input", number=1)


# How far behind the display is


def behind(*facts: events.AnyEvent) -> list[str]:
    """What a log of these says of the display."""
    logger = logging.Logger("test", logging.INFO)  # noqa: LOG001 - its own, and not the process's
    lines = Lines()
    logger.addHandler(lines)
    vitals = Vitals()
    log = EventLog(logger, vitals)
    for fact in facts:
        vitals.observe(fact)
        log.observe(fact)
    return [line for line in lines.lines if "display" in line]


def test_a_display_that_falls_behind_is_said_a_few_times_and_when_it_has_caught_up() -> None:
    outage = [events.Accepted(t=n / 10, seq=n, size=1) for n in range(1, 301)]
    healed = events.Confirmed(t=31.0, count=300, left=0)
    assert behind(*outage, healed) == [
        "the display is 2 s behind",
        "the display is 10 s behind",
        "the display is 20 s behind",
        "the display has caught up; it was 30 s behind",
    ]


def test_a_display_that_keeps_up_is_not_worth_a_line() -> None:
    steady = [
        event
        for n in range(1, 301)
        for event in (
            events.Accepted(t=n / 10, seq=n, size=1),
            events.Confirmed(t=n / 10 + 0.05, count=1, left=0),
        )
    ]
    assert behind(*steady) == []


# JSON


def as_json(*facts: events.AnyEvent) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    logger = logging.Logger("tracker", logging.INFO)  # noqa: LOG001 - its own, and not the process's
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    log = EventLog(logger)
    for fact in facts:
        log.observe(fact)
    logger.info("plain words")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_in_json_has_the_same_facts() -> None:
    closed = events.Closed(
        t=5.0, link="output", connection=3, code=1012, by="peer", why="restart\n\x1b[2J now"
    )
    line, plain = as_json(closed)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "INFO",
        "logger": "tracker",
        "event": "closed",
        "fields": {
            "link": "output",
            "connection": 3,
            "code": 1012,
            "by": "peer",
            "why": "restart\n\x1b[2J now",
            "unconfirmed": 0,
        },
    }
    assert plain["message"] == "plain words"


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.builds(kind, t=st.floats(0, 1e9))))
def test_whatever_an_event_holds_it_is_one_line_of_json(event: events.AnyEvent) -> None:
    assert len(as_json(event)) <= 2


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
