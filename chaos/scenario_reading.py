"""A scenario's file read, strictly: every key is checked, and all that is wrong is told at once.             pure

The format is TOML. An unknown key is an error that names the nearest valid one, so that no misspelled fault passes as a
healthy run. The keys are a table of their own, `chaos.scenario_keys`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.controls import TimedControl, read_control
from chaos.durations import LONGEST, format_duration
from chaos.faults import Fault, FaultError, read_fault
from chaos.file_keys import read_keys
from chaos.file_values import FileError, Problems, complaints, subtable, subtables, text, toml_tables
from chaos.scenario import (
    LEAN_FPS,
    NAME,
    ONLY_VIRTUAL,
    RECOVERY_MARGIN,
    STEADY_BY,
    ClientOverrides,
    Expect,
    Peer,
    Scenario,
    ScenarioError,
    Workload,
    on_preset,
)
from chaos.scenario_keys import (
    CLIENT,
    EXPECT,
    GENERATED,
    OUTBOX,
    PEER,
    RECORDED,
    SCENARIO,
    TABLES,
    TIMING,
    WORKLOAD,
)
from tracker.config import ConfigError, OutboxLimits, Timing


def parse(text: str, file: Path) -> Scenario:
    """The scenario that `text` says. `file` gives its name, and the folder of a recording; it is not opened.

    Raises ScenarioError with a line for each thing wrong.
    """
    try:
        scenario = _scenario(toml_tables(text, "a scenario"), file)
    except FileError as error:
        raise ScenarioError(*complaints(error, text, file)) from None
    except ValueError as error:  # Python's own for a hexadecimal number too long to print in our text
        raise ScenarioError(f"{file}: {error}") from None
    return scenario


# One function a table, in the order of the file


def _scenario(table: Mapping[str, object], file: Path) -> Scenario:
    problems = Problems()
    values = read_keys(table, SCENARIO, "", problems, besides=filter(None, TABLES))
    problems.gather(None, _require_name, values.get("name"), file)
    stresses = values.get("stresses", ())
    duration = values.get("duration", LONGEST)

    def under(key: str) -> Mapping[str, object]:
        return problems.gather({}, subtable, table, key)

    scenario = Scenario(
        name=values.get("name", file.stem),
        about=" ".join(values.get("about", "").split()),
        stresses=stresses,
        duration=duration,
        workload=_workload(under("workload"), file, duration, problems),
        client=_client(under("client"), problems),
        peer=Peer(**read_keys(under("peer"), PEER, "peer.", problems)),
        faults=_faults(
            table, duration, problems, judges_recovery="recover" in stresses and "duration" in values
        ),
        controls=_controls(table, duration, problems),
        expect=Expect(**read_keys(under("expect"), EXPECT, "expect.", problems)),
        sim_only=values.get("sim_only", ONLY_VIRTUAL if "schedule" in values else None),
        schedule=values.get("schedule"),
    )
    together = (
        (_require_acks, ("client", "peer")),
        (_require_control_link, ("faults", "controls")),
        (_require_end, ("client", "controls", "expect")),
        (_require_climb, ("stresses", "workload")),
    )
    for require in [rule for rule, tables in together if not problems.within(*tables)]:
        problems.gather(None, require, scenario)
    problems.raise_any()
    return on_preset(scenario, values["preset"]) if "preset" in values else scenario


def _require_name(name: str | None, file: Path) -> None:
    if name is None:
        return
    if not NAME.fullmatch(name):
        raise FileError(
            f"name is {name!r}: it must be lower-case words joined by hyphens, as in 'slow-link'", "name"
        )
    if name != file.stem:
        raise FileError(f"name is {name!r}, but the file is {file.name!r}: make them the same", "name")


def _require_acks(scenario: Scenario) -> None:
    if scenario.client.confirm == "ack" and scenario.peer.confirm != "ack":
        raise FileError(
            "client.confirm is 'ack', but the peer sends no acks: add peer.confirm = \"ack\"",
            *("client", "confirm"),
        )


def _workload(table: Mapping[str, object], file: Path, end: float, problems: Problems) -> Workload:
    values = read_keys(table, WORKLOAD, "workload.", problems)
    reset_at = values.get("reset_at", ())
    for at in reset_at:
        if not STEADY_BY <= at < end:
            problems.add(
                FileError(
                    f"workload.reset_at has {format_duration(at)}: {_within_the_run(end)}",
                    *("workload", "reset_at"),
                )
            )
    recorded = "recording" in table
    for key in GENERATED if recorded else RECORDED:
        if key.name in table:
            beside = "beside workload.recording: keep one of the two"
            without = "without workload.recording: a generated climb has a wall of its own"
            problems.add(
                FileError(
                    f"workload.{key.name} is given {beside if recorded else without}", "workload", key.name
                )
            )
    if recorded:
        for key in RECORDED:
            problems.gather(None, text, table, key.name, key.sort.said, "workload.")
    elif values.get("kind") == "lean":
        if "holds" in table:
            problems.add(FileError(_NO_CLIMB.format("workload.holds is given"), "workload", "holds"))
        values.setdefault("fps", LEAN_FPS)
    return Workload(**_with_paths(values, file.parent))


_NO_CLIMB = "{}, but workload.kind is 'lean', which shows no climb: leave one of the two out"


def _require_climb(scenario: Scenario) -> None:
    if scenario.workload.kind == "lean" and "same-climb" in scenario.stresses:
        raise FileError(_NO_CLIMB.format("stresses has 'same-climb'"), "stresses")


def _with_paths(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    paths = {key.name: folder / values[key.name] for key in RECORDED if key.name in values}
    return {**values, **paths}


def _within_the_run(end: float) -> str:
    return (
        f"it must be {format_duration(STEADY_BY)} or later, and before the run ends at {format_duration(end)}"
    )


def _client(table: Mapping[str, object], problems: Problems) -> ClientOverrides:
    values = read_keys(table, CLIENT, "client.", problems)
    timing = {key.name: values[key.name] for key in TIMING if key.name in values}
    outbox = {key.name.removeprefix("outbox_"): values[key.name] for key in OUTBOX if key.name in values}
    try:
        Timing(**timing)
        OutboxLimits(**outbox)
    except ConfigError as error:
        problems.add(FileError(f"client: {error}", "client"))
    return ClientOverrides(timing, outbox, values.get("confirm"), values.get("overflow"))


def _faults(
    table: Mapping[str, object], end: float, problems: Problems, *, judges_recovery: bool
) -> tuple[Fault, ...]:
    tables: list[dict[str, object]] = problems.gather([], subtables, table, "faults", "fault")
    faults: list[Fault] = []
    for index, entry in enumerate(tables):
        try:
            these = read_fault(entry)
            for fault in these:
                _in_time(fault, end, judges_recovery=judges_recovery)
        except FaultError as error:
            problems.add(error.inside(f"fault {index + 1}: ", "faults", index))
        else:
            faults += these
    problems.gather(None, _one_at_a_time, faults)
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
                raise FileError(
                    f"two faults are in force at once, {earlier}, and {later}: let one end before the other",
                    "faults",
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


def _controls(table: Mapping[str, object], end: float, problems: Problems) -> tuple[TimedControl, ...]:
    tables: list[dict[str, object]] = problems.gather([], subtables, table, "controls", "control")
    controls = []
    for index, entry in enumerate(tables):
        try:
            control = read_control(entry)
            if not STEADY_BY <= control.at < end:
                sent = f"it is sent at {format_duration(control.at)}: {_within_the_run(end)}"
                raise FileError(f"{control.message.kind}: {sent}", "at")  # noqa: TRY301 - one place adds the number
        except FileError as error:
            problems.add(error.inside(f"control {index + 1}: ", "controls", index))
        else:
            controls.append(control)
    return tuple(controls)


def _require_control_link(scenario: Scenario) -> None:
    for fault in scenario.faults:
        if fault.on == "control" and "control" not in scenario.links:
            raise FileError(
                f"{fault}: there is no control link: send something over it, in a table [[controls]]",
                "faults",
            )


def _require_end(scenario: Scenario) -> None:
    """What makes a tracker end, and what is expected, must go together."""
    ends, overflow = scenario.expect.ends, scenario.client.overflow
    stops = [control for control in scenario.controls if control.stops]
    if stops and ends != "stop-control":
        raise FileError(
            'controls has a stop, which ends the client: add expect.ends = "stop-control"', "controls", 0
        )
    if ends == "stop-control" and not stops:
        raise FileError(
            "expect.ends is 'stop-control', but controls sends no stop over the control link",
            "expect",
            "ends",
        )
    if ends == "outbox-full" and overflow != "fail":
        raise FileError(
            f"expect.ends is 'outbox-full', but client.overflow is {overflow or 'latest'!r}: a full outbox ends a"
            ' client under client.overflow = "fail" only',
            *("expect", "ends"),
        )
