"""A trace, a laboratory's record and a log of the library: read as far as they can be, and what is left out is told."""

import gzip
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given

from chaos.diagnosis.telling import tell
from chaos.traces.reading import TraceError, open_trace
from tests.chaos.logs import understood
from tests.fuzz.inputs import fuzz, read, spoilt

DATA = Path(__file__).parents[1] / "chaos" / "data"
TRACE = b"".join((DATA / "trace-1.jsonl").read_bytes().splitlines(keepends=True)[:20])
CALLS = 400_000
EVENTS = (
    b'"event":"sent"',
    b'"t":-1e308',
    b'"t":1e308',
    b'"schema":"tracker.trace/9"',
    b'"part":0',
    b'"{n}{}"',
)
SAID = (
    b"< PONG ",
    b"= connection is OPEN",
    b"code = 99999",
    b"%d bytes" % 10**30,
    b"2025-11-16 19:30:45,123 ",
)


def some_of(log: Path) -> bytes:
    """Its begin and its end, so that a thousand of them take seconds."""
    lines = log.read_bytes().splitlines(keepends=True)
    return b"".join([*lines[:14], *lines[-14:]])


LOGS = [some_of(log) for log in sorted(DATA.glob("real/*-1[037]-client.log"))[::6]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces")


def read_through(file: Path) -> list[str]:
    trace = open_trace(file)
    for _ in trace.events():
        pass
    return trace.problems


@fuzz
@given(data=spoilt(TRACE, gzip.compress(TRACE, 1, mtime=0), pieces=EVENTS))
def test_a_trace_is_read_as_far_as_it_can_be(folder: Path, data: bytes) -> None:
    file = folder / "{0}.jsonl"
    file.write_bytes(data)
    problems = read(partial(read_through, file), TraceError, calls=CALLS)
    assert all(problems or ["none"])


@fuzz
@given(data=spoilt(*LOGS, pieces=SAID))
def test_a_log_is_read_and_told_whatever_stands_in_it(data: bytes) -> None:
    assert tell(understood(data.decode(errors="replace"))).headline


@fuzz
@given(data=spoilt(*LOGS, pieces=SAID))
def test_a_log_file_is_read_as_a_trace_or_refused(folder: Path, data: bytes) -> None:
    file = folder / "client.log"
    file.write_bytes(data)
    read(partial(read_through, file), TraceError, calls=CALLS)
