"""The end of what a run leaves behind: a client may not answer to a cancellation, and nobody waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

LEAVE_WITHIN = 1.0
"""Seconds of the loop's clock in which a task may come to its end once it is cancelled."""


async def without_leftovers(main: Coroutine[Any, Any, None]) -> None:
    """Await `main`, and then end every other task of this loop; those that go on are forgotten.

    To be the last that its loop runs: `asyncio.Runner` would wait for them without end.
    """
    try:
        await main
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        stubborn = (await asyncio.wait(left, timeout=LEAVE_WITHIN))[1] if left else set()
        for task in stubborn:
            asyncio._unregister_task(task)  # noqa: SLF001 - it is documented, for who has tasks of another kind
