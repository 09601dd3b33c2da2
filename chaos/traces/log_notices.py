"""What the lines around the library's say: the program's own, the ends of tracebacks, and INFO lines.              pure"""

import re
from dataclasses import replace

from chaos.traces.wire import Notice, NoticeKind

MOST_TEXT = 200
"""Characters of a line that are kept."""

# Looked for first, and found in few lines of a program.
_WORTH_A_LOOK = re.compile(
    r"Error|Exception|ConnectionClosed|Timeout|Invalid(?:Status|Handshake|Message|Upgrade|Header|Origin)|errno|refused"
    r"|rejected|call failed|close frame|(?:sent|received) \d{4}|code = \d|server (?:listening|clos)|connection (?:open|closed|handler|rejected)"
    r"|[Hh]andshake failed|HTTP (?:message|request line)|(?:reconnect|retry)\w* in|gaierror|status[ _]?code"
    r"|\b(?:re-?)?connected\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^\s*(?:File |Traceback |\^)|\b(?:raise|except) [\w.]+[(:]|\braise [\w.]+$")
"""Lines of a traceback that show the program's text."""
_CHAIN = re.compile(
    r"^[^'\"]{0,200}(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):?\s*$"
)
_SENT = re.compile(r"sent (\d{4})(?: \(([^)]*)\))? ?([^;]*)")
_RECEIVED = re.compile(r"received (\d{4})(?: \(([^)]*)\))? ?([^;]*)")
_CODES_TOLD = re.compile(
    r"; then (?:sent|received) |ConnectionClosed\w*: (?:sent|received) \d{4}"
    r"|\b(?:sent|received) (?:1\d{3}|[34]\d{3}) \((?:OK|[a-z ]+)\)"
)
_OLD_CODE = re.compile(r"code = (\d{4}) \(([^)]*)\), (?:reason = (.*)|no reason)")
_STATUS = re.compile(
    r"(?:rejected WebSocket connection: HTTP|status[ _]?code[:=]?|InvalidStatusCode\(|connection (?:rejected|failed) \() ?(\d{3})\b"
)
_DELAY = re.compile(
    r"(?:reconnect|retry)\w*\b.{0,20}? in (?:about )?([\d.]+) ?(ms|millisec|s\b|sec|seconds?)?", re.IGNORECASE
)
_EXCEPTION = re.compile(
    r"(?:^|[\s:(\[])((?:\w+\.)*\w*(?:Error|Exception|Closed\w*|Timeout|Invalid(?:Status|Handshake|Message|Upgrade|Header|Origin)\w*))\b:? ?"
)
_CONNECTED = re.compile(
    r"(?<!not )(?<!never )(?<!be )\b(?:re-?)?connected\b(?! for\b)(?!.*\b(?:lost|closed|left)\b)",
    re.IGNORECASE,
)
"""A program's own word that it connected."""
_LIBRARYS_WORDS = re.compile(
    r"no close frame (?:received|sent)|; then (?:sent|received) \d{4}|code = \d{4} \(|InvalidStatus(?:Code)?\b"
    r"|rejected WebSocket connection: HTTP|timed out during (?:opening |closing )?handshake"
    r"|did not receive a valid HTTP|connect failed(?: again)?; (?:reconnecting|retrying) in"
)
_CAUGHT_BY_LIBRARY = "Failed to open a WebSocket connection"


def in_the_librarys_words(text: str) -> bool:
    """Whether a program's line quotes what nothing but the library says."""
    return _LIBRARYS_WORDS.search(text) is not None or _CODES_TOLD.search(text) is not None


def read_notice(text: str) -> Notice | None:  # noqa: PLR0911 - one a form
    """What the line tells of a connection or an attempt; None: nothing."""
    if _WORTH_A_LOOK.search(text) is None or _CODE.search(text):
        return None
    shown = _exception(text)
    if "close frame" in text or _CODES_TOLD.search(text):
        return _closed(text, shown)
    if old := _OLD_CODE.search(text):
        code = int(old[1])
        came = None if code == 1006 else code
        return Notice(NoticeKind.ENDED, shown, received=came, reason=old[3] or "", before_10=True)
    if found := _STATUS.search(text):
        return Notice(NoticeKind.REJECTED, shown, status=int(found[1]), delay=_delay(text))
    for kind, marks in _KINDS.items():
        words = next((mark for mark in marks if mark in text), None)
        if words is not None:
            said = text[text.index(words) :].strip()[:MOST_TEXT] if kind in _IN_THE_LIBRARYS_WORDS else shown
            return Notice(kind, said, delay=_delay(text))
    delay = _delay(text)
    if delay is not None:
        return Notice(NoticeKind.RETRYING, shown, delay=delay)
    if _EXCEPTION.search(text):
        return Notice(NoticeKind.ERROR, shown)
    if word := _CONNECTED.search(text):
        return Notice(NoticeKind.CONNECTED, text[word.start() :].strip()[:MOST_TEXT])
    return None


