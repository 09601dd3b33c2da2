"""One fault on one way of a path, and what it has done so far.                                               pure"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SILENT = ("stall", "blackhole", "unreachable")
"""Kinds in which nothing passes, neither bytes nor acknowledgements nor handshakes; the sender's kernel tries again."""
FINAL = ("timeout", "reset_peer", "limit_data", "half_close")
"""Kinds of a proxy that acknowledges what comes, and decides about what arrives; the others only about when."""
RATES = ("bandwidth", "bufferbloat")
"""Kinds in which bytes pass at a rate."""


@dataclass(eq=False, slots=True)
class Effect:
    """One fault on one direction of a path, in force until it is removed; one of a hop is on both."""

    kind: str
    attributes: Mapping[str, int] = field(default_factory=dict)
    toxicity: float = 1.0
    bytes: int = 0
    """Bytes that it lost, delayed, cut in pieces or dropped; each counts once."""
    ends: int = 0
    """Connections that it ended, or whose end it delayed; each counts once."""
    unanswered: int = 0
    """Packets of a handshake that it lost."""
    silenced: list[float] = field(default_factory=list)
    """The loop's time at which a connection that was well until then fell silent, for each."""
    watched: int = 0
    """Connections whose idle time it counts."""
    idle: float = 0.0
    """Seconds: the longest idle time that it has seen."""

    @property
    def touched(self) -> int:
        """Its evidence: 0 means that it did nothing."""
        return self.bytes + self.ends + self.unanswered + len(self.silenced) + self.watched

    @property
    def silent(self) -> bool:
        """Whether nothing passes while it is in force."""
        return self.kind in SILENT or (self.kind == "loss" and self.attributes["percent"] >= 100)
