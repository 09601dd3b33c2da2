"""A log of the library on the desk: read, diagnosed, and told."""

from collections.abc import Iterator

import typer
from rich.console import Console

from chaos.diagnosis.explaining import Diagnosis, diagnose
from chaos.diagnosis.telling import Told, tell
from chaos.replay.cases import Pass, read_through
from chaos.reports.log_report import log_report
from chaos.timeline.from_log import TimelineBuilder, timeline
from chaos.traces.reading import Trace
from chaos.traces.wire import Entry, Writer


def diagnosed(trace: Trace, *, since: float | None = None, until: float | None = None) -> Diagnosis:
    """What the log shows between two times, in seconds from its first line; all of it unless they are given."""
    assert trace.surveyed is not None, "only a log is diagnosed here"
    return diagnose(timeline(trace.surveyed, _between(trace.entries(), since, until)))


def read_once(
    trace: Trace, *, since: float | None = None, until: float | None = None
) -> tuple[Diagnosis, Pass | None]:
    """The same, and in the same pass over the log what a replay is made of; None: no replay can be."""
    assert trace.surveyed is not None, "only a log is diagnosed here"
    if trace.surveyed.side == "server":
        return diagnosed(trace, since=since, until=until), None
    builder = TimelineBuilder(trace.surveyed)

    def each(entry: Entry) -> None:
        if (since is None or entry.t >= since) and (until is None or entry.t <= until):
            builder.take(entry)

    read = read_through(trace, since=since, until=until, each=each)
    return diagnose(builder.finish()), read


def _between(entries: Iterator[Entry], since: float | None, until: float | None) -> Iterator[Entry]:
    for entry in entries:
        if until is not None and entry.t > until:
            return
        if since is None or entry.t >= since:
            yield entry


def tell_log(out: Console, trace: Trace, diagnosis: Diagnosis) -> Told:
    """All that the log tells, and what was left out of it."""
    told = tell(diagnosis)
    for problem in trace.problems:
        typer.echo(f"simtool: {trace.path}: {problem}", err=True)
    epoch = None if trace.header.anchor is None else trace.header.anchor.epoch_ms / 1000
    log_report(out, told, name=f"What happened in {trace.path.name}", epoch=epoch)
    return told


def nothing_to_replay(diagnosis: Diagnosis) -> str | None:
    """Why no replay can show more; None: one can."""
    timeline = diagnosis.timeline
    if timeline.side == "server":
        return "a server's log is told and not replayed: what is replayed is a client"
    if not any(connection.connected for connection in timeline.connections):
        return "no connection in it, so there is nothing to replay"
    if not timeline.timed:
        return "no time passes in it, so there is nothing to replay"
    if not diagnosis.troubles:
        return "no trouble in it, so there is nothing that a replay could show again"
    return None


def also_assumed(trace: Trace) -> Iterator[str]:
    """What a replay takes for granted of a log that another program than the library's wrote."""
    writer = Writer.WEBSOCKETS if trace.surveyed is None else trace.surveyed.writer
    if writer is not Writer.WEBSOCKETS:
        who = "the browser" if writer is Writer.BROWSER else writer.value
        yield f"a client of the websockets library stands in for {who}; a keepalive that gave up is shown with its 1011"
    if writer is Writer.BROWSER:
        yield "an end that is not shown is taken for one without a close frame"
