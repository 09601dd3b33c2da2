"""What a diagnosis says: one fault that explains something in a trace, with its reason.                       pure"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from chaos.kinds import Direction, Link, Value

Certainty = Literal["certain", "likely", "possible"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of the network, the peer or the client's host. Times are the trace's."""

    kind: str
    begin: float
    end: float | None
    """None: it lasted to the end of the trace. Equal to `begin` for what is over at once."""
    why: str
    """What in the trace says so."""
    certainty: Certainty = "likely"
    on: Link | None = None
    direction: Direction = "both"
    attributes: Mapping[str, Value] = field(default_factory=dict, hash=False)
    from_start: bool = False
    """It was there before the client came."""
    ends_none: bool = False
    """It was over before any connection ended of it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings about one trace, in the order of their begins, and what remains open."""

    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]
    """What could not be inferred, a sentence each."""
    echo: bool = False
    """The peer sent everything back to its sender."""
    fps: float = 30.0
    """Frames a second, as they came in."""
