"""`simtool check`: a trace judged like a run."""

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from chaos import catalogue, herd, report, results
from chaos.checks import judge
from chaos.field_checks import ENGINE, field_measures, judge_field
from chaos.history import History, in_scenario_time
from chaos.results import RunResult
from chaos.scenario import ScenarioError, on_preset
from chaos.traces import Format, Trace, TraceError, open_trace

MOST_EVENTS = 8_000_000
"""Judging needs them all at once: some 1.5 GB, and a day at 30 fps."""

FormatOption = Annotated[
    str, typer.Option("--format", help="auto: by content. trace, websockets-log: this and nothing else.")
]


def check(
    trace: Annotated[
        Path, typer.Argument(help="A tracker's trace, a record of a run, or a websockets DEBUG log.")
    ],
    *,
    format_: FormatOption = "auto",
    json: Annotated[str | None, typer.Option(help="Write the results to this file; - is stdout.")] = None,
) -> None:
    """Judge a trace by the promises, as far as it tells: the checks and the table of `simtool chaos`.

    Exit codes: 0 all pass, 1 some check failed, 2 wrong use, 3 nothing failed but something is unknown.
    """
    opened = open_trace(trace, format=checked_format(format_))
    result = judged(opened)
    for problem in opened.problems:
        typer.echo(f"simtool: {trace}: {problem}", err=True)
    document = results.document([result])
    out = report.console(stderr=json == "-")
    out.print(report.table([result]))
    report.explain(out, [result])
    out.print(report.summary([result]))
    if json == "-":
        sys.stdout.buffer.write(document)
    elif json is not None:
        try:
            Path(json).write_bytes(document)
        except OSError as error:
            raise TraceError(f"cannot write --json {json}: {error.strerror}: choose another file") from None
    raise typer.Exit(results.exit_code([result]))


def checked_format(given: str) -> Format:
    """The value of `--format`. Raises `TraceError`."""
    if given not in get_args(Format):
        raise TraceError(f"--format is {given!r}: choose one of {', '.join(get_args(Format))}")
    return cast(Format, given)


def judged(trace: Trace) -> RunResult:
    """A laboratory's record by its scenario, where that is in the catalogue; anything else by its own side alone."""
    history = history_of(trace)
    scenario = None
    if trace.kind == "history":
        try:
            scenario = catalogue.find(history.scenario)
            if history.preset is not None:
                scenario = on_preset(scenario, history.preset)
        except ScenarioError:
            history = replace(history, scenario=f"{history.scenario} (not in the catalogue)")
    if scenario is None:
        judgement, measures = judge_field(history), field_measures(history)
    else:
        judgement, measures = judge(history, scenario), herd.measures(history, scenario)
    measures["virtual_s"] = round(history.events[-1].t, 1) if history.events else 0.0
    measures["wall_s"] = 0.0
    return RunResult(
        scenario=history.scenario,
        engine=history.engine,
        client=history.client,
        seed=history.seed,
        verdict=judgement.verdict,
        checks=judgement.checks,
        measures=measures,
        record=str(trace.path),
        preset=history.preset,
    )


def history_of(trace: Trace) -> History:
    """All events of a trace, times from its anchor. Raises `TraceError` where they are too many to be held."""
    found = tuple(islice(trace.events(), MOST_EVENTS + 1))
    if len(found) > MOST_EVENTS:
        raise TraceError(
            f"{trace.path}: more than {MOST_EVENTS:,} events: judge one part of it, copied to a folder of its own"
        )
    header = trace.header
    if trace.kind != "history":
        began = found[0].t if header.anchor is None and found else header.anchor.t if header.anchor else 0.0
        found = in_scenario_time(found, began=began, scale=1.0)
    return History(
        scenario=header.scenario or trace.path.name,
        engine=header.engine or ENGINE,
        client=header.client,
        seed=header.seed or 0,
        events=found,
        reference=dict(header.reference),
        settings=dict(header.config or {}),
        others=header.others,
        preset=header.preset,
    )
