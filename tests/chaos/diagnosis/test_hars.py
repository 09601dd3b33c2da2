"""What is told of a browser's HAR: the first line of each kind, and what such a file cannot show."""

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.commands.log_telling import nothing_to_replay
from chaos.diagnosis.causes import Cause
from chaos.diagnosis.explaining import Diagnosis, diagnose
from chaos.diagnosis.telling import tell
from chaos.timeline.from_log import timeline
from chaos.traces.reading import TraceError, open_trace
from tests.chaos.hars import PAGE, entry, message, text, ticks, written


def understood(path: Path) -> Diagnosis:
    trace = open_trace(path)
    assert trace.kind == "har"
    assert trace.surveyed is not None
    return diagnose(timeline(trace.surveyed, trace.entries()))


def of(folder: Path, *entries: dict[str, Any]) -> Diagnosis:
    return understood(written(folder, *entries))


IDLE = [entry(n * 75.0, 74.0, ticks(n * 75.0, 15)) for n in range(3)]
FIRST_LINES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "the same silence before each end": (
        [PAGE, *IDLE, entry(225.0, 12.0, ticks(225.0, 12))],
        (
            "3 of 3 connections ended 60.0 s after the last thing that went over them, as far as is shown: an idle"
            " time-out on the way, as proxies have; nothing was down"
        ),
    ),
    "refused for now": (
        [entry(0.0, 30.0, ticks(0.0, 28)), entry(31.0, 0.01, status=503), entry(33.0, 0.01, status=503)],
        "The server refused the handshake twice with HTTP 503 Service Unavailable, first at +31.0 s",
    ),
    "refused for good": (
        [entry(0.0, 0.03, status=401), entry(2.0, 0.03, status=401)],
        "The server refused the handshake twice with HTTP 401 Unauthorized, first at +0.0 s",
    ),
    "nobody listens": (
        [
            entry(0.0, 20.0, ticks(0.0, 19)),
            entry(21.0, 0.003, status=0, error="net::ERR_CONNECTION_REFUSED"),
            entry(24.0, 0.003, status=0, error="net::ERR_CONNECTION_REFUSED"),
            entry(30.0, 9.0, ticks(30.0, 9)),
        ],
        (
            "The connection ended at +20.0 s (how is not shown); then 2 attempts failed from +21.0 s on, as nobody"
            " listened (net::ERR_CONNECTION_REFUSED); connected again after 10.0 s: the server was down"
        ),
    ),
    "no answer and no reason": (
        [entry(0.0, 0.003, status=0), entry(4.0, 0.003, status=0)],
        "The handshake failed twice, first at +0.0 s, before any answer came",
    ),
    "healthy": (
        [PAGE, entry(0.0, 9.02, ticks(0.0, 10))],
        "Of the connection no end is shown; nothing went wrong that the recording holds",
    ),
    "an end of which nothing is shown": (
        [entry(0.0, 20.0, ticks(0.0, 19)), entry(21.0, 3.0, ticks(21.0, 3))],
        (
            "The connection ended at +20.0 s, 20.0 s after connecting, 2.0 s after the last message that came;"
            " connected again 1.0 s later: how is not shown, as a HAR holds no close frame"
        ),
    ),
    "a frame that the browser could not read": (
        [entry(0.0, 5.0, [*ticks(0.0, 4), message("error", 4.5, "Invalid frame header", -1)])],
        "An exception ended the connection on this side at +4.5 s: Invalid frame header",
    ),
    "a close frame, as some recorders have it": (
        [entry(0.0, 5.0, [*ticks(0.0, 4), message("receive", 4.5, "A+luYW1l", 8)])],
        'The server closed with 1001 (going away) "name" at +4.5 s, 4.5 s after connecting',
    ),
}


@pytest.mark.parametrize("kind", FIRST_LINES)
def test_the_first_line_of_each_kind(tmp_path: Path, kind: str) -> None:
    entries, headline = FIRST_LINES[kind]
    assert tell(of(tmp_path, *entries)).headline == headline


