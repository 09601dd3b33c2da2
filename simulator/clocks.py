"""The standard library's clocks, as they go on the hosts of a simulation.

Whoever runs on a host and asks `time` gets that host's clocks; everybody else, in this process and its other threads,
the machine's own. A client that took `time.time` by its name before the first simulation, or asks `datetime`, gets the
machine's own as well.
"""

import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from simulator.hosts import Host, host_of


@cache
def watch_clocks() -> None:
    """From now on tell whoever asks on a host its own time. Once for the whole process."""
    _replace("time", lambda host: host.wall())
    _replace("time_ns", lambda host: int(host.wall() * 1e9))
    _replace("monotonic", lambda host: host.monotonic())
    _replace("monotonic_ns", lambda host: int(host.monotonic() * 1e9))
    clocks: dict[int, Callable[[Host], float]] = {
        getattr(time, name): read
        for name, read in (
            ("CLOCK_REALTIME", Host.wall),
            ("CLOCK_MONOTONIC", Host.monotonic),
            ("CLOCK_BOOTTIME", Host.since_boot),
        )
        if hasattr(time, name)
    }
    if hasattr(time, "clock_gettime"):
        asked = time.clock_gettime

        @wraps(asked)
        def clock_gettime(clock: int) -> float:
            host = host_of()
            return clocks[clock](host) if host is not None and clock in clocks else asked(clock)

        time.clock_gettime = clock_gettime


def _replace(name: str, read: Callable[[Host], Any]) -> None:
    real = getattr(time, name)

    @wraps(real)
    def clock() -> Any:
        host = host_of()
        return real() if host is None else read(host)

    setattr(time, name, clock)
