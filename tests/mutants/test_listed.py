from pathlib import Path

import pytest

from chaos.commands.marked import between
from tests.mutants import table
from tests.mutants.listed import AREAS, Area, ListError, Mutant, all_mutants, parsed

ROOT = Path(__file__).parents[2]
MUTANT = Mutant("tracker/a.py", "It never ends", "while more:", "while True:")


@pytest.mark.parametrize("mutant", all_mutants().values(), ids=lambda mutant: mutant.breaks)
def test_the_text_that_a_mutant_changes_is_in_its_file_once(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.applied_to(text) != text


def test_the_table_in_the_design_document_has_the_mutants_of_the_list_in_its_order() -> None:
    document = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    shown = [breaks for breaks, _ in table.rows(between(document, name="mutants"))]
    assert shown == list(all_mutants()), "write it again: make mutants ARGS=--new"


def test_each_mutant_was_noticed_by_somebody_when_the_table_was_written() -> None:
    document = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    unnoticed = [
        breaks
        for breaks, noticed in table.rows(between(document, name="mutants"))
        if noticed == table.Noticed()
    ]
    assert unnoticed == []


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.title)
def test_a_sentence_says_in_one_cell_of_the_table_what_is_broken(area: Area) -> None:
    for mutant in area.mutants:
        assert "|" not in mutant.breaks
        assert not mutant.breaks.endswith(".")


def test_a_mutant_changes_the_one_place_that_it_names() -> None:
    assert MUTANT.applied_to("while more:\n    pass\n") == "while True:\n    pass\n"


@pytest.mark.parametrize(("text", "times"), [("pass", 0), ("while more:\n    while more:\n        pass", 2)])
def test_a_text_that_is_not_there_once_is_an_error_that_names_the_mutant(text: str, times: int) -> None:
    with pytest.raises(ListError, match=rf"tracker/a\.py: the mutant 'It never ends' .* {times} times"):
        MUTANT.applied_to(text)


def test_a_mutant_that_is_no_python_is_an_error_that_names_it() -> None:
    with pytest.raises(ListError, match="'It never ends' is no Python"):
        Mutant("tracker/a.py", "It never ends", "while more:", "while").applied_to("while more:\n    pass\n")


def test_a_list_is_a_table_a_file_and_in_it_two_texts_a_mutant() -> None:
    text = '["tracker/a.py"]\n"It never ends" = ["while more:", "while True:"]\n'
    assert list(parsed(text, "some.toml")) == [MUTANT]


@pytest.mark.parametrize("change", ['["one"]', '["same", "same"]', "[1, 2]", '"text"'])
def test_an_entry_that_changes_nothing_is_an_error_that_names_it(change: str) -> None:
    with pytest.raises(ListError, match=r"some\.toml: 'It never ends' must be two different texts"):
        list(parsed(f'["a.py"]\n"It never ends" = {change}\n', "some.toml"))
