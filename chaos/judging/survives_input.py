"""`survives-input`: each bad message is counted and skipped, and the good ones after it get through.   pure"""

from collections import Counter
from math import inf

from chaos.judging.disruptions import PAUSE
from chaos.judging.evidence import BAD_MESSAGES
from chaos.judging.facts import Facts
from chaos.judging.peer_facts import PeerFacts
from chaos.judging.verdicts import Check, decided
from chaos.scenario import Scenario
from simulator import events as peer
from tracker import events


def by_reports(facts: Facts, _: Scenario) -> Check | None:
    """Bad messages are counted and skipped, and the good ones after them get through."""
    bad = [event for event in facts.history.of(events.Rejected) if event.reason != "stopping"]
    if not bad:
        return None
    reasons = Counter(event.reason for event in bad)
    # What the outbox took, not what was delivered: that may be older than the bad message.
    outputs = list(facts.accepted.values() or [event.t for event in facts.deliveries])
    newest = max(outputs, default=-inf)
    since = next((event.t for event in bad if event.t >= newest), inf)
    after = sum(t > bad[-1].t for t in outputs)
    seen = f"{len(bad)} rejected ({dict(reasons)}), {after} outputs after the last"
    expected = "bad messages skipped, outputs going on"
    if not (after or reasons["internal-error"] or facts.quit_early) and facts.stopping - since < PAUSE:
        return Check("survives-input", "unknown", expected, f"{seen}: the run was over")
    return decided(
        "survives-input",
        ok=after > 0 and not reasons["internal-error"],
        expected=expected,
        observed=seen,
        at=bad[-1].t,
    )


def by_peer(facts: PeerFacts, _: Scenario) -> Check | None:
    """Whatever the client does with bad messages, the good ones after them get through."""
    bad = [event.t for event in facts.history.of(peer.Misbehaved) if event.kind in BAD_MESSAGES]
    if not bad or not facts.deliveries:
        return None
    after = sum(event.t > bad[-1] for event in facts.deliveries)
    seen = f"{len(bad)} bad messages, {after} frames sent on after the last"
    if not after and facts.stopping - bad[-1] < PAUSE:
        return Check("survives-input", "unknown", "frames sent on", f"{seen}: the run was over")
    return decided("survives-input", ok=after > 0, expected="frames sent on", observed=seen, at=bad[-1])
