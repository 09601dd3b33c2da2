"""What each check says, what usually makes it fail, and where to read on: one table.                          pure

The report and `simtool explain` show it. The causes are those that clients were seen to have, not all that there can be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chaos.judging.verdicts import Check
from chaos.scenario import PROMISES

DESIGN = "docs/design.md"


@dataclass(frozen=True, slots=True)
class Hint:
    """Of one check. Texts are for a person, in half a sentence each."""

    says: str
    """What holds where it passes."""
    read: str
    """The document and its heading."""
    failure: str = ""
    """What usually makes it fail; empty: it never fails."""
    doubt: str = ""
    """What usually makes it unknown; empty: many things, which it says itself."""

    def cause(self, check: Check) -> str:
        """What the check's verdict usually comes from; empty where there is nothing to say."""
        return {"fail": self.failure, "unknown": self.doubt}.get(check.verdict, "")


_OUTBOX = f"{DESIGN}#the-outbox-how-nothing-is-lost"
_LIVENESS = f"{DESIGN}#liveness-when-a-link-is-dead"
_RECONNECTING = f"{DESIGN}#reconnecting"
_RUN = f"{DESIGN}#the-life-of-a-run"
_CONTROLS = f"{DESIGN}#controls"
_PROMISES = f"{DESIGN}#the-promises"

HINTS: Mapping[str, Hint] = MappingProxyType(
    {
        "no-loss": Hint(
            "what was accepted for sending reaches the peer's endpoint, over any number of reconnects",
            _OUTBOX,
            "send() returning was taken for delivery: what was on its way when the connection ended is not sent again",
        ),
        "in-order": Hint(
            "first deliveries come in the order of their numbers",
            _OUTBOX,
            "after a reconnect new messages go before those that are sent again, or two tasks write at once",
        ),
        "intact": Hint(
            "what arrives was offered to the client before, with the same bytes",
            "docs/profiles.md",
            "the client encodes bodies anew, or mixes two (where it means to: transforms = true in its profile)",
        ),
        "dedup-safe": Hint(
            "a repeat comes only after a reconnect, with the same number and the same body",
            _OUTBOX,
            "messages get new numbers or a new body when they are sent again, or are sent twice on one connection",
        ),
        "bounded": Hint(
            "the outbox has a bound, and what is displaced is counted and announced",
            _OUTBOX,
            "a queue without a limit, or one that drops in silence what a touch hangs on",
        ),
        "detect": Hint(
            "a dead link is given up within the bound",
            _LIVENESS,
            "nothing asks whether the peer is there, a full write buffer blocks who asks, or any byte counts as life",
        ),
        "no-false-kill": Hint(
            "a slow or busy link, or a stall of the client's own, never costs the connection",
            _LIVENESS,
            "a time-out below the round trip, Pongs stuck behind messages that nobody reads, or an own stall taken for silence",
        ),
        "single": Hint(
            "a link has one live connection",
            _RECONNECTING,
            "a new connection is opened before the old one is closed, or one that failed is never closed",
        ),
        "recover": Hint(
            "the first delivery after the path heals comes within one back-off delay and a handshake",
            _RECONNECTING,
            "delays that grow too far, an attempt without a time-out that hangs, or a goodbye waited for on a dead link",
        ),
        "polite": Hint(
            "attempts are jittered and back off, and a refusal for good ends them",
            _RECONNECTING,
            "delays without jitter or growth, or that start over on every connect, or attempts after a 401, 403 or 404",
        ),
        "clean-stop": Hint(
            "a stop sends what is left, and closes in good order",
            _PROMISES,
            "the process ends before its queue is empty or without a Close frame, or waits for a peer that is gone",
        ),
        "same-climb": Hint(
            "each output shows what its frame makes of the climb, as without a network",
            f"{DESIGN}#the-touch-rule",
            "frames are dropped, taken twice, or timed by the client's own clock and not by their timestamps",
        ),
        "survives-input": Hint(
            "no input message stops the client; a bad one is counted and skipped",
            "docs/protocol.md#input-poses",
            "an exception of the decoder leaves the loop that reads",
        ),
        "valid-run": Hint(
            "the run was healthy before its faults, and client and laboratory lasted to its end",
            _RUN,
            "the client ended or raised: the record's last lines, and what it wrote, if anything, say why",
            "the client sent nothing on before the first fault: `simtool try` says what it is seen to do",
        ),
        "evidence": Hint(
            "every fault left a trace in the record",
            _RUN,
            doubt="the fault struck while nothing was on its way on that link, or while the client was not connected",
        ),
        "network": Hint(
            "the network that the run lay on left its traces",
            f"{DESIGN}#presets",
            doubt="the client had no connection for long enough, or its messages do not show their delay",
        ),
        "stressed": Hint(
            "at least one promise that the scenario stresses can be seen from outside",
            f"{DESIGN}#clients-that-report-nothing",
            doubt="the peer cannot see these promises of a client that reports nothing",
        ),
        "host-paused": Hint(
            "the machine ran the laboratory without a pause",
            f"{DESIGN}#toxiproxy",
            doubt="other programs took this machine: --jobs 1 asks less of it, and --engine sim does not depend on it",
        ),
        "host-slow": Hint(
            "the machine was fast enough for what the scenario asks of the peer",
            f"{DESIGN}#toxiproxy",
            doubt="other programs took this machine: --jobs 1 asks less of it, and --engine sim does not depend on it",
        ),
        "accounts": Hint(
            "what the tracker says of its outbox adds up: order, window, confirms",
            _OUTBOX,
            "a confirm that confirms too much or too little, or a window that is not kept",
        ),
        "probes": Hint(
            "the tracker's probes go at their pace, and no verdict comes before its deadline",
            _LIVENESS,
            "a deadline that does not follow the measured round trip, or verdicts before the sockets were read",
        ),
        "every-frame": Hint(
            "each frame of a healthy input becomes an output",
            f"{DESIGN}#the-touch-rule",
            "good frames are refused or dropped before they reach the outbox",
        ),
        "every-reset": Hint(
            "each reset is carried out once, and told once",
            _CONTROLS,
            "a reset is lost with a connection, or a reconnect passes for one",
        ),
        "controls": Hint(
            "each control is obeyed in order and answered once",
            _CONTROLS,
            "replies are held back with the outputs, or controls are taken from the input too",
        ),
        "silence": Hint(
            "the sink never hears nothing for longer than the scenario allows",
            _RECONNECTING,
            "a link that is given up late, or a reconnect that takes its time",
        ),
        "spread": Hint(
            "after a common outage the attempts of many clients do not come in bunches",
            f"{DESIGN}#several-clients",
            "delays without jitter, or with the same seed for all",
        ),
        "jitter": Hint(
            "the delays of many clients are spread over their whole range",
            f"{DESIGN}#several-clients",
            "a part of each delay is the same for everybody",
        ),
        "untroubled": Hint(
            "a log shows no trouble that no promise covers",
            "docs/replay.md",
            doubt="the log shows trouble that is nobody's promise: `simtool replay` tells of what sort",
        ),
    }
)
"""Of all checks, the promises first."""

assert tuple(HINTS)[: len(PROMISES)] == PROMISES, "each promise has a hint, in the order of the promises"


def usual_cause(check: Check) -> str:
    """What a check that did not pass usually comes from; empty where nothing is known."""
    hint = HINTS.get(check.name)
    return "" if hint is None else hint.cause(check)
