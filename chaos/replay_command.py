"""`simtool replay`: what happened in a trace, why, and whether it happens again."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from chaos import replay_report, report
from chaos.alignment import entries
from chaos.clients import Client
from chaos.clients.choose import DEFAULT, load_client
from chaos.clients.incident import IncidentAfter
from chaos.durations import DurationError, parse_duration
from chaos.findings import Diagnosis
from chaos.inference import Plot, diagnose, plot, scenario_name
from chaos.life import require_runnable
from chaos.minimise import Minimised, minimise, shows, symptom
from chaos.narrative import figures, narrate
from chaos.observed import Observed, observe
from chaos.peer_findings import unread
from chaos.pose_replay import CannotReplayError, replay_to
from chaos.replay import Replayed, field_tracker, replay
from chaos.results import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from chaos.scenario import ClientOverrides, Scenario, ScenarioError, parse
from chaos.scenario_toml import write
from chaos.trace_commands import FormatOption, checked_format
from chaos.traces import Trace, open_trace
from tracker.config import Timing

SCHEMA = "simtool.replay/1"
LONGEST = 1800.0
"""Seconds of a trace that are replayed at once; a longer one is cut to what is around its first trouble."""
LEAD = 20.0
"""Seconds before that trouble."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trace, understood."""

    trace: Trace
    seen: Observed
    diagnosis: Diagnosis
    plot: Plot
    cut: str | None = None
    """Which part of it is replayed, where it is not the whole."""


