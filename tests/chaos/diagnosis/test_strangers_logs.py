"""What an expert reads out of a stranger's log: a test for each kind, on logs that are made here."""

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from chaos.diagnosis.causes import Cause
from chaos.diagnosis.endings import End
from chaos.judging.log_checks import judge_log
from chaos.timeline.from_log import timeline
from chaos.traces.log_reading import read_log
from chaos.traces.log_survey import survey
from chaos.traces.problems import Problems
from tests.chaos.logs import Log, causes, told, understood


def verdict(text: str) -> str:
    return judge_log(understood(text)).verdict


# Keepalive


def dead_feed() -> Log:
    log = Log().opens(0).sends(0.2, "subscribe")
    for t in range(3, 37, 3):
        log.gets(t, f"price {t}")
    return log.pings(20, "0a 0b 0c 0d").pings(40, "1a 0b 0c 0d", pong=None).gives_up(60)


def sorted_by_time(log: Log) -> Log:
    log.lines.sort(key=lambda line: line[0])
    return log


def test_a_feed_that_dies_is_no_client_that_does_not_read() -> None:
    log = sorted_by_time(dead_feed()).say(70, "< EOF", "= connection is CLOSED").text()
    found = understood(log)
    assert [f.cause for f in found.findings] == [Cause.NO_PONG]
    (ending,) = found.endings
    assert ending.connection.heard is not None
    assert ending.connection.heard.t == 36
    assert told(log).headline == (
        "This client gave up at +1:00.0 with code 1011: its Ping of +40.0 s got no answer in 20.0 s; nothing at all had"
        " come since +36.0 s; the end of the TCP connection took 10.0 s more."
    ).removesuffix(".")
    assert told(log).unknown == ("whether the network or the server went away: from here both look alike",)


def test_a_client_that_is_still_closing_when_the_log_ends_is_told_so_and_passes_nothing() -> None:
    log = sorted_by_time(dead_feed()).text()
    assert told(log).headline.endswith("It is still CLOSING when the log ends")
    assert verdict(log) != "pass"


def test_a_peer_that_talks_on_and_answers_no_ping_is_no_dead_path() -> None:
    log = Log().opens(0).pings(20, "01 02 03 04", pong=None).gets(30).gets(39).gives_up(40).text()
    assert causes(log) == [Cause.NO_PONG]
    assert "although the server went on talking until +39.0 s" in told(log).headline


def test_pongs_with_another_payload_are_the_peers_fault() -> None:
    log = Log().opens(0)
    for t in (20, 40):
        log.say(t, f"> PING {t} 0b [binary, 2 bytes]", "% sent keepalive ping", "< PONG '' [0 bytes]")
    found = understood(log.gives_up(60).text())
    assert found.findings[0].cause is Cause.WRONG_PONGS
    assert found.findings[0].confidence == "certain"


def test_versions_before_10_say_it_in_other_words() -> None:
    old = "websockets.protocol"
    log = Log(logger=old)
    for t, message in (
        (0, "client - state = CONNECTING"),
        (0, "client > GET /old HTTP/1.1"),
        (0, "client > Headers([('Host', 'a.example'), ('User-Agent', \"Python/3.7 websockets/7.0\")])"),
        (0.1, "client < HTTP/1.1 101 Switching Protocols"),
        (0.1, "client - state = OPEN"),
        (5, "client < Frame(fin=True, opcode=1, data=b'it\\'s', rsv1=False, rsv2=False, rsv3=False)"),
        (20, "client > Frame(fin=True, opcode=9, data=b'\\x07\\x08', rsv1=False, rsv2=False, rsv3=False)"),
        (20.2, "client < Frame(fin=True, opcode=10, data=b'zz', rsv1=False, rsv2=False, rsv3=False)"),
        (20.2, "client - received unsolicited pong: 7a7a"),
        (40, "client ! timed out waiting for pong"),
        (40, "client ! failing OPEN WebSocket connection with code 1011"),
        (40, "client - state = CLOSING"),
        (40, "client > Frame(fin=True, opcode=8, data=b'\\x03\\xf3', rsv1=False, rsv2=False, rsv3=False)"),
        (40.1, "client - event = connection_lost(None)"),
        (40.1, "client - state = CLOSED"),
        (40.1, "client x code = 1006, reason = [no reason]"),
    ):
        log.say(t, message)
    found = understood(log.text())
    assert [f.cause for f in found.findings] == [Cause.WRONG_PONGS, Cause.NO_PONG]
    assert found.timeline.library == "7.0"
    (ending,) = found.endings
    assert (ending.connection.path, ending.connection.received.words) == ("/old", '"it\'s"')


