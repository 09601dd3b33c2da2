"""The kinds of fault, in one table.                                                                          pure

What a kind is called, which attributes it takes in which units, where it may be placed, and whether a connection
may rightly die of it. Validation, error texts and checks read `KINDS`; there is no second list.

What each engine makes of them is a table in docs/design.md: a router loses packets, a proxy only bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

Where = Literal["network", "peer", "client"]
Link = Literal["input", "output", "control"]
Direction = Literal["upstream", "downstream", "both"]
Value = int | tuple[str, ...]
ALL_LINKS: tuple[Link, ...] = get_args(Link)
LINKS: tuple[Link, ...] = ("input", "output")
"""Those that every client has; a control link is there where a scenario sends controls."""
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a kind: a whole number between two bounds, or, where it has `choices`, a list of them."""

    about: str
    unit: str = ""
    default: Value | None = None
    """None: it must be given."""
    minimum: int = 0
    maximum: int = 2_000_000_000
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What one kind of fault does, takes, and may cost."""

    about: str
    where: Where
    severs: bool
    """Whether this kind may rightly end a connection, or stop its bytes or answers altogether. Where it is
    False, a connection lost during the fault was lost without need."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    lasts: Literal["optional", "required", "never"] = "optional"
    """The key `for`: until the end where it is left out, must be given, or has no meaning (over at once)."""
    links: tuple[Link, ...] = ALL_LINKS
    """What `on` may be; empty: the kind has no link."""
    default_on: Link | None = None
    """None, where there are links: `on` must be given."""
    directed: bool = False
    """Whether it takes `direction` (default both) and `toxicity` (default 1)."""
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None
    """What the attributes must fulfil together: None, or why they do not."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that a fault of this kind takes, in the order in which they are best written."""
        return (
            "at",
            *(() if self.lasts == "never" else ("for",)),
            "every",
            "times",
            *(("on",) if self.links else ()),
            "kind",
            *(("direction", "toxicity") if self.directed else ()),
            *self.attributes,
        )


_MS_MAX = 3_600_000


def _slicer_rule(attributes: Mapping[str, Value]) -> str | None:
    average, variation = attributes["average_size"], attributes["size_variation"]
    if isinstance(average, int) and isinstance(variation, int) and variation > average:
        return (
            f"size_variation {variation} is above average_size {average}: a slice would have a negative size"
        )
    return None


def _close_code_rule(attributes: Mapping[str, Value]) -> str | None:
    code = attributes["code"]
    if code in (1004, 1005, 1006, 1015):
        return f"code {code} is reserved and never sent: take one of 1000-1003, 1007-1014 or 3000-4999"
    if isinstance(code, int) and 1016 <= code <= 2999:
        return f"code {code} is not assigned: take one of 1000-1003, 1007-1014 or 3000-4999"
    return None


def _ms(about: str, default: int | None = None) -> Attribute:
    return Attribute(about, "ms", default, 0, _MS_MAX)


def _network(
    about: str,
    attributes: Mapping[str, Attribute] | None = None,
    *,
    severs: bool,
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None,
) -> KindSpec:
    return KindSpec(about, "network", severs, attributes or {}, directed=True, rule=rule)


GARBAGE = (
    "not-json",
    "not-utf8",
    "wrong-type",
    "missing-field",
    "not-33-landmarks",
    "not-finite",
    "out-of-range",
    "too-large",
    "too-deep",
    "unknown-type",
    "control-on-input",
)
"""Kinds of bad input, by the name under which the tracker counts each."""

_CLOSE_CODE = "the code of the Close frame"

