"""What a tracker tells the service manager that started it: systemd's notification protocol, over a unix socket.

A tracker that nobody supervises tells nobody. See sd_notify(3) and sd_watchdog_enabled(3).
"""

import contextlib
import os
import socket
from collections.abc import Mapping

from tracker import events
from tracker.config import ConfigError


class Supervisor:
    """Whoever supervises this process; an observer of its tracker."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """`NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` of the environment count. Raises `ConfigError`."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self._status = ""
        self.watchdog: float | None = None
        """Seconds: a sign of life must come more often, or the process is killed. None: nobody watches."""
        period = environment.get("WATCHDOG_USEC", "")
        if self._address and period and _is_meant(environment.get("WATCHDOG_PID", "")):
            if not period.isdecimal() or int(period) == 0:
                raise ConfigError(f"WATCHDOG_USEC is {period!r}: it must be a number of microseconds above 0")
            self.watchdog = int(period) / 1e6
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """The tracker runs. Its links may take their time."""
        self._tell("READY=1")

    def alive(self) -> None:
        """To be called by what proves that the process works."""
        if self.watchdog is not None:
            self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What the tracker does at present, for people; told when it changes."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={text}")

    def close(self) -> None:
        """There is nothing more to be told."""
        if self._socket is not None:
            self._socket.close()

    def observe(self, event: events.AnyEvent) -> None:
        """Take one event."""
        if type(event) is events.Stopping:
            self._tell("STOPPING=1")

    def _tell(self, line: str) -> None:
        if self._socket is None:
            return
        # A first @ stands for the zero byte of Linux' abstract names.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError):  # nobody listens, or not fast enough: no reason to stop tracking
            self._socket.sendto(line.encode(), address)


def _is_meant(pid: str) -> bool:
    return not pid or pid == str(os.getpid())
