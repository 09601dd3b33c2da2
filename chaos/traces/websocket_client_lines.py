"""One line of what `websocket-client` writes after `enableTrace(True)`, versions 0.59 to 1.9.                        pure"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from chaos.traces.log_lines import MOST_DATA, PREFIX_WITHIN, without_colours
from chaos.traces.log_times import Time, find_time, leading_time
from chaos.traces.wire import NO_STATUS, Frame, Opcode, Way

_OPCODES: dict[int, Opcode] = {0: "CONT", 1: "TEXT", 2: "BINARY", 8: "CLOSE", 9: "PING", 10: "PONG"}
_MESSAGE = re.compile(
    r"""(?:^|(?<=[\s:|\])>,;"'-]))(?:
    ---[ ](?P<begins>request|response)[ ]header[ ]---
    |(?P<ends>-{23})\s*$
    |\+\+(?P<way>Sent|Rcv)[ ](?:
        (?P<raw>raw):[ ](?P<bytes>.*)
        |decoded:[ ]fin=(?P<fin>\d)[ ]opcode=(?P<opcode>\d+)[ ]data=(?P<data>.*))
    |(?P<old>send):[ ](?P<sent>b?['"]\\x[89a-f0][0-9a-f].*['"])
    |(?P<connected>Websocket[ ]connected)\s*$
    |close[ ]status:[ ](?P<status>\d{4})
    |reconnect\(\)[ ]-[ ]retrying[ ]in[ ](?P<delay>[\d.]+)[ ]seconds
    |(?P<ping>Sending[ ]ping)\s*$
    |(?P<proxy>Connecting[ ]proxy\.\.\.)
    |(?P<aside>Failed[ ]to[ ]send[ ]ping:|send_ping[ ]routine[ ]terminated|Calling[ ](?:custom[ ])?dispatcher[ ]reconnect
        |tearing[ ]down[ ]on[ ]exception)
    )""",
    re.DOTALL | re.VERBOSE,
)
_MARKS = (
    "---",
    "++",
    "send",
    "Websocket connected",
    "close status",
    "reconnect",
    "ping",
    "dispatcher",
    "exception",
)
_LOST = re.compile(r"^(?P<text>.*?)\s*- (?P<how>goodbye|reconnect)\s*$", re.DOTALL)
_BEFORE_A_MESSAGE = re.compile(
    r"^(?:[\s:|/,;>-]|\[(?!Errno|WinError|SSL)[^\]]*\]|\(\w[^)]*\)|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL|root|websocket)\b"
    r"|[\w./-]+\.py:\d+)+"
)


class Kind(StrEnum):
    """What a line is."""

    REQUEST = "request"  # its header begins
    RESPONSE = "response"
    HEADERS_END = "headers end"
    FRAME = "frame"
    RAW = "raw"  # the same frame, undecoded
    CONNECTED = "connected"
    CLOSE_ANSWERED = "close answered"  # with a code that is worth a line
    LOST = "lost"  # an exception ended a connection, or an attempt
    RETRYING = "retrying"
    ASIDE = "aside"  # nothing that other lines do not say


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A line of the library; only what its kind has is set."""

    kind: Kind
    message: str
    """As it stands, by which a line that comes twice is known."""
    prefix: str = ""
    """What a logging format put before it, without the time."""
    time: Time | None = None
    frame: Frame | None = None
    old: bool = False
    """Of a version before 1.0, which shows no frame that it received."""
    code: int | None = None
    delay: float | None = None
    text: str = ""
    """LOST: what the exception says."""


def read_line(text: str) -> ClientLine | None:
    """The line, or None if it is not the library's."""
    text = without_colours(text)
    if not any(mark in text for mark in _MARKS) and not text.endswith(("goodbye", "reconnect")):
        return None
    found = _MESSAGE.search(text, 0, len(text))
    if found is None or found.start() > PREFIX_WITHIN:
        return _lost(text)
    time, prefix = split_prefix(text[: found.start()])
    line = _read(found)
    return None if line is None else replace(line, time=time, prefix=prefix)


def split_prefix(prefix: str) -> tuple[Time | None, str]:
    """The time in a prefix, and the rest of it."""
    time = find_time(prefix)
    return time, prefix if time is None else prefix[: time.begin] + prefix[time.end :]


def _lost(text: str) -> ClientLine | None:
    found = _LOST.match(text)
    if found is None:
        return None
    said, time = found["text"], leading_time(found["text"])
    if time is not None:
        said = said[time.end :]
    shown = _BEFORE_A_MESSAGE.sub("", said, count=1)
    prefix = said[: len(said) - len(shown)]
    return ClientLine(Kind.LOST, f"{shown} - {found['how']}", prefix, time, text=shown.strip())


def _read(found: re.Match[str]) -> ClientLine | None:  # noqa: PLR0911 - a table of the forms, one a line
    message = found[0].rstrip()
    if found["begins"]:
        return ClientLine(Kind(found["begins"]), message)
    if found["ends"]:
        return ClientLine(Kind.HEADERS_END, message)
    if found["connected"]:
        return ClientLine(Kind.CONNECTED, message)
    if found["status"]:
        return ClientLine(Kind.CLOSE_ANSWERED, message, code=int(found["status"]))
    if found["delay"]:
        return ClientLine(Kind.RETRYING, message, delay=_number(found["delay"]))
    if found["old"]:
        frame = _of_bytes(">", _literal(found["sent"]))
        return None if frame is None else ClientLine(Kind.FRAME, message, frame=frame, old=True)
    if found["way"]:
        way: Way = ">" if found["way"] == "Sent" else "<"
        if found["raw"]:
            return ClientLine(Kind.RAW, message, frame=_of_bytes(way, _literal(found["bytes"])))
        return ClientLine(Kind.FRAME, message, frame=_decoded(way, found))
    return ClientLine(Kind.ASIDE, message)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _literal(text: str) -> bytes | None:
    """What a repr shows; None where it is cut off. Python 2 shows bytes without a b."""
    text = text.strip()
    try:
        found = ast.literal_eval(text if text.startswith("b") else f"b{text}")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, bytes) else None


def _decoded(way: Way, found: re.Match[str]) -> Frame | None:
    opcode = _OPCODES.get(int(found["opcode"][:3]))
    if opcode is None:
        return None
    data = found["data"]
    payload = _literal(data) if data[:2] in ("b'", 'b"') else None
    return _frame(way, opcode, data.encode(errors="replace") if payload is None else payload)


def _of_bytes(way: Way, data: bytes | None) -> Frame | None:
    """A frame as it went over the wire."""
    if data is None or len(data) < 2:
        return None
    opcode = _OPCODES.get(data[0] & 0x0F)
    length, place = data[1] & 0x7F, 2
    if length >= 126:
        place = 4 if length == 126 else 10
        length = int.from_bytes(data[2:place], "big")
    payload = data[place:]
    if data[1] & 0x80:
        key, masked = data[place : place + 4], data[place + 4 :]
        payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(masked)) if len(key) == 4 else b""
    return None if opcode is None else _frame(way, opcode, payload[:length])


