"""A scenario made from a trace, run again, and what came of it beside what came of it in the field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

from chaos.clients import Client
from chaos.clients.tracker import TrackerClient
from chaos.diagnosis.findings import Finding
from chaos.diagnosis.inference import diagnose
from chaos.history import Broke, History
from chaos.judging.checks import judge
from chaos.judging.verdicts import Judgement
from chaos.kinds import KINDS
from chaos.replay.alignment import Comparison, compare, entries
from chaos.replay.building import ReplayScenario
from chaos.replay.field_draws import FieldDraws, ceilings, shares
from chaos.replay.field_pauses import FieldPauses
from chaos.replay.same_findings import compare_findings, on_clock
from chaos.runner import Plan, history_with
from chaos.scenario import STEADY_BY
from chaos.temporary import temporary_folder
from chaos.timeline.from_events import observe
from chaos.timeline.from_peer import observe_as_peer
from chaos.timeline.observed import LONG_GAP, Change, Gap, Observed
from chaos.timeline.spans import overlapping
from chaos.traces.files import TraceError
from chaos.traces.reading import open_trace
from simulator import events as peer
from tracker.config import Timing

SEEN_BY_PEER = (Change.CONNECTED, Change.CLOSED)
"""What a peer sees of a client: attempts that failed and doubts are the client's own."""
ITS_END = 12.0
"""Seconds before the end of a log in which a program that stops closes its connections; the library waits 10 for a
peer that does not answer, or that is not read."""
FAILURES = frozenset({1002, 1003, 1007, 1009, 1010})
"""Close codes of a client that cannot take what came. With any other it may only stop: a task that is cancelled closes
with 1011.
"""
LATE = 0.1
"""Seconds by which the estimate of a moment may be off."""


