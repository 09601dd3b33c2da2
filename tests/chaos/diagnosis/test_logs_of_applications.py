"""Logs in which an application, and not the library's DEBUG level, says what became of its connections."""

from pathlib import Path

import pytest

from chaos.diagnosis.causes import Cause
from chaos.diagnosis.endings import End
from chaos.traces.files import TraceError
from chaos.traces.reading import open_trace
from tests.chaos.logs import Log, told, understood


def opened(tmp_path: Path, *lines: str) -> str:
    """What kind of trace a file of these lines is taken for."""
    path = tmp_path / "app.log"
    path.write_text("\n".join(lines) + "\n")
    return open_trace(path).kind


# What is recognised


@pytest.mark.parametrize(
    "line",
    [
        "09:00:01 feed lost: sent 1011 (internal error) keepalive ping timeout; no close frame received",
        "09:00:01 feed lost: received 4003 (private use) bye; then sent 4003 (private use) bye",
        "09:00:01 feed lost: no close frame received or sent",
        "09:00:01 code = 1006 (connection closed abnormally [internal]), no reason",
        "09:00:01 cannot open the feed: InvalidStatusCode(401, Headers([('Content-Length', '3')]))",
        "09:00:01 TimeoutError: timed out during opening handshake",
        '{"ts": "2026-05-11T09:00:01Z", "msg": "feed: no close frame received or sent"}',
    ],
)
def test_an_application_that_quotes_the_library_without_naming_it_is_read(tmp_path: Path, line: str) -> None:
    assert opened(tmp_path, "starting" if line[0] != "{" else line, line) == "websockets-log"


@pytest.mark.parametrize(
    "line", ["09:00:01 websocket connection is closing.", "09:00:01 shard closed with 1000"]
)
def test_the_words_of_other_libraries_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(TraceError, match="needs lines or exceptions of the websockets library"):
        opened(tmp_path, line)


# Whose log it is

CUT = "websockets.exceptions.ConnectionClosedError: no close frame received or sent"


def test_where_nothing_says_whose_log_it_is_the_sides_have_no_names() -> None:
    found = told(f"09:00:00 lost it\n{CUT}\n")
    assert "(1006): the other side or something on the way cut it" in found.headline


def test_frames_without_a_logger_and_without_a_handshake_have_no_named_sides() -> None:
    text = (
        Log()
        .gets(0)
        .peer_closes(5, "1001 (going away)")
        .text(lambda at, _, message: f"{at:%H:%M:%S} {message}")
    )
    assert told(text).headline.startswith("The other side closed with 1001")


@pytest.mark.parametrize(
    ("line", "peer"),
    [
        ("ERROR websockets.server something", "the client"),
        ('  File "/opt/lib/websockets/legacy/server.py", line 240, in handler', "the client"),
        ('  File "/opt/lib/uvicorn/protocols/websockets/websockets_impl.py", line 9, in run', "the client"),
        (r'  File "C:\lib\websockets\asyncio\client.py", line 12, in __aenter__', "the server"),
        ("DEBUG websockets.client nothing", "the server"),
    ],
)
def test_a_module_that_a_traceback_or_a_logger_names_says_whose_log_it_is(line: str, peer: str) -> None:
    assert f"(1006): {peer} or something" in told(f"{line}\n{CUT}\n").headline


def test_a_refusal_is_heard_by_a_client() -> None:
    text = "server rejected WebSocket connection: HTTP 403\nreceived 1008 (policy violation) no; then sent 1008 (policy violation) no\n"
    assert any(
        finding.text.startswith("Once: the server closed with 1008") for finding in told(text).findings
    )


# What versions before 10 leave open


def test_a_1006_of_an_old_version_may_be_its_own_keepalive() -> None:
    found = told("09:00:00 lost: code = 1006 (connection closed abnormally [internal]), no reason\n")
    assert "or this side's own keepalive gave it up: versions before 10 do not tell which" in found.headline


def test_a_code_of_an_old_version_is_the_peers_and_who_was_first_is_not_told() -> None:
    (finding,) = understood("09:00:00 lost: code = 1000 (OK), reason = bye\n").findings
    assert finding.cause is Cause.CLOSES_TOLD
    assert finding.notices[0][1].received_first is None
    headline = told("09:00:00 lost: code = 1000 (OK), reason = bye\n").headline
    assert (
        '1000 (normal) "bye" of the other side; whether that was first or an answer is not told' in headline
    )


# What else such lines tell


@pytest.mark.parametrize(
    "line",
    [
        "InvalidStatusCode(401, Headers([('Date', 'Mon, 11 May 2026 09:00:00 GMT')]))",
        "InvalidStatus(status_code=401)",
    ],
)
def test_a_status_in_the_form_of_an_object_is_a_refusal(line: str) -> None:
    (finding,) = understood(f"09:00:00 could not connect\n{line}\n").findings
    assert (finding.cause, finding.notices[0][1].status) == (Cause.REFUSED_FOR_GOOD, 401)


def test_what_a_code_means_is_told_of_an_exception_too() -> None:
    found = told("received 1013 (try again later) busy; then sent 1013 (try again later) busy\n")
    assert found.findings[0].remedy == "the peer is overloaded: connect again later, with a back-off"


def test_a_reset_in_the_words_of_the_operating_system_is_a_reset() -> None:
    log = Log("server", logger="websockets.protocol")
    log.say(0, "server > Frame(fin=True, opcode=9, data=b'ab', rsv1=False, rsv2=False, rsv3=False)")
    log.say(
        4, "server - event = connection_lost([Errno 104] Connection reset by peer)", "server - state = CLOSED"
    )
    (ending,) = understood(log.text()).endings
    assert ending.what is End.RESET
    assert (
        told(log.text()).headline
        == "The TCP connection was reset ([Errno 104] Connection reset by peer) at +4.0 s"
    )
