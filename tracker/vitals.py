"""What a tracker's links have been through, by its events, as metrics, health and the log show it.         pure"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from tracker import events
from tracker.config import Confirm

MOST_CODES = 50
"""Close codes told apart on each link, for a peer may send any of thousands; the others count as `other`."""


@dataclass(slots=True)
class LinkVitals:
    """One link's totals; `round_trip` is the newest, in seconds."""

    attempts: int = 0
    connections: int = 0
    suspected: int = 0
    died: int = 0
    round_trip: float | None = None
    refusals: Counter[str] = field(default_factory=Counter)
    """By cause."""
    closes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By code, and by who ended it."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Bad messages, by reason."""


class Vitals:
    """An observer. Times are those of the events, seconds of the loop's clock."""

    def __init__(self, *, confirm: Confirm = "pong") -> None:
        self.links: dict[events.LinkName, LinkVitals] = {}
        self.received = 0
        self.last_frame: float | None = None
        """When the newest frame came."""
        self.accepted = 0
        self.sent = 0
        self.repeated = 0
        """Sent again on a later connection; these are counted in `sent` too."""
        self.confirmed = 0
        self.displaced = 0
        self.bugs_in_a_row = 0
        """Messages that met a bug since the last frame that did not."""
        self._kept_until_sent = confirm == "none"
        self._unconfirmed: dict[int, float] = {}  # seq -> when it was accepted, in order of seq
        self._highest_sent = 0
        self._frame_goes_well = False

    def of(self, link: events.LinkName) -> LinkVitals:
        """What is known of one link."""
        return self.links.setdefault(link, LinkVitals())

    def behind(self, now: float) -> float:
        """How many seconds ago the oldest output was accepted that is still not confirmed; 0 where there is none."""
        return now - next(iter(self._unconfirmed.values()), now)

    def observe(self, event: events.AnyEvent) -> None:
        """Take one event."""
        match event:
            case events.Received():
                self._frame_came(event.t)
            case events.Accepted() | events.Displaced() | events.Sent() | events.Confirmed():
                self._output_moved(event)
            case events.Rejected():
                self.of(event.link).rejected[event.reason] += 1
                if event.reason == events.MET_A_BUG:
                    self.bugs_in_a_row += 1
                    self._frame_goes_well = False
            case _:
                self._link_met(event)

    def _link_met(self, event: events.AnyEvent) -> None:
        match event:
            case events.Connecting():
                self.of(event.link).attempts += 1
            case events.Connected():
                self.of(event.link).connections += 1
            case events.Refused():
                self.of(event.link).refusals[str(event.cause or "unknown")] += 1
            case events.Suspected():
                self.of(event.link).suspected += 1
            case events.Died():
                self.of(event.link).died += 1
            case events.Closed():
                closes = self.of(event.link).closes
                code = str(event.code)
                if len(closes) >= MOST_CODES and (code, event.by) not in closes:
                    code = "other"
                closes[code, event.by] += 1
            case events.Answered():
                self.of(event.link).round_trip = event.rtt
            case _:
                pass

    def _frame_came(self, now: float) -> None:
        if self._frame_goes_well:  # the one before it
            self.bugs_in_a_row = 0
        self._frame_goes_well = True
        self.received += 1
        self.last_frame = now

    def _output_moved(
        self, event: events.Accepted | events.Displaced | events.Sent | events.Confirmed
    ) -> None:
        match event:
            case events.Accepted():
                self.accepted += 1
                self.bugs_in_a_row = 0
                self._unconfirmed[event.seq] = event.t
            case events.Displaced():
                self.displaced += 1
                self._unconfirmed.pop(event.seq, None)
            case events.Sent():
                self.sent += 1
                self.repeated += event.seq <= self._highest_sent
                self._highest_sent = max(self._highest_sent, event.seq)
                if self._kept_until_sent:
                    self._unconfirmed.pop(event.seq, None)
            case events.Confirmed():
                self.confirmed += event.count
                for seq in tuple(islice(self._unconfirmed, event.count)):
                    del self._unconfirmed[seq]
