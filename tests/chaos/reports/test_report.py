from io import StringIO

import pytest
from rich.console import Console, RenderableType

from chaos.judging.verdicts import Check, Verdict
from chaos.reports.report import Watching, common_preset, console, explain, summary, table
from chaos.reports.results import RunResult
from tests.chaos.runs import RUN, run


def paper(width: int = 110) -> Console:
    return Console(file=StringIO(), width=width, no_color=True, highlight=False)


def text(on: Console) -> str:
    assert isinstance(on.file, StringIO)
    return on.file.getvalue()


def shown(what: RenderableType) -> list[str]:
    on = paper()
    on.print(what)
    return [line.rstrip() for line in text(on).splitlines() if line.strip()]


def explained(*results: RunResult) -> str:
    on = paper()
    explain(on, results)
    return text(on)


def columns(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell.strip()]


def test_the_table_has_a_row_a_run_and_fits_its_width() -> None:
    lines = shown(table([RUN, run("fail")]))
    assert [cell.strip() for cell in columns(lines[0])] == [
        "scenario",
        "engine",
        "verdict",
        "lost",
        "repeated",
        "reordered",
        "detected",
        "recovered",
        "longest silence",
    ]
    assert [cell.strip() for cell in columns(lines[2])] == [
        "half-open-output",
        "toxiproxy",
        "pass",
        "1",
        "22",
        "3",
        "3.80 s",
        "-",
        "23.50 s",
    ]
    assert len(lines) == 4
    assert "fail" in lines[3]
    assert max(map(len, lines)) <= 110


def test_the_table_fits_its_width_with_the_longest_names() -> None:
    widest = run("unknown", scenario="latency-below-limit")
    lines = shown(table([widest]))
    assert len(lines) == 3
    assert lines[0].endswith("longest silence")


def test_the_seed_is_a_column_only_where_there_are_several() -> None:
    assert "seed" not in shown(table([RUN, RUN]))[0]
    lines = shown(table([RUN, run(seed=8)]))
    assert "seed" in lines[0]
    assert [columns(line)[2].strip() for line in lines[2:]] == ["7", "8"]


def test_a_failure_is_explained_by_what_was_expected_and_what_was_observed() -> None:
    lost = Check("no-loss", "fail", "all 900 at the peer", "3 lost: seq 4, 5, 6")
    assert explained(RUN, run("fail", lost)).splitlines() == [
        "fail  half-open-output on toxiproxy, seed 7",
        "  no-loss",
        "    expected  all 900 at the peer",
        "    observed  3 lost: seq 4, 5, 6",
        "    record    runs/now/half-open-output.toxiproxy.7.jsonl",
        "    command   simtool chaos half-open-output --engine toxiproxy --seed 7",
    ]


def test_a_trace_that_no_command_here_made_is_explained_without_one() -> None:
    assert "command" not in explained(run("fail", command_line=None))


def test_what_passed_is_not_explained() -> None:
    assert explained(RUN) == ""


def test_brackets_in_texts_are_shown_and_not_taken_for_markup() -> None:
    odd = Check("[/odd]", "unknown", "close codes [1001]", "close codes [], [bold]x[/nonsense] [/]")
    said = explained(run("unknown", odd, scenario="[red]a[/]", record="runs/[x]/[/y].jsonl"))
    for literal in (
        "[/odd]",
        "codes [1001]",
        "codes [], [bold]x[/nonsense] [/]",
        "[red]a[/]",
        "runs/[x]/[/y]",
    ):
        assert literal in said
    assert "[red]a[/]" in shown(table([run(scenario="[red]a[/]")]))[2]


def test_the_path_of_a_record_is_not_broken_over_lines() -> None:
    path = "runs/" + "deep/" * 40 + "a.jsonl"
    assert path in explained(run("fail", record=path))


@pytest.mark.parametrize(
    ("verdicts", "line"),
    [
        (["pass", "pass"], "2 pass"),
        (["pass", "fail", "unknown"], "1 pass, 1 fail, 1 unknown"),
        (["unknown"], "0 pass, 1 unknown"),
        ([], "0 pass"),
    ],
)
def test_the_last_line_counts_the_verdicts(verdicts: list[Verdict], line: str) -> None:
    assert summary([run(verdict) for verdict in verdicts]).plain == line


def test_off_a_terminal_progress_is_a_line_a_run() -> None:
    on = paper()
    with Watching(on, 2) as watching:
        watching.done(RUN)
        watching.done(run("fail", scenario="[x]"))
    assert text(on).splitlines() == [
        "[1/2] pass    half-open-output (6.2 s)",
        "[2/2] fail    [x] (6.2 s)",
    ]


def test_where_there_are_several_clients_progress_says_whose_run_it_was() -> None:
    on = paper()
    with Watching(on, 1, with_client=True) as watching:
        watching.done(RUN)
    assert text(on) == "[1/1] pass    half-open-output, tracker (6.2 s)\n"


def test_where_it_is_known_how_long_all_takes_progress_says_how_many_minutes_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("chaos.reports.report.time.monotonic", lambda: now[0])
    on = paper()
    with Watching(on, 4, expected=1200) as watching:
        for elapsed in (300.0, 400.0, 1500.0, 2000.0):
            now[0] = 1000 + elapsed
            watching.done(RUN)
    assert [line.split("(")[1] for line in text(on).splitlines()] == [
        "6.2 s, some 15 min left)",
        "6.2 s, some 13 min left)",
        "6.2 s, some 5 min left)",  # late: a quarter of the runs is still to come
        "6.2 s)",
    ]


def test_off_a_terminal_the_console_is_plain_and_wide(capsys: pytest.CaptureFixture[str]) -> None:
    made = console(stderr=True)
    assert made.width == 110
    made.print(summary([RUN]))
    assert capsys.readouterr().err == "1 pass\n"


def test_a_preset_that_all_runs_share_is_told_once_and_several_have_a_column() -> None:
    shared = [run(preset="lossy-wifi"), run(preset="lossy-wifi")]
    assert common_preset(shared) == "lossy-wifi"
    assert "preset" not in " ".join(shown(table(shared)))
    mixed = [run(preset="lossy-wifi"), run()]
    assert common_preset(mixed) is None
    assert "preset" in " ".join(shown(table(mixed)))
    assert [columns(line)[2].strip() for line in shown(table(mixed))[-2:]] == ["lossy-wifi", "-"]


def test_what_did_not_pass_is_explained_with_its_preset() -> None:
    assert "half-open-output on toxiproxy, preset 3g, seed 7" in explained(run("fail", preset="3g"))
