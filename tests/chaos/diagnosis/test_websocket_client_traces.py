"""Traces of websocket-client: the first line of each, from real runs of four versions and from lines as people post them."""

import re

import pytest

from chaos.diagnosis.causes import Cause
from chaos.diagnosis.telling import tell
from chaos.traces.wire import Writer
from tests.chaos.logs import told, understood
from tests.chaos.real_logs.kinds import DATA

SHOWN = {
    "close-with-a-reason": {
        "0.59": "The connection ended in line N: with a close frame of this side, its own or an answer",
        "1.3": 'The server closed with 1008 (policy violation) "too many sessions" in line N',
        "1.8": (
            'The server closed with 1008 (policy violation) "too many sessions" at +T, < T after connecting;'
            ' its last message: {"error":"session limit"}'
        ),
    },
    "stream-ended": {
        "0.59": "The stream ended without a close frame (1006) in line N",
        "1.3": "The stream ended without a close frame (1006) in line N",
        "1.8": (
            "The stream ended without a close frame (1006) at +T, T after connecting, T after the last message that"
            " came"
        ),
    },
    "ping-timeout": {
        "0.59": "This client gave up in line N: a keepalive Ping got no answer in time",
        "1.3": (
            "This client gave up in line N: its Ping of line N got no answer; nothing at all had come since line N"
        ),
        "1.8": (
            "This client gave up at +T: its Ping of +T got no answer in T; nothing at all had come since +T"
        ),
    },
    "refused": {
        "0.59": "The server refused the handshake 3 times with HTTP 401 Unauthorized, first in line N",
        "1.3": "The server refused the handshake 3 times with HTTP 401 Unauthorized, first in line N",
        "1.8": "The server refused the handshake 3 times with HTTP 401 Unauthorized, first at +T",
    },
    "no-upgrade": dict.fromkeys(
        ("0.59", "1.3", "1.8"),
        "Twice HTTP 200 OK with a page came where 101 was due: a web server or a proxy that does not upgrade"
        " answered, not a WebSocket endpoint",
    ),
    "server-died": {
        "0.59": (
            "The connection ended in line N (the stream ended without a close frame); then X attempts failed from"
            " line N on, as nobody listened ([Errno 111] Connection refused); connected afterwards: the server was"
            " down"
        ),
        "1.3": (
            "The connection ended in line N (the stream ended without a close frame); then X attempts failed from"
            " line N on, as nobody listened ([Errno 111] Connection refused); connected afterwards: the server was"
            " down"
        ),
        "1.8": (
            "The connection ended at +T (the stream ended without a close frame); then X attempts failed from +T"
            " on, as nobody listened ([Errno 111] Connection refused); connected again after T: the server was"
            " down"
        ),
    },
    "healthy": {
        "0.59": "The connection ended in line N: with a close frame of this side, its own or an answer",
        "1.3": "This client closed the connection itself in line N, with 1000 (normal)",
        "1.8": (
            "This client closed the connection itself at +T, with 1000 (normal), T after connecting, T after the"
            " last message that came"
        ),
    },
}
"""By kind and version; figures of one run are N, T and X. 1.9 is as 1.8: it differs in that two handlers write it."""
CASES = [(kind, version) for kind, shown in SHOWN.items() for version in (*shown, "1.9")]


def without_figures(text: str) -> str:
    text = re.sub(r"line \d+", "line N", text)
    text = re.sub(r"\d+(?:\.\d+)? (?:ms|s)\b", "T", text)
    return re.sub(r"\d+ attempts", "X attempts", text)


@pytest.mark.parametrize(("kind", "version"), CASES)
def test_a_real_trace_has_exactly_this_first_line(kind: str, version: str) -> None:
    text = (DATA / f"websocket-client-{kind}-{version}.log").read_text()
    found = understood(text)
    assert found.timeline.writer is Writer.WEBSOCKET_CLIENT
    assert without_figures(tell(found).headline) == SHOWN[kind]["1.8" if version == "1.9" else version]


