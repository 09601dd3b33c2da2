"""What a peer saw of a client's connections.                                                                    pure"""

from collections.abc import Iterable

from chaos.history import HistoryEvent, Reached
from chaos.timeline.observed import Closed, Observed
from simulator import events as peer


def observe_as_peer(history: Iterable[HistoryEvent]) -> Observed:
    """A client's connections up to the orderly stop, by what its peer saw.

    A handshake that the peer answered is an attempt that took no time; of others the peer knows nothing.
    """
    seen = Observed()
    for event in history:
        if isinstance(event, peer.Opened):
            seen.link(event.link).has_connected(event.connection, event.t)
        elif isinstance(event, peer.Ended):
            closed = Closed(event.t, event.code, event.by, event.why)
            seen.link(event.link).has_closed(event.connection, closed)
        elif isinstance(event, Reached) and event.phase == "stopping":
            seen.stopping = event.t
        else:
            continue
        seen.began = event.t if not seen.count else seen.began
        seen.ended = event.t
        seen.count += 1
        if seen.stopping is not None:
            break
    return seen