# For every kind that severs: bytes stop, or the connection ends, or its answers stop, so that giving the
# connection up is right. The others only slow, add to or mangle what arrives, and a tracker lives with them.
KINDS: Mapping[str, KindSpec] = MappingProxyType(
    {
        "latency": _network(
            "Every byte is delayed; with direction both, each way gets the delay, so the round trip grows by twice it.",
            {
                "latency": _ms("the delay in one direction"),
                "jitter": _ms("up to this much more or less, drawn anew for every chunk", 0),
            },
            severs=False,
        ),
        "bandwidth": _network(
            "Bytes pass at a limited rate.",
            {
                "rate": Attribute(
                    "1 KB is 1000 bytes, per second of scenario time; for none at all take `stall`",
                    "KB/s",
                    None,
                    1,
                    10_000_000,
                )
            },
            severs=False,
        ),
        "slow_close": _network(
            "The end of a connection arrives late.",
            {"delay": _ms("how late")},
            severs=False,
        ),
        "timeout": _network(
            "Bytes are dropped, and the connection is closed after a time without any, or when it heals.",
            {"timeout": _ms("the time; it starts anew with every chunk, and 0 is never", 0)},
            severs=True,
        ),
        "reset_peer": _network(
            "The connection is cut on its next traffic; an idle one is not. One opened during the fault ends in a"
            " reset, an older one in an orderly FIN.",
            {"timeout": _ms("from the traffic to the cut", 0)},
            severs=True,
        ),
        "slicer": _network(
            "Bytes arrive in small pieces.",
            {
                "average_size": Attribute("of a piece", "bytes", None, 1, 10_000_000),
                "size_variation": Attribute("at most average_size", "bytes", 0, 0, 10_000_000),
                "delay": Attribute("between pieces", "us", 0, 0, 1_000_000_000),
            },
            severs=False,
            rule=_slicer_rule,
        ),
        "limit_data": _network(
            "The connection ends after so many more bytes, and so does every later one, its handshake included.",
            {"bytes": Attribute("counted from the begin of the fault or of the connection", "bytes")},
            severs=True,
        ),
        "down": KindSpec(
            "Every connection ends with FIN, and new ones are refused.",
            "network",
            severs=True,
        ),
        "stall": _network(
            "Nothing passes, as over a lost route; TCP brings what it held when it heals.",
            severs=True,
        ),
        "unreachable": _network(
            "Nothing passes, and a router says so: connecting fails at once, and connections that are there last.",
            severs=True,
        ),
        "loss": _network(
            "Packets are lost by chance, and TCP sends them again. Up to 5 percent no connection may die of it.",
            {"percent": Attribute("of the packets", "percent", None, 1, 100)},
            severs=True,
        ),
        "blackhole": _network(
            "Bytes are dropped in silence, and the connection dies when it heals.",
            severs=True,
        ),
        "block_loop": KindSpec(
            "The client's own event loop does not run.",
            "client",
            severs=False,
            lasts="required",
            links=(),
        ),
        "echo": KindSpec(
            "The peer sends every message back to its sender.",
            "peer",
            severs=False,
            links=("output",),
            default_on="output",
        ),
        # Without Pongs nothing tells a live upstream from a dead one, so giving it up is right.
        "mute_pong": KindSpec(
            "The peer reads, and answers no Ping.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "stop_reading": KindSpec(
            "The peer does not read, so buffers fill up to the sender.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "close": KindSpec(
            "The peer closes its present connections, once.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", None, 1000, 4999)},
            lasts="never",
            default_on="output",
            rule=_close_code_rule,
        ),
        "accept_then_close": KindSpec(
            "The peer completes a handshake and closes at once; connections it already has stay.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", 1000, 1000, 4999)},
            default_on="output",
            rule=_close_code_rule,
        ),
        "refuse": KindSpec(
            "The peer answers a handshake with an HTTP error; connections it already has stay.",
            "peer",
            severs=True,
            attributes={
                "status": Attribute("the HTTP status", "", 503, 400, 599),
                "retry_after": Attribute(
                    "how long it asks the client to stay away; 0: it does not ask", "s", 0, 0, 3600
                ),
            },
            default_on="output",
        ),
        "restart": KindSpec(
            "The whole peer goes: it closes every connection of all links with 1012, and its port refuses for as"
            " long as the fault lasts.",
            "peer",
            severs=True,
            lasts="required",
            links=(),
        ),
        "garbage": KindSpec(
            "The peer mixes bad messages into what it sends.",
            "peer",
            severs=False,
            attributes={"kinds": Attribute("which, in turn", "", GARBAGE, choices=GARBAGE)},
            default_on="input",
        ),
        "burst": KindSpec(
            "The peer sends frames faster than they were taken.",
            "peer",
            severs=False,
            attributes={"fps": Attribute("frames per second of scenario time", "fps", None, 1, 10_000)},
            links=("input",),
            default_on="input",
        ),
    }
)
