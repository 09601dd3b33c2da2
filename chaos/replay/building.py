"""From the faults that explain a trace to a scenario that brings it about again.                           pure"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import ceil
from typing import Any

from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.faults import Fault, FaultError, read_fault
from chaos.judging.recover import HANDSHAKE
from chaos.kinds import KINDS
from chaos.scenario import RECOVERY_MARGIN, STEADY_BY, ClientOverrides, Expect, Peer, Scenario, Workload
from chaos.timeline.observed import STEADY_AFTER, Observed
from simulator.climber import MAX_FPS, MIN_FPS
from tracker.config import ConfigError, OutboxLimits, Timing

AFTERWARDS = 10.0
"""Seconds, at least: one back-off at the default cap, a handshake, and a moment more."""
BEYOND = 2.0
"""Seconds that a replay goes on where the trace broke off, for what its last moments bring about."""
TALKLESS = 3.5
"""Times the floor of a probe's deadline within which a link is given up on which nothing comes at all."""
MOST_RESETS = 100
SHORTEST = 0.02
"""Seconds of a fault: what is shorter passes between two packets."""


@dataclass(frozen=True, slots=True)
class ReplayScenario:
    """A scenario made of a trace, and how the trace's clock translates to the scenario's."""

    scenario: Scenario
    zero: float
    """The time of the trace at which the scenario's clock stands at 0."""
    faults: tuple[tuple[Fault, Finding], ...]
    lead: float = 0.0
    """Seconds by which the replay is healthy for longer than the trace was before its first fault."""
    left_out: tuple[str, ...] = ()
    """Findings that no scenario can hold, each with the reason."""


def replay_scenario(
    seen: Observed, diagnosis: Diagnosis, *, name: str, config: Mapping[str, Any] | None
) -> ReplayScenario:
    """The scenario that replays the trace: its faults, its pace, its configuration."""
    fps = min(max(diagnosis.fps, MIN_FPS), MAX_FPS)
    steady = _steady(seen, fps)
    zero = _zero(seen, diagnosis, steady)
    faults: list[tuple[Fault, Finding]] = []
    left_out: list[str] = []
    last = max(0.0, seen.end - zero)
    for finding in diagnosis.findings:
        try:
            faults.append((_fault(finding, zero, last), finding))
        except FaultError as error:
            left_out.append(f"{finding.kind} at {finding.begin - seen.began:.1f} s: {error}")
    resets = tuple(round(t - zero, 3) for t in seen.resets[:MOST_RESETS] if STEADY_BY <= t - zero < last)
    over = [fault.at if fault.duration is None else fault.heals_at or 0.0 for fault, _ in faults]
    beyond = BEYOND if seen.stopping is None else 0.0
    expect = _expect(seen, config) if any(KINDS[f.kind].severs for f, _ in faults) else Expect()
    duration = max([last + beyond, STEADY_BY + RECOVERY_MARGIN, *(end + afterwards(expect) for end in over)])
    return ReplayScenario(
        Scenario(
            name=scenario_name(name),
            about=_about(diagnosis),
            stresses=_stresses(diagnosis, seen),
            duration=ceil(duration * 10) / 10,
            workload=Workload(fps=fps, reset_at=resets),
            client=overrides(config),
            peer=Peer(
                echo=diagnosis.echo, confirm="ack" if (config or {}).get("confirm") == "ack" else "pong"
            ),
            faults=tuple(fault for fault, _ in faults),
            expect=expect,
        ),
        zero,
        tuple(faults),
        lead=0.0 if zero == seen.began else steady - zero,
        left_out=tuple(left_out),
    )


def afterwards(expect: Expect) -> float:
    """Seconds that a replay goes on after the last fault, so that it shows whether the client came back in time."""
    return max(AFTERWARDS, (expect.recover_within or 0.0) + 1.0)


def _steady(seen: Observed, fps: float) -> float:
    """When ten outputs had arrived, or might have: the laboratory's clock starts then."""
    if seen.steady is not None:
        return seen.steady
    opened = [record.connections[0].opened for record in seen.links.values() if record.connections]
    return max(opened) + (STEADY_AFTER - 1) / fps if opened else seen.began


