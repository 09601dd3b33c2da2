"""Faults of the peer: what the mock server does while one is in force, and that it ends with it."""

from dataclasses import replace
from random import Random

import pytest

from chaos import peer_faults
from chaos.clients.tracker import TrackerClient
from chaos.history import Broke, Healed
from chaos.kinds import LINKS
from chaos.kinds.peer import PEER
from simulator import events as peer
from simulator.admission import Refusal
from simulator.feeds import LiveFeed
from simulator.pose_server import PoseServer
from tests.chaos.histories import fault
from tests.chaos.short_runs import SHORT, live, struck_by
from tracker import events


def test_a_peer_that_was_muted_answers_again_when_the_fault_is_over() -> None:
    history = live(struck_by("mute_pong"), TrackerClient())
    (healed,) = history.of(Healed)
    confirmed = [event.t - healed.t for event in history.of(events.Confirmed)]
    assert not any(-1.5 < after < 0 for after in confirmed)
    assert any(0 < after < 2 for after in confirmed)


def test_a_burst_ends_with_the_fault() -> None:
    history = live(struck_by("burst", on=None, fps=40), TrackerClient())
    (healed,) = history.of(Healed)
    during, after = (
        sum(begin < event.t - healed.t < begin + 1 for event in history.of(peer.Offered))
        for begin in (-1.5, 0.5)
    )
    assert (during, after) == (40, 10)


async def test_a_retry_after_is_asked_for_in_the_runs_own_seconds() -> None:
    feed = LiveFeed(lambda _: b"", interval=0.1)
    server = PoseServer(feed, report=lambda _: None)
    actor = peer_faults.Actor(server, feed, fps=10.0, scale=10.0, rng=Random(0))
    heal = await peer_faults.begin(actor, fault("refuse", 1.0, 2.0, status=503, retry_after=30))
    (keeper,) = server.door.keepers("output")
    assert isinstance(keeper, Refusal)
    assert (keeper.status, keeper.asked) == (503, 3)
    await heal()
    assert server.door.keepers("output") == ()


SETTLED = 20.0
"""Seconds after the last fault in which every delay and every handshake that hangs has come to its end."""
ORDERS = 3


@pytest.mark.parametrize("order", range(ORDERS))
def test_all_of_them_at_once_and_twice_on_both_links_heal_cleanly_in_any_order(order: int) -> None:
    rng = Random(order)
    faults = []
    for kind, spec in PEER.items():
        given = {
            name: spec.attributes[name].minimum for name, each in spec.attributes.items() if each.required
        }
        for link in (link for link in LINKS if link in spec.links) if spec.links else (None,):
            begins = 1.0 + rng.random(), 2.0 + rng.random()
            lasts = [None] * 2 if spec.lasts == "never" else [1.0 + 3 * rng.random() for _ in begins]
            given |= {"megabytes": 1} if kind in ("huge", "bomb") else {}
            given |= {"code": 1012} if "code" in given else {}
            faults += [
                fault(kind, at, each, on=link, **given) for at, each in zip(begins, lasts, strict=True)
            ]
    rng.shuffle(faults)
    last = max(each.heals_at or 0.0 for each in faults)
    history = live(replace(SHORT, duration=last + SETTLED + 5, faults=tuple(faults)), TrackerClient(), order)
    assert list(history.of(Broke)) == []
    healed = [event.t for event in history.of(Healed)]
    assert len(healed) == sum(each.spec.lasts != "never" for each in faults)
    steady = [event.seq for event in history.of(peer.Delivered) if event.t > max(healed) + SETTLED]
    assert len(steady) >= 4 * SHORT.workload.fps


def test_a_refresh_that_was_to_fail_after_the_heal_leaves_the_file_alone() -> None:
    expires = fault("credentials_expire", 1.0, 2.0, renewed_after=3000, refresh="fails-once")
    history = live(replace(SHORT, faults=(expires, fault("close", 4.5, code=1012))), TrackerClient())
    assert list(history.of(events.Refused)) == []
    assert len([event for event in history.of(events.Connected) if event.link == "output"]) == 2
