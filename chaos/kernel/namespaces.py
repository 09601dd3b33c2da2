"""Network namespaces without names: each lives as long as a thread stands in it, and leaves nothing behind.

Nothing is ever written down, so there is nothing to clean up: when the process ends, however it ends, the kernel takes
the namespaces, and with them their interfaces, rules and sockets.
"""

import asyncio
import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CAP_SYS_ADMIN = 21

OWN = "/proc/thread-self/ns/net"

P = ParamSpec("P")
R = TypeVar("R")


def may_unshare() -> bool:
    """Whether this process may have network namespaces without a user namespace of its own."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


def enter_user_namespace() -> None:
    """Become the root of a user namespace of one's own, where that is needed, for good.

    Only for a process that has a single thread. Raises `OSError`.
    """
    if may_unshare():
        return
    user, group = os.geteuid(), os.getegid()
    system_call("unshare", CLONE_NEWUSER)
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"0 {user} 1")
    (own / "gid_map").write_text(f"0 {group} 1")


class Namespace:
    """A network namespace, empty at first, and a thread that stands in it. Raises `OSError` where there may be none."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "namespace")
        self._number = self._thread.submit(_leave).result()

    @property
    def path(self) -> str:
        """By which other processes find it."""
        return f"/proc/{os.getpid()}/task/{self._number}/ns/net"

    def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it in there: sockets that it makes, and processes that it starts, stand there too."""
        return self._thread.submit(work, *args, **kwargs).result()

    async def have_done(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same, and the event loop goes on meanwhile."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self) -> None:
        """End the thread; the namespace goes once its last socket is closed."""
        self._thread.shutdown()


@contextlib.contextmanager
def in_fresh_namespace() -> Iterator[str]:
    """Let the calling thread, and what it starts from now on, stand in a network namespace that is empty at first.

    It goes back afterwards, unless it stands in a user namespace of its own: nobody comes back from there. Gives the
    path by which other processes find the namespace. Raises `OSError`.
    """
    before = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        number = _leave()
        yield f"/proc/{os.getpid()}/task/{number}/ns/net"
    finally:
        with contextlib.suppress(PermissionError):
            system_call("setns", before, CLONE_NEWNET)
        os.close(before)


def _leave() -> int:
    """Take the calling thread to a new namespace; returns the thread's number."""
    system_call("unshare", CLONE_NEWNET)
    return threading.get_native_id()


def system_call(name: str, *args: int) -> None:
    """One of libc's functions that Python does not have. Raises `OSError`."""
    # Python has these from 3.12 on only.
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*map(ctypes.c_ulong, args)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
