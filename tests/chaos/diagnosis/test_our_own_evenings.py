"""What real processes left behind when the mock server stood still for 10 s, or was killed for 5 s: logs of a relay."""

from datetime import datetime, timedelta

import pytest

from chaos.diagnosis.causes import Cause
from tests.chaos.logs import BEGIN, Log, causes, told, understood
from tests.chaos.real_logs.kinds import DATA, VERSIONS


def log(kind: str, version: str) -> str:
    return (DATA / f"{kind}-{version}-client.log").read_text()


FIRST_LINES = {
    (
        "evening-frozen",
        "10",
    ): "The server's process stood still for 10.1 s, from +5.8 s to +15.9 s: nothing came from it, then 2 connections had an answer in the same moment",
    (
        "evening-frozen",
        "13",
    ): "The server's process stood still for 10.0 s, from +5.8 s to +15.8 s: nothing came from it, then 2 connections had an answer in the same moment",
    (
        "evening-frozen",
        "17",
    ): "The server's process stood still for 10.2 s, from +5.6 s to +15.8 s: nothing came from it, then 2 connections had an answer in the same moment",
    (
        "evening-killed",
        "10",
    ): "Both connections ended in the same moment, at +5.2 s, without a close frame (1006); connected again 11.4 s later",
    (
        "evening-killed",
        "13",
    ): "Both connections ended in the same moment, at +5.1 s, without a close frame (1006); connected again 17.8 s later",
    (
        "evening-killed",
        "17",
    ): "Both connections ended in the same moment, at +5.1 s, without a close frame (1006); connected again 11.7 s later",
    (
        "two-links-frozen",
        "10",
    ): "The server's process stood still for 10.2 s, from +3.5 s to +13.8 s: its port still accepted, nothing answered, then 2 connections had an answer in the same moment; this client gave up 2 connections meanwhile",
    (
        "client-restarted",
        "17",
    ): "This client's process was started again: after +5.0 s it sent no Ping over a connection any more, nothing ended it, and the log goes on with a new connection",
    (
        "told-by-the-program",
        "17",
    ): "5 attempts failed from +4.8 s on, as nobody listened (ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 52381)); connected after 3.5 s: the server was down",
}


@pytest.mark.parametrize(("kind", "version"), FIRST_LINES)
def test_the_first_line_of_an_evening(kind: str, version: str) -> None:
    assert told(log(kind, version)).headline == FIRST_LINES[kind, version]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["evening-frozen", "two-links-frozen"])
def test_a_standstill_that_strikes_two_links_is_told_once(kind: str, version: str) -> None:
    text = log(kind, version)
    found = told(text)
    assert [f.cause for f in found.findings if f.cause is Cause.PEER_STOOD_STILL] == [Cause.PEER_STOOD_STILL]
    assert not {f.cause for f in found.findings} & {Cause.LATE_PONG, Cause.NO_PONG, Cause.LOOP_BLOCKED}
    (silence,) = understood(text).timeline.silences
    assert 9.5 <= silence.end.t - silence.begin.t <= 10.6  # 10 s, a tick and a moment


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ping_that_this_sides_own_standstill_left_unanswered_is_not_told_again(version: str) -> None:
    found = understood(log("client-frozen-pinging", version))
    given_up = [f for f in found.findings if f.cause is Cause.NO_PONG]
    assert [len(f.endings) for f in given_up] == [1]  # the one that came before
    assert {e.connection.number for e in given_up[0].endings} == {1}


@pytest.mark.parametrize("side", ["client-restarted-17-client", "server-died-17-server"])
def test_what_a_process_left_behind_is_not_told_as_open(side: str) -> None:
    story = [row.text for row in told((DATA / f"{side}.log").read_text()).story]
    assert sum("it ended with the process, which was started again" in text for text in story) == 1
    assert sum("still open when the log ends" in text for text in story) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_two_links_that_a_killed_server_ended_have_no_limit_of_their_age(version: str) -> None:
    assert causes(log("evening-killed", version)) == [Cause.STREAM_ENDED, Cause.NO_END]


def feed(log_: Log, begin: float, end: float, every: float = 0.5) -> Log:
    t = begin
    while t < end:
        log_.gets(t)
        t += every
    return log_


