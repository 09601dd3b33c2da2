"""`simtool try`, on virtual time."""

import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from chaos.commands.cli import app
from chaos.commands.trying import show
from chaos.trial import Point

CLIENTS = """
import json
from websockets.asyncio.client import connect

async def relay(input_url, output_url):
    async with connect(input_url) as source, connect(output_url) as sink:
        async for message in source:
            await sink.send(message)

async def renames(input_url, output_url):
    async with connect(input_url) as source, connect(output_url) as sink:
        async for message in source:
            await sink.send(json.dumps({"seen": {"id": json.loads(message)["sequence"]}}))

async def crashes(url):
    raise KeyError("hold")
"""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tried.py").write_text(CLIENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "tried", raising=False)


def tried(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["try", *words])
    return result.exit_code, result.output


def test_a_client_that_does_it_all_is_ready_for_the_scenarios() -> None:
    code, said = tried("--client", "tried:relay")
    assert code == 0
    assert "client tried:relay: a relay, on virtual time" in said
    assert "  no " not in said
    (record,) = Path("runs/latest").glob("*.jsonl")
    assert str(record.resolve().relative_to(Path.cwd())) in said


def test_what_is_missing_is_told_with_what_it_costs_and_mended_as_it_says() -> None:
    code, said = tried("--client", "tried:renames")
    assert code == 1
    assert "there is one at seen.id: --identity seen.id" in " ".join(said.split())
    code, said = tried("--client", "tried:renames", "--identity", "seen.id")
    assert code == 0
    assert "at seen.id" in said


def test_a_crash_is_told_first() -> None:
    code, said = tried("--client", "tried:crashes", "--kind", "sender")
    assert code == 1
    assert "KeyError: 'hold'" in said.splitlines()[1]


def test_no_line_is_wider_than_the_terminal_and_later_lines_stand_under_the_first() -> None:
    out = Console(width=80, file=StringIO(), highlight=False)
    show(out, (Point("a number in each", "no", "words " * 30, "costs " * 30),))
    assert isinstance(out.file, StringIO)
    lines = out.file.getvalue().splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= 80
    assert all(line.startswith(" " * 25) for line in lines[1:])
