"""One line of the `websockets` library's log, versions 7 to 17, whatever a logging format puts around it.           pure"""

import ast
import re
from functools import lru_cache
from typing import NamedTuple, cast

from chaos.traces.log_times import Time, find_time
from chaos.traces.wire import (
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
        (?P<opcode>TEXT|BINARY|CONT|PING|PONG|CLOSE)[ ](?P<data>.*?)[ ]?
            \[(?:[a-z]+,[ ])?(?P<size>\d+)[ ]bytes?(?:,[ ]continued)?\](?!.*[ ]bytes?\])
        |(?P<frame>Frame\(fin=.*\))
        |(?P<eof>EOF)\b
        |[A-Z]{3,7}[ ](?P<path>\S+)[ ]HTTP/\d
        |HTTP/\S+[ ](?P<status>\d{3})(?P<phrase>.*)
        |Headers\((?P<headers>.*)\)
        |(?P<body>\[body\].*|body[ ]\(.*)
        |(?P<header>[A-Za-z][A-Za-z0-9-]*):[ ](?P<value>.*))
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
# Every form above begins so, and looking for it is quick.
_BEGIN = re.compile(
    r"""(?:^|(?<=[\s:|\])>,;"'=]))(?:(?:client |server )?[=<>%!x-] [A-Za-z\[]"""
    r"""|(?:keepalive ping|data transfer|parser) failed|unexpected internal error)"""
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r"""\s*[("'\[]*[\w./-]+\.py:\d+[)"'\]]*\s*$""")  # where in the library it was logged
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
    found = None
    for begin in _BEGIN.finditer(text, 0, PREFIX_WITHIN):
        found = _MESSAGE.match(text, begin.start())
        if found is not None:
            break
    if found is None:
        return None
    time, prefix, side = _prefix(text[: found.start()])
    return LogLine(
        time, prefix, cast("Side | None", found["side"]) or side, tuple(_said(found)), found[0].rstrip()
    )


@lru_cache(maxsize=1024)
def _prefix(prefix: str) -> tuple[Time | None, str, Side | None]:
    """Its time, what else is in it, and whose it is. Lines that follow one another often have the same."""
    time = find_time(prefix)
    if time is not None:
        prefix = prefix[: time.begin] + prefix[time.end :]
    return time, prefix, side_of(prefix)


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


def _said(m: re.Match[str]) -> list[Said]:  # noqa: C901, PLR0911, PLR0912 - a table of the forms, one a line
    way = cast(Way, m["way"])
    if m["opcode"]:
        return [_frame(way, cast(Opcode, m["opcode"]), int(m["size"]), m["data"])]
    if m["to"]:
        return [StateChange(cast(State, m["to"]))]
    if m["header"]:
        return [HeaderLine(way, m["header"].lower(), _without_place(m["value"]))]
    if m["did"]:
        return [KeepaliveSays(Keepalive(m["did"]))]
    if m["status"]:
        return [Response(way, int(m["status"]), _without_place(m["phrase"]))]
    if m["path"]:
        return [Request(way, m["path"])]
    if m["frame"]:
        return [_old_frame(way, m["frame"])]
    if m["headers"] is not None:
        found = _OLD_HEADER.findall(m["headers"])
        return [HeaderLine(way, name.lower(), one or two) for name, one, two in found]
    if m["eof"]:
        return [Eof(way)]
    if m["event"]:
        return [Eof("<") if m["event"] == "eof_received" else TcpLost(_lost(m["lost"]))]
    if m["waited"]:
        return [KeepaliveSays(Keepalive.GAVE_UP) if "pong" in m["waited"] else TcpEnding("timed out")]
    if m["stray"]:
        return [StrayPong()]
    if m["code"]:
        return [Failing(int(m["code"]), _without_place(m["reason"] or ""))]
    if m["tcp"]:
        return [TcpEnding(m["tcp"])]  # type: ignore[arg-type] # one of the three
    if m["body"]:
        return [Body(m["body"].removeprefix("[body]").strip()[:MOST_DATA])]
    return [HandshakeFailed() if m["handshake"] else Mishap(_without_place(m["mishap"]))]


def _frame(way: Way, opcode: Opcode, size: int, data: str) -> Frame:
    if opcode != "CLOSE":
        return Frame(way, opcode, size, data[:MOST_DATA])
    found = _CLOSE.match(data)
    code, reason = (int(found[1]), found[2]) if found else (NO_STATUS, "")
    return Frame(way, opcode, size, data[:MOST_DATA], code, reason.strip())


def _old_frame(way: Way, text: str) -> Frame:
    """As the library showed frames before version 10."""
    found = _OLD_FRAME.search(text)
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


def _lost(text: str) -> str:
    return "" if text == "None" else text


def _without_place(text: str) -> str:
    return _PLACE.sub("", text).strip() if ".py:" in text else text.strip()
