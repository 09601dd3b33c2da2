"""What `confirm = "none"` promises of an output, judged.                                                     pure

Nothing is confirmed, so what was on the wire when a connection ended may be lost. What waited for a connection is kept
and sent, and what the peer had answered a later probe for, has arrived.
"""

from chaos.judging.facts import Facts
from chaos.judging.verdicts import Check
from tracker import events


def no_loss(facts: Facts) -> Check:
    """Each output that was not on the wire when a connection ended comes to the peer's endpoint."""
    spared = on_the_wire(facts)
    due = len(facts.accepted) - len(facts.displaced & facts.accepted.keys()) - len(spared)
    expected = f"all {due} outputs at the peer's endpoint that were not on the wire when a connection ended"
    lost = sorted(facts.lost - spared)
    if lost:
        return Check("no-loss", "fail", expected, f"{len(lost)} lost: seq {', '.join(map(str, lost[:5]))}")
    open_still = len(facts.missing - spared)
    if open_still > (facts.undelivered or 0):
        return Check("no-loss", "unknown", expected, f"{open_still} were still in flight at the end")
    gone = len(facts.missing & spared)
    observed = f"{len(facts.delivered)} delivered, {gone} of {len(spared)} that were on the wire are lost"
    return Check("no-loss", "pass", expected, observed)


def on_the_wire(facts: Facts) -> frozenset[int]:
    """What was sent over a connection after the last probe that was answered there, when the connection ended.

    After our own Close frame and the peer's, all that had been sent before has arrived.
    """
    unproven: dict[int, int | None] = {}  # seq to the first probe after it, which proves it once answered
    found: set[int] = set()
    for event in facts.history.events:
        if isinstance(event, events.Sent):
            unproven[event.seq] = None
        elif isinstance(event, events.Probed) and event.link == "output":
            for seq, probe in unproven.items():
                unproven[seq] = event.number if probe is None else probe
        elif isinstance(event, events.Answered) and event.link == "output":
            proven = [seq for seq, probe in unproven.items() if probe is not None and probe <= event.number]
            for seq in proven:
                del unproven[seq]
        elif isinstance(event, events.Closed) and event.link == "output":
            farewell = event.by == "tracker" and event.code == 1001
            found.update(() if farewell else unproven)
            unproven.clear()
    return frozenset(found)
