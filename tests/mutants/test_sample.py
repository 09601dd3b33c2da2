import pytest

from tests.mutants.listed import Mutant
from tests.mutants.sample import UnknownBase, few, since

MANY = [Mutant("a.py", f"a{n}", "1", "2") for n in range(5)]
ONE = Mutant("b.py", "b", "1", "2")


def test_each_file_of_a_change_has_its_turn() -> None:
    taken = few([MANY, [ONE]], 3, seed="x")
    assert ONE in taken
    assert len(taken) == 3


def test_which_of_many_they_are_the_seed_decides() -> None:
    assert few([MANY], 2, seed="x") == few([MANY], 2, seed="x")
    assert len({mutant for seed in "abcdefgh" for mutant in few([MANY], 2, seed=seed)}) > 2


def test_a_mutant_that_several_files_are_about_is_asked_about_once() -> None:
    assert few([[ONE], [ONE]], 5, seed="x") == [ONE]


def test_a_base_that_git_does_not_know_is_an_error_of_one_line() -> None:
    with pytest.raises(UnknownBase, match=r"^--changed is 'nowhere': .*: name a commit of this repository$"):
        since("nowhere", {}, {})
