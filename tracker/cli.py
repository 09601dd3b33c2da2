"""`tracker`: run at a wall, check a wall's files, solve a recording."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Annotated, Any, NoReturn

import typer

from tracker.access import Access, accesses, on_the_command_line
from tracker.announcement import announcement
from tracker.app import Outcome, Tracker
from tracker.assembly import pipeline_of, recorder_of
from tracker.check_report import check_lines
from tracker.config import ConfigError, TrackerConfig
from tracker.console import EXIT_USAGE, new_app, run_command
from tracker.events import LinkName, Observer
from tracker.heartbeat import BEAT, Heartbeat
from tracker.logs import EventLog, say, to_stderr
from tracker.metrics import SelfReport
from tracker.pipeline import Pipeline
from tracker.recording_file import RecordingError
from tracker.reloading import Reloader, Setup
from tracker.settings import read_settings, tracker_config
from tracker.solving import Skipped, solve_file
from tracker.state_file import MAX_AGE, StateFile
from tracker.status_server import answering
from tracker.supervisor import Supervisor
from tracker.trace import Recorder
from tracker.vitals import Vitals

EXIT_DELIVERED = 0
EXIT_UNDELIVERED = 1
EXIT_GAVE_UP = 3

log = logging.getLogger("tracker")

app = new_app("tracker", "Body poses in over one WebSocket, the climbing session's state out over another.")

WallOption = Annotated[str | None, typer.Option(help="The wall's SVG; what has class='hold' is a hold.")]
CalibrationOption = Annotated[str | None, typer.Option(help="JSON with perspective_transform.")]
RouteOption = Annotated[str | None, typer.Option(help="The route: a JSON file, or the JSON itself.")]
ThresholdOption = Annotated[float | None, typer.Option(help="Contact distance in wall units. [50]")]
DurationOption = Annotated[float | None, typer.Option(help="Seconds of contact that make a touch. [2.0]")]
GraceOption = Annotated[float | None, typer.Option(help="Seconds that contact may drop out. [0.25]")]


def main() -> None:
    """The console script."""
    run_command(
        app,
        "tracker",
        mistakes={ConfigError: EXIT_USAGE, RecordingError: EXIT_USAGE},
        interrupted=EXIT_UNDELIVERED,
    )


@app.command()
def run(
    *,
    input_websocket_url: Annotated[str | None, typer.Option(help="Where poses come from.")] = None,
    output_websocket_url: Annotated[str | None, typer.Option(help="Where the session's state goes.")] = None,
    wall: WallOption = None,
    calibration: CalibrationOption = None,
    route_data: RouteOption = None,
    proximity_threshold: ThresholdOption = None,
    touch_duration: DurationOption = None,
    contact_grace: GraceOption = None,
    stream_landmarks: Annotated[bool | None, typer.Option(help="Send the pose along. [yes]")] = None,
    stream_svg_only: Annotated[
        bool | None,
        typer.Option("--stream-svg-only", help="Send touched SVG paths in place of the hold list."),
    ] = None,
    control_websocket_url: Annotated[
        str | None, typer.Option(help="Where further controls come from.")
    ] = None,
    reconnect_delay: Annotated[
        float | None, typer.Option(help="Seconds: the first back-off is drawn from 0 to this. [0.5]")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option(help="What confirms a delivery: pong, ack or none. [pong]")
    ] = None,
    overflow: Annotated[
        str | None,
        typer.Option(help="What gives way when the outbox is full: latest, block or fail. [latest]"),
    ] = None,
    outbox_messages: Annotated[int | None, typer.Option(help="The outbox's bound in messages. [900]")] = None,
    trace: Annotated[
        str | None, typer.Option(help="Write every event to this file as JSON lines, a flight recorder.")
    ] = None,
    trace_bytes: Annotated[
        int | None, typer.Option(help="The trace goes on in a new file after so many bytes. [64000000]")
    ] = None,
    trace_files: Annotated[
        int | None, typer.Option(help="Keep the newest so many: FILE, FILE.1, FILE.2 ... [8]")
    ] = None,
    trace_payloads: Annotated[
        bool | None,
        typer.Option("--trace-payloads", help="Keep the input's messages and the wall's files in the trace."),
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="Keep the climb in this file, and go on with it after a crash.")
    ] = None,
    state_max_age: Annotated[
        float | None, typer.Option(help="Seconds: an older climb is not taken up again. [300]")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Answer /metrics, /healthz and /readyz at this port.")
    ] = None,
    metrics_host: Annotated[
        str | None, typer.Option(help="The address at which to answer them. [127.0.0.1]")
    ] = None,
    ca_file: Annotated[
        str | None, typer.Option(help="PEM: the authorities to trust, in place of the system's.")
    ] = None,
    cert_file: Annotated[str | None, typer.Option(help="PEM: the tracker's own certificate.")] = None,
    key_file: Annotated[str | None, typer.Option(help="PEM: its key. [in --cert-file]")] = None,
    token_file: Annotated[
        str | None, typer.Option(help="A token, sent as 'Authorization: Bearer'; read anew for each attempt.")
    ] = None,
    token_env: Annotated[
        str | None, typer.Option(help="The same from a variable of the environment, by its name.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="'Name: value' of the handshake; anybody here can see it.")
    ] = None,
    header_file: Annotated[
        str | None, typer.Option(help="The same from a file, one a line; read anew for each attempt.")
    ] = None,
    allow_redirects: Annotated[
        bool | None, typer.Option("--allow-redirects", help="Follow a redirect to another origin.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML with these options; the command line wins.")
    ] = None,
    debug: Annotated[bool | None, typer.Option("--debug", help="Log every message and probe.")] = None,
    log_format: Annotated[
        str | None, typer.Option(help="How the log is written: text or json. [text]")
    ] = None,
) -> None:
    """Track one wall until SIGTERM or SIGINT.

    Exit codes: 0 stopped and all delivered, 1 stopped with messages undelivered, 2 wrong use, 3 gave up
    (an endpoint refuses for good, or the outbox is full and overflow is 'fail').
    """
    given = {key: value for key, value in locals().items() if key != "config" and value not in (None, [])}
    settings = {**(read_settings(config) if config else {}), **given}
    tracker_settings = tracker_config(settings)
    access = accesses(settings)
    to_stderr(debug=settings.get("debug", False), log_format=settings.get("log_format", "text"))
    stream = f"{Random().getrandbits(48):012x}"
    pipeline = pipeline_of(settings, stream)
    say(log, logging.INFO, "starting", announcement(tracker_settings, pipeline, settings))
    for warning in on_the_command_line(given):
        log.warning("%s", warning)
    if left_out := pipeline.wall.left_out_line:
        say(log, logging.WARNING, "no hold", {"drawn": left_out})
    for doubt in pipeline.doubts():
        say(log, logging.WARNING, "hardly meant", {"what": doubt})
    try:
        setup = Setup.of(settings, tracker_settings, pipeline)
        load = partial(_load, config, given)
        gc.collect()
        gc.freeze()  # the search for garbage would go over a large wall in the midst of a frame
        outcome = _run(_track(tracker_settings, pipeline, settings, access=access, reload=(setup, load)))
    except asyncio.CancelledError:
        _say_last("stopped at once by a second signal; what was unconfirmed is lost", settings)
        _leave(EXIT_UNDELIVERED)
    left = "all delivered" if not outcome.undelivered else f"{outcome.undelivered} messages left undelivered"
    _say_last(f"{outcome.failure or 'stopped'}; {left}", settings)
    if outcome.failure is not None:
        _leave(EXIT_GAVE_UP)
    _leave(EXIT_UNDELIVERED if outcome.undelivered else EXIT_DELIVERED)


def _say_last(text: str, settings: dict[str, Any]) -> None:
    if settings.get("log_format") == "json":
        log.info("%s", text)
    else:
        typer.echo(f"tracker: {text}", err=True)


def _run(main: Any) -> Outcome:
    """On uvloop where it is installed (the extra `uvloop`), on asyncio's own loop elsewhere."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        runner = asyncio.Runner()
    else:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        outcome: Outcome = runner.run(main)
    except Exception:
        runner.close()
        raise
    return outcome  # the runner is not closed: that waits for a look-up which hangs, see `_leave`


