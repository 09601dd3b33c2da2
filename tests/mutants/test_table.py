import pytest

from tests.mutants.listed import Area, Mutant
from tests.mutants.table import HANGS, Failed, Noticed, Red, read, render, rows

AREA = Area("The tracker", "tracker.toml", by_scenarios=True)
UNIT = Area("The judges", "judging.toml", by_scenarios=False)
A, B, C = (Mutant("tracker/outbox.py", f"It breaks {what}", "1", "2") for what in "abc")
A_TEST = Failed("tests/tracker/test_outbox.py", "test_a_pong_confirms_what_was_sent_before_it")
KNOWN = {
    A.breaks: Noticed(Red("reset", "no-loss"), A_TEST),
    B.breaks: Noticed(Red("reset", HANGS), None),
    C.breaks: Noticed(None, Failed("tests/test_commands.py", "test_what_a|b_does")),
}


def test_what_is_written_is_read_back() -> None:
    assert read(render({AREA: [A, B, C], UNIT: []}, KNOWN)) == KNOWN


def test_an_area_that_no_scenario_judges_has_no_column_for_them() -> None:
    text = render({UNIT: [A]}, {A.breaks: Noticed(None, A_TEST)})
    assert "scenario" not in text
    assert read(text) == {A.breaks: Noticed(None, A_TEST)}


def test_the_rows_keep_the_order_of_the_list() -> None:
    assert [breaks for breaks, _ in rows(render({AREA: [B, A], UNIT: [C]}, KNOWN))] == [
        B.breaks,
        A.breaks,
        C.breaks,
    ]


def test_a_mutant_that_nobody_was_asked_about_is_shown_and_not_counted() -> None:
    text = render({AREA: [A, B]}, {A.breaks: KNOWN[A.breaks]})
    assert "Of 1 mutants the tests notice 1 (100 %)" in text
    assert "1 were not asked yet" in text
    assert list(rows(text))[1] == (B.breaks, None)


def test_the_totals_say_what_scenarios_and_tests_notice_alone_and_together() -> None:
    text = render({AREA: [A, B, C]}, {**KNOWN, C.breaks: Noticed()})
    assert "Of 3 mutants the tests notice 1 (33 %)" in text
    assert "alone 2 (66 %), one or the other 2 (66 %)" in text


def test_a_test_is_shown_as_the_sentence_that_its_name_is() -> None:
    assert str(A_TEST) == "tracker/outbox: a pong confirms what was sent before it"


@pytest.mark.parametrize("noticed", [Noticed(), Noticed(Red("reset", "no-loss")), Noticed(None, A_TEST)])
def test_noticed_is_true_where_anybody_did(noticed: Noticed) -> None:
    assert bool(noticed) == (noticed.scenario is not None or noticed.test is not None)
