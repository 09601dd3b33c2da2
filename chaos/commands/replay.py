"""`simtool replay`: what happened in a trace, why, and whether it happens again."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from chaos.commands.check import FormatOption, checked_format
from chaos.commands.log_telling import also_assumed, nothing_to_replay, read_once, tell_log
from chaos.commands.outputs import write_output
from chaos.commands.planning import require_time_scale
from chaos.commands.sending import send_to
from chaos.diagnosis.findings import Finding
from chaos.diagnosis.telling import Told
from chaos.durations import DurationError, parse_duration
from chaos.replay import replay_report
from chaos.replay.building import scenario_name
from chaos.replay.cases import CannotReplayError, Case, Pass, Wanted, overrides, prepare, read_through
from chaos.replay.field_frames import beside
from chaos.replay.minimise import Minimised
from chaos.replay.playing import Replayed
from chaos.reports import report
from chaos.reports.log_report import heading, told_as_json
from chaos.reports.results import EXIT_UNKNOWN
from chaos.scenario import Workload
from chaos.scenario_reading import parse
from chaos.scenario_writing import write
from chaos.temporary import temporary_folder
from chaos.traces.reading import Trace, open_trace
from chaos.workloads import require_runnable
from tracker.user_files import write_private

SCHEMA = "simtool.replay/1"


def replay(
    trace: Annotated[
        Path,
        typer.Argument(
            help="A tracker's trace, a record of a run, a DEBUG log of websockets, a trace of websocket-client, a HAR; with --to, a recording of poses."
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
    repair: Annotated[
        bool, typer.Option("--repair", help="With --to: mend missing and unordered timestamps.")
    ] = False,
) -> None:
    """Tell what happened in a trace, infer the faults that explain it, play them, and compare.

    Exit codes: 0 reproduced, or with --client or --set all checks pass; 1 only partly or not reproduced, or some check
    failed; 2 wrong use; 3 nothing to replay, no trouble to compare, or a laboratory that failed; 130 interrupted.
    """
    if to is not None:
        raise typer.Exit(send_to(trace, to, speed=speed, loop=loop, repair=repair))
    if engine not in ("sim", "toxiproxy"):
        raise CannotReplayError(f"--engine is {engine!r}: choose sim or toxiproxy")
    require_time_scale(time_scale)
    if export is not None:
        _require_name(export)
    settings = overrides(set_ or [])
    out = report.console(stderr=json == "-")
    opened = open_trace(trace, format=checked_format(format_))
    wanted = Wanted(client, settings, engine, seed, time_scale)
    begin, end = _duration("--since", since), _duration("--until", until)
    told, read = (
        (None, read_through(opened, since=begin, until=end))
        if opened.surveyed is None
        else _tell_log(out, opened, begin, end, json)
    )
    with temporary_folder() as folder:
        case = prepare(opened, read, folder, engine=engine)
        if told is None:
            tell_what_happened(out, case)
        if case.lacking is not None:
            typer.echo(f"simtool: {trace}: {case.lacking}, so there is nothing to replay", err=True)
            raise typer.Exit(EXIT_UNKNOWN)
        if told is None:
            tell_why(out, case)
        else:
            heading(out, "What the replay assumes")
            replay_report.assumed(out, case.made, case.diagnosis)
            for text in also_assumed(opened):
                out.print(text, markup=False)
        if minimised:
            typer.echo("simtool: leaving out what the first trouble does not need", err=True)
        done, small = wanted.play(case, minimised=minimised)
        _tell_replay(out, case, wanted, done, small)
        if export is not None:
            _export(export, case, wanted, small)
    if json is not None:
        _write_json(json, case, wanted, done, small, told=told)
    raise typer.Exit(wanted.exit_code(done))


def _tell_log(
    out: Console, trace: Trace, since: float | None, until: float | None, json: str | None
) -> tuple[Told, Pass]:
    """What a log tells, and what its replay is made of; the end of it where there is nothing to replay."""
    diagnosis, read = read_once(trace, since=since, until=until)
    told = tell_log(out, trace, diagnosis)
    lacking = nothing_to_replay(diagnosis)
    if lacking is not None or read is None:
        typer.echo(f"simtool: {trace.path}: {lacking}", err=True)
        if json is not None:
            document = {"schema": SCHEMA, "trace": trace.path.name, "told": told_as_json(told)}
            write_output("--json", json, msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        raise typer.Exit(EXIT_UNKNOWN)
    return told, read


def tell_what_happened(out: Console, case: Case) -> None:
    """The story of the whole trace, and what was left out of it."""
    trace, told = case.trace, case.story
    for problem in trace.problems:
        typer.echo(f"simtool: {trace.path}: {problem}", err=True)
    heading(out, f"What happened in {trace.path.name}")
    replay_report.story(out, told.lines, began=told.began, anchor=trace.header.anchor)


def tell_why(out: Console, case: Case) -> None:
    """The figures, and what explains the part that is replayed."""
    heading(out, "In figures")
    replay_report.figures(out, case.story.figures)
    heading(out, "What explains it")
    if case.cut is not None:
        out.print(f"from {case.cut}", style="yellow", markup=False)
    replay_report.diagnosis(out, case.made, case.diagnosis)


def _tell_replay(out: Console, case: Case, wanted: Wanted, done: Replayed, small: Minimised | None) -> None:
    who = done.history.client
    heading(out, f"Replayed on {wanted.engine}, client {who}")
    if done.broken is not None:
        out.print(f"the {done.broken.who} failed: {done.broken.told}", style="red", markup=False)
        return
    replay_report.side_by_side(out, done.comparison, drawn=wanted.draws_anew(case))
    if wanted.other is None:
        replay_report.verdict(out, done.comparison)
    else:
        replay_report.instead(out, done.comparison, done.field_outcome, done.outcome, what=wanted.other)
        for check in done.judgement.checks:
            if check.verdict != "pass":
                out.print(f"  {check.verdict} {check.name}: {check.observed}", markup=False)
    if small is not None:
        heading(out, f"Minimised in {small.runs} runs")
        for what in small.removed or ("nothing could be left out",):
            out.print(f"  {what}", markup=False)


# Files


def _export(file: Path, case: Case, wanted: Wanted, small: Minimised | None) -> None:
    """What was played, with the settings that were tried; what nobody could load or run again is not written."""
    comments = {}
    if small is None:
        scenario = wanted.scenario(case)
        comments = {
            place: f"{finding.certainty}: {finding.why}"
            for place, (_, finding) in enumerate(case.made.faults)
        }
    else:
        scenario = small.scenario
    scenario = replace(scenario, name=file.stem, workload=_beside(scenario.workload, file))
    text = write(scenario, folder=file.parent, comments=comments, remark=wanted.remark(case))
    require_runnable(parse(text, file))
    try:
        write_private(file, text.encode())
    except OSError as error:
        raise CannotReplayError(
            f"cannot write --export {file}: {error.strerror}: choose another file"
        ) from None
    typer.echo(f"simtool: wrote {file}", err=True)


def _beside(workload: Workload, file: Path) -> Workload:
    """A recording of kept frames and its wall's files go with the scenario."""
    if workload.recording is None:
        return workload
    moved = beside(workload, file.parent, file.stem)
    for old, new in (
        (workload.recording, moved.recording),
        (workload.wall, moved.wall),
        (workload.calibration, moved.calibration),
        (workload.route, moved.route),
    ):
        if old is not None and new is not None:
            write_private(new, old.read_bytes())
    return moved


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


