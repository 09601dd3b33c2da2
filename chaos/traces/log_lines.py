"""One line of the `websockets` library's log, whatever prefix a logging format puts before it.               pure"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

DAY = 86_400.0

_MESSAGE = re.compile(
    r"(?:^|(?<=[\s:|\])>]))(?:"
    r"(?P<state>= connection is (?P<to>[A-Z]+))"
    r"|(?P<way>[<>]) (?:(?P<opcode>TEXT|BINARY|CONT|PING|PONG|CLOSE) (?P<frame>.*)|(?P<eof>EOF)"
    r"|(?P<request>GET (?P<path>\S+) HTTP/\S+)|HTTP/\S+ (?P<status>\d{3})(?P<phrase>.*)"
    r"|(?P<body>\[body\].*)|(?P<header>[A-Za-z][A-Za-z0-9-]*): (?P<value>.*))"
    r"|(?P<keepalive>% (?P<did>sent|sending|received) keepalive p[io]ng)"
    r"|[-!] (?P<timeout>timed out waiting for .*)"
    r"|! (?P<failing>failing connection with code (?P<code>\d+))"
    r"|(?:! )?connect failed(?: again)?; (?:reconnecting|retrying) in (?P<delay>[\d.]+) seconds(?:: (?P<why>.*))?"
    r"|(?P<mishap>! .*|keepalive ping failed|data transfer failed|unexpected internal error|parser failed)"
    r"|(?P<tcp>x [a-z-]+ TCP connection)"
    r")$",
    re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX_WITHIN = 400  # characters; what comes later in a line is something that it quotes
_SIZE = re.compile(r"\[(?:[a-z]+, )?(\d+) bytes?(?:, continued)?\]$")
_DATE_TIME = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?"
)
_TIME = re.compile(r"(?<![\d:])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_EPOCH = re.compile(r"(?<![\d.])(1\d{9})(?:\.(\d+))?(?![\d.])")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
# Words of a prefix that differ from line to line of one connection, or say nothing of it.
_NO_NAMES = re.compile(
    r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|D|I|W|E|T|Z|UTC|MainThread|MainProcess|Thread-\d+|Task-\d+"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|\w+\.py"
    # the library's functions and modules, which %(funcName)s and %(module)s show
    r"|parse|send_frame|send_eof|state|keepalive\w*|fail\w*|send_data|process_\w+|send_request|(?:read|write)_\w+"
    r"|connection_\w+|protocol|connection|client|close_\w+|__\w+__|handshake)",
    re.IGNORECASE,
)


class LogLine(NamedTuple):
    """A line of the library."""

    moment: float | None
    """Seconds: since 1970 where the prefix has a date, else of the day; None without any time."""
    dated: bool
    name: str
    """What in the prefix tells connections apart: an id, else the logger's name; empty if there is neither."""
    message: re.Match[str]

    @property
    def keepalive(self) -> str | None:
        """What the library's own keepalive says that it did: sent, sending or received."""
        return self.message["did"]

    @property
    def size(self) -> int:
        """Bytes of the frame's payload."""
        found = _SIZE.search(self.message["frame"] or "")
        return int(found[1]) if found else 0

    @property
    def data(self) -> str:
        """The frame's payload as the log shows it, the middle of a long one left out."""
        return str(_SIZE.sub("", self.message["frame"] or "").rstrip())


def read_line(text: str) -> LogLine | None:
    """The line, or None if it is not the library's."""
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    found = _MESSAGE.search(text)
    if found is None or found.start() > _PREFIX_WITHIN:
        return None
    prefix = text[: found.start()]
    moment, dated = _moment(prefix)
    return LogLine(moment, dated, _name(prefix), found)


def _moment(prefix: str) -> tuple[float | None, bool]:
    if found := _DATE_TIME.search(prefix):
        year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
        zone = found[8]
        try:
            whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
        except ValueError:
            return None, False
        offset = 0
        if zone and zone != "Z":
            sign = -1 if zone[0] == "-" else 1
            offset = sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
        return whole - offset + _fraction(found[7]), True
    if found := _TIME.search(prefix):
        seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
        return seconds + _fraction(found[4]), False
    if found := _EPOCH.search(prefix):
        return int(found[1]) + _fraction(found[2]), True
    return None, False


def _fraction(digits: str | None) -> float:
    return float(f"0.{digits}") if digits else 0.0


def _name(prefix: str) -> str:
    for pattern in (_UUID, _ADDRESS):
        if found := pattern.search(prefix):
            return found[0]
    words = (word.rstrip(".-") for word in _WORD.findall(_DATE_TIME.sub("", prefix)))
    return " ".join(word for word in words if not _NO_NAMES.fullmatch(word))
