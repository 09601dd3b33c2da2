from pathlib import Path

import pytest

from chaos.commands.outputs import on_github
from chaos.commands.usage import UsageError
from chaos.reports.github import annotations, summary
from tests.chaos.runs import RUN, failed, unknown


def test_a_failed_run_is_an_error_with_a_title_and_an_unknown_one_a_warning() -> None:
    lines = list(annotations([RUN, failed("no-loss", "3 lost"), unknown("evidence", "none")]))
    assert lines == [
        (
            "::error title=fail%3A half-open-output on toxiproxy%2C seed 7%2C client tracker::fail no-loss%0A"
            "  expected  what was promised%0A  observed  3 lost%0A"
            "command: simtool chaos half-open-output --engine toxiproxy --seed 7"
        ),
        (
            "::warning title=unknown%3A half-open-output on toxiproxy%2C seed 7%2C client tracker::unknown evidence%0A"
            "  expected  something to judge%0A  observed  none%0A"
            "command: simtool chaos half-open-output --engine toxiproxy --seed 7"
        ),
    ]


def test_no_text_can_end_an_annotation_or_begin_another() -> None:
    (line,) = annotations([failed("valid-run", "100%\r\n::error::x", client="a%,b:c\n::d")])
    assert "\n" not in line
    assert "\r" not in line
    assert "client a%25%2Cb%3Ac%0A%3A%3Ad::fail" in line
    assert "100%25%0D%0A::error::x" in line


def test_the_summary_counts_and_tables_what_did_not_pass() -> None:
    assert summary([RUN]) == "### simtool chaos: 1 pass\n\n"
    text = summary([RUN, failed("in-order", "a | b", command_line="simtool chaos 'x|y'")])
    assert text.splitlines() == [
        "### simtool chaos: 1 pass, 1 fail",
        "",
        "| run | observed | command |",
        "| --- | --- | --- |",
        r"| fail half-open-output on toxiproxy, seed 7, client tracker | in-order: a \| b | `simtool chaos 'x\|y'` |",
        "",
    ]


def test_outside_of_github_nothing_is_said_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    on_github(["::error::x"], "text\n")
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_in_a_job_the_annotations_go_to_stderr_and_the_summary_is_appended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    on_github(["::error::x", "::error::y"], "text\n")
    assert capsys.readouterr() == ("", "::error::x\n::error::y\n")
    assert place.read_text() == "before\ntext\n"


def test_a_summary_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "absent" / "summary.md"))
    with pytest.raises(UsageError, match=r"GITHUB_STEP_SUMMARY.*: No such file or directory: mend it"):
        on_github([], "text\n")
