"""One ordered record of a run: what the client reported, what the peer saw, what was done to the link.    pure

Times are scenario seconds from the run's begin, whatever clock the engine ran on. Nothing else about a run is
judged: a check that needs a fact needs it here.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import msgspec

from chaos.answer import Answer
from simulator.events import AnyPeerEvent, PeerEvent, PeerLink
from tracker.events import AnyEvent, Event, Stopping

SCHEMA = "simtool.history/2"

Role = Literal["tracker", "relay", "receiver", "sender", "duplex"]
"""What a client does: outputs of its own for the frames that it reads, and reports; sends each on; nothing that shows;
only sends; reads and sends over one link.
"""
Numbering = Literal["relayed", "own", "none"]
"""Whose numbers a client's messages have: those of the messages that it reads, its own, or none."""
SocketsSeen = Literal["all", "accepted", "none"]
"""What an engine sees of a client's sockets: each attempt and each end; the same without attempts that were turned away
at once; nothing."""
Phase = Literal["steady", "faults-over", "settled", "stopping", "stopped"]


class LabEvent(msgspec.Struct, frozen=True, tag_field="event", kw_only=True, omit_defaults=True, gc=False):
    """Something that the laboratory did or noticed at `t`."""

    t: float


class Counts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one fault did. Every byte, connection and callback counts once."""

    bytes: int = 0
    """Lost or delayed on the way, cut in pieces or dropped, as the kind of the fault says."""
    ends: int = 0
    """Connections that it ended, or whose end it delayed."""
    refused: int = 0
    """Attempts to connect that it turned away."""
    unanswered: int = 0
    """Packets of handshakes that it lost."""
    packets: int = 0
    """Of TCP, that it lost by chance."""
    rejected: int = 0
    """Packets that a router answered in the peer's place, with a reset or with ICMP's `unreachable`."""
    callbacks: int = 0
    """Of the client's event loop, that had to wait."""
    stood: float = 0.0
    """Scenario seconds in which the client's event loop did not run."""
    silenced: tuple[float, ...] | None = None
    """When, in scenario seconds after its begin, a connection that was well until then fell silent; of one client only.
    None: the engine does not see it."""
    lookups: int = 0
    """Of a name, that it answered wrongly, late, or not at all."""
    watched: int = 0
    """Connections whose idle time it counted."""
    idle: float = 0.0
    """Scenario seconds: the longest idle time that it saw."""
    stepped: float = 0.0
    """Seconds by which the client's wall clock was set forward; negative: back."""
    looks: int = 0
    """How often the client has looked at its wall clock meanwhile."""


class Reached(LabEvent, frozen=True, tag="reached"):
    """The run reached a phase of its life."""

    phase: Phase


class Began(LabEvent, frozen=True, tag="fault-began"):
    """Fault number `fault` of the scenario took effect; `planned` is when it was due."""

    fault: int
    planned: float


class Healed(LabEvent, frozen=True, tag="fault-healed"):
    """Fault number `fault` ended; `planned` is when it was due."""

    fault: int
    planned: float


class Counted(LabEvent, frozen=True, tag="fault-counted"):
    """What fault number `fault` did until the orderly stop, counted where it was done; engines that cannot see
    it have none. All 0: it was in force, and did nothing.
    """

    fault: int
    counts: Counts


class Attempted(LabEvent, frozen=True, tag="client-attempted"):
    """A client began to connect to `link`, as the network saw it, whatever came of it."""

    link: PeerLink
    client: int = 0


class SocketClosed(LabEvent, frozen=True, tag="client-socket-closed"):
    """A client's socket on `link` came to its end, as the network saw it: each that was `Attempted` does, once.

    It was the client's own doing, or the network's or the peer's: then the attempt came to nothing, or a FIN or an RST
    had come.
    """

    link: PeerLink
    by: Literal["client", "network"]
    client: int = 0


class StoodStill(LabEvent, frozen=True, tag="machine-stood-still"):
    """The machine did nothing for `seconds` until now: not the client's host, but all that the run is made on."""

    seconds: float


class Broke(LabEvent, frozen=True, tag="broke"):
    """The client or the laboratory failed in a way that no scenario asks for. Of several clients, it was `client`."""

    who: Literal["client", "laboratory"]
    what: str
    client: int = 0
    where: str = ""
    """The innermost line of the user's own files that the exception passed through; empty: it was none of theirs."""

    @property
    def told(self) -> str:
        """What failed and where, in one line."""
        return f"{self.what}, at {self.where}" if self.where else self.what


class Reported(LabEvent, frozen=True, tag="reported"):
    """What `client` reported, where there are several: it counts from 1, and client 0's reports stand by themselves."""

    client: int
    report: AnyEvent


AnyLabEvent = Reached | Began | Healed | Counted | Attempted | SocketClosed | StoodStill | Broke | Reported
HistoryEvent = AnyEvent | AnyPeerEvent | AnyLabEvent

# The fields of all events above that are durations or times of the loop's clock.
_SECONDS = frozenset({"t", "took", "delay", "silence", "rtt", "seconds", "held", "retry_after", "untaken"})

E = TypeVar("E", bound=Event | PeerEvent | LabEvent)


