import re
from pathlib import Path

import pytest

from chaos import catalogue
from chaos.aliases import _MEANT
from chaos.diagnosis.causes import Cause
from chaos.glossary.entries import PLURALS, Entry
from chaos.glossary.judged import CAUSES
from chaos.glossary.lookup import entries_of, every_entry, instead_of
from chaos.judging.hints import HINTS
from chaos.kinds import KINDS
from chaos.presets import PRESETS
from chaos.profile_reading import TABLES as PROFILE_TABLES
from chaos.scenario_keys import TABLES
from tests.chaos.judging.test_hints import anchors

ROOT = Path(__file__).parents[3]


def lines(entry: Entry, heading: str) -> tuple[str, ...]:
    return next(fact.lines for fact in entry.facts if fact.heading == heading)


def test_everything_that_has_a_name_is_explained() -> None:
    names = {entry.name for entry in every_entry()}
    keys = {key.name for table in TABLES.values() for key in table}
    assert {*KINDS, *HINTS, *catalogue.names(), *PRESETS, *keys, *Cause} <= names
    assert {entry.sort for entry in every_entry()} == set(PLURALS)
    assert set(CAUSES) == set(Cause)


def test_a_kind_of_fault_has_its_keys_with_units_bounds_and_defaults_and_who_can_do_it() -> None:
    entry, _key = entries_of("latency")
    assert "latency: the delay in one direction; a whole number from 0 to 3,600,000 ms" in lines(
        entry, "keys"
    )
    assert any(
        line.startswith("jitter:") and "0 where it is left out" in line for line in lines(entry, "keys")
    )
    assert lines(entry, "engines")[:2] == ("sim: yes", "toxiproxy: yes")
    assert "latency-spike" in lines(entry, "scenarios")[0]
    (loss,) = entries_of("loss")
    assert "no: a proxy sees no packets" in lines(loss, "engines")[1]


def test_a_promise_has_its_scenarios_and_what_usually_breaks_it() -> None:
    (entry,) = entries_of("detect")
    assert "half-open-output" in lines(entry, "stressed by")[0]
    assert HINTS["detect"].failure in lines(entry, "fails")[0]


def test_a_scenario_has_its_faults_its_limits_and_its_command() -> None:
    (entry,) = entries_of("half-open-output")
    assert lines(entry, "faults") == ("stall on output, 10s to 30s",)
    assert "detect within 5s" in lines(entry, "expects")[0]
    assert lines(entry, "run it") == ("simtool chaos half-open-output --engine sim",)


def test_a_key_is_explained_for_each_table_that_has_it() -> None:
    (entry,) = entries_of("confirm")
    assert [fact.heading for fact in entry.facts] == ["[client]", "[peer]", "read on"]
    (delay,) = entries_of("delay")
    assert "us" in lines(delay, "[[faults]] of kind slicer")[0]
    assert "ms" in lines(delay, "[[faults]] of kind slow_close")[0]


@pytest.mark.parametrize("word", [word for words in _MEANT for word in words])
def test_each_word_of_the_field_is_explained_by_what_there_is(word: str) -> None:
    assert entries_of(word) or instead_of(word)


def test_a_key_of_a_profile_leads_to_its_document_which_has_it() -> None:
    text = (ROOT / "docs" / "profiles.md").read_text()
    names = [f"{table}.{name}" if table else name for table, keys in PROFILE_TABLES.items() for name in keys]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert [entry.sort for entry in entries_of("subprotocol")] == ["profile"]


def test_a_misspelled_word_is_explained_by_the_nearest() -> None:
    assert [entry.name for entry in instead_of("half-open-outptu")] == ["half-open-output"]
    assert instead_of("zzzzzz") == ()


def test_where_to_read_on_is_there() -> None:
    read = {line for entry in every_entry() for line in lines(entry, "read on")}
    documents = {file: (ROOT / file).read_text() for file in {each.partition("#")[0] for each in read}}
    wrong = [
        each
        for each in read
        if "#" in each and each.partition("#")[2] not in anchors(documents[each.partition("#")[0]])
    ]
    assert wrong == []


def test_no_sentence_of_the_table_of_all_is_longer_than_two_lines() -> None:
    assert [entry.name for entry in every_entry() if len(re.sub(r"\s+", " ", entry.says)) > 200] == []
