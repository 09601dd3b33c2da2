"""How the kernel's TCP sends again what nobody acknowledges: told to keep at it, and asked whether it got through.

TCP doubles the pause after each try in vain. A path that heals after 2.5 s would carry again only at the next try, up to
2.5 s later, when the link may have been given up.
"""

import asyncio
import contextlib
import socket
import sys

LONGEST_PAUSE = 1000
"""Milliseconds between two tries; Linux takes no less."""
TCP_RTO_MAX_MS = 44
"""Linux 6.15 and later; Python's `socket` has no name for it yet."""
IN_VAIN = 2
"""The byte of Linux's `struct tcp_info` that says how many tries in a row were not acknowledged."""


class Retransmission:
    """Of one connection. A system that is not Linux, or too old for it, is told nothing, and tells nothing."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport.get_extra_info("socket") if sys.platform == "linux" else None
        self._in_vain = 0
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, LONGEST_PAUSE)

    def got_through(self) -> bool:
        """Whether the peer's kernel has acknowledged, since this was last asked, what had been sent again in vain."""
        before, self._in_vain = self._in_vain, self._tries_in_vain()
        return self._in_vain < before

    def _tries_in_vain(self) -> int:
        if self._socket is None:
            return 0
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, IN_VAIN + 1)
        except OSError:  # it is closed
            return self._in_vain
        return int(told[IN_VAIN])
