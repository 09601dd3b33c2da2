"""What `simtool replay` refuses, and what it says of what it was asked for."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos import catalogue
from chaos.catalogue import load
from chaos.commands.cli import app
from chaos.commands.replay import _export
from chaos.commands.usage import UsageError
from chaos.history import History
from chaos.replay.cases import CannotReplayError, Wanted, overrides, understand
from chaos.runner import Plan, make_history
from chaos.toxiproxy.install import find_server
from chaos.traces.reading import open_trace
from tests.chaos.stories import connected, outputs, stopped, trace
from tracker import events as e

TRACE = str(Path(__file__).parents[1] / "data" / "trace-1.jsonl")


def test_a_pace_of_no_use_is_refused() -> None:
    said = CliRunner().invoke(app, ["replay", TRACE, "--time-scale", "0"])
    assert isinstance(said.exception, UsageError)
    assert "--time-scale is 0: take 0.1 to 20" in str(said.exception)


def test_a_setting_that_is_given_twice_is_refused() -> None:
    with pytest.raises(CannotReplayError, match="--set names reconnect_cap twice: give it once"):
        overrides(["reconnect_cap=1s", "reconnect_cap=2s"])


def test_settings_are_told_by_the_names_that_they_were_given_by() -> None:
    wanted = Wanted(None, overrides(["outbox_messages=9", "reconnect_cap=2s"]), "sim", 0, 10.0)
    assert wanted.other == "reconnect_cap=2s, outbox_messages=9"


def test_an_exported_scenario_has_the_settings_that_were_tried_and_says_what_they_were(
    tmp_path: Path,
) -> None:
    case = understand(open_trace(Path(TRACE)), tmp_path)
    wanted = Wanted(None, overrides(["outbox_messages=9", "reconnect_cap=2s"]), "sim", 0, 10.0)
    file = tmp_path / "tried.toml"
    _export(file, case, wanted, None)
    written = load(file)
    assert (written.client.timing["reconnect_cap"], written.client.outbox) == (2.0, {"messages": 9})
    said = (
        "# Not as in the field: reconnect_cap is 2s here, and was 8s; outbox_messages is 9 here, and was 900."
    )
    assert file.read_text().splitlines()[0] == said


def test_what_an_engine_cannot_do_is_left_out_and_said(tmp_path: Path) -> None:
    if find_server(os.environ) is None:
        pytest.skip("no toxiproxy-server here: `simtool toxiproxy install` makes one")
    late = [e.Lagged(t=12.0, link="output", seconds=2.0)]
    events = trace(connected(0.0), outputs(0.1, 10.0), late, stopped(20.0))
    history = History("stood-still", "sim", "tracker", 0, tuple(events))
    (tmp_path / "record").write_bytes(b"".join(history.lines()))
    opened = open_trace(tmp_path / "record")
    able = understand(opened, tmp_path)
    unable = understand(open_trace(tmp_path / "record"), tmp_path, engine="toxiproxy")
    assert ([fault.kind for fault, _ in able.made.faults], able.made.left_out) == (["block_loop"], ())
    assert (unable.made.faults, len(unable.made.left_out)) == ((), 1)
    assert "run it with --engine sim" in unable.made.left_out[0]


@pytest.mark.parametrize("asked", [False, True])
def test_a_recording_is_mended_only_where_that_is_asked_for(
    *, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = []
    monkeypatch.setattr("chaos.commands.replay.send_to", lambda *_, **plan: plans.append(plan) or 0)
    options = ["--repair"] if asked else []
    CliRunner().invoke(app, ["replay", "poses.jsonl", "--to", "ws://wall/", *options])
    assert plans == [{"speed": 1.0, "loop": False, "repair": asked}]


@pytest.mark.scenarios
def test_a_record_of_a_client_that_reports_nothing_is_not_called_empty(tmp_path: Path) -> None:
    history = make_history(
        Plan(catalogue.find("steady"), "sim", 0, 1.0, tmp_path, client="websockets-iterator")
    )
    (tmp_path / "record").write_bytes(b"".join(history.lines()))
    case = understand(open_trace(tmp_path / "record"), tmp_path)
    assert case.lacking == "a record of a client that reports nothing itself"
