"""Two records of one story side by side: which link events are the same, and how far apart in time.          pure

Each link is aligned on its own, by the longest common order of equal events; among several such orders, by the one
whose times are nearest. What explains the two records is compared too, where both were diagnosed; see `same_findings`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal

from chaos.replay.same_findings import FindingRow
from chaos.timeline.observed import Change, Observed

Verdict = Literal["reproduced", "partly", "not", "no-evidence"]
"""No evidence: of what went wrong in the field, if anything, nothing could be compared."""

TOLERANCE = 1.0
"""Seconds between an event and its match."""
TOLERATED_SHARE = 0.1
"""The same, as a share of the time since the link was last healthy; the larger of the two counts."""
MOST = 400
"""Events of one link that are compared; a longer series is cut, and the comparison says so."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a link. Equal for events that may match."""

    kind: Change
    code: int | None = None
    """The close code, or the HTTP status of a refusal."""
    by: str | None = None
    """Who closed."""

    def __str__(self) -> str:
        if self.kind is Change.CLOSED:
            return f"closed {self.code} by {self.by}"
        return self.kind if self.code is None else f"{self.kind} with {self.code}"


CONNECTED = Happening(Change.CONNECTED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One link event, or a series of refusals, on the scenario's clock."""

    t: float
    link: str
    what: Happening
    count: int = 1
    since_healthy: float = 0.0
    """Seconds since the link was last healthy."""
    drawn: float = 0.0
    """Seconds that the back-offs before it could have been shorter or longer."""
    passing: bool = False
    """A doubt that the next answer dispelled: a deadline that was just missed might as well have been just met."""

    @property
    def trouble(self) -> bool:
        """Whether it is anything but a connection that opened, or a doubt that came to nothing."""
        return self.what != CONNECTED and not self.passing

    @property
    def text(self) -> str:
        """For a person."""
        return str(self.what) if self.count == 1 else f"{self.what}, {self.count} times"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison; one of the two is None where an event has no match."""

    field: Entry | None
    replay: Entry | None
    tolerance: float = 0.0

    @property
    def difference(self) -> float | None:
        """Seconds that the replay was later."""
        return None if self.field is None or self.replay is None else self.replay.t - self.field.t

    @property
    def matched(self) -> bool:
        """The same event, and in time."""
        return self.difference is not None and abs(self.difference) <= self.tolerance

    @property
    def entry(self) -> Entry:
        """The field's side, where it has one."""
        entry = self.field or self.replay
        assert entry is not None, "a row has at least one side"
        return entry

    @property
    def t(self) -> float:
        """Where it belongs in time."""
        return self.entry.t

    @property
    def counts(self) -> bool:
        """Whether the verdict depends on it: a passing doubt of one side only is no difference."""
        return self.matched or not self.entry.passing


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two sequences, in the order of time, and what they come to."""

    rows: tuple[Row, ...]
    verdict: Verdict
    findings: tuple[FindingRow, ...] | None = None
    """What explains the two; None where one side has no trace that could be diagnosed."""
    cut: int = 0
    """Events that were left out because there are too many."""
    links: tuple[str, ...] = field(default=())

    @property
    def matched(self) -> int:
        """Events of the field that came again in time."""
        return sum(row.matched for row in self.rows)

    @property
    def expected(self) -> int:
        """Events of the field that have to come again."""
        return sum(row.field is not None and row.counts for row in self.rows)


def entries(
    seen: Observed, *, zero: float, until: float, ceiling: dict[tuple[str, float], float] | None = None
) -> list[Entry]:
    """The link events of a record up to its orderly stop, `zero` being the scenario's 0.

    `ceiling` gives, by link and time, the most that a back-off could have lasted.
    """
    found: list[Entry] = []
    for name, record in seen.links.items():
        unhealthy_since: float | None = None
        drawn = 0.0
        lasting = {connection.opened: connection.lasted for connection in record.connections}
        waits = sorted((t, most) for (link, t), most in (ceiling or {}).items() if link == name)
        for change in record.changes:
            # A refusal for good is why the tracker stops, and no part of its stop.
            meant = seen.stopping is not None and change.t >= seen.stopping and not change.for_good
            if change.kind is Change.REVIVED and found and found[-1].link == name:
                found[-1] = replace(found[-1], passing=found[-1].what.kind is Change.SUSPECTED)
            if meant or change.t > until or change.kind is Change.REVIVED:
                continue
            if unhealthy_since is None:
                unhealthy_since = change.t
            while waits and waits[0][0] < change.t:
                drawn += waits.pop(0)[1]
            what = Happening(change.kind, change.code, change.by)
            entry = Entry(change.t - zero, name, what, since_healthy=change.t - unhealthy_since, drawn=drawn)
            if found and what.kind is Change.REFUSED and (found[-1].link, found[-1].what) == (name, what):
                entry = Entry(
                    found[-1].t, name, what, found[-1].count + 1, found[-1].since_healthy, found[-1].drawn
                )
                found[-1] = entry
                continue
            found.append(entry)
            if what == CONNECTED:
                lasted = lasting.get(change.t)
                if lasted is None or lasted >= TOLERANCE:
                    unhealthy_since, drawn = None, 0.0
    return found


def compare(
    field_entries: Sequence[Entry],
    replay_entries: Sequence[Entry],
    *,
    until: float = inf,
    findings: tuple[FindingRow, ...] | None = None,
) -> Comparison:
    """Align and judge. `reproduced`: every event of the field came again, in order and in time, and no other did; and
    what explains the replay is what explains the field.

    What the replay did about `until`, where the trace ends, and later, counts only where it is the match of something.
    """
    links = sorted({entry.link for entry in (*field_entries, *replay_entries)})
    rows: list[Row] = []
    cut = 0
    for link in links:
        a = [entry for entry in field_entries if entry.link == link]
        b = [entry for entry in replay_entries if entry.link == link]
        cut += max(0, len(a) - MOST) + max(0, len(b) - MOST)
        rows += _aligned(a[:MOST], b[:MOST])
    rows = sorted((row for row in rows if row.field or row.t <= until - TOLERANCE), key=lambda row: row.t)
    return Comparison(tuple(rows), _verdict(rows, findings or ()), findings, cut, tuple(links))


def _verdict(rows: Iterable[Row], findings: Sequence[FindingRow]) -> Verdict:
    rows = [row for row in rows if row.counts]
    findings = [row for row in findings if row.counts]
    same = all(row.matched for row in rows) and all(row.matched for row in findings)
    again = [row.replay is not None for row in rows if row.field is not None and row.field.trouble]
    again += [row.matched for row in findings if row.field is not None]
    if not again:
        return "no-evidence" if same else "not"
    if same:
        return "reproduced"
    return "partly" if any(again) else "not"


def tolerance(entry: Entry) -> float:
    """Seconds by which the replay of an event may miss it."""
    return max(TOLERANCE, TOLERATED_SHARE * entry.since_healthy) + entry.drawn


def _aligned(a: Sequence[Entry], b: Sequence[Entry]) -> list[Row]:
    """Needleman and Wunsch: most equal events first, then the least difference in time."""
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], _worth(a[i], b[j]) + best[i + 1][j + 1])
    rows: list[Row] = []
    i = j = 0
    while i < len(a) or j < len(b):
        if i < len(a) and j < len(b):
            worth = _worth(a[i], b[j])
            if worth > 0 and best[i][j] == worth + best[i + 1][j + 1]:
                rows.append(Row(a[i], b[j], tolerance(a[i])))
                i, j = i + 1, j + 1
                continue
        if j == len(b) or (i < len(a) and best[i][j] == best[i + 1][j]):
            rows.append(Row(a[i], None))
            i += 1
        else:
            rows.append(Row(None, b[j]))
            j += 1
    return rows


def _worth(a: Entry, b: Entry) -> float:
    if a.what != b.what:
        return 0.0
    apart = abs(a.t - b.t) / tolerance(a)
    # Equal events in time are worth most; far apart they may still be the same event, but rather not another's.
    return 2.0 - min(1.0, apart / 4) if apart <= 20 else 0.0
