"""What one line of a log says: the words of the `websockets` library, typed; and those of the program around it.     pure

An `Entry` is such a saying with its place, its time and the connection that it is of.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from tracker.events import LinkName

Way = Literal[">", "<"]
"""Of bytes: > left this side, < came to it."""
Side = Literal["client", "server"]
State = Literal["CONNECTING", "OPEN", "CLOSING", "CLOSED"]
Opcode = Literal["TEXT", "BINARY", "CONT", "PING", "PONG", "CLOSE"]


class Writer(StrEnum):
    """Who wrote a log."""

    WEBSOCKETS = "websockets"
    WEBSOCKET_CLIENT = "websocket-client"
    BROWSER = "browser"


DATA: tuple[Opcode, ...] = ("TEXT", "BINARY", "CONT")
KEEPALIVE_REASON = "keepalive ping timeout"
"""Of a Close frame of the library's own keepalive."""
NO_STATUS = 1005
"""What a Close frame without a code means."""


@dataclass(slots=True)
class StateChange:
    """The connection became this."""

    to: State


@dataclass(slots=True)
class Request:
    """The first line of a handshake's request."""

    way: Way
    path: str


@dataclass(slots=True)
class Response:
    """The first line of its answer."""

    way: Way
    status: int
    phrase: str


@dataclass(slots=True)
class HeaderLine:
    """A header of either; the name in lower case."""

    way: Way
    name: str
    value: str


@dataclass(slots=True)
class Body:
    """What a refusal carried, as far as the log shows it."""

    text: str


@dataclass(slots=True)
class Frame:
    """One frame. `data` is its payload as the log shows it, the middle of a long one left out."""

    way: Way
    opcode: Opcode
    size: int
    data: str
    code: int | None = None
    """Of a Close frame."""
    reason: str = ""
    whole: bool = True
    """Whether its line goes on to its size; else that is given as 0."""


@dataclass(slots=True)
class Eof:
    """One direction of the TCP stream ended."""

    way: Way


class Keepalive(StrEnum):
    """What the library's own keepalive says that it did."""

    SENDING = "sending"
    SENT = "sent"
    RECEIVED = "received"
    GAVE_UP = "gave up"


@dataclass(slots=True)
class KeepaliveSays:
    """A line of the library's keepalive."""

    what: Keepalive
    code: int | None = 1011
    """GAVE_UP: of the Close frame with which it does; None: that is of no meaning."""


@dataclass(slots=True)
class StrayPong:
    """A Pong came that answers no Ping of ours; old versions say so."""


@dataclass(slots=True)
class Failing:
    """The writer of the log fails the connection."""

    code: int | None
    """None: an exception ended it, and no code says so."""
    reason: str


@dataclass(slots=True)
class TcpEnding:
    """The writer of the log closes its TCP connection, or waits for the other to."""

    how: Literal["closing", "half-closing", "aborting", "timed out"]


@dataclass(slots=True)
class TcpLost:
    """The event loop reported the end of the TCP connection, with its exception if there was one."""

    error: str


class Unshown(StrEnum):
    """Why it is not shown how a connection ended."""

    NO_CONTROL_FRAMES = "no control frames"  # a recording of messages alone
    RECEIVED_LEFT_OUT = "received left out"  # nothing that came is shown: who closed first is not known
    ANOTHER_BEGAN = "another began"  # in its place, and nothing was said of this one before


@dataclass(slots=True)
class Over:
    """By here the connection was over; how it ended is not shown."""

    why: Unshown
    code: int | None = None
    """Of the Close frame of this side, where one is shown."""


@dataclass(slots=True)
class HandshakeFailed:
    """The library gave up a handshake."""


@dataclass(slots=True)
class Mishap:
    """Anything else that the library complains about."""

    text: str


class NoticeKind(StrEnum):
    """What a line of the program, of a traceback's end, or of the library at level INFO tells."""

    UNREACHABLE = "unreachable"  # nobody listened
    NO_ROUTE = "no route"  # no way led there: this side's own network, as a rule
    TIMED_OUT = "timed out"
    NO_NAME = "no such host"
    BAD_CERTIFICATE = "bad certificate"
    REJECTED = "rejected"  # with an HTTP status
    NO_REQUEST = "no request"  # a server: who connected left without one
    BAD_REQUEST = "bad request"  # a server: what came was none
    PLAIN_HTTP = "plain http"  # a server: who asked wanted no WebSocket
    INVALID_REQUEST = "invalid request"  # a server: none came, or what came was none
    BAD_ANSWER = "bad answer"  # a client: what came was no answer of HTTP, or nothing
    HANDSHAKE_FAILED = "handshake failed"  # a server: the traceback that follows says how
    ENDED = "ended"  # an exception of the library that says with which close codes
    RESET = "reset"
    CUT = "cut"  # the stream ended where a frame was due
    RETRYING = "retrying"
    LISTENING = "listening"
    SHUT_DOWN = "shut down"
    OPENED = "opened"
    CONNECTED = "connected"  # the program's own word
    CLOSED = "closed"
    HANDLER_FAILED = "handler failed"
    TOO_BIG = "too big"
    ERROR = "error"  # any other exception


@dataclass(slots=True)
class Notice:
    """What such a line says; only what its kind has is set."""

    kind: NoticeKind
    text: str
    """The exception as the log has it, or the line."""
    status: int | None = None
    sent: int | None = None
    """The code of the Close frame that this side sent; with `received` None no frame came."""
    received: int | None = None
    received_first: bool | None = None
    reason: str = ""
    delay: float | None = None
    """Seconds until the next attempt."""
    before_10: bool = False
    """Told as versions before 10 do: `received` is what came, if anything did; what was sent, and who was first, is not told."""
    chained: bool = False
    """Raised while the exception before it was handled, in one traceback."""
    cut: bool = False
    """Of an exception that tells of no close frame: that before it in the traceback says that the stream ended or was reset."""


@dataclass(slots=True)
class OtherLine:
    """A line of the program that tells nothing of a connection, but that the program was running."""


Said = (
    StateChange
    | Request
    | Response
    | HeaderLine
    | Body
    | Frame
    | Eof
    | KeepaliveSays
    | StrayPong
    | Failing
    | TcpEnding
    | TcpLost
    | Over
    | HandshakeFailed
    | Mishap
    | Notice
    | OtherLine
)


class Entry(NamedTuple):
    """One line of a log that says something."""

    line: int
    t: float
    """Seconds since the log's first time."""
    connection: int | None
    """Which one, by the order of their begins; None: of the program, or of no connection in particular."""
    said: Said
    side: Side
    sure: bool = True
    """Whether no other connection could have been meant."""
    link: LinkName = "output"
    """Which of a climb's links it would be, if this were a climb."""
