"""The token file of a run in which credentials expire."""

from pathlib import Path

from chaos.tokens import Tokens


def test_a_token_is_in_the_file_from_the_begin_and_never_an_older_one_than_before(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "token")
    first = tokens.file.read_text()
    second, third = tokens.issue(), tokens.issue()
    tokens.write(third)
    tokens.write(second)
    assert [first, tokens.file.read_text()] == ["simtool-token-1\n", "simtool-token-3\n"]


def test_a_refresh_that_fails_leaves_an_empty_file_until_the_next_one(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "token")
    tokens.spoil()
    assert tokens.file.read_text() == ""
    tokens.write(tokens.issue())
    assert tokens.file.read_text() == "simtool-token-2\n"
