"""What strangers wrote is shown, and commands nothing: a word at a time, and through the commands."""

import gzip
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from chaos.reports import markdown, report
from tracker.printable import on_one_line, printable
from tracker.terminal import PrintableStream

BIN = Path(sys.executable).parent
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eevil\u2066\u200b\x9b31m[/red]{0}{n}"
IDENTITY = '{"perspective_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}'


def commands_nothing(text: str) -> bool:
    return not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(st.text())
def test_what_is_shown_is_as_long_and_commands_nothing(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert commands_nothing(shown.replace("\t", ""))
    assert "\n" not in on_one_line(text)


def test_what_commands_nothing_is_left_as_it_is() -> None:
    for text in ("", "hold_1", "Überhang\t7\n", "\xa0é 👍 日本 عربي", "\ue000"):
        assert printable(text) == text


def test_a_stream_shows_all_and_says_how_much_was_written() -> None:
    under = io.StringIO()
    stream = PrintableStream(under)
    assert stream.write(HOSTILE + "\n") == len(HOSTILE) + 1
    assert commands_nothing(under.getvalue())
    assert under.getvalue().endswith("[/red]{0}{n}\n")


@pytest.mark.parametrize("colours", [True, False])
def test_a_console_keeps_its_own_colours_alone(colours: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    under = io.StringIO()
    monkeypatch.setattr(sys, "stdout", PrintableStream(under))
    to = report.PrintableConsole(force_terminal=colours, color_system="standard" if colours else None)
    table = Table()
    table.add_column("what")
    table.add_row(Text(HOSTILE, style="red"))
    to.print(table)
    to.print(Text(HOSTILE))
    shown = under.getvalue()
    assert ("\x1b[31m" in shown) is colours
    for ours in ("\x1b[1m", "\x1b[31m", "\x1b[0m"):
        shown = shown.replace(ours, "")
    assert commands_nothing(shown)
    assert "[/red]{0}{n}" in shown


def test_a_markdown_cell_and_code_command_nothing() -> None:
    for text in (markdown.escaped(HOSTILE), markdown.code(HOSTILE)):
        assert commands_nothing(text)


@pytest.mark.commands
def test_the_commands_show_hostile_names_and_contents_on_one_harmless_line(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "|")
    (tmp_path / "identity.json").write_text(IDENTITY)
    (tmp_path / "wall.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path class="hold" id="\u202ea" d="M1 1h1v1z"/></svg>'
    )
    hello = {"type": f"hello {HOSTILE}", "reason": "a\nb"}
    (tmp_path / f"{name}.jsonl").write_text(json.dumps(hello, ensure_ascii=False) + "\n")
    log = (Path(__file__).parents[1] / "chaos" / "data" / "websockets-17-incident.log").read_bytes()
    (tmp_path / f"{name}.log").write_bytes(gzip.compress(log)[:-300])  # its end is missing, which is said
    (tmp_path / f"{name}.toml").write_text(f'name = "{name[-9:]}"\nwhat = 1\n')
    wall = ["--wall", "wall.svg", "--calibration", "identity.json"]
    for command in (
        ["tracker", "solve", f"{name}.jsonl", *wall],
        [
            "tracker",
            "check",
            *wall,
            "--route-data",
            json.dumps({"problem": {"holds": [{"id": name, "type": "start"}]}}),
        ],
        ["tracker", "run", "--config", f"{name}.toml"],
        ["simtool", "check", f"{name}.jsonl"],
        ["simtool", "check", f"{name}.log"],
        ["simtool", "chaos", f"{name}.toml"],
        ["simtool", "serve", "--feed", f"{name}.jsonl"],
        ["simtool", "explain", name],
    ):
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "400"},
        )
        assert commands_nothing(done.stdout + done.stderr), command
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in (1, 2, 3), command
