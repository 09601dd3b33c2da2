"""A recording through the pipeline without a network: what `tracker solve` makes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from tracker.messages import BadMessage, Pose, ResetHolds, decode_input
from tracker.pipeline import Pipeline, Solved, solve
from tracker.recording_file import HEAD, Piece, RecordingError, first_timestamps, pieces
from tracker.timestamps import Clock

_SHOWN = 3


@dataclass(slots=True)
class Skipped:
    """Messages that a tracker skips, by the reason for which it does."""

    by_reason: dict[str, list[str]] = field(default_factory=dict)
    """Where the first ones stand, and what is wrong with each."""
    count: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        """Note one more."""
        self.count[reason] = self.count.get(reason, 0) + 1
        if self.count[reason] <= _SHOWN:
            self.by_reason.setdefault(reason, []).append(place)

    def lines(self) -> list[str]:
        """A line for each reason."""
        return [
            f"skipped {self.count[reason]} ({reason}): {'; '.join(places)}"
            f"{'; ...' if self.count[reason] > len(places) else ''}"
            for reason, places in self.by_reason.items()
        ]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.count.values())


def solve_file(
    path: Path, pipeline: Pipeline, skipped: Skipped, *, strict: bool, say: Callable[[str], None]
) -> Solved:
    """Take the messages of a recording as `run` takes them from its input; what it would skip is noted in `skipped`.

    `say` is told what the timestamps count. Raises `RecordingError` for a file that cannot be read or has no message
    that is taken; with `strict` also for the first that would be skipped.
    """
    solved = solve(_taken(path, skipped, strict=strict, say=say), pipeline)
    if not solved.frames:
        why = "; ".join(skipped.lines()) or "there are no messages in it: name a recording"
        raise RecordingError(f"{path}: no frame in it: {why}")
    return solved


def _taken(
    path: Path, skipped: Skipped, *, strict: bool, say: Callable[[str], None]
) -> Iterator[Pose | ResetHolds]:
    clock = Clock(say)
    source = pieces(path)
    head = list(islice(source, HEAD))
    clock.look_ahead(first_timestamps(head))
    for piece in chain(head, source):
        try:
            message = _decoded(piece, clock)
        except BadMessage as bad:
            if strict:
                raise RecordingError(f"{path}, line {piece.line}: {bad}: mend or remove the line") from None
            skipped.add(bad.reason, f"line {piece.line}, {bad.detail}")
        else:
            yield message


def _decoded(piece: Piece, clock: Clock) -> Pose | ResetHolds:
    if piece.problem is not None:
        raise BadMessage("not-json", piece.problem)
    return decode_input(piece.data, clock)
