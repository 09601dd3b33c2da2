"""What is told beside a failure: the peer's view, the fault in force, and what the client did."""

from dataclasses import replace

import pytest

from chaos.history import Attempted, History, Reached
from chaos.judging.checks import judge
from chaos.judging.circumstances import circumstances
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Circumstances
from simulator import events as peer
from tests.chaos.histories import (
    STEADY,
    Parts,
    broke,
    delivered,
    ended,
    fault,
    offered,
    opened,
    record,
    scenario,
    struck,
)

STALL = fault("stall", 10.0, 15.0)
HEALTHY: list[Parts] = [STEADY, opened(0.1, 1), opened(0.2, 2, "input"), Reached(t=40.0, phase="stopping")]


def seen(*parts: Parts) -> History:
    return record(*HEALTHY, *parts, struck(STALL), role="relay")


def at(t: float, *parts: Parts) -> Circumstances:
    return circumstances(PeerFacts(seen(*parts), [STALL]), t)


def test_the_peer_tells_each_links_connection_and_the_arrivals_around_the_moment() -> None:
    assert at(15.0, delivered(*range(1, 11)), delivered(11, at=26.0)).peer == (
        "at 15.0 s: connection 2 on input, open since 0.2 s; connection 1 on output, open since 0.1 s;"
        " the last message came at 10.0 s, the next at 26.0 s"
    )


@pytest.mark.parametrize(
    ("by", "how"), [("client", "by the client with 1011"), ("network", "without a close frame")]
)
def test_where_there_is_no_connection_the_peer_tells_how_the_last_one_ended(by: str, how: str) -> None:
    told = at(20.0, ended(12.5, by, code=1011)).peer
    assert f"none on output: connection 1 had ended at 12.5 s {how}" in told
    assert told.endswith("no message came before, and none after")


def test_two_connections_at_once_are_told_by_their_numbers() -> None:
    assert "2 connections on output: number 1, number 3" in at(8.0, opened(7.0, 3)).peer


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (5.0, "none so far"),
        (12.0, "stall on output, 10s to 25s"),
        (27.0, "none; the last was stall on output, 10s to 25s, over for 2.0 s"),
    ],
)
def test_the_fault_is_the_one_in_force_or_the_last_one(moment: float, told: str) -> None:
    assert at(moment).fault == told


def test_attempts_in_a_rush_are_told_with_their_number_and_pace() -> None:
    rush = replace(
        seen([Attempted(t=5.0 + n * 0.0012, link="output") for n in range(1000)]), sockets_seen="all"
    )
    told = circumstances(PeerFacts(rush, [STALL]), 5.5).client
    assert told == "1000 attempts on output from 5.0 s to 6.2 s, one every 1.2 ms"


def test_a_client_that_left_unread_what_it_was_sent_is_told_and_one_that_never_pinged() -> None:
    unread = peer.Ended(t=30.0, link="output", connection=1, code=1006, by="network", pings=0, untaken=12.3)
    assert at(20.0, unread).client == (
        "it left unread what it was sent on output, for 12.3 s at a stretch; it never sent a Ping on output"
    )
    pinged = peer.Ended(t=30.0, link="output", connection=1, code=1006, by="network", pings=3)
    assert at(20.0, pinged).client == "nothing that explains it shows from outside"


def test_a_client_that_sends_nothing_although_it_could_is_told_so_but_not_under_a_fault() -> None:
    frames = offered(*range(1, 40))
    idle = at(32.0, frames, delivered(*range(1, 30)))
    assert idle.client == "it sent nothing from 29.0 s to 40.0 s, while 10 frames were offered"
    assert "sent nothing" not in at(15.0, frames, delivered(*range(1, 10), *range(26, 40))).client


def test_a_client_that_has_ended_is_told_with_the_time() -> None:
    assert at(20.0, broke("client", 14.0)).client == "it had come to its end at 14.0 s"
    assert "end" not in at(13.0, broke("client", 14.0)).client


def test_a_failed_check_of_a_whole_run_carries_the_circumstances_of_its_moment() -> None:
    kept = seen(offered(*range(1, 30)), delivered(*range(1, 10), *range(26, 30)))
    failed = next(check for check in judge(kept, scenario(STALL)).checks if check.name == "detect")
    assert failed.verdict == "fail"
    assert failed.circumstances is not None
    assert failed.circumstances.at == 15.0  # when it was due
    assert [head for head, _ in failed.told()] == ["expected", "observed", "peer", "fault", "client"]
    passed = next(check for check in judge(kept, scenario(STALL)).checks if check.name == "in-order")
    assert passed.circumstances is None