def test_a_ping_without_an_answer_at_the_end_is_told() -> None:
    log = (
        Log()
        .opens(0)
        .pings(20, "01 02")
        .pings(40, "01 03", pong=None)
        .say(49, "later", logger="app")
        .gets(49)
    )
    assert causes(log.text()) == [Cause.PING_WAITS, Cause.NO_END]
    assert told(log.text()).headline == "The Ping of +40.0 s has no answer when the log ends, 9.0 s later"


def test_the_first_ping_comes_late_and_its_pong_does_not() -> None:
    log = Log().opens(0).pings(20, "01 02").ends(26).opens(28.5).pings(48.5, "01 03").text()
    assert causes(log) == [Cause.STREAM_ENDED, Cause.NO_END]
    assert told(log).headline.endswith("; connected again 2.5 s later")
    assert ("round trips", "2: 40 ms, median 40 ms") in told(log).figures


# Ends


def test_a_log_that_ends_at_the_failure_is_no_pass() -> None:
    log = Log().opens(0).pings(20, "01 02").ends(31.5).text()
    (ending,) = understood(log).endings
    assert (ending.what, ending.at and ending.at.t) == (End.STREAM_ENDED, 31.5)
    assert told(log).headline == (
        "The stream ended without a close frame (1006) at +31.5 s, 31.5 s after connecting, 11.5 s after the last Pong"
    )
    assert verdict(log) == "unknown"


def test_a_log_that_ends_after_a_quick_return_passes() -> None:
    assert verdict(Log().opens(0).ends(31).opens(33).gets(40).text()) == "pass"


def test_a_message_that_is_too_big_is_this_sides_failure() -> None:
    close = "> CLOSE 1009 (message too big) frame with 2097152 bytes exceeds limit of 65536 bytes [61 bytes]"
    log = Log().opens(0).say(4, close, "= connection is CLOSING").ends(4.1).text()
    assert causes(log) == [Cause.MAX_SIZE]
    assert "a message of 2,097,152 bytes exceeds its max_size of 65,536" in told(log).headline
    assert verdict(log) == "fail"


def test_a_close_is_told_with_its_reason_and_the_last_words() -> None:
    log = (
        Log()
        .opens(0)
        .gets(0.9, '{"error":"quota"}')
        .peer_closes(1, "1008 (policy violation) over quota")
        .text()
    )
    assert causes(log) == [Cause.PEER_CLOSE]
    assert told(log).headline == (
        'The server closed with 1008 (policy violation) "over quota" at +1.0 s, 970 ms after connecting; its last message:'
        ' {"error":"quota"}'
    )
    assert "reconnecting alone will not help" in told(log).findings[0].remedy


def test_a_log_that_begins_in_the_middle_has_no_opening_and_counts_nothing_from_it() -> None:
    log = Log().pings(3, "01 02").peer_closes(9, "1012 (service restart)").text()
    found = understood(log)
    assert found.findings[0].cause is Cause.PEER_RESTART
    assert (found.endings[0].connection.opened, found.endings[0].age) == (None, None)
    assert "after connecting" not in json.dumps([row.text for row in told(log).story])
    assert "when it was opened: the log begins in the middle of a connection" in told(log).unknown


def test_a_short_log_is_answered_on_a_screen() -> None:
    log = Log()
    for n in range(5):
        log.opens(n * 2).peer_closes(n * 2 + 0.2, "1000 (OK)")
    found = told(log.text())
    assert found.headline.startswith(
        "The server closed 5 of 5 connections with 1000 (normal), 170 ms after connecting"
    )
    assert len(found.story) + len(found.table) <= 24


# The whole of several connections


def test_the_same_silence_before_each_end_is_an_idle_time_out() -> None:
    log = Log()
    for n in range(3):
        begin = n * 100
        log.opens(begin).sends(begin + 1 + 5 * n).ends(begin + 46 + 5 * n)
    found = understood(log.text()).findings[0]
    assert (found.cause, found.confidence, found.count, found.of) == (Cause.IDLE_TIMEOUT, "likely", 3, 3)
    assert found.seconds == pytest.approx(45)
    assert "nothing was down" in told(log.text()).headline


def test_silences_of_different_lengths_are_no_time_out() -> None:
    log = Log().opens(0).sends(1).ends(20).opens(30).sends(31).ends(80)
    assert causes(log.text()) == [Cause.STREAM_ENDED]


