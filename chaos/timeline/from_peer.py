"""What a peer saw of a client's connections, in the words in which a tracker reports them.                     pure"""

from collections.abc import Iterator
from typing import Literal

from chaos.history import HistoryEvent, Reached
from simulator import events as peer
from tracker import events

_ENDERS: dict[Literal["client", "peer", "network"], events.Ender] = {
    "client": "tracker",
    "peer": "peer",
    "network": "network",
}


def as_reported(event: HistoryEvent) -> Iterator[events.AnyEvent]:
    """What one event of a record means for the client: nothing, where it is of no connection and of no stop.

    A handshake that the peer answered is an attempt that took no time; of others the peer knows nothing.
    """
    t = event.t
    if isinstance(event, peer.Opened):
        yield events.Connecting(t=t, link=event.link, attempt=1)
        yield events.Connected(t=t, link=event.link, connection=event.connection, took=0.0)
    elif isinstance(event, peer.Ended):
        by, n = _ENDERS[event.by], event.connection
        yield events.Closed(t=t, link=event.link, connection=n, code=event.code, by=by, why=event.why)
    elif isinstance(event, Reached) and event.phase == "stopping":
        yield events.Stopping(t=t, why="the run is over", left=0)
