"""What a fault did, read off the record: a run whose fault left no trace proves nothing.                   pure

Where the engine counts what its faults do (`history.Counted`), that is the evidence, and it is exact. Toxiproxy
counts bytes only when a connection ends, so there it is what the two endpoints saw: messages that were sent and
did not arrive in time, round trips that grew, connections that ended.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from statistics import median
from types import MappingProxyType

from chaos.faults import Fault
from chaos.history import Began, Counted, Counts, Healed, History
from simulator import events as peer
from tracker import events

LATE_SHARE = 0.8
"""A latency shows where a round trip reached this much of what was asked for."""
RATE_SLACK = 1.3
"""A bandwidth shows where no more than this multiple of its rate arrived; buffers fill before they throttle."""
BURST_SHARE = 0.5
"""A burst shows where this share of the frames that were asked for went out: a client may be too slow for all."""
HELD_UP = 0.25
"""Seconds: what takes longer than this, was held up. What is merely on its way when a fault ends, was not."""
BAD_MESSAGES = frozenset({"garbage", "huge", "bomb"})
"""Kinds by which the peer sends what no client can use."""
AFTERMATH = 1.0
"""Seconds after a fault in which its end, or a connection that it broke, still counts as its doing."""
SMALLEST_FRAME = 1188
"""Bytes of 33 landmarks, as briefly as JSON can say them."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault was in force, in scenario seconds, and what was counted meanwhile."""

    begin: float
    end: float
    counts: Counts | None = None
    """None: its engine cannot count."""

    def __contains__(self, t: float) -> bool:
        return self.begin <= t < self.end

    def and_after(self, history: History) -> "Window":
        """With its aftermath, but not with the orderly stop, which ends connections for reasons of its own."""
        stopping = history.stopping
        end = self.end + AFTERMATH
        return replace(self, end=end if stopping is None else min(end, stopping))


def windows(history: History, faults: Iterable[Fault]) -> dict[int, Window]:
    """When each fault was in force, by its number; one that never began is left out.

    What is over at once gets its aftermath. What was not healed lasts to the end of the record.
    """
    began = {event.fault: event.t for event in history.of(Began)}
    healed = {event.fault: event.t for event in history.of(Healed)}
    counts = {event.fault: event.counts for event in history.of(Counted)}
    found = {}
    for index, fault in enumerate(faults):
        if index not in began:
            continue
        begin = began[index]
        end = begin + AFTERMATH if fault.duration == 0 else healed.get(index, history.events[-1].t)
        found[index] = Window(begin, end, counts.get(index))
    return found


def evidence(history: History, fault: Fault, during: Window) -> str | None:
    """What `fault` visibly did while it was in force, in a few words; None if nothing shows that it did anything."""
    look = _LOOK.get(fault.kind)
    if look is None:
        return misbehaviour(history, fault, during)
    seen = look(history, fault, during)
    if during.counts is None:
        return seen
    # What the endpoints saw decides nothing then: it may have had another reason. It is told if it says more.
    counted = _counted(fault, during.counts)
    return f"{counted}, {seen}" if counted and seen and look is not _cut else counted


def misbehaviour(history: History, fault: Fault, during: Window) -> str | None:
    """How often the peer did, on the fault's link, the wrong thing it was told to do."""
    times = sum(
        event.kind == fault.kind and event.t in during and fault.on in (None, event.link)
        for event in history.of(peer.Misbehaved)
    )
    return f"the peer did it {times} times" if times else None


def _counted(fault: Fault, counts: Counts) -> str | None:
    """The same in the engine's own figures."""
    ended = "ends of connections delayed" if fault.kind == "slow_close" else "connections ended"
    parts = [
        f"{counts.bytes} bytes {_DONE_TO_BYTES.get(fault.kind, 'touched')}" if counts.bytes else "",
        f"{counts.ends} {ended}" if counts.ends else "",
        f"{len(counts.silenced)} connections fell silent" if counts.silenced else "",
        f"{counts.watched} connections watched, idle for {counts.idle:.2f} s at most"
        if counts.watched
        else "",
        f"{counts.lookups} look-ups answered wrongly, late or not at all" if counts.lookups else "",
        f"{counts.refused} attempts refused" if counts.refused else "",
        f"{counts.unanswered} packets of handshakes lost" if counts.unanswered else "",
        f"{counts.packets} packets lost" if counts.packets else "",
        f"{counts.rejected} packets answered with an error" if counts.rejected else "",
        f"{counts.callbacks} callbacks waited while the loop stood still for {counts.stood:.2f} s"
        if counts.callbacks
        else f"the machine stood still for {counts.stood:.2f} s"
        if counts.stood
        else "",
        f"the wall clock was {abs(counts.stepped):g} s {'fast' if counts.stepped > 0 else 'slow'}, and {counts.looks}"
        " looks were taken at it"
        if counts.stepped
        else "",
    ]
    return ", ".join(filter(None, parts)) or None


