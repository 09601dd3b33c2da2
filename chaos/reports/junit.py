"""Results as JUnit XML, which CI servers show.                                                                pure

A suite for each engine and client, a case for each run. What failed is a `failure`; what proved nothing is an
`error` and not `skipped`, because it turns a job red just as exit code 3 does.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from chaos.reports.results import RunResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped. What a client wrote may have any."""
_ELEMENT = {"fail": "failure", "unknown": "error"}


def junit_xml(results: Sequence[RunResult]) -> bytes:
    """The document of `--junit`. Times are the seconds that the runs took."""
    root = ET.Element("testsuites", {"name": "simtool", **_totals(results)})
    suites: dict[tuple[str, str], list[RunResult]] = {}
    for result in results:
        suites.setdefault((result.engine, result.client), []).append(result)
    for (engine, client), runs in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": _text(f"{engine} {client}"), **_totals(runs)})
        _properties(suite, {"engine": engine, "client": client})
        suite.extend(_case(run) for run in runs)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _totals(runs: Sequence[RunResult]) -> dict[str, str]:
    return {
        "tests": str(len(runs)),
        "failures": str(sum(run.verdict == "fail" for run in runs)),
        "errors": str(sum(run.verdict == "unknown" for run in runs)),
        "skipped": "0",
        "time": f"{sum(run.measures['wall_s'] for run in runs):.2f}",
    }


def _case(run: RunResult) -> ET.Element:
    case = ET.Element(
        "testcase",
        {
            "classname": _text(f"simtool.{run.engine}.{run.client}"),
            "name": _text(f"{run.scenario}, seed {run.seed}"),
            "time": f"{run.measures['wall_s']:.2f}",
        },
    )
    plan = {"engine": run.engine, "client": run.client, "seed": run.seed}
    _properties(case, {**plan, **run.measures, "command": run.command_line})
    if run.verdict != "pass":
        decisive = [check for check in run.troubles() if check.verdict == run.verdict]
        what = {
            "type": ", ".join(check.name for check in decisive),
            "message": "; ".join(f"{check.name}: {check.observed}" for check in decisive),
        }
        trouble = ET.SubElement(
            case, _ELEMENT[run.verdict], {name: _text(value) for name, value in what.items()}
        )
        trouble.text = _text(run.explanation())
    return case


def _properties(of: ET.Element, values: dict[str, object]) -> None:
    properties = ET.SubElement(of, "properties")
    for name, value in values.items():
        if value is not None:
            ET.SubElement(properties, "property", {"name": name, "value": _text(str(value))})


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
