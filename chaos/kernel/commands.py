"""What `ip` and `tc` are told, to have a router between one client and one peer.                             pure

The router has two interfaces, `client` and `peer`, named after who is behind them. What goes upstream comes in on the
first and leaves by the second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROUTER: Mapping[str, str] = MappingProxyType(
    {
        "net/ipv4/ip_forward": "1",
        # A packet is passed on whoever it says that it comes from, and wherever an answer to it would go.
        "net/ipv4/conf/all/accept_local": "1",
        "net/ipv4/conf/all/rp_filter": "0",
        "net/ipv4/conf/default/rp_filter": "0",
        # Every packet that is turned away is told so.
        "net/ipv4/icmp_ratelimit": "0",
    }
)
"""Settings of a router's namespace, by their files below /proc/sys."""
QUIET: Mapping[str, str] = MappingProxyType(
    {"net/ipv6/conf/all/disable_ipv6": "1", "net/ipv6/conf/default/disable_ipv6": "1"}
)
"""Of every namespace, where there is IPv6: it looks for neighbours unasked, and a router would count that."""

OWN, FAULTS, MAIN, LOCAL = 1, 1000, 30000, 30001
"""Preferences of rules: the router's own addresses come first, then faults, then where everything else goes."""
NO_WAY = 77
"""The table in which nothing is reached."""
RESETS = 255
"""The table `local`: the router answers in place of both ends, with a reset, since nobody listens there."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of the link with this number. They are of the range for tests of networks (RFC 2544), so they hide nobody's."""

    number: int

    @property
    def client(self) -> str:
        return f"198.18.{self.number}.2"

    @property
    def to_client(self) -> str:
        """The router's, on the client's side."""
        return f"198.18.{self.number}.1"

    @property
    def peer(self) -> str:
        return f"198.19.{self.number}.2"

    @property
    def to_peer(self) -> str:
        """The router's, on the peer's side."""
        return f"198.19.{self.number}.1"


def router(link: str, addresses: Addresses, *, client: str, peer: str) -> Iterable[str]:
    """For `ip`, in the router's namespace; `client` and `peer` are the paths of the ends' namespaces.

    The router has the addresses of both ends too. It passes on what is for them, because the table `main` comes first.
    A rule that leads to the table `local` makes it answer in their place, with a reset, since nobody listens there.
    """
    for device, behind, own in (
        ("client", client, addresses.to_client),
        ("peer", peer, addresses.to_peer),
    ):
        yield f"link add {device} type veth peer name {link} netns {behind}"
        yield f"address add {own}/24 dev {device}"
        # Packets of the size of a wire's, and not many of them in one.
        yield f"link set {device} up gso_max_segs 1"
        yield f"rule add pref {OWN} to {own} lookup local"
    yield f"address add {addresses.client}/32 dev lo"
    yield f"address add {addresses.peer}/32 dev lo"
    yield "link set lo up"
    yield f"route add unreachable default table {NO_WAY}"
    yield f"rule add pref {MAIN} lookup main"
    yield f"rule add pref {LOCAL} lookup local"
    yield "rule delete pref 0"


def client(link: str, addresses: Addresses) -> Iterable[str]:
    """For `ip`, in the client's namespace."""
    return _end(link, addresses.client, addresses.to_client, addresses.peer)


def peer(link: str, addresses: Addresses) -> Iterable[str]:
    """For `ip`, in the peer's namespace."""
    return _end(link, addresses.peer, addresses.to_peer, addresses.client)


def _end(link: str, own: str, via: str, other: str) -> Iterable[str]:
    yield f"address add {own}/24 dev {link}"
    yield f"link set {link} up gso_max_segs 1"
    yield f"route add {other} via {via} dev {link}"
