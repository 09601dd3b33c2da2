"""Promises and the other checks, the networks, the engines, and the causes that a replay names."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from chaos import catalogue
from chaos.diagnosis.causes import Cause
from chaos.glossary.entries import Entry, Fact, listed
from chaos.judging.hints import HINTS
from chaos.presets import PRESETS
from chaos.scenario import PROMISES

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "sim": "Virtual time: client, peer and network in one process; a minute takes a second, and a seed names a run.",
        "toxiproxy": "Real sockets through a real Toxiproxy; ten times as fast as the clock where the client is told.",
        "kernel": "Linux's own TCP between network namespaces, in true time; needs root or user namespaces.",
    }
)

CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.LOOP_BLOCKED: "The client's own event loop did not run, so nothing was read or answered.",
        Cause.PEER_STOOD_STILL: "The peer as a whole did nothing for a while, on every link.",
        Cause.WRONG_PONGS: "Pongs came that answered no Ping that was out.",
        Cause.UNREAD: "The client did not read what came, so Pongs waited behind it.",
        Cause.IDLE_TIMEOUT: "Something on the way ends connections that are silent for a certain time.",
        Cause.AGE_LIMIT: "Something ends connections at a certain age, whatever passes.",
        Cause.MAX_SIZE: "A message was larger than the client takes (1009).",
        Cause.PEER_MAX_SIZE: "A message was larger than the peer takes (1009).",
        Cause.NO_UPGRADE: "What answered speaks HTTP and does not upgrade to a WebSocket.",
        Cause.REFUSED_FOR_GOOD: "The peer refuses this client: 401, 403 or 404, and asking again does not help.",
        Cause.HEALTH_CHECK: "Somebody connects and leaves at regular times: a load balancer that looks whether we live.",
        Cause.OWN_RESTART: "The program itself was stopped and started.",
        Cause.PEER_RESTART: "The peer said goodbye to restart (1001, 1012), and was back.",
        Cause.SERVER_DOWN: "The server was gone: connections broke, and new ones were refused for a while.",
        Cause.STORM: "Attempts came in a row with hardly a delay between them.",
        Cause.NO_PONG: "The client's Ping stayed unanswered, and it gave the connection up.",
        Cause.PEER_NO_PONG: "The peer's Ping stayed unanswered, and it gave the connection up.",
        Cause.OWN_FAILURE: "The client closed because of an error of its own.",
        Cause.PEER_FAILURE: "The peer closed because of an error of its own (1011).",
        Cause.STREAM_ENDED: "The connection ended without a Close frame: the peer's process, a proxy or the path broke it.",
        Cause.PEER_CLOSE: "The peer closed, with a code of its choice.",
        Cause.REFUSED_FOR_NOW: "The handshake was answered with an error that may pass, such as 503.",
        Cause.BAD_HANDSHAKE: "What answered the handshake was no valid answer.",
        Cause.UNREACHABLE: "No connection came about: refused, no route, no such name, or no answer.",
        Cause.END_NOT_SHOWN: "A connection is over, and the log does not show how it ended.",
        Cause.CLOSES_TOLD: "Only exceptions tell of ends; the log shows no connection.",
        Cause.LATE_PONG: "A Pong came, but late.",
        Cause.FELL_SILENT: "A connection on which something came regularly carried nothing any more.",
        Cause.PING_WAITS: "A Ping is out, and the log ends before its answer was due.",
        Cause.LAST_LINES: "The log ends in the middle of it.",
        Cause.LEFT: "A peer left in good order.",
        Cause.OWN_CLOSE: "The client closed in good order.",
        Cause.REDIRECT: "The peer sent the client elsewhere.",
        Cause.NO_END: "Nothing ended as far as the log goes.",
    }
)


def check_entries() -> Iterator[Entry]:
    """The promises, then the other checks."""
    for name, hint in HINTS.items():
        promise = name in PROMISES
        yield Entry(
            name,
            "promise" if promise else "check",
            f"{hint.says[0].upper()}{hint.says[1:]}.",
            (
                *listed("fails", hint.failure and f"usually: {hint.failure}"),
                *listed("unknown", hint.doubt and f"usually: {hint.doubt}"),
                *listed("stressed by", ", ".join(catalogue.stressing(name)) if promise else ""),
                Fact("read on", (hint.read,)),
            ),
        )


def network_entries() -> Iterator[Entry]:
    """One for each preset."""
    for name, preset in PRESETS.items():
        rates = {"down": preset.down, "up": preset.up}
        stalls = preset.stalls
        yield Entry(
            name,
            "network",
            preset.about,
            (
                Fact("one way", (f"{preset.latency} ms, {preset.jitter} ms more or less",)),
                *listed("rate", ", ".join(f"{rate} KB/s {way}" for way, rate in rates.items() if rate)),
                *listed(
                    "stalls",
                    ""
                    if stalls is None
                    else f"{stalls.shortest:g} to {stalls.longest:g} s, every {stalls.apart[0]:g} to {stalls.apart[1]:g} s",
                ),
                Fact("source", (preset.source,)),
                Fact("run on it", (f"simtool chaos reset --preset {name} --engine sim",)),
                Fact("read on", ("docs/design.md#presets",)),
            ),
        )


def engine_entries() -> Iterator[Entry]:
    """One for each engine."""
    for name, says in ENGINES.items():
        read = "docs/design.md#what-a-fault-is-engine-by-engine"
        yield Entry(
            name,
            "engine",
            says,
            (Fact("run on it", (f"simtool chaos reset --engine {name}",)), Fact("read on", (read,))),
        )


def cause_entries() -> Iterator[Entry]:
    """One for each cause."""
    for cause, says in CAUSES.items():
        yield Entry(cause.value, "cause", says, (Fact("read on", ("docs/replay.md",)),))
