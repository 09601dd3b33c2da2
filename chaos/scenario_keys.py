"""Every key of a scenario's file but those of a kind of fault, which are in `chaos.kinds`.                    pure"""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import get_args

from chaos import controls
from chaos.durations import format_duration
from chaos.faults import MAX_TIMES
from chaos.file_keys import Duration, Durations, Key, Moment, Names, Number, OneOf, Switch, Whole, Words
from chaos.kinds import ALL_LINKS, DIRECTIONS, KINDS
from chaos.presets import PRESETS
from chaos.scenario import (
    LEAN_FPS,
    MAX_CLIENTS,
    MAX_DURATION,
    MOST_SCHEDULES,
    PROMISES,
    STEADY_BY,
    Expect,
    Peer,
    PeerConfirm,
    Workload,
    WorkloadKind,
)
from simulator.climber import MAX_FPS, MAX_HOLDS, MIN_FPS, MIN_HOLDS
from tracker.config import Confirm, OutboxLimits, Overflow, Timing
from tracker.events import StopCause

MOST = 1_000_000_000
"""Of messages, or bytes, that an outbox is told to hold."""
ENDS: tuple[StopCause, ...] = ("stop-control", "outbox-full")
"""What a scenario can ask for. A refusal for good needs no word of it: the fault says it."""

SCENARIO = (
    Key(
        "name",
        "What it is called: the file's name without `.toml`.",
        Words("the file's name without .toml"),
        required="give it the file's name without .toml",
    ),
    Key(
        "about",
        "What goes wrong, and what is at stake.",
        Words("what goes wrong, in a sentence that a user understands"),
        required="give it what goes wrong, in a sentence that a user understands",
    ),
    Key(
        "stresses",
        "The promises under stress. One of which the run shows nothing makes it unknown.",
        Names("promise", PROMISES, 'list the promises under stress, as in stresses = ["no-loss", "recover"]'),
        required='list the promises under stress, as in stresses = ["no-loss", "recover"]',
    ),
    Key(
        "duration",
        "How long the run takes, from its begin to the stop.",
        Duration(MAX_DURATION),
        required='say how long the run takes, as in duration = "60s"',
    ),
    Key(
        "sim_only",
        "Why it cannot run on real sockets; such a scenario is left out there.",
        Words("the reason, in a few words"),
    ),
    Key(
        "schedule",
        "Tasks that are ready at one moment run in an order that is drawn from this number. Virtual time alone can do it, so"
        " it needs no `sim_only`.",
        Whole(0, MOST_SCHEDULES),
        "first come, first served",
    ),
    Key(
        "preset",
        f"The network that the run lies on: {', '.join(PRESETS)}.",
        Words('the name of a network, as in preset = "3g"'),
        "an undisturbed one",
    ),
)
"""At the top. The tables below it stand behind them in the file."""

_PLAIN = Workload()
GENERATED = (
    Key(
        "kind",
        "What the feed sends: a climb, or lean, small messages without one, for many cheap runs.",
        OneOf(get_args(WorkloadKind)),
        _PLAIN.kind,
    ),
    Key(
        "fps",
        "Frames that the feed sends.",
        Number(MIN_FPS, MAX_FPS, "a second"),
        f"{_PLAIN.fps:g}, lean {LEAN_FPS:g}",
    ),
    Key("holds", "Holds on the generated climb's route.", Whole(MIN_HOLDS, MAX_HOLDS), f"{_PLAIN.holds}"),
)
RECORDED = tuple(
    Key(name, about, Words(what))
    for name, about, what in (
        ("recording", "A recording in place of a generated climb, shown again and again.", "a recording"),
        ("wall", "The wall's drawing, which goes with a recording.", "the recording's wall"),
        (
            "calibration",
            "The camera's calibration, which goes with a recording.",
            "the recording's calibration",
        ),
        ("route", "The route, which goes with a recording.", "the recording's route"),
    )
    for what in (f"the path of {what}",)
)
WORKLOAD = (
    *GENERATED,
    *RECORDED,
    Key("reset_at", "When the feed carries a reset of the session.", Durations('["12s", "20s"]'), "never"),
    Key(
        "clients",
        "How many clients there are, each on a machine of its own.",
        Whole(1, MAX_CLIENTS),
        f"{_PLAIN.clients}",
    ),
)

