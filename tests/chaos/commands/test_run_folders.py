import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.commands.outputs import make_records_folder, records_folder
from chaos.commands.run_folders import MARKER, hold, remove_oldest


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    return Path("runs")


def name(number: int) -> str:
    return f"2026-01-01T00-00-{number:02}Z"


def made(runs: Path, *names: str) -> None:
    """Folders of commands that have ended."""
    for each in names:
        (runs / each).mkdir()
        (runs / each / MARKER).touch()
        (runs / each / "results.json").write_text("{}")


def there(runs: Path) -> Iterator[str]:
    return (entry.name for entry in sorted(runs.iterdir()))


def test_the_newest_stay(runs: Path) -> None:
    made(runs, *map(name, range(12)))
    assert [folder.name for folder in remove_oldest(runs, 10).gone] == [name(0), name(1)]
    assert list(there(runs)) == [name(number) for number in range(2, 12)]


def test_of_one_second_the_tenth_folder_is_newer_than_the_second(runs: Path) -> None:
    made(runs, name(0), f"{name(0)}-2", f"{name(0)}-10")
    assert [folder.name for folder in remove_oldest(runs, 1).gone] == [name(0), f"{name(0)}-2"]


def test_what_somebody_else_made_or_renamed_is_neither_removed_nor_counted(runs: Path) -> None:
    made(runs, name(1), name(2), "the one with the bug")
    (runs / name(0)).mkdir()  # without our mark
    (runs / "notes.txt").touch()
    (runs / "2025-01-01T00-00-00Z").symlink_to(name(2))
    assert [folder.name for folder in remove_oldest(runs, 1).gone] == [name(1)]
    assert list(there(runs)) == sorted(
        [name(0), name(2), "the one with the bug", "notes.txt", "2025-01-01T00-00-00Z"]
    )


def test_a_folder_in_use_stays(runs: Path) -> None:
    made(runs, name(1), name(2))
    (runs / name(0)).mkdir()
    hold(runs / name(0))
    assert [folder.name for folder in remove_oldest(runs, 1).gone] == [name(1)]
    assert list(there(runs)) == [name(0), name(2)]


def test_a_folder_is_free_once_its_holder_has_gone(runs: Path) -> None:
    made(runs, name(0), name(1))
    with (runs / name(0) / MARKER).open("r+") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        assert remove_oldest(runs, 1).gone == ()
    assert [folder.name for folder in remove_oldest(runs, 1).gone] == [name(0)]


def test_where_latest_leads_stays(runs: Path) -> None:
    made(runs, name(0), name(1))
    (runs / "latest").symlink_to(name(0))
    assert remove_oldest(runs, 1).gone == ()


def test_a_new_folder_removes_the_oldest_and_one_line_says_so(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(runs, *map(name, range(3)))
    folder = records_folder(None)
    make_records_folder(folder, chosen=False, keep=2)
    assert list(there(runs)) == [name(2), folder.name, "latest"]
    assert (runs / "latest").resolve() == folder.resolve()
    said = f"simtool: removed from runs/: 2 folders, {name(0)} to {name(1)}; the newest 2 stay, --keep N keeps more\n"
    assert capsys.readouterr().err == said


def test_a_folder_that_was_chosen_removes_nothing(runs: Path, tmp_path: Path) -> None:
    made(runs, *map(name, range(12)))
    make_records_folder(runs / "mine", chosen=True)
    assert len(list(there(runs))) == 13
