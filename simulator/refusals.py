"""What has no place in a simulation, because real time or chance would come in with it, and how that is said."""

import asyncio
import sys
import threading
from collections.abc import Callable
from functools import cache, wraps
from types import MappingProxyType
from typing import NoReturn

_THREAD = ("a thread", "await something instead: a thread runs in real time")
_PROGRAM = ("subprocesses", "use the engine on real sockets for programs")
_SOCKET = ("real sockets", "use the simulation's network, by asyncio's own functions")
_BEHIND_THE_LOOP = MappingProxyType(
    {
        **dict.fromkeys(
            ("subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "pty.spawn"), _PROGRAM
        ),
        **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"), _SOCKET),
        **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"), _SOCKET),
    }
)
"""What Python announces before it does so, by the names of its audit events."""


class SimulationError(RuntimeError):
    """The simulation cannot go on; the text says what asked for what, and what to do."""


def refuse(what: str, remedy: str) -> NoReturn:
    """Raises `SimulationError`."""
    raise SimulationError(f"the simulation has no place for {what}: {remedy}")


def refused(what: str, remedy: str) -> Callable[..., NoReturn]:
    """A method of the loop that cannot be had here."""

    def method(*_: object, **__: object) -> NoReturn:
        refuse(what, remedy)

    return method


@cache
def watch(loop_type: type[asyncio.AbstractEventLoop]) -> None:
    """From now on refuse what is done without asking the loop, where a loop of this type runs and in its thread.

    Once for the whole process: Python takes no hook away again.
    """

    def inside() -> bool:
        try:
            return isinstance(asyncio.get_running_loop(), loop_type)
        except RuntimeError:
            return False

    def look(event: str, _: tuple[object, ...]) -> None:
        if event in _BEHIND_THE_LOOP and inside():
            refuse(*_BEHIND_THE_LOOP[event])

    start = threading.Thread.start

    @wraps(start)
    def start_outside(thread: threading.Thread) -> None:
        if inside():
            refuse(*_THREAD)
        start(thread)

    sys.addaudithook(look)
    # The one thing that Python announces only from 3.12 on.
    threading.Thread.start = start_outside  # type: ignore[method-assign,assignment]
