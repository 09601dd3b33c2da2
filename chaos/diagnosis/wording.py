"""Words for what a diagnosis names: sides, codes, statuses, connections, and how often.                             pure"""

from collections.abc import Collection, Sequence

from chaos.diagnosis.endings import Ending
from chaos.durations import clock, seconds_of
from chaos.timeline.model import Connection, Mark, Timeline
from chaos.traces.wire import NO_STATUS, NoticeKind, Side, Writer

MOST_WORDS = 90
"""Characters of a message that are quoted."""
CODES: dict[int, str] = {
    1000: "normal",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no code",
    1006: "no close frame",
    1007: "invalid data",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}
STATUSES: dict[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    426: "Upgrade Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Words:
    """How one timeline's sides and moments are named."""

    def __init__(self, timeline: Timeline, sides: Collection[Side] | None = None) -> None:
        """`sides`: whose connections are spoken of, where a log is of a client and a server together."""
        self._timeline = timeline
        self._of_sides: dict[frozenset[Side], Words] = {}
        self.timed = timeline.timed
        self._grain = timeline.grain
        server = timeline.side == "server"
        own = [timeline.side] if sides is None and timeline.side_known else list(sides or ())
        self.serves = own == ["server"]
        """Whether the side that wrote it is a server."""
        self.own, self.peer = ("this server", "the client") if self.serves else ("this client", "the server")
        if len(own) != 1:
            self.own, self.peer = "this side", "the other side"
        paths = {c.link for c in timeline.connections}
        self._mixed = timeline.side_known and len({c.side for c in timeline.connections}) > 1
        self.shows_control = timeline.writer is not Writer.BROWSER
        """Whether Pings, Pongs and Close frames are shown, and how long a handshake took."""
        threads = timeline.writer is Writer.WEBSOCKET_CLIENT
        self.blocked = "one of its callbacks" if threads else "its event loop"
        """What long work of this side holds up."""
        self.movable = "the callbacks (into a thread)" if threads else "the event loop (asyncio.to_thread)"
        """The same, with where such work can go."""
        self._paths = len(paths) > 1 or (server and paths not in ({""}, {"/"}))
        self._numbers = len(timeline.connections) > 1
        told = any(notice.kind in (NoticeKind.OPENED, NoticeKind.CONNECTED) for _, notice in timeline.notices)
        self.shows_connections = bool(timeline.connections) or told
        """Whether the log shows any connection or attempt itself, or tells of one, and not by exceptions alone."""

    def of(self, endings: Sequence[Ending]) -> "Words":
        """The same for these: a log of client and server together has both sides."""
        sides = frozenset(ending.connection.side for ending in endings) if self._mixed else frozenset()
        if not sides:
            return self
        if sides not in self._of_sides:
            self._of_sides[sides] = Words(self._timeline, sides)
        return self._of_sides[sides]

    def when(self, mark: Mark | None) -> str:
        """A moment, as in +4:05.2; by its line where there are no times."""
        if mark is None:
            return "an unknown time"
        return f"+{clock(mark.t)}" if self.timed else f"line {mark.line}"

    def at(self, mark: Mark | None) -> str:
        """The same with its preposition."""
        return f"{'at' if self.timed else 'in'} {self.when(mark)}"

    def after(self, seconds: float | None) -> str:
        """A duration; nothing where none can be known."""
        return "" if seconds is None or not self.timed else self.lasting(seconds)

    def lasting(self, seconds: float) -> str:
        """A duration that the log's clock shows: below its grain it is only known to be."""
        return "< 1 s" if seconds < self._grain == 1.0 else seconds_of(seconds)

    def range_of(self, values: Sequence[float]) -> str:
        """A duration, or from the shortest to the longest."""
        low, high = self.lasting(min(values)), self.lasting(max(values))
        return low if low == high else f"{low} to {high}"

    def since_opening(self, endings: Sequence[Ending]) -> str:
        """How old the connections were when they ended; empty where that is not known."""
        ages = [ending.age for ending in endings if ending.age is not None]
        return self.range_of(ages) if ages and len(ages) == len(endings) else ""

    def label(self, connection: Connection) -> str:
        """Which connection, where that is a question: its path."""
        return connection.link if self._paths and connection.link else ""

    def numbered(self, connection: Connection) -> str:
        """Its path, or its number."""
        if label := self.label(connection):
            return label
        return f"connection {connection.number}" if self._numbers else ""


def code_of(code: int | None, reason: str = "") -> str:
    """A close code with what it means and the reason that came with it."""
    if code is None or code == NO_STATUS:
        said = "no code"
    else:
        meaning = CODES.get(code, "the program's own code" if code >= 3000 else "")
        said = f"{code}" + (f" ({meaning})" if meaning else "")
    return f'{said} "{reason}"' if reason else said


def status_of(code: int | None, phrase: str = "") -> str:
    """An HTTP status with its words."""
    words = phrase or STATUSES.get(code or 0, "")
    return f"HTTP {code} {words}".rstrip()


def quoted(words: str) -> str:
    """What somebody said, shortened, without the quotes that the log put around it."""
    text = words.strip().strip("'\"")
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 3] + "..."


def times(count: int) -> str:
    """How often."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def many(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
