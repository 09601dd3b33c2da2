import os
from pathlib import Path

import pytest

from chaos.catalogue import load
from chaos.commands.outputs import make_records_folder, records_folder
from chaos.scenario import ScenarioError
from simulator.recording import write_recording
from tracker.config import ConfigError
from tracker.files import load_calibration, load_route, load_wall
from tracker.settings import read_settings
from tracker.user_files import in_utf8, open_regular, read_whole, write_private

CALIBRATION = '{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "hand_extension_percent": 30}'
READERS = (load_wall, load_calibration, load_route, read_settings, load)


@pytest.fixture(params=["pipe", "device", "folder"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    match request.param:
        case "pipe":
            os.mkfifo(tmp_path / "pipe")  # nobody writes to it: whoever opens it waits for ever
            return tmp_path / "pipe"
        case "device":
            return Path("/dev/zero")
        case _:
            return tmp_path


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_pipe_a_device_and_a_folder_are_refused_unread(read: object, no_file: Path) -> None:
    assert callable(read)
    with pytest.raises(
        (ConfigError, ScenarioError), match=r"it is a (pipe|device)|[iI]s a directory"
    ) as caught:
        read(no_file)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_read_whole_has_a_bound(tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(b"12345")
    assert read_whole(file, most=5) == b"12345"
    with pytest.raises(OSError, match="more than the 4 bytes"):
        read_whole(file, most=4)


def test_a_name_with_a_zero_byte_is_an_error_as_any_other() -> None:
    with pytest.raises(OSError, match="zero byte"):
        open_regular("a\0b")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_text_is_read_in_whichever_encoding_an_editor_left_it(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    file.write_bytes(CALIBRATION.encode(encoding))
    assert load_calibration(file).hand_extension_percent == 30
    assert in_utf8(CALIBRATION.encode(encoding)) == CALIBRATION.encode()


def test_what_is_written_is_for_its_owner_alone_and_follows_no_link(tmp_path: Path) -> None:
    open_to_all = tmp_path / "record"
    open_to_all.write_bytes(b"of before")
    open_to_all.chmod(0o666)
    write_private(open_to_all, b"new")
    assert (open_to_all.read_bytes(), open_to_all.stat().st_mode & 0o777) == (b"new", 0o600)
    link = tmp_path / "link"
    link.symlink_to(open_to_all)
    with pytest.raises(OSError, match="link"):
        write_private(link, b"through the link")
    assert open_to_all.read_bytes() == b"new"


def test_a_recording_and_the_folder_of_the_records_are_for_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / "climb.jsonl", [b"{}"])
    assert (tmp_path / "climb.jsonl").stat().st_mode & 0o777 == 0o600
    folder = records_folder(None)
    make_records_folder(folder, chosen=False)
    assert folder.stat().st_mode & 0o777 == 0o700