def test_the_same_age_at_each_end_is_a_limit_of_it() -> None:
    log = Log()
    for n in range(3):
        log.opens(n * 200)
        for t in range(7, 120, 7 + n):
            log.gets(n * 200 + t)
        log.ends(n * 200 + 120)
    found = understood(log.text()).findings[0]
    assert (found.cause, found.confidence) == (Cause.AGE_LIMIT, "likely")
    assert found.seconds == pytest.approx(119.97)


def blocked() -> Log:
    log = Log().opens(0)
    for t in range(2, 16, 2):
        log.gets(t)
    log.sends(15)
    for _ in range(9):
        log.gets(48)
    return log


def test_a_loop_that_was_blocked_is_known_by_the_burst_after_it() -> None:
    log = blocked().peer_closes(48.1, "1011 (internal error) keepalive ping timeout").text()
    found = understood(log).findings
    assert [f.cause for f in found] == [Cause.LOOP_BLOCKED, Cause.PEER_NO_PONG]
    still = found[0].standstill
    assert still is not None
    assert (still.begin.t, still.end.t, still.burst) == (15, 48, 9)
    assert told(log).headline.startswith("From +15.0 s to +48.0 s this client itself did nothing for 33.0 s")


def test_pings_that_were_due_and_not_sent_show_a_process_that_stood_still() -> None:
    log = Log().opens(0).pings(10, "01 01").pings(20, "01 02").pings(55, "01 03").text()
    found = understood(log).findings
    assert [f.cause for f in found] == [Cause.LOOP_BLOCKED, Cause.NO_END]
    assert (found[0].of, found[0].confidence) == (3, "likely")


def test_a_quiet_connection_without_keepalive_is_no_blocked_loop() -> None:
    assert causes(Log().opens(0).gets(1).gets(90).text()) == [Cause.NO_END]


def test_attempts_that_nobody_heard_say_that_the_server_was_down() -> None:
    log = Log().opens(0).ends(12)
    for n in range(4):
        log.say(
            14 + 3 * n,
            "retrying: ConnectionRefusedError: [Errno 111] Connect call failed ('::1', 80)",
            logger="app",
        )
    found = understood(log.opens(30).gets(31).text()).findings
    assert found[0].cause is Cause.SERVER_DOWN
    assert (found[0].count, found[0].seconds) == (4, pytest.approx(18.03))
    assert verdict(log.text()) == "unknown"


def test_a_storm_of_attempts_is_told_with_its_rate() -> None:
    log = Log()
    for n in range(20):
        log.asks(n * 0.2).is_answered(n * 0.2 + 0.05, "503 Service Unavailable")
    found = understood(log.text())
    assert {f.cause for f in found.findings} == {Cause.STORM, Cause.REFUSED_FOR_NOW}
    assert verdict(log.text()) == "fail"


def test_a_server_that_began_to_listen_again_was_restarted() -> None:
    log = Log("server").say(0, "server listening on 0.0.0.0:8765", logger="websockets.server").opens(1)
    log.say(60, "server listening on 0.0.0.0:8765", logger="websockets.server")
    found = understood(log.text())
    assert found.findings[0].cause is Cause.OWN_RESTART
    assert found.timeline.side == "server"


# Handshakes


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("200 OK", Cause.NO_UPGRADE),
        ("401 Unauthorized", Cause.REFUSED_FOR_GOOD),
        ("404 Not Found", Cause.REFUSED_FOR_GOOD),
        ("429 Too Many Requests", Cause.REFUSED_FOR_NOW),
        ("502 Bad Gateway", Cause.REFUSED_FOR_NOW),
    ],
)
def test_an_answer_other_than_101_is_told_with_what_it_means(status: str, cause: Cause) -> None:
    log = Log()
    for t in (0, 7):
        log.asks(t).is_answered(t + 0.1, status, "Content-Type: text/html", body="<html>no</html>")
    assert causes(log.text()) == [cause]
    assert status.split(maxsplit=1)[0] in told(log.text()).headline


def test_how_long_to_wait_is_told_where_the_answer_says_it() -> None:
    log = Log().asks(0).is_answered(0.1, "503 Service Unavailable", "Retry-After: 120").text()
    assert "(Retry-After: 120)" in told(log).headline


def test_a_redirect_is_one_link_and_no_refusal() -> None:
    log = Log().asks(0, "/live").is_answered(0.1, "302 Found", "Location: wss://b.example/v2/live")
    log.opens(0.2, "/v2/live").pings(20.2, "01 02")
    found = understood(log.text())
    assert [f.cause for f in found.findings] == [Cause.REDIRECT, Cause.NO_END]
    assert {c.link for c in found.timeline.connections} == {"/live"}
    assert verdict(log.text()) == "pass"


