"""One line of the `websockets` library's log, versions 7 to 17, whatever a logging format puts around it.           pure"""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, cast

from chaos.traces.log_times import Time, find_time
from chaos.traces.wire import (
    KEEPALIVE_REASON,
    NO_STATUS,
    Body,
    Eof,
    Failing,
    Frame,
    HandshakeFailed,
    HeaderLine,
    Keepalive,
    KeepaliveSays,
    Mishap,
    Opcode,
    Request,
    Response,
    Said,
    Side,
    State,
    StateChange,
    StrayPong,
    TcpEnding,
    TcpLost,
    Way,
)

PREFIX_WITHIN = 400
"""Characters; what comes later in a line is something that it quotes."""
MOST_DATA = 200
"""Characters of a payload that are kept."""

_MESSAGE = re.compile(
    r"""(?:(?P<side>client|server)[ ])?(?:
    [=-][ ](?:connection[ ]is|state[ ]=)[ ](?P<to>CONNECTING|OPEN|CLOSING|CLOSED)\b
    |(?P<way>[<>])[ ](?:
        (?P<opcode>TEXT|BINARY|CONT|PING|PONG|CLOSE)[ ](?P<data>.*)
            \[(?:[a-z]+,[ ])?(?P<size>\d+)[ ]bytes?(?:,[ ]continued)?\](?!.*[ ]bytes?\])
        |(?P<frame>Frame\(fin=.*\))
        |(?P<eof>EOF)\b
        |[A-Z]{3,7}[ ](?P<path>\S+)[ ]HTTP/\d
        |HTTP/\S+[ ](?P<status>\d{3})(?P<phrase>.*)
        |Headers\((?P<headers>.*)\)
        |(?P<body>\[body\].*|body[ ]\(.*)
        |(?P<header>[A-Za-z][A-Za-z0-9-]*):[ ](?P<value>.*)
        |(?P<cut_opcode>(?:TEXT|BINARY|CONT|PING|PONG)(?=[ ](?:['"]|[0-9a-f]{2}(?:[ ]|$)))|CLOSE(?=[ ]\d{4}(?:[ ]|$)))
            [ ](?P<cut>.*))
    |%[ ](?P<did>sent|sending|received)[ ]keepalive[ ]p[io]ng
    |[-!][ ]timed[ ]out[ ]waiting[ ]for[ ](?P<waited>(?:keepalive[ ])?pong|TCP[ ]close)
    |-[ ]received[ ](?P<stray>unsolicited)[ ]pong
    |![ ]failing[ ](?:[A-Z]+[ ]WebSocket[ ])?connection[ ]with[ ]code[ ](?P<code>\d+)
        (?:[ ]and[ ]reason:?[ ](?P<reason>.*))?
    |x[ ](?P<tcp>half-closing|closing|aborting)[ ]TCP[ ]connection
    |-[ ]event[ ]=[ ](?P<event>eof_received|connection_lost)\((?P<lost>.*)\)
    |![ ](?P<handshake>invalid[ ](?:handshake|origin|upgrade|method|protocol)|no[ ]valid[ ]HTTP[ ]request)
    |(?P<mishap>![ ](?:error[ ]while|header[ ]fields|request[ ]line).*
        |(?:keepalive[ ]ping|data[ ]transfer|parser)[ ]failed\b|unexpected[ ]internal[ ]error\b
        |x[ ]code[ ]=[ ]\d+.*)
    )""",
    re.DOTALL | re.VERBOSE,
)
# Every form above begins so. Alternatives that begin with a character each are looked for quickly.
_BEGIN = re.compile(
    "|".join(rf"{mark}(?= [A-Za-z\[])" for mark in "=<>%!x-")
    + "|(?:keepalive ping|data transfer|parser) failed|unexpected internal error"
)
_BEFORE = frozenset(" \t\xa0:|])>,;\"'=")  # what may stand before it
_SIDES = ("client ", "server ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
_PLACE = re.compile(r"""\s*[("'\[]*[\w./-]+\.py:\d+[)"'\]]*\s*$""")  # where in the library it was logged
_CUT_SIZE = re.compile(r" ?\[[a-z0-9, ]*$")
_ENOUGH = 4  # characters by which a reason is known that is cut off
_CLOSE = re.compile(r"(\d{4})(?: \([^)]*\))? ?(.*)", re.DOTALL)
_OLD_FRAME = re.compile(
    r"opcode=(?:<Opcode\.(?P<name>\w+): )?(?P<number>\d+)?>?.*?data=(?P<data>b['\"].*['\"])"
)
_OLD_HEADER = re.compile(r"\('([^']+)', (?:'([^']*)'|\"([^\"]*)\")\)")
_OPCODES: dict[str, Opcode] = {
    "0": "CONT",
    "1": "TEXT",
    "2": "BINARY",
    "8": "CLOSE",
    "9": "PING",
    "10": "PONG",
}
_CLIENT = re.compile(r"websockets?[.\w]*\.client|\bclient\b")
_SERVER = re.compile(r"websockets?[.\w]*\.server|\bserver\b")
_MODULE = re.compile(
    r"websockets[./\\]+(?:\w+[./\\]+)?(?P<side>client|server)\b|(?P<framework>uvicorn|hypercorn|starlette|fastapi)[./\\]"
)


class LogLine(NamedTuple):
    """A line of the library."""

    time: Time | None
    prefix: str
    """What a logging format put before it, without the time."""
    side: Side | None
    """Whose line it says to be."""
    said: tuple[Said, ...]
    """Several, where one line holds all headers."""
    text: str
    """The message as it stands, by which a line that comes twice is known."""


def without_colours(text: str) -> str:
    """A terminal's colours say nothing."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def read_line(text: str) -> LogLine | None:
    """The line, or None if it is not the library's."""
    text = without_colours(text)
    found = _found(text)
    if found is None:
        return None
    time, prefix = _prefix(text[: found.start()])
    kind = found.lastgroup
    assert kind is not None, "each form has a group"
    said = _headers(found) if kind == "headers" else (_SAYS[kind](found),)
    named: Side | None = found["side"]  # type: ignore[assignment] # one of the two
    return LogLine(time, prefix, named or side_of(prefix), said, found[0].rstrip())


def _found(text: str) -> re.Match[str] | None:
    """The first of the library's forms in it."""
    for mark in _BEGIN.finditer(text, 0, PREFIX_WITHIN):
        begin = mark.start()
        if begin and text[begin - 1] not in _BEFORE:
            continue
        named = begin - len(_SIDES[0])
        if named >= 0 and text.startswith(_SIDES, named) and (not named or text[named - 1] in _BEFORE):
            begin = named
        found = _MESSAGE.match(text, begin)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=32)
