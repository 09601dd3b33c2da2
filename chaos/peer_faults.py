"""Faults of the peer, carried out by the mock server whatever the engine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from chaos.engines import Heal
from chaos.faults import Fault
from chaos.kinds import Link
from simulator.admission import Refusal
from simulator.feeds import LiveFeed
from simulator.garbage import bad_messages
from simulator.pose_server import PoseServer

GARBAGE_EVERY = 0.25
"""Scenario seconds between two bad messages."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The peer of one run, and what its misbehaviour depends on."""

    server: PoseServer
    feed: LiveFeed
    fps: float
    """Of the feed, in scenario time."""
    scale: float
    """Scenario seconds that pass in one second of the loop's clock."""
    rng: Random


_Begin = Callable[[Actor, Fault], Awaitable[Heal]]


async def _nothing() -> None:
    """The heal of what is over at once."""


async def _echo(peer: Actor, _: Fault) -> Heal:
    peer.server.echo = True

    async def heal() -> None:
        peer.server.echo = False

    return heal


async def _mute_pong(peer: Actor, fault: Fault) -> Heal:
    link = _link(fault)
    peer.server.mute_pong(link)

    async def heal() -> None:
        peer.server.answer_pong(link)

    return heal


async def _stop_reading(peer: Actor, fault: Fault) -> Heal:
    link = _link(fault)
    peer.server.stop_reading(link)

    async def heal() -> None:
        peer.server.read_again(link)

    return heal


async def _close(peer: Actor, fault: Fault) -> Heal:
    await peer.server.close_link(_link(fault), fault.number("code"))
    return _nothing


async def _accept_then_close(peer: Actor, fault: Fault) -> Heal:
    link = _link(fault)
    peer.server.accept_then_close[link] = fault.number("code")

    async def heal() -> None:
        del peer.server.accept_then_close[link]

    return heal


async def _refuse(peer: Actor, fault: Fault) -> Heal:
    link = _link(fault)
    asked = fault.number("retry_after") / peer.scale
    peer.server.refuse[link] = Refusal(fault.number("status"), asked)

    async def heal() -> None:
        del peer.server.refuse[link]

    return heal


async def _restart(peer: Actor, _: Fault) -> Heal:
    await peer.server.go_away(1012)
    return peer.server.come_back


async def _garbage(peer: Actor, fault: Fault) -> Heal:
    link = _link(fault)
    peer.server.begin_garbage(link, bad_messages(fault.bad_messages, peer.rng), GARBAGE_EVERY / peer.scale)

    async def heal() -> None:
        peer.server.end_garbage(link)

    return heal


async def _burst(peer: Actor, fault: Fault) -> Heal:
    peer.feed.set_pace(fault.number("fps") / peer.fps)

    async def heal() -> None:
        peer.feed.set_pace(1.0)

    return heal


_BEGIN: dict[str, _Begin] = {
    "echo": _echo,
    "mute_pong": _mute_pong,
    "stop_reading": _stop_reading,
    "close": _close,
    "accept_then_close": _accept_then_close,
    "refuse": _refuse,
    "restart": _restart,
    "garbage": _garbage,
    "burst": _burst,
}


async def begin(peer: Actor, fault: Fault) -> Heal:
    """Let the peer misbehave from now on."""
    return await _BEGIN[fault.kind](peer, fault)


def _link(fault: Fault) -> Link:
    assert fault.on is not None, "the vocabulary gives these kinds a default"
    return fault.on
