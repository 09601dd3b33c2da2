"""Reading traces: whole, in parts, compressed, cut off, corrupt, of another version, and no traces at all."""

import asyncio
import gzip
import json
import os
import tracemalloc
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.answer import Answer, SessionFrom
from chaos.history import History, Reached
from chaos.traces.files import MAX_LINE_BYTES
from chaos.traces.reading import Trace, TraceError, open_trace
from simulator.loop import VirtualLoop
from simulator.network import Network
from tracker import events
from tracker.config import TrackerConfig
from tracker.messages import HoldState, SessionState
from tracker.trace import Bounds, Recorder

DATA = Path(__file__).parents[1] / "data"
OLD = DATA / "trace-1.jsonl"
ANSWER = Answer(
    (2.5, 3.5),
    (SessionFrom(1, SessionState("started", holds=(HoldState("hold_1", "start", "touched", "now"),))),),
)
CONFIG = TrackerConfig("ws://camera/in", "ws://displays/out")


def record(
    path: Path, count: int = 5, *, stream: str = "ab12", payloads: bool = False, **options: Any
) -> None:
    async def run() -> None:
        with Recorder(path, CONFIG, stream=stream, payloads=payloads, **options) as recorder:
            recorder.begin(asyncio.get_running_loop())
            for number in range(count):
                if payloads:
                    recorder.keep("input", b'{"n":%d}' % number)
                recorder.observe(events.Sent(t=number / 30, seq=number, connection=1))

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Network(Random(1)))) as runner:
        runner.run(run())


def opened(path: Path) -> Trace | None:
    """None where it is refused, in one line."""
    try:
        return open_trace(path)
    except TraceError as error:
        said = str(error)
    assert said.isprintable()
    return None


def seqs(path: Path) -> list[int]:
    return [event.seq for event in open_trace(path).events() if isinstance(event, events.Sent)]


# What is read


def test_a_trace_is_read_with_its_header(tmp_path: Path) -> None:
    record(tmp_path / "trace", files={"wall": b"<svg/>"}, rules={"touch_duration": 0.5})
    trace = open_trace(tmp_path / "trace")
    header = trace.header
    assert (trace.kind, header.schema, header.stream, header.part) == ("trace", "tracker.trace/2", "ab12", 1)
    assert header.config is not None
    assert header.config["timing"]["probe_floor"] == 1.2
    assert header.anchor is not None
    assert header.anchor.epoch_ms > 1_700_000_000_000
    assert header.rules == {"touch_duration": 0.5}
    assert header.content("wall") is None
    assert seqs(tmp_path / "trace") == [0, 1, 2, 3, 4]
    assert trace.problems == []


def test_a_trace_as_the_previous_release_wrote_it_is_read() -> None:
    trace = open_trace(OLD)
    found = list(trace.events())
    assert trace.header.schema == "tracker.trace/1"
    assert trace.header.anchor is not None
    assert len(found) == 163
    assert isinstance(found[-1], events.Stopped)
    assert trace.problems == []


def test_the_messages_and_the_walls_files_are_there_where_they_were_kept(tmp_path: Path) -> None:
    record(tmp_path / "trace", 3, payloads=True, files={"wall": b"<svg/>", "route": b"\xff"})
    trace = open_trace(tmp_path / "trace")
    assert [payload.data for payload in trace.payloads()] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert seqs(tmp_path / "trace") == [0, 1, 2]
    assert trace.header.payloads
    assert trace.header.content("wall") == b"<svg/>"
    assert trace.header.content("route") == b"\xff"


def test_a_record_of_the_laboratory_is_read_with_all_its_events(tmp_path: Path) -> None:
    told = (Reached(t=1.0, phase="steady"), events.Sent(t=2.0, seq=1, connection=1))
    history = History("reset", "sim", "tracker", 7, told, (ANSWER,), {"confirm": "pong"})
    (tmp_path / "record").write_bytes(b"".join(history.lines()))
    trace = open_trace(tmp_path / "record")
    assert trace.kind == "history"
    assert (trace.header.scenario, trace.header.engine, trace.header.seed) == ("reset", "sim", 7)
    assert trace.header.config == {"confirm": "pong"}
    assert trace.header.reference == (ANSWER,)
    assert tuple(trace.events()) == told


def test_a_record_of_the_first_schema_is_read_without_its_answer(tmp_path: Path) -> None:
    header = {"schema": "simtool.history/1", "reference": {"hold_1": [5.0, 9.0]}, "others": [{}]}
    (tmp_path / "record").write_text(json.dumps(header) + "\n")
    found = open_trace(tmp_path / "record").header
    assert (found.reference, found.others) == ((), ())


