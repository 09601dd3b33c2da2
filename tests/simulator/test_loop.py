import asyncio
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from simulator.loop import ROUNDING, TIMERS_ALLOWED, VirtualLoop
from simulator.network import Network
from simulator.refusals import SimulationError


def run(main: Callable[[], Awaitable[Any]], *, budget: float = 1e6) -> tuple[Any, VirtualLoop]:
    loop = VirtualLoop(Network(Random(1)), budget=budget)

    async def awaited() -> Any:
        return await main()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(awaited()), loop


# Order and time


def test_callbacks_run_in_the_order_of_their_scheduling_and_before_timers() -> None:
    async def main() -> list[str]:
        loop, seen = asyncio.get_running_loop(), []
        loop.call_later(0, seen.append, "timer")
        loop.call_soon(seen.append, "first")
        loop.call_soon(seen.append, "second")
        await asyncio.sleep(1)
        return seen

    assert run(main)[0] == ["first", "second", "timer"]


def test_timers_run_by_deadline_whatever_the_order_of_their_scheduling() -> None:
    async def main() -> list[int]:
        loop, seen = asyncio.get_running_loop(), []
        for delay in (3, 1, 2):
            loop.call_later(delay, seen.append, delay)
        await asyncio.sleep(4)
        return seen

    assert run(main)[0] == [1, 2, 3]


def test_timers_of_one_deadline_run_in_the_order_of_their_making() -> None:
    # asyncio promises none. Here it is what makes a run with one seed repeat.
    async def main() -> list[int]:
        loop, seen = asyncio.get_running_loop(), []
        handles = [loop.call_at(5.0, seen.append, number) for number in range(300)]
        for handle in handles[::2]:
            handle.cancel()
        await asyncio.sleep(6)
        return seen

    assert run(main)[0] == list(range(1, 300, 2))


def test_the_clock_never_shows_less_than_the_deadline_of_a_timer_that_runs() -> None:
    async def main() -> float:
        loop, shown = asyncio.get_running_loop(), []
        second = 1 + ROUNDING / 2  # so near to the first that both are due at once
        for deadline in (1.0, second):
            loop.call_at(deadline, lambda: shown.append(loop.time()))
        await asyncio.sleep(2)
        return shown[1] - second

    assert run(main)[0] >= 0


def test_sleep_of_nothing_lets_everybody_else_run_once() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def step(name: str) -> None:
            for turn in "12":
                seen.append(name + turn)
                await asyncio.sleep(0)

        await asyncio.gather(step("a"), step("b"))
        return seen

    assert run(main)[0] == ["a1", "b1", "a2", "b2"]


def test_a_timer_that_is_due_does_not_wait_until_nothing_else_is_ready() -> None:
    async def main() -> list[object]:
        seen: list[object] = []
        asyncio.get_running_loop().call_later(0, seen.append, "timer")
        for turn in range(3):
            await asyncio.sleep(0)
            seen.append(turn)
        return seen

    assert run(main)[0] == [0, "timer", 1, 2]


def test_timers_that_were_cancelled_do_not_pile_up() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        for _ in range(10 * TIMERS_ALLOWED):
            loop.call_later(3600, print).cancel()
        return len(loop._timers)

    assert run(main)[0] <= TIMERS_ALLOWED


def test_what_is_left_of_an_interrupted_turn_runs_when_the_loop_goes_on() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    seen: list[str] = []
    loop = VirtualLoop(Network(Random(1)))
    loop.call_soon(interrupt)
    loop.call_soon(seen.append, "left")
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(1))
    before = list(seen)
    loop.run_until_complete(asyncio.sleep(2))
    loop.close()
    assert (before, seen) == ([], ["left"])


def test_the_clock_moves_by_timers_alone() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            await asyncio.sleep(0)
        before = loop.time()
        await asyncio.sleep(2.5)
        return before, loop.time()

    assert run(main)[0] == (0.0, 2.5)


def test_an_hour_of_sleep_costs_milliseconds() -> None:
    async def main() -> float:
        for _ in range(3600):
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    began = time.perf_counter()
    assert run(main)[0] == pytest.approx(3600)
    assert time.perf_counter() - began < 1.0  # some 50 ms; the rest is for a busy machine


# What ends a run