@dataclass(frozen=True, slots=True)
class History:
    """The record of one run, in the order in which things happened."""

    scenario: str
    engine: str
    client: str
    seed: int
    events: tuple[HistoryEvent, ...]
    reference: tuple[Answer, ...] = ()
    """What the outputs must show of the frames and resets that the client took: one answer, or those of which either is
    right; none where nothing was taken."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The client's configuration in scenario seconds, where it has one that we know."""
    role: Role = "tracker"
    """Of the client. Only a tracker reports what it does; the others are judged by what the peer saw."""
    others: tuple[tuple[Answer, ...], ...] = ()
    """As `reference`, for client 1, client 2 and so on, where there are several; see `chaos.judging.herd`."""
    preset: str | None = None
    """The network that the whole run lay on. Its faults are numbered after the scenario's."""
    sockets_seen: SocketsSeen = "none"
    """Of the client's sockets, by the engine: `Attempted` and `SocketClosed` tell it."""
    numbering: Numbering = "relayed"
    """Of a client that is not a tracker."""
    as_run: str | None = None
    """The scenario as it was run, as its file would say it; None: nobody wrote it down."""
    time_scale: float = 1.0
    """Scenario seconds that passed in one second of the engine's clock."""
    scales_itself: bool = True
    """Whether the client divided its own durations by that."""
    not_judged: tuple[str, ...] = ()
    """Promises that are nobody's business, by the client's profile."""

    _by_kind: dict[type, list[HistoryEvent]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The events apart, once somebody has asked for those of one kind."""

    @property
    def clients(self) -> int:
        """How many there are."""
        return 1 + len(self.others)

    @property
    def sends_on(self) -> bool:
        """Whether the client's messages are those of the peer: what was offered is what must arrive."""
        return self.role in ("relay", "duplex") and self.numbering == "relayed"

    @property
    def feed_link(self) -> PeerLink:
        """The link over which the peer sends its messages."""
        return "output" if self.role == "duplex" else "input"

    def uses(self, link: str | None) -> bool:
        """Whether the client has this link; the control link, whoever it is."""
        only = {"receiver": "input", "sender": "output", "duplex": "output"}.get(self.role, link)
        return link in ("control", only)

    def of(self, kind: type[E]) -> Iterator[E]:
        """All events of one kind, in order."""
        if not self._by_kind:
            for event in self.events:
                self._by_kind.setdefault(type(event), []).append(event)
        return iter(cast(list[E], self._by_kind.get(kind, [])))

    def among(self, *kinds: type[E]) -> list[E]:
        """All events of any of these kinds, in order. Most of a record are none of what one check looks for."""
        wanted = frozenset(kinds)
        return [cast(E, event) for event in self.events if type(event) in wanted]

    def first(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E | None:
        """The first event of a kind for which `where` holds."""
        return next((event for event in self.of(kind) if where(event)), None)

    def phase(self, phase: Phase) -> float | None:
        """When the run reached `phase`; None if it never did."""
        reached = self.first(Reached, lambda event: event.phase == phase)
        return None if reached is None else reached.t

    @property
    def shows_its_own_times(self) -> bool:
        """Whether the client's delays and time-outs stand in the ratio to the scenario's that they have in the field."""
        return self.scales_itself or self.time_scale == 1

    @property
    def stopping(self) -> float | None:
        """When the client's orderly stop began: by its own word, or, of one that reports nothing, by the run's."""
        if self.role != "tracker":
            return self.phase("stopping")
        stop = self.first(Stopping)
        return None if stop is None else stop.t

    def digest(self) -> str:
        """A fingerprint of the whole record: equal for equal runs, in any process."""
        fingerprint = hashlib.sha256()
        for line in self.lines():
            fingerprint.update(line)
        return fingerprint.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """The record as JSON lines: a header, then an event a line."""
        header: dict[str, Any] = {
            "schema": SCHEMA,
            "scenario": self.scenario,
            "engine": self.engine,
            "client": self.client,
            "role": self.role,
            **({} if self.numbering == "relayed" else {"numbering": self.numbering}),
            **({"not_judged": self.not_judged} if self.not_judged else {}),
            "seed": self.seed,
            **({} if self.preset is None else {"preset": self.preset}),
            "reference": self.reference,
            "settings": self.settings,
            **({} if self.as_run is None else {"as_run": self.as_run}),
            **({} if self.time_scale == 1 else {"time_scale": self.time_scale}),
            **({} if self.scales_itself else {"scales_itself": False}),
            **({} if self.sockets_seen == "none" else {"sockets_seen": self.sockets_seen}),
        }
        if self.others:
            header["others"] = self.others
        encode = msgspec.json.Encoder().encode
        yield encode(header) + b"\n"
        for event in self.events:
            yield encode(event) + b"\n"


def in_scenario_time(
    events: Iterable[HistoryEvent], *, began: float, scale: float
) -> tuple[HistoryEvent, ...]:
    """Events stamped by the engine's clock, as the history wants them: `scale` scenario seconds pass in one of it."""
    if began == 0 and scale == 1:
        return tuple(events)

    def moved(event: E) -> E:
        changes: dict[str, Any] = {
            name: ((value - began) if name == "t" else value) * scale
            for name in event.__struct_fields__
            if name in _SECONDS and (value := getattr(event, name)) is not None
        }
        if isinstance(event, Reported):
            changes["report"] = moved(event.report)
        return msgspec.structs.replace(event, **changes)

    return tuple(moved(event) for event in events)
