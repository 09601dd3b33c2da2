import os
from pathlib import Path

import pytest

from chaos.catalogue import load
from chaos.scenario import ScenarioError
from tracker.config import ConfigError
from tracker.files import load_calibration, load_route, load_wall
from tracker.settings import read_settings
from tracker.user_files import in_utf8, open_regular, read_whole

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
