from pathlib import Path

import pytest

from chaos.commands.outputs import make_records_folder, records_folder, require_writable, write_output
from chaos.commands.usage import UsageError


def test_files_that_can_be_written_are_no_matter(tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("old")
    assert not require_writable(
        {"--json": str(there), "--junit": str(tmp_path / "new.xml"), "--markdown": None}
    )
    assert there.read_text() == "old"


def test_a_dash_is_stdout_for_one_of_them() -> None:
    assert require_writable({"--json": "-", "--junit": None})
    with pytest.raises(
        UsageError, match="--json and --junit are both -, stdout: write one of them to a file"
    ):
        require_writable({"--json": "-", "--junit": "-"})


@pytest.mark.parametrize("where", [".", "absent/out.xml"])
def test_what_cannot_be_written_is_said_with_its_option_before_anything_runs(
    where: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"cannot write --junit .*: choose a file in a folder that exists"):
        require_writable({"--junit": str(tmp_path / where)})


def test_an_output_goes_to_its_file_to_stdout_or_nowhere(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    write_output("--json", None, b"a")
    write_output("--json", str(tmp_path / "out"), b"b")
    assert capfdbinary.readouterr().out == b""
    assert (tmp_path / "out").read_bytes() == b"b"
    with pytest.raises(UsageError, match=r"cannot write --json .*: Is a directory: choose another file"):
        write_output("--json", str(tmp_path), b"c")


def test_a_folder_for_records_is_named_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert records_folder(Path("a/b")) == Path("a/b")
    records_folder(None)
    assert list(tmp_path.iterdir()) == []


def test_each_folder_is_a_new_one_and_the_latest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = []
    for _ in range(3):
        made.append(records_folder(None))
        make_records_folder(made[-1], chosen=False)
    assert len(set(made)) == 3
    with pytest.raises(UsageError, match="File exists"):  # another process was faster
        make_records_folder(made[-1], chosen=False)
    assert Path("runs/latest").resolve() == made[-1].resolve()


def test_a_folder_that_was_chosen_may_be_there_and_is_not_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_records_folder(tmp_path / "mine", chosen=True)
    make_records_folder(tmp_path / "mine", chosen=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot write records to .*: name a folder with --report"):
        make_records_folder(tmp_path / "file" / "runs", chosen=True)
