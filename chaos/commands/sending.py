"""`simtool replay poses.jsonl --to ws://...`: a recording, sent to a live server."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import typer

from chaos.reports.results import EXIT_FAIL, EXIT_INTERRUPTED, EXIT_PASS
from simulator.pose_sender import CannotSendError, PosesToSend, Refusal, Totals, opened, send_poses
from tracker.config import ConfigError, Timing, redacted
from tracker.failures import failure_of
from tracker.reconnect import Backoff, remedy
from tracker.settings import usable_url


class TrackerRetries:
    """The tracker's own: it backs off with jitter, and goes on after what time may heal."""

    def __init__(self, rng: Random) -> None:
        self._backoff = Backoff(Timing(), rng)

    def refused(self, error: Exception) -> Refusal:
        """See `Retries.refused`."""
        failure = failure_of(error)
        cure = remedy(failure)
        if cure is not None:
            return Refusal(f"{failure.text}: {cure}", None)
        return Refusal(failure.text, self._backoff.after_refusal(failure))

    def ended(self, lasted: float) -> float:
        """See `Retries.ended`."""
        return self._backoff.after_close(lasted)


def send_to(path: Path, url: str, *, speed: float = 1.0, loop: bool = False, repair: bool = False) -> int:
    """The command: send a recording to `url`, say on stderr what happens, and the totals on stdout.

    The exit code: 0 all was sent (with `loop`: until the interrupt), 1 the server refused for good, 130 interrupted.
    Raises `CannotSendError`.
    """
    try:
        usable_url("to", url)
    except ConfigError as error:
        raise CannotSendError(str(error)) from None
    plan = PosesToSend(path, url, speed, loop, repair, shown_url=redacted(url))
    totals = Totals()
    interrupted = asyncio.run(_until_signal(plan, opened(plan, say=_say), totals))
    typer.echo(str(totals))
    if totals.refused_for_good is not None:
        typer.echo(f"simtool: {redacted(url)} refused for good: {totals.refused_for_good}", err=True)
        return EXIT_FAIL
    if interrupted:
        return EXIT_PASS if loop else EXIT_INTERRUPTED
    if not totals.closed:
        typer.echo(
            "simtool: the server did not answer the close: whether it has read the last is unknown", err=True
        )
    return EXIT_PASS


def _say(line: str) -> None:
    typer.echo(line, err=True)


async def _until_signal(plan: PosesToSend, due: Iterator[tuple[float, bytes]], totals: Totals) -> bool:
    """Whether a signal ended it."""
    running = asyncio.ensure_future(send_poses(plan, due, totals, retries=TrackerRetries(Random()), say=_say))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    await asyncio.wait([running])
    if running.cancelled():
        return True
    running.result()  # what it raises, we do
    return False
