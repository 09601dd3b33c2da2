"""What each kind of fault is on a router of the kernel, and what it needs of the kernel.                     pure"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from chaos.faults import Fault
from chaos.kernel.commands import FAULTS, NO_WAY, RESETS
from chaos.kinds import Direction

Device = Literal["client", "peer"]
Ability = Literal["netem", "tbf", "bpf", "destroy"]
"""What not every kernel has."""

ABOUT: Mapping[Ability, str] = MappingProxyType(
    {
        "netem": "this kernel has no netem (module sch_netem)",
        "tbf": "this kernel has no token bucket (module sch_tbf)",
        "bpf": "this kernel cannot drop packets by chance (modules sch_ingress, cls_bpf)",
        "destroy": "this kernel ends no connections of others (INET_DIAG_DESTROY)",
    }
)
"""What is said where one is missing."""
_NEEDS: Mapping[str, Ability | None] = MappingProxyType(
    {
        "stall": None,
        "blackhole": "destroy",
        "down": "destroy",
        "unreachable": None,
        "reset_peer": None,
        "loss": "bpf",
        "cut_after": "bpf",
        "bandwidth": "tbf",
        "bufferbloat": "tbf",
        "latency": "netem",
    }
)
_WHY_NOT: Mapping[str, str] = MappingProxyType(
    {
        "timeout": "a router does not acknowledge in the peer's place what it drops (blackhole is a router's)",
        "slicer": "a router cuts no packets into pieces",
        "slow_close": "a router does not hold back an end alone",
        "limit_data": "a router does not count the bytes of a connection",
        "idle_cut": "a router keeps no account of connections",
        "rto": "a router does not know which packet is sent again; `stall` for so long is the same silence",
        "half_close": "a router does not end a connection in the sender's place",
        "dns": "the client asks this machine's own resolver, which the laboratory leaves alone",
        "rst_after_rebind": "a router does not tell older connections from new ones",
        "block_loop": "the client shares its event loop with the peer and the laboratory",
        "suspend": "the client shares its machine with the peer and the laboratory",
        "clock_step": "the client shares its machine's clock with everybody",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a router leads what comes in by one interface."""

    preference: int
    """The lowest comes first."""
    comes_in: Device
    table: int | None
    """By which it is routed; None: it is dropped, and nobody is told."""


_TABLES: Mapping[str, int | None] = MappingProxyType(
    {"stall": None, "blackhole": None, "unreachable": NO_WAY, "reset_peer": RESETS, "down": RESETS}
)
"""By which what a fault strikes is routed."""
SILENT = frozenset(kind for kind, table in _TABLES.items() if table is None)
"""Kinds of which nobody is told."""
_FIRST = (None, NO_WAY, RESETS)
"""Of several faults on one way the first of these decides: who is told nothing, is told nothing."""

LIMITS = ("bandwidth", "bufferbloat")
"""Kinds that are a rate, and a queue before it."""
CERTAIN = 2**32 - 1
HEADS = 14 + 20 + 32
"""Bytes before a packet's payload: Ethernet's, IPv4's, and TCP's with time stamps."""


def why_not(fault: Fault, abilities: Container[Ability]) -> str | None:
    """Why a router of a kernel with these abilities cannot do it; None: it can."""
    if fault.spec.where == "peer":
        return None
    if fault.kind in _WHY_NOT:
        return _WHY_NOT[fault.kind]
    if 0 < fault.toxicity < 1:
        return "a router does not strike some connections and spare others (toxicity)"
    if fault.kind == "reset_peer" and fault.attributes["timeout"]:
        return "a router does not wait before it resets (reset_peer with a timeout)"
    need = _NEEDS[fault.kind]
    return None if need is None or need in abilities else ABOUT[need]


def entries(fault: Fault) -> tuple[Device, ...]:
    """The interfaces by which what it strikes comes in."""
    if fault.toxicity == 0:
        return ()
    return _ways(fault.direction, "client", "peer")


def exits(fault: Fault) -> tuple[Device, ...]:
    """The interfaces by which what it strikes leaves."""
    if fault.toxicity == 0:
        return ()
    return _ways(fault.direction, "peer", "client")


def _ways(direction: Direction, upstream: Device, downstream: Device) -> tuple[Device, ...]:
    both = {"upstream": (upstream,), "downstream": (downstream,), "both": (upstream, downstream)}
    found: tuple[Device, ...] = both[direction]
    return found


def rule(fault: Fault, device: Device, number: int) -> Rule:
    """That of one way that it strikes; `number` tells the fault from all others of its router."""
    return _leading_to(_TABLES[fault.kind], device, number)


