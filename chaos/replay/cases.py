"""A trace on the desk: read, understood, and played against whatever is to be tried."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from chaos.clients import Client
from chaos.clients.choose import DEFAULT, load_client
from chaos.clients.websockets_iterator import CLOSE, PING, UNREAD
from chaos.diagnosis.findings import Diagnosis, Finding
from chaos.diagnosis.inference import diagnose
from chaos.diagnosis.peer_findings import unread
from chaos.durations import clock
from chaos.engines import Engine, EngineError
from chaos.faults import Fault
from chaos.replay.alignment import entries
from chaos.replay.building import ReplayScenario, replay_scenario
from chaos.replay.field_frames import kept_frames
from chaos.replay.field_pauses import FieldPauses
from chaos.replay.minimise import Minimised, first_trouble, minimise, shows
from chaos.replay.playing import FieldTracker, Replayed, field_tracker, find_its_end, replay
from chaos.replay.story import Story
from chaos.reports.results import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from chaos.runner import Plan, engine_for
from chaos.scenario import ClientOverrides, Scenario, ScenarioError
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from chaos.timeline.observed import Observed
from chaos.timeline.parts import observe_parts
from chaos.traces.reading import Trace
from chaos.traces.wire import Entry
from chaos.workloads import CannotRunError, require_runnable
from tracker.config import OutboxLimits, Timing

SOONEST_CLOSE = 0.05
"""Seconds; a close handshake needs a round trip."""
EXITS = {"reproduced": EXIT_PASS, "partly": EXIT_FAIL, "not": EXIT_FAIL, "no-evidence": EXIT_UNKNOWN}


class CannotReplayError(Exception):
    """What was asked for cannot be done; the text is one line for whoever asked."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trace, understood: the whole is made, and the part of it with the first trouble can be replayed."""

    trace: Trace
    story: Story
    seen: Observed
    """Of that part, as are `diagnosis` and `made`."""
    diagnosis: Diagnosis
    made: ReplayScenario

    @property
    def lacking(self) -> str | None:
        """Why nothing of it can be replayed; None: it can be."""
        if self.trace.header.role != "tracker":
            return "a record of a client that reports nothing itself"
        if not any(record.connections or record.attempts for record in self.seen.links.values()):
            return "no connection in it"
        return None if self.seen.ended > self.seen.began else "no time passes in it"

    @property
    def cut(self) -> str | None:
        """Which part it is, where it is not the whole."""
        if self.story.parts == 1:
            return None
        begin, end = (clock(t - self.story.began) for t in (self.seen.began, self.seen.ended))
        why = "the first trouble is there" if _troubled(self.diagnosis) else "there is no trouble in any"
        return f"+{begin} to +{end}, one of {self.story.parts} parts: {why}; for another: --since and --until"


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over a trace tells."""

    story: Story
    seen: Observed
    """Of the part with the first trouble, as is `diagnosis`."""
    diagnosis: Diagnosis


def read_through(
    trace: Trace,
    *,
    since: float | None = None,
    until: float | None = None,
    each: Callable[[Entry], None] | None = None,
) -> Pass:
    """Read the trace, in one pass; `each` is called with every entry of a log that is read for it."""
    story = Story()
    chosen: tuple[Observed, Diagnosis] | None = None
    for seen, last in _with_last(observe_parts(_part(trace.events(each=each), since, until))):
        if last and trace.surveyed is not None:
            find_its_end(seen)
        found = diagnose(seen)
        story.add(seen, found, last=last)
        if chosen is None or (_troubled(found) and not _troubled(chosen[1])):
            chosen = seen, found
    assert chosen is not None, "there is at least one part"
    return Pass(story, *chosen)


def understand(
    trace: Trace,
    folder: Path,
    *,
    since: float | None = None,
    until: float | None = None,
    engine: str = "sim",
) -> Case:
    """Read the trace, in one pass, and infer what `engine` can do; frames that it kept go into `folder`."""
    return prepare(trace, read_through(trace, since=since, until=until), folder, engine=engine)


def prepare(trace: Trace, read: Pass, folder: Path, *, engine: str = "sim") -> Case:
    """Infer what `engine` can do; frames that the trace kept go into `folder`."""
    seen, found = read.seen, read.diagnosis
    name = trace.header.scenario or trace.path.name.partition(".")[0]
    made = replay_scenario(seen, found, name=name, config=trace.header.config)
    made = _runnable(made, engine_for(Plan(made.scenario, engine, 0, 1.0, folder)))
    frames = kept_frames(trace, folder, made.scenario.name, since=seen.began, until=seen.ended)
    if frames is not None:
        frames = replace(frames, reset_at=made.scenario.workload.reset_at)
        made = replace(made, scenario=replace(made.scenario, workload=frames))
    return Case(trace, read.story, seen, found, made)


def _with_last(parts: Iterator[Observed]) -> Iterator[tuple[Observed, bool]]:
    before = next(parts)
    for part in parts:
        yield before, False
        before = part
    yield before, True


def _troubled(found: Diagnosis) -> bool:
    return any(not finding.from_start for finding in found.findings)


def _runnable(made: ReplayScenario, engine: Engine) -> ReplayScenario:
    """Without what no scenario can say, or this engine cannot do, which is said."""
    kept: list[tuple[Fault, Finding]] = []
    left_out = list(made.left_out)
    for fault, finding in made.faults:
        # Of the others only those of its kind on its link can be in its way.
        alike = tuple(other for other, _ in kept if (other.kind, other.on) == (fault.kind, fault.on))
        try:
            require_exportable(replace(made.scenario, faults=(*alike, fault)), engine)
        except (CannotRunError, EngineError, ScenarioError) as error:
            left_out.append(str(error))
        else:
            kept.append((fault, finding))
    scenario = replace(made.scenario, faults=tuple(fault for fault, _ in kept))
    return replace(made, scenario=scenario, faults=tuple(kept), left_out=tuple(left_out))


def require_exportable(scenario: Scenario, engine: Engine) -> None:
    """Raises `ScenarioError`, `CannotRunError` or `EngineError` for one that could not be read again, or not be run."""
    require_runnable(parse(write(scenario), Path(f"{scenario.name}.toml")))
    engine.require_able(scenario.faults)


def _part(found: Iterable[Any], since: float | None, until: float | None) -> Iterator[Any]:
    began: float | None = None
    for event in found:
        if began is None:
            began = event.t
        if since is not None and event.t < began + since:
            continue
        if until is not None and event.t > began + until:
            return
        yield event


# The replay


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried against the field's conditions."""

    client: str | None
    settings: ClientOverrides
    engine: str
    seed: int
    time_scale: float

    def draws_anew(self, case: Case) -> bool:
        """Whether the back-offs are other than the field's."""
        return not isinstance(self.who(case), FieldTracker | FieldPauses)

    @property
    def other(self) -> str | None:
        """What is different from the field, in words; None: nothing."""
        settings = self.settings
        parts = [] if self.client is None else [self.client]
        parts += [f"{name}={seconds:g}s" for name, seconds in settings.timing.items()]
        parts += [f"outbox_{name}={value}" for name, value in settings.outbox.items()]
        parts += [
            f"{name}={value}"
            for name, value in (("confirm", settings.confirm), ("overflow", settings.overflow))
            if value is not None
        ]
        return ", ".join(parts) or None

    def remark(self, case: Case) -> str:
        """Where the exported scenario is other than the field, and how the field was there; empty: nowhere."""
        field = case.made.scenario.client
        parts = []
        for table, default, inferred, prefix in (
            (self.settings.timing, Timing(), field.timing, ""),
            (self.settings.outbox, OutboxLimits(), field.outbox, "outbox_"),
        ):
            for key, value in table.items():
                before = inferred.get(key, getattr(default, key))
                unit = "" if prefix else "s"
                parts.append(f"{prefix}{key} is {value:g}{unit} here, and was {before:g}{unit}")
        for key in ("confirm", "overflow"):
            if (value := getattr(self.settings, key)) is not None:
                was = getattr(field, key)
                parts.append(f"{key} is {value} here, and was {was or 'as by default'}")
        return f"Not as in the field: {'; '.join(parts)}." if parts else ""

    def who(self, case: Case) -> Client:
        """The client under test: the tracker, with the field's own back-off draws, unless another is wanted."""
        if self.client not in (None, DEFAULT):
            return load_client(str(self.client))
        if self.client is None and case.trace.surveyed is not None:
            return library_client(case)
        return field_tracker(case.seen, Timing(**case.made.scenario.client.timing))

    def scenario(self, case: Case) -> Scenario:
        """The inferred one, with the settings that are wanted."""
        scenario = case.made.scenario
        return replace(scenario, client=merged(scenario.client, self.settings))

    def play(self, case: Case, *, minimised: bool) -> tuple[Replayed, Minimised | None]:
        """The replay, and the minimised scenario where that is asked for."""
        scenario = self.scenario(case)
        require_runnable(scenario)
        done = self.once(case, scenario)
        if not minimised:
            return done, None
        return done, self._smallest(case, scenario, done)

    def once(self, case: Case, scenario: Scenario) -> Replayed:
        """One run."""
        return replay(
            case.seen,
            replace(case.made, scenario=scenario),
            self.who(case),
            engine=self.engine,
            seed=self.seed,
            time_scale=self.time_scale,
        )

    def _smallest(self, case: Case, scenario: Scenario, done: Replayed) -> Minimised:
        wanted = first_trouble(entries(done.seen, zero=done.zero, until=done.seen.ended))
        if not wanted:
            raise CannotReplayError(
                "--minimise: nothing went wrong in the replay, so there is no trouble to keep: leave it out"
            )
        sim = replace(self, engine="sim")

        def still(smaller: Scenario) -> bool:
            again = sim.once(case, smaller)
            found = entries(again.seen, zero=again.zero, until=again.seen.ended)
            return again.broken is None and shows(wanted, found)

        return minimise(scenario, still)

    def exit_code(self, done: Replayed) -> int:
        """See the command."""
        if done.broken is not None:
            return EXIT_UNKNOWN if done.broken.who == "laboratory" else EXIT_FAIL
        if self.other is not None:
            return {"pass": EXIT_PASS, "fail": EXIT_FAIL, "unknown": EXIT_UNKNOWN}[done.judgement.verdict]
        return EXITS[done.comparison.verdict]


