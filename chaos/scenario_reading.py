"""A scenario's file read, strictly: every key is checked.                                                    pure

The format is TOML. An unknown key is an error that names the nearest valid one, so that no misspelled fault passes as a
healthy run.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_args

from chaos.controls import ControlError, TimedControl, read_control
from chaos.durations import DurationError, format_duration, parse_duration
from chaos.faults import Fault, FaultError, read_fault
from chaos.file_values import one_of, only, positive, subtable, subtables, switch, text, toml_tables
from chaos.nearest import unknown_name
from chaos.scenario import (
    MAX_CLIENTS,
    PROMISES,
    RECOVERY_MARGIN,
    STEADY_BY,
    ClientOverrides,
    Expect,
    Peer,
    PeerConfirm,
    Scenario,
    ScenarioError,
    Workload,
    on_preset,
)
from simulator.climber import MAX_FPS, MAX_HOLDS, MIN_FPS, MIN_HOLDS
from tracker.config import ConfigError, Confirm, OutboxLimits, Overflow, Timing
from tracker.events import StopCause


def parse(text: str, file: Path) -> Scenario:
    """The scenario that `text` says. `file` gives its name, and the folder of a recording; it is not opened."""
    try:
        return _scenario(toml_tables(text, "a scenario"), file)
    except ValueError as error:  # ours, or Python's for a hexadecimal number too long to print in our text
        raise ScenarioError(f"{file}: {error}") from None


# One function a table, in the order of the file


def _scenario(table: Mapping[str, object], file: Path) -> Scenario:
    only(table, [f.name for f in fields(Scenario)], "")
    name = _name(table, file)
    about = " ".join(text(table, "about", "what goes wrong, in a sentence that a user understands").split())
    stresses = _stresses(table)
    duration = positive(table, "duration", "")
    if duration is None:
        raise ScenarioError(
            "the key 'duration' is missing: say how long the run takes, as in duration = \"60s\""
        )
    peer = _peer(subtable(table, "peer"))
    client = _client(subtable(table, "client"))
    if client.confirm == "ack" and peer.confirm != "ack":
        raise ScenarioError("client.confirm is 'ack', but the peer sends no acks: add peer.confirm = \"ack\"")
    scenario = Scenario(
        name=name,
        about=about,
        stresses=stresses,
        duration=duration,
        workload=_workload(subtable(table, "workload"), file, duration),
        client=client,
        peer=peer,
        faults=_faults(table, duration, judges_recovery="recover" in stresses),
        controls=_controls(table, duration),
        expect=_expect(subtable(table, "expect")),
        sim_only=text(table, "sim_only", "the reason, in a few words") if "sim_only" in table else None,
    )
    _require_control_link(scenario)
    _require_end(scenario)
    if "preset" not in table:
        return scenario
    return on_preset(scenario, text(table, "preset", 'the name of a network, as in preset = "3g"'))


def _name(table: Mapping[str, object], file: Path) -> str:
    name = text(table, "name", "the file's name without .toml")
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
    only(table, [f.name for f in fields(Workload)], "workload.")
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
        recording = file.parent / text(table, "recording", "the path of a recording", "workload.")
        wall, calibration, route = (
            file.parent / text(table, key, f"the path of the recording's {key}", "workload.")
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
    only(table, [*_TIMING, *_OUTBOX, "confirm", "overflow"], "client.")
    timing = {}
    for key in _TIMING:
        value = positive(table, key, "client.")
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
        confirm=one_of(table, "confirm", _CONFIRMS, "client."),
        overflow=one_of(table, "overflow", _OVERFLOWS, "client."),
    )


def _peer(table: Mapping[str, object]) -> Peer:
    only(table, [f.name for f in fields(Peer)], "peer.")
    return Peer(
        confirm=one_of(table, "confirm", _PEER_CONFIRMS, "peer.") or Peer().confirm,
        echo=switch(table, "echo", "peer."),
    )


def _faults(table: Mapping[str, object], end: float, *, judges_recovery: bool) -> tuple[Fault, ...]:
    tables = subtables(table, "faults", "fault")
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
    if judges_recovery and fault.severs and (heals_at is None or heals_at > end - RECOVERY_MARGIN):
        ends = "never ends" if heals_at is None else f"ends at {format_duration(heals_at)}"
        raise FaultError(
            f"{fault.kind}: it {ends} and the run ends at {lasts}, but stresses has 'recover': leave"
            f" {format_duration(RECOVERY_MARGIN)} or more after the last fault"
        )


def _controls(table: Mapping[str, object], end: float) -> tuple[TimedControl, ...]:
    tables = subtables(table, "controls", "control")
    controls = []
    for number, entry in enumerate(tables, 1):
        try:
            control = read_control(entry)
        except ControlError as error:
            raise ScenarioError(f"control {number}: {error}") from None
        if not STEADY_BY <= control.at < end:
            raise ScenarioError(
                f"control {number}: {control.message.kind}: it is sent at {format_duration(control.at)}: it must be"
                f" {format_duration(STEADY_BY)} or later, and before the run ends at {format_duration(end)}"
            )
        controls.append(control)
    return tuple(controls)


def _require_control_link(scenario: Scenario) -> None:
    for fault in scenario.faults:
        if fault.on == "control" and "control" not in scenario.links:
            raise ScenarioError(
                f"{fault}: there is no control link: send something over it, in a table [[controls]]"
            )


def _require_end(scenario: Scenario) -> None:
    """What makes a tracker end, and what is expected, must go together."""
    ends, overflow = scenario.expect.ends, scenario.client.overflow
    stops = [control for control in scenario.controls if control.stops]
    if stops and ends != "stop-control":
        raise ScenarioError('controls has a stop, which ends the client: add expect.ends = "stop-control"')
    if ends == "stop-control" and not stops:
        raise ScenarioError("expect.ends is 'stop-control', but controls sends no stop over the control link")
    if ends == "outbox-full" and overflow != "fail":
        raise ScenarioError(
            f"expect.ends is 'outbox-full', but client.overflow is {overflow or 'latest'!r}: a full outbox ends a"
            ' client under client.overflow = "fail" only'
        )


_ENDS: tuple[StopCause, ...] = ("stop-control", "outbox-full")
"""What a scenario can ask for. A refusal for good needs no word of it: the fault says it."""


def _expect(table: Mapping[str, object]) -> Expect:
    names = [f.name for f in fields(Expect)]
    only(table, names, "expect.")
    thresholds = {
        name: positive(table, name, "expect.") for name in names if name not in ("ends", "keeps_connections")
    }
    return Expect(
        **thresholds,
        ends=one_of(table, "ends", _ENDS, "expect."),
        keeps_connections=switch(table, "keeps_connections", "expect."),
    )
