"""One connection in a line of the story, or in the rows of a table.                                                  pure"""

from collections.abc import Iterator

from chaos.diagnosis.endings import End, Ending
from chaos.diagnosis.wording import Words, code_of, many, quoted, status_of
from chaos.timeline.model import Connection, Mark


def brief_end(ending: Ending, w: Words) -> Iterator[str]:
    """An end for a line of the story."""
    match ending.what:
        case End.OPEN | End.UNFINISHED:
            return
        case End.REFUSED:
            yield f"refused with {status_of(ending.code, ending.reason)}"
        case End.REDIRECTED:
            yield f"redirected to {ending.connection.response_headers.get('location', 'another place')}"
        case End.NO_PONG:
            yield f"{w.own} gave up: a Ping got no answer{_in_brackets(ending.code)}"
        case End.PEER_CLOSE | End.PEER_NO_PONG | End.PEER_FAILURE:
            yield f"{w.peer} closed with {code_of(ending.code, ending.reason)}"
        case End.OWN_CLOSE | End.OWN_FAILURE | End.LEFT:
            yield _own_end(ending, w)
        case End.NO_REQUEST:
            yield "somebody connected and left without a request"
        case End.BAD_HANDSHAKE:
            yield "the handshake failed" + (f": {quoted(ending.reason)}" if ending.reason else "")
        case End.CLOSING:
            yield "closes; the log does not show who began that"
        case End.LAST_LINES | End.NOT_SHOWN:
            yield _UNKNOWN_ENDS[ending.what]
        case End.RESET:
            yield "reset, without a close frame"
        case _:
            yield "ended without a close frame"


_UNKNOWN_ENDS = {
    End.LAST_LINES: "ends; the log begins meanwhile",
    End.NOT_SHOWN: "ended; how is not shown",
}


def _in_brackets(code: int | None) -> str:
    return "" if code is None else f" ({code})"


def _own_end(ending: Ending, w: Words) -> str:
    if ending.code is None:
        return f"an exception on this side ended it: {quoted(ending.reason)}"
    return f"{w.own} closed with {code_of(ending.code, ending.reason)}"


def marks_of(ending: Ending, w: Words) -> Iterator[tuple[Mark, str]]:
    """What a table shows of one connection, in no order."""
    c = ending.connection
    client = c.side == "client"
    to = f" to {c.path}" if c.path else ""
    marks: list[tuple[Mark | None, str]] = [
        (c.began or c.requested, f"connecting{to}" if client else f"a client connects{to}"),
        (c.opened, "open"),
        (c.sent.last, f"last message sent ({many(c.sent.messages, 'message')})"),
        (c.received.last, f"last message that came ({many(c.received.messages, 'message')}){_words(c)}"),
        (c.pings.last_answer, f"last Pong ({c.pings.answered} of {c.pings.sent} Pings answered)"),
        *((mark, "a Ping that was not answered") for mark in list(c.pings.waiting.values())[:3]),
        (c.gave_up, "the keepalive gave up waiting"),
        (c.end_of_stream, f"the stream from {w.peer} ended"),
        (c.tcp_wait, "waited in vain for the end of the TCP connection"),
        (c.handshake_failed, "the handshake was given up"),
        (None if c.over is None else c.over[0], "over; how it ended is not shown"),
        (c.closed, "closed"),
    ]
    if c.answered is not None and c.opened is None:
        marks.append((c.answered.at, f"answered {status_of(c.answered.status, c.answered.phrase)}"))
    for who, close in ((w.own, c.close_sent), (w.peer, c.close_received)):
        if close is not None:
            marks.append((close.at, f"{who} sent Close {code_of(close.code, close.reason)}"))
    for mark, text in marks:
        if mark is not None:
            yield mark, text


def _words(c: Connection) -> str:
    return f": {quoted(c.received.words)}" if c.received.words else ""
