"""A process of set-up: it has a time limit, and ends together with all that it started."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class StepFailed(Exception):
    """The step was not done; the text is part of a line, and says which and why."""


class StepTimedOut(StepFailed):
    """Its time was up."""


def run_step(
    words: Sequence[str | Path], what: str, *, cwd: Path, env: Mapping[str, str], limit: float
) -> None:
    """Run the program to its end; an error calls it `what`. `limit` is in seconds. Raises `StepFailed`."""
    try:
        # A session of its own, so that what it starts, such as Go's compilers, ends with it.
        process = subprocess.Popen(  # noqa: S603 - Go or Python, looked up by whoever calls, and constants
            words,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise StepFailed(f"{what} could not be started ({error.strerror})") from None
    with process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise StepTimedOut(f"{what} was not done after {limit:g} s and was stopped") from None
        finally:
            if process.returncode is None:  # time is up, or an interrupt
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        # Go and pip say last what they stumbled over; before that come their downloads.
        said = [line.strip() for line in output.splitlines() if line.strip()]
        raise StepFailed(f"{what} failed ({said[-1] if said else f'exit code {process.returncode}'})")
