"""Faults that may end a client's connections.                                                 pure"""

from math import inf
from typing import NamedTuple

from chaos.faults import Fault
from chaos.judging.evidence import Window
from chaos.timeline.observed import Connection

ATTEMPTS_ONLY = frozenset({"dns"})
"""Kinds that keep a client from connecting, and that no connection ever meets."""
NEWCOMERS_ONLY = frozenset(
    {
        "accept_then_close",
        "refuse",
        "accept_tcp_only",
        "trickle",
        "dead_backend",
        "late_accept",
        "deflate",
        "redirect",
        "credentials_expire",
    }
)
"""Kinds that leave the connections alone that were there before."""
OLD_ONLY = frozenset({"drain", "huge", "bomb"})
"""Kinds that leave those alone that come later."""
FOR_GOOD = frozenset({"trickle", "deflate"})
"""Kinds that a connection which began under them is never rid of."""
BREAKS = frozenset({"rst_after_rebind", "half_close", "suspend"})
"""Kinds of which the connections that were there never recover, unless they say that these live on."""
CLOSES = frozenset({"close", "drain", "low_limit", "restart", "accept_then_close"})
"""Kinds by which the peer ends a connection itself."""
UNANSWERING = frozenset({"mute_pong", "wrong_pong"})
"""Kinds under which the peer reads, and answers no Ping."""
SILENT = UNANSWERING | frozenset(
    {"stall", "blackhole", "unreachable", "timeout", "mute_pong", "wrong_pong", "stop_reading"}
)
"""Kinds that end nothing by themselves: the client has to notice, from their begin on."""
WAITED_FOR = SILENT | {"idle_cut", "cut_after", "rto", "rst_after_rebind", "half_close", "suspend"}
"""Kinds after whose end a connection that was struck may be waited for: until it is given up, or until TCP tries again."""


class Strike(NamedTuple):
    """A fault that may end connections, while it was in force."""

    fault: Fault
    during: Window

    @property
    def heals(self) -> float:
        """When the path was whole again; what is over at once breaks no path, only connections."""
        return self.during.begin if self.fault.duration == 0 else self.during.end

    @property
    def over(self) -> float:
        """When it had done all that it does: what it has begun to cut, it cuts after its heal too."""
        return self.heals + self.fault.lingers

    def concerns(self, link: str) -> bool:
        """Whether it strikes this link; what names no link strikes both."""
        return self.fault.on is None or self.fault.on == link

    def strikes(self, connection: Connection) -> bool:
        """Whether it may rightly end this connection, while it is in force."""
        kind, old = self.fault.kind, connection.opened < self.during.begin
        spared = kind in ATTEMPTS_ONLY or kind in (NEWCOMERS_ONLY if old else OLD_ONLY)
        began = connection.opened - (connection.took or 0.0)  # a handshake on its way is struck as well
        return self.concerns(connection.link) and began <= self.heals and not spared

    def spoils(self, connection: Connection) -> bool:
        """Whether it struck this connection for good: what began under it, or was there, does not heal with it."""
        if self.fault.kind in BREAKS and not self._lets_live:
            return self.strikes(connection)
        began = self.during.begin <= connection.opened <= self.during.end
        return self.fault.kind in FOR_GOOD and self.concerns(connection.link) and began

    def breaks(self, connection: Connection) -> bool:
        """Whether it broke this connection for certain, whenever either end hears of that. A toxicity below 1 may have
        spared it.
        """
        over = connection.closed is not None and connection.closed.t < self.during.begin
        certain = self.fault.kind in BREAKS and self.fault.toxicity == 1 and not self._lets_live
        return certain and self.strikes(connection) and not over

    @property
    def _lets_live(self) -> bool:
        """Whether it says that connections survive it."""
        return self.fault.attributes.get("connections") == "live"

    def since(self, connection: Connection) -> float:
        """When the connection was struck: at the begin, or when it opened into the fault."""
        return max(self.during.begin, connection.opened)

    @property
    def silences(self) -> bool:
        """Whether it ends nothing by itself, so that the client has to notice, from the begin on or from some moment on."""
        return self.fault.kind in SILENT or self._silences_later

    @property
    def _silences_later(self) -> bool:
        """Whether a connection is well under it until it has been idle, or says something large."""
        attributes = self.fault.attributes
        return self.fault.kind == "cut_after" or attributes.get("how") == "silent"

    def silent_since(self, connection: Connection) -> float:
        """When it silenced the connection; infinite: it did not, or nobody can say when."""
        since = self.since(connection)
        if self.fault.spec.stands_still:
            return max(since, self.during.end)  # who stands still hears no silence
        silenced = None if self.during.counts is None else self.during.counts.silenced
        if silenced is None or not self._silences_later:
            return since
        until = inf if connection.closed is None else connection.closed.t
        fell = (self.during.begin + seconds for seconds in silenced)
        return next((t for t in fell if since <= t <= until), inf)


class Arrival(NamedTuple):
    """Something that came to the peer's endpoint."""

    t: float
    connection: int
    """The peer's number of what it came over."""
    made: float
    """When the frame that it tells of came in; -inf where it tells of none."""
