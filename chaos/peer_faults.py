"""Faults of the peer, carried out by the mock server whatever the engine."""

from collections.abc import Awaitable, Callable

from chaos.engines import Heal
from chaos.faults import Fault
from chaos.kinds import Link
from simulator.pose_server import PoseServer

_Begin = Callable[[PoseServer, Fault], Awaitable[Heal]]


async def _nothing() -> None:
    """The heal of what is over at once."""


async def _echo(server: PoseServer, _: Fault) -> Heal:
    server.echo = True

    async def heal() -> None:
        server.echo = False

    return heal


async def _close(server: PoseServer, fault: Fault) -> Heal:
    await server.close_link(_link(fault), _number(fault, "code"))
    return _nothing


async def _accept_then_close(server: PoseServer, fault: Fault) -> Heal:
    link = _link(fault)
    server.accept_then_close[link] = _number(fault, "code")

    async def heal() -> None:
        del server.accept_then_close[link]

    return heal


async def _restart(server: PoseServer, _: Fault) -> Heal:
    await server.go_away(1012)
    return server.come_back


_BEGIN: dict[str, _Begin] = {
    "echo": _echo,
    "close": _close,
    "accept_then_close": _accept_then_close,
    "restart": _restart,
}

AVAILABLE = frozenset(_BEGIN)
"""The kinds that the mock server can do."""


async def begin(server: PoseServer, fault: Fault) -> Heal:
    """Let the peer misbehave from now on; `fault.kind` must be `AVAILABLE`."""
    return await _BEGIN[fault.kind](server, fault)


def _link(fault: Fault) -> Link:
    assert fault.on is not None, "the vocabulary gives these kinds a default"
    return fault.on


def _number(fault: Fault, attribute: str) -> int:
    value = fault.attributes[attribute]
    assert isinstance(value, int), "the vocabulary says so"
    return value
