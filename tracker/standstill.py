"""Notices that the whole machine stood still: it was suspended, or this program was stopped.

The peer has then mostly given the connections up, or something on the way has forgotten them, and nothing says so. On
Linux the event loop's clock stops with a suspended machine; another one does not. Elsewhere, and for a program that was
stopped, the loop's own clock goes on, and its timers run late.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple


class Standstill(NamedTuple):
    """The machine did nothing for a while."""

    began: float
    """By the event loop's clock, when it was last seen to run."""
    seconds: float
    """How long it stood still."""
    unseen: float
    """How much of that the event loop's clock has missed."""


def _since_boot() -> float:
    """The clock that counts a suspend too, where the system has one, and nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def watch(every: float, at_least: float, notice: Callable[[Standstill], None]) -> None:
    """Look `every` so many seconds, until cancelled, and tell of each standstill of `at_least` so many."""
    loop = asyncio.get_running_loop()
    counts_all = _since_boot if hasattr(time, "CLOCK_BOOTTIME") else loop.time
    while True:
        began, before = loop.time(), counts_all()
        await asyncio.sleep(every)
        passed = loop.time() - began
        unseen = max(0.0, counts_all() - before - passed)
        if (seconds := passed - every + unseen) >= at_least:
            notice(Standstill(began, seconds, unseen))
