"""A stranger's log, replayed: what is assumed of network and peer, what the client does, and when it is no evidence."""

from pathlib import Path

import pytest

from chaos.diagnosis.findings import Finding
from chaos.replay.cases import Case, Wanted, understand
from chaos.replay.field_pauses import UNKNOWN, pauses
from chaos.replay.playing import Replayed
from chaos.scenario import ClientOverrides
from chaos.traces.reading import open_trace
from tests.chaos.logs import Log


def case(log: Log, folder: Path) -> Case:
    file = folder / "stranger.log"
    file.write_text(log.text())
    return understand(open_trace(file), folder)


def replayed(case: Case) -> Replayed:
    done, _ = Wanted(None, ClientOverrides(), "sim", 0, 10.0).play(case, minimised=False)
    return done


def assumed(case: Case) -> list[Finding]:
    return [finding for _, finding in case.made.faults]


def reopened() -> Log:
    """Ended, opened again two seconds later, and both times well until the keepalive's first Ping."""
    log = Log().opens(0).pings(20.0, "0a").pings(40.0, "0b").ends(50.0)
    return log.opens(52.0).pings(72.0, "0c").pings(92.0, "0d")


def test_a_keepalive_that_first_asks_after_20_s_was_answered_at_once(tmp_path: Path) -> None:
    assert [finding.kind for finding in assumed(case(reopened(), tmp_path))] == ["down"]


def test_a_first_ping_that_waits_for_its_pong_is_a_mute_peer(tmp_path: Path) -> None:
    log = Log().opens(0).pings(20.0, "0a").pings(40.0, "0b").ends(50.0)
    log.opens(52.0).pings(72.0, "0c", pong=6.0).pings(92.0, "0d")
    found = case(log, tmp_path)
    assert [(finding.kind, finding.why) for finding in assumed(found)] == [
        ("down", "stream ended without a close frame"),
        ("mute_pong", "a connection on which the first Pong took 6.0 s"),
    ]


TO_THE_END = {
    "the stream ends": (Log().opens(0).pings(20.0, "0a").ends(27.0), "down"),
    "the keepalive gives up, and no CLOSED follows": (
        Log().opens(0).pings(20.0, "0a").pings(40.0, "0b", pong=None).gives_up(60.0),
        "stall",
    ),
    "the peer closes at once": (
        Log().opens(0).peer_closes(0.3, "1008 (policy violation) no"),
        "accept_then_close",
    ),
    "no Ping of the first connection is answered": (
        Log().opens(0).pings(20.0, "0a", pong=None).gives_up(40.0).ends(40.1),
        "mute_pong",
    ),
}


@pytest.mark.parametrize("name", TO_THE_END)
def test_a_log_that_ends_at_the_failure_has_a_trouble_that_comes_again(tmp_path: Path, name: str) -> None:
    log, kind = TO_THE_END[name]
    found = case(log, tmp_path)
    assert [finding.kind for finding in assumed(found)] == [kind]
    comparison = replayed(found).comparison
    assert comparison.verdict == "reproduced", comparison.rows


def test_what_a_client_ended_for_a_reason_of_its_own_is_neither_reproduced_nor_without_trouble(
    tmp_path: Path,
) -> None:
    log = (
        Log()
        .opens(0)
        .sends(0.1)
        .say(1.0, "> CLOSE 1009 (message too big) [2 bytes]", "= connection is CLOSING")
    )
    found = case(log.ends(1.02), tmp_path)
    assert not assumed(found)
    assert replayed(found).comparison.verdict == "not"


@pytest.mark.parametrize("close", ["1000 (OK)", "1001 (going away)", "1011 (internal error)"])
def test_a_client_that_closes_at_the_end_without_a_trouble_only_stopped(tmp_path: Path, close: str) -> None:
    log = Log().opens(0).pings(20.0, "0a").say(30.0, f"> CLOSE {close} [2 bytes]", "= connection is CLOSING")
    assert replayed(case(log.ends(30.02), tmp_path)).comparison.verdict == "no-evidence"


def test_a_link_over_which_much_more_comes_than_goes_is_read_in_the_replay_and_not_written(
    tmp_path: Path,
) -> None:
    log = Log().opens(0).sends(0.1, "subscribe")
    for second in (6, 12, 18):
        log.gets(float(second))
    log.pings(20.0, "0a").gets(24.0).gets(30.0).pings(40.0, "0b", pong=None).gives_up(60.0)
    log.say(70.0, "< EOF", "= connection is CLOSED")
    found = case(log, tmp_path)
    assert found.seen.link("input").connections
    assert not found.seen.link("output").connections
    comparison = replayed(found).comparison
    assert comparison.verdict == "reproduced", comparison.rows


def test_the_replay_waits_before_each_attempt_as_the_program_did(tmp_path: Path) -> None:
    log = Log().opens(0).pings(20.0, "0a").ends(33.0)
    for t in (34.0, 38.0, 42.0):
        log.say(
            t, "reconnect failed: ConnectionRefusedError: [Errno 111] Connect call failed", logger="program"
        )
    found = case(log.opens(50.0).pings(70.0, "0b"), tmp_path)
    assert pauses(found.seen.link("input")) == pytest.approx([1.0, 4.0, 4.0, 8.0])
    comparison = replayed(found).comparison
    assert [row.replay.text for row in comparison.rows if row.replay] == [
        "connected",
        "closed 1006 by network",
        "refused, 3 times",
        "connected",
    ]
    assert comparison.verdict == "reproduced", comparison.rows


def test_a_client_that_is_turned_away_at_once_asks_again_only_now_and_then(tmp_path: Path) -> None:
    log, _ = TO_THE_END["the peer closes at once"]
    done = replayed(case(log, tmp_path))
    attempts = [row.replay.t for row in done.comparison.rows if row.replay]
    assert len(done.seen.link("output").connections) < done.seen.ended / UNKNOWN + 2, attempts


def test_the_replay_waits_for_the_end_of_a_dead_connection_as_long_as_the_program_did(tmp_path: Path) -> None:
    log = Log().opens(0).pings(20.0, "0a").pings(40.0, "0b", pong=None).gives_up(60.0)
    comparison = replayed(case(log.say(63.0, "= connection is CLOSED"), tmp_path)).comparison
    assert [
        row.replay.t - row.field.t for row in comparison.rows if row.replay and row.field
    ] == pytest.approx([0.0, 0.0, 0.0], abs=0.1)
    assert comparison.verdict == "reproduced", comparison.rows
