"""The `websockets` library's DEBUG log as a trace. The logs in `data` are of real runs of clients of the incident's kind:
they send, and do not read what comes back."""

import logging
import re
from pathlib import Path

import pytest

from chaos.replay.cases import understand
from chaos.traces.log_events import as_events
from chaos.traces.log_lines import read_line
from chaos.traces.log_naming import by_words
from chaos.traces.log_reading import read_log
from chaos.traces.log_survey import survey
from chaos.traces.problems import Problems
from chaos.traces.reading import open_trace
from tracker import events
from tracker.events import AnyEvent

DATA = Path(__file__).parents[1] / "data"


def read(text: str) -> tuple[list[AnyEvent], list[str]]:
    """The events of a log given as text, a line a line, and the problems."""
    lines = list(enumerate((line.strip() for line in text.strip().splitlines()), 1))
    problems = Problems()
    surveyed = survey(lines)
    return list(as_events(surveyed, read_log(surveyed, lines, problems))), list(problems)


def named(found: list[AnyEvent], *kinds: type) -> list[AnyEvent]:
    return [event for event in found if isinstance(event, kinds)]


def handshake(at: str, path: str = "/ws/holds/", name: str = "websockets.client") -> str:
    return "\n".join(
        f"{at} {name} DEBUG {message}"
        for message in (
            "= connection is CONNECTING",
            f"> GET {path} HTTP/1.1",
            "> Host: wall:8765",
            "> User-Agent: Python/3.11 websockets/17.4",
            "< HTTP/1.1 101 Switching Protocols",
            "= connection is OPEN",
        )
    )


LINKS = (events.Connecting, events.Connected, events.Died, events.Closed, events.Refused)


# Real logs


@pytest.mark.parametrize("log", ["websockets-17-incident.log", "websockets-legacy-incident.log"])
def test_the_incident_is_read_from_a_real_log_of_two_links_under_one_logger(log: str) -> None:
    trace = open_trace(DATA / log)
    found = list(trace.events())
    told = [(type(e).__name__, e.link) for e in found if isinstance(e, LINKS)]
    assert told[:8] == [
        ("Connecting", "input"),
        ("Connecting", "output"),
        ("Connected", "input"),
        ("Connected", "output"),
        ("Died", "output"),
        ("Closed", "output"),
        ("Connecting", "output"),
        ("Connected", "output"),
    ]
    closed = next(e for e in found if isinstance(e, events.Closed))
    assert (closed.code, closed.by, closed.why) == (1011, "tracker", "keepalive ping timeout")
    first = [e for e in found if isinstance(e, events.Carried) and (e.link, e.connection) == ("output", 1)]
    # The peer sent everything back until reading paused; then nothing came, although more was sent.
    assert sum(e.unasked for e in first) > 16
    assert any(e.received == 0 and e.sent > 0 for e in first)
    assert trace.header.versions == {"websockets": "17.4"}
    assert trace.header.anchor is not None
    assert trace.header.keepalive == {"ping_interval": 1.0, "ping_timeout": 1.0}


def test_a_real_log_is_understood_but_for_a_line_or_two() -> None:
    trace = open_trace(DATA / "websockets-17-incident.log")
    list(trace.events())
    assert trace.problems == [
        "2 lines could be of more than one connection; taken as of the one longest silent"
    ]


# Any prefix


FORMATS = [
    ("%(message)s", None),
    ("%(levelname)s:%(name)s:%(message)s", None),
    ("%(asctime)s %(name)s %(levelname)s %(message)s", None),
    ("%(asctime)s %(name)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"),
    ("%(asctime)s.%(msecs)03d [%(threadName)s] %(message)s", "%Y-%m-%dT%H:%M:%S"),
    ("%(created)f %(message)s", None),
    ("[%(asctime)s] {%(filename)s:%(lineno)d} %(levelname)-8s - %(message)s", "%H:%M:%S"),
    ("%(asctime)s wall-pc client[%(process)d]: %(message)s", "%b %d %H:%M:%S"),
]


@pytest.mark.parametrize(("format_", "date"), FORMATS)
def test_a_line_is_found_behind_any_usual_prefix(format_: str, date: str | None) -> None:
    formatter = logging.Formatter(format_, date)
    message = '> TEXT \'{"timestamp": 1, "note": "< PONG 00 [4 bytes]"}\' [51 bytes]'
    for text in (message, "= connection is OPEN", "< CLOSE 1001 (going away) bye [5 bytes]"):
        made = logging.LogRecord("websockets.client", logging.DEBUG, "x/protocol.py", 757, text, None, None)
        line = read_line(formatter.format(made))
        assert line is not None
        assert line.text == text
        assert (line.time is not None) == any(key in format_ for key in ("asctime", "created"))


