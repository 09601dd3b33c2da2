from pathlib import Path

import pytest

from chaos.controls import KEYS as CONTROL_KEYS
from chaos.glossary.document import scenario_document
from chaos.glossary.starting import renamed, starting_scenario
from chaos.kinds import KINDS
from chaos.scenario_keys import FAULT, TABLES
from chaos.scenario_reading import parse

DOCUMENT = Path(__file__).parents[3] / "docs" / "scenarios.md"


def test_the_document_of_scenarios_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text() == scenario_document(), "out of date: write it anew with `make docs`"


def test_each_key_has_its_line_in_the_document() -> None:
    text = DOCUMENT.read_text()
    names = {key.name for keys in TABLES.values() for key in keys}
    names |= {name for spec in KINDS.values() for name in spec.attributes}
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_keys_of_faults_are_those_that_their_kinds_take() -> None:
    taken = {key for spec in KINDS.values() for key in spec.keys if key not in spec.attributes}
    assert {key.name for key in FAULT} == taken
    assert TABLES["controls"] == CONTROL_KEYS


def test_the_scenario_to_begin_with_can_be_read_and_stresses_what_its_fault_strikes() -> None:
    scenario = parse(starting_scenario("mine"), Path("mine.toml"))
    assert scenario.name == "mine"
    assert [fault.kind for fault in scenario.faults] == ["stall"]
    assert "detect" in scenario.stresses


def test_what_is_commented_out_of_it_can_be_read_too() -> None:
    text = starting_scenario("mine")
    whole = "\n".join(
        line.removeprefix("# ")
        if line.removeprefix("# ").startswith(("[[", "at ", "for ", "on ", "kind ", "latency ", "jitter "))
        else line
        for line in text.splitlines()
    )
    assert [fault.kind for fault in parse(whole, Path("mine.toml")).faults] == ["stall", "latency"]


@pytest.mark.parametrize("name", ["reset", "control-messages"])
def test_a_copy_of_a_scenario_keeps_its_comments_and_has_its_own_name(name: str) -> None:
    text = f"# why\nname = \"{name}\"  # old\nabout = 'name = 1'\n"
    assert renamed(text, "mine") == "# why\nname = \"mine\"\nabout = 'name = 1'\n"
