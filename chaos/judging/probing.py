"""Probes, held to their own rules: when the next one goes, and how long each may go unanswered.                  pure

A probe goes every `probe_interval`; every `barrier_interval` while messages wait for the confirm that it brings, or while
an answer is overdue; and after every 32 KiB sent. A link is suspect no sooner than the time-out of RFC 6298 after the first
unanswered probe, or the last answer, and dead no sooner than twice as long after that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from statistics import median

from chaos.judging.evidence import AFTERMATH
from chaos.judging.facts import ON_TIME, Facts
from chaos.judging.verdicts import Check
from chaos.scenario import Scenario
from tracker import events

BURST = 32_768
"""Bytes sent after which a probe follows, whatever the time."""
UNANSWERED_AT_MOST = 256
"""Probes of one connection."""
LATE = 0.3
"""Seconds by which probes may be late, at the median of one kind: a busy machine is late now and then."""
_BARELY = 0.01
"""Seconds by which the client may have computed a deadline otherwise."""
_TELL = (
    events.Stopping,
    events.Connected,
    events.Sent,
    events.Confirmed,
    events.Probed,
    events.Answered,
    events.Lagged,
    events.Suspected,
    events.Revived,
    events.Died,
)
EXPECTED = "probes at their pace, and no deadline before its time"


def probes(facts: Facts, scenario: Scenario) -> Check | None:
    """Of every connection. What strikes the output may keep a probe waiting for room, and then its pace says nothing."""
    history = facts.history
    timing = history.settings.get("timing", {})
    if not {"probe_interval", "barrier_interval", "probe_floor", "probe_ceiling"} <= timing.keys():
        return None
    sizes = {event.seq: event.size for event in history.of(events.Accepted)}
    held = {(e.link, e.connection) for e in history.of(events.Carried) if e.held}
    links: dict[str, _Probing] = {}
    late: dict[str, list[float]] = {}
    for event in history.among(*_TELL):
        if isinstance(event, events.Stopping):
            break
        if isinstance(event, events.Connected):
            links[event.link] = _Probing(event.link, timing, history.settings["confirm"], event.t)
            links[event.link].measures = (event.link, event.connection) not in held
            continue
        if isinstance(event, events.Sent | events.Confirmed):
            link = links.get("output")
        else:
            link = links.get(getattr(event, "link", ""))
        if link is None:
            continue
        if isinstance(event, events.Probed) and not (
            event.link == "output" and _hindered(facts, scenario, link.last, event.t)
        ):
            kind, due = link.due()
            late.setdefault(kind, []).append(event.t - due)
        wrong = link.takes(event, sizes)
        if wrong is not None:
            return Check("probes", "fail", EXPECTED, f"{wrong} on {link.name} at {event.t:.1f} s")
    for kind, some in late.items():
        if len(some) > 1 and median(some) > LATE:
            observed = f"{len(some)} probes {kind} were {median(some):.2f} s late at the median"
            return Check("probes", "fail", EXPECTED, observed)
    if (unsaid := _stall_not_told(facts, timing["probe_interval"])) is not None:
        return Check("probes", "fail", EXPECTED, unsaid)
    total = sum(map(len, late.values()))
    return Check("probes", "pass", EXPECTED, f"{total} probes") if total else None


def _stall_not_told(facts: Facts, wakes_within: float) -> str | None:
    """A stall of the client's loop of which one of its connections did not say how long it was.

    What watches a connection may sleep when the stall begins, for `wakes_within` seconds at most, and does not miss those.
    """
    told = list(facts.history.of(events.Lagged))
    for fault, during in facts.in_force:
        least = during.end - during.begin - wakes_within - LATE
        if fault.kind != "block_loop" or least <= 0 or during.end + AFTERMATH > facts.stopping:
            continue
        for connection in facts.connections:
            link, closed = connection.link, connection.closed
            lasted = connection.opened < during.begin and (
                closed is None or closed.t > during.end + AFTERMATH
            )
            after = [
                e.seconds
                for e in told
                if e.link == link and during.end <= e.t + ON_TIME <= during.end + AFTERMATH
            ]
            if lasted and max(after, default=0.0) < least:
                return f"its loop stood still for {during.end - during.begin:.1f} s at {during.begin:.1f} s, untold on {link}"
    return None


def _hindered(facts: Facts, scenario: Scenario, begin: float, end: float) -> bool:
    return scenario.network is not None or any(
        fault.on in (None, "output") and during.begin <= end and during.end > begin
        for fault, during in facts.in_force
    )


@dataclass(slots=True)
class _Probing:
    """One connection as its client must see it, if it keeps the rules."""

    name: events.LinkName
    timing: Mapping[str, float]
    confirm: str
    last: float
    """When the last probe went; before the first, when it opened."""
    newest: int | None = None
    answered: int = 0
    unprobed: int = 0
    """Bytes sent since the last probe, where a probe confirms them."""
    unprobed_since: float = inf
    told: bool = False
    """Whether the client says that it is suspect."""
    suspected: float = inf
    """When it said so, while an answer is overdue."""
    since: float = inf
    """Since when an answer is due; infinite: none is."""
    deadline: float = inf
    """No verdict comes before this. What arrives may move it on, and nothing moves it back."""
    measures: bool = True
    """Whether each round trip counts; those that waited because the client did not read, on purpose, do not."""
    smoothed: float | None = None
    variation: float = 0.0
    measured: float = -inf
    """When the last answer came."""
    kept: tuple[float | None, float] = (None, 0.0)
    """What was measured before the answers that came together with it."""

    def due(self) -> tuple[str, float]:
        """Why the next probe goes, and when."""
        quick = self.last + self.timing["barrier_interval"]
        dues = {
            "while nothing waited": self.last + self.timing["probe_interval"],
            "while messages waited for a confirm": max(quick, self.unprobed_since),
            "while an answer was overdue": max(quick, self.suspected),
        }
        if self.unprobed >= BURST:
            dues["after 32 KiB"] = inf
            return "after 32 KiB", inf
        kind = min(dues, key=lambda kind: dues[kind])
        return kind, dues[kind]

    def takes(self, event: object, sizes: Mapping[int, int]) -> str | None:
        """Follow one event of its link; returns what is wrong with it."""
        match event:
            case events.Sent(t=t, seq=seq) if self.confirm == "pong":
                if self.unprobed >= BURST:
                    return f"seq {seq} was sent, and no probe after the {self.unprobed} bytes before it"
                self.unprobed += sizes.get(seq, 0)
                self.unprobed_since = min(self.unprobed_since, t)
            case events.Probed(t=t, number=number):
                return self._probed(t, number)
            case events.Answered(t=t, number=number, rtt=rtt) if number > self.answered:
                self.answered = number
                self._sample(rtt, t)
                self._proven(t)
            case events.Confirmed(t=t) if self.confirm == "ack":
                self._proven(t)
            case events.Lagged(t=t, seconds=seconds) if self.since < inf:
                missed = min(
                    seconds, max(0.0, t - self.since)
                )  # what was awaited only since then has missed no more
                self.since += missed
                self.deadline += missed
            case events.Suspected(t=t):
                return self._suspected(t)
            case events.Revived():
                return self._revived()
            case events.Died(t=t, silence=silence) if self.suspected < inf:
                # A write buffer that takes nothing is another reason.
                if t < self.deadline - _BARELY and silence < self.timing.get("write_timeout", inf):
                    return f"given up {self.deadline - t:.2f} s before the second deadline"
            case _:
                pass
        return None

    def _probed(self, t: float, number: int) -> str | None:
        if self.newest is None:
            self.answered = number - 1
        self.newest, self.last = number, t
        self.unprobed, self.unprobed_since = 0, inf
        if self.since == inf:
            self._wait_from(t)
        if number - self.answered > UNANSWERED_AT_MOST:
            return f"{number - self.answered} probes were on their way"
        return None

    def _suspected(self, t: float) -> str | None:
        if self.told:
            return "suspected again, and not cleared in between"
        if self.since == inf:
            return "suspected with no probe on its way"
        if t < self.deadline - _BARELY:
            return f"suspected {self.deadline - t:.2f} s before the first deadline"
        self.told, self.suspected = True, t
        self.deadline = min(self.deadline + 2 * self._patience(), self.since + self.timing["probe_ceiling"])
        return None

    def _revived(self) -> str | None:
        if not self.told:
            return "cleared, and it was not suspected"
        self.told = False
        if (
            self.suspected < inf
        ):  # without an answer: it does not read, on purpose, and then nobody knows its deadline
            self.suspected, self.deadline = inf, -inf
        return None

    def _sample(self, rtt: float, t: float) -> None:
        """Of answers that come within a tenth of `barrier_interval` of each other the last alone is a measure."""
        if t - self.measured > self.timing["barrier_interval"] / 10:
            self.kept = self.smoothed, self.variation
        self.measured = t
        self.smoothed, self.variation = self.kept
        if self.smoothed is None:
            self.smoothed, self.variation = rtt, rtt / 2
        else:
            self.variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - rtt)
            self.smoothed = 0.875 * self.smoothed + 0.125 * rtt

    def _patience(self) -> float:
        smoothed = self.smoothed if self.measures else None
        timeout = 0.0 if smoothed is None else smoothed + 4 * self.variation
        return min(max(timeout, self.timing["probe_floor"]), self.timing["probe_ceiling"] / 3)

    def _proven(self, t: float) -> None:
        self.suspected = self.since = self.deadline = inf
        if self.newest is not None and self.answered < self.newest:
            self._wait_from(t)

    def _wait_from(self, t: float) -> None:
        self.since = t
        self.deadline = t + self._patience()