def test_somebody_who_connects_and_says_nothing_is_a_health_check() -> None:
    log = Log("server")
    for t in (0, 10, 20):
        log.say(t, "= connection is CONNECTING", "! invalid handshake")
        log.raw(
            "Traceback (most recent call last):",
            "EOFError: connection closed while reading HTTP request line",
        )
    (found,) = understood(log.text()).findings
    assert (found.cause, found.count, found.seconds) == (Cause.HEALTH_CHECK, 3, 10)


# A server


def test_a_servers_log_is_told_from_its_side() -> None:
    log = Log("server").opens(0, "/device/3").gets(1, "boot").pings(20, "01 02").pings(40, "01 03", pong=None)
    log.gives_up(60).say(70, "< EOF", "= connection is CLOSED")
    assert told(log.text()).headline == (
        "/device/3: this server gave up at +1:00.0 with code 1011: its Ping of +40.0 s got no answer in 20.0 s; nothing at"
        " all had come since +20.0 s; the end of the TCP connection took 10.0 s more"
    )


def test_a_server_is_known_by_its_loggers_name_alone() -> None:
    log = Log("server").gets(1, "boot").pings(20, "01 02", pong=None).gives_up(40).text()
    assert told(log).headline.startswith("This server gave up")


# Nothing but INFO and tracebacks


def test_a_log_of_exceptions_alone_gives_a_tally() -> None:
    timed_out = "sent 1011 (internal error) keepalive ping timeout; no close frame received"
    log = Log(logger="app")
    for t in (0, 300, 610):
        log.say(t, "connected").say(t + 50, "lost").raw(
            f"websockets.exceptions.ConnectionClosedError: {timed_out}"
        )
    log.say(700, "server rejected WebSocket connection: HTTP 403")
    found = understood(log.text())
    assert [(f.cause, f.count) for f in found.findings] == [
        (Cause.CLOSES_TOLD, 3),
        (Cause.REFUSED_FOR_GOOD, 1),
    ]
    assert told(log.text()).headline == (
        '3 times: this client closed with 1011 (internal error) "keepalive ping timeout" and got no close frame back: its'
        " Ping was not answered; first at +50.0 s, 5:00.0 min to 5:10.0 min apart"
    )
    assert verdict(log.text()) == "unknown"


def test_a_time_out_of_the_program_is_no_attempt_that_failed() -> None:
    log = Log().opens(0).gets(1).say(9, "> CLOSE 1000 (OK) [2 bytes]", "= connection is CLOSING").ends(9.1)
    assert causes(log.say(9.2, "TimeoutError", logger="app").text()) == [Cause.OWN_CLOSE]


def test_an_answer_that_came_very_late_is_told_although_nothing_ended() -> None:
    log = Log().opens(0).pings(20, "01 02").pings(40, "01 03", pong=15).pings(75, "01 04").text()
    assert causes(log) == [Cause.LATE_PONG, Cause.NO_END]
    assert told(log).headline.startswith("The answer to the Ping of +40.0 s took 15.0 s")


def test_a_program_that_went_away_from_its_connections_is_no_trouble_of_the_network() -> None:
    log = Log().opens(0, "/a").opens(0.1, "/b")
    for _ in range(2):
        log.say(9, "> CLOSE 1011 (internal error) [2 bytes]", "= connection is CLOSING")
    assert causes(log.text()) == [Cause.LEFT]


def test_a_servers_info_lines_and_tracebacks_give_a_tally_of_codes_and_gaps() -> None:
    log = Log("server").say(0, "server listening on 0.0.0.0:9000")
    for t in (5, 105, 205):
        log.say(t, "connection open").say(t + 61, "connection handler failed")
        log.raw("Traceback (most recent call last):", '  File "/app.py", line 3, in handler')
        log.raw("websockets.exceptions.ConnectionClosedError: no close frame received or sent")
    (finding,) = understood(log.text()).findings
    assert (finding.cause, finding.count) == (Cause.CLOSES_TOLD, 3)
    found = told(log.text())
    assert found.headline == (
        "3 times: a connection ended without a close frame either way (1006): the client or something on the way cut it;"
        " first at +1:06.0, 100.0 s apart"
    )
    assert ("connections", "3 opened, as its lines say") in found.figures


