import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from random import Random
from typing import Any

import pytest

from simulator.hosts import Host, host_of
from simulator.loop import VirtualLoop
from simulator.network import Network
from simulator.refusals import SimulationError

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]


def here() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def on(host: Host, coroutine: Any) -> Any:
    return await here().create_task(coroutine, context=host.context())


# Who belongs where


def test_what_a_host_starts_is_its_own_and_the_rest_is_nobodys(simulate: Simulate) -> None:
    async def main(_: Network) -> list[Host | None]:
        seen: list[Host | None] = []

        async def start() -> None:
            here().call_soon(lambda: seen.append(host_of()))
            here().call_later(1, lambda: seen.append(host_of()))
            await asyncio.create_task(asyncio.sleep(2))
            seen.append(host_of())

        await on(here().host("wall"), start())
        return [*seen, host_of()]

    *walls, nobodys = simulate(main)
    assert [host.name for host in walls] == ["wall"] * 3
    assert nobodys is None


def test_a_callback_in_an_empty_context_belongs_to_nobody_whoever_asks_for_it(simulate: Simulate) -> None:
    async def main(_: Network) -> list[Host | None]:
        seen: list[Host | None] = []

        async def ask() -> None:
            here().call_soon(lambda: seen.append(host_of()), context=Context())
            here().call_later(1, lambda: seen.append(host_of()), context=Context())
            await asyncio.sleep(2)

        await on(here().host("wall"), ask())
        return seen

    assert simulate(main) == [None, None]


def test_a_host_is_made_once(simulate: Simulate) -> None:
    async def main(_: Network) -> bool:
        return here().host("a") is here().host("a") and here().host("a") is not here().host("b")

    assert simulate(main)


# Standing still


def test_a_blocked_host_stands_still_while_others_go_on(simulate: Simulate) -> None:
    async def main(_: Network) -> dict[str, list[float]]:
        ticks: dict[str, list[float]] = {"blocked": [], "other": []}

        async def tick(name: str) -> None:
            for _ in range(4):
                await asyncio.sleep(1)
                ticks[name].append(here().time())

        blocked = here().host("blocked")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tick("blocked"), context=blocked.context())
            tasks.create_task(tick("other"), context=here().host("other").context())
            await asyncio.sleep(1.5)
            blocked.block(5)
        return ticks

    ticks = simulate(main)
    assert ticks["other"] == [1, 2, 3, 4]
    assert ticks["blocked"] == [1, 6.5, 7.5, 8.5]


