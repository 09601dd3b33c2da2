"""What the clocks of a host say, and its timers, while it is suspended and afterwards."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from simulator.hosts import EPOCH, Host
from simulator.loop import VirtualLoop
from simulator.network import Network

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]


def here() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def ticks(host: Host, seconds: float, count: int) -> tuple[list[tuple[float, float]], asyncio.Task[None]]:
    """When a task of the host woke, by its own clock and by the world's."""
    seen: list[tuple[float, float]] = []

    async def tick() -> None:
        for _ in range(count):
            await asyncio.sleep(seconds)
            seen.append((here().time(), here().now))

    return seen, here().create_task(tick(), context=host.context())


def test_a_clock_that_stops_makes_no_timer_overdue(simulate: Simulate) -> None:
    async def main(_: Network) -> list[tuple[float, float]]:
        host = here().host("laptop")
        seen, ticking = ticks(host, 2, 3)
        await asyncio.sleep(3)
        host.suspend(100, clock_stops=True)
        await ticking
        return seen

    assert simulate(main) == [(2, 2), (4, 104), (6, 106)]


def test_a_clock_that_jumps_makes_all_timers_overdue(simulate: Simulate) -> None:
    async def main(_: Network) -> list[tuple[float, float]]:
        host = here().host("machine")
        seen, ticking = ticks(host, 2, 3)
        await asyncio.sleep(3)
        host.suspend(100, clock_stops=False)
        await ticking
        return seen

    assert simulate(main) == [(2, 2), (103, 103), (105, 105)]


def test_of_two_suspends_at_a_time_the_clock_stops_while_one_says_so(simulate: Simulate) -> None:
    async def main(_: Network) -> list[tuple[float, float]]:
        host = here().host("laptop")
        seen, ticking = ticks(host, 1, 4)
        await asyncio.sleep(0.5)
        host.suspend(10, clock_stops=True)  # until 10.5
        await asyncio.sleep(5)
        host.suspend(20, clock_stops=False)  # until 25.5
        await ticking
        return seen

    # When the clock goes on at 10.5 s it says 0.5 s, and 15.5 s when the machine wakes.
    assert simulate(main) == [(15.5, 25.5), (16.5, 26.5), (17.5, 27.5), (18.5, 28.5)]


def test_a_clock_that_stopped_twice_is_behind_by_both(simulate: Simulate) -> None:
    async def main(_: Network) -> tuple[float, float, float]:
        host = here().host("laptop")
        for seconds in (10, 20):
            host.suspend(seconds, clock_stops=True)
            await asyncio.sleep(seconds + 1)
        seen, ticking = ticks(host, 1, 1)
        await ticking
        return (*seen[0], host.behind)

    assert simulate(main) == (3, 33, 30)


def test_a_blocked_host_that_is_suspended_meanwhile_runs_when_both_are_over(simulate: Simulate) -> None:
    async def main(_: Network) -> list[tuple[float, float]]:
        host = here().host("laptop")
        seen, ticking = ticks(host, 1, 2)
        await asyncio.sleep(0.5)
        host.block(30)
        host.suspend(10, clock_stops=True)
        await ticking
        return seen

    assert simulate(main) == [(20.5, 30.5), (21.5, 31.5)]


def test_no_rounding_keeps_a_timer_from_its_time_by_a_clock_that_had_stopped(simulate: Simulate) -> None:
    async def main(_: Network) -> list[tuple[float, bool]]:
        host = here().host("laptop")
        seen: list[tuple[float, bool]] = []

        async def patiently() -> None:
            for _ in range(50):
                due = here().time() + 0.1
                woken = here().create_future()
                here().call_at(due, woken.set_result, None)
                await woken
                seen.append((due, here().time() >= due))

        host.suspend(100 / 3, clock_stops=True)
        await here().create_task(patiently(), context=host.context())
        return seen

    assert all(on_time for _, on_time in simulate(main))


def test_others_clocks_and_the_networks_go_on(simulate: Simulate) -> None:
    async def main(network: Network) -> list[float]:
        arrived: list[float] = []

        class Reader(asyncio.Protocol):
            def data_received(self, _: bytes) -> None:
                arrived.append(here().time())

        await here().create_server(Reader, "hub", 80)
        path = network.path("proxy", 80, to=("hub", 80))
        path.latency = 0.5
        host = here().host("laptop")

        async def say() -> None:
            transport, _ = await here().create_connection(asyncio.Protocol, "proxy", 80)
            await asyncio.sleep(9)  # the machine is suspended in it
            transport.write(b"x")

        host_task = here().create_task(say(), context=host.context())
        await asyncio.sleep(5)
        host.suspend(100, clock_stops=True)
        await host_task
        await asyncio.sleep(1)
        return arrived

    assert simulate(main) == pytest.approx([110.5], abs=0.01)


# The standard library's clocks


def read_on(host: Host, read: Callable[[], Any]) -> Any:
    return host.context().run(read)


def test_a_hosts_clocks_are_virtual_and_everybody_elses_the_machines(simulate: Simulate) -> None:
    async def main(_: Network) -> None:
        host = here().host("laptop")
        await asyncio.sleep(100)
        assert read_on(host, time.time) == EPOCH + 100
        assert read_on(host, time.time_ns) == int((EPOCH + 100) * 1e9)
        assert read_on(host, time.monotonic) == 100
        assert read_on(host, time.monotonic_ns) == 100_000_000_000
        assert read_on(host, lambda: time.clock_gettime(time.CLOCK_MONOTONIC)) == 100
        assert read_on(host, lambda: time.clock_gettime(time.CLOCK_REALTIME)) == EPOCH + 100
        assert time.monotonic() != 100
        assert time.time() > EPOCH - 365 * 86400

    simulate(main)


def test_a_suspend_stops_the_monotonic_clock_and_no_other(simulate: Simulate) -> None:
    async def main(_: Network) -> tuple[float, float]:
        host = here().host("laptop")
        await asyncio.sleep(10)
        host.suspend(100, clock_stops=True)
        await asyncio.sleep(150)
        return read_on(host, time.monotonic), read_on(host, time.time)

    assert simulate(main) == (60, EPOCH + 160)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no clock of that name")
def test_the_clock_since_boot_counts_a_suspend(simulate: Simulate) -> None:
    async def main(_: Network) -> float:
        host = here().host("laptop")
        host.suspend(100, clock_stops=True)
        await asyncio.sleep(150)
        return read_on(host, lambda: time.clock_gettime(time.CLOCK_BOOTTIME))

    assert simulate(main) == 150


def test_a_wall_clock_that_is_set_moves_no_timer(simulate: Simulate) -> None:
    async def main(_: Network) -> tuple[list[tuple[float, float]], float]:
        host = here().host("laptop")
        seen, ticking = ticks(host, 2, 1)
        await asyncio.sleep(1)
        host.ahead -= 86_400
        await ticking
        return seen, read_on(host, time.time)

    assert simulate(main) == ([(2, 2)], EPOCH + 2 - 86_400)
