"""A scenario as data: what runs, what goes wrong when, and what is expected.                                pure

The format is TOML. Every key is checked: an unknown one is an error that names the nearest valid one, so that
no misspelled fault passes as a healthy run. All durations are seconds of scenario time.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from chaos.durations import DurationError, format_duration, parse_duration
from chaos.faults import Fault, FaultError, read_fault
from chaos.nearest import unknown_name
from chaos.presets import PRESETS, Preset
from simulator.climber import MAX_FPS, MAX_HOLDS, MIN_FPS, MIN_HOLDS
from tracker.config import ConfigError, Confirm, OutboxLimits, Overflow, Timing, TrackerConfig

PROMISES = (
    "no-loss",
    "in-order",
    "dedup-safe",
    "bounded",
    "detect",
    "no-false-kill",
    "recover",
    "polite",
    "clean-stop",
    "same-climb",
    "survives-input",
)
"""The tracker's promises, by the names that checks and scenarios use."""

STEADY_BY = 2.0
"""Seconds. No fault begins earlier, unless at 0: a run that never was healthy says nothing about what a fault broke."""
RECOVERY_MARGIN = 5.0
"""Seconds of healed path that a run which judges `recover` needs at its end."""


PeerConfirm = Literal["pong", "ack"]
MAX_CLIENTS = 100
"""All of them share one process."""
T = TypeVar("T")


class ScenarioError(ValueError):
    """A scenario that cannot be used; the text is one line with the file, the key or line, and the remedy."""


class UnsuitablePreset(ScenarioError):
    """A network on which a scenario would say nothing about its client; the text says why."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the pose server feeds: a generated climb, or a recording."""

    fps: float = 30.0
    """Frames per second of scenario time."""
    holds: int = 5
    """Holds on the generated climb's route."""
    recording: Path | None = None
    """Shown again and again. Resolved against the scenario's folder, as the three files that go with it; whether they
    can be read is found out when they are."""
    wall: Path | None = None
    calibration: Path | None = None
    route: Path | None = None
    reset_at: tuple[float, ...] = ()
    """When the feed carries a reset of the session; in order."""
    clients: int = 1
    """How many clients there are, each on a machine of its own, all at the same peer over the same two links."""


@dataclass(frozen=True, slots=True)
class ClientOverrides:
    """What the scenario changes in the tracker's configuration; empty: nothing, the defaults are proven."""

    timing: Mapping[str, float] = field(default_factory=dict)
    outbox: Mapping[str, int] = field(default_factory=dict)
    confirm: Confirm | None = None
    overflow: Overflow | None = None

    def apply_to(self, config: TrackerConfig) -> TrackerConfig:
        """`config` with the overrides in place. Raises ConfigError where the two together cannot be."""
        return replace(
            config,
            timing=replace(config.timing, **self.timing),
            outbox=replace(config.outbox, **self.outbox),
            confirm=self.confirm or config.confirm,
            overflow=self.overflow or config.overflow,
        )


@dataclass(frozen=True, slots=True)
class Peer:
    """How the mock peer behaves on the output link for the whole run."""

    confirm: PeerConfirm = "pong"
    echo: bool = False
    """Whether it sends every message back to its sender too."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Thresholds in seconds, beyond the promises' own defaults; None: the default decides."""

    detect_within: float | None = None
    """From the begin of a fault to the client giving the link up."""
    recover_within: float | None = None
    """From the heal of a fault to the first delivery."""
    longest_silence: float | None = None
    """Between two deliveries."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One validated scenario. Plain data: it compares, and travels to a worker process."""

    name: str
    about: str
    stresses: tuple[str, ...]
    """The promises that this scenario puts under stress."""
    duration: float
    workload: Workload = Workload()
    client: ClientOverrides = field(default_factory=ClientOverrides)
    peer: Peer = Peer()
    faults: tuple[Fault, ...] = ()
    """Repeated ones written out; in the order of the file."""
    expect: Expect = Expect()
    sim_only: str | None = None
    """Why it cannot run on real sockets; None: it can."""
    preset: str | None = None
    """The network that it lies on, by its name in `chaos.presets`; None: an undisturbed one."""

    @property
    def from_start(self) -> bool:
        """Whether a fault is in force before the client starts; the scenario's clock then starts with the client."""
        return any(fault.at == 0 for fault in self.faults)

    @property
    def network(self) -> Preset | None:
        """The preset itself. Its faults are none of `faults`, and are there before the client whatever `from_start` says."""
        return None if self.preset is None else PRESETS[self.preset]

    @property
    def paced(self) -> "Scenario":
        """As its preset lets it run: a generated workload, and what is measured by it, at the preset's pace.

        Whoever runs a scenario, or judges a run, asks for this once.
        """
        network = self.network
        if network is None or self.workload.recording is not None:
            return self
        fps = max(float(MIN_FPS), self.workload.fps * network.pace)
        workload = replace(self.workload, fps=fps)
        return replace(self, workload=workload, faults=network.at_its_pace(self.faults))


