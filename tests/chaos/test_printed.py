import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.clients.printed import printed_to_file
from chaos.own_frame import own_frame

CLIENT = """
import os
from websockets.asyncio.client import connect

print("imported")

async def relay(input_url, output_url):
    print("printed")
    os.write(1, b"written to the descriptor\\n")
    async with connect(input_url, proxy=None) as inlet, connect(output_url, proxy=None) as outlet:
        async for message in inlet:
            spoil(message)

def spoil(message):
    raise KeyError("no such thing")
"""
SPOILT_AT = "loud.py:15"


@pytest.mark.commands
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_client_prints_stays_out_of_the_json_and_is_kept_beside_the_record(
    jobs: str, tmp_path: Path
) -> None:
    (tmp_path / "loud.py").write_text(CLIENT)
    words = ["chaos", "reset", "slow-close", "--client", "loud:relay", "--engine", "sim", "--jobs", jobs]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("simtool")), *words, "--json", "-"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    runs = json.loads(done.stdout)["runs"]
    assert [run["verdict"] for run in runs] == ["fail", "fail"]
    for run in runs:
        (valid,) = (check for check in run["checks"] if check["name"] == "valid-run")
        assert valid["observed"] == f"the client failed: KeyError: 'no such thing', at {SPOILT_AT}"
    for name in ("reset", "slow-close"):
        kept = next((tmp_path / "runs" / "latest").glob(f"{name}.*.txt"))
        assert kept.read_text().endswith("printed\nwritten to the descriptor\n")
        assert f"runs/{kept.resolve().parent.name}/{kept.name}" in done.stderr
        record = kept.with_suffix(".jsonl").read_text()
        assert f'"where":"{SPOILT_AT}"' in record


def test_where_nothing_is_written_no_file_is_left(tmp_path: Path) -> None:
    with printed_to_file(tmp_path / "silent.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_to_both_streams_is_kept_in_order(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    with printed_to_file(file):
        os.write(1, b"first\n")
        os.write(2, b"second\n")
    assert file.read_text() == "first\nsecond\n"


def test_the_streams_are_as_before_also_after_an_exception(tmp_path: Path) -> None:
    before = os.fstat(1).st_ino, os.fstat(2).st_ino
    with pytest.raises(RuntimeError), printed_to_file(tmp_path / "out.txt"):
        raise RuntimeError
    assert (os.fstat(1).st_ino, os.fstat(2).st_ino) == before


def test_an_exception_out_of_the_library_is_told_with_the_line_that_called_it() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    file, _, line = own_frame(caught.value).rpartition(":")
    assert Path(file).name == "test_printed.py"
    assert Path(__file__).read_text().splitlines()[int(line) - 1].strip() == 'json.loads("{")'


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert own_frame(RuntimeError("boom")) == ""
