"""On virtual time: what happens to the clients' own machines, all of them at once."""

import asyncio
from collections.abc import Iterable, Sequence

from chaos.engines import InForce
from chaos.faults import Fault
from chaos.history import Counts
from simulator.hosts import Host
from simulator.network import Direction, Path

GIVEN_UP_AFTER = 20.0
"""Seconds without a sign of life after which a peer gives a connection up: the default time-out for a Pong of the library
`websockets`, and of others. In a shorter suspend it is half of that."""
_BOTH: tuple[Direction, Direction] = ("upstream", "downstream")


def begin(fault: Fault, hosts: Sequence[Host], paths: Iterable[Path]) -> InForce:
    """Put a fault of the clients' machines into force; `paths` are those that lead from them."""
    if fault.kind == "clock_step":
        return _set_clocks(fault, hosts)
    assert fault.duration is not None, "the vocabulary demands it of the others"
    if fault.kind == "block_loop":
        return _block(hosts, fault.duration)
    return _suspend(fault, fault.duration, hosts, tuple(paths))


def _block(hosts: Sequence[Host], seconds: float) -> InForce:
    held, stood = _waited(hosts)
    for host in hosts:
        host.block(seconds)
    healed: Counts | None = None  # fixed then: a later block is another fault's doing

    def count() -> Counts:
        held_now, stood_now = _waited(hosts)
        return healed or Counts(callbacks=held_now - held, stood=stood_now - stood)

    async def heal() -> None:
        nonlocal healed
        healed = count()  # they go on by themselves

    return InForce(heal, count)


def _waited(hosts: Sequence[Host]) -> tuple[int, float]:
    """Callbacks that had to wait on any of them so far, and for how long one stood still."""
    return sum(host.held for host in hosts), max(host.blocked_for for host in hosts)


def _suspend(fault: Fault, seconds: float, hosts: Sequence[Host], paths: Sequence[Path]) -> InForce:
    """They wake by themselves. What is sent to them meanwhile is lost: nobody is there to take it."""
    loop = asyncio.get_running_loop()
    stood = _waited(hosts)[1]
    given_up = 0
    awake: Counts | None = None
    for host in hosts:
        host.suspend(seconds, clock_stops=fault.choice("clock") == "stops")
    silences = [(path, way, path.add("stall", way, {})) for path in paths for way in _BOTH]

    def give_up() -> None:
        nonlocal given_up
        given_up = sum(path.forsake(silent=fault.choice("connections") == "silent") for path in paths)

    def count() -> Counts:
        return awake or Counts(ends=given_up, stood=_waited(hosts)[1] - stood)

    def wake() -> None:
        nonlocal awake
        if awake is None:
            awake = count()
            for path, way, silence in silences:
                path.remove(silence, way)

    if fault.choice("connections") != "live":
        loop.call_later(min(GIVEN_UP_AFTER, seconds / 2), give_up)
    loop.call_later(seconds, wake)

    async def heal() -> None:
        wake()

    return InForce(heal, count)


def _set_clocks(fault: Fault, hosts: Sequence[Host]) -> InForce:
    seconds = fault.number("by") / 1000 * (1 if fault.choice("to") == "forward" else -1)
    looks = sum(host.wall_looks for host in hosts)
    for host in hosts:
        host.ahead += seconds
    healed: Counts | None = None

    def count() -> Counts:
        return healed or Counts(stepped=seconds, looks=sum(host.wall_looks for host in hosts) - looks)

    async def heal() -> None:
        nonlocal healed
        healed = count()
        for host in hosts:
            host.ahead -= seconds

    return InForce(heal, count)
