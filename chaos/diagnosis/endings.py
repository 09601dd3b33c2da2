"""How each connection ended, as its own lines show it, and nothing beyond that.                                     pure"""

from dataclasses import dataclass
from enum import StrEnum

from chaos.timeline.model import CloseFrame, Connection, Mark
from chaos.traces.wire import KEEPALIVE_REASON, NoticeKind

SWITCHING = 101
GOING = (1000, 1001)
"""Codes of a close that is meant."""
FAILURES = (1002, 1003, 1007, 1009, 1010, 1011)
"""Codes by which a side says that it cannot go on."""
TOO_BIG = 1009
INTERNAL_ERROR = 1011
GONE = 1006


class End(StrEnum):
    """What ended a connection or an attempt."""

    OPEN = "open"  # the log shows no end
    CLOSING = "closing"  # and not who began to close
    UNFINISHED = "unfinished"  # a handshake whose outcome the log does not show
    NO_PONG = "no pong"  # this side's keepalive gave up
    OWN_CLOSE = "own close"  # this side meant to
    OWN_FAILURE = "own failure"  # this side could not go on
    LEFT = "left"  # the program went away from it by an exception, or was cancelled
    PEER_CLOSE = "peer close"
    PEER_NO_PONG = "peer no pong"  # the peer's keepalive gave up
    PEER_FAILURE = "peer failure"  # the peer could not go on with what it got
    STREAM_ENDED = "stream ended"  # without a Close frame
    RESET = "reset"  # without a Close frame, by an error of TCP
    CLOSED = "closed"  # and nothing says why
    NOT_SHOWN = "not shown"  # it is over, and who or what ended it is not shown
    LAST_LINES = "last lines"  # the log begins so late that who began to end it is not known
    REFUSED = "refused"  # with an HTTP status
    REDIRECTED = "redirected"
    NO_REQUEST = "no request"  # a server: who connected said nothing
    BAD_HANDSHAKE = "bad handshake"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one connection ended."""

    connection: Connection
    what: End
    at: Mark | None
    """None: the log does not show it."""
    code: int | None = None
    """Of the Close frame that decided it; an HTTP status where it was refused."""
    reason: str = ""

    @property
    def mark(self) -> Mark:
        """Its end; the connection's last line where the log does not show it."""
        return self.at or self.connection.last

    @property
    def age(self) -> float | None:
        """Seconds from its opening to its end."""
        opened = self.connection.opened
        return None if opened is None or self.at is None else self.at.t - opened.t


def ending_of(connection: Connection) -> Ending:  # noqa: PLR0911 - a table of the ways to end, one a line
    """The first thing that decided it."""
    if not connection.connected:
        return _handshake(connection)
    if _only_last_lines(connection):
        return Ending(connection, End.LAST_LINES, connection.ended)
    sent, received = connection.close_sent, connection.close_received
    own = sent is not None and (received is None or sent.at.line < received.at.line)
    gave_up = connection.gave_up
    failing = connection.failing
    if failing is not None and failing[1] is None:
        return Ending(connection, End.OWN_FAILURE, failing[0], None, failing[2])
    if gave_up is not None and (received is None or gave_up.line < received.at.line):
        return Ending(connection, End.NO_PONG, gave_up, connection.gave_up_code, KEEPALIVE_REASON)
    if own and sent is not None:
        return _own(connection, sent)
    if received is not None:
        return _peers(connection, received)
    if failing is not None and failing[1] is not None and failing[1] != GONE:
        return Ending(connection, _failure(failing[1]), failing[0], failing[1], failing[2])
    if connection.error is not None and connection.error.kind is NoticeKind.RESET:
        return Ending(connection, End.RESET, connection.ended, reason=connection.error.text)
    if connection.end_of_stream is not None or failing is not None:
        return Ending(connection, End.STREAM_ENDED, connection.ended)
    if connection.over is not None:
        return Ending(connection, End.NOT_SHOWN, connection.over[0], connection.over[1].code)
    if connection.closed is not None:
        what = End.CLOSED if connection.opened is not None else End.LAST_LINES
        return Ending(connection, what, connection.closed)
    return Ending(connection, End.OPEN if connection.closing is None else End.CLOSING, connection.closing)


def _only_last_lines(connection: Connection) -> bool:
    """Whether the log begins after its end had begun: the Close frame before may be the other side's."""
    if connection.began or connection.requested or connection.opened or connection.ended is None:
        return False
    sent, received = connection.close_sent, connection.close_received
    if connection.closing is not None and not (sent or received or connection.gave_up or connection.failing):
        return True
    failing = connection.failing
    if failing is not None and failing[1] != GONE and (sent is None or failing[0].line < sent.at.line):
        return False  # its own failure is what began it
    heard = connection.heard
    carried = connection.said is not None or (
        heard is not None and (received is None or heard.line < received.at.line)
    )
    return not carried and connection.gave_up is None and (sent is None or received is None)


def _failure(code: int) -> End:
    return End.OWN_FAILURE if code in FAILURES else End.OWN_CLOSE


def _own(connection: Connection, sent: CloseFrame) -> Ending:
    if sent.code == INTERNAL_ERROR and sent.reason == KEEPALIVE_REASON:
        return Ending(connection, End.NO_PONG, sent.at, sent.code, sent.reason)
    if connection.end_of_stream is not None and connection.end_of_stream.line < sent.at.line:
        return Ending(connection, End.STREAM_ENDED, connection.end_of_stream)
    left = sent.code == INTERNAL_ERROR and not sent.reason and connection.error is None
    what = End.LEFT if left and connection.side == "client" else _failure(sent.code)
    return Ending(connection, what, sent.at, sent.code, sent.reason)


def _peers(connection: Connection, received: CloseFrame) -> Ending:
    if received.code == INTERNAL_ERROR and received.reason == KEEPALIVE_REASON:
        what = End.PEER_NO_PONG
    else:
        what = End.PEER_FAILURE if received.code in (1002, 1003, 1007, 1009) else End.PEER_CLOSE
    return Ending(connection, what, received.at, received.code, received.reason)


def _left_without_a_word(connection: Connection) -> bool:
    """Whether the log shows that nothing came: of a handshake that merely failed it is not known."""
    error = connection.error
    if error is not None:
        return error.kind is NoticeKind.NO_REQUEST
    return connection.ended is not None and (
        connection.end_of_stream is not None or connection.handshake_failed is None
    )


def _handshake(connection: Connection) -> Ending:
    failed = connection.handshake_failed
    error = connection.error
    if connection.side == "server" and connection.requested is None and _left_without_a_word(connection):
        return Ending(connection, End.NO_REQUEST, connection.ended)
    answered = connection.answered
    if answered is not None and answered.status != SWITCHING:
        redirected = 300 <= answered.status < 400 and "location" in connection.response_headers
        what = End.REDIRECTED if redirected else End.REFUSED
        return Ending(connection, what, answered.at, answered.status, answered.phrase)
    if failed is not None and connection.closed is None and error is None:
        return Ending(connection, End.UNFINISHED, None)  # its answer is to come
    if failed is not None or connection.ended is not None or error is not None:
        return Ending(
            connection,
            End.BAD_HANDSHAKE,
            connection.ended or connection.last,
            reason=error.text if error else "",
        )
    return Ending(connection, End.UNFINISHED, None)


HEALTHY = (End.OPEN, End.UNFINISHED, End.OWN_CLOSE, End.REDIRECTED)
"""Ends that are nobody's trouble, as far as they are shown."""
WITHOUT_CLOSE_FRAME = (End.STREAM_ENDED, End.RESET, End.CLOSED)