def _prefix(prefix: str) -> tuple[Time | None, str]:
    """Its time, and what else is in it. Lines that follow one another often have the same."""
    time = find_time(prefix)
    return time, prefix if time is None else prefix[: time.begin] + prefix[time.end :]


@lru_cache(maxsize=1024)
def side_of(prefix: str) -> Side | None:
    """Whose a logger is, by the name that the library gives it."""
    if "websocket" not in prefix:
        return None
    if _SERVER.search(prefix):
        return "server"
    return "client" if _CLIENT.search(prefix) else None


def side_of_other(text: str) -> Side | None:
    """Whose log a line that is not the library's says it is: by a module of the library's that a logger or a traceback names.

    Who uses a server's framework is a server.
    """
    found = _MODULE.search(text)
    if found is None:
        return None
    return "server" if found["framework"] or found["side"] == "server" else "client"


def _headers(m: re.Match[str]) -> tuple[Said, ...]:
    """All in one line, as in old versions."""
    way = cast(Way, m["way"])
    found = _OLD_HEADER.findall(m["headers"])
    return tuple(HeaderLine(way, name.lower(), one or two) for name, one, two in found)


def _frame(m: re.Match[str]) -> Frame:
    data, size = m.group("data", "size")
    return _as_frame(m["way"], m["opcode"], int(size), data.removesuffix(" "))  # type: ignore[arg-type] # one of these


