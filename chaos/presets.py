"""Networks that a whole run can lie on, by name, with figures from published sources.                      pure

A preset is made of ordinary faults on both links, in force from before the client starts until the run ends. The
client must live with them: they excuse no lost connection, and what they add to a scenario's thresholds follows from
their figures. Each link has the preset's rates for itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from math import inf
from types import MappingProxyType

from chaos.faults import Fault
from chaos.kinds import LINKS, Direction, Link
from simulator.garbage import LARGEST
from tracker.config import OutboxLimits

HEALTHY_ROUND_TRIP = 3.0
"""Seconds. No promise covers a link that is slower than this."""
BULK_WITHIN = 1.0
"""Seconds that one message may occupy a link; what takes longer starves the frames behind it."""
RTO_MIN = 0.2
"""Seconds that Linux's TCP waits beyond a round trip before it sends again, at least."""
QUEUE = 160
"""KB that a write buffer and a kernel hold for a link that is slower than its writer."""
OUTPUT_SIZE = 5.8
"""KB of an output of a generated climb."""


@dataclass(frozen=True, slots=True)
class Stalls:
    """Times in which nothing passes, on each link for itself: what packet loss is inside a TCP stream. Seconds."""

    shortest: float
    longest: float
    apart: tuple[float, float]
    """From the end of one to the begin of the next, at least and at most."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of network. Latency and jitter are of one direction, in ms; rates are KB/s, None where none matters."""

    about: str
    source: str
    """Whose figures they are, or why they are what they are."""
    latency: int
    jitter: int
    down: int | None = None
    up: int | None = None
    stalls: Stalls | None = None
    pace: float = 1.0
    """The share of a generated workload that such a link can carry, with room to catch up after an outage. Frames,
    bursts and the scenario's own limits of rate go down by it, so that their ratios stay."""

    @property
    def round_trip(self) -> float:
        """The longest, in seconds: stalls are so far apart that one round trip meets one of them at most.

        TCP tries again an RTO after the first loss, and then after twice as long each time: it notices the end of a stall
        after twice its length and an RTO at most.
        """
        way_and_back = 2 * (self.latency + self.jitter) / 1000
        stall = 0.0 if self.stalls is None else 2 * self.stalls.longest + RTO_MIN + way_and_back
        return way_and_back + stall

    @property
    def adds_to_detection(self) -> float:
        """Seconds: what was on its way when a link fell silent still arrives."""
        return self.round_trip

    @property
    def adds_to_recovery(self) -> float:
        """Seconds, to the recovery and to the longest silence: a handshake, and one direction on each link."""
        return 2 * self.round_trip

    def faults(self, duration: float, seed: int) -> tuple[Fault, ...]:
        """What it does to a run of `duration` seconds. Of chance only the stalls, and the seed decides those."""
        return tuple(fault for link in LINKS for fault in self._on(link, duration, seed))

    def _on(self, link: Link, duration: float, seed: int) -> Iterator[Fault]:
        yield Fault("latency", 0.0, None, link, attributes={"latency": self.latency, "jitter": self.jitter})
        rates: tuple[tuple[Direction, int | None], ...] = (("upstream", self.up), ("downstream", self.down))
        for direction, rate in rates:
            if rate is not None:
                yield Fault("bandwidth", 0.0, None, link, direction, attributes={"rate": rate})
        if self.stalls is None:
            return
        at, number = 0.0, 0
        while True:
            at += _between(*self.stalls.apart, seed, link, number, "apart")
            lasts = _between(self.stalls.shortest, self.stalls.longest, seed, link, number, "lasts")
            if at + lasts >= duration:
                return
            yield Fault("stall", at, lasts, link)
            at, number = round(at + lasts, 3), number + 1

    def at_its_pace(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """A scenario's own faults, those that count something per second slowed down with its frames."""
        return tuple(self._slowed(fault) for fault in faults)

    def _slowed(self, fault: Fault) -> Fault:
        counted = {"burst": ("fps",), "bandwidth": ("rate",), "bufferbloat": ("rate", "buffer")}
        slower = {name: max(1, round(fault.number(name) * self.pace)) for name in counted.get(fault.kind, ())}
        if not slower or self.pace == 1:
            return fault
        return replace(fault, attributes={**fault.attributes, **slower})

    def conflict(self, faults: Iterable[Fault], *, duration: float, fps: float) -> str | None:
        """Why a scenario with these faults shows nothing about a client on such a network; None if it does.

        `duration` is the run's, in seconds, and `fps` the rate of its workload before it is slowed down; 0: unknown.
        """
        faults = tuple(faults)
        return (
            self._too_slow(faults)
            or self._starved(faults)
            or self._too_bulky(faults)
            or self._too_narrow(faults, duration, fps)
        )

    def _too_slow(self, faults: tuple[Fault, ...]) -> str | None:
        slowest = max((_added(faults, fault) for fault in faults), default=0.0) + self.round_trip
        if slowest >= HEALTHY_ROUND_TRIP and slowest > self.round_trip:
            return (
                f"with its latency a round trip takes up to {slowest:.2f} s, and a link is promised to live only"
                f" below {HEALTHY_ROUND_TRIP:g} s"
            )
        return None

    def _starved(self, faults: tuple[Fault, ...]) -> str | None:
        for fault in self.at_its_pace(faults):
            rate = fault.attributes.get("rate")
            if not isinstance(rate, int):
                continue
            if OUTPUT_SIZE / rate > BULK_WITHIN:
                return f"at its pace {fault} carries an output in {OUTPUT_SIZE / rate:.1f} s, and no probe meanwhile"
            if self.stalls is not None and QUEUE / rate > HEALTHY_ROUND_TRIP:
                return f"what a stall loses is sent again behind all that waits for {fault}, {QUEUE / rate:.0f} s"
        return None

    def _too_bulky(self, faults: tuple[Fault, ...]) -> str | None:
        takes = 0.0 if self.down is None else LARGEST / 1000 / self.down
        bulky = any(
            fault.kind == "huge" or (fault.kind == "garbage" and "too-large" in fault.bad_messages)
            for fault in faults
        )
        if bulky and takes > BULK_WITHIN:
            return f"its messages that are too large take up to {takes:.0f} s each, and no frame passes meanwhile"
        return None

    def _too_narrow(self, faults: tuple[Fault, ...], duration: float, fps: float) -> str | None:
        """What an outage leaves in a full outbox must have time to go up, beside what comes anew."""
        if self.up is None:
            return None
        fresh = fps * self.pace * OUTPUT_SIZE
        for fault in faults:
            if fault.heals_at is None or not fault.severs or fault.on == "input":
                continue
            waiting = min(OutboxLimits().messages, (fault.duration or 0.0) * fps * self.pace)
            takes = inf if self.up <= fresh else waiting * OUTPUT_SIZE / (self.up - fresh)
            if takes > duration - fault.heals_at:
                return (
                    f"after {fault} some {waiting:.0f} outputs wait, for which the way up takes {takes:.0f} s,"
                    " and the run ends sooner"
                )
        return None


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "3g": Preset(
            "Mobile data without LTE: a third of a second a round trip, and a narrow way up.",
            "WebPageTest's profile 3G: 300 ms, 1.6 Mbit/s down, 768 kbit/s up. The jitter is the scheduler's, tens of"
            " ms. Outputs at 30 fps need 175 KB/s: at a fifth of that, two thirds of the way up stay free.",
            latency=150,
            jitter=30,
            down=200,
            up=96,
            pace=0.2,
        ),
        "lte": Preset(
            "Mobile data as it mostly is.",
            "WebPageTest's profile LTE: 70 ms. Its 12 Mbit/s are eight times what a wall needs, so no rate is set."
            " The jitter is the time until a cell grants the way up, some 10 ms.",
            latency=35,
            jitter=15,
        ),
        "venue-wifi": Preset(
            "The Wi-Fi of a full hall: fast, and never twice the same.",
            "An access point's few ms (Firefox's profile Wi-Fi says 2), and tens while a hall full of phones competes for"
            " the air. Its rate is far above a wall's need.",
            latency=20,
            jitter=10,
        ),
        "satellite": Preset(
            "A geostationary satellite: more than half a second a round trip, whoever hurries.",
            "Four times 35,786 km at the speed of light are 477 ms; the rest is coding and the grant of a slot. 3"
            " Mbit/s up, with 25 down, is the broadband that the FCC asked for from 2015 to 2024.",
            latency=280,
            jitter=10,
            up=375,
        ),
        "lossy-wifi": Preset(
            "Wi-Fi that loses packets: inside a TCP stream a loss shows as a stall.",
            "As venue-wifi. A stall lasts from what an access point's own repetitions take to a TCP time-out (RFC 6298;"
            " 200 ms at least on Linux) and the next one, cut short by a packet that comes through.",
            latency=20,
            jitter=10,
            stalls=Stalls(shortest=0.1, longest=0.5, apart=(3.0, 9.0)),
        ),
    }
)
"""All of them, by the names that users write."""


def _between(least: float, most: float, *of: object) -> float:
    """A number that `of` decides, the same in every process; rounded to the millisecond."""
    drawn = int.from_bytes(sha256(repr(of).encode()).digest()[:8], "big") / 2**64
    return round(least + (most - least) * drawn, 3)


def _added(faults: tuple[Fault, ...], begun: Fault) -> float:
    """Seconds that the latencies in force when `begun` begins add to a round trip on its link."""
    total = 0.0
    for fault in faults:
        latency, jitter = fault.attributes.get("latency", 0), fault.attributes.get("jitter", 0)
        lasting = fault.at <= begun.at and (fault.heals_at is None or begun.at < fault.heals_at)
        if fault.kind == "latency" and fault.on == begun.on and lasting:
            assert isinstance(latency, int), "the vocabulary says so"
            assert isinstance(jitter, int), "the vocabulary says so"
            total += (latency + jitter) / 1000 * (2 if fault.direction == "both" else 1)
    return total
