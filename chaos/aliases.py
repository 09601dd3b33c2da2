"""What people in the field call things that have another name here.                                          pure

Errors about a name, `simtool chaos NAME` and `simtool explain` all look here, so that whoever types `packetloss` is led to
what there is.
"""

from collections.abc import Mapping
from types import MappingProxyType

_MEANT: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType(
    {
        ("loss", "packetloss", "lostpackets", "droppedpackets", "droppackets", "netem"): (
            "loss",
            "lossy-link",
            "lossy-wifi",
        ),
        ("drop", "drops", "dropped"): ("loss", "down", "clean-drop"),
        ("lag", "delay", "delays", "ping", "rtt", "slowlink"): (
            "latency",
            "latency-below-limit",
            "slow-link",
        ),
        ("idle", "idletimeout", "nat", "nattimeout", "conntrack", "loadbalancer"): (
            "idle_cut",
            "idle-links",
            "forgotten-by-nat",
        ),
        ("mtu", "pmtud", "pmtu", "mtublackhole", "mss"): ("cut_after", "mtu-black-hole"),
        ("burstloss", "lossburst", "retransmission", "retransmit"): ("rto", "loss-bursts", "loss"),
        ("bloat", "queueing", "bufferbloat"): ("bufferbloat", "bandwidth"),
        ("halfclose", "halfclosed", "shutwr"): ("half_close", "half-closed"),
        ("rebind", "rebinding", "natrebinding", "roaming", "handover", "ipchange", "networkchange"): (
            "rst_after_rebind",
            "new-address",
        ),
        ("jitter", "jittery"): ("latency", "latency-spike", "venue-wifi", "polite"),
        ("disconnect", "disconnects", "disconnection", "fin", "eof"): ("down", "clean-drop", "close"),
        ("rst", "connectionreset", "econnreset", "abort", "kill"): ("reset_peer", "reset"),
        ("bandwidth", "throttle", "throttling", "ratelimit", "shaping", "slow"): ("bandwidth", "slow-link"),
        ("partition", "netsplit", "split", "offline", "outage", "dropall"): (
            "stall",
            "long-outage",
            "half-open-output",
        ),
        ("halfopen", "deadlink", "silence", "silent"): ("stall", "half-open-output", "detect"),
        ("blackholed", "swallow"): ("blackhole", "swallowing-proxy"),
        ("timeout", "timeouts", "etimedout", "timedout"): (
            "timeout",
            "stall",
            "half-open-output",
            "slow-handshake",
        ),
        ("corrupt", "corruption", "malformed", "fuzz", "invalid"): (
            "garbage",
            "garbage-input",
            "survives-input",
        ),
        ("reorder", "reordering", "outoforder"): ("in-order", "loss"),
        ("duplicate", "duplicates", "duplication", "dup"): ("dedup-safe",),
        ("dataloss", "lostmessages", "messageloss"): ("no-loss",),
        ("freeze", "frozen", "gc", "gcpause", "blocked"): (
            "block_loop",
            "blocked-loop",
            "stop_reading",
        ),
        ("backpressure", "slowconsumer", "slowreader"): ("stop_reading", "stalled-reader", "full-buffer"),
        ("crash", "reboot"): ("restart", "server-restart"),
        ("redeploy", "deploy", "rollingupdate", "goingaway", "1001", "1012"): (
            "drain",
            "restart",
            "rolling-restart",
        ),
        ("backend", "502", "badgateway"): ("dead_backend", "rolling-restart"),
        ("unauthorized", "auth", "401"): ("refuse", "credentials_expire", "handshake-401", "polite"),
        ("token", "expired", "jwt", "refresh", "renew"): ("credentials_expire", "token-expires"),
        ("302", "307", "moved", "location"): ("redirect", "redirects"),
        ("forbidden", "403"): ("refuse", "handshake-403"),
        ("notfound", "404"): ("refuse", "handshake-404"),
        ("unavailable", "overloaded", "503"): ("refuse", "handshake-503"),
        ("429", "toomanyrequests", "ratelimited"): ("refuse", "retry-after", "retry-after-date"),
        ("hang", "hanging", "noanswer", "slowloris"): ("accept_tcp_only", "trickle", "no-answer"),
        ("connectionrefused", "econnrefused", "refused"): ("down", "refused-start", "refuse"),
        ("dnsfailure", "nameresolution", "gaierror", "getaddrinfo", "enotfound", "eaiagain", "resolver"): (
            "dns",
        ),
        ("happyeyeballs", "ipv6", "dualstack"): ("dns",),
        ("ehostunreach", "noroute"): ("unreachable", "unreachable-output"),
        ("heartbeat", "keepalive", "pingtimeout", "nopong"): ("mute_pong", "silent-pong", "detect"),
        ("thunderingherd", "stampede", "herd"): ("spread", "reconnect-herd"),
        ("flap", "flaky", "unstable", "intermittent"): ("flapping", "short-outages", "lossy-wifi"),
        ("fragmentation", "continuation", "continuationframe"): ("fragment", "fragments"),
        ("chunk", "chunked", "slice"): ("slicer", "sliced"),
        ("compress", "permessagedeflate", "zip", "zipbomb", "1002"): ("deflate", "bomb", "compression"),
        ("1009", "toobig", "toolarge", "oversized", "maxsize"): ("huge", "low_limit", "huge-messages"),
        ("unsolicitedpong", "pong"): ("wrong_pong", "wrong-pong", "mute_pong"),
        ("truncate", "truncated", "truncation"): ("limit_data", "cut-mid-frame"),
        ("flood", "surge", "spike"): ("burst", "latency-spike"),
        ("retry", "retries", "backoff", "reconnectstorm"): ("polite", "flapping"),
        ("reconnect", "reconnection", "failover"): ("recover", "reset"),
        ("shutdown", "sigterm", "gracefulshutdown", "exit"): ("clean-stop", "stop"),
        ("leak", "doubleconnection"): ("single",),
        ("memory", "queue", "overflow"): ("bounded", "small-outbox"),
        ("wifi", "wlan"): ("venue-wifi", "lossy-wifi"),
        ("mobile", "cellular", "4g", "5g"): ("lte",),
        ("2g", "edge", "gsm", "umts"): ("3g",),
        ("1006", "abnormalclosure"): ("reset_peer", "reset"),
        ("1011", "falsekill"): ("no-false-kill", "echo-backlog"),
    }
)
_BY_WORD = MappingProxyType({word: names for words, names in _MEANT.items() for word in words})


def meant_by(word: str) -> tuple[str, ...]:
    """The names of what there is for a word of the field, the nearest first; empty where nobody knows it.

    Upper case, hyphens, underscores and spaces make no difference.
    """
    return _BY_WORD.get("".join(sign for sign in word.lower() if sign.isalnum()), ())
