"""`intact` and `single`: what arrives was offered before, as it was; and a link has one connection."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from chaos.history import Attempted, History, Reached, SocketClosed
from chaos.judging import intact, single
from chaos.judging.facts import Facts
from chaos.judging.peer_facts import PeerFacts
from simulator import events as peer
from tests.chaos.histories import STEADY, Parts, delivered, fault, opened, record, scenario, struck

STOP = Reached(t=40.0, phase="stopping")
BEGIN: list[Parts] = [STEADY, opened(0.1, 1), opened(0.2, 2, "input"), STOP]
FRAMES = range(1, 11)


def offered(*sequences: int, contents: bool = True) -> list[peer.PeerEvent]:
    """Each a moment before `delivered` has it arrive."""
    return [
        peer.Offered(t=n - 0.1, sequence=n, connection=2, content=n if contents else 0) for n in sequences
    ]


def came(*sequences: int, at: float | None = None, changed: bool = False) -> list[Any]:
    """`delivered`, with what each says."""
    return [
        msgspec.structs.replace(event, content=event.seq + 10_000 * changed)
        for event in delivered(*sequences, at=at)
    ]


def told(*parts: Parts) -> tuple[str, str] | None:
    check = intact.by_peer(PeerFacts(record(*BEGIN, *parts, role="relay"), ()), scenario())
    return None if check is None else (check.verdict, check.observed)


def test_frames_that_arrive_as_they_were_offered_are_intact() -> None:
    assert told(offered(*FRAMES), came(*FRAMES)) == ("pass", "10 as they came")


def test_a_frame_that_nobody_had_offered_was_invented() -> None:
    assert told(offered(*FRAMES), came(*FRAMES, 17)) == (
        "fail",
        "1 had not been offered when they arrived: the first is 17, at 17.0 s",
    )


def test_a_frame_that_arrives_before_it_is_offered_was_invented_too() -> None:
    assert told(offered(*FRAMES), came(9, at=3.0)) == (
        "fail",
        "1 had not been offered when they arrived: the first is 9, at 3.0 s",
    )


def test_some_bodies_that_were_changed_are_a_failure_and_all_of_them_a_purpose() -> None:
    assert told(offered(*FRAMES), came(1, 2, 3), came(4, 5, changed=True)) == (
        "fail",
        "2 of 5 bodies were changed: 4, 5",
    )
    assert told(offered(*FRAMES), came(*FRAMES, changed=True)) == (
        "note",
        "each had been offered; bodies not judged: the client changes every body",
    )


def test_without_checksums_of_what_was_offered_no_body_is_judged() -> None:
    found = told(offered(*FRAMES, contents=False), came(*FRAMES))
    assert found == ("note", "each had been offered; bodies not judged: nobody took down what was offered")


# single


def sockets(*times: tuple[float, float | None], link: peer.PeerLink = "output") -> list[Parts]:
    """Sockets by when they were asked for and closed; None: never."""
    opens: list[Parts] = [Attempted(t=begin, link=link) for begin, _ in times]
    return [
        *opens,
        *(SocketClosed(t=end, link=link, by="client") for _, end in times if end is not None),
    ]


def seen(*parts: Parts, seen: bool = True) -> History:
    return replace(record(STEADY, STOP, *parts, role="relay"), sockets_seen="all" if seen else "none")


def verdict(history: History, *faults: object) -> str | None:
    check = single.by_sockets(Facts(history, faults), scenario(*faults))  # type: ignore[arg-type]
    return None if check is None else check.verdict


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (((0.1, None),), "pass"),
        (((0.1, 10.0), (10.5, None)), "pass"),
        (((0.1, 10.8), (10.0, None)), "pass"),
        (((0.1, 11.5), (10.0, None)), "fail"),
        (((0.1, None), (10.0, None)), "fail"),
        (((0.1, None), (39.5, None)), "pass"),
    ],
    ids=[
        "one",
        "one after another",
        "a moment together",
        "too long together",
        "a leak",
        "just before the stop",
    ],
)
def test_a_link_has_one_connection(times: tuple[tuple[float, float | None], ...], expected: str) -> None:
    assert verdict(seen(sockets(*times))) == expected


def test_two_links_are_two_links() -> None:
    assert verdict(seen(sockets((0.1, None)), sockets((0.1, None), link="input"))) == "pass"


def test_what_is_given_up_under_a_fault_may_be_closed_meanwhile_and_not_long_after_it() -> None:
    stall = fault("stall", 10.0, 10.0)
    assert verdict(seen(sockets((0.1, 20.5), (15.0, None)), struck(stall)), stall) == "pass"
    assert verdict(seen(sockets((0.1, 25.0), (15.0, None)), struck(stall)), stall) == "fail"


def test_where_no_sockets_are_seen_nothing_is_said() -> None:
    assert verdict(seen(sockets((0.1, None), (10.0, None)), seen=False)) is None
