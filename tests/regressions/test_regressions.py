"""Every scenario that was once a trace: the tracker lives with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.catalogue import load
from chaos.clients.websockets_iterator import WebsocketsIterator
from chaos.judging.checks import judge
from chaos.runner import Plan, history_with, perform

pytestmark = pytest.mark.scenarios

FILES = sorted(Path(__file__).parent.glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_tracker_keeps_its_promises_in(file: Path, tmp_path: Path) -> None:
    result = perform(Plan(load(file), "sim", 0, 10.0, tmp_path))
    assert (result.verdict, result.troubles()) == ("pass", ())


def test_the_incident_is_still_fatal_to_a_client_that_never_reads() -> None:
    scenario = load(Path(__file__).with_name("incident.toml"))
    history = history_with(WebsocketsIterator(10, 30, reads=False), Plan(scenario, "sim", 0, 10.0, Path()))
    judgement = judge(history, scenario)
    observed = {check.name: check.observed for check in judgement.checks if check.verdict == "fail"}
    assert "1011" in observed["no-false-kill"]


def test_the_incident_spares_a_client_that_reads() -> None:
    scenario = load(Path(__file__).with_name("incident.toml"))
    again = replace(scenario, duration=45.0)
    history = history_with(WebsocketsIterator(10, 30), Plan(again, "sim", 0, 10.0, Path()))
    assert judge(history, again).verdict == "pass"