def on_preset(scenario: Scenario, name: str) -> Scenario:
    """The scenario on the network of this name, whatever it lay on.

    Raises ScenarioError for a name that is no preset's, `UnsuitablePreset` for one on which it shows nothing.
    """
    if name not in PRESETS:
        raise ScenarioError(f"preset is {name!r}, which is no preset: {unknown_name(name, PRESETS)}")
    workload = scenario.workload
    fps = workload.fps if workload.recording is None else 0.0  # nobody knows what a recording needs
    why = PRESETS[name].conflict(scenario.faults, duration=scenario.duration, fps=fps)
    if why is not None:
        raise UnsuitablePreset(f"{scenario.name} does not go with the preset {name}: {why}")
    return replace(scenario, preset=name)


def load(file: Path) -> Scenario:
    """The scenario in `file`. Raises ScenarioError, also for a file that cannot be read."""
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise ScenarioError(f"{file}: {why}; give the path of a scenario's TOML file") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    return parse(text, file)


def parse(text: str, file: Path) -> Scenario:
    """The scenario that `text` says. `file` gives its name, and the folder of a recording; it is not opened."""
    try:
        return _scenario(_toml(text), file)
    except ValueError as error:  # ours, or Python's for a hexadecimal number too long to print in our text
        raise ScenarioError(f"{file}: {error}") from None


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ScenarioError("not a scenario: it is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or an integer of thousands of digits
        place = re.fullmatch(
            r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL
        )
        if place is None:
            raise ScenarioError(f"not valid TOML: {error}") from None
        line = place[2] or str(len(text.splitlines()) or 1)
        column = f", column {place[3]}" if place[3] else ""
        raise ScenarioError(f"line {line}{column}: not valid TOML: {place[1].lower()}") from None


# One function a table, in the order of the file


def _scenario(table: Mapping[str, object], file: Path) -> Scenario:
    _only(table, [f.name for f in fields(Scenario)], "")
    name = _name(table, file)
    about = " ".join(_text(table, "about", "what goes wrong, in a sentence that a user understands").split())
    stresses = _stresses(table)
    duration = _positive(table, "duration", "")
    if duration is None:
        raise ScenarioError(
            "the key 'duration' is missing: say how long the run takes, as in duration = \"60s\""
        )
    peer = _peer(_table(table, "peer"))
    client = _client(_table(table, "client"))
    if client.confirm == "ack" and peer.confirm != "ack":
        raise ScenarioError("client.confirm is 'ack', but the peer sends no acks: add peer.confirm = \"ack\"")
    scenario = Scenario(
        name=name,
        about=about,
        stresses=stresses,
        duration=duration,
        workload=_workload(_table(table, "workload"), file, duration),
        client=client,
        peer=peer,
        faults=_faults(table, duration, judges_recovery="recover" in stresses),
        expect=_expect(_table(table, "expect")),
        sim_only=_text(table, "sim_only", "the reason, in a few words") if "sim_only" in table else None,
    )
    if "preset" not in table:
        return scenario
    return on_preset(scenario, _text(table, "preset", 'the name of a network, as in preset = "3g"'))


def _name(table: Mapping[str, object], file: Path) -> str:
    name = _text(table, "name", "the file's name without .toml")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ScenarioError(
            f"name is {name!r}: it must be lower-case words joined by hyphens, as in 'slow-link'"
        )
    if name != file.stem:
        raise ScenarioError(f"name is {name!r}, but the file is {file.name!r}: make them the same")
    return name


def _stresses(table: Mapping[str, object]) -> tuple[str, ...]:
    value = table.get("stresses")
    if not isinstance(value, list) or not value:
        what = "the key 'stresses' is missing" if value is None else f"stresses is {value!r}"
        raise ScenarioError(
            f'{what}: list the promises under stress, as in stresses = ["no-loss", "recover"]'
        )
    for position, promise in enumerate(value):
        if promise not in PROMISES:
            raise ScenarioError(
                f"stresses has {promise!r}, which is no promise: {unknown_name(str(promise), PROMISES)}"
            )
        if promise in value[:position]:
            raise ScenarioError(f"stresses has {promise!r} twice: name each promise once")
    return tuple(value)


_WALL_FILES = ("wall", "calibration", "route")


def _workload(table: Mapping[str, object], file: Path, end: float) -> Workload:
    _only(table, [f.name for f in fields(Workload)], "workload.")
    reset_at = _reset_at(table, end)
    clients = table.get("clients", Workload().clients)
    if isinstance(clients, bool) or not isinstance(clients, int) or not 1 <= clients <= MAX_CLIENTS:
        raise ScenarioError(
            f"workload.clients is {clients!r}: it must be a whole number from 1 to {MAX_CLIENTS}"
        )
    if "recording" in table:
        for key in ("fps", "holds"):
            if key in table:
                raise ScenarioError(f"workload.{key} is given beside workload.recording: keep one of the two")
        recording = file.parent / _text(table, "recording", "the path of a recording", "workload.")
        wall, calibration, route = (
            file.parent / _text(table, key, f"the path of the recording's {key}", "workload.")
            for key in _WALL_FILES
        )
        return Workload(
            recording=recording,
            wall=wall,
            calibration=calibration,
            route=route,
            reset_at=reset_at,
            clients=clients,
        )
    for key in _WALL_FILES:
        if key in table:
            raise ScenarioError(
                f"workload.{key} is given without workload.recording: a generated climb has a wall of its own"
            )
    fps, holds = table.get("fps", Workload().fps), table.get("holds", Workload().holds)
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not MIN_FPS <= fps <= MAX_FPS:
        raise ScenarioError(f"workload.fps is {fps!r}: it must be a number from {MIN_FPS} to {MAX_FPS}")
    if isinstance(holds, bool) or not isinstance(holds, int) or not MIN_HOLDS <= holds <= MAX_HOLDS:
        raise ScenarioError(
            f"workload.holds is {holds!r}: it must be a whole number from {MIN_HOLDS} to {MAX_HOLDS}"
        )
    return Workload(fps=float(fps), holds=holds, reset_at=reset_at, clients=clients)


def _reset_at(table: Mapping[str, object], end: float) -> tuple[float, ...]:
    value = table.get("reset_at", [])
    if not isinstance(value, list):
        raise ScenarioError(
            f'workload.reset_at is {value!r}: it must be a list of times, as in ["12s", "20s"]'
        )
    try:
        times = sorted(parse_duration(entry) for entry in value)
    except DurationError as error:
        raise ScenarioError(f"workload.reset_at: {error}") from None
    for at in times:
        if not STEADY_BY <= at < end:
            raise ScenarioError(
                f"workload.reset_at has {format_duration(at)}: it must be {format_duration(STEADY_BY)} or later,"
                f" and before the run ends at {format_duration(end)}"
            )
    return tuple(times)


_TIMING = [f.name for f in fields(Timing)]
_OUTBOX = {f"outbox_{f.name}": f.name for f in fields(OutboxLimits)}
_CONFIRMS: tuple[Confirm, ...] = get_args(Confirm)
_OVERFLOWS: tuple[Overflow, ...] = get_args(Overflow)
_PEER_CONFIRMS: tuple[PeerConfirm, ...] = get_args(PeerConfirm)


def _client(table: Mapping[str, object]) -> ClientOverrides:
    _only(table, [*_TIMING, *_OUTBOX, "confirm", "overflow"], "client.")
    timing = {}
    for key in _TIMING:
        value = _positive(table, key, "client.")
        if value is not None:
            timing[key] = value
    outbox = {}
    for key, limit in _OUTBOX.items():
        count = table.get(key, 1)
        if isinstance(count, bool) or not isinstance(count, int):
            raise ScenarioError(f"client.{key} is {count!r}: it must be a whole number")
        if key in table:
            outbox[limit] = count
    try:
        Timing(**timing)
        OutboxLimits(**outbox)
    except ConfigError as error:
        raise ScenarioError(f"client: {error}") from None
    return ClientOverrides(
        timing=timing,
        outbox=outbox,
        confirm=_one_of(table, "confirm", _CONFIRMS, "client."),
        overflow=_one_of(table, "overflow", _OVERFLOWS, "client."),
    )


def _peer(table: Mapping[str, object]) -> Peer:
    _only(table, [f.name for f in fields(Peer)], "peer.")
    echo = table.get("echo", False)
    if not isinstance(echo, bool):
        raise ScenarioError(f"peer.echo is {echo!r}: it must be true or false, without quotes")
    return Peer(confirm=_one_of(table, "confirm", _PEER_CONFIRMS, "peer.") or Peer().confirm, echo=echo)


def _faults(table: Mapping[str, object], end: float, *, judges_recovery: bool) -> tuple[Fault, ...]:
    tables = table.get("faults", [])
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        raise ScenarioError("faults is not a list of tables: begin each fault with a line [[faults]]")
    faults: list[Fault] = []
    for number, entry in enumerate(tables, 1):
        try:
            these = read_fault(entry)
            for fault in these:
                _in_time(fault, end, judges_recovery=judges_recovery)
        except FaultError as error:
            raise ScenarioError(f"fault {number}: {error}") from None
        faults += these
    _one_at_a_time(faults)
    return tuple(faults)


def _one_at_a_time(faults: list[Fault]) -> None:
    """The peer cannot do one thing twice at once: healing the one would heal the other."""
    for later in faults:
        for earlier in faults:
            if (
                later is not earlier
                and later.spec.where == "peer"
                and (later.kind, later.on) == (earlier.kind, earlier.on)
                and earlier.at <= later.at
                and (earlier.heals_at is None or later.at < earlier.heals_at)
            ):
                raise ScenarioError(
                    f"two faults are in force at once, {earlier}, and {later}: let one end before the other"
                )


def _in_time(fault: Fault, end: float, *, judges_recovery: bool) -> None:
    """Raises FaultError for a fault that the run's life has no room for."""
    begins, lasts = format_duration(fault.at), format_duration(end)
    if 0 < fault.at < STEADY_BY:
        raise FaultError(
            f"{fault.kind}: it begins at {begins}, but the run must first be steady: let it begin at"
            f" {format_duration(STEADY_BY)} or later, or at 0s, before the client starts"
        )
    if fault.at == fault.duration == 0:
        raise FaultError(
            f"{fault.kind}: it begins at {begins}, when there is no connection yet: let it begin later"
        )
    if fault.at >= end:
        raise FaultError(
            f"{fault.kind}: it begins at {begins}, but the run ends at {lasts}: lengthen duration"
        )
    heals_at = None if fault.heals_at is None else round(fault.heals_at, 9)
    if heals_at is not None and heals_at > end:
        raise FaultError(
            f"{fault.kind}: it ends at {format_duration(heals_at)}, but the run ends at {lasts}: lengthen duration,"
            " or leave out 'for' for a fault that lasts until the end"
        )
    if judges_recovery and (heals_at is None or heals_at > end - RECOVERY_MARGIN):
        ends = "never ends" if heals_at is None else f"ends at {format_duration(heals_at)}"
        raise FaultError(
            f"{fault.kind}: it {ends} and the run ends at {lasts}, but stresses has 'recover': leave"
            f" {format_duration(RECOVERY_MARGIN)} or more after the last fault"
        )


def _expect(table: Mapping[str, object]) -> Expect:
    names = [f.name for f in fields(Expect)]
    _only(table, names, "expect.")
    return Expect(**{name: _positive(table, name, "expect.") for name in names})


# One function a kind of value; `where` is what stands before a key in an error, as in "client."


def _only(table: Mapping[str, object], known: Iterable[str], where: str) -> None:
    names = list(known)
    for key in table:
        if key not in names:
            raise ScenarioError(f"the key {where + key!r} means nothing here: {unknown_name(key, names)}")


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ScenarioError(f"{key} is {value!r}: it must be a table that begins with a line [{key}]")
    return value


def _text(table: Mapping[str, object], key: str, what: str, where: str = "") -> str:
    value = table.get(key)
    if value is None:
        raise ScenarioError(f"the key {where + key!r} is missing: give it {what}")
    if not isinstance(value, str) or not value.strip():
        raise ScenarioError(f"{where}{key} is {value!r}: it must be {what}, in quotes")
    return value


def _positive(table: Mapping[str, object], key: str, where: str) -> float | None:
    """A duration above zero; None where the key is not there."""
    if key not in table:
        return None
    try:
        seconds = parse_duration(table[key])
    except DurationError as error:
        raise ScenarioError(f"{where}{key}: {error}") from None
    if seconds == 0:
        raise ScenarioError(f"{where}{key} is {table[key]!r}: it must be longer than no time")
    return seconds


def _one_of(table: Mapping[str, object], key: str, choices: tuple[T, ...], where: str) -> T | None:
    """One of `choices`; None where the key is not there."""
    if key not in table:
        return None
    value = table[key]
    for choice in choices:
        if value == choice:
            return choice
    raise ScenarioError(f"{where}{key} is {value!r}: {unknown_name(str(value), map(str, choices))}")
