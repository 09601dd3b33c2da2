"""A program in any language as a client: started, watched, stopped. Real sockets only.

It gets the URLs in place of `{input}` and `{output}` in its command line and as SIMTOOL_INPUT and SIMTOOL_OUTPUT, the
files of a wall in place of `{wall}`, `{calibration}` and `{route}` where it is sent poses, that of the certificate authority in place of `{ca}` where it connects over TLS, and in SIMTOOL_TIME_SCALE how
many scenario seconds pass in one of its own. Its own durations are its own: unless it is said to divide them by that, it
runs in true time.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from pathlib import Path
from typing import Any

from chaos.clients import Assignment, ClientError
from chaos.clients.last_words import error_line
from chaos.guard import guarded
from chaos.history import Role
from chaos.scenario import ClientOverrides

TERM_WITHIN = 10.0
"""Real seconds, whatever the time scale, from its stop signal to SIGKILL. A client that takes longer has not stopped in good order."""
LINES, WIDTH = 3, 200
"""How much of the end of what it wrote an error quotes."""
LAST_BYTES = 65_536
"""Of that end, in which the lines are looked for."""
MOST_WRITTEN = 64_000_000
"""Bytes that it may write in one run. The disk is not its to fill."""
WATCH_EVERY = 0.1
"""Seconds between two looks at how much it has written."""


class ProgramFailed(Exception):
    """The program under test did not last, or did not stop; the text says how it ended and what it last wrote."""


class CommandClient:
    """A relay that is a process group of its own, and ended as one: what leaves the group is out of our reach.

    What it writes is kept in `output`; of several clients, the others' beside it, with their numbers. Raises
    `ClientError`.
    """

    role: Role = "relay"
    real_sockets_only: str | None = "a program runs in real time"

    def __init__(self, line: str, output: Path, *, scales_itself: bool = False) -> None:
        try:
            self._words = shlex.split(line)
        except ValueError as error:
            raise ClientError(
                f"the command {line!r} cannot be split into words: {error}: mend its quotes"
            ) from None
        if not self._words:
            raise ClientError('the command is empty: give one, as in "node client.js {input} {output}"')
        if shutil.which(self._words[0]) is None:
            raise ClientError(
                f"the command {line!r} cannot be started: there is no program {self._words[0]!r}: give its path, or put it on PATH"
            )
        self.name = line
        self.scales_itself = scales_itself
        self._output = output

    async def run(self, assignment: Assignment) -> None:
        """Raises `ProgramFailed`; the process group is gone in any case."""
        number = f".{assignment.number}" if assignment.number else ""
        output = self._output.with_suffix(f"{number}{self._output.suffix}")
        process = await self._start(assignment, output)
        async with guarded(f"-{process.pid}"):
            try:
                await self._to_its_end(process, assignment, output)
            finally:
                # The program, should we be cancelled, and whatever it started, should that still be there.
                _signal(process, signal.SIGKILL)
                await process.wait()

    async def _to_its_end(
        self, process: asyncio.subprocess.Process, assignment: Assignment, output: Path
    ) -> None:
        began = _now()
        async with asyncio.TaskGroup() as tasks:
            ended = tasks.create_task(process.wait())
            stop = tasks.create_task(assignment.stop.wait())
            flood = tasks.create_task(_until_too_much(output))
            await asyncio.wait([ended, stop, flood], return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if ended.done():
                raise ProgramFailed(
                    f"it ended by itself after {_now() - began:.1f} s {_how(process, output)}"
                )
            if not flood.done():
                _signal(process, signal.Signals[assignment.stop_signal])
                await asyncio.wait(
                    [ended, flood],
                    timeout=TERM_WITHIN,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            flood.cancel()
            if not ended.done():
                _signal(process, signal.SIGKILL)
                await ended
                raise ProgramFailed(
                    f"{_why_killed(flood, assignment.stop_signal)} and was killed{_last(output)}"
                )

    def settings(self, overrides: ClientOverrides) -> dict[str, Any]:
        """None that we know."""
        del overrides
        return {}

    async def _start(self, assignment: Assignment, output: Path) -> asyncio.subprocess.Process:
        places = {
            "{input}": assignment.input_url,
            "{output}": assignment.output_url,
            "{url}": assignment.output_url,
        }
        if assignment.wall is not None:
            places |= {"{wall}": str(assignment.wall), "{calibration}": str(assignment.calibration)}
            places |= {"{route}": str(assignment.route)}
        if assignment.ca is not None:
            places["{ca}"] = str(assignment.ca)
        words = self._words
        for placeholder, value in places.items():
            words = [word.replace(placeholder, value) for word in words]
        told = {
            "SIMTOOL_INPUT": assignment.input_url,
            "SIMTOOL_OUTPUT": assignment.output_url,
            "SIMTOOL_URL": assignment.output_url,
            "SIMTOOL_TIME_SCALE": f"{assignment.scale:g}",
        }
        try:
            with output.open("wb") as written:
                return await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=written,
                    stderr=written,
                    env={**os.environ, **told},
                    start_new_session=True,
                )
        except OSError as error:
            raise ProgramFailed(f"it could not be started: {error}") from error


async def _until_too_much(output: Path) -> None:
    # Nobody tells of a file that grows; to read what it writes ourselves would let it busy the peer's loop.
    while output.stat().st_size <= MOST_WRITTEN:  # noqa: ASYNC110, ASYNC240 - a look takes no time
        await asyncio.sleep(WATCH_EVERY)


def _why_killed(flood: "asyncio.Task[None]", stop_signal: str) -> str:
    if flood.done() and not flood.cancelled():
        return f"it wrote more than {MOST_WRITTEN / 1e6:g} MB"
    return f"it ignored {stop_signal} for {TERM_WITHIN:g} s"


def _now() -> float:
    return asyncio.get_running_loop().time()


def _how(process: asyncio.subprocess.Process, output: Path) -> str:
    code = process.returncode
    assert code is not None, "it has ended"
    by = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
    return f"{by}{_last(output)}"


def _last(output: Path) -> str:
    with output.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LAST_BYTES))
        written = file.read().decode(errors="replace")
    error = error_line(written)
    if error is not None:
        return f"; the error: {' '.join(error.split())[:WIDTH]}"
    lines = [" ".join(line.split())[:WIDTH] for line in written.split("\n") if line.strip()]
    return f"; it last wrote: {' | '.join(lines[-LINES:])}" if lines else "; it wrote nothing"


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the whole group, which is named after its first process."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
