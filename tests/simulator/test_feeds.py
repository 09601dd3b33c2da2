"""Where frames come from, and who is shown which of them when."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from simulator.feeds import LiveFeed, Playback
from simulator.network import Network

Simulate = Callable[[Callable[[Network], Awaitable[Any]]], Any]


async def watch(feed: Playback, count: int) -> list[tuple[int, float]]:
    """The next frames that one client is shown before it leaves: number, and when."""
    seen: list[tuple[int, float]] = []
    frames: Any = feed.frames()  # a generator: who leaves it closes it
    async with aclosing(frames):
        async for number, _ in frames:
            seen.append((number, round(asyncio.get_running_loop().time(), 6)))
            if len(seen) == count:
                break
    return seen


def recorded(frames: int) -> Playback:
    """A frame a second."""
    return Playback((float(number), b"%d" % number) for number in range(frames))


def test_a_camera_does_not_show_a_slow_client_what_passed_meanwhile(simulate: Simulate) -> None:
    async def main(_: Network) -> list[int | None]:
        seen = []
        async for number, _data in LiveFeed(lambda n: b"%d" % n, interval=0.1).frames():
            seen.append(number)
            if number == 2:
                await asyncio.sleep(1)
            if len(seen) == 6:
                return seen
        raise AssertionError("a camera has no end")

    assert simulate(main) == [0, 1, 2, 11, 12, 13]


def test_a_recording_goes_on_with_the_first_frame_that_nobody_is_known_to_have(simulate: Simulate) -> None:
    async def main(_: Network) -> list[int]:
        feed = recorded(10)
        await watch(feed, 4)
        feed.confirmed(1)
        return [number for number, _ in await watch(feed, 3)]

    assert simulate(main) == [2, 3, 4]


def test_a_recording_pauses_while_nobody_watches_it(simulate: Simulate) -> None:
    async def main(_: Network) -> Any:
        feed = recorded(10)
        first = await watch(feed, 3)
        feed.confirmed(2)
        await asyncio.sleep(100)
        return first, await watch(feed, 3)

    assert simulate(main) == ([(0, 0), (1, 1), (2, 2)], [(3, 102), (4, 103), (5, 104)])


def test_a_recording_is_done_when_somebody_has_its_last_frame(simulate: Simulate) -> None:
    async def main(_: Network) -> list[bool]:
        feed = recorded(3)
        await watch(feed, 4)  # one more than there are: up to its end
        done = [feed.done.is_set()]
        for number in (1, 2):
            feed.confirmed(number)
            done.append(feed.done.is_set())
        return done

    assert simulate(main) == [False, False, True]
