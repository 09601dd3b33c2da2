"""What ends a process that we started, should we be killed and have no say in it any more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SHELL = 'read -r _; kill -s KILL -- "$0"'
"""It waits for the end of its input, which comes when we are gone, however we went."""


@asynccontextmanager
async def guarded(target: str) -> AsyncIterator[None]:
    """While this lasts, and as long as we live, `target` does: a process's id, or that of its group behind a minus.

    Leave it when the target has ended: until then there is something to guard.
    """
    guard = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _SHELL, target),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # what interrupts our group is not its business
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            guard.kill()
        await guard.wait()
