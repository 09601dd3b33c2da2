"""A whole trace told and counted, part by part, in a page however long it is.                                  pure"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from chaos.diagnosis.delay_findings import usual_trip
from chaos.diagnosis.findings import Diagnosis
from chaos.durations import clock, seconds_of
from chaos.replay.narrative import Line, narrate
from chaos.timeline.observed import Gap, LinkRecord, Observed

MOST_LINES = 40
"""Lines of a story: a page."""


class Story:
    """Takes the parts of a trace in their order."""

    def __init__(self) -> None:
        self.parts = 0
        self.began = 0.0
        self.ended = 0.0
        self._totals = _Totals()
        self._first: list[Line] = []
        self._latest: deque[Line] = deque(maxlen=MOST_LINES // 2)
        self._count = 0
        self._bad = 0

    def add(self, seen: Observed, diagnosis: Diagnosis, *, last: bool) -> None:
        """One more part; nothing comes after the `last`."""
        if not self.parts:
            self.began = seen.began
        self.ended = seen.ended
        lines = narrate(seen, diagnosis, began=self.began, first=not self.parts, last=last)
        self.parts += 1
        self._totals.add(seen)
        for line in lines:
            self._count += 1
            self._bad += line.tone == "bad"
            if len(self._first) < MOST_LINES // 2:
                self._first.append(line)
            else:
                self._latest.append(line)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What happened, the middle left out where it is too much."""
        return tuple(self._told())

    def _told(self) -> Iterator[Line]:
        yield from self._first
        shown = [*self._first, *self._latest]
        if self._count > len(shown):
            bad = self._bad - sum(line.tone == "bad" for line in shown)
            text = f"... {self._count - len(shown)} more lines of this kind, {bad} of them trouble ..."
            yield Line(self._first[-1].t, text)
        yield from self._latest

    @property
    def figures(self) -> tuple[tuple[str, str], ...]:
        """The totals, a name and a text each."""
        return tuple(self._totals.told(self.began, self.ended))


@dataclass(slots=True)
class _Link:
    connections: int = 0
    trips: int = 0
    best: float = 0.0
    medians: list[float] = field(default_factory=list)  # of each part
    worst: float = 0.0
    worst_at: float = 0.0

    def add(self, record: LinkRecord, *, first: bool) -> None:
        # A later part begins with the connections that were open: they are not counted anew.
        self.connections += sum(first or connection.number != 0 for connection in record.connections)
        if not record.trips:
            return
        usual = usual_trip(record)
        self.best = min(self.best, usual) if self.trips else usual
        self.trips += len(record.trips)
        self.medians.append(median(record.trips))
        worst = max(range(len(record.trips)), key=record.trips.__getitem__)
        if record.trips[worst] >= self.worst:
            self.worst, self.worst_at = record.trips[worst], record.sent[worst]

    def told(self, began: float) -> str:
        connections = f"{self.connections} connection{'s' if self.connections != 1 else ''}"
        if not self.trips:
            return f"{connections}, no Ping answered"
        return (
            f"{connections}, {self.trips} round trips: best {seconds_of(self.best)}, median"
            f" {seconds_of(median(self.medians))}, worst {seconds_of(self.worst)} at +{clock(self.worst_at - began)}"
        )


class _Totals:
    def __init__(self) -> None:
        self._frames = self._accepted = self._confirmed = self._displaced = self._sent = 0
        self._links: dict[str, _Link] = {}
        self._silence: Gap | None = None
        self._parts = 0

    def add(self, seen: Observed) -> None:
        self._frames += seen.received.total
        self._accepted += seen.accepted.total
        self._confirmed += seen.confirmed.total
        self._displaced += len(seen.displaced)
        self._sent += seen.sends.total
        for name, record in seen.links.items():
            self._links.setdefault(name, _Link()).add(record, first=not self._parts)
        gaps = [*seen.silences, *([] if self._silence is None else [self._silence])]
        self._silence = max(gaps, key=lambda gap: gap.seconds, default=None)
        self._parts += 1

    def told(self, began: float, ended: float) -> Iterator[tuple[str, str]]:
        yield "lasted", seconds_of(ended - began)
        if self._frames:
            yield "frames", f"{self._frames} received"
        if self._accepted:
            yield (
                "outputs",
                f"{self._accepted} accepted, {self._confirmed} confirmed, {self._displaced} displaced",
            )
        elif self._sent:
            yield "messages", f"{self._sent} sent"
        for name, link in self._links.items():
            yield name, link.told(began)
        if self._silence is not None:
            begin = clock(self._silence.begin - began)
            yield "longest wait for a confirm", f"{seconds_of(self._silence.seconds)} from +{begin}"
