"""Folders for a while."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chaos.temporary import temporary_folder

KEEPS_ONE = """
import sys, time
from chaos.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "wall.svg").write_text("a wall")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where all of them are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def keeper(room: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a folder, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPS_ONE],
        env={**os.environ, "TMPDIR": str(room)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_goes_with_all_that_is_in_it(room: Path) -> None:
    with temporary_folder() as folder:
        (folder / "wall.svg").write_text("a wall")
        assert list(room.iterdir()) == [folder]
    assert list(room.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(room: Path) -> None:
    process, left = keeper(room)
    with process:
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    with temporary_folder():
        assert not left.exists()


def test_what_belongs_to_a_process_that_lives_stays(room: Path) -> None:
    process, kept = keeper(room)
    with process:
        with temporary_folder():
            assert (kept / "wall.svg").exists()
        process.communicate("")
    assert list(room.iterdir()) == []


def test_what_others_call_alike_stays(room: Path) -> None:
    (room / "simtool-mine").mkdir()
    with temporary_folder():
        pass
    assert [folder.name for folder in room.iterdir()] == ["simtool-mine"]


def test_a_folder_that_is_removed_before_it_is_locked_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process does that takes it for an orphan's."""
    make = tempfile.mkdtemp
    made: list[str] = []

    def make_and_lose_the_first(*, prefix: str, dir: Path) -> str:  # noqa: A002 - as tempfile names it
        made.append(make(prefix=prefix, dir=dir))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose_the_first)
    with temporary_folder() as folder:
        assert [str(folder)] == made[1:]
        assert folder.exists()