_KINDS: dict[NoticeKind, tuple[str, ...]] = {
    NoticeKind.TIMED_OUT: (
        "timed out during",
        "Connection timed out",
        "Errno 110]",
        "Errno 60]",
        "WinError 10060]",
        "WinError 121]",
        "handshake timed out",
    ),
    NoticeKind.NO_ROUTE: (
        "Network is unreachable",
        "No route to host",
        "Errno 113]",
        "Errno 101]",
        "Errno 51]",
        "Errno 65]",
        "WinError 10051]",
        "WinError 10065]",
    ),
    NoticeKind.UNREACHABLE: (
        "ConnectionRefusedError",
        "Errno 111]",
        "Errno 61]",
        "WinError 1225]",
        "WinError 10061]",
        "Connect call failed",
        "Connection refused",
        "connection refused",
    ),
    NoticeKind.NO_NAME: (
        "gaierror",
        "Name or service not known",
        "getaddrinfo failed",
        "nodename nor servname",
    ),
    NoticeKind.BAD_CERTIFICATE: ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError"),
    NoticeKind.RESET: (
        "ConnectionResetError",
        "Connection reset by peer",
        "BrokenPipeError",
        "ConnectionAbortedError",
        "WinError 64]",
        "WinError 10054]",
    ),
    NoticeKind.NO_REQUEST: (
        "connection closed while reading HTTP request line",
        "stream ends after 0 bytes, before end of line",
        "line without CRLF",
        "Line without CRLF",
    ),
    NoticeKind.BAD_REQUEST: ("invalid HTTP request line", "unsupported HTTP method"),
    NoticeKind.PLAIN_HTTP: ("InvalidUpgrade",),
    NoticeKind.INVALID_REQUEST: ("did not receive a valid HTTP request", "Malformed HTTP message"),
    NoticeKind.BAD_ANSWER: (
        "did not receive a valid HTTP response",
        "connection closed while reading HTTP status line",
    ),
    NoticeKind.TOO_BIG: ("exceeds limit of", "PayloadTooBig"),
    NoticeKind.CUT: ("IncompleteReadError",),
    NoticeKind.HANDSHAKE_FAILED: ("opening handshake failed",),
    NoticeKind.LISTENING: ("server listening on",),
    NoticeKind.SHUT_DOWN: ("server closing",),
    NoticeKind.HANDLER_FAILED: ("connection handler failed", "Error in connection handler"),
    NoticeKind.OPENED: ("connection open",),
    NoticeKind.CLOSED: ("connection closed",),
}


_IN_THE_LIBRARYS_WORDS = (
    NoticeKind.LISTENING,
    NoticeKind.SHUT_DOWN,
    NoticeKind.HANDLER_FAILED,
    NoticeKind.OPENED,
    NoticeKind.CLOSED,
)


def begins_traceback(text: str) -> bool:
    """Whether a traceback begins; where each of its lines has a time, that is how its exception is known."""
    return "Traceback (most recent call last)" in text


def chains(text: str) -> bool:
    """Whether a line of a traceback says that the exception after it was raised while that before it was handled."""
    return _CHAIN.match(text) is not None


def outcome(before: Notice, last: Notice) -> Notice:
    """What two exceptions of one traceback tell together: the last, or that before it where it says more."""
    vague = last.kind is NoticeKind.ERROR or (
        last.kind in (NoticeKind.INVALID_REQUEST, NoticeKind.BAD_ANSWER, NoticeKind.NO_REQUEST)
        and before.kind in (NoticeKind.NO_REQUEST, NoticeKind.BAD_REQUEST)
    )
    if vague and before.kind not in (NoticeKind.ERROR, NoticeKind.HANDSHAKE_FAILED):
        return before
    if last.kind is NoticeKind.ERROR and before.kind is NoticeKind.HANDSHAKE_FAILED:
        return replace(last, kind=NoticeKind.HANDSHAKE_FAILED)
    if last.kind is NoticeKind.ENDED and last.sent is None and last.received is None:
        if before.kind is NoticeKind.HANDSHAKE_FAILED:
            return replace(last, kind=NoticeKind.HANDSHAKE_FAILED, cut=True)
        return replace(last, cut=before.cut or before.kind in (NoticeKind.RESET, NoticeKind.CUT))
    return last


def _closed(text: str, shown: str) -> Notice:
    """As ConnectionClosed says since version 10."""
    sent, received = _SENT.search(text), _RECEIVED.search(text)
    first = received if sent is None or (received is not None and received.start() < sent.start()) else sent
    return Notice(
        NoticeKind.ENDED,
        shown,
        sent=int(sent[1]) if sent else None,
        received=int(received[1]) if received else None,
        received_first=None if sent is None and received is None else first is received,
        reason=first[3].strip() if first else "",
    )


def _delay(text: str) -> float | None:
    found = _DELAY.search(text)
    if found is None:
        return None
    try:
        seconds = float(found[1].rstrip("."))
    except ValueError:
        return None
    return seconds / 1000 if (found[2] or "").lower().startswith("m") else seconds


def _exception(text: str) -> str:
    """From the exception's name on; the whole line where none is named."""
    found = _EXCEPTION.search(text)
    shown = text[found.start(1) :] if found and not text.startswith(_CAUGHT_BY_LIBRARY) else text.strip()
    return shown.strip()[:MOST_TEXT]
