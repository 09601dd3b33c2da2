"""`simtool try`: a client and the mock peer for ten seconds without a fault, and what there is to judge."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from chaos.adaptation import adapted, profile_for
from chaos.clients.choose import BUILT_IN, DEFAULT, load_client
from chaos.commands import planning, speaking
from chaos.commands.chaos import named_client
from chaos.commands.outputs import make_records_folder, records_folder
from chaos.commands.usage import UsageError
from chaos.engines.sim import SimEngine
from chaos.history import Broke, History
from chaos.reports import report
from chaos.reports.fitting import indented
from chaos.reports.results import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from chaos.runner import TRUE_TIME, Plan, make_kept_history
from chaos.trial import NO_FAULT, Point, points
from chaos.workers import perform_all
from simulator.atomic import replacing

STYLES = {"yes": "green", "no": "red", "-": "yellow"}


def try_client(
    *,
    client: Annotated[
        str | None,
        typer.Option(
            help=f"What is tried: module:attr, an async function of its URLs, or {', '.join(BUILT_IN)}."
        ),
    ] = None,
    command: Annotated[
        str | None, typer.Option(help='A program, as in "node client.js {input} {output}"; on real sockets.')
    ] = None,
    profile: speaking.ProfileOption = None,
    kind: speaking.KindOption = None,
    identity: speaking.IdentityOption = None,
    poses: speaking.PosesOption = False,
    engine: Annotated[
        str,
        typer.Option(help="auto: sim where the client can, else toxiproxy. sim, toxiproxy, kernel: this."),
    ] = "auto",
) -> None:
    """Run a client for ten seconds in which nothing goes wrong, and say what could be judged of it later.

    Exit codes: 0 all is there, 1 something is missing, 2 wrong use, 3 the laboratory could not do it, 130 interrupted.
    """
    if client is None and command is None:
        raise UsageError('say what to try: --client module:attr, or --command "program {input} {output}"')
    named = named_client(client or DEFAULT, command)
    speech = speaking.chosen_speech(profile, kind=kind, identity=identity, poses=poses)
    loaded = load_client(named)
    if loaded.role == "tracker":
        raise UsageError("the tracker is known: this is for other clients")
    speech = speaking.spoken_with(loaded, speech)
    only = loaded.real_sockets_only
    (chosen,) = planning.chosen_engines("sim" if engine == "auto" and only is None else engine, only)
    spoken = profile_for(loaded.role, None if speech is None else speech.profile)
    scenario = adapted(NO_FAULT, spoken)
    folder = records_folder(None)
    plan = Plan(scenario, chosen, 0, TRUE_TIME, folder, named, speech=speech, trial=True, asked=NO_FAULT.name)
    make_records_folder(folder, chosen=False)
    # In a process of its own, which can be ended whatever the client does.
    (history,) = perform_all([plan], make_kept_history, jobs=1, done=lambda *_: None)
    with replacing(plan.record) as file:
        file.writelines(history.lines())
    out = report.console(stderr=False)
    if (failed := _laboratory(history)) is not None:
        typer.echo(f"simtool: the laboratory failed: {failed}", err=True)
        raise typer.Exit(EXIT_UNKNOWN)
    found = points(history, spoken)
    where = "on virtual time" if chosen == SimEngine.name else "on real sockets, in true time"
    out.print(Text(f"client {loaded.name}: a {spoken.kind}, {where}"), soft_wrap=True)
    show(out, found)
    if plan.output.exists() and plan.output.stat().st_size:
        out.print(Text(f"what it wrote is in {plan.output}", style="dim"), soft_wrap=True)
    out.print(Text(f"record in {plan.record}", style="dim"), soft_wrap=True)
    raise typer.Exit(EXIT_FAIL if any(point.answer == "no" for point in found) else EXIT_PASS)


def show(out: Console, found: tuple[Point, ...]) -> None:
    """A line a point, and underneath what it costs."""
    width = max(len(point.what) for point in found)
    for point in found:
        line = Text(f"  {point.answer:3}  ", style=STYLES[point.answer])
        line.append(f"{point.what:{width}}  ", style="default")
        indented(out, line, Text(point.seen), width + 9)
        if point.costs:
            indented(out, Text(" " * (width + 9)), Text(f"so {point.costs}", style="bold"), width + 9)


def _laboratory(history: History) -> str | None:
    broke = history.first(Broke, lambda event: event.who == "laboratory")
    return None if broke is None else broke.what