def test_memory_does_not_grow_with_the_length_of_a_connection() -> None:
    def lines(count: int) -> Iterator[tuple[int, str]]:
        yield from enumerate(Log().opens(0).text().splitlines(), 1)
        for n in range(count):
            time = f"2026-05-11 {7 + n // 36000:02}:{n // 600 % 60:02}:{n // 10 % 60:02},{n % 10}00"
            yield 10 + n, f"{time} DEBUG websockets.client: < TEXT 'price {n}' [12 bytes]"

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            surveyed = survey(lines(count))
            made = timeline(surveyed, read_log(surveyed, lines(count), Problems()))
            assert made.connections[0].received.messages == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10_000)  # what is cached once is there from now on
    assert peak(20_000) < peak(10_000) + 100_000


def test_two_connections_of_threads_are_told_apart_by_who_receives_for_them() -> None:
    """The one that ended first is the one whose thread says so, although nothing else tells it from the other."""
    log = Log().opens(0, "/first").opens(0.1, "/second").peer_closes(5, "1001 (going away)")
    lines = log.peer_closes(9, "1001 (going away)").text().splitlines()
    receiving = [
        n for n, line in enumerate(lines) if ": < " in line or "is OPEN" in line or "is CLOS" in line
    ]
    threads = {
        n: "Thread-1" if place < 2 or 4 <= place < 8 else "Thread-2" for place, n in enumerate(receiving)
    }
    text = "\n".join(
        line.replace("DEBUG", f"DEBUG [{threads.get(n, 'MainThread')}]") for n, line in enumerate(lines)
    )
    found = {e.connection.path: e.at.t for e in understood(text).endings if e.at is not None}
    assert found == {"/first": 5, "/second": 9}


def test_a_ping_that_leaves_with_the_opening_sets_no_interval_and_breaks_no_reading() -> None:
    log = Log().opens(0, took=0.0).pings(0.0, "0a").pings(20.0, "0b").pings(40.0, "0c").gets(95.0).ends(96.0)
    found = understood(log.text())
    assert found.timeline.ping_interval == 20.0
    only = Log().opens(0, took=0.0).pings(0.0, "0a").gets(9.0).ends(10.0)
    assert understood(only.text()).timeline.ping_interval is None


def test_two_loggers_that_ping_with_the_same_words_are_two_connections() -> None:
    """One program, and a Ping of its own with a fixed payload on either."""
    one, other = Log(logger="bot.left"), Log(logger="bot.right")
    one.opens(0).pings(20.0, "68 62").pings(40.0, "68 62").ends(47.0)
    other.opens(0.01).pings(20.02, "68 62").pings(40.02, "68 62").peer_closes(50.0, "1001 (going away)")
    both = Log()
    both.lines = sorted([*one.lines, *other.lines], key=lambda line: line[0])
    found = understood(both.text())
    assert [(e.connection.pings.answered, e.connection.pings.stray) for e in found.endings] == [
        (2, 0),
        (2, 0),
    ]
    assert [finding.cause for finding in found.findings] == [Cause.STREAM_ENDED, Cause.PEER_CLOSE]


def test_a_client_and_a_server_in_one_log_are_told_apart_by_their_loggers() -> None:
    client, server = Log(), Log("server")
    client.opens(0, "/feed").gets(10.0).pings(20.0, "68 62").pings(40.0, "68 62", pong=None).gives_up(
        60.0
    ).ends(70.0)
    server.opens(0.01, "/device").pings(20.01, "68 62").ends(30.0)
    both = Log()
    both.lines = sorted([*client.lines, *server.lines], key=lambda line: line[0])
    found = understood(both.text())
    assert [(e.connection.link, e.what) for e in found.endings] == [
        ("/feed", End.NO_PONG),
        ("/device", End.STREAM_ENDED),
    ]
    assert "this server" not in told(both.text()).headline
    (other,) = [finding.text for finding in told(both.text()).findings if finding.cause is Cause.STREAM_ENDED]
    assert "/device: the stream ended" in other.lower()


def test_what_a_server_and_a_client_in_one_log_gave_up_is_told_of_each() -> None:
    client, server = Log(), Log("server")
    client.opens(0, "/feed").pings(20.0, "0a").pings(40.0, "0b", pong=None).gives_up(60.0).ends(60.1)
    server.opens(0.01, "/device").pings(20.01, "1a", pong=None).gives_up(40.01).ends(40.1)
    both = Log()
    both.lines = sorted([*client.lines, *server.lines], key=lambda line: line[0])
    found = told(both.text())
    assert {(finding.text.split(" at ")[0], finding.remedy) for finding in found.findings} == {
        ("/device: this server gave up", "a server can only let go; the client has to come back by itself"),
        (
            "/feed: this client gave up",
            "connect again, with a back-off: a client can do no more about a dead path",
        ),
    }
    assert any("/device: this server gave up" in row.text for row in found.story)
    assert any("/feed: this client gave up" in row.text for row in found.story)