def _leave(code: int) -> NoReturn:
    """End the process now, with nothing left but what it said.

    A name look-up runs in a thread that cannot be cancelled. While a name server is silent, an interpreter that
    ends in good order waits for that thread, some 15 s in which a stop that is done looks like one that hangs.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _track(
    config: TrackerConfig,
    pipeline: Pipeline,
    settings: dict[str, Any],
    *,
    access: Mapping[LinkName, Access] | None = None,
    reload: tuple[Setup, Callable[[], Setup]] | None = None,
) -> Outcome:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        recorder: Recorder | None = None
        supervisor = stack.enter_context(closing(Supervisor()))
        vitals = Vitals(confirm=config.confirm)
        observers: list[Observer] = [vitals.observe, EventLog(log, vitals).observe, supervisor.observe]
        if "trace" in settings:
            recorder = stack.enter_context(recorder_of(config, pipeline, settings))
            observers.append(recorder.observe)
        state_file: StateFile | None = None
        if "state" in settings:
            state_file = StateFile(
                Path(settings["state"]), pipeline, max_age=settings.get("state_max_age", MAX_AGE)
            )
            await stack.enter_async_context(state_file.kept())
            observers.append(state_file.observe)
        keep = recorder.keep if recorder is not None and settings.get("trace_payloads") else None
        tracker = Tracker(
            config, pipeline, rng=Random(), observers=tuple(observers), keep=keep, access=access
        )
        heartbeat = Heartbeat(
            every=min(BEAT, (supervisor.watchdog or 3 * BEAT) / 3), on_beat=lambda: _beat(supervisor, tracker)
        )
        if "metrics_port" in settings:
            report = SelfReport(tracker, vitals, heartbeat, since=loop.time())
            host = settings.get("metrics_host", "127.0.0.1")
            await stack.enter_async_context(answering(host, settings["metrics_port"], report))
        if recorder is not None:
            recorder.begin(loop)  # last: an earlier trace is not moved on by a start that failed
        stack.callback(loop.create_task(heartbeat.run(), name="heartbeat").cancel)
        running = asyncio.current_task()
        assert running is not None, "a coroutine always runs in a task"

        def on_signal(number: signal.Signals) -> None:
            # The first asks for an orderly stop; a second one means now.
            if tracker.stopping:
                running.cancel()
            tracker.stop(number.name)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        if reload is not None and hasattr(signal, "SIGHUP"):
            setup, load = reload
            reloader = Reloader(
                tracker,
                pipeline,
                setup,
                load=load,
                taken_up=lambda setup: state_file.reloaded(setup.terms) if state_file is not None else None,
            )
            stack.callback(loop.create_task(reloader.run(), name="reloader").cancel)
            on_hang_up = partial(_on_hang_up, tracker, reloader, in_terminal=sys.stderr.isatty())
            loop.add_signal_handler(signal.SIGHUP, on_hang_up)
        supervisor.ready()
        return await tracker.run()


def _on_hang_up(tracker: Tracker, reloader: Reloader, *, in_terminal: bool) -> None:
    """A reload is asked for; or the terminal in which the tracker was started is gone, and nobody looks after it."""
    if in_terminal and not sys.stderr.isatty():
        tracker.stop("SIGHUP: its terminal is gone")
    else:
        reloader.ask()


def _load(config: Path | None, given: Mapping[str, Any]) -> Setup:
    """All that a reload may take up, read anew. Raises `ConfigError`."""
    settings = {**(read_settings(config) if config else {}), **given}
    return Setup.of(settings, tracker_config(settings), pipeline_of(settings, "reload"))


def _beat(supervisor: Supervisor, tracker: Tracker) -> None:
    supervisor.alive()
    supervisor.status(", ".join(f"{link.name} {link.state.value}" for link in tracker.links))


@app.command()
def check(
    *,
    wall: WallOption = None,
    calibration: CalibrationOption = None,
    route_data: RouteOption = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Check all that `run` would read with this TOML; the command line wins."),
    ] = None,
) -> None:
    """Validate a wall's files, say what is in them, and warn of what is hardly meant."""
    given = {"wall": wall, "calibration": calibration, "route_data": route_data}
    settings = read_settings(config) if config else {}
    settings |= {key: value for key, value in given.items() if value is not None}
    endpoints = tracker_config(settings) if config else None
    pipeline = pipeline_of(settings, stream="check")
    for line in check_lines(pipeline, settings, config=config, endpoints=endpoints):
        typer.echo(line)