def test_what_was_ready_comes_first_then_what_its_sockets_have_then_overdue_timers(
    simulate: Simulate,
) -> None:
    async def main(_: Network) -> list[str]:
        seen: list[str] = []

        class Reader(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                seen.append(f"read {data.decode()}")

        async def listen() -> None:
            await here().create_server(Reader, "wall", 80)
            await asyncio.sleep(60)

        wall = here().host("wall")
        listening = here().create_task(listen(), context=wall.context())
        await asyncio.sleep(0)
        transport, _ = await here().create_connection(asyncio.Protocol, "wall", 80)
        await asyncio.sleep(1)
        wall.block(5)
        here().call_later(1, lambda: seen.append("timer"), context=wall.context())
        transport.write(b"a")
        await asyncio.sleep(2)
        transport.write(b"b")
        await asyncio.sleep(2)
        here().call_soon(lambda: seen.append("ready"), context=wall.context())
        await asyncio.sleep(0.9)
        assert seen == []
        await asyncio.sleep(0.2)
        listening.cancel()
        transport.abort()
        await asyncio.sleep(1)
        return seen

    assert simulate(main) == ["ready", "read ab", "timer"]


def test_of_two_blocks_at_a_time_the_later_end_counts(simulate: Simulate) -> None:
    async def main(_: Network) -> tuple[float, float]:
        host = here().host("wall")

        async def wake() -> float:
            await asyncio.sleep(1)
            return here().time()

        waking = here().create_task(wake(), context=host.context())
        await asyncio.sleep(0.5)
        host.block(4)
        await asyncio.sleep(1)
        host.block(1)  # ends before the first
        host.block(5)
        woke = await waking
        return woke, host.blocked_for

    assert simulate(main) == (6.5, 6.0)


def test_a_host_that_blocks_itself_ends_what_it_is_doing_and_runs_again_at_its_time(
    simulate: Simulate,
) -> None:
    async def main(_: Network) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def compute() -> None:
            host = host_of()
            assert host is not None
            host.block(3)
            seen.append(("still", here().time()))
            await asyncio.sleep(0)
            seen.append(("again", here().time()))

        await on(here().host("wall"), compute())
        return seen

    assert simulate(main) == [("still", 0.0), ("again", 3.0)]


def test_the_kernel_of_a_blocked_host_sends_on_what_its_sockets_had_taken(simulate: Simulate) -> None:
    async def main(network: Network) -> list[float]:
        arrived: list[float] = []

        class Reader(asyncio.Protocol):
            def data_received(self, _: bytes) -> None:
                arrived.append(here().time())

        await here().create_server(Reader, "hub", 80)
        path = network.path("proxy", 80, to=("hub", 80))
        wall = here().host("wall")

        async def say() -> None:
            transport, _ = await here().create_connection(asyncio.Protocol, "proxy", 80)
            path.add("latency", "upstream", {"latency": 2000, "jitter": 0})
            transport.write(b"x")
            wall.block(10)

        await on(wall, say())
        await asyncio.sleep(5)
        return arrived

    assert simulate(main) == pytest.approx([2.0], abs=0.01)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_block_of_no_length_is_an_error_that_names_it(simulate: Simulate, seconds: float) -> None:
    async def main(_: Network) -> None:
        with pytest.raises(ValueError, match=f"host wall cannot be blocked for {seconds}.*above 0"):
            here().host("wall").block(seconds)

    simulate(main)


def test_what_waited_is_counted_and_so_is_the_time(simulate: Simulate) -> None:
    async def main(_: Network) -> tuple[int, float, float]:
        host = here().host("wall")
        for delay in (1, 2, 3):
            here().call_later(delay, int, context=host.context())
        host.block(2.5)
        await asyncio.sleep(1)
        during = host.blocked_for
        await asyncio.sleep(3)
        return host.held, during, host.blocked_for

    assert simulate(main) == (2, 1.0, 2.5)


def test_what_waited_on_a_blocked_host_comes_after_what_was_ready_elsewhere(simulate: Simulate) -> None:
    async def main(_: Network) -> list[str]:
        loop, seen = here(), list[str]()
        host = loop.host("wall")
        loop.call_at(5, lambda: loop.call_soon(seen.append, "elsewhere"))
        host.block(5)
        loop.call_soon(seen.append, "waited", context=host.context())
        await asyncio.sleep(6)
        return seen

    assert simulate(main) == ["elsewhere", "waited"]


def test_a_socket_of_a_blocked_host_waits_once_for_all_that_happened_to_it(simulate: Simulate) -> None:
    async def main(_: Network) -> int:
        wall = here().host("wall")

        async def listen() -> None:
            await here().create_server(asyncio.Protocol, "wall", 80)

        await on(wall, listen())
        transport, _protocol = await here().create_connection(asyncio.Protocol, "wall", 80)
        await asyncio.sleep(1)
        wall.block(10)
        for _ in range(3):
            transport.write(b"x")
            await asyncio.sleep(1)
        return wall.held

    assert simulate(main) == 1


def test_the_time_of_all_blocks_is_counted(simulate: Simulate) -> None:
    async def main(_: Network) -> float:
        host = here().host("wall")
        for seconds in (2, 3):
            host.block(seconds)
            await asyncio.sleep(5)
        return host.blocked_for

    assert simulate(main) == 5


# Whose failure it is


def test_an_exception_that_nobody_retrieves_is_its_hosts() -> None:
    loop = VirtualLoop(Network(Random(1)))
    wall = loop.host("wall")

    async def fail() -> None:
        raise ZeroDivisionError("mine")

    async def main() -> None:
        lost = here().create_task(fail(), context=wall.context())
        here().call_soon(lambda: 1 / 0, context=wall.context())
        here().call_soon(lambda: {}[0])
        await asyncio.sleep(1)
        del lost

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert sorted(str(error) for error in wall.unhandled) == ["division by zero", "mine"]
    assert len(loop.unhandled) == 3


# Going round in a circle


def test_a_livelock_is_an_error_that_names_who_runs_and_lets_the_rest_tidy_up() -> None:
    loop = VirtualLoop(Network(Random(1)), at_one_instant=1000)
    tidied: list[str] = []

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it is the mistake
            await asyncio.sleep(0)

    async def bystander() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            for _ in range(100):
                await asyncio.sleep(0)
            tidied.append("done")

    async def main() -> None:
        await asyncio.sleep(3)
        other = asyncio.create_task(bystander())
        await asyncio.sleep(0)
        await asyncio.create_task(spin(), name="the busy one")
        await other

    with (
        pytest.raises(SimulationError, match=r"livelock at 3 s.*the busy one in .*spin line \d+"),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        runner.run(main())
    assert tidied == ["done"]


def test_what_waited_for_one_block_runs_once_and_no_shorter_block_ends_a_longer(simulate: Simulate) -> None:
    async def main(_: Network) -> list[float]:
        loop, ran = here(), list[float]()
        host = loop.host("client")
        host.block(5)
        host.block(1)
        loop.call_soon(lambda: ran.append(loop.time()), context=host.context())
        await asyncio.sleep(10)
        host.block(5)
        await asyncio.sleep(10)
        return ran

    assert simulate(main) == [5]
