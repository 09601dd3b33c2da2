"""What a run without a fault shows, point by point."""

from typing import Any

from chaos.history import Attempted, History, Reached
from chaos.profile import Profile
from chaos.trial import Point, points
from simulator import events as peer
from simulator.entrance import Opening
from simulator.identity import ByPath
from tests.chaos.histories import STEADY, Parts, broke, ended, offered, opened, record

STOP = Reached(t=20.0, phase="stopping")
PONGS = [
    peer.Pinged(t=9.0, link="output", connection=1),
    peer.PongCame(t=9.1, link="output", connection=1, took=0.1),
]
CHAT = Profile(kind="duplex", identity=ByPath("id"))
RELAY = Profile()


def came(*seqs: int, as_it_was: bool = True) -> list[peer.Delivered]:
    """Messages of the peer's, as they were or changed."""
    return [
        peer.Delivered(
            t=seq + 0.5,
            stream="relay",
            seq=seq,
            size=10,
            digest=0,
            content=0 if as_it_was else 7,
            connection=1,
        )
        for seq in seqs
    ]


def unreadable(begins: str) -> peer.Unreadable:
    return peer.Unreadable(t=5.0, reason="no number", connection=1, begins=begins)


def of(profile: Profile, *parts: Parts) -> dict[str, Point]:
    numbering: Any = profile.numbering
    history: History = record(*parts, STOP, role=profile.kind, numbering=numbering)
    return {point.what: point for point in points(history, profile)}


def whole_relay(*parts: Parts) -> dict[str, Point]:
    begin = [STEADY, opened(0.1, 1), opened(0.2, 2, "input"), offered(1, 2, 3)]
    return of(RELAY, *begin, *parts, PONGS, ended(20.5, number=1), ended(20.6, number=2, link="input"))


def test_a_whole_relay_has_every_point() -> None:
    found = whole_relay(came(1, 2, 3))
    assert {point.answer for point in found.values()} == {"yes"}
    assert list(found) == [
        "lasts to the end",
        "connected to the input",
        "connected to the output",
        "messages offered",
        "messages came",
        "a number in each",
        "bodies as they came",
        "answers Pings",
        "closes in good order",
    ]


def test_who_never_connects_is_told_that_and_no_more() -> None:
    found = of(RELAY, Attempted(t=1.0, link="input"))
    assert list(found) == ["lasts to the end", "connected to the input", "connected to the output"]
    assert found["connected to the input"].seen == "1 attempts, and no handshake"
    assert found["connected to the output"].seen == "it never tried"


def test_who_is_turned_away_is_told_what_is_missing() -> None:
    away = peer.TurnedAway(t=1.0, link="output", status=401, why="the header X is missing")
    seen = of(CHAT, away)["connected to the output"].seen
    assert seen == "1 handshakes were answered with 401: the header X is missing"


def test_a_number_at_another_place_is_found_there() -> None:
    odd = unreadable('{"size": 70, "data": {"number": 2}}')
    point = whole_relay(odd)["a number in each"]
    assert point.answer == "no"
    assert "1 of 1 have none at sequence" in point.seen
    assert point.costs.endswith("there is one at data.number: --identity data.number")
    own = of(CHAT, opened(0.1, 1), offered(1), unreadable('{"n": 70}'))["a number in each"]
    assert own.costs.endswith("--identity n")
    assert "--identity" not in whole_relay(unreadable("hello"))["a number in each"].costs


def test_bodies_are_all_as_they_came_or_some_changed_or_all() -> None:
    some = whole_relay(came(1, 2), came(3, as_it_was=False))["bodies as they came"]
    assert (some.answer, some.seen) == ("no", "1 of 3 are changed")
    every = whole_relay(came(1, 2, 3, as_it_was=False))["bodies as they came"]
    assert (every.answer, every.seen) == ("no", "all are changed")
    assert "transforms = true" in every.costs


def test_a_peer_that_waits_in_vain_for_a_subscription_says_for_what() -> None:
    profile = Profile(kind="receiver", opening=Opening(subscription="please"))
    point = of(profile, opened(0.1, 1, "input"))["messages offered"]
    assert (point.answer, point.seen) == ("no", "none")
    assert "nothing that matches 'please'" in point.costs


def test_a_ping_that_is_not_answered_costs_the_connection_elsewhere() -> None:
    silent = of(CHAT, opened(0.1, 1), PONGS[:1])["answers Pings"]
    assert (silent.answer, silent.seen) == ("no", "not on 1 of 1 connections")
    assert of(CHAT, opened(0.1, 1))["answers Pings"].answer == "-"


def test_an_end_without_a_close_frame_is_no_good_order() -> None:
    abrupt = of(CHAT, opened(0.1, 1), ended(20.5, "network", code=1006))["closes in good order"]
    assert (abrupt.answer, abrupt.seen) == ("no", "1006 by the network on the output")
    assert of(CHAT, opened(0.1, 1))["closes in good order"].answer == "-"


def test_a_client_that_does_not_last_is_told_first() -> None:
    found = of(CHAT, opened(0.1, 1), broke("client"))
    assert found["lasts to the end"].seen == "RuntimeError: boom"


def test_without_an_identity_nobody_looks_for_one() -> None:
    profile = Profile(kind="duplex", identity=None)
    point = of(profile, opened(0.1, 1), offered(1), came(1))["a number in each"]
    assert (point.answer, point.costs) == ("-", "no-loss, in-order, intact and dedup-safe are not judged")
