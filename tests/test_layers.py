"""Who may import whom, and what a pure file may not touch. Reads the imports; runs nothing."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tracker", "simulator", "chaos")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# What both must read alike, and what it is read with.
TOLD_TO_THE_SIMULATOR = {
    f"tracker.{name}" for name in ("messages", "timestamps", "recording_file", "user_files")
}
MAY_IMPORT = {
    "tracker": {"tracker"},
    "simulator": {"simulator", *TOLD_TO_THE_SIMULATOR},
    "chaos": {"chaos", "simulator", "tracker"},
}
IMPURE = {"asyncio", "websockets", "time", "random", "os", "socket", "threading", "subprocess"}
# Pure, but drawing from a generator that is handed in: the type's name is all they import.
NAMES_RANDOM = {"tracker/reconnect.py"}
# What the laboratory alone depends on; the tracker is installed without it.
LAB_ONLY = {
    "faker",
    "rich",
    "toxiproxy",
    "requests",
    "hypothesis",
    "numpy",
    "shapely",
    "svgelements",
    "svg",
    "aiohttp",
    "websocket",
    "trustme",
}


def imports(path: Path) -> set[str]:
    """Every module that the file imports, anywhere in it; for `from a import b`, both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import: write it out"
            assert node.module is not None
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_pure(path: Path) -> bool:
    """A file says so at the end of its docstring's first line."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return docstring.partition("\n")[0].endswith("  pure")


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("path", named(FILES))
def test_a_layer_imports_only_what_is_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports(path) if name.partition(".")[0] in PACKAGES}
    allowed = MAY_IMPORT[package]
    for name in ours - {"tracker"} if package == "simulator" else ours:
        parents = {name.rsplit(".", n)[0] for n in range(name.count(".") + 1)}
        assert parents & allowed, f"{path.name} imports {name}; {package} may import {sorted(allowed)}"


# Of the laboratory's parts each knows only those before it.
FLOORS = (
    *(
        "aliases",
        "nearest",
        "temporary",
        "guard",
        "text_files",
        "durations",
        "toml_places",
        "file_values",
        "file_keys",
        "kinds",
        "faults",
        "presets",
        "controls",
        "scenario",
        "scenario_keys",
        "scenario_reading",
        "scenario_writing",
        "catalogue",
        "answer",
        "history",
        "profile",
        "profile_reading",
        "own_frame",
        "adaptation",
        "trial",
        "certificates",
        "reference",
    ),
    *("traces", "timeline", "diagnosis"),
    *("judging", "reports", "toxiproxy", "kernel", "engines", "clients"),
    *(
        "workloads",
        "tokens",
        "peer_faults",
        "life",
        "side_by_side",
        "runner",
        "made_twice",
        "workers",
        "league",
        "hunt",
        "replay",
        "glossary",
        "commands",
        "start",
    ),
)


@pytest.mark.parametrize("path", named([path for path in FILES if path.is_relative_to(ROOT / "chaos")]))
def test_a_part_of_the_laboratory_knows_only_those_below_it(path: Path) -> None:
    own = path.relative_to(ROOT / "chaos").parts[0].removesuffix(".py")
    known = {name.split(".")[1] for name in imports(path) if name.startswith("chaos.")}
    above = FLOORS[FLOORS.index(own) + 1 :] if own != "__init__" else FLOORS
    assert not known.intersection(above)


@pytest.mark.parametrize("path", named([path for path in FILES if is_pure(path)]))
def test_a_pure_file_imports_no_clock_no_chance_and_no_network(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    forbidden = IMPURE - ({"random"} if str(path.relative_to(ROOT)) in NAMES_RANDOM else set())
    assert not roots & forbidden


@pytest.mark.parametrize("path", named([path for path in FILES if path.is_relative_to(ROOT / "tracker")]))
def test_the_tracker_needs_nothing_of_the_laboratory(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & LAB_ONLY


@pytest.mark.parametrize("path", named(sorted((ROOT / "chaos" / "reference").glob("*.py"))))
def test_the_answer_to_a_climb_owes_the_tracker_nothing_but_the_types_of_its_messages(path: Path) -> None:
    types = {"tracker.messages", "tracker.messages.HoldState", "tracker.messages.SessionState"}
    assert {name for name in imports(path) if name.partition(".")[0] == "tracker"} <= types


# Every file that says of itself that it is pure.
PURE = {
    "chaos/clients": "last_words",
    "chaos": (
        "adaptation aliases answer controls durations faults file_keys file_values history nearest presets profile "
        "profile_reading scenario scenario_keys scenario_reading scenario_writing side_by_side toml_places trial"
    ),
    "chaos/commands": ("marked shard usage"),
    "chaos/diagnosis": (
        "causes causes_of_attempts causes_of_limits causes_of_silence causes_told delay_findings endings explaining findings headlines inference "
        "log_rows outage_findings peer_findings peer_standstills retransmission saying saying_attempts "
        "saying_ends saying_exceptions saying_silences symptoms telling wording"
    ),
    "chaos/glossary": "entries starting",
    "chaos/judging": (
        "accounts attempts backoff bounded carried checks circumstances clean_stop climbed controls "
        "dedup_safe detect disruptions evidence facts field_checks fire_and_forget frames herd hints in_order intact "
        "limits log_checks machine measures no_false_kill no_loss peer_evidence peer_facts "
        "polite probing promises recover same_climb sessions single strikes survives_input verdicts"
    ),
    "chaos/hunt": "fair findings reached shrinking",
    "chaos/kinds": "__init__ client network peer spec",
    "chaos/kernel": ("commands faults"),
    "chaos/reference": ("body climb"),
    "chaos/league": "members",
    "chaos/replay": ("alignment building narrative same_findings story"),
    "chaos/reports": ("comparison figure github junit markdown results"),
    "chaos/timeline": ("from_events from_log from_peer model observed parts pauses spans untyped_causes"),
    "chaos/toxiproxy": "toxics",
    "chaos/traces": (
        "entry_survey har_messages log_clock log_connections log_envelopes log_events log_lines log_naming log_notices log_reading "
        "log_survey log_tables log_times log_wrapping problems websocket_client_lines websocket_client_live websocket_client_log "
        "websocket_client_survey websocket_client_words wire"
    ),
    "simulator": (
        "body choreography content controls dialect effects entrance identity numbered paths seen segments sender "
        "shown standing tcp"
    ),
    "tracker": (
        "calibration config contact control_replies counters events exposition extras full_disk hold_list lateness "
        "liveness messages meter outbox patience pipeline printable plausibility quiet reconnect session state_format states "
        "timestamps trace_format vitals wall"
    ),
    "tracker/drawing": (
        "arcs css_transforms curves document holds left_out numbers path_data placing problems shapes styles "
        "transforms viewport"
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


def test_the_design_document_says_where_each_file_is() -> None:
    """By its name, below that of its package."""
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    places = re.split(r"^ {4,6}(\w+)/$", text.partition("## Where things are")[2], flags=re.MULTILINE)
    said = {
        (name, word) for name, told in zip(places[1::2], places[2::2], strict=True) for word in told.split()
    }
    there = {(path.parent.name, path.stem) for path in FILES if path.stem != "__init__"}
    top = {("chaos", word) for _, word in said}  # the parts of the laboratory stand among its packages
    assert there <= said | top
