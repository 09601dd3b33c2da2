"""Pose recordings, read and written one message at a time.

Three kinds of file are written, told apart by their names: `.jsonl` (one message a line), `.jsonl.gz` (the same,
compressed) and `.jsons` (messages one after another). What is read may have any form that `tracker.recording_file`
knows. A recording is never held in memory, whatever its length.
"""

import gzip
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice, pairwise
from pathlib import Path
from statistics import median_low
from typing import BinaryIO, Self, cast

import msgspec

from simulator.atomic import replacing
from simulator.recording_format import (
    Message,
    check_readable,
    kind_of,
    messages,
    with_timestamp,
)
from tracker.recording_file import RecordingError

__all__ = [
    "RecordedFrame",
    "Recording",
    "RecordingError",
    "Repairs",
    "looped",
    "read_recording",
    "schedule",
    "write_recording",
]

FALLBACK_START_MS = 1_700_000_000_000
"""Where a repaired recording begins when its first messages have no time at all."""
FALLBACK_INTERVAL_MS = 33

_HEAD = 64  # how far ahead a repair looks, and how many frames tell the frame interval


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One message: when it was sent, and its bytes as they go out. A control has the time of what went before."""

    timestamp_ms: int
    data: bytes
    line: int
    """Where in the file the message begins, from 1."""


@dataclass(slots=True)
class Repairs:
    """What `repair=True` has changed so far."""

    interpolated: int = 0
    """Messages without a timestamp, given one between their neighbours'."""
    dropped: int = 0
    """Messages older than one before them, left out."""

    def __str__(self) -> str:
        return f"{self.interpolated} timestamps interpolated, {self.dropped} late messages dropped"


class Recording:
    """The frames of one file, in order. Iterate once; `repairs` says what was mended on the way."""

    def __init__(self, path: Path, *, repair: bool) -> None:
        self.path = path
        self.repairs = Repairs()
        self.said: list[str] = []
        """What its timestamps count, a line for each count, as far as it has been read."""
        self._frames = self._ordered(self._dated(repair=repair), repair=repair)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RecordedFrame:
        return next(self._frames)

    def _dated(self, *, repair: bool) -> Iterator[Message]:
        """Every pose has a timestamp from here on."""
        if repair:
            yield from self._interpolated(messages(self.path, self.said.append))
            return
        for message in messages(self.path, self.said.append):
            if message.is_pose and message.timestamp_ms is None:
                raise RecordingError(
                    f"{self.path}:{message.line}: the message has no timestamp, so its time is unknown;"
                    " record it, or let --repair interpolate it"
                )
            yield message

    def _interpolated(self, source: Iterator[Message]) -> Iterator[Message]:
        """Missing times, spread evenly between their neighbours, or a frame interval apart where one is missing.

        The frame interval is the middle one of the recording's first frames. No more than `_HEAD` messages wait.
        """
        head = list(islice(source, _HEAD))
        known = [m.timestamp_ms for m in head if m.timestamp_ms is not None]
        interval = _interval(known)
        previous: int | None = None
        waiting: list[Message] = []
        for message in chain(head, source):
            waiting.append(message)
            if message.timestamp_ms is None and len(waiting) < _HEAD:
                continue
            self._fill(waiting, previous, interval)
            previous = next(
                (m.timestamp_ms for m in reversed(waiting) if m.timestamp_ms is not None), previous
            )
            yield from waiting
            waiting = []
        self._fill(waiting, previous, interval)
        yield from waiting

    def _fill(self, waiting: list[Message], previous: int | None, interval: int) -> None:
        """Date the poses of `waiting`, of which only the last may have a time."""
        undated = [m for m in waiting if m.is_pose and m.timestamp_ms is None]
        after = waiting[-1].timestamp_ms if waiting else None
        step: float = interval
        if previous is None:
            previous = (
                FALLBACK_START_MS - interval if after is None else after - interval * (len(undated) + 1)
            )
        elif after is not None and after > previous:
            step = (after - previous) / (len(undated) + 1)
        for i, message in enumerate(undated, 1):
            message.timestamp_ms = max(0, previous + round(step * i))
            message.data = with_timestamp(message.data, message.timestamp_ms)
            self.repairs.interpolated += 1

    def _ordered(self, source: Iterator[Message], *, repair: bool) -> Iterator[RecordedFrame]:
        """Time never goes back. Controls before the first pose wait for its time."""
        newest: int | None = None
        early: list[Message] = []
        for message in source:
            at = message.timestamp_ms if message.is_pose else newest
            if at is None:
                early.append(message)
                continue
            if newest is not None and at < newest:
                if not repair:
                    raise RecordingError(
                        f"{self.path}:{message.line}: the timestamp {at} is {newest - at} ms before that of an"
                        " earlier message; sort the recording, or let --repair drop what is late"
                    )
                self.repairs.dropped += 1
                continue
            newest = at
            for control in early:
                yield RecordedFrame(at, control.data, control.line)
            early.clear()
            yield RecordedFrame(at, message.data, message.line)
        if newest is None:
            raise RecordingError(
                f"{self.path}: no pose in it; record one message a frame, as the camera sends them"
            )


