import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.loop import VirtualLoop
from simulator.network import Network
from tracker import events
from tracker.config import ConfigError, TrackerConfig, redacted
from tracker.trace import Recorder
from tracker.trace_format import MAX_PAYLOAD_BYTES, SCHEMA, Payload
from tracker.trace_parts import Bounds

CONFIG = TrackerConfig(
    input_url="ws://anna:s3cret@wall:1/in?token=s3cret",
    output_url="wss://out?key=s3cret",
    control_url="ws://s3cret@c/x/",
)
FULL_DISK = Path("/dev/full")
CHATTER = events.Sent(t=1.0, seq=1, connection=1)


def on_virtual_time(main: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Network(Random(1)))) as runner:
        runner.run(main())


def record(path: Path, *facts: events.AnyEvent, stream: str = "ab12", **options: Any) -> None:
    """A whole run's trace."""

    async def run() -> None:
        with Recorder(path, CONFIG, stream=stream, **options) as recorder:
            recorder.begin(asyncio.get_running_loop())
            for fact in facts:
                recorder.observe(fact)

    on_virtual_time(run)


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def seqs(path: Path) -> list[int]:
    return [line["seq"] for line in lines(path)[1:]]


def chatter(*numbers: int) -> list[events.Sent]:
    return [events.Sent(t=number / 30, seq=number, connection=1) for number in numbers]


# The header


def test_the_first_line_says_what_ran_how_and_when(tmp_path: Path) -> None:
    record(tmp_path / "trace", rules={"touch_duration": 0.5})
    [header] = lines(tmp_path / "trace")
    assert header["schema"] == SCHEMA == "tracker.trace/2"
    assert header["stream"] == "ab12"
    assert header["part"] == 1
    assert {"tracker", "websockets", "python", "host", "cpus", "loop"} <= set(header)
    assert header["anchor"]["t"] == 0.0
    assert header["anchor"]["epoch_ms"] > 1_700_000_000_000
    assert abs(header["anchor"]["utc_offset_s"]) <= 14 * 3600
    assert header["config"]["timing"]["probe_floor"] == CONFIG.timing.probe_floor
    assert header["config"]["outbox"]["messages"] == CONFIG.outbox.messages
    assert header["config"]["confirm"] == "pong"
    assert header["rules"] == {"touch_duration": 0.5}


def test_the_header_holds_no_secret(tmp_path: Path) -> None:
    record(tmp_path / "trace")
    [header] = lines(tmp_path / "trace")
    assert "s3cret" not in (tmp_path / "trace").read_text()
    assert header["config"]["input_url"] == "ws://wall:1/in"
    assert header["config"]["output_url"] == "wss://out"
    assert header["config"]["control_url"] == "ws://c/x/"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://wall:8765/ws/pose/", "ws://wall:8765/ws/pose/"),
        ("ws://wall", "ws://wall"),
        ("ws://u:p@wall/a", "ws://wall/a"),
        ("ws://u:p@ss@wall/a", "ws://wall/a"),
        ("ws://wall/a?token=x", "ws://wall/a"),
        ("ws://wall?token=x", "ws://wall"),
        ("ws://wall?token=x/y", "ws://wall"),
        ("ws://wall/?next=ws://u:p@other/", "ws://wall/"),
        ("ws://[::1]:80/a", "ws://[::1]:80/a"),
    ],
)
def test_a_url_is_shown_without_user_password_and_query(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_the_walls_files_are_a_digest_unless_payloads_are_kept(tmp_path: Path) -> None:
    files = {"wall": b"<svg/>", "route": b"\xff"}
    record(tmp_path / "without", files=files)
    record(tmp_path / "with", files=files, payloads=True)
    [without], [whole] = lines(tmp_path / "without"), lines(tmp_path / "with")
    assert without["files"]["wall"].keys() == {"sha256", "bytes"}
    assert whole["files"]["wall"] == {**without["files"]["wall"], "text": "<svg/>"}
    assert whole["files"]["route"]["base64"] == "/w=="


# The events


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(get_args(events.AnyEvent)).flatmap(st.builds), max_size=10))
def test_every_event_is_one_line_that_reads_back_in_order(
    tmp_path: Path, facts: list[events.AnyEvent]
) -> None:
    # A number that JSON has no word for (infinity, NaN) is null there; nothing that a tracker reports is one.
    whole = [fact for fact in facts if b"null" not in msgspec.json.encode(fact)]
    (tmp_path / "trace").unlink(missing_ok=True)
    record(tmp_path / "trace", *whole)
    _, *rest, end = (tmp_path / "trace").read_bytes().split(b"\n")
    assert end == b""
    assert [msgspec.json.decode(line, type=events.AnyEvent) for line in rest] == whole


def test_a_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    record(tmp_path / "trace", events.Refused(t=1.0, link="input", why="no such host \udcff"))
    assert lines(tmp_path / "trace")[1]["why"] == "no such host ?"


