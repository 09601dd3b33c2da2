"""Real sockets through a real Toxiproxy: a private server process for each run, a proxy for each link.

The machine's own delays are real here, so scenario time runs `scale` times as fast as the clock, and every
duration of a fault is divided by it. Rates are multiplied, so that the ratios stay.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import Context
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chaos.engines import EngineError, InForce, SocketObserver, World
from chaos.engines.canary import CALM, canary
from chaos.engines.leftovers import without_leftovers
from chaos.engines.proxy_sockets import ProxySockets, can_look
from chaos.faults import Fault
from chaos.history import SocketsSeen
from chaos.kinds import Link
from chaos.toxiproxy import toxics
from chaos.toxiproxy.install import ToxiproxyMissing, find_server
from chaos.toxiproxy.proxy import ProxyHandle
from chaos.toxiproxy.server import ToxiproxyServer
from chaos.toxiproxy.toxics import Toxic, ToxiproxyError

SLOWING = frozenset({"latency", "bandwidth", "stall", "slicer", "slow_close"})
"""Kinds that end by striking nobody any more. To remove a toxic, the server first hands on what the toxic holds, and
where the client has left meanwhile, it waits for that for ever, and answers nothing more."""

NOT_THE_CLIENTS_ALONE: Mapping[str, str] = MappingProxyType(
    {
        "block_loop": "on real sockets the client shares its event loop with the peer and the laboratory",
        "suspend": "on real sockets the client shares its machine with the peer and the laboratory",
        "clock_step": "on real sockets the client shares its machine's clock with everybody",
    }
)
"""Why a fault of the client's machine cannot be had on real sockets."""
_NO_PROXY: Mapping[str, str] = MappingProxyType(
    {
        "loss": "a proxy sees no packets, and TCP brings it every byte",
        "unreachable": "a proxy has accepted before it could say that there is no way",
        "idle_cut": "a proxy keeps a connection for as long as its ends do",
        "cut_after": "a proxy sees no packets, and hands on bytes in packets of its own",
        "rto": "a proxy sees no packets; `stall` for so long is the same silence",
        "bufferbloat": "a proxy's queue is as long as its machine's buffers; `bandwidth` fills those",
        "half_close": "a proxy ends both ways of a connection together",
        "dns": "the client asks this machine's own resolver, which the laboratory leaves alone",
        "rst_after_rebind": "a proxy resets only what was opened during the fault",
    }
)


def why_not(fault: Fault) -> str | None:
    """Why it cannot be had through Toxiproxy; None: it can."""
    if fault.spec.where == "client":  # it would happen to the peer too, and to this process
        return NOT_THE_CLIENTS_ALONE[fault.kind]
    return _NO_PROXY.get(fault.kind)


class ToxiproxyEngine:
    """Runs scenarios on the server that `find_server` finds, or on the one at `url`."""

    name = "toxiproxy"

    def __init__(self, *, scale: float) -> None:
        self._scale = scale
        self._url = os.environ.get("TOXIPROXY_URL")
        self._binary = find_server(os.environ)
        if not self._url and self._binary is None:
            raise ToxiproxyMissing("no toxiproxy-server found: get it with `simtool toxiproxy install`")

    def require_able(self, faults: Iterable[Fault]) -> None:
        """See `Engine`, and `why_not`."""
        for fault in faults:
            if (why := why_not(fault)) is not None:
                raise EngineError(f"{fault}: {why}; run it with --engine sim")

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """See `Engine`."""
        try:
            asyncio.run(without_leftovers(self._run(life)))
        except ToxiproxyError as error:
            raise EngineError(str(error)) from error

    async def _run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        server = ToxiproxyServer.attached(self._url) if self._url else ToxiproxyServer(self._binary or Path())
        world = _ToxiproxyWorld(server, self._scale)
        async with (
            server,
            canary(through(server), patience=CALM / self._scale, notice=world.stood_still),
            world.sockets.looking(scale=self._scale),
        ):
            await life(world)


def through(server: ToxiproxyServer) -> Callable[[int], Awaitable[tuple[str, int]]]:
    """A path to a port of the loopback for the canary."""

    async def lead(port: int) -> tuple[str, int]:
        proxy = await server.create(f"canary-{os.getpid()}", f"127.0.0.1:{port}")
        return proxy.host, proxy.port

    return lead


