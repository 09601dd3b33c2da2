"""Names, what may be wrong with them, and clients that try one address after another."""

import asyncio
import socket
from typing import Any

import pytest

from simulator.names import NOBODY, Name
from simulator.network import Network
from tests.simulator.conftest import Simulate
from tests.simulator.ends import End, Scene, at_once, now


def named(network: Network) -> Name:
    """A scene whose path has a name."""
    Scene(network)
    return network.name("peer.test", ("proxy", 80))


async def dial(**options: Any) -> float:
    """Seconds that a connect to the name takes."""
    began = now()
    await asyncio.get_running_loop().create_connection(End, "peer.test", 80, **options)
    return now() - began


def test_a_name_leads_to_its_address(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        named(network)
        infos = await asyncio.get_running_loop().getaddrinfo("peer.test", 80)
        return await dial(), [info[4] for info in infos]

    assert simulate(main) == (at_once(0), [("proxy", 80)])


def test_a_name_that_nobody_gave_an_address_is_its_own(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        del network
        infos = await asyncio.get_running_loop().getaddrinfo("other.test", 80)
        return [info[4] for info in infos]

    assert simulate(main) == [("other.test", 80)]


def test_a_look_up_that_fails_is_a_resolvers_error_until_it_heals(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        name = named(network)
        trouble = name.begin("fails", 0)
        with pytest.raises(socket.gaierror, match="Temporary failure in name resolution"):
            await dial()
        name.end(trouble)
        return await dial(), trouble.lookups

    assert simulate(main) == (at_once(0), 1)


def test_another_address_is_one_where_nobody_listens(simulate: Simulate) -> None:
    async def main(network: Network) -> None:
        named(network).begin("another", 0)
        with pytest.raises(ConnectionRefusedError, match=NOBODY):
            await dial()

    simulate(main)


def test_a_slow_answer_comes_after_its_delay_or_with_the_heal(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        name = named(network)
        trouble = name.begin("slow", 5)
        late = await dial()
        asyncio.get_running_loop().call_later(2, name.end, trouble)
        return late, await dial(), await dial()

    assert simulate(main) == (at_once(5), at_once(2), at_once(0))


def test_a_client_that_gives_up_a_slow_look_up_leaves_nothing_behind(simulate: Simulate) -> None:
    async def main(network: Network) -> int:
        named(network).begin("slow", 5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await dial()
        return len(asyncio.all_tasks())

    assert simulate(main) == 1


def test_who_tries_one_address_after_the_other_waits_for_a_dead_one_as_long_as_a_kernel_does(
    simulate: Simulate,
) -> None:
    async def main(network: Network) -> float:
        named(network).begin("dead-first", 0)
        return await dial()

    assert simulate(main) == at_once(131)


def test_who_has_happy_eyeballs_tries_the_second_address_a_moment_later(simulate: Simulate) -> None:
    async def main(network: Network) -> float:
        named(network).begin("dead-first", 0)
        return await dial(happy_eyeballs_delay=0.25)

    assert simulate(main) == at_once(0.25)


@pytest.mark.parametrize("stagger", [None, 0.25])
def test_where_no_address_answers_all_that_went_wrong_is_told(
    simulate: Simulate, stagger: float | None
) -> None:
    async def main(network: Network) -> None:
        scene = Scene(network)
        network.name("peer.test", ("proxy", 80)).begin("dead-first", 0)
        scene.path.disable()
        with pytest.raises(
            OSError, match=r"Multiple exceptions: .*timed out|Multiple exceptions: .*192\.0\.2\.2"
        ):
            await dial(happy_eyeballs_delay=stagger)

    simulate(main)


def test_of_several_troubles_the_latest_decides_and_the_slowest_delays(simulate: Simulate) -> None:
    async def main(network: Network) -> object:
        name = named(network)
        name.begin("slow", 3)
        fails = name.begin("fails", 0)
        dead = name.begin("dead-first", 0)
        took = await dial(happy_eyeballs_delay=0.25)
        name.end(dead)
        with pytest.raises(socket.gaierror):
            await dial()
        return took, fails.lookups

    assert simulate(main) == (at_once(3.25), 2)
