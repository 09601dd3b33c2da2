"""What a fault did, where the client reports nothing and its probes are unknown.                              pure"""

from itertools import chain, pairwise
from statistics import median

from chaos.faults import Fault
from chaos.history import Attempted
from chaos.judging.evidence import HELD_UP, LATE_SHARE, Window
from chaos.judging.facts import Facts
from simulator import events as peer


def peer_evidence(facts: Facts, fault: Fault, during: Window) -> str | None:
    """What the peer saw of `fault`, in a few words; None if nothing shows. Beside `chaos.judging.evidence`."""
    if fault.kind == "latency":
        return _delayed(facts, fault, during) or _paused(facts, fault, during)
    if fault.severs:
        return _ended(facts, fault, during) or _refused(facts, fault, during) or _paused(facts, fault, during)
    return None


def _paused(facts: Facts, fault: Fault, during: Window) -> str | None:
    """Messages of a client that sends by itself stayed away for as long as the fault asks, as they never had before it.

    Of one that sends on what it reads, the frames tell more.
    """
    if facts.history.numbering == "relayed" or fault.on != "output" or fault.direction == "downstream":
        return None
    times = [event.t for event in facts.deliveries]
    gaps = [(begin, end) for begin, end in pairwise(times)]
    before = max((end - begin for begin, end in gaps if end <= during.begin), default=0.0)
    until = during.and_after(facts.history).end
    longest = max((end - begin for begin, end in gaps if begin < until and end > during.begin), default=0.0)
    latency = fault.attributes.get("latency", 0)
    assert isinstance(latency, int), "the vocabulary says so"
    asked = max(HELD_UP, LATE_SHARE * latency / 1000, 2 * before)
    return f"no message came for {longest:.2f} s" if before and longest >= asked else None


def slow_throughout(facts: Facts, seconds: float) -> str | None:
    """The trace of delays on both links all along: frames took as long as `seconds` through the client, as a rule.

    What a busy machine does is no rule, so this needs no margin.
    """
    offered = _offers(facts)
    trips = [event.t - offered[event.seq] for event in facts.deliveries if event.seq in offered]
    if not trips or median(trips) < LATE_SHARE * seconds:
        return None
    return f"frames took {median(trips):.2f} s through the client at the median"


def _offers(facts: Facts) -> dict[int, float]:
    """When each frame was offered that the client sends on under its number, the last time."""
    if not facts.history.sends_on:
        return {}
    return {event.sequence: event.t for event in facts.history.of(peer.Offered)}


def _delayed(facts: Facts, fault: Fault, during: Window) -> str | None:
    """Frames that took as long, from the feed to the sink, as one direction of the fault's link does."""
    latency = fault.attributes["latency"]
    assert isinstance(latency, int), "the vocabulary says so"
    offered = {sequence: t for sequence, t in _offers(facts).items() if t in during}
    trips = (event.t - offered.get(event.seq, event.t) for event in facts.deliveries)
    longest = max(chain(trips, [0.0]))
    asked = max(HELD_UP, LATE_SHARE * latency / 1000)
    return f"frames took up to {longest:.2f} s through the client" if longest >= asked else None


def _refused(facts: Facts, fault: Fault, during: Window) -> str | None:
    """Attempts while no proxy took a connection, where those are seen."""
    if fault.kind != "down" or facts.history.sockets_seen != "all":
        return None
    refused = sum(event.link == fault.on and event.t in during for event in facts.history.of(Attempted))
    return f"{refused} attempts refused" if refused else None


def _ended(facts: Facts, fault: Fault, during: Window) -> str | None:
    until = during.and_after(facts.history)
    ended = sum(
        event.link == fault.on and event.t in until and event.by != "peer"
        for event in facts.history.of(peer.Ended)
    )
    return f"{ended} connections ended" if ended else None
