import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import recording_format
from simulator.climber import generate_climb
from simulator.recording import (
    RecordedFrame,
    RecordingError,
    looped,
    read_recording,
    schedule,
    write_recording,
)
from tracker import recording_file

T = 1_763_062_977_000


def pose(timestamp: Any = None, **more: Any) -> bytes:
    return json.dumps(
        {"type": "pose", "landmarks": [0]} | ({} if timestamp is None else {"timestamp": timestamp}) | more
    ).encode()


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    def make(*messages: bytes, name: str = "climb.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(message + b"\n" for message in messages))
        return path

    return make


def times(path: Path, *, repair: bool = False) -> list[int]:
    return [frame.timestamp_ms for frame in read_recording(path, repair=repair)]


def error_of(path: Path, *, repair: bool = False) -> str:
    with pytest.raises(RecordingError) as caught:
        list(read_recording(path, repair=repair))
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert str(path) in text
    return text.removeprefix(str(path))


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsons"])
def test_what_is_written_is_read_back_byte_for_byte(kind: str, tmp_path: Path) -> None:
    messages = list(generate_climb(1).frames(count=100))
    path = tmp_path / f"climb.{kind}"
    assert write_recording(path, messages) == 100
    assert [frame.data for frame in read_recording(path)] == messages
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_messages_make_the_same_compressed_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    for path in (first, second):
        write_recording(path, [pose(T)])
    assert first.read_bytes() == second.read_bytes()


def test_a_recording_that_breaks_off_while_written_does_not_appear(tmp_path: Path) -> None:
    def messages() -> Iterator[bytes]:
        yield pose(T)
        raise RuntimeError("the camera is gone")

    for kind in recording_format.KINDS:
        with pytest.raises(RuntimeError, match="camera"):
            write_recording(tmp_path / f"climb{kind}", messages())
    assert list(tmp_path.iterdir()) == []


def test_a_message_printed_over_lines_is_written_on_one(tmp_path: Path) -> None:
    path = tmp_path / "climb.jsonl"
    write_recording(path, [json.dumps({"timestamp": T, "landmarks": [0]}, indent=2).encode()])
    assert path.read_bytes().count(b"\n") == 1
    assert times(path) == [T]


@pytest.mark.parametrize("between", [b"", b"\n", b" \n\t ", b"\r\n"])
def test_concatenated_messages_may_have_space_between_them(between: bytes, tmp_path: Path) -> None:
    tricky = pose(T, note='}{"\\ { \\" \\\\')
    path = tmp_path / "climb.jsons"
    path.write_bytes(
        between.join(
            [tricky, pose(T + 33), json.dumps({"timestamp": T + 67, "landmarks": [0]}, indent=2).encode()]
        )
    )
    assert times(path) == [T, T + 33, T + 67]
    assert next(read_recording(path)).data == tricky


@given(
    notes=st.lists(st.text(alphabet='{}"\\[], a\né', max_size=12), min_size=1, max_size=6),
    chunk=st.integers(1, 9),
)
def test_messages_are_found_wherever_the_file_is_cut_into_chunks(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str], chunk: int
) -> None:
    messages = [pose(T + i, note=note, deep={"a": [{}]}) for i, note in enumerate(notes)]
    path = tmp_path_factory.mktemp("cut") / "climb.jsons"
    path.write_bytes(b"".join(messages))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_file, "_CHUNK", chunk)
        assert [frame.data for frame in read_recording(path)] == messages


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsons"])
def test_a_recording_is_never_whole_in_memory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"climb.{kind}"
    one = generate_climb(0).frame(0)
    write_recording(path, (one for _ in range(1000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_recording(path)) == 1000
        assert tracemalloc.get_traced_memory()[1] < len(one) * 1000 / 4
    finally:
        tracemalloc.stop()


def test_seconds_and_iso_times_become_milliseconds(record: Callable[..., Path]) -> None:
    iso = datetime.fromtimestamp(T / 1000 + 3, UTC).isoformat()
    path = record(
        pose(T / 1000),
        pose(T + 1000.4),
        pose(T // 1000 + 2),
        pose(iso),
        pose(iso.replace("+00:00", "")),
        pose(iso.replace("+00:00", "Z")),
    )
    frames = list(read_recording(path))
    assert [frame.timestamp_ms - T for frame in frames] == [0, 1000, 2000, 3000, 3000, 3000]
    assert [json.loads(frame.data)["timestamp"] for frame in frames] == [f.timestamp_ms for f in frames]


def test_a_message_in_milliseconds_keeps_its_bytes(record: Callable[..., Path]) -> None:
    odd = b'{ "timestamp" :%d , "landmarks":[1.50] }' % T
    assert next(read_recording(record(odd))).data == odd


def test_a_missing_timestamp_is_named_with_line_and_remedy(record: Callable[..., Path]) -> None:
    text = error_of(record(pose(T), b"", pose()))
    assert text.startswith(":3: the message has no timestamp")
    assert "--repair" in text


def test_an_unordered_timestamp_is_named_with_line_value_and_remedy(record: Callable[..., Path]) -> None:
    text = error_of(record(pose(T), pose(T + 66), pose(T + 33)))
    assert text.startswith(f":3: the timestamp {T + 33} is 33 ms before")
    assert "--repair" in text


def test_equal_timestamps_are_in_order(record: Callable[..., Path]) -> None:
    assert times(record(pose(T), pose(T))) == [T, T]


@pytest.mark.parametrize(
    "value", [True, -1, 1e300, 10**30, "yesterday", "1969-01-01", [], {}, "", 2**53 * 1000]
)
def test_a_time_that_is_none_is_named_and_not_repaired(value: Any, record: Callable[..., Path]) -> None:
    for repair in (False, True):
        text = error_of(record(pose(T), pose(value)), repair=repair)
        assert text.startswith(":2: the timestamp")
        assert "epoch milliseconds" in text


def test_missing_timestamps_are_spread_between_their_neighbours(record: Callable[..., Path]) -> None:
    recording = read_recording(record(pose(T), pose(), pose(), pose(T + 90)), repair=True)
    frames = list(recording)
    assert [frame.timestamp_ms - T for frame in frames] == [0, 30, 60, 90]
    assert [json.loads(frame.data)["timestamp"] - T for frame in frames] == [0, 30, 60, 90]
    assert (recording.repairs.interpolated, recording.repairs.dropped) == (2, 0)


def test_missing_timestamps_at_the_ends_are_a_frame_interval_apart(record: Callable[..., Path]) -> None:
    path = record(pose(), pose(), pose(T), pose(T + 40), pose(T + 80), pose(), pose())
    assert [at - T for at in times(path, repair=True)] == [-80, -40, 0, 40, 80, 120, 160]


def test_a_recording_without_any_time_is_dated_from_a_fixed_start(record: Callable[..., Path]) -> None:
    found = times(record(*[pose()] * 200), repair=True)
    assert found == [1_700_000_000_000 + 33 * i for i in range(200)]


def test_late_messages_are_dropped_and_counted(record: Callable[..., Path]) -> None:
    recording = read_recording(record(pose(T), pose(T + 66), pose(T + 33), pose(T + 99)), repair=True)
    assert [frame.timestamp_ms - T for frame in recording] == [0, 66, 99]
    assert str(recording.repairs) == "0 timestamps interpolated, 1 late messages dropped"


@given(st.lists(st.none() | st.integers(T, T + 5000), min_size=1, max_size=150))
def test_a_repaired_recording_is_ordered_and_accounts_for_every_message(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[int | None]
) -> None:
    path = tmp_path_factory.mktemp("repair") / "climb.jsonl"
    path.write_bytes(b"".join(pose(stamp) + b"\n" for stamp in stamps))
    recording = read_recording(path, repair=True)
    found = [frame.timestamp_ms for frame in recording]
    assert found == sorted(found)
    assert len(found) + recording.repairs.dropped == len(stamps)
    assert recording.repairs.interpolated == stamps.count(None)


def test_controls_pass_with_the_time_of_the_pose_before_them(record: Callable[..., Path]) -> None:
    reset = b'{"type":"reset_holds"}'
    frames = list(read_recording(record(reset, pose(T), reset, pose(T + 33))))
    assert [(f.timestamp_ms - T, f.data == reset) for f in frames] == [
        (0, True),
        (0, False),
        (0, True),
        (33, False),
    ]


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        (b'{"timestamp": ?}', ":2:15: not a message (JSON is malformed"),
        (b'{"timestamp": 1', ":2:1: not a message (Input data was truncated)"),
        (b"42", ":2: 42 is not a message"),
        (b'{"type": 7}', ":2: the type 7 is not a text"),
        (b'{"a":"\xff"}', ":2:1: not a message"),
        (b'{"a":' + b"[" * 100_000, ":2:1: not a message (nested too deeply)"),
    ],
)
def test_a_broken_line_is_named_with_its_column(
    line: bytes, begins: str, record: Callable[..., Path]
) -> None:
    assert error_of(record(pose(T), line)).startswith(begins)


@pytest.mark.parametrize(
    ("tail", "begins"),
    [
        (b'\n\n  {"timestamp": }', ":3:17: not a message"),
        (b" ] {}", ":1:64: ']"),
        (b'\n{"timestamp": 1', ":2:1: the file ends inside this message"),
        (b'\n{"a": "', ":2:1: the file ends inside this message"),
        (b'\n{\n"timestamp": ?}', ":3:14: not a message"),
    ],
)
def test_a_broken_concatenation_is_named_with_line_and_column(
    tail: bytes, begins: str, tmp_path: Path
) -> None:
    path = tmp_path / "climb.jsons"
    path.write_bytes(pose(T) + tail)
    assert error_of(path).startswith(begins)


@pytest.mark.parametrize("kind", ["jsonl", "jsons"])
def test_a_message_without_end_is_refused_before_it_fills_the_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_file, "MAX_MESSAGE_BYTES", 1000)
    path = tmp_path / f"climb.{kind}"
    path.write_bytes(b'{"a":[' + b"1," * 5000)
    assert "in 1000 bytes" in error_of(path)