def read_recording(path: str | Path, *, repair: bool = False) -> Recording:
    """The frames of a recording, read as they are asked for.

    Timestamps may be whatever `tracker.timestamps` understands; they come out as whole milliseconds, and a message is
    encoded anew only where that changes it. A pose without landmarks is no frame: it goes along as a control does. One that is missing, or before an earlier one, is a RecordingError, unless `repair`: then a missing one is
    interpolated, a message that is late is dropped (the touch rule would not count it either), and `.repairs`
    counts both. Equal timestamps are in order. Controls pass with the time of the pose before them.

    RecordingError: at once for a file that is not there or no regular one; while reading for everything else.
    """
    path = Path(path)
    check_readable(path)
    return Recording(path, repair=repair)


def write_recording(path: str | Path, data: Iterable[bytes]) -> int:
    """Write encoded messages, in the form that the file's name asks for, and return how many there were.

    The file appears when it is complete: an exception from `data` leaves what was there before.
    RecordingError: an unknown kind, or a place that cannot be written to.
    """
    path = Path(path)
    kind = kind_of(path)
    end = b"" if kind == ".jsons" else b"\n"
    written = 0
    try:
        with replacing(path) as file:
            # No name and no time in the header: the same messages make the same file.
            packed = gzip.GzipFile("", "wb", 6, file, 0) if kind == ".jsonl.gz" else None
            target = cast(BinaryIO, packed or file)
            for message in data:
                # A message that is itself printed over several lines goes on one.
                one_line = msgspec.json.format(message, indent=-1) if end and end in message else message
                target.write(one_line + end)
                written += 1
            if packed is not None:
                packed.close()
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be written ({error.strerror or error}); name a place that can"
        ) from error
    return written


def schedule(frames: Iterable[RecordedFrame], speed: float = 1.0) -> Iterator[tuple[float, bytes]]:
    """When each message is due, in seconds after the first, played `speed` times as fast as recorded.

    ValueError: a speed that is not a positive number.
    """
    if not 0 < speed < math.inf:
        raise ValueError(f"the speed is {speed!r}: it must be a positive number, 1 for the recorded pace")
    return _due(frames, speed)


def looped(path: str | Path, *, repair: bool = False) -> Iterator[RecordedFrame]:
    """A recording again and again, without end: time goes on by one frame interval at the seam.

    Poses carry the shifted timestamp and a `sequence` that counts on from 0; controls pass as they are.
    RecordingError: as `read_recording`.
    """
    return _rounds(Path(path), read_recording(path, repair=repair), repair=repair)


def _rounds(path: Path, recording: Recording, *, repair: bool) -> Iterator[RecordedFrame]:
    sequence, shift = count(), 0
    while True:
        first: int | None = None
        last, head = 0, list[int]()
        for frame in recording:
            last = frame.timestamp_ms
            first = last if first is None else first
            message = msgspec.json.decode(frame.data)
            if message.get("type", "pose") == "pose":
                if len(head) < _HEAD:
                    head.append(last)
                message |= {"timestamp": last + shift, "sequence": next(sequence)}
            yield RecordedFrame(last + shift, msgspec.json.encode(message), frame.line)
        shift += last - (first or 0) + _interval(head)
        recording = Recording(path, repair=repair)


def _due(frames: Iterable[RecordedFrame], speed: float) -> Iterator[tuple[float, bytes]]:
    first: int | None = None
    for frame in frames:
        first = frame.timestamp_ms if first is None else first
        yield (frame.timestamp_ms - first) / 1000 / speed, frame.data


def _interval(timestamps: list[int]) -> int:
    """The middle one of the steps forward between neighbours; there are jumps where nobody was seen."""
    steps = [b - a for a, b in pairwise(timestamps) if b > a]
    return median_low(steps) if steps else FALLBACK_INTERVAL_MS
