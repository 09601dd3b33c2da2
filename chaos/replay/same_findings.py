"""Two diagnoses side by side: which findings of the field does the replay's own trace give again.            pure

The same finding is one of the same kind, on the same link, in the same direction, at about the same times. What the
findings before and after it only continue, as the steps of a latency do, is one finding here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.kinds import KINDS

TOLERANCE = 1.0
"""Seconds between the begins, and between the ends, of two findings that are the same."""
TOLERATED_SHARE = 0.1
"""The same, as a share of how long it lasted; the larger of the two counts."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding on the scenario's clock; one of the two is None where the other side has it not."""

    field: Finding | None
    replay: Finding | None

    @property
    def matched(self) -> bool:
        """Whether both sides have it."""
        return self.field is not None and self.replay is not None

    @property
    def counts(self) -> bool:
        """Whether the verdict depends on it. What lasted less than its times may be apart, and ended no connection, might
        as well not have been noticed: where one side has it alone, that is no difference.
        """
        found = self.finding
        short = found.end is not None and found.begin < found.end < found.begin + TOLERANCE
        return self.matched or not short or KINDS[found.kind].severs

    @property
    def finding(self) -> Finding:
        """The field's, where it has one."""
        finding = self.field or self.replay
        assert finding is not None, "a row has at least one side"
        return finding


def on_clock(diagnosis: Diagnosis, *, zero: float) -> list[Finding]:
    """All that was found, with the scenario's clock at 0 at `zero`, and what continues one another as one."""
    found = [_moved(finding, -zero) for finding in diagnosis.findings]
    if diagnosis.echo:
        found.append(Finding("echo", 0.0, None, "it sends everything back", on="output", from_start=True))
    return _joined(found)


def compare_findings(
    field: Sequence[Finding], replay: Sequence[Finding], *, until: float = inf
) -> tuple[FindingRow, ...]:
    """Pair them. What the replay shows about `until`, where the field's trace ends, and later, has no other side."""
    left = list(replay)
    rows = []
    for finding in field:
        same = [other for other in left if _same(finding, other, until)]
        nearest = min(same, key=lambda other: abs(other.begin - finding.begin), default=None)
        if nearest is not None:
            left.remove(nearest)
        rows.append(FindingRow(finding, nearest))
    rows += [FindingRow(None, other) for other in left if other.begin <= until - TOLERANCE]
    return tuple(sorted(rows, key=lambda row: row.finding.begin))


def _moved(finding: Finding, by: float) -> Finding:
    end = None if finding.end is None else finding.end + by
    return replace(finding, begin=finding.begin + by, end=end)


def _key(finding: Finding) -> tuple[str, str | None, str]:
    return finding.kind, finding.on, finding.direction


def _joined(found: Iterable[Finding]) -> list[Finding]:
    joined: list[Finding] = []
    for finding in sorted(found, key=lambda finding: finding.begin):
        before = next((other for other in reversed(joined) if _key(other) == _key(finding)), None)
        if before is None or not _continues(finding, before):
            joined.append(finding)
            continue
        ends = (before.end, finding.end)
        end = None if None in ends else max(end for end in ends if end is not None)
        joined[joined.index(before)] = replace(before, end=end)
    return joined


def _continues(finding: Finding, before: Finding) -> bool:
    lasting = before.end is None or before.end > before.begin
    return lasting and (before.end is None or finding.begin <= before.end + TOLERANCE)


def _same(one: Finding, other: Finding, until: float) -> bool:
    if _key(one) != _key(other):
        return False
    ends = [min(until, inf if finding.end is None else finding.end) for finding in (one, other)]
    lasted = ends[0] - one.begin
    tolerated = max(TOLERANCE, TOLERATED_SHARE * lasted) if lasted < inf else TOLERANCE
    at_once = one.from_start and other.from_start
    begins = at_once or abs(one.begin - other.begin) <= tolerated
    return begins and (ends[0] == ends[1] or abs(ends[0] - ends[1]) <= tolerated)