def test_a_truncated_or_damaged_gzip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "climb.jsonl.gz"
    whole = gzip.compress(b"".join(pose(T + i) + b"\n" for i in range(1000)))
    for damaged in (whole[:-20], whole[:200] + b"\0" * 50 + whole[250:]):
        path.write_bytes(damaged)
        assert "ends early or is damaged" in error_of(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"type":"reset_holds"}\n'])
def test_a_recording_without_a_pose_is_an_error(content: bytes, tmp_path: Path) -> None:
    for kind in ("jsonl", "jsons"):
        path = tmp_path / f"climb.{kind}"
        path.write_bytes(content)
        assert error_of(path).startswith(": no pose in it")


def test_a_missing_file_or_an_unknown_kind_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for name, reason in (
        ("no.jsonl", "No such file"),
        ("folder.jsonl", "directory"),
    ):
        with pytest.raises(RecordingError, match=reason) as caught:
            read_recording(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert ".jsonl" in str(caught.value)
    with pytest.raises(RecordingError, match="not a kind"):
        write_recording(tmp_path / "a.csv", [])
    with pytest.raises(RecordingError, match="cannot be written"):
        write_recording(tmp_path / "nowhere" / "a.jsonl", [])


def test_the_schedule_is_the_recorded_pace_divided_by_the_speed() -> None:
    frames = [RecordedFrame(T + at, b"%d" % at, 1) for at in (0, 33, 500)]
    assert list(schedule(frames, 2.0)) == [(0.0, b"0"), (0.0165, b"33"), (0.25, b"500")]


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_no_pace_is_refused_at_once(speed: float) -> None:
    with pytest.raises(ValueError, match="the speed is"):
        schedule([], speed)


def test_a_loop_goes_on_in_time_and_in_sequence(record: Callable[..., Path]) -> None:
    reset = b'{"type":"reset_holds"}'
    path = record(pose(T, sequence=7), pose(T + 40), reset, pose(T + 80, sequence=9))
    frames = list(islice(looped(path), 12))
    assert [f.timestamp_ms - T for f in frames] == [0, 40, 40, 80, 120, 160, 160, 200, 240, 280, 280, 320]
    decoded = [json.loads(f.data) for f in frames if f.data != reset]
    assert [m["sequence"] for m in decoded] == list(range(9))
    assert [m["timestamp"] - T for m in decoded] == [0, 40, 80, 120, 160, 200, 240, 280, 320]


def test_a_loop_of_one_frame_still_goes_on(record: Callable[..., Path]) -> None:
    assert [f.timestamp_ms - T for f in islice(looped(record(pose(T))), 3)] == [0, 33, 66]


def test_a_loop_of_a_missing_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be opened"):
        looped(tmp_path / "no.jsonl")


REAL_CLIMB = Path(__file__).parents[2].parent / "shared" / "data" / "climb.jsonl.gz"


@pytest.mark.skipif(
    not REAL_CLIMB.exists(), reason="the recorded climb is not part of the project's own tree"
)
def test_the_real_climb_is_read_unchanged() -> None:
    with gzip.open(REAL_CLIMB) as file:
        lines = [line.strip() for line in file]
    assert [frame.data for frame in read_recording(REAL_CLIMB)] == lines
    assert len(lines) == 648
