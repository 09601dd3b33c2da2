"""Logs as other programs pass them on: the journal, containers, log stores, CI, terminals."""

import json
import textwrap
from collections.abc import Callable
from datetime import datetime

import pytest

from chaos.diagnosis.endings import End
from chaos.traces.log_envelopes import unwrapped
from chaos.traces.log_lines import read_line
from chaos.traces.log_reading import read_log
from chaos.traces.log_survey import survey
from chaos.traces.problems import Problems
from chaos.traces.wire import Frame
from tests.chaos.logs import BEGIN, Log, understood

FORMATS: list[Callable[[datetime, str, str], str]] = []


def a_format(made: Callable[[datetime, str, str], str]) -> Callable[[datetime, str, str], str]:
    FORMATS.append(made)
    return made


def iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}"


# The journal and syslog


@a_format
def journal_short_iso_precise(at: datetime, logger: str, message: str) -> str:
    return f"{iso(at)}+0000 host python3[1234]: DEBUG:{logger}:{message}"


@a_format
def journal_short(at: datetime, logger: str, message: str) -> str:
    return f"{at:%b %d %H:%M:%S} host python3[1234]: DEBUG:{logger}:{message}"


@a_format
def journal_since_the_machine_started(at: datetime, logger: str, message: str) -> str:
    seconds = (at - BEGIN).total_seconds() + 4711.5
    return f"[{seconds:12.6f}] host python3[1234]: DEBUG:{logger}:{message}"


@a_format
def journal_json(at: datetime, logger: str, message: str) -> str:
    time = str(round(at.timestamp() * 1e6))
    return json.dumps({"__REALTIME_TIMESTAMP": time, "_PID": "12", "MESSAGE": f"DEBUG:{logger}:{message}"})


@a_format
def journal_json_of_coloured_lines(at: datetime, logger: str, message: str) -> str:
    coloured = list(f"\x1b[32mDEBUG:{logger}:{message}\x1b[0m".encode())
    return json.dumps({"__REALTIME_TIMESTAMP": str(round(at.timestamp() * 1e6)), "MESSAGE": coloured})


@a_format
def syslog(at: datetime, logger: str, message: str) -> str:
    return f"<15>1 {iso(at)}Z host app 123 - - DEBUG:{logger}:{message}"


@a_format
def syslog_with_colours_shown(at: datetime, logger: str, message: str) -> str:
    return f"{at:%b %d %H:%M:%S} host app[3]: #033[34m{logger}#033[0m #033[32m{message}#033[0m"


# Containers


@a_format
def compose(at: datetime, logger: str, message: str) -> str:
    return f"web_1  | {at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} DEBUG {logger} {message}"


@a_format
def compose_with_times_and_colours(at: datetime, logger: str, message: str) -> str:
    return f"\x1b[36mweb-1  | \x1b[0m{iso(at)}123Z DEBUG:{logger}:{message}"


@a_format
def kubectl_with_prefix(at: datetime, logger: str, message: str) -> str:
    return f"[pod/web-7d9f8b6c5-x2x4z/app] {at:%Y-%m-%d %H:%M:%S} DEBUG {logger} {message}"


@a_format
def container_runtime(at: datetime, logger: str, message: str) -> str:
    return f"{iso(at)}123+02:00 stderr F DEBUG:{logger}:{message}"


@a_format
def platform(at: datetime, logger: str, message: str) -> str:
    return f"{iso(at)}+00:00 app[web.1]: [info]DEBUG:{logger}:{message}"


# Log stores and CI


@a_format
def ci(at: datetime, logger: str, message: str) -> str:
    return f"{iso(at)}7Z DEBUG    {logger}:protocol.py:757 {message}"


@a_format
def ci_by_job_and_step(at: datetime, logger: str, message: str) -> str:
    return f"build (3.12)\tRun pytest\t{iso(at)}7Z DEBUG:{logger}:{message}"


@a_format
def store_with_labels(at: datetime, logger: str, message: str) -> str:
    return f'{at:%Y-%m-%dT%H:%M:%SZ} {{app="web", pod="web-1"}} DEBUG:{logger}:{message}'


@a_format
def store_with_nanoseconds(at: datetime, logger: str, message: str) -> str:
    return f"{round(at.timestamp() * 1e9)}\tDEBUG:{logger}:{message}"


@a_format
def store_with_microseconds(at: datetime, logger: str, message: str) -> str:
    return f"{round(at.timestamp() * 1e6)} DEBUG:{logger}:{message}"


@a_format
def store_in_json(at: datetime, logger: str, message: str) -> str:
    return json.dumps({"timestamp": round(at.timestamp() * 1000), "message": f"DEBUG:{logger}:{message}"})


@a_format
def store_in_nested_json(at: datetime, logger: str, message: str) -> str:
    return json.dumps({"jsonPayload": {"message": message, "logger": logger}, "timestamp": f"{iso(at)}Z"})


@a_format
def escaped_for_the_web(at: datetime, logger: str, message: str) -> str:
    escaped = message.replace("<", "&lt;").replace(">", "&gt;")
    return f"{at:%Y-%m-%d %H:%M:%S} {logger} {escaped}"


@a_format
def escaped_for_json(at: datetime, logger: str, message: str) -> str:
    escaped = message.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"{at:%Y-%m-%d %H:%M:%S} {logger} {escaped}"


