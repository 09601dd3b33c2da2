"""Clients that only look well are failed by the promise that they break, on both engines."""

from dataclasses import replace
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.reports.results import RunResult
from chaos.runner import Plan, perform
from chaos.workers import perform_all

pytestmark = pytest.mark.scenarios

CHEATS = {
    "never_opens_the_input": "intact",
    "runs_ahead": "intact",
    "sends_everything_twice": "dedup-safe",
    "leaks_connections": "single",
    "sends_half_of_each_body": "intact",
    "sends_nothing": "valid-run",
    "hammers": "polite",
}
"""And the promise that each breaks where nothing is wrong with the network."""


def broken_by(result: RunResult) -> set[str]:
    return {check.name for check in result.checks if check.verdict == "fail"}


@pytest.mark.parametrize(("cheat", "broken"), CHEATS.items())
def test_a_cheat_is_failed_where_nothing_is_wrong(cheat: str, broken: str, tmp_path: Path) -> None:
    result = perform(Plan(catalogue.find("steady"), "sim", 0, 1.0, tmp_path, f"tests.chaos.cheats:{cheat}"))
    assert result.verdict == "fail"
    assert broken in broken_by(result)


@pytest.mark.toxiproxy
def test_each_cheat_is_failed_on_real_sockets_too(tmp_path: Path) -> None:
    short = replace(catalogue.find("steady"), duration=8.0)
    plans = [Plan(short, "toxiproxy", 0, 1.0, tmp_path, f"tests.chaos.cheats:{cheat}") for cheat in CHEATS]
    results = perform_all(plans, perform, jobs=len(plans), done=lambda *_: None)
    assert {result.verdict for result in results} == {"fail"}
    for result, broken in zip(results, CHEATS.values(), strict=True):
        assert broken in broken_by(result), result.client


@pytest.mark.parametrize("cheat", CHEATS)
@pytest.mark.parametrize("scenario", ["reset", "half-open-output", "stop-over-a-slow-link", "refused-start"])
def test_a_cheat_is_failed_whatever_else_goes_wrong(cheat: str, scenario: str, tmp_path: Path) -> None:
    result = perform(Plan(catalogue.find(scenario), "sim", 0, 10.0, tmp_path, f"tests.chaos.cheats:{cheat}"))
    assert result.verdict == "fail"
