"""What the mock peer saw and did, one small value per fact. `t` is seconds of the event loop's clock."""

from collections.abc import Callable
from typing import Literal

import msgspec

from tracker.messages import SessionState

PeerLink = Literal["input", "output", "control"]


class PeerEvent(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, omit_defaults=True, gc=False):
    """Something that the peer saw or did at `t`."""

    t: float


class Opened(PeerEvent, frozen=True, tag="peer-opened"):
    """A client's handshake on `link` was answered; `connection` counts from 1 over all links.

    Of several clients, `client` is the number that its URL gives.
    """

    link: PeerLink
    connection: int
    client: int = 0


class Ended(PeerEvent, frozen=True, tag="peer-ended"):
    """A connection is over as the peer sees it. `code` is 1006 where no close frame came from the client."""

    link: PeerLink
    connection: int
    code: int
    by: Literal["client", "peer", "network"]
    why: str = ""
    """The reason in the client's close frame."""
    pings: int | None = None
    """Pings that came from the client over it; None: nobody counted them."""
    untaken: float = 0.0
    """Seconds at a stretch, at most, for which no more was taken of what the peer sent: its write buffer was full."""


class Offered(PeerEvent, frozen=True, tag="offered"):
    """Frame `sequence` was written to feed connection `connection`."""

    sequence: int
    connection: int
    content: int = 0
    """A checksum of what the frame says: `simulator.content.checksum`; 0: nobody took it."""


class ResetOffered(PeerEvent, frozen=True, tag="reset-offered"):
    """A reset of the session was written to feed connection `connection`."""

    connection: int


class ControlOffered(PeerEvent, frozen=True, tag="control-offered"):
    """A control was written to connection `connection` of `link`: the control link, or the input, where a client takes
    none but a reset (and that is a `ResetOffered`).
    """

    link: PeerLink
    connection: int
    kind: str
    """Its type, as in `reset_holds` or `pause_output`."""
    proximity_threshold: float | None = None
    """Of `update_parameters`: what it asks for, and so below; None: as it was."""
    touch_duration: float | None = None


class Delivered(PeerEvent, frozen=True, tag="delivered"):
    """Output `(stream, seq)`, or another message of a client's, arrived: parsed at the endpoint with confirm `pong`, processed with
    `ack`.

    `digest` is a checksum of the body; `repeat` says that this `(stream, seq)` had arrived before.
    """

    stream: str
    seq: int
    size: int
    digest: int
    connection: int
    repeat: bool = False
    reset: bool = False
    """Whether it says that the session was reset."""
    reply: str = ""
    """The type of a control's reply, as in `output_paused`; empty for the state of a session."""
    content: int = 0
    """A checksum of what it says, however it is spelt: `simulator.content.checksum`; 0: nobody took it."""
    pose: float | None = None
    """The pose that it shows, as one number: `simulator.shown.pose_sum`. None: it shows none, is a repeat, or nobody looked."""


class Parameters(PeerEvent, frozen=True, tag="parameters"):
    """What the reply to `update_parameters` that was delivered as `seq` says of the rules in force."""

    seq: int
    connection: int
    proximity_threshold: float | None
    touch_duration: float | None


class SessionShown(PeerEvent, frozen=True, tag="session-shown"):
    """Output `seq` was delivered, which shows another session than the output that was delivered before it."""

    seq: int
    connection: int
    session: SessionState


class Arrived(PeerEvent, frozen=True, tag="arrived"):
    """A hold's touch became visible at the sink, with its message time in epoch milliseconds.

    Of several clients, `client` is whose session it is.
    """

    hold: str
    time: float
    client: int = 0


class Unreadable(PeerEvent, frozen=True, tag="unreadable"):
    """The client sent something that is no message of its kind."""

    reason: str
    connection: int
    begins: str = ""
    """How it begins; of the first in a run only."""


class Pinged(PeerEvent, frozen=True, tag="peer-pinged"):
    """The peer sent a Ping, to see whether it is answered."""

    link: PeerLink
    connection: int


class PongCame(PeerEvent, frozen=True, tag="pong-came"):
    """It was, after `took` seconds."""

    link: PeerLink
    connection: int
    took: float


class TurnedAway(PeerEvent, frozen=True, tag="turned-away"):
    """A handshake did not bring along what the peer asks of every client, and was answered with this HTTP status."""

    link: PeerLink
    status: int
    why: str
    client: int = 0


class Misbehaved(PeerEvent, frozen=True, tag="misbehaved"):
    """The peer did what it was told to do wrong: `kind` is the fault's name.

    `connection` is 0 where none came about.
    """

    kind: str
    link: PeerLink
    connection: int = 0
    client: int = 0
    """Whose handshake was refused, where there are several and none came about."""
    retry_after: float = 0.0
    """Seconds for which a refusal asked the client to stay away."""
    by_date: bool = False
    """Whether it asked by a date, which has no fractions: by a clock of its own a client may come up to a second earlier."""


AnyPeerEvent = (
    Opened
    | Ended
    | Offered
    | ResetOffered
    | ControlOffered
    | Delivered
    | Parameters
    | SessionShown
    | Arrived
    | Unreadable
    | Pinged
    | PongCame
    | TurnedAway
    | Misbehaved
)
PeerObserver = Callable[[AnyPeerEvent], None]
