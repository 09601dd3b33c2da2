"""`tracker run`: which signals end it and how, and the exit codes."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tracker import cli
from tracker.app import Outcome, Tracker
from tracker.config import TrackerConfig
from tracker.pipeline import Pipeline

CONFIG = TrackerConfig("ws://127.0.0.1:9/", "ws://127.0.0.1:9/")


class NeverDone(Tracker):
    """Its stop takes for ever."""

    began: "asyncio.Future[NeverDone]"

    async def run(self) -> Outcome:
        self.began.set_result(self)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


async def told(number: signal.Signals) -> None:
    """Send this process a signal, and let the loop hear of it."""
    signal.raise_signal(number)
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_an_orderly_stop_and_a_second_one_ends_it_at_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.signal(number, signal.SIG_IGN)  # where the tracker does not hear it, this test goes on
    try:
        NeverDone.began = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(cli, "Tracker", NeverDone)
        running = asyncio.create_task(cli._track(CONFIG, pipeline, {}))
        tracker = await NeverDone.began
        await told(number)
        assert (tracker.stopping, running.done()) == (True, False)
        await told(number)
        assert running.cancelled()
    finally:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, before)


@pytest.mark.parametrize(
    ("ended", "code", "said"),
    [
        (Outcome(0, None), 0, "stopped; all delivered"),
        (Outcome(3, None), 1, "stopped; 3 messages left undelivered"),
        (Outcome(0, "output refused for good"), 3, "output refused for good; all delivered"),
        (asyncio.CancelledError(), 1, "stopped at once by a second signal"),
    ],
)
def test_the_exit_code_says_how_the_run_ended(
    wall_files: tuple[Path, Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    ended: Outcome | asyncio.CancelledError,
    code: int,
    said: str,
) -> None:
    def run(main: Coroutine[Any, Any, Outcome]) -> Outcome:
        main.close()
        if isinstance(ended, Outcome):
            return ended
        raise ended

    def leave(with_code: int) -> None:
        raise SystemExit(with_code)

    monkeypatch.setattr(cli, "_run", run)
    monkeypatch.setattr(cli, "_leave", leave)
    monkeypatch.setattr(cli, "to_stderr", lambda **_: None)
    wall, calibration, _ = wall_files
    urls = ["--input-websocket-url", CONFIG.input_url, "--output-websocket-url", CONFIG.output_url]
    files = ["--wall", str(wall), "--calibration", str(calibration)]
    result = CliRunner().invoke(cli.app, ["run", *urls, *files])
    assert (result.exit_code, said in result.stderr) == (code, True)