ASKED = """--- request header ---
GET /feed HTTP/1.1
Upgrade: websocket
Host: feed.example
Connection: Upgrade


-----------------------
"""
OPENED = """--- response header ---
HTTP/1.1 101 Switching Protocols
Upgrade: websocket
-----------------------
Websocket connected
"""


def test_what_two_handlers_write_is_one_connection_with_the_times_of_the_one_that_has_them() -> None:
    text = (DATA / "websocket-client-ping-timeout-1.9.log").read_text()
    assert text.count("++Sent decoded: fin=1 opcode=9") == 2
    found = understood(text)
    (connection,) = found.timeline.connections
    assert connection.pings.sent == 1
    assert connection.sent.messages == connection.received.messages == 1
    assert connection.gave_up is not None
    assert connection.gave_up.t == pytest.approx(3.0, abs=0.2)


def test_an_old_version_shows_nothing_that_came_so_who_closed_first_is_unknown() -> None:
    shown = told((DATA / "websocket-client-close-with-a-reason-0.59.log").read_text())
    assert shown.unknown[0].startswith("who closed first, and why")
    assert dict(shown.figures)["messages"] == "what came is not shown, 1 sent"


def test_a_trace_without_times_invents_no_duration() -> None:
    shown = told((DATA / "websocket-client-server-died-1.3.log").read_text())
    assert not shown.timed
    assert not [f.text for f in shown.findings if re.search(r"\d (?:s|ms)\b|\+\d", f.text)]
    assert shown.unknown[-1] == "how long anything took: the log has no times"


def test_the_answer_of_a_proxy_is_not_that_of_the_endpoint() -> None:
    proxy = """Connecting proxy...
--- request header ---
CONNECT feed.example:443 HTTP/1.1
Host: feed.example:443

-----------------------
--- response header ---
HTTP/1.1 200 Connection established
-----------------------
"""
    found = understood(proxy + ASKED + OPENED + "++Rcv decoded: fin=1 opcode=8 data=b'\\x03\\xe9'\n")
    assert [f.cause for f in found.findings] == [Cause.PEER_CLOSE]
    assert [c.path for c in found.timeline.connections] == ["/feed"]


def test_a_proxy_that_refuses_is_told() -> None:
    text = """--- request header ---
CONNECT feed.example:443 HTTP/1.1
-----------------------
--- response header ---
HTTP/1.1 407 Proxy Authentication Required
-----------------------
failed CONNECT via proxy status: 407 - goodbye
"""
    assert "HTTP 407 Proxy Authentication Required" in told(text).headline


def test_one_that_begins_in_the_place_of_another_leaves_its_end_unknown() -> None:
    found = understood(ASKED + OPENED + "++Rcv decoded: fin=1 opcode=1 data=b'a'\n" + ASKED + OPENED)
    assert found.findings[0].cause is Cause.END_NOT_SHOWN
    assert "another was begun in its place" in tell(found).headline


def test_an_exception_of_this_side_that_ends_a_connection_is_told_with_its_words() -> None:
    text = ASKED + OPENED + "Invalid opcode 5 - goodbye\n++Sent decoded: fin=1 opcode=8 data=b'\\x03\\xe8'\n"
    assert (
        told(text).headline == "An exception ended the connection on this side in line 14: Invalid opcode 5"
    )


def test_frames_that_are_shown_only_as_bytes_are_read_from_them() -> None:
    raw = r"""++Sent raw: b'\x81\x85\xd3z\xac\x10\xbb\x1f\xc0|\xbc'
++Rcv raw: b'\x88\x13\x03\xf0too many sessions'
"""
    found = understood(ASKED + OPENED + raw)
    (connection,) = found.timeline.connections
    assert connection.sent.words == "hello"
    assert tell(found).headline.startswith(
        'The server closed with 1008 (policy violation) "too many sessions"'
    )