def test_a_trace_may_be_compressed_whatever_its_name(tmp_path: Path) -> None:
    record(tmp_path / "plain")
    (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    assert seqs(tmp_path / "packed") == [0, 1, 2, 3, 4]


def test_the_mark_that_an_editor_left_at_the_begin_is_passed_over(tmp_path: Path) -> None:
    record(tmp_path / "trace")
    (tmp_path / "edited").write_bytes(BOM_UTF8 + (tmp_path / "trace").read_bytes().replace(b"\n", b"\r\n"))
    assert seqs(tmp_path / "edited") == list(range(5))


def test_a_kept_message_that_was_damaged_is_none(tmp_path: Path) -> None:
    record(tmp_path / "trace", 0)
    with (tmp_path / "trace").open("ab") as file:
        file.write(b'{"event":"payload","link":"input","size":9,"base64":"x","t":1.0}\n')
    assert [payload.data for payload in open_trace(tmp_path / "trace").payloads()] == [None]


def test_each_pass_reads_anew(tmp_path: Path) -> None:
    record(tmp_path / "trace")
    with (tmp_path / "trace").open("ab") as file:
        file.write(b"rubbish\n")
    trace = open_trace(tmp_path / "trace")
    assert list(trace.events()) == list(trace.events())
    assert trace.problems == ["1 corrupt lines skipped: trace:7"]


# Parts


def test_the_parts_of_a_run_are_joined_in_their_order_whichever_is_named(tmp_path: Path) -> None:
    record(tmp_path / "trace", 300, bounds=Bounds(6000, 9))
    assert len(list(tmp_path.iterdir())) > 2
    (tmp_path / "trace.2.gz").write_bytes(gzip.compress((tmp_path / "trace.2").read_bytes()))
    (tmp_path / "trace.2").unlink()
    for named in ("trace", "trace.1", "trace.2.gz"):
        trace = open_trace(tmp_path / named)
        assert seqs(tmp_path / named) == list(range(300))
        assert trace.path == tmp_path / "trace"
        assert trace.problems == []


def test_parts_that_are_gone_are_said(tmp_path: Path) -> None:
    record(tmp_path / "trace", 300, bounds=Bounds(6000, 9))
    (tmp_path / "trace.1").unlink()
    [said] = open_trace(tmp_path / "trace").problems
    assert "not there, rotated out or not copied; events are missing" in said


def test_how_many_parts_are_gone_is_counted_and_not_listed_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "trace").write_bytes(b'{"schema":"tracker.trace/2","stream":"x","part":1000000000}\n')
    [said] = open_trace(tmp_path / "trace").problems
    assert said.startswith("999999999 parts, the first is 1 of 1000000000")


def test_another_runs_trace_beside_it_is_none_of_its_parts(tmp_path: Path) -> None:
    record(tmp_path / "trace", 2, stream="first")
    record(tmp_path / "trace", 3, stream="second")
    assert seqs(tmp_path / "trace") == [0, 1, 2]
    assert seqs(tmp_path / "trace.1") == [0, 1]


def test_what_was_joined_by_hand_is_read_up_to_where_another_run_begins(tmp_path: Path) -> None:
    record(tmp_path / "a", 300, bounds=Bounds(6000, 9))
    record(tmp_path / "b", 2, stream="other")
    parts = sorted(tmp_path.glob("a*"), key=lambda path: path.name, reverse=True)
    parts = [*(p for p in parts if p.name != "a"), tmp_path / "a", tmp_path / "b"]
    (tmp_path / "joined").write_bytes(b"".join(part.read_bytes() for part in parts))
    trace = open_trace(tmp_path / "joined")
    assert seqs(tmp_path / "joined") == list(range(300))
    list(trace.events())
    [said] = trace.problems
    assert said.startswith("another run begins in the middle: it is left out; split the file: joined:")


# What is damaged


def small(tmp_path: Path) -> bytes:
    record(tmp_path / "whole", 4)
    return (tmp_path / "whole").read_bytes()


def test_a_trace_cut_off_at_any_byte_is_read_up_to_there_or_refused_in_one_line(tmp_path: Path) -> None:
    whole = small(tmp_path)
    header = whole.index(b"\n")
    for size in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:size])
        if size < header:
            with pytest.raises(TraceError) as caught:
                open_trace(tmp_path / "cut")
            assert "\n" not in str(caught.value)
            continue
        trace = open_trace(tmp_path / "cut")
        complete = whole[: size + 1].count(b"\n") - 1
        assert len(list(trace.events())) == complete
        cut = whole[size - 1 : size] != b"\n" and whole[size : size + 1] != b"\n"
        assert trace.problems == (
            [f"the last line is cut off and left out: cut:{complete + 2}"] if cut else []
        )


