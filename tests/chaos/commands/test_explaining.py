from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos import catalogue
from chaos.commands.cli import app
from chaos.commands.usage import UsageError
from chaos.scenario import ScenarioError


def said(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_explain_says_what_a_word_is() -> None:
    assert said("explain", "stall").startswith("stall  a kind of fault\n")
    assert "usually: " in said("explain", "no-loss")


def test_explain_leads_from_a_word_of_the_field_to_what_there_is() -> None:
    out = said("explain", "packetloss")
    assert out.startswith("packetloss is no name here; see loss, lossy-link, lossy-wifi:")
    assert "loss  a kind of fault" in out


def test_a_name_that_the_field_uses_for_something_else_leads_there_too() -> None:
    assert "see also latency" in said("explain", "jitter")


def test_explain_without_a_word_is_a_table_of_all_a_line_each() -> None:
    lines = said("explain").splitlines()
    assert "Promises:" in lines
    assert len([line for line in lines if line.startswith("  half-open-output ")]) == 1


def test_explain_reads_a_scenarios_file(tmp_path: Path) -> None:
    said("new", str(tmp_path / "mine.toml"))
    assert "stall on output, 10s to 20s" in said("explain", str(tmp_path / "mine.toml"))


def test_a_word_that_nobody_knows_is_an_error_that_leads_to_the_table() -> None:
    with pytest.raises(UsageError, match="`simtool explain` lists all"):
        said("explain", "zzzzzz")


def test_new_writes_a_scenario_that_can_be_run(tmp_path: Path) -> None:
    said("new", str(tmp_path / "mine.toml"))
    assert catalogue.load(tmp_path / "mine.toml").name == "mine"


def test_new_copies_a_scenario_with_its_comments(tmp_path: Path) -> None:
    said("new", str(tmp_path / "mine.toml"), "--from", "reset")
    assert catalogue.load(tmp_path / "mine.toml").faults == catalogue.find("reset").faults


@pytest.mark.parametrize("name", ["there.toml", "My Scenario.toml", "mine.json", "no/folder/mine.toml"])
def test_new_overwrites_nothing_and_names_a_file_as_a_scenario_must_be(name: str, tmp_path: Path) -> None:
    (tmp_path / "there.toml").write_text("kept")
    with pytest.raises(UsageError):
        said("new", str(tmp_path / name))
    assert (tmp_path / "there.toml").read_text() == "kept"


def test_new_from_what_cannot_be_read_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'reset'"):
        said("new", str(tmp_path / "mine.toml"), "--from", "restet")
    assert not (tmp_path / "mine.toml").exists()
