"""The files that `solve` takes are those of which `run` takes the messages, and those that the laboratory plays."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.recording import read_recording
from tracker import streams
from tracker.calibration import parse_calibration
from tracker.messages import iso_time
from tracker.pipeline import Pipeline, Solved
from tracker.recording_file import RecordingError, pieces
from tracker.session import Rules
from tracker.solving import Skipped, solve_file
from tracker.wall import parse_wall

T = 1_700_000_000_000
WALL = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000">
<path class="hold" id="hold_1" d="M100 100H200V200H100Z"/></svg>"""
IDENTITY = b'{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}'
HELLO = {"type": "hello", "timestamp": T}
RESET = {"type": "reset_holds"}


def pose(timestamp: object, **more: Any) -> dict[str, Any]:
    """Both hands in the middle of hold_1."""
    point = {"x": 0.15, "y": 0.15, "z": 0, "visibility": 1}
    return {"type": "pose", "timestamp": timestamp, "landmarks": [point] * 33} | more


CLIMB = [pose(T + 100 * n) for n in range(40)]


@pytest.fixture
def solved(tmp_path: Path) -> Callable[..., tuple[Solved, Skipped, list[str]]]:
    def solve(
        data: bytes, name: str = "climb.jsonl", *, strict: bool = False
    ) -> tuple[Solved, Skipped, list[str]]:
        file = tmp_path / name
        file.write_bytes(data)
        pipeline = Pipeline(parse_wall(WALL), parse_calibration(IDENTITY), rules=Rules(), stream="solve")
        skipped, said = Skipped(), list[str]()
        return solve_file(file, pipeline, skipped, strict=strict, say=said.append), skipped, said

    return solve


Solve = Callable[..., tuple[Solved, Skipped, list[str]]]


def lines(messages: Sequence[object]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def touched_at(solved: Solved) -> str | None:
    hold = solved.session["holds"][0]
    return hold["time"] if hold["status"] == "touched" else None


def test_epoch_seconds_are_understood_and_said_once(solved: Solve) -> None:
    found, skipped, said = solved(lines([pose(T / 1000 + n / 10) for n in range(60)]))
    assert touched_at(found) == "2023-11-14T22:13:22.000Z"
    assert (found.frames, skipped.total) == (60, 0)
    assert said == ["timestamps are epoch seconds (1700000000.0 is 2023-11-14T22:13:20.000Z)"]


FORMS = {
    "a message a line": lines(CLIMB),
    "behind each other": b"".join(json.dumps(message).encode() for message in CLIMB),
    "with space between": b"  ".join(json.dumps(message).encode() for message in CLIMB),
    "printed over lines": b"\n".join(json.dumps(message, indent=2).encode() for message in CLIMB),
    "an array": json.dumps(CLIMB).encode(),
    "an array printed over lines": json.dumps(CLIMB, indent=1).encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + lines(CLIMB),
    "in UTF-16": lines(CLIMB).decode().encode("utf-16"),
    "in UTF-16 without a mark": lines(CLIMB).decode().encode("utf-16-le"),
    "with blank lines": b"\r\n\r\n" + lines(CLIMB).replace(b"\n", b"\r\n\n"),
    "without a last end of line": lines(CLIMB).rstrip(),
    "several on a line": lines(CLIMB[:20]) + b"".join(json.dumps(m).encode() for m in CLIMB[20:]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["climb.jsonl", "climb.jsons", "climb.jsonl.gz", "climb.json"])
def test_a_climb_is_the_same_in_every_form_for_the_tracker_and_the_laboratory(
    form: str, name: str, solved: Solve, tmp_path: Path
) -> None:
    data = gzip.compress(FORMS[form], 1) if name.endswith(".gz") else FORMS[form]
    found, skipped, _ = solved(data, name)
    assert (found.frames, skipped.total) == (40, 0)
    assert touched_at(found) == "2023-11-14T22:13:22.000Z"
    assert [frame.timestamp_ms - T for frame in read_recording(tmp_path / name)] == [
        100 * n for n in range(40)
    ]


def test_what_run_would_skip_is_skipped_and_said_with_its_place(solved: Solve) -> None:
    mixed = [HELLO, *CLIMB[:4], pose(T + 350, landmarks=[]), *CLIMB[4:]]
    found, skipped, _ = solved(lines(mixed))
    assert touched_at(found) == "2023-11-14T22:13:22.000Z"
    assert (found.frames, skipped.total) == (40, 2)
    assert [line.partition(",")[0] for line in skipped.lines()] == [
        "skipped 1 (unknown-type): line 1",
        "skipped 1 (not-33-landmarks): line 6",
    ]


def test_a_line_that_is_cut_off_costs_itself_alone(solved: Solve) -> None:
    whole = lines(CLIMB).splitlines(keepends=True)
    found, skipped, _ = solved(b"".join([whole[0][:200] + b"\n", b"\x1b[2J\xff\n", *whole]))
    assert (found.frames, skipped.count) == (40, {"not-json": 1, "not-utf8": 1})
    assert all(line.isprintable() for line in skipped.lines())


def test_of_many_that_are_skipped_the_first_are_named_and_all_are_counted(solved: Solve) -> None:
    _, skipped, _ = solved(lines([HELLO] * 9 + CLIMB))
    (line,) = skipped.lines()
    assert line.startswith("skipped 9 (unknown-type): line 1, ")
    assert line.endswith("; ...")
    assert line.count("line ") == 3


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (HELLO, "unknown-type"),
        (pose(T, landmarks=[]), "not-33-landmarks"),
        (pose("noon"), "wrong-type: the timestamp 'noon' is no time in ISO 8601: send epoch milliseconds"),
    ],
)
def test_strict_ends_at_the_first_that_would_be_skipped(bad: object, why: str, solved: Solve) -> None:
    with pytest.raises(RecordingError, match=rf"climb.jsonl, line 3: {why}"):
        solved(lines([*CLIMB[:2], bad, *CLIMB]), strict=True)