@pytest.mark.parametrize(
    ("prefix", "moment"),
    [
        ("2026-11-23 00:09:42,680 ", 1795392582.68),
        ("2026-11-23T00:09:42.680Z ", 1795392582.68),
        ("2026-11-23T01:09:42.680+01:00 ", 1795392582.68),
        ("2026/11/23 00:09:42 ", 1795392582.0),
        ("[1795392582.68] ", 1795392582.68),
        ("00:09:42,680 ", 582.68),
        ("Nov 23 00:09:42 host app: ", 582.0),
        ("2026-02-30 00:00:07 ", 7.0),
        ("1795392582680 ", 1795392582.68),
        ("23/Nov/2026:00:09:42 +0000 ", 1795392582.0),
        ("23.11.2026 00:09:42.680 ", 1795392582.68),
        ("11/23/2026 12:09:42 AM ", 1795392582.0),
        ("DEBUG:websockets:", None),
    ],
)
def test_times_of_any_usual_form_are_understood(prefix: str, moment: float | None) -> None:
    line = read_line(f"{prefix}= connection is OPEN")
    assert line is not None
    found = None if line.time is None else line.time.moment
    assert found == (None if moment is None else pytest.approx(moment))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "x = 5",
        "user typed: > TEXT",
        "Traceback (most recent call last):",
        "<html>: no",
        "y" * 10_000,
    ],
)
def test_lines_of_anything_else_are_not_taken_for_the_librarys(text: str) -> None:
    assert read_line(text) is None


def test_times_without_a_date_go_on_past_midnight() -> None:
    lines = [handshake("23:59:59.500")]
    lines += [
        f"{at} websockets.client DEBUG > PING 01 [binary, 1 bytes]" for at in ("00:00:00.500", "13:00:00")
    ]
    found, problems = read("\n".join(lines))
    assert [event.t for event in named(found, events.Probed)] == [1.0, 13 * 3600 + 0.5]
    assert problems == []


def test_a_log_without_times_says_that_no_duration_is_known() -> None:
    log = re.sub(r"(?m)^.*?(?=[=<>] )", "", handshake("00:00:00"))
    found, problems = read(log)
    assert [event.t for event in found] == [0.0] * len(found)
    assert problems == ["the log has no times: the order of what happened is known, and no duration"]


# Connections


def test_connections_are_told_apart_by_an_id_in_the_prefix() -> None:
    ids = ["11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"]
    log = "\n".join(
        [
            handshake("10:00:00", "/a", ids[0]),
            handshake("10:00:00", "/b", ids[1]),
            f"10:00:01 {ids[0]} DEBUG > TEXT 'x' [1 byte]",
            f"10:00:01 {ids[1]} DEBUG < TEXT 'y' [1 byte]",
            f"10:00:02 {ids[1]} DEBUG < CLOSE 1001 (going away) [2 bytes]",
            f"10:00:02 {ids[1]} DEBUG = connection is CLOSED",
        ]
    )
    found, problems = read(log)
    assert problems == []
    assert [(e.link, e.code, e.by) for e in found if isinstance(e, events.Closed)] == [
        ("input", 1001, "peer")
    ]
    assert [e.connection for e in named(found, events.Sent)] == [1]


def test_a_message_that_comes_back_is_of_the_output_and_any_other_of_the_input() -> None:
    log = "\n".join(
        [
            handshake("10:00:00", "/ws/pose/"),
            handshake("10:00:00", "/ws/holds/"),
            '10:00:00.1 websockets.client DEBUG < TEXT \'{"timestamp": 7, "sequence": 3\' [30 bytes]',
            "10:00:00.2 websockets.client DEBUG > TEXT 'made of it' [10 bytes]",
            "10:00:00.3 websockets.client DEBUG < TEXT 'made of it' [10 bytes]",
        ]
    )
    found, problems = read(log)
    assert problems == []
    [received] = named(found, events.Received)
    assert (received.timestamp, received.sequence) == (7.0, 3)
    unasked = {e.link: e.unasked for e in found if isinstance(e, events.Carried)}
    assert unasked == {"input": 0, "output": 1}


def both_links() -> str:
    return "\n".join([handshake("10:00:00", "/ws/pose/"), handshake("10:00:00", "/ws/holds/")])


def said(*lines: str) -> str:
    """Lines as `seconds message`, under the one logger."""
    parts = [line.partition(" ") for line in lines]
    return "\n".join(f"10:00:{t} websockets.client DEBUG {message}" for t, _, message in parts)


