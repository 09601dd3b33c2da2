"""A scenario as data: what runs, what goes wrong when, and what is expected.                                pure

All durations are seconds of scenario time. `chaos.scenario_reading` makes one of a file, `chaos.scenario_writing` a file
of one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from chaos.controls import TimedControl
from chaos.faults import Fault
from chaos.file_values import RefusedFile
from chaos.kinds import ALL_LINKS, LINKS, Link
from chaos.nearest import unknown_name
from chaos.presets import PRESETS, Preset
from simulator.climber import MIN_FPS
from tracker.config import Confirm, Overflow, TrackerConfig
from tracker.events import StopCause

PROMISES = (
    "no-loss",
    "in-order",
    "intact",
    "dedup-safe",
    "bounded",
    "detect",
    "no-false-kill",
    "single",
    "recover",
    "polite",
    "clean-stop",
    "same-climb",
    "survives-input",
)
"""The tracker's promises, by the names that checks and scenarios use."""

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a scenario may be called, and its file."""
STEADY_BY = 2.0
"""Seconds. No fault begins earlier, unless at 0: a run that never was healthy says nothing about what a fault broke."""
RECOVERY_MARGIN = 5.0
"""Seconds of healed path that a run which judges `recover` needs at its end."""


PeerConfirm = Literal["pong", "ack"]
WorkloadKind = Literal["climb", "lean"]
LEAN_FPS = 10.0
"""Messages a second of a lean workload that says nothing else."""
MAX_DURATION = 86_400.0
"""Seconds of one run: a day. Longer is a slip of the pen."""
ONLY_VIRTUAL = "the order of tasks is drawn on virtual time alone"
"""Why a scenario with a schedule cannot run on real sockets."""
MOST_SCHEDULES = 1_000_000_000
MAX_CLIENTS = 100
"""All of them share one process."""


class ScenarioError(RefusedFile):
    """A scenario that cannot be used; a line for each thing wrong has the file, the line, the key and the remedy."""


class UnsuitablePreset(ScenarioError):
    """A network on which a scenario would say nothing about its client; the text says why."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the pose server feeds: a generated climb, or a recording, or messages that are cheap to make and to judge."""

    kind: WorkloadKind = "climb"
    """`lean`: small messages that go the way of all others and show nobody's climb, so that nobody judges one."""
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
    """Thresholds in seconds, beyond the promises' own defaults (None: the default decides); and how the run ends."""

    detect_within: float | None = None
    """From the begin of a fault to the client giving the link up."""
    recover_within: float | None = None
    """From the heal of a fault to the first delivery."""
    longest_silence: float | None = None
    """Between two deliveries."""
    ends: StopCause | None = None
    """The cause for which a tracker must come to its end by itself; None: it must not."""
    keeps_connections: bool = False
    """Whether the scenario's faults excuse no lost connection, although faults of their kinds may."""


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
    controls: tuple[TimedControl, ...] = ()
    """What the peer tells the client to do; in the order of the file."""
    expect: Expect = Expect()
    sim_only: str | None = None
    """Why it cannot run on real sockets; None: it can. One with a `schedule` cannot, and has a reason."""
    schedule: int | None = None
    """What the order is drawn from in which tasks run that are ready at one moment; None: first come, first served."""
    preset: str | None = None
    """The network that it lies on, by its name in `chaos.presets`; None: an undisturbed one."""

    @property
    def from_start(self) -> bool:
        """Whether a fault is in force before the client starts; the scenario's clock then starts with the client."""
        return any(fault.at == 0 for fault in self.faults)

    @property
    def links(self) -> tuple[Link, ...]:
        """Those that its client has: the control link only where something is sent over it."""
        return ALL_LINKS if any(control.on == "control" for control in self.controls) else LINKS

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


NO_SCENARIO = Scenario("field", "-", (), 0.0)
"""Of a record that was made in the field: no promise is stressed, no limit set, and no fault known."""
