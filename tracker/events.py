"""What a tracker reports about itself, one small value per fact.                                          pure

The same values go to the log, the flight recorder, the laboratory's history and a user's own observer. Every
one carries `t`, seconds of the event loop's clock. As JSON each is one object with the key `event`.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Literal

import msgspec

LinkName = Literal["input", "output", "control"]
Ender = Literal["tracker", "peer", "network"]
StopCause = Literal["asked", "stop-control", "refused", "outbox-full"]
"""Why a tracker comes to its end: whoever runs it asked for that, or the peer did, with a `stop` control; an endpoint
refused for good; the outbox is full and the overflow policy is ``fail``."""

MET_A_BUG = "internal-error"
"""The reason of a `Rejected` message for which not its sender is to blame."""


class DeathCause(StrEnum):
    """What a link lacked that was given up, as `Died.cause` says it."""

    UNANSWERED = "probes go unanswered"
    WRITES_STUCK = "no byte left the write buffer"


class RefusalCause(StrEnum):
    """Why an attempt came to no connection, as `Refused.cause` says it."""

    STATUS = "http-status"
    NOBODY_THERE = "nobody-there"
    """No listener, no route or no such name."""
    TIMED_OUT = "timed-out"
    BROKEN_OFF = "broken-off"
    """It began, and something went wrong on the way."""


class StreamEnd(StrEnum):
    """How TCP ended where no close frame came, as `Closed.stream_end` says it."""

    RESET = "reset"
    ENDED = "ended"


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, omit_defaults=True, gc=False):
    """Something that happened at `t`."""

    t: float


class Connecting(Event, frozen=True, tag="connecting"):
    """An attempt begins. `attempt` counts from 1 since the start or the last stable connection."""

    link: LinkName
    attempt: int


class Connected(Event, frozen=True, tag="connected"):
    """The handshake is done. `connection` counts this link's connections from 1."""

    link: LinkName
    connection: int
    took: float


class Refused(Event, frozen=True, tag="refused"):
    """An attempt failed: refused, unreachable, timed out, or an HTTP status. `fatal`: no more will follow."""

    link: LinkName
    why: str
    """For a person; `cause` is for programs."""
    status: int | None = None
    fatal: bool = False
    cause: RefusalCause | None = None
    """None: it is not known, as in traces that were written before there was this field."""
    renewable: bool = False
    """What was shown and refused comes from a file, and may be another tomorrow."""


class Redirected(Event, frozen=True, tag="redirected"):
    """An attempt goes on at another URL, as the endpoint asked; `to` without credentials."""

    link: LinkName
    to: str


class Waiting(Event, frozen=True, tag="waiting"):
    """Back-off before the next attempt, in seconds."""

    link: LinkName
    delay: float


class Suspected(Event, frozen=True, tag="suspected"):
    """The first deadline passed without an answer; `silence` is how long none came."""

    link: LinkName
    connection: int
    silence: float


class Revived(Event, frozen=True, tag="revived"):
    """A suspected link answered after all."""

    link: LinkName
    connection: int


class Died(Event, frozen=True, tag="died"):
    """The link is given up as dead; the transport is aborted."""

    link: LinkName
    connection: int
    cause: str
    """A `DeathCause`, where a tracker reports it."""
    silence: float


class Closed(Event, frozen=True, tag="closed"):
    """A connection is over. `code` is 1006 where no close frame came; `by` says who ended it."""

    link: LinkName
    connection: int
    code: int
    by: Ender
    why: str = ""
    unconfirmed: int = 0
    """Messages that returned to the front of the outbox."""
    stream_end: StreamEnd | None = None
    """Only by the network; None: it is not known, as in traces that were written before there was this field."""


class Probed(Event, frozen=True, tag="probed"):
    """A Ping left; on the output it is the barrier for all that was sent before."""

    link: LinkName
    number: int


class Answered(Event, frozen=True, tag="answered"):
    """The Pong for probe `number` came after `rtt` seconds."""

    link: LinkName
    number: int
    rtt: float


