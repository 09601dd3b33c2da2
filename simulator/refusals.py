"""What has no place in a simulation, because real time or chance would come in with it, and how that is said."""

import asyncio
import sys
import threading
from abc import ABC, abstractmethod
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


class Refusing(ABC):
    """A loop that remembers what was refused while it ran, because whoever asked may keep silent about it."""

    @abstractmethod
    def note_refusal(self, refusal: SimulationError) -> None:
        """It is raised next, in the code that asked."""


def refuse(what: str, remedy: str) -> NoReturn:
    """Raises `SimulationError`, after the running loop has heard of it."""
    refusal = SimulationError(f"the simulation has no place for {what}: {remedy}")
    loop = _running()
    if loop is not None:
        loop.note_refusal(refusal)
    raise refusal


def _running() -> Refusing | None:
    try:
        loop: object = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if isinstance(loop, Refusing) else None


def refused(what: str, remedy: str) -> Callable[..., NoReturn]:
    """A method of the loop that cannot be had here."""

    def method(*_: object, **__: object) -> NoReturn:
        refuse(what, remedy)

    return method


@cache
def watch() -> None:
    """From now on refuse what is done without asking the loop, where a loop runs that refuses, and in its thread.

    Once for the whole process: Python takes no hook away again.
    """

    def look(event: str, _: tuple[object, ...]) -> None:
        if event in _BEHIND_THE_LOOP and _running() is not None:
            refuse(*_BEHIND_THE_LOOP[event])

    start = threading.Thread.start

    @wraps(start)
    def start_outside(thread: threading.Thread) -> None:
        if _running() is not None:
            refuse(*_THREAD)
        start(thread)

    sys.addaudithook(look)
    # The one thing that Python announces only from 3.12 on.
    threading.Thread.start = start_outside  # type: ignore[method-assign,assignment]
