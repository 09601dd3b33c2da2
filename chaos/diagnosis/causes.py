"""What can be wrong, by type; and a finding: a cause, what it explains, and how sure it is.                          pure"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from chaos.diagnosis.endings import Ending
from chaos.timeline.model import Mark, Silence, Standstill
from chaos.traces.wire import Notice

Confidence = Literal["certain", "likely", "possible"]
"""Certain is only what the lines themselves say."""


class Cause(StrEnum):
    """Of an end, or of trouble that ended nothing. Their order is that in which the more telling comes first."""

    LOOP_BLOCKED = "loop blocked"
    PEER_STOOD_STILL = "peer stood still"
    WRONG_PONGS = "wrong pongs"
    UNREAD = "unread"
    IDLE_TIMEOUT = "idle timeout"
    AGE_LIMIT = "age limit"
    MAX_SIZE = "max_size"
    PEER_MAX_SIZE = "peer's max_size"
    NO_UPGRADE = "no upgrade"
    REFUSED_FOR_GOOD = "refused for good"
    HEALTH_CHECK = "health check"
    OWN_RESTART = "own restart"
    PEER_RESTART = "peer restart"
    SERVER_DOWN = "server down"
    STORM = "storm"
    NO_PONG = "no pong"
    PEER_NO_PONG = "peer got no pong"
    OWN_FAILURE = "own failure"
    PEER_FAILURE = "peer failure"
    STREAM_ENDED = "stream ended"
    PEER_CLOSE = "peer close"
    REFUSED_FOR_NOW = "refused for now"
    BAD_HANDSHAKE = "bad handshake"
    UNREACHABLE = "unreachable"
    END_NOT_SHOWN = "end not shown"
    CLOSES_TOLD = "closes told"  # by exceptions alone: the log shows no connection
    LATE_PONG = "late pong"
    FELL_SILENT = "fell silent"
    PING_WAITS = "ping waits"
    LAST_LINES = "last lines"
    LEFT = "left"
    OWN_CLOSE = "own close"
    REDIRECT = "redirect"
    NO_END = "no end"


HARMLESS = (Cause.LEFT, Cause.OWN_CLOSE, Cause.REDIRECT, Cause.NO_END)
"""What is nobody's trouble."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, with all that it explains."""

    cause: Cause
    confidence: Confidence
    at: Mark
    """Where it shows first."""
    endings: tuple[Ending, ...] = ()
    notices: tuple[tuple[Mark, Notice], ...] = ()
    seconds: float | None = None
    """IDLE_TIMEOUT: the silence. AGE_LIMIT: the age. SERVER_DOWN: from the break to the next connection, None if there
    is none. STREAM_ENDED and the other ends: until the next connection
    to the same endpoint. LATE_PONG: how late. STORM: the time in which `count` attempts fell. HEALTH_CHECK: between two of them, if regular."""
    count: int = 0
    of: int = 0
    """So many could have shown it; `count` did."""
    standstill: Standstill | None = None
    silence: Silence | None = None

    @property
    def weight(self) -> int:
        """How much it explains."""
        attempts = self.count if self.cause is Cause.STORM else 1
        return max(attempts, len(self.endings), len(self.notices))