class _ToxiproxyWorld:
    def __init__(self, server: ToxiproxyServer, scale: float) -> None:
        self.scale = scale
        self._server = server
        self._proxies: dict[Link, ProxyHandle] = {}
        self._notice: Callable[[float], None] = lambda _: None
        self._observer: SocketObserver | None = None
        # A server of somebody else's may be on another machine.
        self.sockets = ProxySockets()
        listed: SocketsSeen = "all" if self.sockets.sees_packets else "accepted"
        self.sockets_seen: SocketsSeen = listed if server.private and can_look() else "none"

    def watch_sockets(self, observer: SocketObserver) -> None:
        self._observer = observer

    async def open_link(self, link: Link, port: int, *, named: bool = False) -> str:
        del named
        proxy = await self._server.create(f"{link}-{os.getpid()}", f"127.0.0.1:{port}")
        self._proxies[link] = proxy
        if self._observer is not None and self.sockets_seen != "none":
            self.sockets.watch(proxy.port, link, self._observer)
        return f"{proxy.host}:{proxy.port}"

    def client_context(self, number: int) -> Context | None:
        del number
        return None

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def clients_behind(self) -> float:
        """There is one clock."""
        return 0.0

    def on_standstill(self, notice: Callable[[float], None]) -> None:
        self._notice = notice

    def stood_still(self, seconds: float) -> None:
        """The canary has noticed it."""
        self._notice(seconds)

    async def begin(self, fault: Fault) -> InForce:
        assert fault.on is not None, "every network fault names its link"
        proxy = self._proxies[fault.on]
        if fault.kind == "down":
            await proxy.disable()
            return InForce(proxy.enable)
        both: tuple[toxics.Stream, ...] = ("upstream", "downstream")
        streams = both if fault.direction == "both" else (fault.direction,)
        # Both directions at once: between two calls a Ping could pass one way and its Pong not the other.
        names = await asyncio.gather(
            *(
                proxy.add(toxic(fault, stream, self.scale), f"{fault.kind}_{stream}_{id(fault)}")
                for stream in streams
            )
        )

        async def heal() -> None:
            if fault.kind in SLOWING:
                await asyncio.gather(*(proxy.update(name, {"toxicity": 0.0}) for name in names))
            else:
                await asyncio.gather(*(proxy.remove(name) for name in names))

        return InForce(heal)


def toxic(fault: Fault, stream: toxics.Stream, scale: float) -> Toxic:
    """The toxic that does, on a clock `scale` times as fast, what the fault says in scenario time."""
    given = {name: value for name, value in fault.attributes.items() if isinstance(value, int)}

    def shorter(name: str) -> int:
        return _divided(given[name], scale)

    makers: Mapping[str, Callable[[], Toxic]] = {
        "latency": lambda: toxics.Latency(
            stream=stream, toxicity=fault.toxicity, latency=shorter("latency"), jitter=shorter("jitter")
        ),
        "bandwidth": lambda: toxics.Bandwidth(
            stream=stream, toxicity=fault.toxicity, rate=round(given["rate"] * scale)
        ),
        "stall": lambda: toxics.Bandwidth(stream=stream, toxicity=fault.toxicity, rate=0),
        "slow_close": lambda: toxics.SlowClose(
            stream=stream, toxicity=fault.toxicity, delay=shorter("delay")
        ),
        "timeout": lambda: toxics.Timeout(stream=stream, toxicity=fault.toxicity, timeout=shorter("timeout")),
        "blackhole": lambda: toxics.Timeout(stream=stream, toxicity=fault.toxicity, timeout=0),
        "reset_peer": lambda: toxics.ResetPeer(
            stream=stream, toxicity=fault.toxicity, timeout=shorter("timeout")
        ),
        "slicer": lambda: toxics.Slicer(
            stream=stream,
            toxicity=fault.toxicity,
            average_size=given["average_size"],
            size_variation=given["size_variation"],
            delay=shorter("delay"),
        ),
        "limit_data": lambda: toxics.LimitData(stream=stream, toxicity=fault.toxicity, bytes=given["bytes"]),
    }
    return makers[fault.kind]()


def _divided(value: int, scale: float) -> int:
    """Never to 0 from something: 0 means another thing to most toxics."""
    return max(1, round(value / scale)) if value else 0