@pytest.mark.parametrize("data", [b"", b"\n\n", lines([RESET]), lines([HELLO] * 3), b"[]", b"<svg/>", b"{"])
def test_a_file_without_a_frame_is_an_error_that_says_what_is_in_it(data: bytes, solved: Solve) -> None:
    with pytest.raises(RecordingError, match=r"climb.jsonl: no frame in it: \w"):
        solved(data)


def test_seconds_since_a_start_are_refused_and_not_guessed(solved: Solve) -> None:
    with pytest.raises(RecordingError, match="steps as no camera's does: send epoch milliseconds"):
        solved(lines([pose(n / 30) for n in range(60)]))


def test_a_pose_without_landmarks_is_no_frame_in_the_laboratory_either(tmp_path: Path) -> None:
    file = tmp_path / "climb.jsonl"
    odd = [pose("noon", landmarks=[]), {"timestamp": T + 7}, pose(T + 20, landmarks=None)]
    file.write_bytes(lines([*odd, *CLIMB[:2]]))
    assert [frame.timestamp_ms - T for frame in read_recording(file)] == [0, 0, 0, 0, 100]
    file.write_bytes(lines(odd))
    with pytest.raises(RecordingError, match="no pose in it"):
        list(read_recording(file))


def test_the_laboratory_says_what_the_timestamps_count(tmp_path: Path) -> None:
    file = tmp_path / "climb.jsonl"
    file.write_bytes(lines([pose(f"{iso_time(T + 100 * n)}") for n in range(9)]))
    recording = read_recording(file)
    assert [frame.timestamp_ms - T for frame in recording] == [100 * n for n in range(9)]
    assert recording.said == [
        "timestamps are ISO 8601 ('2023-11-14T22:13:20.000Z' is 2023-11-14T22:13:20.000Z)"
    ]


def test_a_file_unfolds_so_far_and_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "UNFOLDED_BYTES", 1_000_000)
    file = tmp_path / "bomb.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n" * 20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=r"it unfolds to more than [\d,]+ bytes"):
            list(pieces(file))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
