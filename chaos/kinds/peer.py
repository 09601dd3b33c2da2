"""The kinds of fault that the peer has.                                                                       pure"""

from collections.abc import Mapping
from types import MappingProxyType

from chaos.kinds.spec import Attribute, KindSpec, Value, milliseconds


def _close_code_rule(attributes: Mapping[str, Value]) -> str | None:
    code = attributes["code"]
    if code in (1004, 1005, 1006, 1015):
        return f"code {code} is reserved and never sent: take one of 1000-1003, 1007-1014 or 3000-4999"
    if isinstance(code, int) and 1016 <= code <= 2999:
        return f"code {code} is not assigned: take one of 1000-1003, 1007-1014 or 3000-4999"
    return None


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

PEER: Mapping[str, KindSpec] = MappingProxyType(
    {
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
        # Nor do these tell one from the other.
        "wrong_pong": KindSpec(
            "The peer reads, and answers each Ping with a Pong that matches none.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "fragment": KindSpec(
            "The peer sends its messages in fragments with control frames between them, and its control frames, the Close"
            " too, byte by byte.",
            "peer",
            severs=False,
            default_on="input",
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
            attributes={"code": Attribute(_CLOSE_CODE, "", None, 1000, 4999, usual=(1000, 1014))},
            lasts="never",
            default_on="output",
            rule=_close_code_rule,
        ),
        "accept_then_close": KindSpec(
            "The peer completes a handshake and closes at once; connections it already has stay.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", 1000, 1000, 4999, usual=(1000, 1014))},
            default_on="output",
            rule=_close_code_rule,
        ),
        "refuse": KindSpec(
            "The peer answers a handshake with an HTTP error; connections it already has stay.",
            "peer",
            severs=True,
            attributes={
                "status": Attribute("the HTTP status", "", 503, 400, 599, usual=(500, 504)),
                "retry_after": Attribute(
                    "how long it asks the client to stay away; 0: it does not ask",
                    "s",
                    0,
                    0,
                    366 * 86_400,
                    usual=(0, 12),
                ),
                "retry_after_as": Attribute(
                    "how it asks: in seconds, by a date, or for nothing by what is neither (retry_after is not looked at)",
                    default="seconds",
                    choices=("seconds", "date", "nonsense"),
                ),
            },
            default_on="output",
        ),
        # The TCP connection is there, and silence is all that comes over it.
        "accept_tcp_only": KindSpec(
            "The peer accepts connections and never answers their handshakes, whenever it heals; those it already has stay.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "trickle": KindSpec(
            "The peer's answer to a handshake comes a byte at a time; connections it already has stay.",
            "peer",
            severs=True,
            attributes={"pause": milliseconds("between two bytes", 1000, (10, 2000))},
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
            attributes={"kinds": Attribute("which, in turn", "", GARBAGE, choices=GARBAGE, several=True)},
            default_on="input",
        ),
        "burst": KindSpec(
            "The peer sends frames faster than they were taken.",
            "peer",
            severs=False,
            attributes={
                "fps": Attribute(
                    "frames per second of scenario time", "fps", None, 1, 10_000, usual=(10, 300)
                )
            },
            links=("input",),
            default_on="input",
        ),
    }
)