def test_how_long_a_handshake_took_is_not_invented(tmp_path: Path) -> None:
    shown = tell(of(tmp_path, entry(0.0, 9.0, ticks(0.0, 9))))
    assert [row.text for row in shown.story] == ["connected to /live", "no end of it is shown"]


def test_a_token_in_the_address_is_not_told(tmp_path: Path) -> None:
    assert "secret" not in repr(tell(of(tmp_path, *IDLE)))


def test_a_silence_is_no_dead_connection_where_no_ping_could_be_shown(tmp_path: Path) -> None:
    other = entry(0.0, 60.0, ticks(0.0, 60), url="wss://shop.example/chat")
    found = of(tmp_path, entry(0.0, 20.0, ticks(0.0, 19)), other)
    assert [finding.cause for finding in found.findings] == [Cause.NO_END]


def test_two_endpoints_are_two_links_and_sizes_are_those_of_the_payload(tmp_path: Path) -> None:
    binary = message("receive", 1.0, "AAECAwQ=", 2)
    found = of(tmp_path, entry(0.0, 9.0, [binary]), entry(1.0, 9.0, [], url="wss://shop.example/chat"))
    assert [c.path for c in found.timeline.connections] == ["/live", "/chat"]
    assert found.timeline.connections[0].received.size == 5


@pytest.mark.parametrize("time", ["2026-05-19T06:30:01.500Z", 1_779_172_201_500, 1_779_172_201.5])
def test_a_time_may_be_in_seconds_milliseconds_or_a_date(tmp_path: Path, time: object) -> None:
    said = message("receive", 0.0, "x")
    said["time"] = time
    (connection,) = of(tmp_path, entry(0.0, 9.0, [said])).timeline.connections
    assert connection.received.last is not None
    assert connection.received.last.t == pytest.approx(1.5)


def test_compressed_or_with_a_mark_in_front_it_is_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, *IDLE)
    content = path.read_bytes()
    expected = tell(understood(path)).headline
    for other in (gzip.compress(content), b"\xef\xbb\xbf" + content, content.decode().encode("utf-16")):
        path.write_bytes(other)
        assert tell(understood(path)).headline == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text(*IDLE)[:900], "a HAR that cannot be read (its end is cut off: export it again)"),
        (text(), "a HAR without any entry: record with the network panel open, then export again"),
        (text(PAGE), "a HAR with 1 request and no WebSocket: record from before the page connects"),
        ('{"log": {"entries": 3}}', "it was changed by hand, or is of another kind"),
    ],
)
def test_a_broken_har_is_refused_in_one_plain_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "page.har"
    path.write_text(content)
    with pytest.raises(TraceError) as refused:
        open_trace(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_where_nothing_can_be_replayed_it_is_said(tmp_path: Path) -> None:
    refused = of(tmp_path, entry(0.0, 0.03, status=401))
    assert nothing_to_replay(refused) == "no connection in it, so there is nothing to replay"
    assert nothing_to_replay(of(tmp_path, *IDLE)) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("startedDateTime", "time", "request", "response", "_resourceType", "_webSocketMessages")


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_stands_in_an_entry_there_is_no_traceback(tmp_path: Path, data: st.DataObject) -> None:
    entries = json.loads(text(*FIRST_LINES["nobody listens"][0]))["log"]["entries"]
    for _ in range(data.draw(st.integers(1, 3))):
        changed = data.draw(st.sampled_from(entries))
        changed[data.draw(st.sampled_from(FIELDS))] = data.draw(ANY)
        messages = changed.get("_webSocketMessages")
        if isinstance(messages, list) and messages and isinstance(messages[0], dict):
            messages[0][data.draw(st.sampled_from(("type", "time", "opcode", "data")))] = data.draw(ANY)
    path = written(tmp_path, *entries)
    with suppress(TraceError):
        assert tell(understood(path)).headline
        list(open_trace(path).events())


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_anywhere_it_is_refused_and_no_traceback(tmp_path: Path, data: st.DataObject) -> None:
    content = text(PAGE, *IDLE[:1])
    path = tmp_path / "page.har"
    path.write_text(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(TraceError):
        open_trace(path)
