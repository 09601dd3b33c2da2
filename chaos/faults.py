"""The vocabulary of faults, and when each begins and heals.                                               pure

`KINDS` is the one source of truth: what a kind is called, which attributes it takes in which units, where it
may be placed, and whether a connection may rightly die of it. Validation, error texts and listings read it.

Packet loss is not among the kinds: inside a TCP stream nothing is lost or reordered, so what loss does to a
WebSocket shows as a `stall`, and is written as one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, get_args

from chaos.durations import DurationError, format_duration, parse_duration

Where = Literal["network", "peer", "client"]
Link = Literal["input", "output"]
Direction = Literal["upstream", "downstream", "both"]
Value = int | tuple[str, ...]

LINKS: tuple[Link, ...] = get_args(Link)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
MAX_TIMES = 1000


class FaultError(ValueError):
    """A fault that cannot be; the text is one line that names the kind and the key, not the file."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a kind: a whole number between two bounds, or, where it has `choices`, a list of them."""

    about: str
    unit: str = ""
    default: Value | None = None
    """None: it must be given."""
    minimum: int = 0
    maximum: int = 2_000_000_000
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What one kind of fault does, takes, and may cost."""

    about: str
    where: Where
    severs: bool
    """Whether this kind may rightly end a connection, or stop its bytes or answers altogether. Where it is
    False, a connection lost during the fault was lost without need."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    lasts: Literal["optional", "required", "never"] = "optional"
    """The key `for`: until the end where it is left out, must be given, or has no meaning (over at once)."""
    links: tuple[Link, ...] = LINKS
    """What `on` may be; empty: the kind has no link."""
    default_on: Link | None = None
    """None, where there are links: `on` must be given."""
    directed: bool = False
    """Whether it takes `direction` (default both) and `toxicity` (default 1)."""
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None
    """What the attributes must fulfil together: None, or why they do not."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that a fault of this kind takes, in the order in which they are best written."""
        return (
            "at",
            *(() if self.lasts == "never" else ("for",)),
            "every",
            "times",
            *(("on",) if self.links else ()),
            "kind",
            *(("direction", "toxicity") if self.directed else ()),
            *self.attributes,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one time, in seconds of scenario time. Made by `read_fault`, which validates."""

    kind: str
    at: float
    duration: float | None
    """None: until the end of the run. 0 for a kind that is over at once."""
    on: Link | None = None
    """None for what is not of one link: the client's host, or the whole peer."""
    direction: Direction = "both"
    toxicity: float = 1.0
    """The share of connections it strikes, drawn per connection and direction."""
    attributes: Mapping[str, Value] = field(default_factory=dict, hash=False)
    """Complete: an attribute that was left out has its default here."""

    @property
    def spec(self) -> KindSpec:
        return KINDS[self.kind]

    @property
    def heals_at(self) -> float | None:
        """None: never."""
        return None if self.duration is None else self.at + self.duration

    def __str__(self) -> str:
        """As in `latency on output, latency 1400 ms, jitter 0 ms, 10s to 35s`."""
        parts = [self.kind if self.on is None else f"{self.kind} on {self.on}"]
        if self.direction != "both":
            parts.append(self.direction)
        for name, value in self.attributes.items():
            shown = value if isinstance(value, int) else " ".join(value)
            parts.append(f"{name} {shown} {self.spec.attributes[name].unit}".rstrip())
        if self.toxicity < 1:
            parts.append(f"toxicity {self.toxicity:g}")
        if self.duration == 0:
            parts.append(f"at {format_duration(self.at)}")
        else:
            end = "the end" if self.heals_at is None else format_duration(round(self.heals_at, 9))
            parts.append(f"{format_duration(self.at)} to {end}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a timeline: the fault at place `index` begins, or heals, at `at` seconds."""

    at: float
    index: int
    fault: Fault
    begins: bool


def timeline(faults: Iterable[Fault]) -> tuple[Change, ...]:
    """Every begin and heal, in the order in which an engine must carry them out.

    At one instant heals come before begins, so that a fault which follows on another finds the path clean;
    otherwise the order of `faults` decides. What is over at once only begins; what lasts until the end never
    heals.
    """
    changes = []
    for index, fault in enumerate(faults):
        changes.append(Change(fault.at, index, fault, begins=True))
        if fault.duration and fault.heals_at is not None:
            changes.append(Change(fault.heals_at, index, fault, begins=False))
    return tuple(sorted(changes, key=lambda change: (change.at, change.begins, change.index)))


def unknown_name(value: str, known: Iterable[str]) -> str:
    """How every error about a name ends: the nearest valid one, or all of them."""
    names = list(known)
    near = get_close_matches(value, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"valid are {', '.join(names)}"


# The kinds

_MS_MAX = 3_600_000


def _slicer_rule(attributes: Mapping[str, Value]) -> str | None:
    average, variation = attributes["average_size"], attributes["size_variation"]
    if isinstance(average, int) and isinstance(variation, int) and variation > average:
        return (
            f"size_variation {variation} is above average_size {average}: a slice would have a negative size"
        )
    return None


def _close_code_rule(attributes: Mapping[str, Value]) -> str | None:
    code = attributes["code"]
    if code in (1004, 1005, 1006, 1015):
        return f"code {code} is reserved and never sent: take one of 1000-1003, 1007-1014 or 3000-4999"
    if isinstance(code, int) and 1016 <= code <= 2999:
        return f"code {code} is not assigned: take one of 1000-1003, 1007-1014 or 3000-4999"
    return None


def _ms(about: str, default: int | None = None) -> Attribute:
    return Attribute(about, "ms", default, 0, _MS_MAX)


def _network(
    about: str,
    attributes: Mapping[str, Attribute] | None = None,
    *,
    severs: bool,
    rule: Callable[[Mapping[str, Value]], str | None] = lambda _: None,
) -> KindSpec:
    return KindSpec(about, "network", severs, attributes or {}, directed=True, rule=rule)


GARBAGE = (
    "not-json",
    "not-utf8",
    "wrong-type",
    "missing-field",
    "not-33-landmarks",
    "not-finite",
    "out-of-range",
    "too-large",
    "too-deep",
    "unknown-type",
)
"""Kinds of bad input, by the name under which the tracker counts each."""

_CLOSE_CODE = "the code of the Close frame"

# For every kind that severs: bytes stop, or the connection ends, or its answers stop, so that giving the
# connection up is right. The others only slow, add to or mangle what arrives, and a tracker lives with them.
KINDS: Mapping[str, KindSpec] = MappingProxyType(
    {
        "latency": _network(
            "Every byte is delayed; with direction both, each way gets the delay, so the round trip grows by twice it.",
            {
                "latency": _ms("the delay in one direction"),
                "jitter": _ms("up to this much more or less, drawn anew for every chunk", 0),
            },
            severs=False,
        ),
        "bandwidth": _network(
            "Bytes pass at a limited rate.",
            {
                "rate": Attribute(
                    "1 KB is 1000 bytes, per second of scenario time; for none at all take `stall`",
                    "KB/s",
                    None,
                    1,
                    10_000_000,
                )
            },
            severs=False,
        ),
        "slow_close": _network(
            "The end of a connection arrives late.",
            {"delay": _ms("how late")},
            severs=False,
        ),
        "timeout": _network(
            "Bytes are dropped, and the connection is closed after a time without any, or when it heals.",
            {"timeout": _ms("the time; it starts anew with every chunk, and 0 is never", 0)},
            severs=True,
        ),
        "reset_peer": _network(
            "The connection is cut on its next traffic; an idle one is not. One opened during the fault ends in a"
            " reset, an older one in an orderly FIN.",
            {"timeout": _ms("from the traffic to the cut", 0)},
            severs=True,
        ),
        "slicer": _network(
            "Bytes arrive in small pieces.",
            {
                "average_size": Attribute("of a piece", "bytes", None, 1, 10_000_000),
                "size_variation": Attribute("at most average_size", "bytes", 0, 0, 10_000_000),
                "delay": Attribute("between pieces", "us", 0, 0, 1_000_000_000),
            },
            severs=False,
            rule=_slicer_rule,
        ),
        "limit_data": _network(
            "The connection ends after so many more bytes, and so does every later one, its handshake included.",
            {"bytes": Attribute("counted from the begin of the fault or of the connection", "bytes")},
            severs=True,
        ),
        "down": KindSpec(
            "Every connection ends with FIN, and new ones are refused.",
            "network",
            severs=True,
        ),
        "stall": _network(
            "Bytes are held, and delivered when it heals: what packet loss or a lost route does to TCP.",
            severs=True,
        ),
        "blackhole": _network(
            "Bytes are dropped in silence, and the connection dies when it heals.",
            severs=True,
        ),
        "block_loop": KindSpec(
            "The client's own event loop does not run.",
            "client",
            severs=False,
            lasts="required",
            links=(),
        ),
        "echo": KindSpec(
            "The peer sends every message back to its sender.",
            "peer",
            severs=False,
            links=("output",),
            default_on="output",
        ),
        # Without Pongs nothing tells a live upstream from a dead one, so giving it up is right.
        "mute_pong": KindSpec(
            "The peer reads, and answers no Ping.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "stop_reading": KindSpec(
            "The peer does not read, so buffers fill up to the sender.",
            "peer",
            severs=True,
            default_on="output",
        ),
        "close": KindSpec(
            "The peer closes its present connections, once.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", None, 1000, 4999)},
            lasts="never",
            default_on="output",
            rule=_close_code_rule,
        ),
        "accept_then_close": KindSpec(
            "The peer completes a handshake and closes at once; connections it already has stay.",
            "peer",
            severs=True,
            attributes={"code": Attribute(_CLOSE_CODE, "", 1000, 1000, 4999)},
            default_on="output",
            rule=_close_code_rule,
        ),
        "refuse": KindSpec(
            "The peer answers a handshake with an HTTP error; connections it already has stay.",
            "peer",
            severs=True,
            attributes={"status": Attribute("the HTTP status", "", 503, 400, 599)},
            default_on="output",
        ),
        "restart": KindSpec(
            "The whole peer goes: it closes every connection of both links with 1012, and its port refuses for as"
            " long as the fault lasts.",
            "peer",
            severs=True,
            lasts="required",
            links=(),
        ),
        "garbage": KindSpec(
            "The peer mixes bad messages into what it sends.",
            "peer",
            severs=False,
            attributes={"kinds": Attribute("which, in turn", "", GARBAGE, choices=GARBAGE)},
            default_on="input",
        ),
        "burst": KindSpec(
            "The peer sends frames faster than they were taken.",
            "peer",
            severs=False,
            attributes={"fps": Attribute("frames per second of scenario time", "fps", None, 1, 10_000)},
            links=("input",),
            default_on="input",
        ),
    }
)


# Reading one fault


def read_fault(table: Mapping[str, object]) -> tuple[Fault, ...]:
    """The faults that one [[faults]] table means: one, or `times` of them, `every` so long.

    Raises FaultError for the first thing wrong with it.
    """
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise FaultError(
            "the key 'kind' is missing" if kind is None else f"kind is {kind!r}: it must be a name in quotes"
        )
    if kind not in KINDS:
        raise FaultError(f"kind is {kind!r}, which is no kind of fault: {unknown_name(kind, KINDS)}")
    spec = KINDS[kind]
    try:
        for key in table:
            if key not in spec.keys:
                near = unknown_name(key, spec.keys)
                raise FaultError(f"the key {key!r} means nothing here: {near}")  # noqa: TRY301 - one place adds the kind
        first = Fault(
            kind,
            at=_duration(table, "at"),
            duration=_lasting(table, spec),
            on=_link(table, spec),
            direction=_direction(table),
            toxicity=_toxicity(table),
            attributes=_attributes(table, spec),
        )
        return _repeated(first, table)
    except FaultError as error:
        raise FaultError(f"{kind}: {error}") from None


def _duration(table: Mapping[str, object], key: str) -> float:
    if key not in table:
        raise FaultError(f'the key {key!r} is missing: say when or how long, as in {key} = "10s"')
    try:
        return parse_duration(table[key])
    except DurationError as error:
        raise FaultError(f"{key}: {error}") from None


def _lasting(table: Mapping[str, object], spec: KindSpec) -> float | None:
    if spec.lasts == "never":
        return 0.0
    if spec.lasts == "optional" and "for" not in table:
        return None
    duration = _duration(table, "for")
    if duration == 0:
        raise FaultError(f"for is {table['for']!r}: a fault that lasts no time does nothing")
    return duration


def _link(table: Mapping[str, object], spec: KindSpec) -> Link | None:
    value = table.get("on", spec.default_on)
    for link in spec.links:
        if value == link:
            return link
    if not spec.links:
        return None
    choices = " or ".join(f'on = "{link}"' for link in spec.links)
    if value is None:
        raise FaultError(f"the key 'on' is missing: say which link it strikes, {choices}")
    raise FaultError(f"on is {value!r}: write {choices}")


def _direction(table: Mapping[str, object]) -> Direction:
    value = table.get("direction", "both")
    for direction in DIRECTIONS:
        if value == direction:
            return direction
    raise FaultError(f"direction is {value!r}: it must be one of {', '.join(DIRECTIONS)}")


def _toxicity(table: Mapping[str, object]) -> float:
    value = table.get("toxicity", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise FaultError(
            f"toxicity is {value!r}: it must be a number from 0 to 1, the share of connections struck"
        )
    return float(value)


def _attributes(table: Mapping[str, object], spec: KindSpec) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, attribute in spec.attributes.items():
        if name in table:
            values[name] = (
                _names(name, table[name], attribute)
                if attribute.choices
                else _number(name, table[name], attribute)
            )
        elif attribute.default is not None:
            values[name] = attribute.default
        else:
            unit = f" in {attribute.unit}" if attribute.unit else ""
            raise FaultError(
                f"the key {name!r} is missing: give it as a whole number{unit} ({attribute.about})"
            )
    wrong = spec.rule(values)
    if wrong is not None:
        raise FaultError(wrong)
    return values


def _number(name: str, value: object, attribute: Attribute) -> int:
    unit = f" {attribute.unit}" if attribute.unit else ""
    if isinstance(value, int) and not isinstance(value, bool):
        if attribute.minimum <= value <= attribute.maximum:
            return value
        problem = f"it must be from {attribute.minimum} to {attribute.maximum}{unit}"
    else:
        problem = f"it must be a whole number without quotes{unit and f', in{unit}'}"
    raise FaultError(f"{name} is {value!r}: {problem} ({attribute.about})")


def _names(name: str, value: object, attribute: Attribute) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise FaultError(
            f"{name} is {value!r}: it must be a list of one or more of {', '.join(attribute.choices)}"
        )
    for item in value:
        if item not in attribute.choices:
            raise FaultError(
                f"{name} has {item!r}, which is none of them: {unknown_name(str(item), attribute.choices)}"
            )
    return tuple(value)


def _repeated(first: Fault, table: Mapping[str, object]) -> tuple[Fault, ...]:
    if "every" not in table and "times" not in table:
        return (first,)
    every, times = _duration(table, "every"), table.get("times")
    if isinstance(times, bool) or not isinstance(times, int) or not 2 <= times <= MAX_TIMES:
        what = "the key 'times' is missing" if times is None else f"times is {times!r}"
        raise FaultError(f"{what}: with 'every', say how often in all, a whole number from 2 to {MAX_TIMES}")
    if every == 0:
        raise FaultError(f"every is {table['every']!r}: it must be longer than no time")
    if first.duration is None:
        raise FaultError("a fault that comes again must end: add 'for'")
    if first.duration >= every:
        raise FaultError(
            f"for is {table['for']!r} and every is {table['every']!r}: it must end before it begins again"
        )
    # Rounded to the nanosecond, so that three times 0.1 s is 0.3 s.
    return tuple(replace(first, at=round(first.at + n * every, 9)) for n in range(times))