_DONE_TO_BYTES: Mapping[str, str] = MappingProxyType(
    {
        "latency": "delayed",
        "bandwidth": "slowed",
        "stall": "lost on the way",
        "timeout": "dropped",
        "blackhole": "dropped",
        "unreachable": "dropped",
        "loss": "lost on the way",
        "slicer": "cut in pieces",
        "cut_after": "lost for their size",
        "rto": "lost on the way",
        "bufferbloat": "that had to queue",
        "half_close": "dropped",
    }
)


# One function a kind of trace that the endpoints see


def _held(history: History, fault: Fault, during: Window) -> str | None:
    """Messages, or probes where only the answers are held, that went in and did not come out in time."""
    what, trips = _trips(history, fault)
    patience = min(HELD_UP, (during.end - during.begin) / 2)
    held = sum(
        left + patience < during.end and (arrived is None or arrived - left > patience)
        for left, arrived in trips
        if left in during
    )
    return f"{held} {what} went in and did not come out in time" if held else None


def _cut(history: History, fault: Fault, during: Window) -> str | None:
    until = during.and_after(history)
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
    until = during.and_after(history)
    trips = [e.rtt for e in history.of(events.Answered) if e.link == fault.on and e.t in until]
    if not trips or max(trips) < LATE_SHARE * asked:
        return None
    return f"round trips took {median(trips):.2f} s at the median, {max(trips):.2f} s at most"


def _throttled(history: History, fault: Fault, during: Window) -> str | None:
    rate = fault.attributes["rate"]
    assert isinstance(rate, int), "the vocabulary says so"
    what, trips = _trips(history, fault)
    longest = max((b - a for a, b in trips if b is not None and a in during and b in during), default=0.0)
    if longest < HELD_UP:
        return None
    slow = f"{what} took up to {longest:.2f} s"
    if what != "messages":  # nobody counts the bytes of the others
        return slow
    # Up to when it was due to heal: what it held is let go while the heal is being carried out.
    end = during.end if fault.duration is None else min(during.end, during.begin + fault.duration)
    arrived = sum(e.size for e in history.of(peer.Delivered) if during.begin <= e.t < end)
    speed = arrived / 1000 / (end - during.begin)
    return f"{speed:.0f} KB/s arrived, {slow}" if speed <= RATE_SLACK * rate else None


def _closed_slowly(history: History, fault: Fault, during: Window) -> str | None:
    """One side learnt of an end so much later than the other, or than the peer had begun to close."""
    delay = fault.attributes["delay"]
    assert isinstance(delay, int), "the vocabulary says so"
    asked = delay / 1000
    until = Window(during.begin, during.end + asked).and_after(history)
    began = {e.connection: e.t for e in history.of(peer.Misbehaved) if e.kind in ("close", "restart")}
    ended = {e.connection: e.t for e in history.of(peer.Ended)}
    closed = {e.connection: e.t for e in history.of(events.Closed) if e.link == fault.on}
    late = []
    for ours, theirs in same_connections(history, fault.on).items():
        times = (began.get(theirs), ended.get(theirs), closed.get(ours))
        known = [t for t in times if t is not None and t in until]
        if len(known) > 1 and max(known) - min(known) >= LATE_SHARE * asked:
            late.append(max(known) - min(known))
    return f"{len(late)} ends were known on both sides only after up to {max(late):.2f} s" if late else None


def _sliced(history: History, fault: Fault, during: Window) -> str | None:
    """Messages that had to be cut passed while it was in force, and as late as the pause between pieces asks.

    Without a pause, pieces are put together again before anybody sees them: then it is known only that the server
    had the toxic, which adding and removing it prove, and that there was something to cut.
    """
    average, variation, delay = (
        fault.attributes[name] for name in ("average_size", "size_variation", "delay")
    )
    assert isinstance(average, int), "the vocabulary says so"
    assert isinstance(variation, int), "the vocabulary says so"
    assert isinstance(delay, int), "the vocabulary says so"
    what, trips = _trips(history, fault)
    least = {"messages": _smallest(history), "frames": _smallest_frame(history)}.get(what, 0)
    pieces = least // (average + variation)
    took = [b - a for a, b in trips if b is not None and a in during and b in during]
    if pieces < 2 or not took or (not delay and fault.toxicity < 1):
        return None
    late = sum(seconds >= LATE_SHARE * (pieces - 1) * delay / 1e6 for seconds in took)
    return f"{late} {what} of {pieces} pieces or more passed, in up to {max(took):.2f} s" if late else None