def _cut_frame(m: re.Match[str]) -> Frame:
    """Of a line that a screen, a pipe or somebody's hand cut off before the size."""
    data = _CUT_SIZE.sub("", m["cut"])
    cut = replace(_as_frame(m["way"], m["cut_opcode"], 0, data), whole=False)  # type: ignore[arg-type] # the same
    if cut.reason.startswith("("):  # within the code's meaning
        cut.reason = ""
    if len(cut.reason) >= _ENOUGH and KEEPALIVE_REASON.startswith(cut.reason):
        cut.reason = KEEPALIVE_REASON
    return cut


def _as_frame(way: Way, opcode: Opcode, size: int, data: str) -> Frame:
    data = data[:MOST_DATA]
    if opcode != "CLOSE":
        return Frame(way, opcode, size, data)
    found = _CLOSE.match(data)
    code, reason = (int(found[1]), found[2]) if found else (NO_STATUS, "")
    return Frame(way, opcode, size, data, code, reason.strip())


def _old_frame(m: re.Match[str]) -> Frame:
    """As the library showed frames before version 10."""
    way = cast(Way, m["way"])
    found = _OLD_FRAME.search(m["frame"])
    name, data = (found["name"] or found["number"] or "", found["data"]) if found else ("", "b''")
    opcode = _OPCODES.get(name, cast(Opcode, name if name in _OPCODES.values() else "TEXT"))
    try:
        payload = ast.literal_eval(data)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        payload = b""
    if opcode == "CLOSE" and len(payload) >= 2:
        code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")
        return Frame(way, opcode, len(payload), f"{code} {reason}".rstrip(), code, reason)
    if opcode == "CLOSE":
        return Frame(way, opcode, len(payload), "", NO_STATUS)
    shown = (
        payload.hex(" ") if opcode in ("PING", "PONG", "BINARY") else repr(payload.decode(errors="replace"))
    )
    return Frame(way, opcode, len(payload), shown[:MOST_DATA])


def _header(m: re.Match[str]) -> HeaderLine:
    return HeaderLine(cast(Way, m["way"]), m["header"].lower(), _without_place(m["value"]))


def _response(m: re.Match[str]) -> Response:
    return Response(cast(Way, m["way"]), int(m["status"]), _without_place(m["phrase"]))


def _lost(m: re.Match[str]) -> Said:
    if m["event"] == "eof_received":
        return Eof("<")
    return TcpLost("" if m["lost"] == "None" else m["lost"])


def _timed_out(m: re.Match[str]) -> Said:
    return KeepaliveSays(Keepalive.GAVE_UP) if "pong" in m["waited"] else TcpEnding("timed out")


def _failing(m: re.Match[str]) -> Failing:
    return Failing(int(m["code"]), _without_place(m["reason"] or ""))


def _without_place(text: str) -> str:
    return _PLACE.sub("", text).strip() if ".py:" in text else text.strip()


_SAYS: dict[str, Callable[[re.Match[str]], Said]] = {
    "to": lambda m: StateChange(cast(State, m["to"])),
    "size": _frame,
    "cut": _cut_frame,
    "frame": _old_frame,
    "eof": lambda m: Eof(cast(Way, m["way"])),
    "path": lambda m: Request(cast(Way, m["way"]), m["path"]),
    "phrase": _response,
    "body": lambda m: Body(m["body"].removeprefix("[body]").strip()[:MOST_DATA]),
    "value": _header,
    "did": lambda m: KeepaliveSays(Keepalive(m["did"])),
    "waited": _timed_out,
    "stray": lambda _: StrayPong(),
    "code": _failing,
    "reason": _failing,
    "tcp": lambda m: TcpEnding(cast(Any, m["tcp"])),
    "lost": _lost,
    "handshake": lambda _: HandshakeFailed(),
    "mishap": lambda m: Mishap(_without_place(m["mishap"])),
}
"""By the last group of a form."""