def _zero(seen: Observed, diagnosis: Diagnosis, steady: float) -> float:
    """Where the scenario's clock stands at 0: with the client's start, where a fault was there before it; else so that
    no fault begins in its first two seconds.
    """
    if any(finding.from_start for finding in diagnosis.findings):
        return seen.began
    first = min((finding.begin for finding in diagnosis.findings), default=None)
    return steady if first is None or first - steady >= STEADY_BY else first - STEADY_BY


def _fault(finding: Finding, zero: float, last: float) -> Fault:
    spec = KINDS[finding.kind]
    at = 0.0 if finding.from_start else max(STEADY_BY, finding.begin - zero)
    table: dict[str, object] = {"kind": finding.kind, "at": round(at, 3)}
    if spec.lasts != "never":
        end = finding.end
        if end is not None and end - zero < last:
            table["for"] = round(max(SHORTEST, end - zero - at), 3)
        elif spec.lasts == "required":
            table["for"] = round(max(SHORTEST, last - at), 3)
    if spec.links and finding.on is not None:
        table["on"] = finding.on
    if spec.directed:
        table["direction"] = finding.direction
    for key, value in finding.attributes.items():
        table[key] = list(value) if isinstance(value, tuple) else value
    return read_fault(table)[0]


def _stresses(diagnosis: Diagnosis, seen: Observed) -> tuple[str, ...]:
    severing = [finding for finding in diagnosis.findings if KINDS[finding.kind].severs]
    names = ["no-loss", "in-order"]
    if not severing:
        names.append("no-false-kill")
    elif all(finding.end is not None and finding.end < seen.end for finding in severing):
        names.append("recover")
    if severing and any(
        connection.died is not None for record in seen.links.values() for connection in record.connections
    ):
        names.append("detect")
    return tuple(names)


def _expect(seen: Observed, config: Mapping[str, Any] | None) -> Expect:
    """A peer that talks and hears nothing is borne up to the ceiling, which is longer than the promise's own bound.

    That a client comes back is asked of everybody, also of one that announces no delays.
    """
    timing = Timing(**overrides(config).timing)
    back_within = timing.reconnect_cap + HANDSHAKE
    died = [
        connection.died
        for record in seen.links.values()
        for connection in record.connections
        if connection.died is not None
    ]
    if max((event.silence for event in died), default=0.0) <= TALKLESS * timing.probe_floor:
        return Expect(recover_within=back_within)
    return Expect(detect_within=timing.probe_ceiling + timing.probe_interval, recover_within=back_within)


def _about(diagnosis: Diagnosis) -> str:
    kinds = list(dict.fromkeys(finding.kind for finding in diagnosis.findings))
    if diagnosis.echo:
        kinds.insert(0, "a peer that sends everything back")
    what = ", ".join(kinds) if kinds else "nothing that a scenario holds"
    return f"Inferred from a trace: {what}."


def scenario_name(text: str) -> str:
    """A file's name as a scenario's: lower-case words joined by hyphens."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)[:60].strip("-") or "field"


def overrides(config: Mapping[str, Any] | None) -> ClientOverrides:
    """What the traced tracker was told otherwise than by default; nothing where its configuration is unknown."""
    if not config:
        return ClientOverrides()
    timing, outbox = _changed(config.get("timing"), Timing()), _changed(config.get("outbox"), OutboxLimits())
    confirm, overflow = config.get("confirm"), config.get("overflow")
    try:
        Timing(**timing)
        OutboxLimits(**{key: int(value) for key, value in outbox.items()})
    except (ConfigError, TypeError, ValueError):
        return ClientOverrides()
    return ClientOverrides(
        timing=timing,
        outbox={key: int(value) for key, value in outbox.items()},
        confirm=confirm if confirm in ("ack", "none") else None,
        overflow=overflow if overflow in ("block", "fail") else None,
    )


def _changed(table: object, default: Timing | OutboxLimits) -> dict[str, float]:
    if not isinstance(table, Mapping):
        return {}
    return {
        f.name: table[f.name]
        for f in fields(default)
        if isinstance(table.get(f.name), int | float) and table[f.name] != getattr(default, f.name)
    }
