"""A recording: the tracker skips what it cannot use, and the laboratory refuses it; both read on within bounds."""

import gzip
import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given

from simulator.recording import read_recording
from tests.fuzz.inputs import fuzz, read, spoilt
from tracker.messages import BadMessage, decode_input
from tracker.recording_file import RecordingError, pieces
from tracker.timestamps import Clock

POINT = {"x": 0.5, "y": 0.5, "z": 0, "visibility": 1}
SECONDS, MS = 1_700_000_000.5, 1_700_000_000_000


def poses(*timestamps: object) -> list[object]:
    return [{"type": "pose", "timestamp": time, "landmarks": [POINT] * 33} for time in timestamps]


CLIMBS = (
    [*poses(MS, MS + 33), {"type": "reset_holds"}],
    poses(SECONDS, SECONDS + 0.033),
    poses("2025-11-16T19:30:45.123Z", "2025-11-16T19:30:45.156Z"),
    poses(0, 33),
)
LINES = [b"".join(json.dumps(message).encode() + b"\n" for message in climb) for climb in CLIMBS]
GOOD = (
    *LINES,
    LINES[0].replace(b"\n", b""),
    json.dumps(CLIMBS[0], indent=1).encode(),
    LINES[1].decode().encode("utf-16"),
    gzip.compress(LINES[0], 1, mtime=0),
)
CALLS = 100_000
TIMES = (
    b"1700000000",
    b"1700000000000000",
    b'"2025-11-16"',
    b"33",
    b'"timestamp"',
    b'"landmarks"',
    b"[]",
    b"\xff\xfe",
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording") / "climb.jsonl"


def taken(file: Path) -> int:
    """What a tracker makes of it."""
    clock, frames = Clock(), 0
    for piece in pieces(file):
        try:
            decode_input(piece.data, clock)
        except BadMessage:
            continue  # for a reason that is counted
        frames += 1
    return frames


@fuzz
@given(data=spoilt(*GOOD, pieces=TIMES))
def test_a_recording_is_taken_as_far_as_it_is_one(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    read(partial(taken, file), RecordingError, calls=CALLS)


@fuzz
@given(data=spoilt(*GOOD, pieces=TIMES))
def test_a_recording_is_played_in_the_order_of_its_times_or_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    frames = read(lambda: [frame.timestamp_ms for frame in read_recording(file)], RecordingError, calls=CALLS)
    assert frames is None or frames == sorted(frames)
