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

READABLE = 60
"""Megabytes. A message as large is read and skipped; the tracker ends a connection for one above 64 MiB."""


def _readable(attributes: Mapping[str, Value]) -> bool:
    megabytes = attributes["megabytes"]
    return isinstance(megabytes, int) and megabytes <= READABLE


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
        "dead_backend": KindSpec(
            "Behind the peer's name stand a live backend and a dead one: of each client's handshakes every second one meets the"
            " dead, the first too. Connections it already has stay.",
            "peer",
            severs=True,
            attributes={
                "dead_is": Attribute(
                    "what the dead one does: it never answers, or a proxy answers for it with HTTP 502",
                    default="silent",
                    choices=("silent", "refused"),
                )
            },
            default_on="output",
        ),
        "late_accept": KindSpec(
            "The peer answers a handshake only once the same client has begun another. Connections it already has stay.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "redirect": KindSpec(
            "The peer redirects handshakes, with HTTP 307. Connections it already has stay.",
            "peer",
            severs=True,
            attributes={
                "to": Attribute(
                    "to another path, where they are let in; in a loop, to where they came from; or to another host,"
                    " where a stranger takes whatever comes",
                    default="path",
                    choices=("path", "loop", "stranger"),
                )
            },
            default_on="output",
        ),
        "credentials_expire": KindSpec(
            "The peer answers handshakes with HTTP 401 until a token is shown that is issued as the fault begins, and that is"
            " in the tracker's token file a while later. Connections it already has stay.",
            "peer",
            severs=True,
            attributes={
                "renewed_after": milliseconds(
                    "from the begin to the new token's being in the file", 3000, (0, 10_000)
                ),
                "refresh": Attribute(
                    "whether that works, or leaves an empty file the first time and takes as long again",
                    default="works",
                    choices=("works", "fails-once"),
                ),
            },
            default_on="output",
        ),
        "deflate": KindSpec(
            "The peer agrees to compression (RFC 7692) with clients that offer it, and says so to those that do not, which must"
            " end the connection. Connections it already has stay.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "drain": KindSpec(
            "The peer closes its present connections one after the other, spread over the fault's time, and lets new ones be.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", 1001, 1000, 4999, usual=(1000, 1014))},
            lasts="required",
            default_on="output",
            rule=_close_code_rule,
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
        "huge": KindSpec(
            "The peer sends each of its connections one message of many megabytes, once. Up to 60 no connection may die of it.",
            "peer",
            severs=True,
            attributes={"megabytes": Attribute("1 MB is 1000000 bytes", "MB", 20, 1, 100, usual=(1, 60))},
            mild=_readable,
            lasts="never",
            default_on="input",
        ),
        "bomb": KindSpec(
            "The peer sends each of its connections one message, once, compressed (RFC 7692), that unfolds to many megabytes;"
            " where no compression was agreed that is an error, and the client ends the connection.",
            "peer",
            severs=True,
            attributes={
                "megabytes": Attribute("unfolded; 1 MB is 1000000 bytes", "MB", 100, 1, 100, usual=(1, 60))
            },
            lasts="never",
            default_on="input",
        ),
        "low_limit": KindSpec(
            "The peer takes no message of more than so many bytes: it closes with 1009.",
            "peer",
            severs=True,
            attributes={
                "bytes": Attribute(
                    "the longest that it takes", "bytes", None, 1, 16_000_000, usual=(50, 5000)
                )
            },
            default_on="output",
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