def replay_command(
    trace: Annotated[
        Path,
        typer.Argument(
            help="A tracker's trace, a record of a run, a websockets DEBUG log; with --to, a recording of poses."
        ),
    ],
    *,
    format_: FormatOption = "auto",
    engine: Annotated[str, typer.Option(help="sim, toxiproxy.")] = "sim",
    client: Annotated[
        str | None,
        typer.Option(help="Try another client against the same conditions: a name, or module:attr."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Try another setting, as in reconnect_cap=4s. May be repeated."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Leave out what comes earlier in the trace, as in 90s.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Leave out what comes later in it, as in 10m.")] = None,
    seed: Annotated[int, typer.Option(help="Decides what is left to chance.")] = 0,
    time_scale: Annotated[
        float, typer.Option(help="On toxiproxy, scenario seconds that pass in one second.")
    ] = 10.0,
    export: Annotated[
        Path | None, typer.Option(help="Write the inferred scenario to this .toml file.")
    ] = None,
    minimised: Annotated[
        bool,
        typer.Option("--minimise", help="Leave out of the scenario what the first trouble does not need."),
    ] = False,
    json: Annotated[str | None, typer.Option(help="Write the findings to this file; - is stdout.")] = None,
    to: Annotated[str | None, typer.Option(help="Send a recording of poses to this server instead.")] = None,
    speed: Annotated[float, typer.Option(help="With --to: this many times as fast.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="With --to: again and again.")] = False,
) -> None:
    """Tell what happened in a trace, infer the faults that explain it, play them, and compare.

    Exit codes: 0 reproduced, or with --client or --set all checks pass; 1 only partly or not reproduced, or some check
    failed; 2 wrong use; 3 the trace has nothing to replay, or the replay proved nothing; 130 interrupted.
    """
    if to is not None:
        raise typer.Exit(replay_to(trace, to, speed=speed, loop=loop))
    if engine not in ("sim", "toxiproxy"):
        raise CannotReplayError(f"--engine is {engine!r}: choose sim or toxiproxy")
    if export is not None:
        _require_name(export)
    settings = overrides(set_ or [])
    out = report.console(stderr=json == "-")
    opened = open_trace(trace, format=checked_format(format_))
    case = understand(opened, since=_duration("--since", since), until=_duration("--until", until))
    tell(out, case)
    if not any(record.spells or record.attempts for record in case.seen.links.values()):
        typer.echo(f"simtool: {trace}: no connection in it, so there is nothing to replay", err=True)
        raise typer.Exit(EXIT_UNKNOWN)
    wanted = Wanted(client, settings, engine, seed, time_scale)
    done, small = wanted.play(case, minimised=minimised)
    _tell_replay(out, case, wanted, done, small)
    if export is not None:
        _export(export, case, small)
    if json is not None:
        _write_json(json, case, wanted, done, small)
    raise typer.Exit(wanted.exit_code(done))


def understand(trace: Trace, *, since: float | None = None, until: float | None = None) -> Case:
    """Read the trace and infer. A very long one is read once more, for the part around its first trouble."""
    seen = observe(_part(trace, since, until))
    found = diagnose(seen)
    cut = None
    if seen.ended - seen.began > LONGEST:
        troubles = [finding.begin for finding in found.findings if not finding.from_start]
        begin = max(0.0, (min(troubles) if troubles else seen.began) - LEAD - seen.began) + (since or 0.0)
        seen = observe(_part(trace, begin, begin + LONGEST))
        found = diagnose(seen)
        cut = f"{begin:.0f} s to {begin + LONGEST:.0f} s of it; another part: --since and --until"
    config = trace.header.config
    name = trace.path.name.partition(".")[0] if trace.header.scenario is None else trace.header.scenario
    return Case(trace, seen, found, plot(seen, found, name=name, config=config), cut)


def _part(trace: Trace, since: float | None, until: float | None) -> Iterator[Any]:
    began: float | None = None
    for event in trace.events():
        if began is None:
            began = event.t
        if since is not None and event.t < began + since:
            continue
        if until is not None and event.t > began + until:
            return
        yield event


def tell(out: Console, case: Case) -> None:
    """The story and what explains it."""
    trace, seen = case.trace, case.seen
    for problem in trace.problems:
        typer.echo(f"simtool: {trace.path}: {problem}", err=True)
    replay_report.heading(out, f"What happened in {trace.path.name}")
    replay_report.story(out, narrate(seen, case.diagnosis), began=seen.began, anchor=trace.header.anchor)
    replay_report.heading(out, "In figures")
    replay_report.figures(out, figures(seen))
    replay_report.heading(out, "What explains it")
    replay_report.diagnosis(out, case.plot, case.diagnosis)
    if case.cut is not None:
        out.print(f"replayed: {case.cut}", style="yellow")


# The replay


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried against the field's conditions."""

    client: str | None
    settings: ClientOverrides
    engine: str
    seed: int
    time_scale: float

    @property
    def other(self) -> str | None:
        """What is different from the field, in words; None: nothing."""
        parts = [] if self.client is None else [self.client]
        if self.settings != ClientOverrides():
            parts.append("these settings")
        return " and ".join(parts) or None

    def who(self, case: Case) -> Client:
        """The client under test: the tracker, with the field's own back-off draws, unless another is wanted."""
        if self.client not in (None, DEFAULT):
            return load_client(str(self.client))
        if self.client is None and case.trace.kind == "websockets-log":
            return library_client(case)
        return field_tracker(case.seen, Timing(**case.plot.scenario.client.timing))

    def scenario(self, case: Case) -> Scenario:
        """The inferred one, with the settings that are wanted."""
        scenario = case.plot.scenario
        return replace(scenario, client=merged(scenario.client, self.settings))

    def play(self, case: Case, *, minimised: bool) -> tuple[Replayed, Minimised | None]:
        """The replay, and the minimised scenario where that is asked for."""
        scenario = self.scenario(case)
        require_runnable(scenario)
        done = self._once(case, scenario)
        if not minimised:
            return done, None
        return done, self._smallest(case, scenario, done)

    def _once(self, case: Case, scenario: Scenario) -> Replayed:
        return replay(
            case.seen,
            replace(case.plot, scenario=scenario),
            self.who(case),
            engine=self.engine,
            seed=self.seed,
            time_scale=self.time_scale,
        )

    def _smallest(self, case: Case, scenario: Scenario, done: Replayed) -> Minimised:
        wanted = symptom(entries(done.seen, zero=done.zero, until=done.seen.ended))
        if not wanted:
            raise CannotReplayError(
                "--minimise: nothing went wrong in the replay, so there is no symptom to keep: leave it out"
            )
        sim = replace(self, engine="sim")

        def still(smaller: Scenario) -> bool:
            again = sim._once(case, smaller)
            found = entries(again.seen, zero=again.zero, until=again.seen.ended)
            return again.broken is None and shows(wanted, found)

        typer.echo("simtool: leaving out what the first trouble does not need", err=True)
        return minimise(scenario, still)

    def exit_code(self, done: Replayed) -> int:
        """See the command."""
        if done.broken is not None:
            return EXIT_UNKNOWN
        if self.other is not None:
            return {"pass": EXIT_PASS, "fail": EXIT_FAIL, "unknown": EXIT_UNKNOWN}[done.judgement.verdict]
        return EXIT_PASS if done.comparison.verdict == "reproduced" else EXIT_FAIL


def library_client(case: Case) -> Client:
    """A client as the library's log shows it: one that reads its output or not, with that keepalive."""
    if not unread(case.seen.link("output")):
        return load_client("websockets-iterator")
    client = IncidentAfter()
    keepalive = case.trace.header.keepalive
    client.ping_interval = keepalive.get("ping_interval", client.ping_interval)
    client.ping_timeout = keepalive.get("ping_timeout", client.ping_timeout)
    return client


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
    lines = []
    for setting in settings:
        key, equals, value = setting.partition("=")
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


def _tell_replay(out: Console, case: Case, wanted: Wanted, done: Replayed, small: Minimised | None) -> None:
    who = done.history.client
    replay_report.heading(out, f"Replayed on {wanted.engine}, client {who}")
    if done.broken is not None:
        out.print(f"the replay itself failed: {done.broken}", style="red", markup=False)
        return
    replay_report.side_by_side(out, done.comparison, drawn=not hasattr(wanted.who(case), "drawn"))
    if wanted.other is None:
        replay_report.verdict(out, done.comparison)
    else:
        replay_report.instead(out, done.field_outcome, done.outcome, what=wanted.other)
        for check in done.judgement.checks:
            if check.verdict != "pass":
                out.print(f"  {check.verdict} {check.name}: {check.observed}", markup=False)
    if small is not None:
        replay_report.heading(out, f"Minimised in {small.runs} runs")
        for what in small.removed or ("nothing could be left out",):
            out.print(f"  {what}", markup=False)


# Files


def _export(file: Path, case: Case, small: Minimised | None) -> None:
    comments = {}
    if small is None:
        scenario = case.plot.scenario
        comments = {
            place: f"{finding.certainty}: {finding.why}"
            for place, (_, finding) in enumerate(case.plot.faults)
        }
    else:
        scenario = small.scenario
    scenario = replace(scenario, name=file.stem)
    text = write(scenario, folder=file.parent, comments=comments)
    parse(text, file)  # what nobody could load again is not written
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotReplayError(
            f"cannot write --export {file}: {error.strerror}: choose another file"
        ) from None
    typer.echo(f"simtool: wrote {file}", err=True)


def _require_name(file: Path) -> None:
    """Said before the replay is made, not after."""
    if file.suffix != ".toml" or scenario_name(file.stem) != file.stem:
        raise CannotReplayError(
            f"--export is {str(file)!r}: a scenario's file is named in lower-case words joined by hyphens, as in"
            f" {scenario_name(file.stem)}.toml"
        )
    if not os.access(file.parent, os.W_OK):
        raise CannotReplayError(
            f"cannot write --export {file}: choose a folder that exists and can be written to"
        )


def _write_json(to: str, case: Case, wanted: Wanted, done: Replayed, small: Minimised | None) -> None:
    document = {
        "schema": SCHEMA,
        "trace": case.trace.path.name,
        "engine": wanted.engine,
        "client": done.history.client,
        "verdict": done.comparison.verdict,
        "judged": done.judgement.verdict,
        "narrative": [
            {"t": round(line.t - case.seen.began, 3), "text": line.text}
            for line in narrate(case.seen, case.diagnosis)
        ],
        "faults": [
            {"fault": str(fault), "certainty": finding.certainty, "why": finding.why}
            for fault, finding in case.plot.faults
        ],
        "echo": case.diagnosis.echo,
        "unknown": [*case.diagnosis.unknown, *case.plot.left_out],
        "events": [
            {
                "link": (row.field or row.replay).link,  # type: ignore[union-attr]
                "field": None if row.field is None else {"t": round(row.field.t, 3), "what": row.field.text},
                "replay": None
                if row.replay is None
                else {"t": round(row.replay.t, 3), "what": row.replay.text},
                "matched": row.matched,
            }
            for row in done.comparison.rows
        ],
        "field": done.field_outcome.as_json(),
        "replay": done.outcome.as_json(),
        "removed": None if small is None else list(small.removed),
    }
    text = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    if to == "-":
        sys.stdout.buffer.write(text)
        return
    try:
        Path(to).write_bytes(text)
    except OSError as error:
        raise CannotReplayError(f"cannot write --json {to}: {error.strerror}: choose another file") from None


def _duration(option: str, given: str | None) -> float | None:
    try:
        return None if given is None else parse_duration(given)
    except DurationError as error:
        raise CannotReplayError(f"{option}: {error}") from None