# Logging libraries


@a_format
def coloured(at: datetime, logger: str, message: str) -> str:
    return (
        f"\x1b[32m{at:%Y-%m-%d %H:%M:%S}\x1b[0m \x1b[34m{logger}[99]\x1b[0m \x1b[1;30mDEBUG\x1b[0m {message}"
    )


@a_format
def colours_as_an_editor_shows_them(at: datetime, logger: str, message: str) -> str:
    return f"^[[32m{at:%Y-%m-%d %H:%M:%S}^[[0m ^[[34m{logger}[99]^[[0m ^[[32m{message}^[[0m"


@a_format
def structlog(at: datetime, logger: str, message: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} [debug    ] {message:<40} [{logger}] lineno=12"


@a_format
def loguru(at: datetime, logger: str, message: str) -> str:
    function = "send_frame" if message[0] == ">" else "parse"
    time = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}"
    return f"{time} | DEBUG    | {logger}:{function}:{700 + len(message)} - {message}"


@a_format
def loguru_in_json(at: datetime, logger: str, message: str) -> str:
    time = {"repr": str(at), "timestamp": at.timestamp()}
    return json.dumps(
        {"text": f"{at} - {message}\n", "record": {"message": message, "name": logger, "time": time}}
    )


class Columns:
    """As `rich` writes them into a file: 80 wide, a time where it changes, messages in several lines."""

    __name__ = "columns"

    def __init__(self) -> None:
        self._before = ""

    def __call__(self, at: datetime, _: str, message: str) -> str:
        time = f"[{at:%m/%d/%y %H:%M:%S}]"
        shown, self._before = (" " * len(time) if time == self._before else time), time
        first, *rest = textwrap.wrap(message, 36)
        lines = [f"{shown} DEBUG    {first:<36} protocol.py:757", *(f"{'':29}{part:<51}" for part in rest)]
        return "\n".join(lines)


FORMATS.append(Columns())


def a_day() -> Log:
    """Two connections, the second with long messages, and a reason that a close was given."""
    log = Log().opens(0).sends(0.1).gets(0.2).pings(20, "01 02").peer_closes(25, "1001 (going away)")
    log.opens(30).pings(50, "01 03").sends(51, "x" * 80).gets(52, "word " * 14)
    return log.peer_closes(53, "1011 (internal error) keepalive ping timeout")


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.__name__)
def test_a_log_is_read_whatever_passed_it_on(format_: Callable[[datetime, str, str], str]) -> None:
    found = understood(a_day().text(format_))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.PEER_NO_PONG]
    for ending in found.endings:
        connection = ending.connection
        assert (connection.path, connection.sent.messages, connection.received.messages) == ("/live", 1, 1)
        assert connection.pings.answered == 1
    assert found.endings[1].connection.received.size == 70
    assert found.timeline.library == "16.0"
    assert found.timeline.ended.t == pytest.approx(53, abs=1)


# Lines that are cut off


def cut_at(width: int) -> tuple[list[str], Problems]:
    lines = [line[:width] for line in a_day().text().splitlines()]
    numbered = list(unwrapped(enumerate(lines, 1)))
    problems = Problems()
    entries = list(read_log(survey(numbered), numbered, problems))
    assert entries
    return lines, problems


def test_frames_that_are_cut_off_before_their_size_are_counted_and_that_is_said() -> None:
    lines, problems = cut_at(85)
    found = understood("\n".join(lines))
    assert [e.what for e in found.endings] == [End.PEER_CLOSE, End.PEER_NO_PONG]
    second = found.endings[1].connection
    assert (second.sent.messages, second.received.messages) == (1, 1)
    assert any("frames are cut off in the log before their size" in said for said in problems)


def test_whole_frames_are_not_said_to_be_cut_off() -> None:
    _, problems = cut_at(500)
    assert not list(problems)


@pytest.mark.parametrize(
    "text", ["> TEXT me when you are there", "< CLOSE 10", "> PING google.com", "< BINARY cafe"]
)
def test_words_of_a_program_are_no_frames(text: str) -> None:
    log = Log().opens(0).say(1, text).text()
    (connection,) = understood(log).timeline.connections
    assert connection.sent.messages == connection.received.messages == connection.pings.sent == 0
    assert connection.close_received is None


@pytest.mark.parametrize(
    ("text", "code", "reason", "data"),
    [
        ("< CLOSE 1011", 1011, "", "1011"),
        ("< CLOSE 1011 (internal er", 1011, "", "1011 (internal er"),
        (
            "< CLOSE 1011 (internal error) keepali",
            1011,
            "keepalive ping timeout",
            "1011 (internal error) keepali",
        ),
        ("< CLOSE 1001 (going away) bye [5 by", 1001, "bye", "1001 (going away) bye"),
        ("< PONG 11 02 03 04 [bina", None, "", "11 02 03 04"),
    ],
)
def test_what_stands_before_the_cut_is_read(text: str, code: int | None, reason: str, data: str) -> None:
    line = read_line(f"06:30:00 DEBUG {text}")
    assert line is not None
    (frame,) = line.said
    assert isinstance(frame, Frame)
    assert (frame.code, frame.reason, frame.data, frame.whole) == (code, reason, data, False)