def test_an_error_without_a_time_in_a_trace_with_times_has_the_time_of_the_line_after() -> None:
    def at(second: int, text: str) -> str:
        lines = text.splitlines()
        return "\n".join([f"2026-05-11 06:30:{second:02} DEBUG websocket {line}" for line in lines]) + "\n"

    text = at(0, ASKED) + at(0, OPENED) + at(2, "++Sent decoded: fin=1 opcode=9 data=b''")
    text += "ping/pong timed out\n" + at(12, "++Sent decoded: fin=1 opcode=8 data=b'\\x03\\xe8'")
    assert told(text).headline.startswith("This client gave up at +12.0 s: its Ping of +2.0 s got no answer")


def test_two_threads_with_a_connection_each_are_told_apart_by_their_names() -> None:
    def of(thread: str, text: str) -> list[str]:
        return [f"06:30:00 {thread} websocket {line}" for line in text.splitlines() if line]

    one, two = of("Thread-7", ASKED + OPENED), of("Thread-8", ASKED.replace("/feed", "/chat") + OPENED)
    ends = of("Thread-7", "++Rcv decoded: fin=1 opcode=8 data=b'\\x03\\xf0'")
    found = understood(
        "\n".join([*one, *two, *ends, *of("Thread-8", "++Rcv decoded: fin=1 opcode=1 data=b'x'")])
    )
    feed, chat = found.timeline.connections
    assert feed.close_received is not None
    assert (chat.received.messages, chat.close_received) == (1, None)


def test_errors_alone_are_counted() -> None:
    lines = [
        f"2026-05-11 06:30:{second} websocket ERROR Connection to remote host was lost. - goodbye"
        for second in ("00", "20", "40")
    ]
    assert told("\n".join(lines)).headline == (
        "3 times: the stream ended or was reset without a close frame (1006): the server or something on the way cut"
        " it; first at +0.0 s, 20.0 s apart"
    )


def test_a_silence_after_as_many_messages_as_another_library_queues_is_no_unread_message() -> None:
    lines = [f"06:30:00 websocket {line}" for line in (ASKED + OPENED).splitlines() if line]
    lines += [f"06:30:{n:02} websocket ++Rcv decoded: fin=1 opcode=1 data=b'tick'" for n in range(1, 18)]
    lines += ["06:30:20 websocket ++Sent decoded: fin=1 opcode=9 data=b''"]
    lines += ["06:30:30 websocket ping/pong timed out - goodbye"]
    found = understood("\n".join(lines))
    assert found.timeline.connections[0].received.messages == 17
    assert [finding.cause for finding in found.findings] == [Cause.NO_PONG]


def test_any_pong_answers_a_ping_of_this_library() -> None:
    answered = r"""++Sent decoded: fin=1 opcode=9 data=b'one'
++Rcv decoded: fin=1 opcode=10 data=b'other'
"""
    (connection,) = understood(ASKED + OPENED + answered).timeline.connections
    assert (connection.pings.answered, connection.pings.stray) == (1, 0)


def test_what_was_blocked_is_a_callback_for_this_library_has_no_event_loop() -> None:
    lines = [f"06:30:00 websocket {line}" for line in (ASKED + OPENED).splitlines() if line]
    times = [*range(1, 8), *([20] * 12)]
    lines += [f"06:30:{n:02} websocket ++Rcv decoded: fin=1 opcode=1 data=b'tick'" for n in times]
    shown = told("\n".join(lines))
    assert shown.findings[0].cause is Cause.LOOP_BLOCKED
    assert "one of its callbacks was blocked, or its process stood still" in shown.headline


@pytest.mark.parametrize("version", ["0.59", "1.3", "1.8"])
def test_every_line_twice_counts_no_message_and_no_attempt_twice(version: str) -> None:
    lines = (DATA / f"websocket-client-server-died-{version}.log").read_text().splitlines()
    once, twice = (
        understood("\n".join(lines)),
        understood("\n".join(line for line in lines for _ in range(2))),
    )
    assert tell(twice).figures == tell(once).figures
