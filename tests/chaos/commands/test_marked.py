import pytest

from chaos.commands.marked import between, marks, replaced
from chaos.commands.usage import UsageError

BEGIN, END = marks("compare")


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(text, "new\n", "README.md", name="compare") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_writing_the_same_part_again_changes_nothing() -> None:
    once = replaced(f"{BEGIN}{END}", "| a |\n", "README.md", name="compare")
    assert replaced(once, "| a |\n", "README.md", name="compare") == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        BEGIN,
        END,
        f"{END}\n{BEGIN}",
        f"{BEGIN}\n{BEGIN}\n{END}",
        f"{BEGIN}\n{END}\n{END}",
        f"{END}{BEGIN}{END}",
    ],
)
def test_without_one_pair_of_marks_nothing_is_guessed(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"cannot write --into notes.md: it needs one line <!-- compare: begin"
    ):
        replaced(text, "new", "notes.md", name="compare")


def test_what_stands_between_the_marks_is_read_back() -> None:
    assert (
        between(replaced(f"a {BEGIN}{END} b", "| a |\n", "README.md", name="compare"), name="compare")
        == "| a |"
    )


def test_where_there_are_no_marks_nothing_stands_between_them() -> None:
    assert between("text", name="compare") == ""
