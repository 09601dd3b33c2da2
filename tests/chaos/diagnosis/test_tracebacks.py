"""What the tracebacks of a log tell: one event each, however many exceptions follow from one another in it."""

import pytest

from chaos.diagnosis.causes import Cause
from chaos.diagnosis.endings import End
from tests.chaos.logs import Log, causes, told, understood

CAUSED = ("", "The above exception was the direct cause of the following exception:", "")
AGAIN = ("", "During handling of the above exception, another exception occurred:", "")
TRACEBACK = "Traceback (most recent call last):"
OLD_1006 = "websockets.exceptions.ConnectionClosedError: code = 1006 (connection closed abnormally [internal]), no reason"


def text(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def failed_handshake(*exceptions: str) -> str:
    lines = ["ERROR:websockets.server:opening handshake failed"]
    for place, exception in enumerate(exceptions):
        lines += [*(CAUSED if place else ()), TRACEBACK, '  File "/x/server.py", line 3, in parse', exception]
    return text(*lines)


# One chain is one event


def test_exceptions_that_follow_from_one_another_are_one_event() -> None:
    log = failed_handshake(
        "EOFError: stream ends after 0 bytes, before end of line",
        "EOFError: connection closed while reading HTTP request line",
        "websockets.exceptions.InvalidMessage: did not receive a valid HTTP request",
    )
    (finding,) = understood(log + log).findings
    assert (finding.cause, finding.count) == (Cause.HEALTH_CHECK, 2)


def test_a_program_that_raises_its_own_exception_tells_the_one_below_it() -> None:
    log = text(
        "09:00:00 cannot connect",
        "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403",
        *AGAIN,
        "app.errors.FeedError: no feed",
    )
    (finding,) = understood(log).findings
    assert (finding.cause, finding.count) == (Cause.REFUSED_FOR_GOOD, 1)


def test_the_text_of_a_program_in_a_traceback_is_no_event() -> None:
    lines = (
        "raise ConnectionResetError(1)",
        "raise exceptions.IncompleteReadError(a, b)",
        "except ConnectionResetError:",
    )
    log = text("09:00:00 lost", *(f"May 11 09:00:00 host app[7]:     {line}" for line in lines), OLD_1006)
    assert [finding.count for finding in understood(log).findings] == [1]


# What came before the last exception says more


@pytest.mark.parametrize(
    "cause",
    [
        "asyncio.exceptions.IncompleteReadError: 0 bytes read on a total of 2 expected bytes",
        "ConnectionResetError: [Errno 54] Connection reset by peer",
    ],
)
def test_an_old_1006_below_which_the_stream_ended_is_no_keepalives(cause: str) -> None:
    headline = told(text("09:00:00 lost", cause, *CAUSED, OLD_1006)).headline
    assert "the stream ended or was reset without a close frame" in headline
    assert "keepalive" not in headline


def test_an_old_1006_below_which_nothing_ended_may_be_the_keepalives() -> None:
    assert "own keepalive" in told(text("09:00:00", "asyncio.CancelledError", *CAUSED, OLD_1006)).headline


def test_a_request_that_is_none_is_no_health_check() -> None:
    log = failed_handshake(
        "ValueError: invalid HTTP request line: ^C^@*Cookie: mstshash=Admin",
        "websockets.exceptions.InvalidMessage: did not receive a valid HTTP request",
    )
    assert causes(log) == [Cause.BAD_HANDSHAKE]
    assert told(log).headline.startswith(
        "Once somebody connected and sent what is no request of HTTP (ValueError: invalid"
    )


def test_a_request_that_is_none_is_told_of_a_connection_too() -> None:
    log = Log("server").say(0, "= connection is CONNECTING", "! invalid handshake")
    log.raw(TRACEBACK, "ValueError: invalid HTTP request line: \\x16\\x03\\x01")
    (ending,) = understood(log.text()).endings
    assert ending.what is End.BAD_HANDSHAKE
    assert "invalid HTTP request line" in told(log.text()).headline


def test_who_leaves_during_the_handshake_is_no_lost_connection() -> None:
    log = failed_handshake("websockets.exceptions.ConnectionClosedError: no close frame received or sent")
    assert causes(log) == [Cause.BAD_HANDSHAKE]
    assert told(log).headline.endswith("the client went away before it was done")


def test_an_answer_that_is_none_asks_for_scheme_and_port() -> None:
    log = text(
        "09:00:00 websockets", "websockets.exceptions.InvalidMessage: did not receive a valid HTTP response"
    )
    assert causes(log) == [Cause.BAD_HANDSHAKE]
    assert told(log).findings[0].remedy.startswith("check scheme and port")


# Attempts


def test_a_network_without_a_route_is_no_server_that_is_down() -> None:
    log = Log().opens(0).ends(12)
    for t in (14, 17, 20):
        log.say(
            t,
            "connect failed; reconnecting in 3.0 seconds: OSError: [Errno 51] Network is unreachable",
            logger="app",
        )
    found = understood(log.opens(30).gets(31).text())
    assert found.findings[0].cause is Cause.UNREACHABLE
    assert "no way led there" in told(log.text()).headline
    assert "own network" in told(log.text()).findings[0].remedy


@pytest.mark.parametrize("error", ["[Errno 60]", "[Errno 110]", "[WinError 10060]"])
def test_a_connect_that_timed_out_is_nobodys_refusal(error: str) -> None:
    log = text("09:00:00 websockets", f"09:01:16 OSError: {error} Connect call failed ('192.0.2.1', 80)")
    assert causes(log) == [Cause.UNREACHABLE]
    assert "no answer came in time" in told(log).headline


def test_where_no_connection_is_shown_nobody_says_that_a_server_was_down() -> None:
    log = text(
        "[2026-05-11 09:00:00] [INFO] ! connect failed; reconnecting in 0.8 seconds",
        TRACEBACK,
        "OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 80), [Errno 111] Connect call failed",
    )
    assert causes(log) == [Cause.SERVER_DOWN]
    assert "the server was down" not in told(log).headline
    assert "is down, or never was at that address" in told(log).unknown[0]


# The same words again


def test_the_same_end_told_twice_may_be_one() -> None:
    lost = "no close frame received or sent"
    assert "may tell of one end twice" in told(text(f"websockets {lost}", f"ERROR app: {lost}")).unknown[0]
    log = Log(logger="app").say(0, f"websockets {lost}").say(60, f"websockets {lost}")
    assert not told(log.text()).unknown


def test_exceptions_say_of_a_log_that_begins_late_what_its_frames_do_not() -> None:
    log = Log(logger="protocol").say(0, "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]")
    log.say(
        20, "lost: sent 1011 (internal error) keepalive ping timeout; no close frame received", logger="app"
    )
    assert causes(log.text()) == [Cause.CLOSES_TOLD, Cause.LAST_LINES]


# Times


@pytest.mark.parametrize("before", ["▸ ", "INFO ", "ERROR:", "| WARNING | "])
def test_a_time_behind_a_mark_or_a_level_is_one(before: str) -> None:
    lost = "no close frame received or sent"
    log = text(*(f"{before}2026-05-11 09:00:{second:02},000 websockets: {lost}" for second in (0, 7)))
    assert told(log).headline.endswith("7.0 s apart")


def test_a_clock_of_whole_seconds_shows_no_milliseconds() -> None:
    log = Log().opens(0, took=0.4).pings(20, "01 02").ends(31)
    found = told(log.text(lambda at, logger, message: f"{at:%H:%M:%S} DEBUG {logger}: {message}"))
    assert "connected to /live in < 1 s" in [row.text for row in found.story]
    assert ("round trips", "1: < 1 s, median < 1 s") in found.figures


def test_lines_of_one_moment_are_no_log_without_times() -> None:
    found = told(Log().opens(0, took=0.0).gets(0).text())
    assert "how long anything took: all its lines are of one moment" in found.unknown


def test_of_an_invalid_request_alone_it_is_not_known_whether_any_came() -> None:
    log = text("websockets.exceptions.InvalidMessage: did not receive a valid HTTP request")
    (finding,) = understood(log).findings
    assert (finding.cause, finding.confidence) == (Cause.BAD_HANDSHAKE, "likely")
    assert told(log).unknown == ("whether anything came at all",)


# What the first lines of a log, or the last, leave open


def test_an_own_failure_that_the_log_begins_with_is_its_cause() -> None:
    log = Log("server").say(0, "! failing connection with code 1009", "= connection is CLOSING")
    log.say(0, "> CLOSE 1009 (message too big) [2 bytes]", "x half-closing TCP connection")
    assert causes(log.text()) == [Cause.MAX_SIZE]


def test_a_failure_after_an_own_close_ended_nothing() -> None:
    log = Log("server").sends(0).say(0.1, "= connection is CLOSING", "> CLOSE 1000 (OK) [2 bytes]")
    log.say(0.7, "! failing connection with code 1002", "= connection is CLOSED")
    assert causes(log.text()) == [Cause.OWN_CLOSE]


def test_a_handshake_that_failed_without_a_word_of_why_is_no_health_check() -> None:
    log = Log("server").say(0, "= connection is CONNECTING").say(0.9, "! invalid handshake")
    assert Cause.HEALTH_CHECK not in causes(log.text())
    log.say(1, "= connection is CLOSED")
    assert causes(log.text()) == [Cause.BAD_HANDSHAKE]


def test_a_stream_that_ended_before_any_request_is_a_health_check() -> None:
    log = Log("server").say(0, "= connection is CONNECTING", "< EOF", "= connection is CLOSED")
    assert causes(log.text()) == [Cause.HEALTH_CHECK]


# Who closed, and what helps


def test_a_code_without_what_was_sent_is_the_peers() -> None:
    found = told("websockets.exceptions.ConnectionClosedError: received 1009 (message too big) over 64 KiB\n")
    assert found.headline.startswith('Once: the other side closed with 1009 (message too big) "over 64 KiB"')
    assert "raise the peer's limit" in found.findings[0].remedy


def test_an_own_close_that_a_program_trips_over_is_told_as_its_own() -> None:
    found = told("websockets.exceptions.ConnectionClosedOK: sent 1000 (OK); then received 1000 (OK)\n")
    assert "this side closed with 1000" in found.headline
    assert found.findings[0].remedy.startswith("this side meant it")


def test_a_keepalive_of_the_peer_that_got_no_pong_is_told() -> None:
    why = "1011 (internal error) keepalive ping timeout"
    found = told(f"websockets.client: received {why}; then sent {why}\n")
    assert "the server closed with 1011" in found.headline
    assert "it got no Pong of this client" in found.headline


@pytest.mark.parametrize(
    "line", ["worker lost: received 1012 (service restart)", "sent 4003 (private use) bye"]
)
def test_a_code_with_the_librarys_words_for_it_is_told_wherever_it_stands(line: str) -> None:
    assert causes(text(f"09:00:00 {line}")) == [Cause.CLOSES_TOLD]


# Lines that were cut off at their right edge


def cut_off(log: Log) -> str:
    """Without the sizes at the ends of lines."""
    return "\n".join(line.partition(" [")[0] for line in log.text().splitlines()) + "\n"


def test_a_frame_without_its_size_is_one() -> None:
    log = (
        Log().opens(0).sends(1).gets(2).pings(20, "01 02").peer_closes(25, "1008 (policy violation) expired")
    )
    (ending,) = understood(cut_off(log)).endings
    assert (ending.what, ending.code, ending.reason) == (End.PEER_CLOSE, 1008, "expired")
    carried = ending.connection
    assert (carried.sent.messages, carried.received.messages, carried.pings.answered) == (1, 1, 1)


def test_what_a_program_says_of_frames_is_none() -> None:
    log = (
        Log(logger="app")
        .say(0, "> TEXT (audio) sent", "< CLOSE was awaited")
        .say(1, "websockets: no close frame received or sent")
    )
    assert causes(log.text()) == [Cause.CLOSES_TOLD]


def test_a_connection_that_is_closing_when_the_log_ends_is_not_open() -> None:
    log = Log().opens(0).gets(1).say(2, "= connection is CLOSING")
    assert told(log.text()).headline == "The log ends while a connection is CLOSING"
    assert "who began to close it" in told(log.text()).unknown[0]


# Who asked for no WebSocket, and tracebacks whose every line has a time


def test_who_asks_without_upgrade_is_a_browser_or_a_check() -> None:
    log = failed_handshake("websockets.exceptions.InvalidUpgrade: missing Connection header")
    assert causes(log) == [Cause.BAD_HANDSHAKE]
    assert told(log).headline.startswith("Once somebody asked over plain HTTP for what is a WebSocket")


def test_what_a_failed_handshakes_traceback_says_is_told() -> None:
    log = failed_handshake("websockets.exceptions.InvalidOrigin: invalid Origin header: http://b.example")
    assert "an opening handshake failed" in told(log).headline
    assert "invalid Origin header" in told(log).headline


def test_a_traceback_with_times_in_each_line_explains_the_connection_before_it() -> None:
    log = Log("server", logger="app[web.1]: DEBUG:websockets.server")
    log.say(0, "= connection is CONNECTING", "! invalid handshake")
    log.say(0, TRACEBACK, "EOFError: line without CRLF", logger="app[web.1]")
    (finding,) = understood(log.text()).findings
    assert (finding.cause, len(finding.endings)) == (Cause.HEALTH_CHECK, 1)


def test_an_exception_of_the_program_after_that_explains_nothing_of_it() -> None:
    log = Log("server").say(0, "= connection is CONNECTING", "! invalid handshake")
    log.say(0, TRACEBACK, "EOFError: line without CRLF", logger="app")
    log.say(5, "ValueError: something else", logger="app")
    (finding,) = understood(log.text()).findings
    error = finding.endings[0].connection.error
    assert error is not None
    assert error.text == "EOFError: line without CRLF"
