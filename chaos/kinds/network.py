"""The kinds of fault that the network has.                                                                    pure"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from chaos.kinds.spec import Attribute, KindSpec, Value, milliseconds


def _slicer_rule(attributes: Mapping[str, Value]) -> str | None:
    average, variation = attributes["average_size"], attributes["size_variation"]
    if isinstance(average, int) and isinstance(variation, int) and variation > average:
        return (
            f"size_variation {variation} is above average_size {average}: a slice would have a negative size"
        )
    return None


def _network(
    about: str,
    attributes: Mapping[str, Attribute] | None = None,
    *,
    severs: bool,
    lasts: Literal["optional", "never"] = "optional",
    mild: Callable[[Mapping[str, Value]], bool] = lambda _: False,
    lingers: str | None = None,
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None,
) -> KindSpec:
    return KindSpec(
        about,
        "network",
        severs,
        attributes or {},
        lasts=lasts,
        directed=True,
        mild=mild,
        lingers=lingers,
        rule=rule,
    )


MILD_LOSS = 5
"""Percent of packets. Up to there a segment is lost five times in a row, and a healthy link silent for 3 s (0.2 + 0.4 + 0.8
+ 1.6), once in three million segments."""
MILD_BURST = 3
"""Losses in a row: a silence of 1.4 s (0.2 + 0.4 + 0.8), and a bit for the round trips. One more makes 3 s of it."""
MILD_QUEUE = 1.0
"""Seconds that the last byte of a full queue waits. What finds no room is sent again, and waits as long once more: a
round trip stays below 3 s."""


def _number(attributes: Mapping[str, Value], name: str) -> int:
    value = attributes[name]
    assert isinstance(value, int), "the vocabulary says so"
    return value


def _mild_loss(attributes: Mapping[str, Value]) -> bool:
    return _number(attributes, "percent") <= MILD_LOSS


def _mild_burst(attributes: Mapping[str, Value]) -> bool:
    return _number(attributes, "losses") <= MILD_BURST


def _mild_queue(attributes: Mapping[str, Value]) -> bool:
    return _number(attributes, "buffer") <= MILD_QUEUE * _number(attributes, "rate")


NETWORK: Mapping[str, KindSpec] = MappingProxyType(
    {
        "latency": _network(
            "Every byte is delayed; with direction both, each way gets the delay, so the round trip grows by twice it.",
            {
                "latency": milliseconds("the delay in one direction", usual=(1, 1200)),
                "jitter": milliseconds(
                    "up to this much more or less, drawn anew for every chunk", 0, (0, 300)
                ),
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
                    usual=(20, 5000),
                )
            },
            severs=False,
        ),
        "slow_close": _network(
            "The end of a connection arrives late.",
            {"delay": milliseconds("how late", usual=(10, 10_000))},
            severs=False,
            lingers="delay",
        ),
        "timeout": _network(
            "Bytes are dropped, and the connection is closed after a time without any, or when it heals.",
            {
                "timeout": milliseconds(
                    "the time; it starts anew with every chunk, and 0 is never", 0, (0, 10_000)
                )
            },
            severs=True,
        ),
        "reset_peer": _network(
            "The connection is cut on its next traffic; an idle one is not. One opened during the fault ends in a"
            " reset, an older one in an orderly FIN.",
            {"timeout": milliseconds("from the traffic to the cut", 0, (0, 3000))},
            severs=True,
            lingers="timeout",
        ),
        "slicer": _network(
            "Bytes arrive in small pieces.",
            {
                "average_size": Attribute("of a piece", "bytes", None, 1, 10_000_000, usual=(1, 4000)),
                "size_variation": Attribute(
                    "at most average_size", "bytes", 0, 0, 10_000_000, usual=(0, 2000)
                ),
                "delay": Attribute("between pieces", "us", 0, 0, 1_000_000_000, usual=(0, 20_000)),
            },
            severs=False,
            rule=_slicer_rule,
        ),
        "limit_data": _network(
            "The connection ends after so many more bytes, and so does every later one, its handshake included.",
            {
                "bytes": Attribute(
                    "counted from the begin of the fault or of the connection", "bytes", usual=(0, 200_000)
                )
            },
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
            {"percent": Attribute("of the packets", "percent", None, 1, 100, usual=(1, 40))},
            severs=True,
            mild=_mild_loss,
        ),
        "blackhole": _network(
            "Bytes are dropped in silence, and the connection dies when it heals.",
            severs=True,
        ),
        "idle_cut": KindSpec(
            "A hop ends what was idle both ways for so long; when it heals, those that it has forgotten get RST.",
            "network",
            severs=True,
            attributes={
                "after": Attribute("the idle time", "ms", None, 1, 3_600_000, usual=(300, 8000)),
                "how": Attribute(
                    "FIN to both sides, or silent: it drops all that comes of that connection from then on",
                    choices=("fin", "silent"),
                    default="fin",
                ),
            },
        ),
        "cut_after": _network(
            "A black hole for large packets: what is larger never gets through, and what follows it has to wait.",
            {
                "bytes": Attribute(
                    "the most that a packet may carry; Ethernet's carry 1448",
                    "bytes",
                    None,
                    1,
                    1447,
                    usual=(500, 1447),
                )
            },
            severs=True,
        ),
        "rto": _network(
            "A burst of loss on each connection: TCP tries again after 0.2, 0.4, 0.8 s and so on, then all of it comes."
            f" Up to {MILD_BURST} losses no connection may die of it.",
            {
                "losses": Attribute(
                    "how often in a row the oldest packet is lost; 3 are a silence of 1.4 s",
                    "",
                    None,
                    1,
                    15,
                    usual=(1, 5),
                )
            },
            severs=True,
            mild=_mild_burst,
        ),
        "bufferbloat": _network(
            "Bytes queue before a limited rate, so the round trip grows with one's own traffic; what finds no room is"
            " lost. Where the queue is not longer than a second no connection may die of it.",
            {
                "rate": Attribute("as of `bandwidth`", "KB/s", None, 1, 10_000_000, usual=(20, 2000)),
                "buffer": Attribute(
                    "what may wait; 1 KB is 1000 bytes", "KB", None, 1, 1_000_000, usual=(8, 1000)
                ),
            },
            severs=True,
            mild=_mild_queue,
        ),
        "half_close": _network(
            "The present connections get a FIN on one way, once; the other stays open. What is still sent on the closed"
            " one is taken, and dropped.",
            severs=True,
            lasts="never",
        ),
        "rst_after_rebind": KindSpec(
            "The client's address changes, once: nothing arrives over the present connections any more, and the client's"
            " next packet on each gets RST. New ones are fine.",
            "network",
            severs=True,
            lasts="never",
        ),
        "dns": KindSpec(
            "The name of the link's endpoint is looked up in vain, late, or to the wrong end; connections that are there stay.",
            "network",
            severs=True,
            attributes={
                "how": Attribute(
                    "there is no answer; it comes late; it is an address where nobody listens; it is two addresses, and"
                    " to the first no packet comes",
                    choices=("fails", "slow", "another", "dead-first"),
                    default="fails",
                ),
                "delay": milliseconds(
                    "how late a slow answer is; a resolver asks again after 5 s (resolv.conf(5))",
                    5000,
                    (100, 8000),
                ),
            },
        ),
    }
)