class FieldTracker(TrackerClient):
    """The tracker, drawing its back-offs as in the field."""

    def __init__(self, drawn: Mapping[str, Iterable[float]]) -> None:
        self._drawn = {link: tuple(shares) for link, shares in drawn.items()}

    def rng(self, seed: int) -> Random:
        """See `TrackerClient.rng`."""
        return FieldDraws(f"{seed}/tracker", self._drawn)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody at the other end would have noticed. Seconds; None: it did not come to that."""

    detected: float | None
    """From a link's falling silent to its being given up, at most."""
    recovered: float | None
    """From the end of a fault to the next output, at most."""
    silence: float
    """Without a new output, at most, and not for want of frames."""
    connections: int

    def as_json(self) -> dict[str, float | int | None]:
        """For `--json`."""
        return {
            "detected_s": _rounded(self.detected),
            "recovered_s": _rounded(self.recovered),
            "silence_s": _rounded(self.silence),
            "connections": self.connections,
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay."""

    history: History
    seen: Observed
    zero: float
    """When the scenario's clock stood at 0."""
    judgement: Judgement
    comparison: Comparison
    outcome: Outcome
    field_outcome: Outcome = field(default=Outcome(None, None, 0.0, 0))

    @property
    def broken(self) -> Broke | None:
        """What failed in it, the laboratory or the client, if anything: then it is no picture of the field."""
        return self.history.first(Broke)


def field_tracker(seen: Observed, timing: Timing) -> FieldTracker:
    """The tracker with the field's own draws, `timing` being what the field's tracker was told."""
    return FieldTracker(shares(seen, timing))


def replay(
    seen: Observed,
    made: ReplayScenario,
    client: Client,
    *,
    engine: str = "sim",
    seed: int = 0,
    time_scale: float = 10.0,
) -> Replayed:
    """Run the scenario against `client` and put the two records side by side."""
    with temporary_folder() as folder:
        # The climb is not the field's: its trace holds none.
        plan = Plan(made.scenario, engine, seed, time_scale, folder, traces=folder, climb=False)
        history = history_with(client, plan if client.role != "tracker" else replace(plan, traces=None))
        own = _own_log(plan)
    reports = history.role == "tracker"
    again = observe(history.events) if reports else observe_as_peer(history.events)
    zero = again.began if made.scenario.from_start else history.phase("steady") or 0.0
    timing = Timing(**made.scenario.client.timing)
    same_draws = isinstance(client, FieldTracker | FieldPauses)
    until = max(seen.end - made.zero, 0.0)
    ceiling = None if same_draws else ceilings(seen, timing)
    field_entries = [
        # What the field did before its first fault, the replay does as much earlier as it is healthy for longer.
        replace(entry, t=entry.t - made.lead) if entry.t < STEADY_BY - LATE else entry
        for entry in entries(seen, zero=made.zero, until=seen.end, ceiling=ceiling)
    ]
    told = again if reports else own
    if told is None:
        field_entries = [entry for entry in field_entries if entry.what.kind in SEEN_BY_PEER]
    shown = again if told is None else told
    shown_zero = zero + _later(shown, again)
    known = {name for name, record in seen.links.items() if record.connections or record.attempts}
    comparison = compare(
        field_entries,
        # What the replay does after the end of the trace, or on a link that the trace does not tell of, has nothing
        # to be compared with.
        [e for e in entries(shown, zero=shown_zero, until=shown.ended) if e.link in known],
        until=until,
        findings=None
        if told is None
        else compare_findings(
            on_clock(diagnose(seen), zero=made.zero), on_clock(diagnose(told), zero=shown_zero), until=until
        ),
    )
    findings = [finding for _, finding in made.faults]
    news = again.quiet if reports else _quiet_at_peer(history, until=again.end)
    moved = [_moved(finding, zero - made.zero) for finding in findings]
    connections = sum(1 for _ in history.of(peer.Opened))
    return Replayed(
        history,
        again,
        zero,
        judge(history, made.scenario),
        comparison,
        outcome(again, moved, news, connections),
        outcome(seen, findings, seen.quiet, sum(len(record.connections) for record in seen.links.values())),
    )


def find_its_end(seen: Observed) -> None:
    """A log of the library does not say that its program stops; its last connections closed by the client do."""
    last = [record.connections[-1] for record in seen.links.values() if record.connections]
    ends = [connection.closed for connection in last if connection.closed is not None]
    if not ends or len(ends) < len(last):
        return
    first = min(ends, key=lambda closed: closed.t)
    meant = (
        first.by == "client"
        and first.code not in FAILURES
        and all(s.died is None for s in last if s.closed is first)
    )
    if meant and seen.ended - first.t <= ITS_END:
        seen.stopping = first.t


def _own_log(plan: Plan) -> Observed | None:
    """What the client's own log of the run tells, if it wrote one."""
    log = None if plan.trace is None else plan.trace.with_name(f"{plan.trace.name}.log")
    if log is None or not log.exists() or not log.stat().st_size:
        return None
    try:
        seen = observe(open_trace(log).events())
    except TraceError:
        return None
    find_its_end(seen)
    return seen


def _later(one: Observed, other: Observed) -> float:
    """Seconds by which the first connection of the one is later than that of the other: their clocks differ by so much."""
    firsts = [
        min((c.opened for record in seen.links.values() for c in record.connections), default=0.0)
        for seen in (one, other)
    ]
    return firsts[0] - firsts[1]


def _moved(finding: Finding, by: float) -> Finding:
    end = None if finding.end is None else finding.end + by
    return replace(finding, begin=finding.begin + by, end=end)


def _quiet_at_peer(history: History, *, until: float) -> list[Gap]:
    """For a client that reports nothing: what its peer saw."""
    times = [event.t for event in history.of(peer.Delivered) if not event.repeat and event.t < until]
    times += [until] if times else []
    return [Gap(a, b) for a, b in pairwise(times) if b - a > LONG_GAP]


def outcome(seen: Observed, findings: Iterable[Finding], quiet: list[Gap], connections: int) -> Outcome:
    """The figures of one record under these faults, all on one clock."""
    severing = sorted((f for f in findings if KINDS[f.kind].severs), key=lambda finding: finding.begin)
    detected = [took for finding in severing if (took := _detected(seen, finding)) is not None]
    recovered: list[float] = []
    silence = 0.0

    def ends(finding: Finding) -> float:
        return seen.end if finding.end is None else finding.end

    # Times in which some link was struck; those that touch are one.
    for struck in overlapping(severing, begin=lambda finding: finding.begin, end=ends, apart=LATE):
        begin, end = struck[0].begin, max(map(ends, struck))
        over = [gap for gap in quiet if gap.begin <= end and gap.end >= begin]
        silence = max([silence, *(gap.seconds for gap in over)])
        recovered += [gap.end - end for gap in over if end <= gap.end < seen.end]
    return Outcome(max(detected, default=None), max(recovered, default=None), silence, connections)


def _detected(seen: Observed, finding: Finding) -> float | None:
    """Seconds to the end of the connections that were there."""
    took = [
        connection.closed.t - finding.begin
        for record in seen.links.values()
        if finding.on in (None, record.name)
        for connection in record.connections
        if connection.closed is not None
        and connection.opened <= finding.begin <= connection.closed.t + LATE
        and connection.closed.t < seen.end
        and (finding.end is None or connection.closed.t <= finding.end + LONG_GAP)
    ]
    return max(0.0, *took) if took else None
