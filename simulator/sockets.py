"""What a transport's `get_extra_info("socket")` gives in a simulation: the options that change what TCP does."""

import socket
from collections.abc import Callable
from types import MappingProxyType
from typing import overload

from simulator.refusals import refuse

TCP_RTO_MAX_MS = 44
"""Linux 6.15 and later; Python's `socket` has no name for it yet."""
TCP_ESTABLISHED = 1
"""The state in which a socket's connection is open."""
INFO_SIZE = 3
"""So many bytes of TCP_INFO are modelled: the state, one that is 0, and the tries in vain."""

_OPTIONS = MappingProxyType(
    {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE): (0, 0, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY): (1, 0, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): (7200, 1, 32_767),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): (75, 1, 32_767),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): (9, 1, 127),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): (0, 0, 2**31 - 1),
        (socket.IPPROTO_TCP, TCP_RTO_MAX_MS): (120_000, 1000, 120_000),
    }
)
"""Of each option, by level and name: what it is from the start, and the least and the most that Linux admits."""
_SWITCHES = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY))


class SimSocket:
    """The socket of one end. asyncio's own helpers find here what they look for; there is no file behind it.

    TCP_NODELAY is kept and changes nothing, because Nagle's algorithm is not modelled.
    """

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, own: tuple[str, int], peer: tuple[str, int]) -> None:
        self._own, self._peer = own, peer
        self._values: dict[tuple[int, int], int] = {}
        self.changed: Callable[[], None] = lambda: None
        """Called after an option was set."""
        self.tries_in_vain: Callable[[], int] = lambda: 0
        """How often in a row what was sent has been sent again and not been acknowledged."""

    def getsockname(self) -> tuple[str, int]:
        return self._own

    def getpeername(self) -> tuple[str, int]:
        return self._peer

    def fileno(self) -> int:
        refuse("a socket's file number", "use the transport: there is no file behind it")

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """As Linux does it. OSError for a value that it does not admit; an option that is not modelled is refused."""
        _, least, most = _known(level, option)
        if (level, option) in _SWITCHES:
            value = int(bool(value))
        if not isinstance(value, int) or not least <= value <= most:
            raise OSError(22, f"Invalid argument: option {option} takes {least} to {most}, not {value!r}")
        self._values[level, option] = value
        self.changed()

    @overload
    def getsockopt(self, level: int, option: int) -> int: ...

    @overload
    def getsockopt(self, level: int, option: int, size: int) -> bytes: ...

    def getsockopt(self, level: int, option: int, size: int = 0) -> int | bytes:
        """What was set, or Linux's default. Of TCP_INFO the first three bytes: the last is `tcpi_retransmits`."""
        if (level, option, size) == (socket.IPPROTO_TCP, socket.TCP_INFO, INFO_SIZE):
            return bytes([TCP_ESTABLISHED, 0, min(self.tries_in_vain(), 255)])
        default, _, _ = _known(level, option)
        return self._values.get((level, option), default)

    # For the kernel

    @property
    def user_timeout(self) -> float:
        """Seconds; 0: the system's own."""
        return self._values.get((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 0) / 1000

    @property
    def rto_max(self) -> float:
        """Seconds; 0: the system's own."""
        return self._values.get((socket.IPPROTO_TCP, TCP_RTO_MAX_MS), 0) / 1000

    @property
    def keepalive(self) -> tuple[float, float, int] | None:
        """Seconds without a word until the first probe, seconds between probes, and how many; None: it is off."""
        if not self._values.get((socket.SOL_SOCKET, socket.SO_KEEPALIVE)):
            return None
        idle, interval, count = (
            self.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        return idle, interval, count


def _known(level: int, option: int) -> tuple[int, int, int]:
    if (level, option) not in _OPTIONS:
        refuse(
            f"the socket option {option} of level {level}",
            "it has TCP_NODELAY, TCP_USER_TIMEOUT, TCP_RTO_MAX_MS, SO_KEEPALIVE, TCP's three of keepalive, and the first"
            " three bytes of TCP_INFO",
        )
    return _OPTIONS[level, option]
