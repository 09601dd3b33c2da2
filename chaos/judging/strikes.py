"""Faults that may end a client's connections.                                                 pure"""

from typing import NamedTuple

from chaos.faults import Fault
from chaos.judging.evidence import Window
from chaos.timeline.observed import Connection

NEWCOMERS_ONLY = frozenset({"accept_then_close", "refuse", "accept_tcp_only", "trickle"})
"""Kinds that leave the connections alone that were there before."""
FOR_GOOD = frozenset({"trickle"})
"""Kinds that a connection which began under them is never rid of."""
CLOSES = frozenset({"close", "restart", "accept_then_close"})
"""Kinds by which the peer ends a connection itself."""
UNANSWERING = frozenset({"mute_pong", "wrong_pong"})
"""Kinds under which the peer reads, and answers no Ping."""
SILENT = UNANSWERING | frozenset(
    {"stall", "blackhole", "unreachable", "timeout", "mute_pong", "wrong_pong", "stop_reading"}
)
"""Kinds that end nothing by themselves: the client has to notice."""


class Strike(NamedTuple):
    """A fault that may end connections, while it was in force."""

    fault: Fault
    during: Window

    @property
    def heals(self) -> float:
        """When the path was whole again; what is over at once breaks no path, only connections."""
        return self.during.begin if self.fault.duration == 0 else self.during.end

    def concerns(self, link: str) -> bool:
        """Whether it strikes this link; what names no link strikes both."""
        return self.fault.on is None or self.fault.on == link

    def strikes(self, connection: Connection) -> bool:
        """Whether it may rightly end this connection, while it is in force."""
        spared = self.fault.kind in NEWCOMERS_ONLY and connection.opened < self.during.begin
        return self.concerns(connection.link) and connection.opened <= self.heals and not spared

    def spoils(self, connection: Connection) -> bool:
        """Whether it struck this connection for good: what began under it does not heal with it."""
        began = self.during.begin <= connection.opened <= self.during.end
        return self.fault.kind in FOR_GOOD and self.concerns(connection.link) and began

    def since(self, connection: Connection) -> float:
        """When the connection was struck: at the begin, or when it opened into the fault."""
        return max(self.during.begin, connection.opened)


class Arrival(NamedTuple):
    """Something that came to the peer's endpoint."""

    t: float
    connection: int
    """The peer's number of what it came over."""
    made: float
    """When the frame that it tells of came in; -inf where it tells of none."""
