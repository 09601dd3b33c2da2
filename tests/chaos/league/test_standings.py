"""The tables of a league: the best first, and what each made of each scenario."""

from io import StringIO

from rich.console import Console

from chaos.league.members import Language, Member, Player
from chaos.league.standings import Standing, as_markdown, show
from chaos.reports.comparison import Column, Comparison
from tests.chaos.runs import failed, run, unknown

GO = Language("Go", (), "", (), "")
DEAF = failed("detect", "still there after 20.00 s of silence", scenario="half-open-output")
LOST = failed("no-loss", "7 lost", scenario="reset")
NEVER = unknown("evidence", "none of: stall", scenario="half-open-output")


def standing(name: str, *results: object, mends: dict[str, str] | None = None) -> Standing:
    member = Member(name, GO, None, (), f"{name} 1.0", mends or {})
    column = Column(name, "toxiproxy", results, mends=member.mends)  # type: ignore[arg-type]
    return Standing(column, Player(member, name, "go version 1"))


STANDINGS = (
    standing("worse", LOST, DEAF, mends={"detect": "ask more often"}),
    standing("better", run(scenario="reset"), NEVER),
)
COMPARISON = Comparison(("reset", "half-open-output"), tuple(each.column for each in STANDINGS), ("Seed 0.",))


def test_in_markdown_the_best_is_first_and_a_red_cell_has_the_setting_that_mends_it() -> None:
    lines = as_markdown(COMPARISON, STANDINGS).splitlines()
    assert lines[2:7] == [
        "| better | Go | better 1.0 | 1 | 0 | 1 |",
        "| worse | Go | worse 1.0 | 0 | 2 | 0 |",
        "",
        "On go version 1.",
        "",
    ]
    assert lines[7] == "| scenario | worse | better |"
    assert "| reset | **fail 7 lost** | pass |" in lines
    assert "| half-open-output | **fail deaf 20 s** <sup>1</sup> | unknown no evidence |" in lines
    assert "<sup>1</sup> detect: ask more often<br>" in lines
    assert "All runs are on the engine toxiproxy.<br>" in lines


def test_on_a_terminal_a_line_a_client_says_what_it_did_not_pass() -> None:
    to = Console(file=StringIO(), width=110, no_color=True, highlight=False)
    show(to, COMPARISON, STANDINGS)
    assert isinstance(to.file, StringIO)
    lines = [line.rstrip() for line in to.file.getvalue().splitlines()]
    assert [line.split()[0] for line in lines[2:4]] == ["better", "worse"]
    assert "better: unknown: half-open-output no evidence" in lines
    assert "worse: fail: reset 7 lost; half-open-output deaf 20 s" in lines
    assert lines[-1] == "Seed 0."


def test_a_narrow_terminal_goes_without_the_language_and_says_so() -> None:
    to = Console(
        file=StringIO(), width=45, no_color=True, highlight=False, force_terminal=True, color_system=None
    )
    show(to, COMPARISON, STANDINGS)
    assert isinstance(to.file, StringIO)
    lines = [line.rstrip() for line in to.file.getvalue().splitlines()]
    assert lines[0].split() == ["client", "library", "pass", "fail", "unknown"]
    assert lines[2].split() == ["better", "better", "1.0", "1", "0", "1"]
    assert lines[4] == "no room at this width for: language"