def _frame(way: Way, opcode: Opcode, payload: bytes) -> Frame:
    shown = payload[: 2 * MOST_DATA]
    if opcode == "CLOSE":
        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_STATUS
        reason = payload[2:].decode(errors="replace")
        return Frame(way, opcode, len(payload), f"{code} {reason}".rstrip()[:MOST_DATA], code, reason)
    text = shown.decode(errors="replace") if opcode == "TEXT" else shown.hex(" ")
    return Frame(way, opcode, len(payload), text[:MOST_DATA])


def is_doubled(lines: Iterable[ClientLine]) -> bool:
    """Whether two handlers write each line: what never comes twice in a row does."""
    before = ""
    for line in lines:
        if line.kind in (Kind.REQUEST, Kind.RESPONSE, Kind.RAW) and line.message == before:
            return True
        before = line.message
    return False


def once(texts: Iterable[tuple[int, str]], *, doubled: bool) -> Iterator[tuple[int, str, ClientLine | None]]:
    """Every line; of two that say the same, because two handlers wrote them, the one with a time."""
    held: tuple[int, str, ClientLine] | None = None  # may be the first of two
    before = ""  # a line that was passed on, and may be the first of two
    for number, text in texts:
        line = read_line(text)
        if line is None:
            if held is not None:
                before = held[2].message
                yield held
                held = None
            yield number, text, None
            continue
        if held is not None and held[2].message == line.message:
            yield held if line.time is None else (number, text, line)
            held = None
            continue
        if held is not None:
            yield held
            held = None
        if doubled and line.message == before:
            before = ""
            continue
        before = ""
        if doubled and line.time is None:
            held = number, text, line
        else:
            before = line.message
            yield number, text, line
    if held is not None:
        yield held
