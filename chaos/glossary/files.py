"""The keys of a scenario's file, and the kinds of fault with theirs."""

from collections.abc import Iterator

from chaos import catalogue, profile_reading
from chaos.durations import format_duration
from chaos.engines import toxiproxy
from chaos.faults import some_fault
from chaos.glossary.entries import Entry, Fact, listed
from chaos.kernel import faults as kernel
from chaos.kinds import KINDS, Attribute, KindSpec
from chaos.scenario import Scenario
from chaos.scenario_keys import TABLES

READ_KINDS = "docs/scenarios.md#kinds-of-fault"
READ_KEYS = "docs/scenarios.md#keys"
READ_PROFILE = "docs/profiles.md#every-key"
READ_ENGINES = "docs/design.md#what-a-fault-is-engine-by-engine"


def fault_entries() -> Iterator[Entry]:
    """One for each kind."""
    for name, spec in KINDS.items():
        yield Entry(
            name,
            "fault",
            spec.about,
            (
                Fact("keys", tuple(keys_of(spec))),
                Fact("engines", tuple(engines(name))),
                *listed("scenarios", ", ".join(catalogue.with_kind(name))),
                Fact("read on", (READ_KINDS, READ_ENGINES)),
            ),
        )


def keys_of(spec: KindSpec) -> Iterator[str]:
    """A line for each key that a fault of this kind takes, with type, unit, default and bounds."""
    yield 'at = "10s": when it begins'
    if spec.lasts != "never":
        yield f'for = "5s": how long it lasts{"" if spec.lasts == "required" else "; until the end where it is left out"}'
    yield 'every = "20s", times = 3: it comes again'
    if spec.links:
        default = f"; {spec.default_on} where it is left out" if spec.default_on else ""
        yield f"on: {' or '.join(spec.links)}{default}"
    if spec.directed:
        yield "direction: upstream (from the client), downstream or both; both where it is left out"
        yield "toxicity: a number from 0 to 1, the share of connections that it strikes; 1 where it is left out"
    for name, attribute in spec.attributes.items():
        yield f"{name}: {attribute.about}; {attribute_said(attribute)}"


def attribute_said(attribute: Attribute) -> str:
    """What an attribute may be, and what it is where it is left out."""
    if attribute.several:
        return f"a list of some of {', '.join(attribute.choices)}; all where it is left out"
    if attribute.choices:
        values = f"one of {', '.join(attribute.choices)}"
    else:
        values = (
            f"a whole number from {attribute.minimum:,} to {attribute.maximum:,} {attribute.unit}".rstrip()
        )
    return values + ("" if attribute.required else f"; {attribute.default} where it is left out")


def engines(kind: str) -> Iterator[str]:
    """A line for each engine: whether it has such a fault, or why not."""
    fault = some_fault(kind)
    yield "sim: yes"
    yield f"toxiproxy: {_yes(toxiproxy.why_not(fault))}"
    never = kernel.why_not(fault, tuple(kernel.ABOUT))
    needs = kernel.why_not(fault, ())
    yield (
        "kernel: yes, where the kernel has the part that it needs"
        if never is None and needs
        else (f"kernel: {_yes(never)}")
    )


def _yes(why_not: str | None) -> str:
    return "yes" if why_not is None else f"no: {why_not}"


def key_entries() -> Iterator[Entry]:
    """One for each name of a key; the same name in two tables is one entry."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, keys in TABLES.items():
        for key in keys:
            default = "must be given" if key.required else f"default {key.default}"
            told = f"{key.about} {key.sort.said[0].upper()}{key.sort.said[1:]}; {default}."
            found.setdefault(key.name, []).append((table, told))
    for kind, spec in KINDS.items():
        for name, attribute in spec.attributes.items():
            told = f"{attribute.about}; {attribute_said(attribute)}"
            found.setdefault(name, []).append((f"faults, kind {kind}", told))
    for name, places in found.items():
        says = f"A key of {', '.join(dict.fromkeys(_table(table) for table, _ in places))}."
        facts = [Fact(_table(table), (told,)) for table, told in places]
        yield Entry(name, "key", says, (*facts, Fact("read on", (READ_KEYS,))))


def _table(name: str) -> str:
    if not name:
        return "the top of the file"
    table, _, kind = name.partition(", ")
    shown = f"[[{table}]]" if table in ("faults", "controls") else f"[{table}]"
    return f"{shown} of {kind}" if kind else shown


def profile_entries() -> Iterator[Entry]:
    """One for each key of a profile; what each means is in the document that it leads to."""
    for table, names in profile_reading.TABLES.items():
        for name in names:
            where = f"in its table [{table}]" if table else "at the top of the file"
            says = f"What a client speaks: a key of the file that --profile names, {where}."
            yield Entry(name, "profile", says, (Fact("read on", (READ_PROFILE,)),))


def scenario_entries() -> Iterator[Entry]:
    """One for each of the catalogue."""
    for scenario in catalogue.everything():
        yield scenario_entry(scenario)


def scenario_entry(scenario: Scenario) -> Entry:
    """What it does when, what it puts under stress, what it expects."""
    expect = scenario.expect
    limits = {
        "detect within": expect.detect_within,
        "recover within": expect.recover_within,
        "longest silence": expect.longest_silence,
    }
    return Entry(
        scenario.name,
        "scenario",
        scenario.about,
        (
            Fact("duration", (format_duration(scenario.duration),)),
            Fact("stresses", (", ".join(scenario.stresses),)),
            *listed("faults", *_few([str(fault) for fault in scenario.faults])),
            *listed("controls", *_few([str(control) for control in scenario.controls])),
            *listed(
                "expects",
                ", ".join(
                    f"{what} {format_duration(limit)}" for what, limit in limits.items() if limit is not None
                ),
                "no lost connection" if expect.keeps_connections else "",
                "" if expect.ends is None else f"an end by itself: {expect.ends}",
            ),
            *listed("engines", "" if scenario.sim_only is None else f"sim alone: {scenario.sim_only}"),
            Fact("run it", (f"simtool chaos {scenario.name} --engine sim",)),
            Fact("read on", (f"chaos/scenarios/{scenario.name}.toml", READ_KEYS)),
        ),
    )


MOST = 8
"""Lines of a list."""


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST else [*lines[: MOST - 1], f"and {len(lines) - MOST + 1} more"]
