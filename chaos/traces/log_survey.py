"""A first look through a whole log of the `websockets` library: what reading it needs to know before.            pure"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chaos.traces.log_lines import LogLine, read_line
from tracker.events import LinkName

_ENDPOINTS = 16  # that are surveyed; a log has two or three
_HINTS: dict[str, LinkName] = {
    "pose": "input",
    "camera": "input",
    "input": "input",
    "control": "control",
    "hold": "output",
    "output": "output",
    "session": "output",
}
_LIBRARY = re.compile(r"websockets/(\S+)")


@dataclass(slots=True)
class Survey:
    """What has to be known of the whole log before it is read."""

    lines: int = 0
    """Of the library."""
    epoch: float | None = None
    """Seconds since 1970 of the first; None without dates."""
    library: str | None = None
    of_a_server: bool = False
    marks_keepalive: bool = False
    """Whether the keepalive's Pings are told from others by a line of their own."""
    ping_interval: float | None = None
    """Seconds from the first opening to the first Ping, as the keepalive has it; to a tenth."""
    ping_timeout: float | None = None
    """Seconds from the oldest Ping without an answer to the first time-out; to a tenth."""
    endpoints: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Messages, by endpoint, while only one connection of its name was open."""
    received: Counter[str] = field(default_factory=Counter)
    senders: set[str] = field(default_factory=set)
    """Names of connections on which messages were sent, and whose requests are not in the log."""
    receivers: set[str] = field(default_factory=set)
    """The same of those on which some came."""

    def links(self) -> dict[str, LinkName]:
        """Which endpoint is which link."""
        found: dict[str, LinkName] = {}
        for endpoint in self.endpoints:
            hint = next((link for word, link in _HINTS.items() if word in endpoint), None)
            if hint is not None:
                found[endpoint] = hint
            elif self.sent[endpoint] or self.received[endpoint]:
                found[endpoint] = "output" if self.sent[endpoint] else "input"
        for endpoint in self.endpoints:  # nothing is known of these: what is not there yet
            taken = set(found.values())
            found.setdefault(endpoint, "output" if "input" in taken or "output" not in taken else "input")
        return found

    def link_of(self, name: str) -> LinkName:
        """The link of a connection whose request the log does not hold, by what went over it."""
        known = set(self.links().values())
        if name in self.senders or (name not in self.receivers and "input" not in known):
            return "output"
        return "input"


def is_one(text: str) -> bool:
    """Whether a line is the library's beyond doubt."""
    line = read_line(text)
    return line is not None and any(
        line.message[group] for group in ("state", "keepalive", "opcode", "request", "timeout", "delay")
    )


def survey(texts: Iterable[tuple[int, str]]) -> Survey:
    """Look through a whole log."""
    found = Survey()
    open_at: dict[str, list[str | None]] = {}  # the endpoints of the open connections of each name
    server = client = 0
    keepalive = _Keepalive(found)
    for _, text in texts:
        line = read_line(text)
        if line is None:
            continue
        found.lines += 1
        m = line.message
        keepalive.look(line)
        found.marks_keepalive |= line.keepalive in ("sent", "sending")
        if found.epoch is None and line.dated:
            found.epoch = line.moment
        if m["request"]:
            server, client = server + (m["way"] == "<"), client + (m["way"] == ">")
            if m["path"] not in found.endpoints and len(found.endpoints) < _ENDPOINTS:
                found.endpoints.append(m["path"])
            open_at.setdefault(line.name, []).append(m["path"])
        elif m["to"] == "CLOSED":
            left = max(0, len(open_at.get(line.name, [])) - 1)
            open_at[line.name] = [None] * left  # which of them is not said
        elif m["opcode"] in ("TEXT", "BINARY"):
            if line.name not in open_at:  # its request is not in the log
                (found.senders if m["way"] == ">" else found.receivers).add(line.name)
            at = open_at.get(line.name, [])
            if len(at) == 1 and at[0] is not None:
                (found.sent if m["way"] == ">" else found.received)[at[0]] += 1
        elif m["header"] == "User-Agent" and (version := _LIBRARY.search(m["value"])):
            found.library = found.library or version[1]
    found.of_a_server = server > client
    return found


class _Keepalive:
    """Finds the interval and the time-out of the library's keepalive."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._opened: float | None = None
        self._unanswered: dict[str, float] = {}

    def look(self, line: LogLine) -> None:
        m, now = line.message, line.moment
        if now is None:
            return
        if m["to"] == "OPEN" and self._opened is None:
            self._opened = now
        elif m["opcode"] == "PING" and m["way"] == ">":
            if self._found.ping_interval is None and self._opened is not None:
                self._found.ping_interval = round(now - self._opened, 1)
            self._unanswered[line.data] = now
        elif m["opcode"] == "PONG" and m["way"] == "<":
            self._unanswered.pop(line.data, None)
        elif (
            m["timeout"] and "pong" in m["timeout"] and self._found.ping_timeout is None and self._unanswered
        ):
            self._found.ping_timeout = round(now - min(self._unanswered.values()), 1)
        elif m["to"] == "CLOSED":
            self._unanswered.clear()