def test_a_ping_that_the_keepalive_does_not_own_up_to_is_no_turn_of_it() -> None:
    log = said(
        "10 > PING 01 [binary, 1 bytes]",
        "10 % sent keepalive ping",
        "10 > PING 02 [binary, 1 bytes]",
        "10 % sent keepalive ping",
        "10 > PING 03 [binary, 1 bytes]",
        "10 < PONG 01 [binary, 1 bytes]",
        # Only the input has been answered, so the next one can only be the input's.
        "20 > PING 04 [binary, 1 bytes]",
        "20 > PING 05 [binary, 1 bytes]",
        "20 % sent keepalive ping",
        "20 < PONG 05 [binary, 1 bytes]",
        "30 - timed out waiting for keepalive pong",
    )
    found, problems = read(f"{both_links()}\n{log}")
    assert problems == []
    assert [e.link for e in found if isinstance(e, events.Answered)] == ["input", "input"]
    assert [e.link for e in found if isinstance(e, events.Died)] == ["output"]


def test_a_ping_at_the_very_end_of_a_log_is_read_too() -> None:
    found, _ = read(f"{handshake('10:00:00')}\n{said('10 > PING 01 [binary, 1 bytes]')}")
    assert len(named(found, events.Probed)) == 1


def test_a_close_that_comes_is_of_the_connection_that_was_last_heard() -> None:
    log = said(
        "05 < TEXT 'x' [1 byte]",  # on the input; nothing came on the output
        "10 > CLOSE 1000 (OK) [2 bytes]",
        "10 = connection is CLOSING",
        "10 > CLOSE 1000 (OK) [2 bytes]",
        "10 = connection is CLOSING",
        "11 < CLOSE 1000 (OK) [2 bytes]",
        "11 = connection is CLOSED",
        "20 = connection is CLOSED",
    )
    found, _ = read(f"{both_links()}\n{log}")
    assert [(e.link, e.t) for e in found if isinstance(e, events.Closed)] == [("input", 11), ("output", 20)]


def test_a_program_s_end_is_known_by_its_closing_all_it_has(tmp_path: Path) -> None:
    log = said("10 > CLOSE 1000 (OK) [2 bytes]", "11 = connection is CLOSED", "12 < EOF")
    (tmp_path / "client.log").write_text(f"{handshake('10:00:00')}\n{log}\n")
    seen = understand(open_trace(tmp_path / "client.log"), tmp_path).seen
    assert seen.stopping == 11


def test_an_endpoint_whose_path_says_nothing_is_known_by_what_is_sent_there() -> None:
    ends = "10:00:01 websockets.client DEBUG < CLOSE 1001 (going away) [2 bytes]\n10:00:01 websockets.client DEBUG = connection is CLOSED"
    lines = [handshake("10:00:00", "/a"), ends, handshake("10:00:02", "/a")]
    lines += ["10:00:03 websockets.client DEBUG < TEXT 'x' [1 byte]", ends.replace("00:01", "00:04")]
    lines += [handshake("10:00:05", "/b"), "10:00:06 websockets.client DEBUG > TEXT 'y' [1 byte]"]
    found, _ = read("\n".join(lines))
    assert [event.link for event in found if isinstance(event, events.Connected)] == [
        "input",
        "input",
        "output",
    ]


def test_an_attempt_that_is_refused_is_told_with_its_status_or_its_reason() -> None:
    log = """
        10:00:00 websockets.client DEBUG = connection is CONNECTING
        10:00:00 websockets.client DEBUG > GET /ws/holds/ HTTP/1.1
        10:00:00 websockets.client DEBUG < HTTP/1.1 503 Service Unavailable
        10:00:00 websockets.client DEBUG = connection is CLOSED
        10:00:00 websockets.client INFO connect failed; reconnecting in 4.9 seconds: websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 503
        10:00:05 websockets.client INFO connect failed; reconnecting in 3.1 seconds: ConnectionRefusedError: [Errno 111] Connect call failed
    """
    found, _ = read(log)
    assert [(e.status, e.why) for e in found if isinstance(e, events.Refused)] == [
        (503, "HTTP 503"),
        (None, "ConnectionRefusedError: [Errno 111] Connect call failed"),
    ]
    assert [e.attempt for e in found if isinstance(e, events.Connecting)] == [1, 2]
    assert [e.delay for e in found if isinstance(e, events.Waiting)] == [4.9, 3.1]


def test_a_connection_that_broke_is_told_with_the_exception_in_the_log() -> None:
    log = (
        handshake("10:00:00")
        + """
        10:00:01 websockets.client DEBUG ! error while sending data
        Traceback (most recent call last):
        ConnectionResetError: [Errno 104] Connection reset by peer
        10:00:01 websockets.client DEBUG = connection is CLOSED
    """
    )
    found, problems = read(log)
    [closed] = named(found, events.Closed)
    assert (closed.code, closed.by) == (1006, "network")
    assert closed.why == "ConnectionResetError: [Errno 104] Connection reset by peer"
    assert problems == ["1 lines are not the library's"]