def one_link_that_pauses(burst: int) -> Log:
    """A message each half second for 5 s; then a Ping, nothing for 6 s, and so many messages at once."""
    made = feed(Log().opens(0), 0.5, 5).pings(5.0, "aa bb", pong=6.0)
    for _ in range(burst):
        made.gets(11.0)
    return feed(made, 11.5, 14)


def test_who_had_been_sending_meanwhile_did_not_stand_still() -> None:
    assert causes(one_link_that_pauses(12).text())[0] is Cause.LOOP_BLOCKED


def test_who_sends_no_more_than_a_few_messages_after_a_pause_stood_still_and_not_this_side() -> None:
    assert Cause.LOOP_BLOCKED not in causes(one_link_that_pauses(3).text())


def with_the_process(at: datetime, logger: str, message: str) -> str:
    """As a format with a pid has it; another process writes from the seventh second on."""
    pid = 100 if at < BEGIN + timedelta(seconds=7) else 200
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} {pid} {logger} DEBUG {message}"


def restarted(last_line: float = 5.0) -> Log:
    made = Log().opens(0)
    for n in range(1, int(last_line) + 1):
        made.pings(float(n), f"aa 0{n}")
    made.opens(8)
    for n in range(9, 13):
        made.pings(float(n), f"aa {n}")
    return made


def test_a_log_that_begins_anew_tells_a_restart_of_its_own_process() -> None:
    found = told(restarted().text(with_the_process))
    assert found.headline == (
        "This client's process was started again: after +5.0 s it sent no Ping over a connection any more, nothing ended it,"
        " and the log goes on with a new connection"
    )


def test_a_connection_whose_keepalive_goes_on_is_no_restart() -> None:
    made = restarted()
    for n in range(6, 13):
        made.lines += [(float(n), "websockets.client", f"> PING bb {n:02} [binary, 2 bytes]")]
        made.lines += [(float(n), "websockets.client", f"< PONG bb {n:02} [binary, 2 bytes]")]
    made.lines.sort(key=lambda line: line[0])
    assert Cause.OWN_RESTART not in causes(made.text())


def test_what_came_steadily_and_comes_no_more_is_told_where_no_ping_asks() -> None:
    made = feed(Log().opens(0), 0.5, 5)
    assert Cause.FELL_SILENT not in causes(made.text())
    made.say(15, "queue is empty", logger="app")
    assert told(made.text()).headline == (
        "Nothing has come since +4.5 s, for 10.5 s until the log ends; before, a message came every 497 ms. The connection is"
        " open, and no Ping was sent: a dead one looks like this"
    )


def test_an_application_says_that_it_is_connected_again() -> None:
    made = Log().say(0, "connected to the feed", logger="app")
    made.say(5, "ConnectionClosedError: no close frame received or sent", logger="app")
    for t in (6, 7, 8):
        made.say(t, "ConnectionRefusedError: [Errno 111] Connect call failed ('10.0.0.1', 80)", logger="app")
    assert told(made.text()).headline.endswith("; no connection came after it in the log")
    made.say(9, "reconnected", logger="app")
    assert told(made.text()).headline.endswith("; connected after 3.0 s: the server was down")
    made.say(10, "not connected, disconnected, never connected", logger="app")
    assert understood(made.text()).timeline.notices[-1][1].text == "reconnected"


def test_two_links_that_end_in_one_moment_have_one_cause_and_no_limit_of_their_age() -> None:
    made = Log(logger="feed").opens(0, "/a").gets(14).ends(15)
    made.lines += Log(logger="sink").opens(0.01, "/b").sends(14).ends(15.01).lines
    made.lines.sort(key=lambda line: line[0])
    assert causes(made.text()) == [Cause.STREAM_ENDED]


def test_what_had_stopped_coming_before_this_side_paused_is_not_this_sides_standstill() -> None:
    made = feed(Log().opens(0), 0.5, 5).pings(8.0, "aa bb", pong=6.0)
    for _ in range(14):
        made.gets(14.0)
    assert Cause.LOOP_BLOCKED not in causes(made.text())


def test_a_ping_given_up_long_after_its_time_out_shows_that_this_side_stood_still() -> None:
    made = Log().opens(0).pings(20, "aa 01", pong=None).gives_up(22).ends(22.1)
    made.opens(23).pings(43, "aa 02", pong=None).gives_up(53).ends(53.1)
    (still,) = understood(made.text()).timeline.standstills
    assert still.overdue == pytest.approx(8.0)