@app.command()
def solve(
    recording: Annotated[
        Path, typer.Argument(help="JSON messages: one a line, behind each other, or an array; .gz too.")
    ],
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="End at the first message that a tracker would skip.")
    ] = False,
    wall: WallOption = None,
    calibration: CalibrationOption = None,
    route_data: RouteOption = None,
    proximity_threshold: ThresholdOption = None,
    touch_duration: DurationOption = None,
    contact_grace: GraceOption = None,
) -> None:
    """Take a recording through the pipeline without a network: the session as JSON on stdout.

    What `run` would skip is skipped, counted and said, or ends it with --strict.
    """
    pipeline = pipeline_of(locals(), stream="solve")
    if left_out := pipeline.wall.left_out_line:
        _said(f"of the wall's drawing is no hold: {left_out}")
    skipped = Skipped()
    solved = solve_file(recording, pipeline, skipped, strict=strict, say=_said)
    session = solved.session
    json.dump(session, sys.stdout, indent=1)
    typer.echo()
    for line in skipped.lines():
        _said(line)
    touched = sum(hold["status"] == "touched" for hold in session["holds"])
    left_out = f", {skipped.total} messages skipped" if skipped.total else ""
    unmapped = f" ({solved.skipped} skipped: they map to infinity)" if solved.skipped else ""
    _said(f"{solved.frames} frames{unmapped}{left_out}, {touched} holds touched, session {session['status']}")


def _said(line: str) -> None:
    typer.echo(line, err=True)
