"""Which worlds are fair: those that a client can be held to.                                                 pure

A network that stays broken owes nobody a delivery, and neither does one that carries less than is sent. So a hunt runs only
worlds in which

- every fault ends, and all is well for long enough before the run does: `quiet_after` says how long that is;
- while a fault lasts that may cost no connection, each link still carries `HEADROOM` times what the workload sends, with a
  round trip below `HEALTHY_ROUND_TRIP`;
- the in-flight window takes twice what the workload sends from one confirm to the next;
- nothing that the peer does is final: no refusal that says "never", and no stop.

What breaks a promise in such a world is the client's doing, or the judge's mistake, and both are findings.
"""

from collections.abc import Iterator

from chaos.faults import Fault
from chaos.judging.attempts import FOR_GOOD
from chaos.judging.limits import detection_limit
from chaos.kinds import LINKS
from chaos.presets import HEALTHY_ROUND_TRIP
from chaos.scenario import Scenario
from tracker.config import OutboxLimits, Timing

_PAUSES = ("pause_output", "resume_output")
HEADROOM = 4.0
"""Times what is sent that a link must carry: what waited is sent as well, and must be on its way in time."""
FRAME_KB = 1.8
"""KB of one lean frame with its headers; an output is smaller."""
CLIMB_KB = 6.0
"""The same of a climb's, of which an output has up to 5.8."""
QUICK = 0.02
"""Seconds of a round trip without any fault."""
CATCHING_UP = 6.0
"""Seconds in which what waited is delivered, once both links are back."""


def quiet_after(scenario: Scenario) -> float:
    """Seconds without any fault at the end of a run, after which nothing excuses a client that is not back.

    Noticing that a link is dead, or a handshake that hung when the path healed; then the longest delay before the next
    attempt, the wait that a refusal asked for, and what waited meanwhile.
    """
    return recovered_within(scenario) + CATCHING_UP


def recovered_within(scenario: Scenario) -> float:
    """Seconds from the last heal in which a client must carry again whose own delays nobody knows: it may have those of the
    tracker.
    """
    timing = Timing(**scenario.client.timing)
    asked = max((_asked_to_wait(fault) for fault in scenario.faults), default=0.0)
    return max(detection_limit(scenario), timing.open_timeout) + timing.reconnect_cap + asked


def _asked_to_wait(fault: Fault) -> float:
    value = fault.attributes.get("retry_after", 0)
    return float(value) if isinstance(value, int) else 0.0


def unfair(scenario: Scenario) -> str | None:
    """Why nobody can be held to this world; None: it is fair."""
    return next(_why_unfair(scenario), None)


def last_moment(scenario: Scenario) -> float:
    """When the last thing happens in it that is no part of the workload's daily round: a heal, a control, a reset."""
    moments = [fault.at + (fault.duration or 0.0) for fault in scenario.faults]
    moments += [control.at for control in scenario.controls]
    moments += scenario.workload.reset_at
    return max(moments, default=0.0)


def _why_unfair(scenario: Scenario) -> Iterator[str]:
    if any(fault.heals_at is None for fault in scenario.faults):
        yield "a fault lasts until the end"
    last = last_moment(scenario)
    if scenario.duration - last < quiet_after(scenario):
        yield f"all is well for {scenario.duration - last:g} s at the end, not for {quiet_after(scenario):g}"
    if any(control.stops for control in scenario.controls):
        yield "the client is told to stop"
    told = [control.message.kind for control in scenario.controls if control.message.kind in _PAUSES]
    if told[-1:] == ["pause_output"]:
        yield "the client is told to send nothing, and never to send again"
    for fault in scenario.faults:
        if fault.attributes.get("status") in FOR_GOOD:
            yield f"{fault}: a refusal for good"
    if (most := _window(scenario)) < 2 * scenario.workload.fps:
        yield f"the in-flight window lets {most:g} messages a second through, and {scenario.workload.fps:g} are sent"
    for link in LINKS:
        yield from _too_slow(scenario, link)


def _too_slow(scenario: Scenario, link: str) -> Iterator[str]:
    """At each moment at which a fault begins, all that slows this link then."""
    slowing = [fault for fault in scenario.faults if fault.on == link and not fault.severs]
    for fault in slowing:
        together = [
            other
            for other in slowing
            if other.at <= fault.at and (other.heals_at is None or other.heals_at > fault.at)
        ]
        if sum(map(_round_trip, together)) >= HEALTHY_ROUND_TRIP * 0.8:
            yield f"{fault}: round trips are no longer healthy"
        sent = _sent(scenario, fault.at)
        for other in together:
            if (rate := _carries(other)) is not None and rate < HEADROOM * sent:
                yield f"{other}: it carries {rate:g} KB/s, and {sent:g} are sent"


def _window(scenario: Scenario) -> float:
    """Messages a second that the in-flight window lets through on a quick network."""
    limits = OutboxLimits(**scenario.client.outbox)
    timing = Timing(**scenario.client.timing)
    size = 1000 * (FRAME_KB if scenario.workload.kind == "lean" else CLIMB_KB)
    window = max(1, min(limits.window_messages, limits.window_bytes // size))
    if scenario.client.overflow == "block":  # what is held until it is confirmed takes the next one's place
        window = min(window, limits.messages)
    return window / (QUICK if scenario.client.confirm == "ack" else timing.barrier_interval + QUICK)


def _round_trip(fault: Fault) -> float:
    """Seconds that it adds, at most."""
    ways = 2 if fault.direction == "both" else 1
    if fault.kind == "latency":
        return ways * (fault.number("latency") + fault.number("jitter")) / 1000
    return 0.0


def _carries(fault: Fault) -> float | None:
    """KB/s that it lets through; None: it limits no rate."""
    if fault.kind == "bandwidth":
        return float(fault.number("rate"))
    if fault.kind == "slicer" and (pause := fault.number("delay")):
        return max(1, fault.number("average_size")) * 1000 / pause
    return None


def _sent(scenario: Scenario, at: float) -> float:
    """KB/s at that moment, one way."""
    fps = scenario.workload.fps
    for fault in scenario.faults:
        if fault.kind == "burst" and fault.at <= at and (fault.heals_at or at) >= at:
            fps = max(fps, fault.number("fps"))
    return fps * (FRAME_KB if scenario.workload.kind == "lean" else CLIMB_KB)
