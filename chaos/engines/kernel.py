"""The Linux kernel itself: client, router and peer in network namespaces of their own, in true time.

The thread that makes the run stands in the client's namespace, and with it whatever the client starts: threads,
programs. The mock peer shares the event loop, and only its sockets stand elsewhere. Between the two there is a router
for each link, and a fault is what a router does.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from chaos.engines import EngineError, InForce, SocketObserver, World
from chaos.engines.canary import CALM, canary
from chaos.engines.leftovers import without_leftovers
from chaos.faults import Fault
from chaos.history import Counts, SocketsSeen
from chaos.kernel import faults
from chaos.kernel.faults import ABOUT, Device, Egress, Rule
from chaos.kernel.namespaces import Namespace, in_fresh_namespace
from chaos.kernel.router import KernelError, Router, listen, prepare_end
from chaos.kinds import ALL_LINKS, Link


class KernelEngine:
    """Runs scenarios between namespaces. The process must be allowed to have some; see `chaos.kernel.machine`."""

    name = "kernel"

    def require_able(self, wanted: Iterable[Fault]) -> None:
        """See `Engine`: what no router does. What this kernel lacks is found out when it is asked for it."""
        for fault in wanted:
            if (why := faults.why_not(fault, ABOUT)) is not None:
                raise EngineError(f"{fault}: {why}; run it with --engine sim")

    def run(self, life: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """See `Engine`."""
        try:
            with in_fresh_namespace() as client, contextlib.closing(Namespace()) as peer:
                prepare_end()
                peer.do(prepare_end)
                world = _KernelWorld(client, peer)
                with asyncio.Runner(loop_factory=lambda: _Loop(peer)) as runner:
                    runner.run(without_leftovers(self._run(life, world)))
        except KernelError as error:
            raise EngineError(str(error)) from error

    async def _run(self, life: Callable[[World], Coroutine[Any, Any, None]], world: "_KernelWorld") -> None:
        try:
            async with canary(_straight, patience=CALM, notice=world.stood_still):
                await life(world)
        finally:
            world.close()


async def _straight(port: int) -> tuple[str, int]:
    return "127.0.0.1", port


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers are the peer's: they listen in its namespace, at all of its addresses."""

    def __init__(self, peer: Namespace) -> None:
        super().__init__()
        self._peer = peer

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: Any, port: int, **options: Any
    ) -> asyncio.Server:
        del host
        return await super().create_server(
            protocol_factory, sock=await self._peer.have_done(listen, port), **options
        )


@dataclass(frozen=True, slots=True)
class _Joined:
    """A link's router and the queues of its interfaces."""

    router: Router
    queues: dict[Device, Egress] = field(
        default_factory=lambda: {"client": Egress("client"), "peer": Egress("peer")}
    )


class _KernelWorld:
    scale = 1.0
    sockets_seen: SocketsSeen = "none"

    def __init__(self, client: str, peer: Namespace) -> None:
        self._client = client
        self._peer = peer
        self._links: dict[Link, _Joined] = {}
        self._begun = 0
        self._notice: Callable[[float], None] = lambda _: None

    async def open_link(self, link: Link, port: int, *, named: bool = False) -> str:
        del named
        router = await Router.between(self._client, self._peer, link, ALL_LINKS.index(link))
        self._links[link] = _Joined(router)
        return f"{router.addresses.peer}:{port}"

    def client_context(self, number: int) -> Context | None:
        del number
        return None

    def watch_sockets(self, observer: SocketObserver) -> None:
        """The client's sockets are its own namespace's, and nobody looks there."""

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

    def close(self) -> None:
        """The routers go."""
        for joined in self._links.values():
            joined.router.close()

    async def begin(self, fault: Fault) -> InForce:
        assert fault.on is not None, "every network fault names its link"
        joined = self._links[fault.on]
        number, self._begun = self._begun, self._begun + 1
        match fault.kind:
            case "down":
                return await _down(joined.router, fault, number)
            case "loss" | "cut_after":
                return await _lossy(joined.router, fault, number)
            case "latency" | "bandwidth" | "bufferbloat":
                return await _queued(joined, fault)
            case _:
                return await _ruled(joined.router, fault, number)


async def _ruled(router: Router, fault: Fault, number: int) -> InForce:
    rules = [faults.rule(fault, device, number) for device in faults.entries(fault)]
    silent = fault.kind in faults.SILENT
    done = _Since(router.swallowed if silent else router.rejected)
    await router.add(rules)

    async def heal() -> None:
        if fault.kind == "blackhole":
            await _end_silence(router, rules, number)
        else:
            await router.delete(rules)
        done.stop()

    return InForce(heal, lambda: Counts(bytes=done()) if silent else Counts(rejected=done()))


async def _end_silence(router: Router, rules: Sequence[Rule], number: int) -> None:
    """The connections end with it. What was kept from the peer does not reach it any more, and the client hears a reset.

    A client that is reset after bytes that it never saw asks back (RFC 5961), and then it is the router that answers.
    """
    answers = [faults.turned_away(rule.comes_in, number) for rule in rules if rule.comes_in == "client"]
    await router.add(answers)
    await router.delete(rules)
    await router.end_connections()
    await router.delete(answers)


async def _down(router: Router, fault: Fault, number: int) -> InForce:
    """The peer's host goes: its kernel resets every connection, and from then on nobody is there."""
    upstream, downstream = (faults.rule(fault, device, number) for device in faults.entries(fault))
    rejected = _Since(router.rejected)
    # Nobody comes in any more while the resets still go out.
    await router.add([upstream])
    ends = await router.end_connections()
    await router.add([downstream])

    async def heal() -> None:
        await router.delete([upstream, downstream])
        rejected.stop()

    return InForce(heal, lambda: Counts(ends=ends, rejected=rejected()))


async def _lossy(router: Router, fault: Fault, number: int) -> InForce:
    ways = [(device, *faults.dropping(fault, device, number)) for device in faults.entries(fault)]
    lost = _Since(router.lost)
    await router.tc([f"qdisc replace dev {device} clsact" for device, _, _ in ways])
    await router.tc([begin for _, begin, _ in ways])

    async def heal() -> None:
        await router.tc([end for _, _, end in ways])
        lost.stop()

    return InForce(heal, lambda: Counts(packets=lost()))


async def _queued(joined: _Joined, fault: Fault) -> InForce:
    """What waits is counted by nobody: the endpoints see it."""
    queues = [joined.queues[device] for device in faults.exits(fault)]
    await joined.router.tc([line for queue in queues for line in queue.add(fault)])

    async def heal() -> None:
        await joined.router.tc([line for queue in queues for line in queue.remove(fault)])

    return InForce(heal)


class _Since:
    """How much a counter has grown from now on until `stop`."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._before = read()
        self._after: int | None = None

    def __call__(self) -> int:
        return (self._read() if self._after is None else self._after) - self._before

    def stop(self) -> None:
        self._after = self._read()
