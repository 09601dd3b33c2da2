"""From a trace to the faults that explain it.                                                            pure"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chaos.diagnosis.delay_findings import delays
from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.diagnosis.outage_findings import explained, restarts
from chaos.diagnosis.peer_findings import blocked_loop, bursts, echoes, garbage, talk, unread, usual_fps
from chaos.diagnosis.peer_standstills import peer_standstills
from chaos.diagnosis.symptoms import Kind, Outage, outages
from chaos.kinds import LINKS, Link
from chaos.timeline.observed import Gap, Observed

HOLDS_BACK = frozenset(
    {"stall", "timeout", "bandwidth", "latency", "block_loop", "down", "stop_reading", "mute_pong"}
)
"""Faults in which the input's frames may wait, or the peer may stand still as a whole."""


def diagnose(seen: Observed) -> Diagnosis:
    """The faults of network, peer and host that explain the trace, each with its reason and how sure it is."""
    found = [outage for link in LINKS for outage in outages(seen, link)]
    findings, rest = restarts(found)
    whys = {id(outage): still.why for still in peer_standstills(rest) for outage in still.outages}
    for outage in rest:
        why = whys.get(id(outage))
        found_here = explained(outage)
        findings += found_here if why is None else _because(why, found_here)
    outage_spans = [(f.begin, f.end, f.on) for f in findings]
    for link in LINKS:
        findings += [
            finding
            for finding in delays(seen, link)
            if finding.from_start or not _within(finding, outage_spans)
        ]
    findings += [*blocked_loop(seen), *garbage(seen), *bursts(seen), *talk(seen)]
    return Diagnosis(
        findings=tuple(sorted(findings, key=lambda finding: finding.begin)),
        unknown=tuple(_unknown(seen, findings, rest)),
        echo=echoes(seen),
        fps=usual_fps(seen),
    )


def _because(why: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """What one standstill of the peer explains: nothing went either way."""
    for finding in findings:
        yield replace(finding, why=why, certainty="likely")


def _within(finding: Finding, spans: list[tuple[float, float | None, Link | None]]) -> bool:
    """Whether an outage explains it already."""
    end = finding.begin if finding.end is None else finding.end
    return any(
        on in (None, finding.on) and begin <= finding.begin and (until is None or end <= until + 0.5)
        for begin, until, on in spans
    )


def explains_gap(gap: Gap, findings: Iterable[Finding]) -> bool:
    """Whether a fault that holds what is sent lay in a time without frames: then nothing is said of who was in the picture."""
    return any(
        finding.kind in HOLDS_BACK
        and finding.on in (None, "input", "output")
        and finding.begin < gap.end
        and (finding.end is None or finding.end > gap.begin)
        and not finding.from_start
        for finding in findings
    )


def _unknown(seen: Observed, findings: list[Finding], rest: list[Outage]) -> Iterator[str]:
    """What the trace does not say."""
    for finding in findings:
        if finding.kind in ("stall", "timeout") and finding.certainty == "possible":
            yield (
                f"which direction of the {finding.on} was silent: the trace holds nothing that came or went alone;"
                " both are replayed"
            )
            break
    if any(symptom.kind is Kind.NO_PONGS for outage in rest for symptom in outage.symptoms):
        yield "whether the peer did not read or only did not answer Pings: both look alike from here"
    for connection in seen.link("output").connections:
        closed = connection.closed
        if closed is None or closed.by != "client" or closed.t >= seen.end:
            continue
        if closed.code not in (1000, 1001, 1006) and connection not in unread(seen.link("output")):
            yield f"why the client ended a connection with {closed.code} {closed.why}".strip()
            break
    for name, record in seen.links.items():
        if record.connections and record.connections[0].number > 1:
            yield f"what was before: the trace begins in the middle, with connection {record.connections[0].number} of the {name}"
            break
    if not seen.received.total:
        yield "the input's frames: the trace holds none, so a generated climb at 30 fps is replayed"
    if any(gap.seconds > 2 and not explains_gap(gap, findings) for gap in seen.input_gaps):
        yield "why no frames came for a while: nobody in the picture looks like that too"
