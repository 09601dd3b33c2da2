"""What clients do with their sockets, seen from a proxy: the kernel lists the proxy's end of each connection.

A client's FIN shows as a state of the proxy's socket, and its RST ends that socket, whatever the proxy does about it: a
toxic keeps bytes from going on, and not the kernel from taking them. An attempt that no proxy accepts shows in no list;
who may see packets sees it there.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from chaos.engines import SocketObserver
from chaos.engines.syn_watch import SynWatch, can_watch
from chaos.kernel.netlink import Sockets
from chaos.kinds import Link

EVERY = 0.1
"""Scenario seconds between two looks."""
AT_LEAST = 0.05
"""Seconds between two looks. The kernel goes through its whole table of connections for each port, a quarter of a
millisecond, and many runs look side by side."""


def can_look() -> bool:
    """Whether this machine lists its sockets. Linux does."""
    try:
        with contextlib.closing(Sockets(1)) as sockets:
            sockets.look()
    except (OSError, AttributeError):
        return False
    return True


class PortWatch:
    """What has become of the connections to one port since the last look; and at once, where packets tell of attempts."""

    def __init__(
        self, link: Link, look: Callable[[], dict[int, bool | None]], observer: SocketObserver
    ) -> None:
        self._link = link
        self._look = look
        self._observer = observer
        self._known: dict[int, bool | None] = {}

    def look(self) -> None:
        """Tell the observer what is new. Nobody can say which of several clients it was: all are told as client 0."""
        found = self._look()
        for far, closed_by_client in found.items():
            if far not in self._known:
                self._observer.attempted(self._link, 0)
            if closed_by_client is not None and self._known.get(far) is None:
                self._observer.closed(self._link, 0, by_client=closed_by_client)
        for far, before in self._known.items():
            # Had the proxy closed it, it would be listed still: this was an RST.
            if before is None and far not in found:
                self._observer.closed(self._link, 0, by_client=True)
        self._known = found

    def attempted(self, far: int) -> None:
        """A packet from that port of the client's has told so. If the next look does not find it, it is over."""
        if self._known.get(far, True) is not None:  # else a look came before the packet was read
            self._observer.attempted(self._link, 0)
            self._known[far] = None

    def refused(self, far: int) -> None:
        """A packet has told that nobody listens."""
        if self._known.pop(far, True) is None:
            self._observer.closed(self._link, 0, by_client=False)


class ProxySockets:
    """The ports of a run, looked at again and again while `looking` lasts."""

    def __init__(self) -> None:
        self.sees_packets = can_watch()
        self._open = contextlib.ExitStack()
        self._watches: list[PortWatch] = []

    def watch(self, port: int, link: Link, observer: SocketObserver) -> None:
        """From now on `observer` hears of the connections to `port`, and of all attempts where we may see packets."""
        sockets = self._open.enter_context(contextlib.closing(Sockets(port)))
        watch = PortWatch(link, sockets.look, observer)
        self._watches.append(watch)
        if self.sees_packets:
            self._open.enter_context(SynWatch(port, watch.attempted, watch.refused).watching())

    @contextlib.asynccontextmanager
    async def looking(self, *, scale: float) -> AsyncIterator[None]:
        """Look, `scale` scenario seconds passing in one of the clock's."""

        async def look_on() -> None:
            while True:
                for watch in self._watches:
                    watch.look()
                await asyncio.sleep(max(AT_LEAST, EVERY / scale))

        with self._open:
            task = asyncio.create_task(look_on(), name="sockets of the proxies")
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
