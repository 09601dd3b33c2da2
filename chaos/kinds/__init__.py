"""The kinds of fault, in one table.                                                                          pure

What a kind is called, which attributes it takes in which units, where it may be placed, and whether a connection
may rightly die of it. Validation, error texts and checks read `KINDS`; there is no second list.

What each engine makes of them is a table in docs/design.md: a router loses packets, a proxy only bytes. `spec` says what
is said of a kind; `network`, `client` and `peer` have the kinds of each place.
"""

from collections.abc import Mapping
from types import MappingProxyType

from chaos.kinds.client import CLIENT
from chaos.kinds.network import NETWORK
from chaos.kinds.peer import GARBAGE, PEER
from chaos.kinds.spec import ALL_LINKS, DIRECTIONS, LINKS, Attribute, Direction, KindSpec, Link, Value

__all__ = (
    "ALL_LINKS",
    "DIRECTIONS",
    "GARBAGE",
    "KINDS",
    "LINKS",
    "Attribute",
    "Direction",
    "KindSpec",
    "Link",
    "Value",
)

# For every kind that severs: bytes stop, or the connection ends, or its answers stop, so that giving the
# connection up is right. The others only slow, add to or mangle what arrives, and a tracker lives with them.
KINDS: Mapping[str, KindSpec] = MappingProxyType({**NETWORK, **CLIENT, **PEER})
