"""Logs as people attach them: compressed by whatever was at hand."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.traces.reading import TraceError, open_trace
from tests.chaos.logs import Log

LOG = Log().opens(0).gets(1).sends(2).ends(3).text().encode()


def zipped(*names: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)
        return made.getvalue()

    return pack


def tarred(content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        info = tarfile.TarInfo("client.log")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


READ = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zipped("a.log"),
    zipped("logs/", "logs/a.log", "__MACOSX/._a.log"),
]


@pytest.mark.parametrize("pack", READ)
def test_a_compressed_log_is_read_as_the_log_itself(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "plain").write_bytes(LOG)
    (tmp_path / "packed").write_bytes(pack(LOG))
    plain, packed = open_trace(tmp_path / "plain"), open_trace(tmp_path / "packed")
    assert list(packed.entries()) == list(plain.entries())
    assert packed.problems == []


@pytest.mark.parametrize("pack", READ)
def test_what_came_before_the_damage_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    long = b"".join(b"%d %s" % (n, LOG) for n in range(3000))
    whole = pack(long)
    half = bytearray(whole)
    middle = len(half) // 2
    half[middle : middle + 200] = bytes(200)
    (tmp_path / "packed").write_bytes(bytes(half))
    trace = open_trace(tmp_path / "packed")
    assert sum(1 for _ in trace.entries())
    assert any(
        "the compressed data of packed is damaged" in p or "could not be read" in p for p in trace.problems
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x28\xb5\x2f\xfd\0\0\0", "it is compressed with zstd: unpack it first, with zstd -d"),
        (b"7z\xbc\xaf\x27\x1c\0\0", "it is a 7-Zip archive: unpack it first, and give the log in it"),
        (tarred(LOG), "it is a tar archive: unpack it first, with tar -xf, and give the log in it"),
        (
            zipped("0_build.txt", "1.txt", "2.txt", "3.txt")(LOG),
            "it is a zip archive of 4 files: unpack it first, and give one of them (0_build.txt, 1.txt, 2.txt, ...)",
        ),
        (zipped()(LOG), "it is a zip archive with nothing in it"),
        (b"PK\x03\x04...", "it is a zip archive, and damaged (File is not a zip file): copy it again"),
    ],
)
def test_what_is_not_unpacked_is_refused_by_its_name(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "packed").write_bytes(content)
    with pytest.raises(TraceError) as refused:
        open_trace(tmp_path / "packed")
    assert str(refused.value) == f"{tmp_path / 'packed'}: {why}"


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    locked = bytearray(zipped("a.log")(LOG))
    directory = locked.index(b"PK\x01\x02")
    locked[6] |= 1  # the flag of encryption, in both headers
    locked[directory + 8] |= 1
    (tmp_path / "packed").write_bytes(bytes(locked))
    with pytest.raises(TraceError, match="with a password"):
        open_trace(tmp_path / "packed")