class Carried(Event, frozen=True, tag="carried"):
    """What a connection carried since the last such event: one every `probe_interval`, and one at its end.

    Bytes in and out, application and control frames alike; silence is a zero here before it is anything else.
    """

    link: LinkName
    connection: int
    received: int = 0
    """Bytes that the socket gave."""
    sent: int = 0
    """Bytes that the kernel took."""
    buffered: int = 0
    """Bytes that wait in the write buffer: `sent` of 0 beside it is a link that takes nothing."""
    messages: int = 0
    """Messages that were read."""
    unasked: int = 0
    """Those of them that nobody asked for: what comes back on the output and is no ack."""
    held: float = 0.0
    """Seconds in which the tracker did not read, on purpose."""


class Received(Event, frozen=True, tag="received"):
    """A pose was taken from the input. `sequence` is the sender's, where it gives one."""

    timestamp: float
    sequence: int | None = None


class SessionReset(Event, frozen=True, tag="session-reset"):
    """A reset was taken from `link`: all holds are untouched again, and the next output says so."""

    link: LinkName
    not_understood: str = ""
    """The names in the control that say nothing to a tracker."""


class Controlled(Event, frozen=True, tag="controlled"):
    """A control other than a reset was carried out; what it changed counts from the next pose on."""

    kind: str
    """Its type, as in `pause_output`."""
    proximity_threshold: float | None = None
    """Of `update_parameters`: the rule in force from now on, and so below."""
    touch_duration: float | None = None
    changed: bool | None = None
    """Whether anything is otherwise now than it was before."""
    not_understood: str = ""
    """The names in it that say nothing to a tracker."""


class Reloaded(Event, frozen=True, tag="reloaded"):
    """Whoever runs the tracker asked for a reload, and it is done."""

    changed: str
    """What was taken up, old -> new; `nothing` where nothing was."""
    needs_restart: str = ""
    """Settings that differ and cannot be taken up, by name."""


class NotReloaded(Event, frozen=True, tag="not-reloaded"):
    """A reload was asked for, and something is wrong with what it would take up: all stays as it was."""

    why: str


class Rejected(Event, frozen=True, tag="rejected"):
    """A bad message was counted and skipped."""

    link: LinkName
    reason: str
    detail: str
    answered: bool | None = None
    """Whether an output tells its sender so, as one does of a control."""


class Accepted(Event, frozen=True, tag="accepted"):
    """The outbox took output `seq`."""

    seq: int
    size: int
    essential: bool = False


class Displaced(Event, frozen=True, tag="displaced"):
    """Output `seq` gave way to a newer one: the outbox was at its bound."""

    seq: int


class Sent(Event, frozen=True, tag="sent"):
    """Output `seq` was handed to the transport of output connection `connection`."""

    seq: int
    connection: int


class Confirmed(Event, frozen=True, tag="confirmed"):
    """`count` more outputs are known to have arrived; `left` are still held."""

    count: int
    left: int


class Touched(Event, frozen=True, tag="touched"):
    """A hold became touched, at message time `time` in epoch milliseconds."""

    hold: str
    time: float


class Lagged(Event, frozen=True, tag="lagged"):
    """Our own event loop ran `seconds` late; the deadlines were credited."""

    link: LinkName
    seconds: float


class Stopping(Event, frozen=True, tag="stopping"):
    """An orderly stop begins with `left` messages to flush."""

    why: str
    left: int
    cause: StopCause = "asked"


class Stopped(Event, frozen=True, tag="stopped"):
    """The tracker has ended; `undelivered` messages were not confirmed."""

    undelivered: int


AnyEvent = (
    Connecting
    | Connected
    | Redirected
    | Refused
    | Waiting
    | Suspected
    | Revived
    | Died
    | Closed
    | Probed
    | Answered
    | Carried
    | Received
    | SessionReset
    | Controlled
    | Reloaded
    | NotReloaded
    | Rejected
    | Accepted
    | Displaced
    | Sent
    | Confirmed
    | Touched
    | Lagged
    | Stopping
    | Stopped
)

Observer = Callable[[AnyEvent], None]
"""Called synchronously, in order, on the event loop: it must be quick and must not raise."""