def test_a_log_that_begins_in_the_middle_is_read_and_says_so() -> None:
    found, problems = read(
        "10:00:00 websockets.client DEBUG > TEXT 'x' [1 byte]\n"
        "10:00:01 websockets.client DEBUG < CLOSE 1012 (service restart) [2 bytes]\n"
        "10:00:01 websockets.client DEBUG = connection is CLOSED"
    )
    assert [(e.link, e.code) for e in found if isinstance(e, events.Closed)] == [("output", 1012)]
    assert problems == ["the log begins in the middle of a connection"]


@pytest.mark.parametrize("gone", [2, 9])
def test_a_link_whose_request_is_not_in_the_log_is_known_by_what_goes_over_it(gone: int) -> None:
    both = handshake("10:00:00", "/a", "first") + "\n" + handshake("10:00:01", "/b", "second")
    found, _ = read(
        "\n".join(both.splitlines()[gone:])
        + """
        10:00:02 first DEBUG < TEXT 'pose' [4 bytes]
        10:00:02 second DEBUG > TEXT 'hold' [4 bytes]
        10:00:02 second DEBUG < TEXT 'hold' [4 bytes]
        10:00:03 first DEBUG < CLOSE 1012 (service restart) [2 bytes]
        10:00:03 first DEBUG = connection is CLOSED"""
    )
    assert len(named(found, events.Received)) == 1
    assert [e.link for e in found if isinstance(e, events.Closed)] == ["input"]
    assert len(named(found, events.Sent)) == 1


def test_colours_say_nothing() -> None:
    line = read_line("\x1b[32m10:00:00\x1b[0m websockets.client \x1b[1m= connection is OPEN\x1b[0m")
    assert line is not None
    assert line.time is not None
    assert (line.time.moment, by_words(line.prefix)) == (36_000.0, "websockets.client")


def test_a_log_without_times_has_nothing_to_replay(tmp_path: Path) -> None:
    log = re.sub(r"(?m)^\S+ \S+ ", "", (DATA / "websockets-17-incident.log").read_text())
    (tmp_path / "log").write_text(log)
    assert understand(open_trace(tmp_path / "log"), tmp_path).lacking == "no time passes in it"


@pytest.mark.parametrize("log", ["websockets-17-incident.log", "websockets-legacy-incident.log"])
def test_a_log_cut_off_anywhere_or_with_lines_missing_is_no_traceback(log: str) -> None:
    lines = (DATA / log).read_text().splitlines()
    for begin in range(0, len(lines), 7):
        read("\n".join(lines[begin:]))
        read("\n".join(lines[:begin] + lines[begin + 5 :]))
        read("\n".join(lines[::-1][begin:]))


def test_older_versions_say_the_same_in_other_words() -> None:
    log = (
        handshake("10:00:00")
        + """
        10:00:20 websockets.client DEBUG % sending keepalive ping
        10:00:20 websockets.client DEBUG > PING '>K' [text, 2 bytes]
        10:00:40 websockets.client DEBUG ! timed out waiting for keepalive pong
        10:00:40 websockets.client DEBUG ! failing connection with code 1011
        10:00:40 websockets.client DEBUG = connection is CLOSING
        10:00:40 websockets.client DEBUG > CLOSE 1011 (unexpected error) keepalive ping timeout [24 bytes]
        10:00:40 websockets.client DEBUG = connection is CLOSED
        10:00:41 websockets.client INFO ! connect failed; reconnecting in 2.8 seconds
        Traceback (most recent call last):
        ConnectionRefusedError: [Errno 111] Connect call failed
    """
    )
    found, _ = read(log)
    told = [type(e).__name__ for e in found if isinstance(e, (*LINKS, events.Waiting))]
    assert told == ["Connecting", "Connected", "Died", "Closed", "Connecting", "Refused", "Waiting"]
    [refused] = named(found, events.Refused)
    assert refused.why == "ConnectionRefusedError: [Errno 111] Connect call failed"


@pytest.mark.parametrize("before", ["DEBUG - ", "x: ", "[a] - ", "websockets - DEBUG - "])
def test_a_mark_of_the_library_after_a_dash_of_the_format_is_seen(before: str) -> None:
    line = read_line(f"2026-05-11 06:30:00,000 {before}x half-closing TCP connection")
    assert line is not None
    assert line.text == "x half-closing TCP connection"