def test_a_deadlock_names_the_waiting_tasks_and_where_they_wait() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.Event().wait()

    async def forgotten() -> None:
        await wait_for_nobody()

    async def main() -> None:
        await asyncio.sleep(3)
        await asyncio.create_task(forgotten(), name="the forgotten")

    with pytest.raises(
        SimulationError, match=r"deadlock at 3 s.*the forgotten in .*wait_for_nobody line \d+"
    ):
        run(main)


def test_a_run_that_repeats_for_ever_ends_at_its_budget() -> None:
    async def main() -> None:
        for _ in range(1000):
            await asyncio.sleep(60)

    with pytest.raises(SimulationError, match=r"budget of 600 s"):
        run(main, budget=600)


def test_an_exception_that_nobody_retrieves_is_kept() -> None:
    async def fail() -> None:
        raise ZeroDivisionError("mine")

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(1)
        del task

    _, loop = run(main)
    assert [str(error) for error in loop.unhandled] == ["mine"]


def test_an_exception_in_a_callback_is_kept_and_the_loop_goes_on() -> None:
    async def main() -> str:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)
        return "went on"

    result, loop = run(main)
    assert (result, [type(error) for error in loop.unhandled]) == ("went on", [ZeroDivisionError])


# What has no place


async def _thread() -> None:
    await asyncio.to_thread(print)


async def _executor() -> None:
    await asyncio.get_running_loop().run_in_executor(None, print)


async def _program() -> None:
    await asyncio.create_subprocess_exec("true")


async def _shell() -> None:
    await asyncio.create_subprocess_shell("true")


async def _signal() -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)


async def _file() -> None:
    asyncio.get_running_loop().add_reader(0, print)


async def _datagrams() -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, ("a", 1))


async def _unix() -> None:
    await asyncio.get_running_loop().create_unix_connection(asyncio.Protocol, "a")


async def _real_socket() -> None:
    with socket.socket() as sock:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", 1))


async def _ready_made_socket() -> None:
    with socket.socket() as sock:
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=sock)


async def _socket_into() -> None:
    with socket.socket() as sock:
        await asyncio.get_running_loop().sock_recv_into(sock, bytearray(1))


async def _thread_of_its_own() -> None:
    threading.Thread(target=print).start()


async def _program_of_its_own() -> None:
    subprocess.run(["true"], check=False)  # noqa: ASYNC221 - what a client may do, and must not


async def _socket_of_its_own() -> None:
    socket.create_connection(("127.0.0.1", 1))


async def _socket_that_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))


@pytest.mark.parametrize(
    ("attempt", "what"),
    [
        (_thread, "an executor"),
        (_executor, "an executor"),
        (_program, "subprocesses"),
        (_shell, "subprocesses"),
        (_signal, "signals"),
        (_file, "files and real sockets"),
        (_datagrams, "datagrams"),
        (_unix, "unix sockets"),
        (_real_socket, "files and real sockets"),
        (_ready_made_socket, "ready-made sockets"),
        (_socket_into, "files and real sockets"),
        (_thread_of_its_own, "a thread"),
        (_program_of_its_own, "subprocesses"),
        (_socket_of_its_own, "real sockets"),
        (_socket_that_listens, "real sockets"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(
    attempt: Callable[[], Awaitable[None]], what: str
) -> None:
    with pytest.raises(SimulationError, match=f"no place for .*{what}.*: [a-z]"):
        run(attempt)


def test_other_threads_go_on_as_they_like_but_one_that_calls_in_gets_the_error() -> None:
    errors: list[str] = []
    running: list[asyncio.AbstractEventLoop] = []
    there, done = threading.Event(), threading.Event()

    def call() -> None:
        there.wait()
        threading.Thread(target=print, args=("",)).start()
        try:
            running[0].call_soon_threadsafe(print)
        except SimulationError as error:
            errors.append(str(error))
        done.set()

    async def main() -> None:
        running.append(asyncio.get_running_loop())
        there.set()
        done.wait()

    thread = threading.Thread(target=call)
    thread.start()
    run(main)
    thread.join()
    assert len(errors) == 1
    assert "another thread" in errors[0]


def test_a_name_is_its_own_address() -> None:
    async def main() -> Any:
        return await asyncio.get_running_loop().getaddrinfo("wall-3", 80)

    assert [info[4] for info in run(main)[0]] == [("wall-3", 80)]