def test_a_compressed_trace_cut_off_at_any_byte_gives_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(small(tmp_path))
    counts = []
    for size in range(len(packed)):
        (tmp_path / "cut").write_bytes(packed[:size])
        trace = opened(tmp_path / "cut")
        if trace is not None:
            counts.append(len(list(trace.events())))
            assert any("ends early" in said for said in trace.problems)
    assert counts[-1] == 4
    assert counts == sorted(counts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_befalls_a_trace_is_a_problem_or_an_error_and_no_traceback(
    tmp_path: Path, data: st.DataObject
) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    whole = bytearray(small(tmp_path))
    if data.draw(st.booleans()):
        whole = bytearray(gzip.compress(bytes(whole), mtime=0))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[int(data.draw(st.floats(0, 1, exclude_max=True)) * len(whole))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged").write_bytes(whole)
    trace = opened(tmp_path / "damaged")
    if trace is not None:
        assert len(list(trace.events())) <= 4
        assert all(said.isprintable() for said in trace.problems)


def test_corrupt_lines_are_skipped_and_counted_and_the_first_are_named(tmp_path: Path) -> None:
    lines = small(tmp_path).splitlines(keepends=True)
    (tmp_path / "odd").write_bytes(
        b"".join(
            [lines[0], b"\0\0\0\n", lines[1], b'{"event":"sent","t":"?"}\n', *[b"\xff\n"] * 9, *lines[2:]]
        )
    )
    trace = open_trace(tmp_path / "odd")
    assert len(list(trace.events())) == 4
    assert trace.problems == ["11 corrupt lines skipped: odd:2, odd:4, odd:5, odd:6, odd:7, ..."]


def test_events_of_a_later_version_are_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "later").write_bytes(small(tmp_path) + b'{"event":"dreamt","t":1.0}\n')
    trace = open_trace(tmp_path / "later")
    assert len(list(trace.events())) == 4
    assert trace.problems == ["1 events of kinds that this version does not know skipped: later:6"]


def test_a_line_that_is_far_too_long_is_skipped(tmp_path: Path) -> None:
    lines = small(tmp_path).splitlines(keepends=True)
    with (tmp_path / "long").open("wb") as file:
        file.writelines([lines[0], b"x" * (MAX_LINE_BYTES * 2 + 10), b"\n", *lines[1:]])
    trace = open_trace(tmp_path / "long")
    assert len(list(trace.events())) == 4
    assert trace.problems == ["1 lines of more than 16 MB skipped: long:2"]


def test_memory_stays_flat_however_long_a_trace_is(tmp_path: Path) -> None:
    header = small(tmp_path).splitlines(keepends=True)[0]
    line = msgspec.json.encode(events.Sent(t=1.5, seq=1, connection=1)) + b"\n"

    def most_held(count: int) -> int:
        with (tmp_path / "big").open("wb") as file:
            file.write(header)
            file.writelines(line for _ in range(count))
        tracemalloc.start()
        assert sum(1 for _ in open_trace(tmp_path / "big").events()) == count
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    most_held(100)
    assert most_held(50_000) < most_held(5_000) + 100_000


# What is none


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty: nothing was recorded"),
        (b"\n\n", "it is empty: nothing was recorded"),
        (
            b'{"schema":"tracker.trace/9","stream":"x"}\n',
            "tracker.trace/9, and this version reads tracker.trace/1",
        ),
        (b'{"schema":"simtool.history/9"}\n', "simtool.history/9, and this version reads simtool.history/1"),
        (b'{"schema":"simtool.chaos/1","runs":[]}\n', "these are results; the records"),
        (b'{"schema":"other/1"}\n', "its schema is 'other/1': not a trace"),
        (b'{"schema":"tracker.trace/2","anchor":7}\n', "its header makes no sense"),
        *(
            (b'{"schema":"tracker.trace/2",%s}\n' % damaged, "its header makes no sense")
            for damaged in (
                b'"part":-1',
                b'"stream":{}',
                b'"scenario":7',
                b'"config":{"outbox":5}',
                b'"files":{"wall":{"text":5}}',
                b'"anchor":{"t":0,"epoch_ms":9000000000000000000}',
                b'"anchor":{"t":0,"epoch_ms":0,"utc_offset_s":90000}',
            )
        ),
        (b'{"schema":"tracker.trace/2","str', "the header, is cut off"),
        (b'{"type":"pose","landmarks":[]}\n', "a recording of poses; to send it to a server: simtool replay"),
        (b'{"event":"sent","t":1.0,"seq":1,"connection":1}\n', "its first line is missing"),
        (b'{"a":1}\n', "JSON of another kind"),
        (b"[1,2]\n", "text of another kind"),
        (b"<svg/>", "XML or HTML"),
        (PNG, "binary data"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "a packet capture"),
        (b"2026-01-01 all is well\n" * 3, "text of another kind, beginning '2026-01-01 all is well'"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_with_what_it_looks_like(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(TraceError) as caught:
        open_trace(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("make", [lambda _: None, lambda path: path.mkdir()], ids=["missing", "a folder"])
def test_a_path_that_holds_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    with pytest.raises(TraceError, match="cannot be opened"):
        open_trace(tmp_path / "x")


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TraceError, match="it is a pipe, and not a regular file"):
        open_trace(tmp_path / "pipe")


def test_a_format_that_was_insisted_on_must_be_the_files(tmp_path: Path) -> None:
    record(tmp_path / "trace")
    with pytest.raises(TraceError, match="no line of it is of the websockets library"):
        open_trace(tmp_path / "trace", format="websockets-log")
    with pytest.raises(TraceError, match="not a trace"):
        open_trace(DATA / "websockets-17-incident.log", format="trace")
    with pytest.raises(TraceError, match=r"--format is 'pcap': choose one of auto, trace, websockets-log"):
        open_trace(tmp_path / "trace", format="pcap")  # type: ignore[arg-type]