def test_messages_are_kept_byte_for_byte(tmp_path: Path) -> None:
    messages = [b'{"type":"reset_holds"}', b"\xff\x00", b"", b"x" * (MAX_PAYLOAD_BYTES + 1)]

    async def run() -> None:
        with Recorder(tmp_path / "trace", CONFIG, stream="ab12", payloads=True) as recorder:
            recorder.begin(asyncio.get_running_loop())
            for message in messages:
                recorder.keep("control", message)

    on_virtual_time(run)
    _, *rest = (tmp_path / "trace").read_bytes().splitlines()
    kept = [msgspec.json.decode(line, type=Payload) for line in rest]
    assert [payload.data for payload in kept] == [*messages[:3], None]
    assert [payload.size for payload in kept] == [len(message) for message in messages]


# What a kill -9 leaves


def test_no_line_waits_longer_than_a_second(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    async def run() -> None:
        with Recorder(path, CONFIG, stream="ab12") as recorder:
            recorder.begin(asyncio.get_running_loop())
            recorder.observe(CHATTER)
            await asyncio.sleep(0.5)
            recorder.observe(CHATTER)
            assert len(lines(path)) == 1
            await asyncio.sleep(0.501)
            assert len(lines(path)) == 3
            recorder.observe(CHATTER)
            await asyncio.sleep(1.001)
            assert len(lines(path)) == 4

    on_virtual_time(run)


def test_what_happens_to_a_link_is_written_at_once_with_all_that_came_before(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    async def run() -> None:
        with Recorder(path, CONFIG, stream="ab12") as recorder:
            recorder.begin(asyncio.get_running_loop())
            recorder.observe(CHATTER)
            recorder.observe(events.Suspected(t=1.1, link="output", connection=1, silence=1.2))
            assert [line["event"] for line in lines(path)[1:]] == ["sent", "suspected"]

    on_virtual_time(run)


@pytest.mark.commands
def test_everything_up_to_the_last_second_is_there_after_a_kill_9(tmp_path: Path) -> None:
    script = """if True:
        import asyncio, os, signal, sys
        from pathlib import Path
        from tracker import events
        from tracker.config import TrackerConfig
        from tracker.trace import Recorder
        async def main():
            loop = asyncio.get_running_loop()
            trace = Recorder(Path(sys.argv[1]), TrackerConfig("ws://a", "ws://b"), stream="ab12")
            trace.begin(loop)
            for seq in range(1, 16):
                trace.observe(events.Sent(t=loop.time(), seq=seq, connection=1))
                await asyncio.sleep(0.1)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    path = tmp_path / "trace"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    found = seqs(path)
    assert found == list(range(1, len(found) + 1))
    assert 5 <= len(found) < 15


# Rotation


def test_parts_are_bounded_and_the_newest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    record(path, *chatter(*range(1, 1001)), bounds=Bounds(4000, 3))
    parts = [tmp_path / "trace.2", tmp_path / "trace.1", path]
    assert sorted(tmp_path.iterdir()) == sorted(parts)
    assert all(part.stat().st_size <= 4000 for part in parts)
    kept = [seq for part in parts for seq in seqs(part)]
    assert kept == list(range(kept[0], 1001))
    headers = [lines(part)[0] for part in parts]
    numbers = [header.pop("part") for header in headers]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert headers[0] == headers[1] == headers[2]


def test_a_single_part_is_begun_anew_when_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    record(path, *chatter(*range(1, 1001)), bounds=Bounds(4000, 1))
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size <= 4000
    assert seqs(path)[-1] == 1000


def test_the_trace_of_an_earlier_run_is_moved_on_and_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    record(path, *chatter(1), stream="first")
    record(path, *chatter(2), stream="second")
    assert [line.get("stream") for line in lines(path)] == ["second", None]
    assert [line.get("stream") for line in lines(tmp_path / "trace.1")] == ["first", None]


# Many starts

REFUSED = (
    events.Connecting(t=1.0, link="output", attempt=1),
    events.Refused(t=1.1, link="output", why="HTTP 401", status=401, fatal=True),
)


def test_starts_that_reach_nothing_replace_one_another_and_never_a_recorded_run(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    record(path, *chatter(*range(1, 101)), stream="recorded")
    for number in range(50):
        record(path, *REFUSED, stream=f"refused {number}", bounds=Bounds(10_000, 2))
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "trace.1"]
    assert [line.get("stream") for line in lines(path)] == ["refused 49", None, None]
    assert lines(path)[0]["replaced"] == 49
    assert seqs(tmp_path / "trace.1") == list(range(1, 101))


def test_a_start_that_reaches_nothing_for_days_takes_one_part_and_no_other_runs(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    record(path, *chatter(1), stream="recorded")
    record(path, *REFUSED * 500, stream="refused", bounds=Bounds(4000, 2))
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "trace.1"]
    assert path.stat().st_size <= 4000
    assert lines(tmp_path / "trace.1")[0]["stream"] == "recorded"


def test_short_runs_are_kept_as_long_as_their_bytes_fit_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    for number in range(80):
        record(path, *chatter(number), stream=f"run {number}", bounds=Bounds(5_000, 8))
    parts = sorted(tmp_path.iterdir(), key=lambda part: int(part.suffix[1:] or 0))
    kept = [lines(part)[0]["stream"] for part in parts]
    assert kept == [f"run {79 - n}" for n in range(len(kept))]
    assert len(kept) > 15
    size = sum(part.stat().st_size for part in parts)
    assert 8 * 5_000 - 3 * 2_000 < size <= 8 * 5_000


def test_a_second_tracker_on_the_same_trace_is_refused_and_the_next_after_its_end_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "trace"
    with Recorder(path, CONFIG, stream="first"):
        with pytest.raises(ConfigError) as caught:
            Recorder(path, CONFIG, stream="second")
        assert str(caught.value) == (
            f"cannot write the trace {path}: another tracker writes it (process {os.getpid()}):"
            " end that one, or choose another --trace FILE"
        )
        Recorder(tmp_path / "another", CONFIG, stream="third")._parts.close()
    record(path, *chatter(1))
    assert seqs(path) == [1]


def test_a_lock_that_a_killed_tracker_left_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "trace.lock").write_text("12345\n")
    record(tmp_path / "trace", *chatter(1))
    assert seqs(tmp_path / "trace") == [1]


def test_a_trace_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(b"")
    path.chmod(0o666)
    record(path, *chatter(*range(1, 1001)), bounds=Bounds(4000, 3))
    assert {stat.S_IMODE(part.stat().st_mode) for part in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("name", ["trace", "trace.lock"])
def test_nothing_is_written_through_a_symbolic_link(
    tmp_path: Path,
    name: str,
    exists: bool,  # noqa: FBT001 - a parametrised test's own argument
) -> None:
    target = tmp_path / "somebody else's"
    if exists:
        target.write_text("")
    (tmp_path / name).symlink_to(target)
    with pytest.raises(ConfigError, match=r"is a symbolic link, and those are not followed"):
        Recorder(tmp_path / "trace", CONFIG, stream="ab12")
    assert not exists or target.read_text() == ""
    assert target.exists() == exists


# What can go wrong


def test_a_file_that_cannot_be_written_is_named_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "trace"
    with pytest.raises(ConfigError) as caught:
        Recorder(path, CONFIG, stream="ab12")
    expected = f"cannot write the trace {path}: No such file or directory: choose another --trace FILE"
    assert str(caught.value) == expected


@pytest.mark.parametrize("place", ["trace", "trace.1"])
def test_what_is_no_trace_is_never_overwritten(tmp_path: Path, place: str) -> None:
    (tmp_path / place).write_text("<svg>the wall</svg>")
    with pytest.raises(ConfigError, match=r"holds something else.*choose another --trace FILE"):
        Recorder(tmp_path / "trace", CONFIG, stream="ab12")
    assert (tmp_path / place).read_text() == "<svg>the wall</svg>"


@pytest.mark.parametrize("left", [b"", b"\0" * 100, b'{"sch', b'{"schema":"tracker.trace/1","stream":"x"}'])
def test_what_a_power_cut_left_of_a_trace_does_not_keep_the_next_from_beginning(
    tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "trace").write_bytes(left)
    record(tmp_path / "trace", *chatter(1))
    assert seqs(tmp_path / "trace") == [1]


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"bytes": 0}, "--trace-bytes is 0: it must be at least 1"),
        ({"files": 0}, "--trace-files is 0: it must be at least 1"),
    ],
)
def test_a_bound_of_nothing_is_refused(bounds: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Bounds(**bounds)
    assert str(caught.value) == said


def test_a_bound_that_the_header_alone_would_fill_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--trace-bytes is 500: the header of each part alone takes \d+:"):
        Recorder(tmp_path / "trace", CONFIG, stream="ab12", bounds=Bounds(bytes=500))
    assert not (tmp_path / "trace").exists()


@pytest.mark.skipif(not FULL_DISK.exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_ends_the_trace_and_not_the_tracker(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        record(FULL_DISK, events.Displaced(t=1.0, seq=1), events.Stopped(t=2.0, undelivered=0))
    said = [entry.getMessage() for entry in caplog.records]
    assert said == ["trace /dev/full ends here: No space left on device: free some space and start again"]


def test_a_folder_that_vanishes_ends_the_trace_and_not_the_tracker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    async def run() -> None:
        with Recorder(folder / "trace", CONFIG, stream="ab12", bounds=Bounds(4000, 3)) as recorder:
            recorder.begin(asyncio.get_running_loop())
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
            for event in chatter(*range(1000)):
                recorder.observe(event)

    with caplog.at_level(logging.WARNING):
        on_virtual_time(run)
    assert len(caplog.records) == 1