def _write_json(
    to: str, case: Case, wanted: Wanted, done: Replayed, small: Minimised | None, *, told: Told | None
) -> None:
    document = {
        "schema": SCHEMA,
        "trace": case.trace.path.name,
        "engine": wanted.engine,
        "client": done.history.client,
        "verdict": done.comparison.verdict,
        "judged": done.judgement.verdict,
        "told": None if told is None else told_as_json(told),
        "narrative": [
            {"t": round(line.t - case.story.began, 3), "text": line.text} for line in case.story.lines
        ],
        "faults": [
            {"fault": str(fault), "certainty": finding.certainty, "why": finding.why}
            for fault, finding in case.made.faults
        ],
        "echo": case.diagnosis.echo,
        "unknown": [*case.diagnosis.unknown, *case.made.left_out],
        "events": [
            {
                "link": row.entry.link,
                "field": None if row.field is None else {"t": round(row.field.t, 3), "what": row.field.text},
                "replay": None
                if row.replay is None
                else {"t": round(row.replay.t, 3), "what": row.replay.text},
                "matched": row.matched,
            }
            for row in done.comparison.rows
        ],
        "findings": None
        if done.comparison.findings is None
        else [
            {
                "finding": row.finding.kind,
                "on": row.finding.on,
                "direction": row.finding.direction,
                "field": _times(row.field),
                "replay": _times(row.replay),
            }
            for row in done.comparison.findings
        ],
        "field": done.field_outcome.as_json(),
        "replay": done.outcome.as_json(),
        "removed": None if small is None else list(small.removed),
    }
    text = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    write_output("--json", to, text)


def _times(finding: Finding | None) -> dict[str, float | None] | None:
    if finding is None:
        return None
    return {
        "begin": round(finding.begin, 3),
        "end": None if finding.end is None else round(finding.end, 3),
    }


def _duration(option: str, given: str | None) -> float | None:
    try:
        return None if given is None else parse_duration(given)
    except DurationError as error:
        raise CannotReplayError(f"{option}: {error}") from None
