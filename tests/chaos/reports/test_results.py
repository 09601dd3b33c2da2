import json
from typing import Any

import pytest

from chaos.judging.facts import Facts
from chaos.judging.measures import measures_of
from chaos.judging.verdicts import Check, Verdict
from chaos.reports.results import RunResult, document, exit_code
from tests.chaos.histories import record

LOST = Check("no-loss", "fail", "all 3", "1 lost")


def result(verdict: Verdict = "pass", *checks: Check) -> RunResult:
    measures = measures_of(Facts(record(), ())) | {"virtual_s": 60.0, "wall_s": 0.4}
    return RunResult(
        scenario="reset",
        engine="sim",
        client="tracker",
        seed=0,
        verdict=verdict,
        checks=checks,
        measures=measures,
        record="runs/1/reset.sim.0.jsonl",
        command_line="simtool chaos /home/me/mine.toml",
    )


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(["pass", "pass"], 0), (["pass", "fail", "unknown"], 1), (["pass", "unknown"], 3), ([], 3)],
)
def test_the_exit_code_says_the_worst(verdicts: list[Verdict], code: int) -> None:
    assert exit_code([result(verdict) for verdict in verdicts]) == code


def test_the_document_has_exactly_the_keys_that_other_programs_read() -> None:
    read: dict[str, Any] = json.loads(document([result("fail", LOST)]))
    assert read.keys() == {"schema", "runs"}
    assert read["schema"] == "simtool.chaos/1"
    (run,) = read["runs"]
    assert list(run) == [
        "scenario",
        "engine",
        "client",
        "seed",
        "verdict",
        "checks",
        "measures",
        "preset",
        "time_scale",
    ]
    assert run["checks"] == [
        {
            "name": "no-loss",
            "verdict": "fail",
            "expected": "all 3",
            "observed": "1 lost",
            "at": None,
            "circumstances": None,
        }
    ]
    assert list(run["measures"]) == [
        "offered",
        "delivered",
        "lost",
        "repeated",
        "reordered",
        "displaced",
        "connections",
        "detect_s",
        "recover_s",
        "longest_silence_s",
        "false_kills",
        "virtual_s",
        "wall_s",
    ]


def test_the_document_of_no_run_is_a_document() -> None:
    assert json.loads(document([])) == {"schema": "simtool.chaos/1", "runs": []}
    assert document([]).endswith(b"}\n")


def test_troubles_are_the_checks_that_did_not_pass() -> None:
    unsure = Check("detect", "unknown", "-", "-")
    assert result("fail", Check("in-order", "pass", "-", "-"), LOST, unsure).troubles() == (LOST, unsure)
