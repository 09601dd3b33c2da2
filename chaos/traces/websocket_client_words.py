"""What `websocket-client` words its exceptions like: they stand in its own lines, and in those of any program.       pure"""

import re

from chaos.traces.log_notices import MOST_TEXT, read_notice
from chaos.traces.log_times import leading_time

NO_PONG = "ping/pong timed out"
STREAM_ENDED = ("Connection to remote host was lost", "Connection is already closed")
_ERRNO = re.compile(r"\[(?:Errno|WinError) -?\d+\].*")
CLOSED = re.compile(r"Connection closed(?: normally)? \(code (?P<code>\d{4})\)(?:: (?P<reason>.*))?")
REFUSED = re.compile(
    r"Handshake status (\d{3})(?: (?!-\+-\+-)[^-]*)?(?:-\+-\+- \{.*\} -\+-\+- (?P<body>.*))?", re.DOTALL
)


def says_something(text: str) -> bool:
    return (
        NO_PONG in text
        or any(words in text for words in STREAM_ENDED)
        or REFUSED.search(text) is not None
        or CLOSED.search(text) is not None
        or read_notice(text) is not None
    )


def without_time(text: str) -> str:
    """What it says, without what the program put around it, as far as that is known."""
    if (found := _ERRNO.search(text)) is not None:
        return found[0][:MOST_TEXT]
    time = leading_time(text)
    return (text if time is None else text[time.end :]).strip(" -:|#")[:MOST_TEXT]


def body_of(shown: str) -> str:
    """Of a body that is shown as Python shows bytes."""
    return shown.strip().removeprefix("b").strip("'\"")[:MOST_TEXT]
