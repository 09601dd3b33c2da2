"""What a fault did, read off the record: a run whose fault left no trace proves nothing.                   pure

Toxiproxy counts bytes only when a connection ends, so evidence is what the two endpoints saw: messages that were
sent and did not arrive, round trips that grew, connections that ended.
"""

from dataclasses import dataclass
from statistics import median

from chaos.faults import Fault
from chaos.history import Began, Healed, History
from simulator import events as peer
from tracker import events

LATE_SHARE = 0.8
"""A latency shows where a round trip reached this much of what was asked for."""
RATE_SLACK = 1.3
"""A bandwidth shows where no more than this multiple of its rate arrived; buffers fill before they throttle."""
HELD_UP = 0.25
"""Seconds: and where messages took longer than this."""
AFTERMATH = 1.0
"""Seconds after a fault in which its end, or a connection that it broke, still counts as its doing."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault was in force, in scenario seconds."""

    begin: float
    end: float

    def __contains__(self, t: float) -> bool:
        return self.begin <= t < self.end


def window(history: History, index: int, fault: Fault) -> Window | None:
    """When fault `index` was in force; None if it never began."""
    began = history.first(Began, lambda event: event.fault == index)
    if began is None:
        return None
    if fault.duration == 0:
        return Window(began.t, began.t + AFTERMATH)
    healed = history.first(Healed, lambda event: event.fault == index)
    end = healed.t if healed is not None else history.events[-1].t
    return Window(began.t, end)


def evidence(history: History, index: int, fault: Fault) -> str | None:
    """What fault `index` visibly did, in a few words; None if nothing shows that it did anything."""
    during = window(history, index, fault)
    if during is None:
        return None
    if fault.spec.where == "peer":
        return misbehaviour(history, fault.kind, during)
    match fault.kind:
        case "stall" | "blackhole" | "timeout":
            return _held(history, fault, during)
        case "reset_peer" | "limit_data" | "down":
            return _cut(history, fault, during)
        case "latency":
            return _delayed(history, fault, during)
        case "bandwidth":
            return _throttled(history, fault, during)
        case "block_loop":
            lags = [event.seconds for event in history.of(events.Lagged) if event.t in during]
            return f"the loop stood still for {max(lags):.2f} s" if lags else None
    return None


def misbehaviour(history: History, kind: str, during: Window) -> str | None:
    """How often the peer did the wrong thing it was told to do."""
    times = sum(event.kind == kind and event.t in during for event in history.of(peer.Misbehaved))
    return f"the peer did it {times} times" if times else None


def _held(history: History, fault: Fault, during: Window) -> str | None:
    """Messages, or probes where only the answers are held, that went in and did not come out."""
    if fault.on == "output" and fault.direction != "downstream":
        sent = {event.seq for event in history.of(events.Sent) if event.t in during}
        arrived = {event.seq for event in history.of(peer.Delivered) if event.t in during}
        held, what = len(sent - arrived), "messages"
    elif fault.on == "input" and fault.direction != "upstream":
        offered = {event.sequence for event in history.of(peer.Offered) if event.t in during}
        received = {event.sequence for event in history.of(events.Received) if event.t in during}
        held, what = len(offered - received), "frames"
    else:
        probes = {e.number for e in history.of(events.Probed) if e.link == fault.on and e.t in during}
        answers = {e.number for e in history.of(events.Answered) if e.link == fault.on and e.t in during}
        held, what = len(probes - answers), "probes"
    return f"{held} {what} went in and did not come out" if held else None


def _cut(history: History, fault: Fault, during: Window) -> str | None:
    until = Window(during.begin, during.end + AFTERMATH)
    cut = sum(e.link == fault.on and e.t in until for e in history.of(events.Closed))
    seen = sum(e.link == fault.on and e.t in until and e.by != "peer" for e in history.of(peer.Ended))
    refused = sum(e.link == fault.on and e.t in until for e in history.of(events.Refused))
    if not (cut or seen or refused):
        return None
    return f"{max(cut, seen)} connections ended, {refused} attempts refused"


def _delayed(history: History, fault: Fault, during: Window) -> str | None:
    latency = fault.attributes["latency"]
    assert isinstance(latency, int), "the vocabulary says so"
    asked = latency / 1000 * (2 if fault.direction == "both" else 1)
    trips = [e.rtt for e in history.of(events.Answered) if e.link == fault.on and e.t in during]
    if not trips or max(trips) < LATE_SHARE * asked:
        return None
    return f"round trips took {median(trips):.2f} s at the median, {max(trips):.2f} s at most"


def _throttled(history: History, fault: Fault, during: Window) -> str | None:
    rate = fault.attributes["rate"]
    assert isinstance(rate, int), "the vocabulary says so"
    sent: dict[int, float] = {}
    arrived = 0
    longest = 0.0
    for event in history.events:
        if isinstance(event, events.Sent) and event.t in during:
            sent[event.seq] = event.t
        elif isinstance(event, peer.Delivered) and event.t in during:
            arrived += event.size
            longest = max(longest, event.t - sent.get(event.seq, event.t))
    speed = arrived / 1000 / (during.end - during.begin)
    if longest < HELD_UP or speed > RATE_SLACK * rate:
        return None
    return f"{speed:.0f} KB/s arrived, a message took up to {longest:.2f} s"
