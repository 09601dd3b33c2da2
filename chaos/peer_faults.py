"""Faults of the peer, carried out by the mock server whatever the engine. Any of them may overlap any other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import cast

from chaos.engines import Heal
from chaos.faults import Fault
from chaos.kinds import Link
from chaos.tokens import Tokens
from simulator.admission import (
    Compression,
    Credentials,
    DeadBackend,
    LateAnswer,
    Redirect,
    Refusal,
    RetryAfterAs,
    Trickle,
    Unanswered,
)
from simulator.door import Keeper
from simulator.feeds import LiveFeed
from simulator.garbage import bad_messages
from simulator.manners import Manners
from simulator.pose_server import PoseServer
from simulator.standing import Standing
from simulator.stranger import Stranger

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
    paces: Standing[float] = field(default_factory=Standing)
    """How many times as fast as usual the feed was told to go."""
    tokens: Tokens | None = None
    """Of a tracker whose credentials expire."""


_Begin = Callable[[Actor, Fault], Awaitable[Heal]]


def _at_once(end: Callable[[], object]) -> Heal:
    """A heal that takes no time."""

    async def heal() -> None:
        end()

    return heal


# On connections that are there, and those to come


def _behaves(how: Callable[[Manners], Standing[None]]) -> _Begin:
    async def begin(peer: Actor, fault: Fault) -> Heal:
        return _at_once(how(peer.server.manners[_link(fault)]).begin(None))

    return begin


async def _stop_reading(peer: Actor, fault: Fault) -> Heal:
    return _at_once(peer.server.stop_reading(_link(fault)))


async def _close(peer: Actor, fault: Fault) -> Heal:
    await peer.server.close_link(_link(fault), fault.number("code"))
    return _at_once(lambda: None)


async def _accept_then_close(peer: Actor, fault: Fault) -> Heal:
    return _at_once(peer.server.manners[_link(fault)].closes.begin(fault.number("code")))


async def _drain(peer: Actor, fault: Fault) -> Heal:
    assert fault.duration is not None, "the vocabulary demands it"
    return _at_once(peer.server.drain(_link(fault), fault.number("code"), fault.duration / peer.scale))


async def _restart(peer: Actor, _: Fault) -> Heal:
    await peer.server.go_away(1012)
    return peer.server.come_back


async def _garbage(peer: Actor, fault: Fault) -> Heal:
    messages = bad_messages(fault.bad_messages, peer.rng)
    return _at_once(peer.server.litter(_link(fault), messages, GARBAGE_EVERY / peer.scale))


async def _huge(peer: Actor, fault: Fault) -> Heal:
    peer.server.shout(_link(fault), fault.number("megabytes"))
    return _at_once(lambda: None)


async def _bomb(peer: Actor, fault: Fault) -> Heal:
    peer.server.bomb(_link(fault), fault.number("megabytes"))
    return _at_once(lambda: None)


async def _low_limit(peer: Actor, fault: Fault) -> Heal:
    return _at_once(peer.server.manners[_link(fault)].limits.begin(fault.number("bytes")))


async def _burst(peer: Actor, fault: Fault) -> Heal:
    end = peer.paces.begin(fault.number("fps") / peer.fps)
    peer.feed.set_pace(peer.paces.latest or 1.0)

    async def heal() -> None:
        end()
        peer.feed.set_pace(peer.paces.latest or 1.0)

    return heal


# At the door


def _keeps(keeper: Callable[[Actor, Fault], Keeper]) -> _Begin:
    async def begin(peer: Actor, fault: Fault) -> Heal:
        return _at_once(peer.server.door.keep(_link(fault), keeper(peer, fault)))

    return begin


def _refusal(peer: Actor, fault: Fault) -> Keeper:
    asked = fault.number("retry_after") / peer.scale
    return Refusal(fault.number("status"), asked, cast(RetryAfterAs, fault.choice("retry_after_as")))


def _dead_backend(_: Actor, fault: Fault) -> Keeper:
    return DeadBackend("silent" if fault.choice("dead_is") == "silent" else "refused")


async def _redirect(peer: Actor, fault: Fault) -> Heal:
    stranger = Stranger()
    origin = await stranger.start() if fault.choice("to") == "stranger" else None
    leave = peer.server.door.keep(_link(fault), Redirect(origin, loop=fault.choice("to") == "loop"))

    async def heal() -> None:
        leave()
        await stranger.stop()

    return heal


async def _credentials_expire(peer: Actor, fault: Fault) -> Heal:
    tokens = peer.tokens
    assert tokens is not None, "a run with this fault has them"
    number = tokens.issue()
    after = fault.number("renewed_after") / 1000 / peer.scale
    loop = asyncio.get_running_loop()
    refresh = [loop.call_later(after, tokens.write, number)]
    if fault.choice("refresh") == "fails-once":
        refresh = [loop.call_later(after, tokens.spoil), loop.call_later(2 * after, tokens.write, number)]
    leave = peer.server.door.keep(_link(fault), Credentials(number))

    async def heal() -> None:
        leave()
        for timer in refresh:
            timer.cancel()
        tokens.write(number)

    return heal


_BEGIN: dict[str, _Begin] = {
    "echo": _behaves(lambda manners: manners.echoes),
    "mute_pong": _behaves(lambda manners: manners.muted),
    "wrong_pong": _behaves(lambda manners: manners.wrong_pongs),
    "fragment": _behaves(lambda manners: manners.fragments),
    "stop_reading": _stop_reading,
    "close": _close,
    "accept_then_close": _accept_then_close,
    "drain": _drain,
    "restart": _restart,
    "garbage": _garbage,
    "huge": _huge,
    "bomb": _bomb,
    "low_limit": _low_limit,
    "burst": _burst,
    "refuse": _keeps(_refusal),
    "accept_tcp_only": _keeps(lambda *_: Unanswered()),
    "trickle": _keeps(lambda peer, fault: Trickle(fault.number("pause") / 1000 / peer.scale)),
    "dead_backend": _keeps(_dead_backend),
    "late_accept": _keeps(lambda *_: LateAnswer()),
    "deflate": _keeps(lambda *_: Compression()),
    "redirect": _redirect,
    "credentials_expire": _credentials_expire,
}


async def begin(peer: Actor, fault: Fault) -> Heal:
    """Let the peer misbehave from now on."""
    return await _BEGIN[fault.kind](peer, fault)


def _link(fault: Fault) -> Link:
    assert fault.on is not None, "the vocabulary gives these kinds a default"
    return fault.on
