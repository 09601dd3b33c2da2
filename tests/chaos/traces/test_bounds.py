"""What a file of strangers may cost: bytes, lines, and the time for telling its connections apart."""

import bz2
import gzip
import lzma
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.traces import files, log_naming
from chaos.traces.files import TraceError, open_lines, whole
from chaos.traces.log_lines import LogLine
from chaos.traces.log_naming import Trials, by_words
from chaos.traces.problems import Problems
from chaos.traces.wire import Frame, StateChange
from tracker import streams


def zipped(data: bytes, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.log", data)


COMPRESSED: dict[str, Callable[[bytes, Path], object]] = {
    "gzip": lambda data, file: file.write_bytes(gzip.compress(data)),
    "bzip2": lambda data, file: file.write_bytes(bz2.compress(data)),
    "xz": lambda data, file: file.write_bytes(lzma.compress(data)),
    "zip": zipped,
}


@pytest.mark.parametrize("how", COMPRESSED)
def test_a_file_unfolds_so_far_and_no_further(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "UNFOLDED_BYTES", 500_000)
    monkeypatch.setattr(streams, "UNFOLDED_TIMES", 1)
    bomb = tmp_path / "{bomb}.log"
    COMPRESSED[how]((b"a" * 99 + b"\n") * 200_000, bomb)
    problems = Problems()
    tracemalloc.start()
    try:
        lines = sum(1 for _ in open_lines(bomb, problems))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines * 100 <= 500_000
    assert most < 12_000_000  # what xz and bzip2 keep; 20 MB unfold
    (problem,) = problems
    assert problem.startswith("{bomb}.log: it unfolds to more than 500,000 bytes")
    with pytest.raises(TraceError, match="unfolds to more than"):
        whole(bomb)


def test_a_log_has_so_many_lines_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINES", 10)
    (tmp_path / "a.log").write_bytes(b"\n" * 50)
    problems = Problems()
    assert sum(1 for _ in open_lines(tmp_path / "a.log", problems)) == 10
    assert list(problems) == ["a.log has more than 10 lines; what came before is read: split it"]


def test_a_pipe_and_a_device_are_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path / "pipe", "pipe"), (Path("/dev/zero"), "device")):
        with pytest.raises(TraceError, match=f"it is a {what}, and not a regular file"):
            next(open_lines(path, Problems()))


def test_connections_that_ping_alike_are_told_apart_without_comparing_each_with_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    class Life(log_naming._Life):
        __hash__ = object.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return self is other

    def line(number: int, *said: StateChange | Frame) -> LogLine:
        return LogLine(None, f"app.connection{number}", None, said, "")

    monkeypatch.setattr(log_naming, "_Life", Life)
    trials = Trials()
    for number in range(200):
        trials.look(line(number, StateChange("CONNECTING"), Frame(">", "PING", 4, "beat")))
    for number in reversed(range(200)):
        trials.look(line(number, Frame("<", "PONG", 4, "beat")))
    assert trials.best() is by_words
    assert compared < 2_000
