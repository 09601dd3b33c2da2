"""Who may import whom, and what a pure file may not touch. Reads the imports; runs nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tracker", "simulator", "chaos")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "tracker": {"tracker"},
    "simulator": {"simulator", "tracker.messages"},
    "chaos": {"chaos", "simulator", "tracker"},
}
IMPURE = {
    "chaos": (
        "answer controls durations faults history kinds nearest presets scenario "
        "scenario_reading scenario_values scenario_writing side_by_side"
    ),
    "chaos/commands": ("marked shard usage"),
    "chaos/diagnosis": (
        "causes delay_findings endings explaining failures findings headlines inference "
        "log_rows outage_findings peer_findings retransmission saying saying_attempts "
        "saying_ends symptoms telling wording"
    ),
    "chaos/judging": (
        "accounts attempts backoff bounded carried checks clean_stop climbed controls "
        "dedup_safe detect evidence facts field_checks fire_and_forget frames herd in_order "
        "limits log_checks measures no_false_kill no_loss outages peer_evidence peer_facts "
        "polite probing promises recover same_climb sessions strikes survives_input verdicts"
    ),
    "chaos/kernel": ("commands faults"),
    "chaos/reference": ("body climb"),
    "chaos/replay": ("alignment building field_parts narrative same_findings story"),
    "chaos/reports": ("comparison figure github junit markdown results"),
    "chaos/timeline": ("from_events from_log from_peer model observed spans"),
    "chaos/toxiproxy": "toxics",
    "chaos/traces": (
        "log_connections log_envelopes log_events log_lines log_naming log_notices log_reading "
        "log_survey log_times problems wire"
    ),
    "simulator": ("body choreography controls relayed seen sender shown tcp"),
    "tracker": (
        "calibration config contact counters events liveness messages meter outbox pipeline "
        "reconnect session states trace_format wall"
    ),
}
OPENS = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}


def test_the_pure_files_are_these() -> None:
    said = {(str(path.parent.relative_to(ROOT)), path.stem) for path in FILES if is_pure(path)}
    assert said == {(package, name) for package, names in PURE.items() for name in names.split()}


@pytest.mark.parametrize("path", named([path for path in FILES if is_pure(path)]))
def test_a_pure_file_reads_and_writes_no_file(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    methods = {call.attr for call in calls if isinstance(call, ast.Attribute)} & (OPENS - {"open"})
    functions = {call.id for call in calls if isinstance(call, ast.Name)} & OPENS
    assert not methods | functions
