from xml.etree import ElementTree as ET

import pytest

from chaos.judging.verdicts import Check
from chaos.reports.junit import junit_xml
from chaos.reports.results import RunResult
from tests.chaos.runs import RUN, failed, measured, run, unknown


def read(*results: RunResult) -> ET.Element:
    return ET.fromstring(junit_xml(results))  # noqa: S314 - we wrote it


def properties(of: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in of.findall("properties/property")}


def test_there_is_a_suite_for_each_engine_and_client() -> None:
    root = read(RUN, run(engine="sim"), run(engine="sim", client="aiohttp"), run(engine="sim", seed=8))
    suites = root.findall("testsuite")
    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in suites] == [
        ("toxiproxy tracker", "1"),
        ("sim tracker", "2"),
        ("sim aiohttp", "1"),
    ]
    assert root.attrib["tests"] == "4"
    assert properties(suites[2]) == {"engine": "sim", "client": "aiohttp"}


def test_a_case_has_the_runs_name_its_time_its_measures_and_its_command() -> None:
    (case,) = read(RUN).iter("testcase")
    assert case.attrib == {
        "classname": "simtool.toxiproxy.tracker",
        "name": "half-open-output, seed 7",
        "time": "6.25",
    }
    told = properties(case)
    assert (told["engine"], told["client"], told["seed"], told["lost"]) == ("toxiproxy", "tracker", "7", "1")
    assert told["command"] == "simtool chaos half-open-output --engine toxiproxy --seed 7"
    assert "recover_s" not in told  # there was nothing to recover from
    assert [child.tag for child in case] == ["properties"]


def test_a_failure_says_what_was_expected_what_was_observed_and_how_to_see_it_again() -> None:
    root = read(
        run("fail", Check("no-loss", "fail", "all 900", "3 lost"), Check("detect", "unknown", "-", "?"))
    )
    (failure,) = root.iter("failure")
    assert failure.attrib == {"type": "no-loss", "message": "no-loss: 3 lost"}
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "fail no-loss",
        "  expected  all 900",
        "  observed  3 lost",
        "unknown detect",
        "  expected  -",
        "  observed  ?",
        "command: simtool chaos half-open-output --engine toxiproxy --seed 7",
    ]


def test_what_proved_nothing_is_an_error_as_the_exit_code_is_not_0() -> None:
    root = read(RUN, unknown("evidence", "none of: stall"), failed("no-loss", "3 lost"))
    (error,) = root.iter("error")
    assert error.attrib == {"type": "evidence", "message": "evidence: none of: stall"}
    assert [root.attrib[what] for what in ("tests", "failures", "errors", "skipped")] == ["3", "1", "1", "0"]


def test_the_time_of_a_suite_is_that_of_its_cases() -> None:
    assert read(RUN, run(measures=measured(wall_s=1.0))).attrib["time"] == "7.25"


@pytest.mark.parametrize("odd", ["\x1b[31mred\x1b[0m", "\x00", "\ufffe", '<a> & "b" ]]>', "line\nline"])
def test_whatever_a_client_wrote_the_document_can_be_read(odd: str) -> None:
    root = read(failed("valid-run", odd, client=odd, scenario=odd, command_line=odd))
    (failure,) = root.iter("failure")
    legible = odd.translate(dict.fromkeys(map(ord, "\x1b\x00\ufffe"), "\N{REPLACEMENT CHARACTER}"))
    assert failure.attrib["message"] == f"valid-run: {legible}"
    assert legible in (failure.text or "")


def test_no_runs_are_no_suites() -> None:
    assert read().attrib == {
        "name": "simtool",
        "tests": "0",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
        "time": "0.00",
    }
