"""Faults of the peer: what the mock server does while one is in force, and that it ends with it."""

from random import Random

from chaos import peer_faults
from chaos.clients.tracker import TrackerClient
from chaos.history import Healed
from simulator import events as peer
from simulator.admission import Refusal
from simulator.feeds import LiveFeed
from simulator.pose_server import PoseServer
from tests.chaos.histories import fault
from tests.chaos.short_runs import live, struck_by
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
