import pytest

from chaos.toml_places import LONGEST, line_of, places

TEXT = '''# a comment
name = "x"

[workload]
reset_at = [
    "1s",  # one [of them]
    "2s",
]
about = """
[not.a.header]
a = 1
"""
[[faults]]
on = "input"
[[faults]]
inline = { a = 1 }
dotted.key = 2
[faults.inside]
deep = 1
[a."b.c"]
d = 1
'''


@pytest.mark.parametrize(
    ("way", "line"),
    [
        (("name",), 2),
        (("workload",), 4),
        (("workload", "reset_at"), 5),
        (("workload", "about"), 9),
        (("faults", 0), 13),
        (("faults", 0, "on"), 14),
        (("faults", 1), 15),
        (("faults", 1, "inline", "a"), 16),
        (("faults", 1, "dotted", "key"), 17),
        (("faults", 1, "inside", "deep"), 19),
        (("a", "b.c", "d"), 21),
    ],
)
def test_each_key_and_table_has_its_line(way: tuple[str | int, ...], line: int) -> None:
    assert places(TEXT)[way] == line


def test_what_is_missing_has_the_line_of_its_table_and_at_the_top_none() -> None:
    found = places(TEXT)
    assert line_of(("faults", 1, "kind"), found) == 15
    assert line_of(("workload", "fps"), found) == 4
    assert line_of(("duration",), found) is None


def test_a_list_of_tables_that_is_written_inline_has_the_lines_line() -> None:
    assert line_of(("faults", 1, "kind"), places('\nfaults = [{kind = "a"}, {kind = "b"}]')) == 2


def test_behind_a_value_of_too_many_lines_nothing_has_a_place() -> None:
    found = places("a = 1\nb = [\n" + "1,\n" * LONGEST + "]\nc = 3\n")
    assert found == {("a",): 1}


def test_lines_that_end_as_in_windows_are_lines() -> None:
    assert places("a = 1\r\n\r\nb = 2\r\n")[("b",)] == 3