def _smallest(history: History) -> int:
    if history.role != "tracker":
        return min((event.size for event in history.of(peer.Delivered)), default=0)
    return min((event.size for event in history.of(events.Accepted)), default=0)


def _smallest_frame(history: History) -> int:
    """Of a client that sends frames on, what came is as large as what was offered."""
    return SMALLEST_FRAME if history.role == "tracker" else _smallest(history)


def _hurried(history: History, fault: Fault, during: Window) -> str | None:
    fps = fault.attributes["fps"]
    assert isinstance(fps, int), "the vocabulary says so"
    offered = sum(e.t in during for e in history.of(peer.Offered)) / (during.end - during.begin)
    return f"{offered:.0f} frames a second went out" if offered >= BURST_SHARE * fps else None


def _blocked(history: History, _: Fault, during: Window) -> str | None:
    until = during.and_after(history)  # the loop can say so only when it runs again
    lags = [event.seconds for event in history.of(events.Lagged) if event.t in until]
    return f"the loop stood still for {max(lags):.2f} s" if lags else None


def _not_seen(*_: object) -> None:
    """Only its engine can say that a clock was set."""


_LOOK: Mapping[str, Callable[[History, Fault, Window], str | None]] = MappingProxyType(
    {
        "stall": _held,
        "blackhole": _held,
        "unreachable": _held,
        "loss": _held,
        "timeout": _held,
        "reset_peer": _cut,
        "limit_data": _cut,
        "down": _cut,
        "half_close": _cut,
        "rst_after_rebind": _cut,
        "idle_cut": _cut,
        "dns": _cut,
        "cut_after": _held,
        "rto": _held,
        "bufferbloat": _throttled,
        "latency": _delayed,
        "bandwidth": _throttled,
        "slow_close": _closed_slowly,
        "slicer": _sliced,
        "block_loop": _blocked,
        "suspend": _blocked,
        "clock_step": _not_seen,
        "burst": _hurried,
    }
)


_BACKWARDS: Mapping[str | None, str] = MappingProxyType({"output": "downstream", "input": "upstream"})
"""The direction of each link against which no frames go."""


def _trips(history: History, fault: Fault) -> tuple[str, list[tuple[float, float | None]]]:
    """What travels the way that the fault strikes, its name, and when each left and arrived (None: never).

    Of a client that reports nothing: the frames that it sends on.
    """
    link = fault.on
    if history.role != "tracker":
        what = "messages" if link == "output" else "frames"
        sends_on = history.sends_on and (history.role == "duplex" or fault.direction != _BACKWARDS.get(link))
        return what, _pairs(
            history,
            peer.Offered,
            peer.Delivered,
            lambda e: e.sequence if isinstance(e, peer.Offered) else e.seq,
        ) if sends_on else []
    if link == "output" and fault.direction != _BACKWARDS[link]:
        return "messages", _pairs(history, events.Sent, peer.Delivered, lambda e: e.seq)
    if link == "input" and fault.direction != _BACKWARDS[link]:
        return "frames", _pairs(history, peer.Offered, events.Received, lambda e: e.sequence)
    return "probes", _pairs(
        history, events.Probed, events.Answered, lambda e: e.number if e.link == link else None
    )


def same_connections(history: History, link: str | None) -> dict[int, int]:
    """The client's number of each connection of `link`, and the peer's: the newest that the peer had opened then.

    On real sockets the peer may tell of it a moment later than the client. Where the client tells of none, the peer's
    numbers are the only ones.
    """
    if history.role != "tracker":
        return {e.connection: e.connection for e in history.of(peer.Opened) if e.link == link}
    found: dict[int, int] = {}
    theirs = [(e.t, e.connection) for e in history.of(peer.Opened) if e.link == link]
    after = 0  # the first that is no earlier connection of the client's
    for event in history.of(events.Connected):
        if event.link != link:
            continue
        opened = bisect_right(theirs, event.t, lo=after, key=itemgetter(0))
        if opened == after and after < len(theirs) and theirs[after][0] <= event.t + HELD_UP:
            opened += 1
        if opened > after:
            found[event.connection] = theirs[opened - 1][1]
            after = opened
    return found


def _pairs(
    history: History, leaving: type, arriving: type, number: Callable[..., int | None]
) -> list[tuple[float, float | None]]:
    """One entry for each departure; one that came again while it was on its way is two."""
    under_way: dict[int, float] = {}
    found: list[tuple[float, float | None]] = []
    for event in history.events:
        kind = type(event)
        if kind is leaving:
            key = number(event)
            if key is not None:
                if key in under_way:
                    found.append((under_way[key], None))
                under_way[key] = event.t
        elif kind is arriving:
            key = number(event)
            if key is not None and key in under_way:
                found.append((under_way.pop(key), event.t))
    return found + [(left, None) for left in under_way.values()]