def library_client(case: Case) -> Client:
    """A client as the library's log shows it: with those time-outs and pauses, and reading its output or not."""
    keepalive = case.trace.header.keepalive
    mistaken = unread(case.seen.link("output"))
    closing = [
        connection.closed.t - connection.died.t
        for record in case.seen.links.values()
        for connection in record.connections
        if connection.closed is not None and connection.died is not None
    ]
    return FieldPauses(
        case.seen,
        keepalive.get("ping_interval", PING),
        keepalive.get("ping_timeout", PING),
        max(SOONEST_CLOSE, median(closing)) if closing else CLOSE,
        reads=not mistaken,
        unread=max(1, min(connection.unasked for connection in mistaken) - 1) if mistaken else UNREAD,
    )


def merged(old: ClientOverrides, new: ClientOverrides) -> ClientOverrides:
    """Both; where they disagree, `new`."""
    return ClientOverrides(
        timing={**old.timing, **new.timing},
        outbox={**old.outbox, **new.outbox},
        confirm=new.confirm or old.confirm,
        overflow=new.overflow or old.overflow,
    )


def overrides(settings: Iterable[str]) -> ClientOverrides:
    """What `--set key=value` says, by the keys of a scenario's table [client]. Raises `CannotReplayError`."""
    lines, keys = [], set[str]()
    for setting in settings:
        key, equals, value = setting.partition("=")
        if key in keys:
            raise CannotReplayError(f"--set names {key} twice: give it once")
        keys.add(key)
        if not equals or not key.isidentifier() or not value:
            raise CannotReplayError(f"--set is {setting!r}: write key=value, as in reconnect_cap=4s")
        lines.append(f"{key} = {value if value.isdecimal() else msgspec.json.encode(value).decode()}")
    text = "\n".join(
        [
            'name = "set"',
            'about = "-"',
            'stresses = ["no-loss"]',
            'duration = "9s"',
            "[peer]",
            'confirm = "ack"',
            "[client]",
            *lines,
        ]
    )
    try:
        return parse(text, Path("set.toml")).client
    except ScenarioError as error:
        raise CannotReplayError(f"--set: {str(error).removeprefix('set.toml: ')}") from None
