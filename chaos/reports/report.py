"""What a person sees around the results: the console, progress while they are made, the last line."""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO, Any, Self, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Column
from rich.text import Text

from chaos.reports.results import RunResult, tally
from tracker.printable import printable
from tracker.terminal import unfiltered

COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}
PLAIN_WIDTH = 110
"""Characters a line where the output is no terminal."""


BESIDE = 28
"""Characters that a line of progress leaves to its bar, its count and its clock."""
LEAST = 10
"""Characters of its text, however narrow the terminal."""


def console(*, stderr: bool) -> Console:
    """A console that wraps at the terminal's width, and is plain and wide elsewhere. NO_COLOR is honoured."""
    made = PrintableConsole(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else PrintableConsole(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


class PrintableConsole(Console):
    """Its own colours reach the terminal, and no text commands it."""

    @property
    def file(self) -> IO[str]:
        """Under the filter of the standard streams, which would take the colours too."""
        return unfiltered(cast(TextIO, super().file))

    @file.setter
    def file(self, new: IO[str]) -> None:
        self._file = new

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Of what is shown each piece of text is filtered; what controls the terminal is rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def summary(results: Sequence[RunResult]) -> Text:
    """The last line."""
    parts: list[Any] = []
    for count, verdict in tally(result.verdict for result in results):
        parts += [(f"{count} {verdict}", COLOURS[verdict]), ", "]
    return Text.assemble(*parts[:-1])


class Watching:
    """Progress on stderr: a bar on a terminal, a line a run elsewhere.

    Where it is known in how many seconds all will have been made, also how many minutes are left.
    """

    def __init__(self, to: Console, total: int, *, expected: float | None = None) -> None:
        self._to = to
        self._expected = expected
        self._began = time.monotonic()
        shortened = Column(no_wrap=True, overflow="ellipsis", max_width=max(LEAST, to.width - BESIDE))
        self._progress = Progress(
            TextColumn("{task.description}", table_column=shortened),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=to,
            transient=True,
            disable=not to.is_terminal,
        )
        self._task = self._progress.add_task("scenarios", total=total)
        self._total = total
        self._ended = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def done(self, result: RunResult) -> None:
        """One more run has ended."""
        self._ended += 1
        what = f"{result.place}, {result.client}, seed {result.seed}"
        seconds = result.measures["wall_s"]
        left = self._left()
        self._progress.update(self._task, advance=1, description=escape(what + left))
        if not self._to.is_terminal:
            self._to.print(
                f"[{self._ended}/{self._total}] {result.verdict:7} {what} ({seconds:.1f} s{left})",
                markup=False,
            )

    def _left(self) -> str:
        if self._expected is None:
            return ""
        # Where runs had to be made anew it takes longer than was expected: what has not ended is still to come.
        by_the_clock = self._expected - (time.monotonic() - self._began)
        by_the_runs = self._expected * (1 - self._ended / self._total)
        minutes = round(max(by_the_clock, by_the_runs) / 60)
        return f", some {minutes} min left" if minutes else ""


def pace(time_scale: float) -> str:
    """A time scale in words."""
    return "in true time" if time_scale == 1 else f"{time_scale:g} scenario seconds a second"
