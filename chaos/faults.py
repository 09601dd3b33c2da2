"""Faults as a scenario writes them, and when each begins and heals.                                         pure"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chaos.durations import DurationError, format_duration, parse_duration
from chaos.file_values import FileError, Problems
from chaos.kinds import DIRECTIONS, KINDS, Attribute, Direction, KindSpec, Link, Value
from chaos.nearest import unknown_name

MAX_TIMES = 1000


class FaultError(FileError):
    """A fault that cannot be; a line for each thing wrong names the kind and the key, not the file."""


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
    def severs(self) -> bool:
        """Whether it may rightly end a connection, or stop its bytes or answers altogether."""
        return self.spec.severs and not self.spec.mild(self.attributes)

    @property
    def heals_at(self) -> float | None:
        """None: never."""
        return None if self.duration is None else self.at + self.duration

    @property
    def lingers(self) -> float:
        """Seconds after its heal in which it may still end a connection."""
        name = self.spec.lingers
        return 0.0 if name is None else self.number(name) / 1000

    def number(self, attribute: str) -> int:
        """The value of an attribute that is a number."""
        value = self.attributes[attribute]
        assert isinstance(value, int), "the vocabulary says so"
        return value

    def choice(self, attribute: str) -> str:
        """The value of an attribute that is one of several choices."""
        value = self.attributes[attribute]
        assert isinstance(value, str), "the vocabulary says so"
        return value

    @property
    def bad_messages(self) -> tuple[str, ...]:
        """Of `garbage`: the kinds of bad message that it sends."""
        kinds = self.attributes["kinds"]
        assert isinstance(kinds, tuple), "the vocabulary says so"
        return kinds

    def lasts_until(self, end: float) -> bool:
        """Whether it is in force at `end`; what is over at once never is."""
        return self.duration != 0 and (self.heals_at is None or self.heals_at >= end)

    def __str__(self) -> str:
        """As in `latency on output, latency 1400 ms, jitter 0 ms, 10s to 35s`."""
        parts = [self.kind if self.on is None else f"{self.kind} on {self.on}"]
        if self.direction != "both":
            parts.append(self.direction)
        for name, value in self.attributes.items():
            shown = " ".join(value) if isinstance(value, tuple) else value
            parts.append(f"{name} {shown} {self.spec.attributes[name].unit}".rstrip())
        if self.toxicity < 1:
            parts.append(f"toxicity {self.toxicity:g}")
        if self.duration == 0:
            parts.append(f"at {format_duration(self.at)}")
        else:
            end = "the end" if self.heals_at is None else format_duration(round(self.heals_at, 9))
            parts.append(f"{format_duration(self.at)} to {end}")
        return ", ".join(parts)


def some_fault(kind: str) -> Fault:
    """One of this kind, for questions that every fault of a kind answers alike; its attributes are as small as may be."""
    spec = KINDS[kind]
    least: dict[str, Value] = {
        name: attribute.default
        if attribute.default is not None
        else attribute.choices[0]
        if attribute.choices
        else attribute.minimum
        for name, attribute in spec.attributes.items()
    }
    lasts = 0.0 if spec.lasts == "never" else 5.0
    on = (spec.default_on or "output") if spec.links else None
    return Fault(kind, 10.0, lasts, on, attributes=least)


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


# Reading one fault


def read_fault(table: Mapping[str, object]) -> tuple[Fault, ...]:
    """The faults that one [[faults]] table means: one, or `times` of them, `every` so long.

    Raises FaultError with all that is wrong with it.
    """
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise FaultError(
            "the key 'kind' is missing" if kind is None else f"kind is {kind!r}: it must be a name in quotes",
            "kind",
        )
    if kind not in KINDS:
        problems = Problems()
        problems.add(
            FaultError(f"kind is {kind!r}, which is no kind of fault: {unknown_name(kind, KINDS)}", "kind")
        )
        _only(table, sorted({key for spec in KINDS.values() for key in spec.keys}), problems)
        problems.raise_any()
    spec = KINDS[kind]
    problems = Problems()
    _only(table, spec.keys, problems)
    first = Fault(
        kind,
        at=problems.gather(0.0, _duration, table, "at"),
        duration=problems.gather(0.0, _lasting, table, spec),
        on=problems.gather(None, _link, table, spec),
        direction=problems.gather(DIRECTIONS[-1], _direction, table),
        toxicity=problems.gather(1.0, _toxicity, table),
        attributes=_attributes(table, spec, problems),
    )
    found = problems.gather((), _repeated, first, table)
    try:
        problems.raise_any()
    except FileError as error:
        raise error.inside(f"{kind}: ", as_a=FaultError) from None
    return found


def _only(table: Mapping[str, object], known: Sequence[str], problems: Problems) -> None:
    for key in table:
        if key not in known:
            near = unknown_name(key, known)
            problems.add(FaultError(f"the key {key!r} means nothing here: {near}", key))


def _duration(table: Mapping[str, object], key: str) -> float:
    if key not in table:
        raise FaultError(f'the key {key!r} is missing: say when or how long, as in {key} = "10s"', key)
    try:
        return parse_duration(table[key])
    except DurationError as error:
        raise FaultError(f"{key}: {error}", key) from None


def _lasting(table: Mapping[str, object], spec: KindSpec) -> float | None:
    if spec.lasts == "never":
        return 0.0
    if spec.lasts == "optional" and "for" not in table:
        return None
    duration = _duration(table, "for")
    if duration == 0:
        raise FaultError(f"for is {table['for']!r}: a fault that lasts no time does nothing", "for")
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
        raise FaultError(f"the key 'on' is missing: say which link it strikes, {choices}", "on")
    raise FaultError(f"on is {value!r}: write {choices}", "on")


def _direction(table: Mapping[str, object]) -> Direction:
    value = table.get("direction", "both")
    for direction in DIRECTIONS:
        if value == direction:
            return direction
    raise FaultError(f"direction is {value!r}: it must be one of {', '.join(DIRECTIONS)}", "direction")


def _toxicity(table: Mapping[str, object]) -> float:
    value = table.get("toxicity", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise FaultError(
            f"toxicity is {value!r}: it must be a number from 0 to 1, the share of connections struck",
            "toxicity",
        )
    return float(value)


def _attributes(table: Mapping[str, object], spec: KindSpec, problems: Problems) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, attribute in spec.attributes.items():
        value = problems.gather(None, _attribute, table, name, attribute)
        if value is not None:
            values[name] = value
    if len(values) == len(spec.attributes) and (why := spec.rule(values)) is not None:
        problems.add(FaultError(why, *list(spec.attributes)[:1]))
    return values


def _attribute(table: Mapping[str, object], name: str, attribute: Attribute) -> Value:
    if name in table:
        if attribute.several:
            return _names(name, table[name], attribute)
        if attribute.choices:
            return _name(name, table[name], attribute)
        return _number(name, table[name], attribute)
    if attribute.default is not None:
        return attribute.default
    unit = f" in {attribute.unit}" if attribute.unit else ""
    kind = f"one of {', '.join(attribute.choices)}" if attribute.choices else f"a whole number{unit}"
    raise FaultError(f"the key {name!r} is missing: give it as {kind} ({attribute.about})", name)


def _number(name: str, value: object, attribute: Attribute) -> int:
    unit = f" {attribute.unit}" if attribute.unit else ""
    if isinstance(value, int) and not isinstance(value, bool):
        if attribute.minimum <= value <= attribute.maximum:
            return value
        problem = f"it must be from {attribute.minimum} to {attribute.maximum}{unit}"
    else:
        problem = f"it must be a whole number without quotes{unit and f', in{unit}'}"
    raise FaultError(f"{name} is {value!r}: {problem} ({attribute.about})", name)


def _name(name: str, value: object, attribute: Attribute) -> str:
    for choice in attribute.choices:
        if value == choice:
            return choice
    near = unknown_name(str(value), attribute.choices)
    raise FaultError(f"{name} is {value!r}, which is none of its choices: {near}", name)


def _names(name: str, value: object, attribute: Attribute) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise FaultError(
            f"{name} is {value!r}: it must be a list of one or more of {', '.join(attribute.choices)}", name
        )
    for item in value:
        if item not in attribute.choices:
            near = unknown_name(str(item), attribute.choices)
            raise FaultError(f"{name} has {item!r}, which is none of them: {near}", name)
    return tuple(value)


def _repeated(first: Fault, table: Mapping[str, object]) -> tuple[Fault, ...]:
    if "every" not in table and "times" not in table:
        return (first,)
    every, times = _duration(table, "every"), table.get("times")
    if isinstance(times, bool) or not isinstance(times, int) or not 2 <= times <= MAX_TIMES:
        what = "the key 'times' is missing" if times is None else f"times is {times!r}"
        raise FaultError(
            f"{what}: with 'every', say how often in all, a whole number from 2 to {MAX_TIMES}", "times"
        )
    if every == 0:
        raise FaultError(f"every is {table['every']!r}: it must be longer than no time", "every")
    if first.duration is None:
        raise FaultError("a fault that comes again must end: add 'for'", "every")
    if first.duration >= every:
        raise FaultError(
            f"for is {table['for']!r} and every is {table['every']!r}: it must end before it begins again",
            "every",
        )
    # Rounded to the nanosecond, so that three times 0.1 s is 0.3 s.
    return tuple(replace(first, at=round(first.at + n * every, 9)) for n in range(times))
