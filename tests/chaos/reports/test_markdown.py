import pytest

from chaos.reports.markdown import code, escaped, table


def test_a_table_has_a_heading_a_rule_and_a_line_a_row() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a | b", r"a \| b"),
        ("reset_peer *x*", r"reset\_peer \*x\*"),
        ("<b>", r"\<b\>"),
        ("two\nlines", "two lines"),
        ("0.64 s", "0.64 s"),
    ],
)
def test_a_text_stays_what_it_is(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a b", "`a b`"),
        ("a|b", r"`a\|b`"),
        ("x `y` z", "``x `y` z``"),
        ("`y`", "`` `y` ``"),
        ("a\nb", "`a b`"),
    ],
)
def test_code_may_hold_backticks_and_bars(text: str, markdown: str) -> None:
    assert code(text) == markdown
