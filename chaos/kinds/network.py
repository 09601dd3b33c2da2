"""The kinds of fault that the network has.                                                                    pure"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

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
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None,
) -> KindSpec:
    return KindSpec(about, "network", severs, attributes or {}, directed=True, rule=rule)


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
        ),
        "blackhole": _network(
            "Bytes are dropped in silence, and the connection dies when it heals.",
            severs=True,
        ),
    }
)
