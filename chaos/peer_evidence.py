"""What a fault did, where the client reports nothing and its probes are unknown.                              pure"""

from itertools import chain

from chaos.evidence import HELD_UP, LATE_SHARE, Window
from chaos.facts import Facts
from chaos.faults import Fault
from simulator import events as peer


def peer_evidence(facts: Facts, fault: Fault, during: Window) -> str | None:
    """What the peer saw of `fault`, in a few words; None if nothing shows. Beside `chaos.evidence`."""
    if fault.kind == "latency":
        return _delayed(facts, fault, during)
    if fault.spec.severs:
        return _ended(facts, fault, during)
    return None


def _delayed(facts: Facts, fault: Fault, during: Window) -> str | None:
    """Frames that took as long, from the feed to the sink, as one direction of the fault's link does."""
    latency = fault.attributes["latency"]
    assert isinstance(latency, int), "the vocabulary says so"
    offered = {event.sequence: event.t for event in facts.history.of(peer.Offered) if event.t in during}
    trips = (event.t - offered.get(event.seq, event.t) for event in facts.deliveries)
    longest = max(chain(trips, [0.0]))
    asked = max(HELD_UP, LATE_SHARE * latency / 1000)
    return f"frames took up to {longest:.2f} s through the client" if longest >= asked else None


def _ended(facts: Facts, fault: Fault, during: Window) -> str | None:
    until = during.and_after(facts.history)
    ended = sum(
        event.link == fault.on and event.t in until and event.by != "peer"
        for event in facts.history.of(peer.Ended)
    )
    return f"{ended} connections ended" if ended else None