_TIMING_ABOUT = {
    "open_timeout": "How long an attempt to connect may take, TLS and WebSocket handshake included.",
    "probe_interval": "Between Pings while nothing waits for a confirm.",
    "barrier_interval": "Between Pings while messages wait for a confirm.",
    "probe_floor": "The first deadline of a Ping is never shorter.",
    "probe_ceiling": "No silence is borne longer, however slow the link was; at least three times probe_floor.",
    "write_timeout": "How long a write buffer may stay full without a byte leaving it.",
    "reconnect_delay": "The first delay is drawn from 0 to this.",
    "reconnect_cap": "No delay is drawn from more; not below reconnect_delay.",
    "stable_after": "A connection that lived as long starts the delays over.",
    "close_timeout": "How long a close handshake may take.",
    "flush_timeout": "How long a stop waits for confirms.",
}
_OUTBOX_ABOUT = {
    "messages": "Messages that the outbox holds.",
    "bytes": "Bytes that the outbox holds.",
    "window_messages": "Messages on the wire without a confirm.",
    "window_bytes": "Bytes on the wire without a confirm.",
}
TIMING = tuple(
    Key(field.name, _TIMING_ABOUT[field.name], Duration(), format_duration(getattr(Timing(), field.name)))
    for field in fields(Timing)
)
OUTBOX = tuple(
    Key(
        f"outbox_{field.name}",
        _OUTBOX_ABOUT[field.name],
        Whole(1, MOST),
        f"{getattr(OutboxLimits(), field.name)}",
    )
    for field in fields(OutboxLimits)
)
CLIENT = (
    *TIMING,
    *OUTBOX,
    Key("confirm", "By what a message is known to have arrived.", OneOf(get_args(Confirm)), "pong"),
    Key("overflow", "What happens where the outbox is full.", OneOf(get_args(Overflow)), "latest"),
)

PEER = (
    Key(
        "confirm",
        "What the mock peer confirms with: Pongs alone, or an ack for what it has processed.",
        OneOf(get_args(PeerConfirm)),
        Peer().confirm,
    ),
    Key("echo", "Whether it sends every message back to its sender, all along.", Switch(), "false"),
)

EXPECT = (
    Key("detect_within", "From the begin of a fault to the client giving the link up.", Duration(), "5s"),
    Key(
        "recover_within",
        "From the heal of a fault to the first delivery.",
        Duration(),
        "one back-off delay and a handshake",
    ),
    Key("longest_silence", "Between two deliveries.", Duration(), "not judged"),
    Key("ends", "For what the client must come to its end by itself.", OneOf(ENDS), "it must not"),
    Key(
        "keeps_connections",
        "Whether no fault excuses a lost connection.",
        Switch(),
        f"{Expect().keeps_connections}".lower(),
    ),
)

_WHEN = f"{format_duration(STEADY_BY)} or later"
FAULT = (
    Key("at", f"When it begins: {_WHEN}, or 0, before the client starts.", Moment(), required="say when"),
    Key("for", "How long it lasts.", Duration(), "until the end"),
    Key("every", "It comes again so long after its last begin; it must have ended by then.", Duration()),
    Key("times", "How often it comes in all; goes with every.", Whole(2, MAX_TIMES)),
    Key("on", "The link that it strikes.", OneOf(ALL_LINKS), "as its kind says"),
    Key("kind", "What happens.", OneOf(tuple(KINDS)), required="name one"),
    Key("direction", "Which way: upstream is from the client to the peer.", OneOf(DIRECTIONS), "both"),
    Key("toxicity", "The share of connections that it strikes.", Number(0, 1), "1"),
)
"""Of every kind, as far as that has them. `chaos.faults` reads them."""

TABLES: Mapping[str, tuple[Key, ...]] = MappingProxyType(
    {
        "": SCENARIO,
        "workload": WORKLOAD,
        "client": CLIENT,
        "peer": PEER,
        "faults": FAULT,
        "controls": controls.KEYS,
        "expect": EXPECT,
    }
)
"""By their names in a file, in the order in which they are best written."""
