"""`simtool check`: a trace judged like a run."""

from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from rich.console import Console
from rich.text import Text

from chaos import catalogue
from chaos.commands.log_telling import diagnosed
from chaos.commands.outputs import write_output
from chaos.diagnosis.telling import tell
from chaos.history import History, HistoryEvent, in_scenario_time
from chaos.judging import herd
from chaos.judging.checks import judge
from chaos.judging.field_checks import ENGINE, field_measures, judge_field, merged, merged_measures
from chaos.judging.log_checks import judge_log, log_measures
from chaos.judging.verdicts import Judgement
from chaos.reports import report, results, results_table
from chaos.reports.results import RunResult
from chaos.scenario import Scenario, ScenarioError, on_preset
from chaos.scenario_reading import parse
from chaos.timeline.parts import parts
from chaos.traces.reading import Format, Trace, TraceError, open_trace

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="auto: by content. trace, websockets-log, websocket-client-log, har: this and nothing else.",
    ),
]


def check(
    trace: Annotated[
        Path,
        typer.Argument(
            help="A tracker's trace, a record of a run, a DEBUG log of websockets, a trace of websocket-client, or a HAR."
        ),
    ],
    *,
    format_: FormatOption = "auto",
    json: Annotated[str | None, typer.Option(help="Write the results to this file; - is stdout.")] = None,
) -> None:
    """Judge a trace by the promises, as far as it tells: the checks and the table of `simtool chaos`.

    Exit codes: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something is unknown.
    """
    opened = open_trace(trace, format=checked_format(format_))
    out = report.console(stderr=json == "-")
    result = _judged_log(out, opened) if opened.surveyed is not None else judged(opened)
    for problem in opened.problems:
        typer.echo(f"simtool: {trace}: {problem}", err=True)
    if opened.kind == "history" and opened.header.as_run is None:
        typer.echo(
            f"simtool: {trace}: it does not carry its scenario, so today's catalogue decides", err=True
        )
    document = results.document([result])
    results_table.show_results(out, [result])
    results_table.explain(out, [result])
    out.print(report.summary([result]))
    write_output("--json", json, document)
    raise typer.Exit(results.exit_code([result]))


def checked_format(given: str) -> Format:
    """The value of `--format`. Raises `TraceError`."""
    if given not in get_args(Format):
        raise TraceError(f"--format is {given!r}: choose one of {', '.join(get_args(Format))}")
    return cast(Format, given)


def judged(trace: Trace) -> RunResult:
    """A laboratory's record by the scenario that it carries; an older one by the catalogue's, where it is there.

    Anything else is judged by its own side alone.
    """
    if trace.kind == "history":
        history = history_of(trace, tuple(trace.events()))
        try:
            scenario = _scenario_of(history, trace.path)
        except ScenarioError:
            return _judged_alone(trace, f"{history.scenario} (not in the catalogue)")
        measures = herd.measures(history, scenario)
        end = history.events[-1].t if history.events else 0.0
        return _result(trace, history.scenario, judge(history, scenario), measures, end)
    return _judged_alone(trace, trace.path.name)


def _scenario_of(history: History, path: Path) -> Scenario:
    """Raises `ScenarioError`."""
    if history.as_run is not None:
        return parse(history.as_run, path.with_name(f"{history.scenario}.toml"))
    scenario = catalogue.find(history.scenario)
    return scenario if history.preset is None else on_preset(scenario, history.preset)


def _judged_log(out: Console, trace: Trace) -> RunResult:
    """A log of the library; its first line is told too."""
    diagnosis = diagnosed(trace)
    out.print(Text(f"{tell(diagnosis).headline}."))
    end = diagnosis.timeline.ended.t
    return _result(trace, trace.path.name, judge_log(diagnosis), log_measures(diagnosis), end)


def _judged_alone(trace: Trace, name: str) -> RunResult:
    """Part by part, whatever its length."""
    judgements, measures, carried, end = [], [], 0, 0.0
    began: float | None = None
    for part in parts(trace.events()):
        if began is None and part.events:
            began = part.events[0].t
        history = history_of(trace, part.events, began=began)
        judgements.append(judge_field(history))
        measures.append(field_measures(history))
        carried += part.carried
        end = history.events[-1].t if history.events else 0.0
    return _result(trace, name, merged(judgements), merged_measures(measures, carried=carried), end)


def _result(trace: Trace, name: str, judgement: Judgement, measures: dict[str, Any], end: float) -> RunResult:
    return RunResult(
        scenario=name,
        engine=trace.header.engine or ENGINE,
        client=trace.header.client,
        seed=trace.header.seed or 0,
        verdict=judgement.verdict,
        checks=judgement.checks,
        measures={**measures, "virtual_s": round(end, 1), "wall_s": 0.0},
        record=str(trace.path),
        preset=trace.header.preset,
    )


def history_of(trace: Trace, found: tuple[HistoryEvent, ...], *, began: float | None = None) -> History:
    """Events of a trace, times from its anchor; without one, from when it `began`."""
    header = trace.header
    if trace.kind != "history":
        zero = header.anchor.t if header.anchor else began or 0.0
        found = in_scenario_time(found, began=zero, scale=1.0)
    return History(
        scenario=header.scenario or trace.path.name,
        engine=header.engine or ENGINE,
        client=header.client,
        role=header.role,
        numbering=header.numbering,
        not_judged=header.not_judged,
        seed=header.seed or 0,
        events=found,
        reference=header.reference,
        settings=dict(header.config or {}),
        others=header.others,
        preset=header.preset,
        as_run=header.as_run,
        time_scale=header.time_scale,
        scales_itself=header.scales_itself,
        sockets_seen=header.sockets_seen,
    )
