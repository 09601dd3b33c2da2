"""Running totals of what a tracker reported.                                                              pure"""

from collections import Counter
from typing import Any

from tracker import events


class Counters:
    """An observer that counts; reading it is cheap and safe from another thread."""

    def __init__(self) -> None:
        self._events: Counter[type[events.Event]] = Counter()
        self.rejected: Counter[str] = Counter()
        """Bad messages by reason."""
        self.confirmed = 0

    def observe(self, event: events.AnyEvent) -> None:
        """Count one event."""
        self._events[type(event)] += 1
        if type(event) is events.Rejected:
            self.rejected[event.reason] += 1
        elif type(event) is events.Confirmed:
            self.confirmed += event.count

    def __getitem__(self, kind: type[events.Event]) -> int:
        return self._events[kind]

    def as_dict(self) -> dict[str, Any]:
        """Totals by name, as the status reply and the metrics show them."""
        return {
            "received": self[events.Received],
            "rejected": dict(self.rejected),
            "accepted": self[events.Accepted],
            "displaced": self[events.Displaced],
            "sent": self[events.Sent],
            "confirmed": self.confirmed,
            "connections": self[events.Connected],
            "refusals": self[events.Refused],
            "suspected": self[events.Suspected],
            "died": self[events.Died],
        }
