import logging
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracker import events
from tracker.config import ConfigError, TrackerConfig, redacted
from tracker.trace import SCHEMA, Trace

CONFIG = TrackerConfig(
    input_url="ws://anna:s3cret@wall:1/in?token=s3cret",
    output_url="wss://out?key=s3cret",
    control_url="ws://s3cret@c/x/",
)
FULL_DISK = Path("/dev/full")


def written(path: Path, *facts: events.AnyEvent) -> list[dict[str, Any]]:
    """A trace of these events, read back."""
    with Trace(path, CONFIG, stream="ab12") as trace:
        trace.begin(100.5)
        for fact in facts:
            trace.observe(fact)
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


# The header


def test_the_first_line_says_what_ran_how_and_when(tmp_path: Path) -> None:
    [header] = written(tmp_path / "trace")
    assert header["schema"] == SCHEMA == "tracker.trace/1"
    assert header["stream"] == "ab12"
    assert {"tracker", "websockets", "python", "host"} <= set(header)
    assert header["anchor"]["t"] == 100.5
    assert header["anchor"]["epoch_ms"] > 1_700_000_000_000
    assert header["config"]["timing"]["probe_floor"] == CONFIG.timing.probe_floor
    assert header["config"]["outbox"]["messages"] == CONFIG.outbox.messages
    assert header["config"]["confirm"] == "pong"


def test_the_header_holds_no_secret(tmp_path: Path) -> None:
    [header] = written(tmp_path / "trace")
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


# The events


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(get_args(events.AnyEvent)).flatmap(st.builds), max_size=10))
def test_every_event_is_one_line_that_reads_back_in_order(
    tmp_path: Path, facts: list[events.AnyEvent]
) -> None:
    # A number that JSON has no word for (infinity, NaN) is null there; nothing that a tracker reports is one.
    whole = [fact for fact in facts if b"null" not in msgspec.json.encode(fact)]
    written(tmp_path / "trace", *whole)
    _, *lines, end = (tmp_path / "trace").read_bytes().split(b"\n")
    assert end == b""
    assert [msgspec.json.decode(line, type=events.AnyEvent) for line in lines] == whole


def test_a_trace_that_ran_before_is_replaced(tmp_path: Path) -> None:
    written(tmp_path / "trace", events.Displaced(t=1.0, seq=1))
    assert len(written(tmp_path / "trace")) == 1


def test_everything_up_to_a_kill_9_is_there(tmp_path: Path) -> None:
    script = """if True:
        import os, signal, sys
        from pathlib import Path
        from tracker import events
        from tracker.config import TrackerConfig
        from tracker.trace import Trace
        trace = Trace(Path(sys.argv[1]), TrackerConfig("ws://a", "ws://b"), stream="ab12")
        trace.begin(0.0)
        for seq in range(1, 501):
            trace.observe(events.Displaced(t=seq / 30, seq=seq))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "trace"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    header, *lines = path.read_bytes().splitlines()
    assert msgspec.json.decode(header)["schema"] == SCHEMA
    assert [msgspec.json.decode(line, type=events.AnyEvent).seq for line in lines] == list(range(1, 501))


# What can go wrong


def test_a_file_that_cannot_be_written_is_named_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "trace"
    with pytest.raises(ConfigError) as caught:
        Trace(path, CONFIG, stream="ab12")
    expected = f"cannot write the trace {path}: No such file or directory: choose another --trace FILE"
    assert str(caught.value) == expected


@pytest.mark.skipif(not FULL_DISK.exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_ends_the_trace_and_not_the_tracker(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Trace(FULL_DISK, CONFIG, stream="ab12") as trace:
        trace.begin(0.0)
        trace.observe(events.Displaced(t=1.0, seq=1))
    said = [record.getMessage() for record in caplog.records]
    assert said == ["trace /dev/full ends here: No space left on device: free some space and start again"]