def turned_away(device: Device, number: int) -> Rule:
    """One that has the router answer with a reset what comes in, once no silence strikes it any more."""
    return _leading_to(RESETS, device, number)


def _leading_to(table: int | None, device: Device, number: int) -> Rule:
    return Rule(FAULTS * (1 + _FIRST.index(table)) + number, device, table)


def dropping(fault: Fault, device: Device, number: int) -> tuple[str, str]:
    """What `tc` is told to begin a loss, by chance or by size, on one way, and to end it."""
    where = f"dev {device} ingress pref {number + 1}"
    large = fault.kind == "cut_after"
    program = _by_size(fault.number("bytes")) if large else _by_chance(fault.number("percent"))
    return (
        f"filter add {where} bpf da bytecode '{program}'",
        f"filter delete {where}",
    )


def _by_size(payload: int) -> str:
    """A classic BPF program that drops each packet of TCP that carries more than so many bytes, as `tc` reads it.

    Load the length; where it is greater than the payload and its heads, drop the packet (TC_ACT_SHOT), else let it pass.
    """
    program = ("128 0 0 0", f"37 0 1 {payload + HEADS}", "6 0 0 2", "6 0 0 4294967295")
    return f"{len(program)},{','.join(program)}"


def _by_chance(percent: int) -> str:
    """A classic BPF program that drops so many of a hundred packets, as `tc` reads it.

    Load a random word; where it reaches the share's part of 2**32, let the packet pass (TC_ACT_UNSPEC), else drop it
    (TC_ACT_SHOT).
    """
    least = min(CERTAIN, percent * 2**32 // 100)
    program = ("32 0 0 4294963256", f"53 1 0 {least}", "6 0 0 2", "6 0 0 4294967295")
    return f"{len(program)},{','.join(program)}"


class Egress:
    """The queue of one interface: how late packets leave, and how many. Each change is what `tc` is told.

    What waits in it when a fault ends is not lost: a delay and a rate that have been set are never taken away, but
    become no delay, and a rate that nothing reaches.
    """

    WAITING = 0.25
    """Seconds for which a packet may wait for a narrow link; what would wait longer is lost. A queue of some size, 64 KiB say,
    would make a round trip of many seconds on the narrowest, and no connection may be asked to bear that."""
    UNLIMITED = "10gbit burst 1mb limit 1mb"
    """A rate that nothing reaches."""
    BURST = 3_200
    """Bytes that may leave at once: two packets."""
    PACKETS = 10_000
    """That may be on their way through a delay."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._faults: list[Fault] = []
        self._delays = False
        self._limits = False

    def add(self, fault: Fault) -> Sequence[str]:
        """One more latency, bandwidth or queue."""
        self._faults.append(fault)
        fresh = not self._delays
        self._delays |= fault.kind == "latency"
        self._limits |= fault.kind in LIMITS
        if fault.kind in LIMITS:
            return [self._rate()]
        # A delay that is new takes the place of the rate, which goes below it.
        return [self._delay(), *([self._rate()] if fresh and self._limits else [])]

    def remove(self, fault: Fault) -> Sequence[str]:
        """One less."""
        self._faults.remove(fault)
        return [self._delay() if fault.kind == "latency" else self._rate()]

    def _delay(self) -> str:
        """Latencies add up."""
        latency, jitter = (self._sum(name) for name in ("latency", "jitter"))
        around = f" {jitter}ms" if jitter else ""
        return f"qdisc replace dev {self._device} root handle 1: netem limit {self.PACKETS} delay {latency}ms{around}"

    def _rate(self) -> str:
        """The narrowest counts."""
        limits = [fault for fault in self._faults if fault.kind in LIMITS]
        where = "parent 1:1" if self._delays else "root"
        return f"qdisc replace dev {self._device} {where} handle 2: tbf rate {self._limited(limits)}"

    def _limited(self, limits: Sequence[Fault]) -> str:
        if not limits:
            return self.UNLIMITED
        narrowest = min(limits, key=lambda fault: fault.number("rate"))
        rate = narrowest.number("rate")
        waiting = (
            narrowest.number("buffer") * 1000
            if narrowest.kind == "bufferbloat"
            else round(rate * 1000 * self.WAITING)
        )
        return f"{rate * 8}kbit burst {self.BURST}b limit {self.BURST + waiting}b"

    def _sum(self, name: str) -> int:
        return sum(fault.number(name) for fault in self._faults if fault.kind == "latency")
